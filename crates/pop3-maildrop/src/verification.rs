//! Credential checks that run elsewhere while a session waits.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use event_listener::{Event, Listener};

use crate::LoginError;

/// The way in which a store checks the credentials of a login.
#[derive(Debug)]
pub enum Verification {
    /// [`Store::login`](crate::Store::login) checks the credentials.
    AtLogin,
    /// The check is under way. If the credentials are right, [`Store::login`](crate::Store::login) is called with
    /// [`PresentedCredentials::Verified`](pop3_proto::sasl::PresentedCredentials::Verified).
    Pending(Pending),
}

/// A check that is under way. Dropping it abandons the check.
#[derive(Debug)]
pub struct Pending(Arc<State>);

/// The end of a [`Pending`] that reports the outcome of the check. Dropping it without an outcome fails the login.
#[derive(Debug)]
pub struct Verifier(Arc<State>);

#[derive(Debug, Default)]
struct State {
    outcome: Mutex<Outcome>,
    changed: Event,
}

#[derive(Debug, Default)]
enum Outcome {
    #[default]
    Awaited,
    Known(Result<(), LoginError>),
    /// No session waits any longer, or the outcome was returned.
    Over,
}

/// Returns both ends of a check.
///
/// ```
/// use pop3_maildrop::{LoginError, verification};
/// let (verifier, pending) = verification();
/// std::thread::spawn(move || verifier.finish(Err(LoginError::Credentials)));
/// assert!(matches!(pending.wait(None), Err(LoginError::Credentials)));
/// ```
pub fn verification() -> (Verifier, Pending) {
    let state = Arc::<State>::default();
    (Verifier(Arc::clone(&state)), Pending(state))
}

impl Pending {
    /// Waits for the outcome of the check.
    ///
    /// # Errors
    /// The credentials are wrong, the maildrop is not available, or the check ended without an outcome.
    pub async fn outcome(self) -> Result<(), LoginError> {
        loop {
            // Listen before the outcome is read, so that a change in between is not missed.
            let change = self.0.changed.listen();
            if let Some(outcome) = self.take() {
                return outcome;
            }
            change.await;
        }
    }

    /// Waits for the outcome of the check and blocks the thread, until `deadline` if there is one.
    ///
    /// # Errors
    /// The credentials are wrong, the maildrop is not available, the check ended without an outcome, or the deadline has passed
    /// ([`io::ErrorKind::TimedOut`]).
    pub fn wait(self, deadline: Option<Instant>) -> Result<(), LoginError> {
        loop {
            let change = self.0.changed.listen();
            if let Some(outcome) = self.take() {
                return outcome;
            }
            match deadline {
                None => change.wait(),
                Some(deadline) if change.wait_deadline(deadline).is_some() => {}
                Some(_) => return self.take().unwrap_or_else(|| Err(LoginError::Io(io::ErrorKind::TimedOut.into()))),
            }
        }
    }

    fn take(&self) -> Option<Result<(), LoginError>> {
        let mut outcome = self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *outcome, Outcome::Over) {
            Outcome::Awaited => {
                *outcome = Outcome::Awaited;
                None
            }
            Outcome::Known(result) => Some(result),
            Outcome::Over => Some(Err(LoginError::Io(io::Error::other("the check was given up")))),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        *self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Outcome::Over;
    }
}

impl Verifier {
    /// Returns `true` if no session waits any longer, so that the check can be skipped.
    pub fn is_abandoned(&self) -> bool {
        matches!(*self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner), Outcome::Over)
    }

    /// Reports the outcome to the session.
    pub fn finish(self, result: Result<(), LoginError>) {
        self.set(result);
    }

    fn set(&self, result: Result<(), LoginError>) {
        let mut outcome = self.0.outcome.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*outcome, Outcome::Awaited) {
            *outcome = Outcome::Known(result);
        }
        drop(outcome);
        self.0.changed.notify(usize::MAX);
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        self.set(Err(LoginError::Io(io::Error::other("the check ended without an outcome"))));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_check_has_one_outcome() {
        let (verifier, pending) = verification();
        verifier.finish(Ok(()));
        assert!(pending.wait(None).is_ok());
        let (verifier, pending) = verification();
        drop(verifier);
        assert!(matches!(pending.wait(None), Err(LoginError::Io(_))), "a check that was lost lets no one in");
        let (_verifier, pending) = verification();
        let ended = pending.wait(Some(Instant::now() + Duration::from_millis(1)));
        assert!(matches!(ended, Err(LoginError::Io(error)) if error.kind() == io::ErrorKind::TimedOut));
    }

    #[test]
    fn a_check_that_no_session_waits_for_is_abandoned() {
        let (verifier, pending) = verification();
        assert!(!verifier.is_abandoned());
        drop(pending);
        assert!(verifier.is_abandoned());
    }
}
