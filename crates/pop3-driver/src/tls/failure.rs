//! Why TLS came to nothing.

use std::io;

use rustls::pki_types::UnixTime;
use rustls::{AlertDescription, CertificateError as C, InvalidMessage};
use thiserror::Error;

use super::verify::SelfSigned;

/// Why TLS came to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TlsFailure {
    /// No authority that is trusted has signed the certificate.
    #[error("the server's certificate is not signed by a trusted authority")]
    UnknownIssuer,
    /// The server has signed its certificate itself.
    #[error("the server has signed its certificate itself, so nothing shows whose it is")]
    SelfSigned,
    /// The certificate was valid once.
    #[error("the server's certificate has expired{}", told(.0.as_ref(), "ago"))]
    Expired(Option<Moment>),
    /// The certificate will be valid.
    #[error("the server's certificate is not valid yet{}; is the clock of this machine right?", told(.0.as_ref(), "from now"))]
    NotValidYet(Option<Moment>),
    /// The certificate is for other hosts than the one that was asked for (S50). Holds their names.
    #[error("the server's certificate is for another host{}", listed(.0))]
    WrongName(Vec<String>),
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

/// When a certificate ends or begins to be valid, and how far that is from now, in seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970.
    pub at: u64,
    /// Seconds between then and now.
    pub distance: u64,
}

impl Moment {
    fn new(at: UnixTime, now: UnixTime) -> Self {
        Self { at: at.as_secs(), distance: at.as_secs().abs_diff(now.as_secs()) }
    }
}

/// `: on 2026-11-01, 24 days ago`
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

/// The day, by the Gregorian calendar, of a time in seconds since 1970.
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

/// `: it is for a.example, b.example`
fn listed(names: &[String]) -> String {
    const MOST: usize = 8;
    if names.is_empty() {
        return String::new();
    }
    // rustls tells the kind of each name, too.
    let name = |name: &String| match name.split_once('"').and_then(|(_, name)| name.split_once('"')) {
        Some((name, _)) => name.to_owned(),
        None => name.clone(),
    };
    let more = if names.len() > MOST { " and others" } else { "" };
    format!(": it is for {}{more}", names.iter().take(MOST).map(name).collect::<Vec<_>>().join(", "))
}

/// What is wrong with a certificate, in words.
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
