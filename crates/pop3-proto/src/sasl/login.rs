//! `LOGIN`: the name, then the password, in separate responses. The mechanism was never standardised, but is widely supported.

use alloc::vec::Vec;

use super::error::SaslError;
use super::exchange::{ClientMechanism, ExchangeEvent, ServerMechanism, authenticate};
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
use crate::Secret;

#[derive(Debug)]
pub(super) struct Client {
    /// The responses that are still to be sent, the last one first.
    answers: Vec<Secret>,
}

impl Client {
    pub(super) fn new(name: &[u8], password: &Secret) -> Self {
        Self { answers: alloc::vec![password.clone(), Secret::from(name)] }
    }
}

impl ClientMechanism for Client {
    fn mechanism(&self) -> Mechanism {
        Mechanism::Login
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    /// Ignores the challenge: servers word it in many ways.
    fn respond(&mut self, _: &[u8]) -> Result<Secret, SaslError> {
        self.answers.pop().ok_or(SaslError::Malformed)
    }

    fn expects_challenge(&self) -> bool {
        !self.answers.is_empty()
    }
}

/// The server side, with the client's name while it waits for the password.
#[derive(Debug, Default)]
pub(super) struct Server {
    name: Option<Vec<u8>>,
}

impl ServerMechanism for Server {
    fn first_challenge(&self) -> Vec<u8> {
        b"Username:".to_vec()
    }

    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        match &self.name {
            None => {
                self.name = Some(response.to_vec());
                Ok(ExchangeEvent::Challenge(b"Password:".to_vec()))
            }
            Some(name) => authenticate(name, PresentedCredentials::Password(Secret::from(response))),
        }
    }
}
