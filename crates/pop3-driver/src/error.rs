//! What can go wrong on a connection.

use std::fmt;
use std::io;
use std::time::Duration;

use pop3_proto::client::{LocalError, LoginFailure, Refusal, RemoteError, RequestError, Service};
use pop3_proto::codec::{InvalidArgument, ResponseCode};
use thiserror::Error;

use crate::tls::TlsFailure;

struct Seconds(Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.as_secs() {
            0 => write!(f, "{} milliseconds", self.0.as_millis()),
            seconds => write!(f, "{seconds} seconds"),
        }
    }
}

/// An error of a driver's client. It prints its cause, and has no source that would print it again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No address of the host accepted the connection.
    #[error("cannot connect to {host} port {port}: {cause}")]
    Connect {
        /// The host.
        host: String,
        /// The port.
        port: u16,
        /// The error of the last address.
        cause: io::Error,
    },
    /// The certificate is not trusted, both sides have no TLS version or algorithm in common, or a certificate or a key cannot be read.
    #[error("TLS: {0}")]
    Tls(TlsFailure),
    /// The host is not a name that a certificate could contain.
    #[error("{0:?} is not a host name or an address")]
    HostName(String),
    /// The options name a proxy, but the session runs over a stream that the caller has connected already.
    #[error(
        "the stream is connected already, so the proxy of the options has no effect; connect through it, or clear the option"
    )]
    UnusedProxy,
    /// The server did not answer in time.
    #[error("the server was silent, or too slow, for {} while {waiting_for}", Seconds(*.after))]
    TimedOut {
        /// What the client waited for.
        waiting_for: &'static str,
        /// How long it waited.
        after: Duration,
    },
    /// The server refused, broke the protocol or disconnected; or the session does not allow the call.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// Writing a message to its sink failed.
    #[error("the message cannot be written: {0}")]
    Sink(io::Error),
    /// The operating system reported an error.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl Error {
    /// Returns the refusal, if the server answered `-ERR`. The session stays usable then, except after a refused greeting or `QUIT`.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Request(RequestError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// Returns `true` if no session can be continued after this error: connect again.
    pub const fn ends_session(&self) -> bool {
        match self {
            Self::Sink(_)
            | Self::Request(RequestError::Refused(_) | RequestError::Unreadable { .. } | RequestError::NoMechanism) => false,
            // The errors of a caller change nothing.
            Self::Request(RequestError::Local(error)) => matches!(error, LocalError::Closed),
            _ => true,
        }
    }

    /// Returns what the error of a login means; see [`RequestError::login_failure`].
    pub fn login_failure(&self) -> Option<LoginFailure> {
        match self {
            Self::Request(error) => error.login_failure(),
            Self::Tls(TlsFailure::NotTls) => Some(LoginFailure::WrongService(Service::NoTls)),
            Self::Tls(TlsFailure::NothingInCommon(_)) => Some(LoginFailure::NoTls),
            _ => None,
        }
    }

    /// Returns `true` if the server refused a login because another session holds the maildrop (`IN-USE`, RFC 2449 §8.1.2).
    pub fn is_in_use(&self) -> bool {
        self.refusal().is_some_and(|refusal| refusal.code() == Some(ResponseCode::InUse))
    }

    /// Returns the error for a failed `STLS`: a refusal means that the server has no TLS.
    #[must_use]
    pub fn stls_refused(self) -> Self {
        match self {
            Self::Request(RequestError::Refused(refusal)) => Self::Request(RequestError::NoTls(refusal)),
            other => other,
        }
    }

    /// Returns `true` if the connection ended, so that it is unknown whether the last command was executed.
    // Q43
    pub const fn is_disconnect(&self) -> bool {
        matches!(self, Self::Request(RequestError::Remote(RemoteError::Closed(_))) | Self::Io(_) | Self::TimedOut { .. })
    }
}

/// Returns the failure to connect that says more: not that this machine has no way to an address, as with IPv6 alone, if another address failed
/// in another way.
pub fn more_telling(before: io::Error, now: io::Error) -> io::Error {
    let is_first = before.kind() == io::ErrorKind::NotFound;
    let has_no_way = matches!(now.kind(), io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable);
    if is_first || !has_no_way { now } else { before }
}

/// For readers of messages: the error as the standard library's, with the kind that tells a time-out and an early end from the rest.
impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        let kind = match &error {
            Error::TimedOut { .. } => io::ErrorKind::TimedOut,
            Error::Request(RequestError::Remote(RemoteError::Closed(_))) => io::ErrorKind::UnexpectedEof,
            Error::Io(error) => error.kind(),
            _ => io::ErrorKind::Other,
        };
        Self::new(kind, error)
    }
}

