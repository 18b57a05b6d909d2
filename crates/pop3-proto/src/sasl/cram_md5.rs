//! `CRAM-MD5` (RFC 2195).

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, Mac};
use md5::Md5;

use super::{ClientMechanism, Mechanism, SaslError};
use crate::Secret;
use crate::codec::hex_digits;

fn keyed(password: &[u8], challenge: &[u8]) -> Option<Hmac<Md5>> {
    // A key of any length is a key; the error is there for other constructions.
    let mut mac = Hmac::<Md5>::new_from_slice(password).ok()?;
    mac.update(challenge);
    Some(mac)
}

/// The client's side.
#[derive(Debug)]
pub(super) struct CramMd5 {
    name: Vec<u8>,
    password: Secret,
    answered: bool,
}

impl CramMd5 {
    pub(super) fn new(name: &[u8], password: &Secret) -> Self {
        Self { name: name.to_vec(), password: password.clone(), answered: false }
    }
}

impl ClientMechanism for CramMd5 {
    fn mechanism(&self) -> Mechanism {
        Mechanism::CramMd5
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError> {
        if core::mem::replace(&mut self.answered, true) {
            return Err(SaslError::Malformed);
        }
        let digest = keyed(self.password.expose(), challenge).ok_or(SaslError::Malformed)?.finalize().into_bytes();
        let hex: Vec<u8> = digest.into_iter().flat_map(hex_digits).collect();
        Ok(Secret::from(&[&self.name, &b" "[..], &hex].concat()))
    }

    fn expects_challenge(&self) -> bool {
        !self.answered
    }
}

/// What a client has sent to prove that it knows the password; whoever has the password can check it.
#[derive(Clone, PartialEq, Eq)]
pub struct CramMd5Proof {
    challenge: Vec<u8>,
    digest: [u8; 16],
}

impl CramMd5Proof {
    /// Reads a response: name, blank, digest in hexadecimal.
    pub(super) fn parse(challenge: Vec<u8>, response: &[u8]) -> Option<(&[u8], Self)> {
        let blank = response.iter().rposition(|byte| *byte == b' ')?;
        let (name, digest) = response.split_at_checked(blank)?;
        let digest = crate::codec::ApopDigest::parse(digest.get(1..)?)?;
        Some((name, Self { challenge, digest: *digest.expose() }))
    }

    /// Whether it was made with this password; takes the same time whether or not (H55).
    pub fn verify(&self, password: &[u8]) -> bool {
        keyed(password, &self.challenge).is_some_and(|mac| mac.verify_slice(&self.digest).is_ok())
    }
}

impl fmt::Debug for CramMd5Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CramMd5Proof([redacted])")
    }
}
