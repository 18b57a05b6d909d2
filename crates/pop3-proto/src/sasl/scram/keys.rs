//! The hash of a mechanism, and the keys that a server stores instead of a password.

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

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
        let mut salt = hash.hmac(secret, name);
        salt.truncate(16);
        let stored_key = hash.hmac(secret, &[b"stored", name].concat());
        let server_key = hash.hmac(secret, &[b"server", name].concat());
        Self { hash, salt, rounds: *ITERATION_RANGE.start(), stored_key, server_key }
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys([redacted])")
    }
}
