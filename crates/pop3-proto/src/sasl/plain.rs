//! `PLAIN` (RFC 4616): name and password in one response.

use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;

#[derive(Debug)]
pub(super) struct Client(Secret);

impl Client {
    pub(super) fn new(name: &[u8], password: &Secret) -> Self {
        Self(Secret::from_parts(&[b"\0", name, b"\0", password.expose()]))
    }
}

impl ClientMechanism for Client {
    fn mechanism(&self) -> Mechanism {
        Mechanism::Plain
    }

    fn initial_response(&mut self) -> Option<Secret> {
        Some(self.0.clone())
    }

    fn respond(&mut self, _: &[u8]) -> Result<Secret, SaslError> {
        Err(SaslError::Malformed)
    }

    fn expects_challenge(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(super) struct Server;

impl ServerMechanism for Server {
    /// Parses the authorization identity, the name and the password (RFC 4616 §2). The password has up to 255 octets.
    // S33
    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        let mut parts = response.split(|byte| *byte == 0);
        let (authorization, name, password) = (parts.next(), parts.next(), parts.next());
        let (Some(authorization), Some(name), Some(password), None) = (authorization, name, password, parts.next()) else {
            return Err(SaslError::Malformed);
        };
        // Acting as another user is not supported.
        if !(authorization.is_empty() || authorization == name) || password.len() > 255 {
            return Err(SaslError::Malformed);
        }
        authenticate(name, PresentedCredentials::Password(Secret::from(password)))
    }
}
