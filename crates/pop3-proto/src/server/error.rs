//! What can go wrong on the server side.

use thiserror::Error;

/// The caller's mistake. Nothing was sent, and the session is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The session has not asked the question that this answers.
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
    /// Octets in the clear came after `STLS` and before the handshake: they may be injected commands (RFC 2595 §4).
    #[error("the client sent data in the clear after STLS: the connection cannot be trusted")]
    DataAfterStls,
    /// The client has not sent `STLS`, so there is no handshake to wait for.
    #[error("the client has not asked for TLS")]
    TlsNotRequested,
}
