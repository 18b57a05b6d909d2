//! The hash of a mechanism, and the keys that a server stores instead of a password.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::Secret;
use crate::sasl::mechanism::Mechanism;
use crate::sasl::prepare::prepare;

/// The accepted rounds of hashing. Fewer make guessing cheap (RFC 7677 §4); more would only keep the client busy.
pub(super) const ITERATION_RANGE: core::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// The hash of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScramHash {
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
}

impl ScramHash {
    pub(super) const fn of(mechanism: Mechanism) -> Option<Self> {
        match mechanism {
            Mechanism::ScramSha1 | Mechanism::ScramSha1Plus => Some(Self::Sha1),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => Some(Self::Sha256),
            _ => None,
        }
    }

    const fn stored_name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    pub(super) fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    pub(super) fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn mac<M: Mac + hmac::digest::KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
            // HMAC accepts a key of any length, so the empty result never occurs.
            <M as hmac::digest::KeyInit>::new_from_slice(key).map_or_else(
                |_| Vec::new(),
                |mut mac| {
                    mac.update(data);
                    mac.finalize().into_bytes().to_vec()
                },
            )
        }
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, data),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, data),
        }
    }

    /// Returns the salted password. The password is prepared first (RFC 5802 §2.2); if that fails, it is used unchanged, on both
    /// sides.
    pub(super) fn salted_password(self, password: &[u8], salt: &[u8], rounds: u32) -> Secret {
        let prepared = prepare(password).map(|password| Secret::from(&password[..]));
        let password = prepared.as_ref().map_or(password, Secret::expose);
        match self {
            Self::Sha1 => {
                let mut out = [0; 20];
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut out);
                Secret::from(&out)
            }
            Self::Sha256 => {
                let mut out = [0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut out);
                Secret::from(&out)
            }
        }
    }
}

/// The keys that a server stores instead of a password: sufficient to verify a login, but not to log in.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    pub(super) hash: ScramHash,
    pub(super) salt: Vec<u8>,
    pub(super) rounds: u32,
    pub(super) stored_key: Vec<u8>,
    pub(super) server_key: Vec<u8>,
}

impl ScramKeys {
    /// Derives the keys from a password with `rounds` rounds of hashing, at least 1. Use a `salt` for one user and one password
    /// only.
    pub fn derive(hash: ScramHash, password: &[u8], salt: &[u8], rounds: u32) -> Self {
        let salted = hash.salted_password(password, salt, rounds.max(1));
        let stored_key = hash.digest(&hash.hmac(salted.expose(), b"Client Key"));
        let server_key = hash.hmac(salted.expose(), b"Server Key");
        Self { hash, salt: salt.to_vec(), rounds: rounds.max(1), stored_key, server_key }
    }

    /// Returns keys that no password fits, for a name that does not exist, so that the exchange looks like one for an existing
    /// user. The salt of a name stays equal as long as the server keeps its `secret`.
    // H54
    pub fn decoy(hash: ScramHash, secret: &[u8], name: &[u8]) -> Self {
        Self::decoy_with(hash, secret, name, 16, *ITERATION_RANGE.start())
    }

    /// Returns keys as [`decoy`](Self::decoy) does, with as many rounds and as long a salt as other keys have, so that neither reveals which users exist.
    pub fn decoy_like(other: &Self, hash: ScramHash, secret: &[u8], name: &[u8]) -> Self {
        Self::decoy_with(hash, secret, name, other.salt.len(), other.rounds)
    }

    fn decoy_with(hash: ScramHash, secret: &[u8], name: &[u8], salt_length: usize, rounds: u32) -> Self {
        let mut salt = hash.hmac(secret, name);
        while salt.len() < salt_length {
            salt.extend_from_slice(&hash.hmac(secret, &salt.clone()));
        }
        salt.truncate(salt_length);
        let stored_key = hash.hmac(secret, &[b"stored", name].concat());
        let server_key = hash.hmac(secret, &[b"server", name].concat());
        Self { hash, salt, rounds, stored_key, server_key }
    }
}

/// The form in which Dovecot stores keys, `{SCRAM-SHA-256}ROUNDS,SALT,STORED-KEY,SERVER-KEY` with the last three in base64.
impl ScramKeys {
    /// Returns the keys in the form that [`from_stored_form`](Self::from_stored_form) reads. It is a secret: with it, guesses can be tried
    /// without the server.
    ///
    /// ```
    /// use pop3_proto::sasl::{ScramHash, ScramKeys};
    ///
    /// let keys = ScramKeys::derive(ScramHash::Sha256, b"tanstaaf", b"a random salt", 4096);
    /// let stored = keys.stored_form();
    /// assert!(stored.starts_with("{SCRAM-SHA-256}4096,"));
    /// assert!(ScramKeys::from_stored_form(&stored).is_some_and(|keys| keys.fits(b"tanstaaf")));
    /// ```
    pub fn stored_form(&self) -> String {
        let [salt, stored_key, server_key] =
            [&self.salt, &self.stored_key, &self.server_key].map(|part| BASE64_STANDARD.encode(part));
        alloc::format!("{{{}}}{},{salt},{stored_key},{server_key}", self.hash.stored_name(), self.rounds)
    }

    /// Reads keys in the form of [`stored_form`](Self::stored_form). Returns `None` if they have another form, or a number of rounds
    /// that clients refuse.
    pub fn from_stored_form(text: &str) -> Option<Self> {
        let (name, rest) = text.strip_prefix('{')?.split_once('}')?;
        let hash = [ScramHash::Sha1, ScramHash::Sha256].into_iter().find(|hash| name.eq_ignore_ascii_case(hash.stored_name()))?;
        let mut parts = rest.split(',');
        let rounds = parts.next()?.parse().ok().filter(|rounds| ITERATION_RANGE.contains(rounds))?;
        let mut decoded = || BASE64_STANDARD.decode(parts.next()?).ok();
        let keys = Self { hash, rounds, salt: decoded()?, stored_key: decoded()?, server_key: decoded()? };
        let length = hash.digest(b"").len();
        let is_whole = !keys.salt.is_empty() && keys.stored_key.len() == length && keys.server_key.len() == length;
        Some(keys).filter(|_| is_whole && parts.next().is_none())
    }

    /// Returns `true` if the keys were derived from this password: for a login that sends the password itself.
    pub fn fits(&self, password: &[u8]) -> bool {
        let derived = Self::derive(self.hash, password, &self.salt, self.rounds);
        bool::from(derived.stored_key.ct_eq(&self.stored_key))
    }

    /// Returns the hash of the mechanism that the keys are for.
    pub const fn hash(&self) -> ScramHash {
        self.hash
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_keys_are_read_again_and_damaged_ones_are_not() {
        for hash in [ScramHash::Sha1, ScramHash::Sha256] {
            let keys = ScramKeys::derive(hash, b"secret", b"salt", 4096);
            let stored = keys.stored_form();
            assert_eq!(ScramKeys::from_stored_form(&stored), Some(keys.clone()));
            assert!(keys.fits(b"secret") && !keys.fits(b"Secret") && !keys.fits(b""));
            for cut in 0..stored.len() {
                assert_eq!(ScramKeys::from_stored_form(&stored[..cut]), None, "{}", &stored[..cut]);
            }
            for bad in [
                stored.replace("4096", "1"),
                stored.replace("4096", "9999999"),
                stored.clone() + ",",
                stored.replace("SCRAM-", ""),
            ] {
                assert_eq!(ScramKeys::from_stored_form(&bad), None, "{bad}");
            }
        }
    }
}
