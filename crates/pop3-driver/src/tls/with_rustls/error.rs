//! What rustls's errors mean.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError as C, InvalidMessage};

#[cfg(feature = "certificates")]
use super::given::AnotherFingerprint;
use super::verify::SelfSigned;
use crate::tls::{Moment, TlsFailure};

fn moment(at: UnixTime, now: UnixTime) -> Moment {
    Moment { at: at.as_secs(), distance: at.as_secs().abs_diff(now.as_secs()) }
}

/// Describes the defect of a certificate in words.
fn reason(error: &C) -> String {
    let words = match error {
        C::BadEncoding => "it cannot be read",
        C::Revoked => "it was revoked",
        C::BadSignature => "its signature is wrong",
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => "it is not for servers",
        C::UnhandledCriticalExtension => "it has an extension that must be understood and is not",
        #[cfg(feature = "certificates")]
        C::Other(other) if other.0.downcast_ref::<AnotherFingerprint>().is_some() => return other.0.to_string(),
        C::Other(other) => match other.to_string() {
            text if text.contains("CaUsedAsEndEntity") => "it is the certificate of an authority, and not of a server",
            text if text.contains("UnsupportedCertVersion") => "it is of a version that is no longer in use",
            text if text.contains("UnsupportedSignatureAlgorithm") || text.contains("UnsupportedCriticalExtension") => {
                "it uses something that is not supported"
            }
            _ => "it breaks a rule for certificates",
        },
        _ => "it breaks a rule for certificates",
    };
    words.to_owned()
}

impl From<&rustls::Error> for TlsFailure {
    fn from(error: &rustls::Error) -> Self {
        use rustls::Error as E;
        match error {
            E::InvalidCertificate(C::Other(other)) if other.0.downcast_ref::<SelfSigned>().is_some() => Self::SelfSigned,
            E::InvalidCertificate(C::UnknownIssuer) => Self::UnknownIssuer,
            E::InvalidCertificate(C::Expired) => Self::Expired(None),
            E::InvalidCertificate(C::ExpiredContext { time, not_after }) => Self::Expired(Some(moment(*not_after, *time))),
            E::InvalidCertificate(C::NotValidYet) => Self::NotValidYet(None),
            E::InvalidCertificate(C::NotValidYetContext { time, not_before }) => {
                Self::NotValidYet(Some(moment(*not_before, *time)))
            }
            E::InvalidCertificate(C::NotValidForName) => Self::WrongName(Vec::new()),
            E::InvalidCertificate(C::NotValidForNameContext { presented, .. }) => Self::WrongName(presented.clone()),
            E::InvalidCertificate(other) => Self::Untrusted(reason(other)),
            E::InvalidMessage(InvalidMessage::InvalidContentType | InvalidMessage::UnknownProtocolVersion) => Self::NotTls,
            E::PeerIncompatible(_) | E::AlertReceived(AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure) => {
                Self::NothingInCommon(error.to_string())
            }
            other => Self::Other(other.to_string()),
        }
    }
}

impl TlsFailure {
    /// Returns the reason why a handshake over a stream failed with this I/O error.
    pub fn of(error: &io::Error) -> Self {
        match error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) {
            Some(error) => Self::from(error),
            None => Self::Other(error.to_string()),
        }
    }

    /// Converts the I/O error of a server's handshake for the server's log, where the peer is a client.
    pub fn of_client(error: &io::Error) -> io::Error {
        match Self::of(error) {
            Self::NotTls => io::Error::other("the client does not speak TLS, which this port begins with"),
            Self::NothingInCommon(what) => io::Error::other(format!("the client is too old, or wants too much: {what}")),
            _ => io::Error::new(error.kind(), format!("TLS: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(std::time::Duration::from_secs(seconds))
    }

    fn words(error: C) -> String {
        TlsFailure::from(&rustls::Error::InvalidCertificate(error)).to_string()
    }

    #[test]
    fn h11_expired_certificates_say_when_and_by_how_long() {
        const DAY: u64 = 86_400;
        let now = at(1_795_000_000);
        let expired = |ago: u64| words(C::ExpiredContext { time: now, not_after: at(1_795_000_000 - ago) });
        assert_eq!(expired(24 * DAY), "the server's certificate has expired: 2026-10-25, 24 days ago");
        assert_eq!(expired(90), "the server's certificate has expired: 2026-11-18, 90 seconds ago");
        let early = words(C::NotValidYetContext { time: now, not_before: at(1_795_000_000 + 3 * 3600) });
        assert!(early.contains("not valid yet: 2026-11-18, 3 hours from now; is the clock"), "{early}");
    }

    #[test]
    fn no_debug_text_reaches_a_person() {
        let other = |text: &str| C::Other(rustls::OtherError(Arc::new(io::Error::other(text.to_owned()))));
        for error in
            [other("CaUsedAsEndEntity"), other("UnsupportedCertVersion"), other("SomethingNew(7)"), C::BadSignature, C::Revoked]
        {
            let told = words(error);
            assert!(!told.contains("Other") && !told.contains("Error") && !told.contains('('), "{told}");
        }
    }
}
