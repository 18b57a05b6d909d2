//! The client side of a mechanism.

use alloc::boxed::Box;
use core::fmt;

use super::{ChannelBinding, Credentials, Mechanism, SaslError, oauth, plain};
use crate::Secret;

/// One exchange of one mechanism.
pub trait ClientMechanism: Send + fmt::Debug {
    /// Its name.
    fn mechanism(&self) -> Mechanism;

    /// What the client says first; `None`: the server does.
    fn initial_response(&mut self) -> Option<Secret>;

    /// Answers a challenge, decoded.
    ///
    /// # Errors
    /// The exchange must be cancelled.
    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError>;

    /// The server still has to say something: a `+OK` now must not be believed.
    fn expects_challenge(&self) -> bool;

    /// What the server said about a failure inside the exchange (RFC 7628 §3.2.3).
    fn failure(&self) -> Option<&[u8]> {
        None
    }
}

/// Begins an exchange. `nonce`: 18 octets of chance, never used before. `None`: the credentials do not fit, this build does not
/// have the mechanism, or there is nothing to bind to.
///
/// `offered_bound`: the server offers the bound form of this mechanism too. If there is a channel and it does not, the mechanism
/// says so, and a server that does will know that somebody took it out (RFC 5802 §6).
pub fn client_mechanism(
    mechanism: Mechanism,
    credentials: &Credentials,
    host: &str,
    port: u16,
    nonce: [u8; 18],
    binding: &ChannelBinding,
    offered_bound: bool,
) -> Option<Box<dyn ClientMechanism>> {
    if !credentials.fit(mechanism) || !credentials.can_be_sent() || host.contains(['\0', '\u{1}']) {
        return None;
    }
    Some(match (mechanism, credentials) {
        (Mechanism::Plain, Credentials::Password { name, password }) => Box::new(plain::Plain::new(name, password)),
        (Mechanism::Login, Credentials::Password { name, password }) => Box::new(plain::Login::new(name, password)),
        (Mechanism::External, Credentials::External { name }) => Box::new(plain::Name::new(mechanism, name)),
        (Mechanism::Anonymous, Credentials::Anonymous { trace }) => Box::new(plain::Name::new(mechanism, trace)),
        (Mechanism::OauthBearer, Credentials::Token { name, token }) => Box::new(oauth::Bearer::new(name, token, host, port)),
        (Mechanism::Xoauth2, Credentials::Token { name, token }) => Box::new(oauth::Xoauth2::new(name, token)),
        #[cfg(feature = "cram-md5")]
        (Mechanism::CramMd5, Credentials::Password { name, password }) => Box::new(super::cram_md5::CramMd5::new(name, password)),
        #[cfg(feature = "scram")]
        (_, Credentials::Password { name, password }) => {
            Box::new(super::scram::ScramClient::new(mechanism, name, password, nonce, binding, offered_bound)?)
        }
        _ => {
            let _ = (nonce, binding, offered_bound);
            return None;
        }
    })
}
