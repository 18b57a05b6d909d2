//! `OAUTHBEARER` (RFC 7628): an access token.

use alloc::format;
use alloc::vec::Vec;

use super::bearer::{acknowledge_failure, strip_bearer};
use super::encoding::{escape_name, unescape_name};
use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;

/// The client side. The server reports a failure as a challenge with JSON, which the client answers with the octet 1 before the
/// `-ERR`.
// S34
#[derive(Debug)]
pub(super) struct Client {
    response: Secret,
    failure: Option<Vec<u8>>,
}

impl Client {
    pub(super) fn new(name: &[u8], token: &Secret, host: &str, port: u16) -> Self {
        let mut header = b"n,a=".to_vec();
        escape_name(name, &mut header);
        header.extend_from_slice(format!(",\x01host={host}\x01port={port}\x01auth=Bearer ").as_bytes());
        Self { response: Secret::from_parts(&[&header, token.expose(), b"\x01\x01"]), failure: None }
    }
}

impl ClientMechanism for Client {
    fn mechanism(&self) -> Mechanism {
        Mechanism::OauthBearer
    }

    fn initial_response(&mut self) -> Option<Secret> {
        Some(self.response.clone())
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError> {
        acknowledge_failure(&mut self.failure, challenge, b"\x01")
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
    /// Parses `n,a=NAME,` and key-value pairs, each terminated by the octet 1 (RFC 7628 §3.1).
    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        let mut parts = response.split(|byte| *byte == 1);
        let header = parts.next().and_then(|header| header.strip_prefix(b"n,")).ok_or(SaslError::Malformed)?;
        let name = header.strip_suffix(b",").and_then(|header| header.strip_prefix(b"a=")).ok_or(SaslError::Malformed)?;
        let name = unescape_name(name)?;
        let token = parts.find_map(|part| part.strip_prefix(b"auth=")).and_then(strip_bearer).ok_or(SaslError::Malformed)?;
        authenticate(&name, PresentedCredentials::Token(Secret::from(token)))
    }
}
