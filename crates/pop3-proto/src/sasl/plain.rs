//! `PLAIN`, `LOGIN`, `EXTERNAL` and `ANONYMOUS`: the client's side.

use alloc::vec::Vec;

use super::{ClientMechanism, Mechanism, SaslError};
use crate::Secret;

/// `PLAIN`: all in one response (RFC 4616).
#[derive(Debug)]
pub(super) struct Plain(Secret);

impl Plain {
    pub(super) fn new(name: &[u8], password: &Secret) -> Self {
        Self(Secret::from(&[b"\0", name, b"\0", password.expose()].concat()))
    }
}

impl ClientMechanism for Plain {
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

/// `LOGIN`: the name, then the password; what the server asks with is nobody's business, as servers word it in many ways.
#[derive(Debug)]
pub(super) struct Login {
    /// What is still to be said, the last first.
    answers: Vec<Secret>,
}

impl Login {
    pub(super) fn new(name: &[u8], password: &Secret) -> Self {
        Self { answers: alloc::vec![password.clone(), Secret::from(name)] }
    }
}

impl ClientMechanism for Login {
    fn mechanism(&self) -> Mechanism {
        Mechanism::Login
    }

    fn initial_response(&mut self) -> Option<Secret> {
        None
    }

    fn respond(&mut self, _: &[u8]) -> Result<Secret, SaslError> {
        self.answers.pop().ok_or(SaslError::Malformed)
    }

    fn expects_challenge(&self) -> bool {
        !self.answers.is_empty()
    }
}

/// `EXTERNAL` and `ANONYMOUS`: a name, or nothing.
#[derive(Debug)]
pub(super) struct Name {
    mechanism: Mechanism,
    name: Vec<u8>,
}

impl Name {
    pub(super) fn new(mechanism: Mechanism, name: &[u8]) -> Self {
        Self { mechanism, name: name.to_vec() }
    }
}

impl ClientMechanism for Name {
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
