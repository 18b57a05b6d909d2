//! What can go wrong on a connection.

use std::fmt;
use std::io;
use std::time::Duration;

use pop3_proto::client::{LocalError, LoginFailure, Refusal, RemoteError, RequestError, Service};
use pop3_proto::codec::InvalidArgument;
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

/// What a driver's client gives.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum Error {
    /// No address of the host took the connection.
    #[error("cannot connect to {host} port {port}: {source}")]
    Connect {
        /// The host that was asked for.
        host: String,
        /// The port.
        port: u16,
        /// What the last address answered.
        source: io::Error,
    },
    /// The certificate is not to be trusted, TLS cannot be agreed on, or what a TLS configuration is made of cannot be read.
    #[error("TLS: {0}")]
    Tls(TlsFailure),
    /// The host is no name that a certificate could bear.
    #[error("{0:?} is not a host name or an address")]
    HostName(String),
    /// Nothing came in time.
    #[error("the server was silent, or too slow, for {} while {waiting_for}", Seconds(*.after))]
    TimedOut {
        /// What was awaited.
        waiting_for: &'static str,
        /// How long.
        after: Duration,
    },
    /// The server refused, broke the protocol or left; or the call does not fit the session.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// What a message was to be written to takes no more.
    #[error("the message cannot be written: {0}")]
    Sink(io::Error),
    /// The operating system gave an error.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl Error {
    /// The server's `-ERR`, if that is what it was. The session lives then, but for a refused greeting and a refused `QUIT`.
    pub const fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Request(RequestError::Refused(refusal)) => Some(refusal),
            _ => None,
        }
    }

    /// What the error of a login means; see [`RequestError::login_failure`].
    pub fn login_failure(&self) -> Option<LoginFailure> {
        match self {
            Self::Request(error) => error.login_failure(),
            Self::Tls(TlsFailure::NotTls) => Some(LoginFailure::WrongService(Service::NoTls)),
            Self::Tls(TlsFailure::NothingInCommon(_)) => Some(LoginFailure::NoTls),
            _ => None,
        }
    }

    /// The connection ended, so whether the last command was carried out is not known (Q43).
    pub const fn is_disconnect(&self) -> bool {
        matches!(self, Self::Request(RequestError::Remote(RemoteError::Closed(_))) | Self::Io(_) | Self::TimedOut { .. })
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

impl From<rustls::Error> for Error {
    fn from(error: rustls::Error) -> Self {
        Self::Tls(TlsFailure::from(&error))
    }
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
            Error::Connect { host: "host".to_owned(), port: 1, source: io::ErrorKind::ConnectionRefused.into() },
        ];
        for error in others {
            assert!(!error.is_disconnect() && error.refusal().is_none(), "{error}");
        }
    }

    #[test]
    fn what_went_wrong_with_a_login_is_told_from_tls_too() {
        let failure = |error: Error| error.login_failure();
        assert_eq!(failure(Error::Tls(TlsFailure::NotTls)), Some(LoginFailure::WrongService(Service::NoTls)));
        assert_eq!(failure(Error::Tls(TlsFailure::NothingInCommon(String::new()))), Some(LoginFailure::NoTls));
        assert_eq!(failure(Error::Tls(TlsFailure::Expired(None))), None);
        assert_eq!(failure(timed_out(Duration::ZERO)), None);
    }

    #[test]
    fn a_time_is_told_in_seconds_or_less() {
        let told = |after| timed_out(after).to_string();
        let what = "while waiting for the greeting";
        assert_eq!(told(Duration::from_secs(60)), format!("the server was silent, or too slow, for 60 seconds {what}"));
        assert_eq!(told(Duration::from_millis(200)), format!("the server was silent, or too slow, for 200 milliseconds {what}"));
    }
}
