//! The reasons for which a session ends.

use thiserror::Error;

/// The reason why the server closes a session, for the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CloseReason {
    /// The client sent `QUIT`.
    #[error("the client sent QUIT")]
    Quit,
    /// The client sent too many commands that are malformed or out of place.
    // H38
    #[error("too many bad commands")]
    BadCommands,
    /// The client sent too many wrong passwords.
    #[error("too many wrong passwords")]
    FailedLogins,
    /// The client began with TLS on a port where the session begins in the clear.
    #[error("the client began with TLS on a port that begins in the clear")]
    Tls,
    /// The client speaks another protocol, as port scanners do.
    #[error("the client does not speak POP3")]
    OtherProtocol,
    /// The client sent a line far beyond the limit.
    #[error("the client sent an endless line")]
    EndlessLine,
    /// The application aborted the session.
    #[error("the session was aborted")]
    Aborted,
    /// The client was silent, or too slow, until a deadline of the application had passed.
    #[error("the client was silent, or too slow")]
    TimedOut,
    /// The application ended the session of a client that had not logged in, in favour of another client.
    #[error("the session gave way to another one")]
    GaveWay,
    /// The application ended the session because the server shuts down.
    #[error("the server shuts down")]
    ShutDown,
}
