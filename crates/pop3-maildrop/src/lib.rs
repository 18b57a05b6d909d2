//! Where mail lies.
//!
//! ```
//! use std::io::Read;
//! use pop3_maildrop::{Maildrop, Memory, Store};
//! use pop3_proto::codec::MessageNumber;
//!
//! let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
//! let mut maildrop = store.login(&pop3_maildrop::password_login("joe", "secret")?)?;
//! assert_eq!(maildrop.snapshot()?.len(), 1);
//! let mut text = String::new();
//! maildrop.open(MessageNumber::FIRST)?.read_to_string(&mut text)?;
//! assert_eq!(text, "Subject: hello\n\nworld\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server asks a [`Store`] who may log in, and gets a [`Maildrop`]: what it holds, one message, remove these. Calls may
//! block; an asynchronous server makes them where that does no harm. [`Maildir`] is the store that most people want, and
//! [`Delivery`] puts mail into one so that a power cut loses none.

mod login_delayed;
#[cfg(unix)]
pub mod maildir;
mod memory;
mod store_responder;
mod verification;

use std::io::{self, ErrorKind, Read};

use pop3_proto::Secret;
use pop3_proto::codec::{Escaped, InvalidArgument, MessageNumber, OwnedUsername, Username};
use pop3_proto::sasl::{PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{LoginAttempt, LoginDenial, MessageRefusal, Snapshot};
use thiserror::Error;

pub use login_delayed::{LoginDelayed, LoginDelayedMaildrop};
#[cfg(unix)]
pub use maildir::{Delivery, LockedMaildir, Maildir, Prepared};
pub use memory::{Memory, MemoryMaildrop};
pub use store_responder::StoreResponder;
pub use verification::{Peer, Pending, Verification, Verifier, verification};

/// Who may log in, and to what.
pub trait Store: Send + Sync + 'static {
    /// What a login opens.
    type Maildrop: Maildrop;

    /// Checks the credentials, and locks and opens the maildrop for this session alone (Q48). The lock lasts until the maildrop is dropped.
    ///
    /// # Errors
    /// See [`LoginError`]. A lock that is held is told only to whom the credentials are right (S22).
    fn login(&self, login: &LoginAttempt) -> Result<Self::Maildrop, LoginError>;

    /// Begins to check the credentials of a login without blocking, for stores whose check takes long, as hashing a password does: the
    /// session waits for the outcome without a thread. By default [`login`](Self::login) checks them.
    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        let _ = (login, peer);
        Verification::AtLogin
    }

    /// What is kept of a user's password for `SCRAM`; `None`: there is no such user, or nothing is kept. Only asked if a server is
    /// told to offer the mechanism.
    ///
    /// # Errors
    /// It cannot be read.
    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        let _ = (hash, name);
        Ok(None)
    }
}

/// The mail of one user, held by one session.
pub trait Maildrop: Send + 'static {
    /// Whose it is, where that is not the name that was given, as with another way to write it, or a certificate that tells.
    fn owner(&self) -> Option<&[u8]> {
        None
    }

    /// What is there now. Called once, before anything else; message 1 is the first of the snapshot, and numbers keep their
    /// meaning whatever happens outside (H50).
    ///
    /// # Errors
    /// The maildrop cannot be read.
    fn snapshot(&mut self) -> io::Result<Snapshot>;

    /// A message as it lies in the store, with line ends of either kind. To look at it does not mark it (S15).
    ///
    /// # Errors
    /// It is gone, or cannot be read.
    fn open(&mut self, number: MessageNumber) -> io::Result<Box<dyn Read + Send>>;

    /// Removes messages, and none but these (H49). Goes on when one cannot be removed. A message that is gone already is removed.
    ///
    /// # Errors
    /// Tells which are still there (S19).
    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved>;
}

/// Why there is no maildrop.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// Wrong name or password.
    #[error("wrong name or password")]
    Credentials,
    /// Another session holds the maildrop.
    #[error("another session holds the maildrop")]
    InUse,
    /// The user has logged in too short a time ago.
    #[error("too soon after the last login")]
    TooSoon,
    /// The maildrop cannot be opened now.
    #[error("the maildrop cannot be opened: {0}")]
    Io(io::Error),
}

/// A lock that is held ([`ErrorKind::WouldBlock`]) means that another session has it.
impl From<io::Error> for LoginError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::WouldBlock { Self::InUse } else { Self::Io(error) }
    }
}

