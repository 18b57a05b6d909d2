//! `CRAM-MD5` (RFC 2195).

use alloc::vec::Vec;

use hmac::Mac;

use super::cram_md5_proof::{CramMd5Proof, keyed};
use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;
use crate::codec::hex_digits;

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
