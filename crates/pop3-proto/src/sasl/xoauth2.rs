//! `XOAUTH2`: an access token in the form that some large providers require.

use alloc::vec::Vec;

use super::bearer::{acknowledge_failure, strip_bearer};
use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;

/// The client side. The server reports a failure as a challenge, which the client answers with an empty line before the `-ERR`.
#[derive(Debug)]
pub(super) struct Client {
    response: Secret,
    failure: Option<Vec<u8>>,
}

impl Client {
    pub(super) fn new(name: &[u8], token: &Secret) -> Self {
        let response = Secret::from_parts(&[b"user=", name, b"\x01auth=Bearer ", token.expose(), b"\x01\x01"]);
        Self { response, failure: None }
    }
}

impl ClientMechanism for Client {
    fn mechanism(&self) -> Mechanism {
        Mechanism::Xoauth2
    }

    fn initial_response(&mut self) -> Option<Secret> {
        Some(self.response.clone())
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError> {
        acknowledge_failure(&mut self.failure, challenge, b"")
    }

    fn expects_challenge(&self) -> bool {
        false
    }

    fn failure(&self) -> Option<&[u8]> {
        self.failure.as_deref()
    }
}

#[derive(Debug)]
pub(super) struct Server;

impl ServerMechanism for Server {
    /// Parses `user=NAME` and `auth=Bearer TOKEN`, each terminated by the octet 1.
    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        let mut parts = response.split(|byte| *byte == 1);
        let name = parts.next().and_then(|part| part.strip_prefix(b"user=")).ok_or(SaslError::Malformed)?;
        let token =
            parts.next().and_then(|part| part.strip_prefix(b"auth=")).and_then(strip_bearer).ok_or(SaslError::Malformed)?;
        authenticate(name, PresentedCredentials::Token(Secret::from(token)))
    }
}
