//! TLS failures and their messages.

use thiserror::Error;

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
    /// The two sides share no version of TLS or no cipher suite. Holds the library's description.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
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
}
