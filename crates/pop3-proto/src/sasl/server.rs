//! The server side of an exchange with any mechanism.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::channel_binding::ChannelBinding;
#[cfg(feature = "cram-md5")]
use super::cram_md5;
use super::error::SaslError;
use super::exchange::{ExchangeEvent, ServerMechanism};
use super::mechanism::Mechanism;
#[cfg(feature = "scram")]
use super::scram;
use super::{login, name_only, oauthbearer, plain, xoauth2};

/// The server side of one exchange.
#[derive(Debug)]
pub struct ServerExchange {
    mechanism: Mechanism,
    state: Box<dyn ServerMechanism>,
    begun: bool,
}

impl ServerExchange {
    /// Begins an exchange. Returns `None` if this build does not have the mechanism.
    ///
    /// `unique` is text that no other exchange uses, without blanks, commas or angle brackets: at least 18 random octets in
    /// base64. `plus_is_offered` is `true` if the `-PLUS` form of the mechanism is announced.
    pub fn new(mechanism: Mechanism, unique: &str, binding: &ChannelBinding, plus_is_offered: bool) -> Option<Self> {
        let state: Box<dyn ServerMechanism> = match mechanism {
            Mechanism::Plain => Box::new(plain::Server),
            Mechanism::Login => Box::new(login::Server::default()),
            Mechanism::External | Mechanism::Anonymous => Box::new(name_only::Server::new(mechanism)),
            Mechanism::OauthBearer => Box::new(oauthbearer::Server),
            Mechanism::Xoauth2 => Box::new(xoauth2::Server),
            #[cfg(feature = "cram-md5")]
            Mechanism::CramMd5 => Box::new(cram_md5::Server::new(unique)),
            #[cfg(feature = "scram")]
            Mechanism::ScramSha1 | Mechanism::ScramSha1Plus | Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                Box::new(scram::ScramServer::new(mechanism, unique, binding.clone(), plus_is_offered)?)
            }
            #[allow(unreachable_patterns)] // Reached in builds without the features.
            _ => return None,
        };
        let _ = (unique, binding, plus_is_offered);
        Some(Self { mechanism, state, begun: false })
    }

    /// Returns the mechanism.
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// Returns the first challenge, for a client that sent no initial response.
    pub fn first_challenge(&mut self) -> Vec<u8> {
        self.begun = true;
        self.state.first_challenge()
    }

    /// Processes a decoded response of the client; the first one may be an initial response.
    ///
    /// # Errors
    /// The response does not fit the mechanism. The exchange has failed.
    pub fn step(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        // CRAM-MD5 begins with the server's challenge, so an initial response is refused (S30). LOGIN predates that rule and is
        // exempt.
        if !core::mem::replace(&mut self.begun, true) && self.mechanism == Mechanism::CramMd5 {
            return Err(SaslError::Malformed);
        }
        self.state.respond(response)
    }

    /// Accepts the keys for [`ExchangeEvent::FindKeys`] and returns the next challenge. For a user that does not exist, pass
    /// [decoy keys](super::ScramKeys::decoy).
    ///
    /// # Errors
    /// No keys were requested, or the keys are for another hash. The exchange is unchanged.
    #[cfg(feature = "scram")]
    pub fn provide_keys(&mut self, keys: super::ScramKeys) -> Result<Vec<u8>, SaslError> {
        self.state.provide_keys(keys)
    }
}
