//! Remembers verified logins for a short time, so that a client that polls does not cost a hash each time.
//!
//! A password is remembered as a keyed digest over the name, the stored hash and the password. The key exists only in the memory of this
//! process. A changed hash gives another digest, so a changed password is forgotten at once.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use argon2::password_hash::rand_core::{OsRng, RngCore};
use hmac::{Hmac, Mac};
use pop3_proto::Secret;
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Maximum number of logins that are remembered.
const MAX_REMEMBERED: usize = 100_000;

type Digest = [u8; 32];

pub(crate) struct VerifiedLogins {
    key: Secret,
    lifetime: Duration,
    by_name: Mutex<HashMap<Vec<u8>, (Digest, Instant)>>,
}

impl fmt::Debug for VerifiedLogins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifiedLogins").field("lifetime", &self.lifetime).finish_non_exhaustive()
    }
}

impl VerifiedLogins {
    pub(crate) fn new(lifetime: Duration) -> Self {
        let mut key = [0; 32];
        OsRng.fill_bytes(&mut key);
        Self { key: Secret::from(&key), lifetime, by_name: Mutex::default() }
    }

    /// Returns `true` if this password was verified for this name and this stored hash a short time ago.
    pub(crate) fn recall(&self, name: &[u8], stored: &[u8], password: &[u8], now: Instant) -> bool {
        let by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((digest, verified)) = by_name.get(name).copied() else { return false };
        drop(by_name);
        let is_young = now.saturating_duration_since(verified) < self.lifetime;
        is_young && bool::from(self.digest(name, stored, password).ct_eq(&digest))
    }

    /// Remembers a verified login. If too many are remembered already, it is verified again the next time.
    pub(crate) fn remember(&self, name: &[u8], stored: &[u8], password: &[u8], now: Instant) {
        if self.lifetime.is_zero() {
            return;
        }
        let digest = self.digest(name, stored, password);
        let mut by_name = self.by_name.lock().unwrap_or_else(PoisonError::into_inner);
        if by_name.len() >= MAX_REMEMBERED && !by_name.contains_key(name) {
            by_name.retain(|_, (_, verified)| now.saturating_duration_since(*verified) < self.lifetime);
            if by_name.len() >= MAX_REMEMBERED {
                return;
            }
        }
        by_name.insert(name.to_vec(), (digest, now));
    }

    /// Returns the key, from which other things that must not be foretold can be derived.
    pub(crate) fn secret(&self) -> &[u8] {
        self.key.expose()
    }

    /// Returns a number below `count` that is the same for a name each time and cannot be foretold.
    pub(crate) fn index_of(&self, name: &[u8], count: usize) -> usize {
        let digest = self.digest(name, b"", b"");
        let [a, b, c, d, ..] = digest;
        u32::from_be_bytes([a, b, c, d]) as usize % count.max(1)
    }

    fn digest(&self, name: &[u8], stored: &[u8], password: &[u8]) -> Digest {
        // HMAC accepts a key of any length, so it never fails; if it did, nothing would be equal to this.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.key.expose()) else { return Digest::default() };
        for part in [name, stored, password] {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_is_recalled_for_its_lifetime_with_its_password_and_its_hash_alone() {
        let logins = VerifiedLogins::new(Duration::from_secs(10));
        let now = Instant::now();
        assert!(!logins.recall(b"joe", b"hash", b"secret", now));
        logins.remember(b"joe", b"hash", b"secret", now);
        let later = |seconds| now + Duration::from_secs(seconds);
        assert!(logins.recall(b"joe", b"hash", b"secret", later(9)));
        for (name, stored, password) in
            [("joe", "hash", "Secret"), ("joe", "other", "secret"), ("ann", "hash", "secret"), ("joe", "hashs", "ecret")]
        {
            assert!(
                !logins.recall(name.as_bytes(), stored.as_bytes(), password.as_bytes(), later(1)),
                "{name} {stored} {password}"
            );
        }
        assert!(!logins.recall(b"joe", b"hash", b"secret", later(10)));
        let none = VerifiedLogins::new(Duration::ZERO);
        none.remember(b"joe", b"hash", b"secret", now);
        assert!(!none.recall(b"joe", b"hash", b"secret", now) && none.by_name.lock().unwrap().is_empty());
    }

    #[test]
    fn the_number_of_logins_is_bounded_and_old_ones_make_room() {
        let logins = VerifiedLogins::new(Duration::from_secs(10));
        let now = Instant::now();
        let entry = ([0; 32], now);
        logins.by_name.lock().unwrap().extend((0..MAX_REMEMBERED as u64).map(|number| (number.to_be_bytes().to_vec(), entry)));
        logins.remember(b"joe", b"hash", b"secret", now);
        assert!(!logins.recall(b"joe", b"hash", b"secret", now));
        logins.remember(b"joe", b"hash", b"secret", now + Duration::from_secs(10));
        assert!(logins.recall(b"joe", b"hash", b"secret", now + Duration::from_secs(10)));
        assert_eq!(logins.by_name.lock().unwrap().len(), 1);
    }
}
