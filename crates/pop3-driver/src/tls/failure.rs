//! TLS failures and their messages.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError as C, InvalidMessage};
use thiserror::Error;

use super::verify::SelfSigned;

/// The reason why TLS could not be set up or a handshake failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// The certificate is not signed by a trusted authority.
    #[error("the server's certificate is not signed by a trusted authority")]
    UnknownIssuer,
    /// The server has signed its certificate itself.
    #[error("the server has signed its certificate itself, so nothing shows whose it is")]
    SelfSigned,
    /// The certificate has expired. Holds the end of its validity, if it is known.
    #[error("the server's certificate has expired{}", told(.0.as_ref(), "ago"))]
    Expired(Option<Moment>),
    /// The certificate is not valid yet. Holds the beginning of its validity, if it is known.
    #[error("the server's certificate is not valid yet{}; is the clock of this machine right?", told(.0.as_ref(), "from now"))]
    NotValidYet(Option<Moment>),
    /// The certificate does not contain the name of the requested host (RFC 7817 §3). Holds the names that it contains, if they
    /// are known.
    // S50
    #[error("the server's certificate is for another host{}", listed(.0))]
    WrongName(Vec<String>),
    /// The certificate is untrusted for another reason. Holds the reason in words.
    #[error("the server's certificate is not to be trusted: {0}")]
    Untrusted(String),
    /// The peer does not speak TLS on this port, or begins the session without TLS.
    // Q04, Q56
    #[error("the server does not speak TLS on this port")]
    NotTls,
    /// The two sides share no version of TLS or no cipher suite. Holds rustls's description.
    // Q58
    #[error("no version of TLS and no ciphers that both sides have: {0}")]
    NothingInCommon(String),
    /// A given certificate or private key cannot be read. Holds the reason in words.
    #[error("{0}")]
    Unreadable(String),
    /// Any other failure. Holds its description.
    #[error("{0}")]
    Other(String),
}

/// The time at which the validity of a certificate begins or ends, and its distance from the current time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The time, in seconds since 1970.
    pub at: u64,
    /// The distance from the current time, in seconds.
    pub distance: u64,
}

impl Moment {
    fn new(at: UnixTime, now: UnixTime) -> Self {
        Self { at: at.as_secs(), distance: at.as_secs().abs_diff(now.as_secs()) }
    }
}

/// Returns text such as `: 2026-11-01, 24 days ago`, or an empty string if the moment is unknown.
fn told(moment: Option<&Moment>, direction: &str) -> String {
    let Some(Moment { at, distance }) = moment else { return String::new() };
    let date = i64::try_from(*at).map_or_else(|_| "?".to_owned(), date);
    let distance = match distance {
        0..120 => format!("{distance} seconds"),
        120..7200 => format!("{} minutes", distance / 60),
        7200..172_800 => format!("{} hours", distance / 3600),
        _ => format!("{} days", distance / 86_400),
    };
    format!(": {date}, {distance} {direction}")
}

/// Returns the Gregorian date of a time in seconds since 1970, as `2026-11-01`.
fn date(seconds: i64) -> String {
    // Days since 1 March of the year 0, so that leap days come last in their year.
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// Returns text such as `: it is for a.example, b.example`, or an empty string without names.
fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    if names.is_empty() {
        return String::new();
    }
    // rustls includes the kind of a name, as in `DnsName("a.example")`.
    let name = |name: &String| match name.split_once('"').and_then(|(_, name)| name.split_once('"')) {
        Some((name, _)) => name.to_owned(),
        None => name.clone(),
    };
    let more = if names.len() > MOST { " and others" } else { "" };
    format!(": it is for {}{more}", names.iter().take(MOST).map(name).collect::<Vec<_>>().join(", "))
}

/// Describes the defect of a certificate in words.
fn reason(error: &C) -> String {
    let words = match error {
        C::BadEncoding => "it cannot be read",
        C::Revoked => "it was revoked",
        C::BadSignature => "its signature is wrong",
        C::InvalidPurpose | C::InvalidPurposeContext { .. } => "it is not for servers",
        C::UnhandledCriticalExtension => "it has an extension that must be understood and is not",
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
            E::InvalidCertificate(C::ExpiredContext { time, not_after }) => Self::Expired(Some(Moment::new(*not_after, *time))),
            E::InvalidCertificate(C::NotValidYet) => Self::NotValidYet(None),
            E::InvalidCertificate(C::NotValidYetContext { time, not_before }) => {
                Self::NotValidYet(Some(Moment::new(*not_before, *time)))
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
    /// Returns the error of a client's failed handshake. [`io::ErrorKind::TimedOut`] means that it took longer than `after`.
    pub fn of_handshake(error: &io::Error, after: std::time::Duration) -> crate::Error {
        match error.kind() {
            io::ErrorKind::TimedOut => crate::Error::TimedOut { waiting_for: "the TLS handshake was done", after },
            _ => crate::Error::Tls(Self::of(error)),
        }
    }

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
    use std::time::Duration;

    fn at(seconds: u64) -> UnixTime {
        UnixTime::since_unix_epoch(Duration::from_secs(seconds))
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
        for (seconds, day) in [(0, "1970-01-01"), (951_782_400, "2000-02-29"), (4_107_542_400, "2100-03-01"), (-1, "1969-12-31")]
        {
            assert_eq!(date(seconds), day);
        }
    }

    #[test]
    fn s50_a_wrong_name_says_which_names_are_right() {
        let presented = ["DnsName(\"a.example\")".to_owned(), "*.b.example".to_owned()].to_vec();
        let told = TlsFailure::WrongName(presented).to_string();
        assert_eq!(told, "the server's certificate is for another host: it is for a.example, *.b.example");
        assert_eq!(TlsFailure::WrongName(Vec::new()).to_string(), "the server's certificate is for another host");
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
