//! `EXTERNAL` (RFC 4422) and `ANONYMOUS` (RFC 4505): mechanisms that send only a name, or an empty response.

use alloc::vec::Vec;

use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate, owned_username};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;

#[derive(Debug)]
pub(super) struct Client {
    mechanism: Mechanism,
    name: Vec<u8>,
}

impl Client {
    pub(super) fn new(mechanism: Mechanism, name: &[u8]) -> Self {
        Self { mechanism, name: name.to_vec() }
    }
}

impl ClientMechanism for Client {
    fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    fn initial_response(&mut self) -> Option<Secret> {
        Some(Secret::from(&self.name))
    }

    fn respond(&mut self, _: &[u8]) -> Result<Secret, SaslError> {
        Err(SaslError::Malformed)
    }

    fn expects_challenge(&self) -> bool {
        false
    }
}

#[derive(Debug)]
pub(super) struct Server {
    mechanism: Mechanism,
}

impl Server {
    pub(super) const fn new(mechanism: Mechanism) -> Self {
        Self { mechanism }
    }
}

impl ServerMechanism for Server {
    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        // The response may be empty: EXTERNAL then leaves the name to the server, and ANONYMOUS sends no trace.
        let name = if response.is_empty() { b"-" } else { response };
        match self.mechanism {
            Mechanism::External => Ok(ExchangeEvent::External(owned_username(name)?)),
            _ => authenticate(name, PresentedCredentials::Anonymous),
        }
    }
}
