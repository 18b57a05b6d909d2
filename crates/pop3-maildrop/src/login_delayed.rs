//! A minimum delay between two logins of one user (`LOGIN-DELAY`, RFC 2449 §6.5).

use std::collections::HashMap;
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pop3_proto::codec::{MessageNumber, OwnedUsername};
use pop3_proto::sasl::{ScramHash, ScramKeys};
use pop3_proto::server::{ExtensionReply, ExtensionRequest, LoginAttempt, Snapshot};

use crate::{LoginError, Maildrop, NotRemoved, Peer, Store, Verification};

/// A store that refuses a user's login until a delay after the last login has passed. Announce an equal delay in the server's
/// configuration.
///
/// [`LoginError::TooSoon`] is returned only if the credentials are right. Logins are remembered in memory until the delay has
/// passed.
///
/// ```
/// use std::time::Duration;
/// use pop3_maildrop::{LoginDelayed, LoginError, Maildrop, Memory, Peer, Store, password_login};
/// let store = LoginDelayed::new(Memory::new().with_user("joe", "secret", []), Duration::from_secs(300));
/// let login = password_login("joe", "secret")?;
/// store.login(&login, &Peer::default())?.snapshot()?;
/// assert!(matches!(store.login(&login, &Peer::default()), Err(LoginError::TooSoon)));
/// assert!(matches!(store.login(&password_login("joe", "wrong")?, &Peer::default()), Err(LoginError::Credentials)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct LoginDelayed<S> {
    store: S,
    pause: Duration,
    last: Logins,
    now: fn() -> Instant,
}

/// The time of each user's last login.
type Logins = Arc<Mutex<HashMap<Vec<u8>, Instant>>>;

impl<S> LoginDelayed<S> {
    /// Adds the delay `pause` to another store.
    pub fn new(store: S, pause: Duration) -> Self {
        Self { store, pause, last: Logins::default(), now: Instant::now }
    }
}

impl<S: Store> Store for LoginDelayed<S> {
    type Maildrop = LoginDelayedMaildrop<S::Maildrop>;

    fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<Self::Maildrop, LoginError> {
        let maildrop = self.store.login(login, peer)?;
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let now = (self.now)();
        last.retain(|_, before| now.duration_since(*before) < self.pause);
        // Logins count by the owner of the maildrop: a user may have several names, and none with a certificate.
        let owner = maildrop.owner().unwrap_or(login.name.as_bytes()).to_vec();
        if last.contains_key(&owner) {
            return Err(LoginError::TooSoon);
        }
        drop(last);
        Ok(LoginDelayedMaildrop { maildrop, owner, at: now, last: Arc::clone(&self.last) })
    }

    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        self.store.verify(login, peer)
    }

    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        self.store.scram_keys(hash, name)
    }

    fn extension(&self, request: &ExtensionRequest, user: Option<&[u8]>) -> ExtensionReply {
        self.store.extension(request, user)
    }
}

/// A maildrop of a [`LoginDelayed`] store. The login counts once the [snapshot](Maildrop::snapshot) was read, so a login that
/// fails before causes no delay.
#[derive(Debug)]
pub struct LoginDelayedMaildrop<M> {
    maildrop: M,
    owner: Vec<u8>,
    at: Instant,
    last: Logins,
}

impl<M: Maildrop> Maildrop for LoginDelayedMaildrop<M> {
    fn owner(&self) -> Option<&[u8]> {
        Some(&self.owner)
    }

    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let snapshot = self.maildrop.snapshot()?;
        self.last.lock().unwrap_or_else(PoisonError::into_inner).insert(self.owner.clone(), self.at);
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber, top: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        self.maildrop.open(number, top)
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        self.maildrop.remove(marked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Memory, password_login};
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    static SECONDS: AtomicU64 = AtomicU64::new(0);

    fn clock() -> Instant {
        static START: OnceLock<Instant> = OnceLock::new();
        *START.get_or_init(Instant::now) + Duration::from_secs(SECONDS.load(Ordering::Relaxed))
    }

    #[test]
    fn s41_a_user_has_to_wait_and_others_need_not() {
        let store = Memory::new().with_user("joe", "secret", []).with_user("ann", "secret", []);
        let store = LoginDelayed { now: clock, ..LoginDelayed::new(store, Duration::from_secs(300)) };
        let login = |name: &str| {
            store.login(&password_login(name, "secret").unwrap(), &Peer::default()).map(|mut maildrop| drop(maildrop.snapshot()))
        };
        login("joe").unwrap();
        login("ann").unwrap();
        for too_soon in [0, 299] {
            SECONDS.store(too_soon, Ordering::Relaxed);
            assert!(matches!(login("joe"), Err(LoginError::TooSoon)), "{too_soon}");
        }
        // The delay counts from accepted logins: refused attempts do not extend it.
        SECONDS.store(300, Ordering::Relaxed);
        login("joe").unwrap();
        assert_eq!(store.last.lock().unwrap().len(), 1, "nobody is remembered for longer than needed");
    }
}