impl From<RemoteError> for Error {
    fn from(error: RemoteError) -> Self {
        Self::Request(error.into())
    }
}

impl From<LocalError> for Error {
    fn from(error: LocalError) -> Self {
        Self::Request(error.into())
    }
}

impl From<InvalidArgument> for Error {
    fn from(error: InvalidArgument) -> Self {
        LocalError::from(error).into()
    }
}

#[cfg(feature = "rustls")]
impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(TlsFailure::from(&error))
    }
}

/// Returns the pauses between the logins of a reconnection while the server still holds the maildrop for the session before: six seconds in
/// all.
pub fn in_use_pauses() -> impl Iterator<Item = Duration> {
    (0..6).map(|attempt| Duration::from_millis(100 << attempt))
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_proto::client::Awaiting;

    fn closed() -> Error {
        RemoteError::Closed(Awaiting::Greeting).into()
    }

    fn timed_out(after: Duration) -> Error {
        Error::TimedOut { waiting_for: "waiting for the greeting", after }
    }

    #[test]
    fn q43_a_connection_that_ended_is_told_from_all_else() {
        for error in [closed(), timed_out(Duration::ZERO), io::Error::from(io::ErrorKind::ConnectionReset).into()] {
            assert!(error.is_disconnect(), "{error}");
        }
        let others = [
            Error::HostName("a b".to_owned()),
            Error::Tls(TlsFailure::NotTls),
            Error::Sink(io::ErrorKind::StorageFull.into()),
            LocalError::CleartextLogin.into(),
            Error::Connect { host: "host".to_owned(), port: 1, cause: io::ErrorKind::ConnectionRefused.into() },
        ];
        for error in others {
            assert!(!error.is_disconnect() && error.refusal().is_none(), "{error}");
        }
    }

    #[test]
    fn an_error_says_whether_the_session_has_ended() {
        for error in [closed(), timed_out(Duration::ZERO), Error::Tls(TlsFailure::NotTls), LocalError::Closed.into()] {
            assert!(error.ends_session(), "{error}");
        }
        for error in
            [LocalError::CleartextLogin.into(), Error::Sink(io::ErrorKind::StorageFull.into()), InvalidArgument::Empty.into()]
        {
            assert!(!error.ends_session(), "{error}");
        }
    }

    #[test]
    fn login_failures_are_recognised_in_tls_errors_too() {
        let failure = |error: Error| error.login_failure();
        assert_eq!(failure(Error::Tls(TlsFailure::NotTls)), Some(LoginFailure::WrongService(Service::NoTls)));
        assert_eq!(failure(Error::Tls(TlsFailure::NothingInCommon(String::new()))), Some(LoginFailure::NoTls));
        assert_eq!(failure(Error::Tls(TlsFailure::Expired(None))), None);
        assert_eq!(failure(timed_out(Duration::ZERO)), None);
    }

    #[test]
    fn an_address_without_a_way_does_not_hide_the_failure_of_another() {
        use io::ErrorKind::{ConnectionRefused, NetworkUnreachable, NotFound, TimedOut};
        let told = |kinds: &[io::ErrorKind]| {
            kinds.iter().fold(io::Error::from(NotFound), |before, kind| more_telling(before, io::Error::from(*kind))).kind()
        };
        assert_eq!(told(&[ConnectionRefused, NetworkUnreachable]), ConnectionRefused);
        assert_eq!(told(&[NetworkUnreachable, ConnectionRefused]), ConnectionRefused);
        assert_eq!(told(&[ConnectionRefused, TimedOut]), TimedOut);
        assert_eq!(told(&[NetworkUnreachable]), NetworkUnreachable);
        assert_eq!(told(&[]), NotFound);
    }

    #[test]
    fn no_error_prints_its_source() {
        let io = || io::Error::other("the cause");
        let errors = [
            Error::Connect { host: "host".to_owned(), port: 1, cause: io() },
            Error::Sink(io()),
            Error::Io(io()),
            closed(),
            LocalError::CleartextLogin.into(),
            InvalidArgument::Empty.into(),
        ];
        for error in errors {
            let source = std::error::Error::source(&error).map(ToString::to_string);
            assert!(source.is_none_or(|source| !error.to_string().contains(&source)), "{error}");
        }
    }

    #[test]
    fn a_time_is_told_in_seconds_or_less() {
        let told = |after| timed_out(after).to_string();
        let what = "while waiting for the greeting";
        assert_eq!(told(Duration::from_secs(60)), format!("the server was silent, or too slow, for 60 seconds {what}"));
        assert_eq!(told(Duration::from_millis(200)), format!("the server was silent, or too slow, for 200 milliseconds {what}"));
    }
}
