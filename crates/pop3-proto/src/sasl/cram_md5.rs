//! `CRAM-MD5` (RFC 2195).

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, Mac};
use md5::Md5;

use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;
use crate::codec::hex_digits;

fn keyed(password: &[u8], challenge: &[u8]) -> Option<Hmac<Md5>> {
    // A key of any length is a key; the error is there for other constructions.
    let mut mac = Hmac::<Md5>::new_from_slice(password).ok()?;
    mac.update(challenge);
    Some(mac)
}

#[derive(Debug)]
pub(super) struct Client {
    name: Vec<u8>,
    password: Secret,
    answered: bool,
}

impl Client {
    pub(super) fn new(name: &[u8], password: &Secret) -> Self {
        Self { name: name.to_vec(), password: password.clone(), answered: false }
    }
}

impl ClientMechanism for Client {
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
        Ok(Secret::from_parts(&[&self.name, b" ", &hex]))
    }

    fn expects_challenge(&self) -> bool {
        !self.answered
    }
}

#[derive(Debug)]
pub(super) struct Server {
    challenge: Vec<u8>,
}

impl Server {
    pub(super) fn new(unique: &str) -> Self {
        Self { challenge: alloc::format!("<{unique}@pop3>").into_bytes() }
    }
}

impl ServerMechanism for Server {
    fn first_challenge(&self) -> Vec<u8> {
        self.challenge.clone()
    }

    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        let challenge = core::mem::take(&mut self.challenge);
        let (name, proof) = CramMd5Proof::parse(challenge, response).ok_or(SaslError::Malformed)?;
        authenticate(name, PresentedCredentials::CramMd5(proof))
    }
}

/// The digest that a client sent to prove that it knows the password. It is verified with the password itself.
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

    /// Returns `true` if the digest was made with this password. The comparison takes the same time either way.
    pub fn verify(&self, password: &[u8]) -> bool {
        keyed(password, &self.challenge).is_some_and(|mac| mac.verify_slice(&self.digest).is_ok())
    }
}

impl fmt::Debug for CramMd5Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CramMd5Proof([redacted])")
    }
}