impl From<&LoginError> for LoginDenial {
    fn from(error: &LoginError) -> Self {
        match error {
            LoginError::Credentials => Self::Credentials,
            LoginError::InUse => Self::InUse,
            LoginError::TooSoon => Self::LoginDelay,
            LoginError::Io(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied) =>
            {
                Self::Permanent
            }
            LoginError::Io(_) => Self::Temporary,
        }
    }
}

/// The name of a login that was refused, for the log; `None`: it may be a password, which people type where names belong. Names are
/// in small letters, with digits and a few signs, or have an `@`.
fn loggable(name: &[u8]) -> Option<Escaped<'_>> {
    const LONGEST: usize = 64;
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'+');
    let is_name = name.iter().any(u8::is_ascii_lowercase) && name.iter().all(is_plain);
    let is_address = name.iter().filter(|byte| **byte == b'@').count() == 1 && !name.contains(&b' ');
    (name.len() <= LONGEST && (is_name || is_address)).then_some(Escaped(name))
}

/// What a client is told when a message cannot be opened; puts it into the log, too.
fn log_unavailable(number: MessageNumber, error: &io::Error) -> MessageRefusal {
    tracing::warn!(%number, %error, "a message cannot be opened");
    if error.kind() == ErrorKind::NotFound { MessageRefusal::Gone } else { MessageRefusal::Temporary }
}

/// Messages that could not be removed, and why.
#[derive(Debug, Error)]
#[error("{} could not be removed; the first, message {}: {}", messages(.failed.len()), .failed[0].0, .failed[0].1)]
pub struct NotRemoved {
    failed: Vec<(MessageNumber, io::Error)>,
}

impl NotRemoved {
    /// `Ok` if nothing has failed.
    ///
    /// # Errors
    /// Something has.
    pub fn check(failed: Vec<(MessageNumber, io::Error)>) -> Result<(), Self> {
        if failed.is_empty() { Ok(()) } else { Err(Self { failed }) }
    }

    /// How many messages are still there, for the answer to `QUIT`; puts it into the log, too.
    pub fn count(removed: Result<(), Self>) -> usize {
        let Err(error) = removed else { return 0 };
        tracing::warn!(%error, "not all is removed");
        error.failed.len()
    }

    /// Which messages are still there, and why.
    pub fn failed(&self) -> &[(MessageNumber, io::Error)] {
        &self.failed
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// A login with name and password, as a session would give it.
///
/// # Errors
/// The name cannot be sent.
pub fn password_login(name: &str, password: &str) -> Result<LoginAttempt, InvalidArgument> {
    Ok(LoginAttempt { name: Username::new(name)?.into(), credentials: PresentedCredentials::Password(Secret::from(password)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s39_s40_why_there_is_no_maildrop_is_told_by_its_code() {
        let denial = |error: LoginError| LoginDenial::from(&error);
        assert_eq!(denial(LoginError::Credentials), LoginDenial::Credentials);
        assert_eq!(denial(LoginError::TooSoon), LoginDenial::LoginDelay);
        for (kind, expected) in [
            (ErrorKind::WouldBlock, LoginDenial::InUse),
            (ErrorKind::NotFound, LoginDenial::Permanent),
            (ErrorKind::PermissionDenied, LoginDenial::Permanent),
            (ErrorKind::NotADirectory, LoginDenial::Permanent),
            (ErrorKind::StorageFull, LoginDenial::Temporary),
        ] {
            assert_eq!(denial(io::Error::from(kind).into()), expected, "{kind}");
        }
    }

    #[test]
    fn h56_a_name_that_may_be_a_password_is_not_logged() {
        let is_logged = |name: &str| loggable(name.as_bytes()).is_some();
        for name in ["ann", "joe.doe", "web-01", "joe@example.org", "Joe@Example.org", "o'brien@example.org"] {
            assert!(is_logged(name), "{name}");
        }
        for name in ["", "Secret", "pass word", "hunter2!", "12345678", "p@ss w@rd", "a@b@c", &"x".repeat(65)] {
            assert!(!is_logged(name), "{name}");
        }
    }

    #[test]
    fn s19_so_many_are_still_there() {
        let failed = |numbers: &[u32]| {
            NotRemoved::check(numbers.iter().map(|n| (MessageNumber::new(*n).unwrap(), ErrorKind::Other.into())).collect())
        };
        assert_eq!([&[][..], &[1], &[1, 2, 3]].map(|numbers| NotRemoved::count(failed(numbers))), [0, 1, 3]);
        assert_eq!(failed(&[2]).unwrap_err().failed()[0].0.get(), 2);
    }
}
