//! The errors of an exchange.

use thiserror::Error;

/// The reason why an exchange cannot continue. The client then sends `*`, the server `-ERR`; the session stays usable.
// H24
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SaslError {
    /// The peer sent text that is not strict base64 (RFC 5034 §4).
    #[error("what came is not base64")]
    NotBase64,
    /// The peer's message does not fit the mechanism.
    #[error("what came does not fit the mechanism")]
    Malformed,
    /// The nonce in the peer's message does not continue the nonce of this exchange.
    #[error("the server answers another login than this one")]
    Nonce,
    /// The server requires too few or too many rounds of hashing.
    #[error("the server asks for {0} rounds of hashing, which is not between 4,096 and 1,000,000")]
    Iterations(u32),
    /// The server has not proven that it knows the password, so it may be an impostor.
    #[error("the server has not proven that it knows the password")]
    ServerNotProven,
    /// The server refused the proof inside the exchange, in most cases because the credentials are wrong.
    #[error("the server refuses the proof")]
    Refused,
    /// A login bound to this TLS connection was tried already; a binding is for one login (RFC 9266 §4.1).
    #[error("a login was bound to this connection already; connect again to try another")]
    BindingUsed,
    /// The server requires an extension of the mechanism that this crate does not know.
    #[error("the server demands an extension of the mechanism that is not known here")]
    Extension,
    /// One side supports channel binding and the other side saw no offer of it (RFC 5802 §6).
    #[error("channel binding was removed from the offer: possible attack")]
    Downgrade,
}
