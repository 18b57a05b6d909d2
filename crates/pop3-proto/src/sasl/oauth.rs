//! `OAUTHBEARER` (RFC 7628) and `XOAUTH2`: the client's side.

use alloc::format;
use alloc::vec::Vec;

use super::{ClientMechanism, Mechanism, SaslError, escape_name};
use crate::Secret;

/// `OAUTHBEARER`. A failure comes as a challenge with JSON in it, which is answered with one octet before the `-ERR` (S34).
#[derive(Debug)]
pub(super) struct Bearer {
    response: Secret,
    failure: Option<Vec<u8>>,
}

impl Bearer {
    pub(super) fn new(name: &[u8], token: &Secret, host: &str, port: u16) -> Self {
        let mut response = b"n,a=".to_vec();
        escape_name(name, &mut response);
        response.extend_from_slice(format!(",\x01host={host}\x01port={port}\x01auth=Bearer ").as_bytes());
        response.extend_from_slice(token.expose());
        response.extend_from_slice(b"\x01\x01");
        Self { response: Secret::from(&response), failure: None }
    }
}

impl ClientMechanism for Bearer {
    fn mechanism(&self) -> Mechanism {
        Mechanism::OauthBearer
    }

    fn initial_response(&mut self) -> Option<Secret> {
        Some(self.response.clone())
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError> {
        fail(&mut self.failure, challenge, b"\x01")
    }

    fn expects_challenge(&self) -> bool {
        false
    }

    fn failure(&self) -> Option<&[u8]> {
        self.failure.as_deref()
    }
}

/// `XOAUTH2`: the same with fewer words; a failure is answered with an empty line.
#[derive(Debug)]
pub(super) struct Xoauth2 {
    response: Secret,
    failure: Option<Vec<u8>>,
}

impl Xoauth2 {
    pub(super) fn new(name: &[u8], token: &Secret) -> Self {
        let response = [b"user=", name, b"\x01auth=Bearer ", token.expose(), b"\x01\x01"].concat();
        Self { response: Secret::from(&response), failure: None }
    }
}

impl ClientMechanism for Xoauth2 {
    fn mechanism(&self) -> Mechanism {
        Mechanism::Xoauth2
    }

    fn initial_response(&mut self) -> Option<Secret> {
        Some(self.response.clone())
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError> {
        fail(&mut self.failure, challenge, b"")
    }

    fn expects_challenge(&self) -> bool {
        false
    }

    fn failure(&self) -> Option<&[u8]> {
        self.failure.as_deref()
    }
}

fn fail(failure: &mut Option<Vec<u8>>, challenge: &[u8], answer: &[u8]) -> Result<Secret, SaslError> {
    if failure.replace(challenge.to_vec()).is_some() {
        return Err(SaslError::Malformed);
    }
    Ok(Secret::from(answer))
}
