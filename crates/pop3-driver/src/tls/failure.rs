//! Why TLS came to nothing.

use std::io;

use rustls::{AlertDescription, CertificateError as C, InvalidMessage};
use thiserror::Error;

/// Why TLS came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No authority that is trusted has signed the certificate.
    #[error("nobody who is trusted here has signed the server's certificate")]
    UnknownIssuer,
    /// The certificate was valid once.
    #[error("the server's certificate has expired")]
    Expired,
    /// The certificate will be valid.
    #[error("the server's certificate is not valid yet; is the clock of this machine right?")]
    NotValidYet,
    /// The certificate is for another host than the one that was asked for (S50).
    #[error("the server's certificate is for another host")]
    WrongName,
    /// The certificate is not to be trusted for another reason.
    #[error("the server's certificate is not to be trusted: {0}")]
    Untrusted(String),
    /// The peer does not speak TLS on this port, or begins in the clear (Q04, Q56).
    #[error("the server does not speak TLS on this port")]
    NotTls,
    /// Both sides have no version of TLS, or no ciphers, in common (Q58).
    #[error("no version of TLS and no ciphers that both sides have: {0}")]
    NothingInCommon(String),
    /// A certificate or a key that was given cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Anything else.
    #[error("{0}")]
    Other(String),
}

impl From<&rustls::Error> for TlsFailure {
    fn from(error: &rustls::Error) -> Self {
        use rustls::Error as E;
        match error {
            E::InvalidCertificate(C::UnknownIssuer) => Self::UnknownIssuer,
            E::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => Self::Expired,
            E::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => Self::NotValidYet,
            E::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => Self::WrongName,
            E::InvalidCertificate(other) => Self::Untrusted(other.to_string()),
            E::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => Self::NotTls,
            E::PeerIncompatible(_) | E::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
                Self::NothingInCommon(error.to_string())
            }
            other => Self::Other(other.to_string()),
        }
    }
}

impl TlsFailure {
    /// Why a handshake failed that a driver has done over a stream.
    pub fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::from(error),
            None => Self::Other(error.to_string()),
        }
    }

    /// The same for the log of a server, whose peer is a client.
    pub fn of_client(error: &io::Error) -> io::Error {
        match Self::of(error) {
            Self::NotTls => io::Error::other("the client does not speak TLS, which this port begins with"),
            Self::NothingInCommon(what) => io::Error::other(format!("the client is too old, or wants too much: {what}")),
            _ => io::Error::new(error.kind(), format!("TLS: {error}")),
        }
    }
}
