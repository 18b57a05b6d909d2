//! The errors of the server side.

use thiserror::Error;

/// A mistake of the caller. Nothing was sent, and the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The session has not asked the question that the call answers.
    #[error("the session has not asked for this answer")]
    NotAsked,
    /// No message is being sent.
    #[error("no message has been begun")]
    NoMessageBegun,
    /// The last question has no answer yet, so the session cannot continue.
    #[error("the last question of the session has not been answered")]
    Unanswered,
}

/// The client broke the protocol in a way that ends the session. Close the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The client sent octets in the clear after `STLS` and before the handshake: they may be injected commands (RFC 2595 §4).
    #[error("the client sent data in the clear after STLS: the connection cannot be trusted")]
    DataAfterStls,
    /// The client has not sent `STLS`, so there is no handshake to wait for.
    #[error("the client has not asked for TLS")]
    TlsNotRequested,
}
