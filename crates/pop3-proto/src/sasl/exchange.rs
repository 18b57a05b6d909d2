//! The two sides of a mechanism.

use alloc::vec::Vec;
use core::fmt;

use super::error::SaslError;
use super::mechanism::Mechanism;
use super::presented::PresentedCredentials;
#[cfg(feature = "scram")]
use super::scram::{ScramHash, ScramKeys};
use crate::Secret;
use crate::codec::{OwnedUsername, Username};

/// The client side of one exchange.
pub trait ClientMechanism: Send + fmt::Debug {
    /// Returns the mechanism.
    fn mechanism(&self) -> Mechanism;

    /// Returns the client's first message; `None` if the server speaks first.
    fn initial_response(&mut self) -> Option<Secret>;

    /// Returns the response to a decoded challenge.
    ///
    /// # Errors
    /// The challenge does not fit the mechanism, or the server's proof is wrong. The caller must cancel the exchange.
    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError>;

    /// Returns `true` while the server still has to send a challenge: a `+OK` before it must not be trusted.
    fn expects_challenge(&self) -> bool;

    /// Returns the server's report about a failure inside the exchange (RFC 7628 §3.2.3).
    fn failure(&self) -> Option<&[u8]> {
        None
    }
}

/// The server's next action in an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExchangeEvent {
    /// Send this challenge.
    Challenge(Vec<u8>),
    /// Find the keys of this user and give them to [`ServerExchange::provide_keys`](super::ServerExchange::provide_keys).
    #[cfg(feature = "scram")]
    FindKeys(ScramHash, OwnedUsername),
    /// Check these credentials and open the user's maildrop.
    Authenticate(OwnedUsername, PresentedCredentials),
    /// Check that the client's TLS certificate belongs to this user. With the name `-`, find the user by the certificate.
    External(OwnedUsername),
    /// The exchange has determined that the credentials are wrong.
    Denied,
}

/// The server side of one exchange.
pub(super) trait ServerMechanism: Send + fmt::Debug {
    /// Returns the first challenge, for a client that sent no initial response. It is empty unless the server speaks first.
    fn first_challenge(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Processes a decoded response of the client.
    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError>;

    /// Accepts the keys for [`ExchangeEvent::FindKeys`] and returns the next challenge.
    #[cfg(feature = "scram")]
    fn provide_keys(&mut self, _keys: ScramKeys) -> Result<Vec<u8>, SaslError> {
        Err(SaslError::Malformed)
    }
}

/// Returns the event that requests a check of the named user's credentials.
pub(super) fn authenticate(name: &[u8], credentials: PresentedCredentials) -> Result<ExchangeEvent, SaslError> {
    Ok(ExchangeEvent::Authenticate(owned_username(name)?, credentials))
}

pub(super) fn owned_username(name: &[u8]) -> Result<OwnedUsername, SaslError> {
    Username::new(name).map(OwnedUsername::from).map_err(|_| SaslError::Malformed)
}
