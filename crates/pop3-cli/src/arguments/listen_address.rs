//! The addresses that a server listens on.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// An address and a port as a user writes them: `192.0.2.1:110`, `[::]:110`, `localhost:1110`, or `1110` for all addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    text: String,
    /// `None` means all addresses.
    pub host: Option<String>,
    pub port: u16,
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not like 0.0.0.0:110, [::]:110, localhost:110 or 110");
        let (host, port) = match text.rsplit_once(':') {
            None => (None, text),
            Some((host, port)) => (Some(host), port),
        };
        let port = port.parse().map_err(|_| wrong())?;
        let host = host.map(|host| host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host));
        let is_address = |host: &str| !host.contains(':') || host.parse::<Ipv6Addr>().is_ok();
        if host.is_some_and(|host| host.is_empty() || !is_address(host) || host.contains(char::is_whitespace)) {
            return Err(wrong());
        }
        Ok(Self { text: text.to_owned(), host: host.map(str::to_owned), port })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listen_addresses_are_parsed() {
        let read = |text: &str| text.parse::<ListenAddress>().map(|address| (address.host, address.port));
        assert_eq!(read("192.0.2.1:110"), Ok((Some("192.0.2.1".to_owned()), 110)));
        assert_eq!(read("[::]:110"), Ok((Some("::".to_owned()), 110)));
        assert_eq!(read("localhost:0"), Ok((Some("localhost".to_owned()), 0)));
        assert_eq!(read("1110"), Ok((None, 1110)));
        for bad in ["", "localhost", ":110", "::1", "1.2.3.4:x", "1.2.3.4:99999", "a b:1", "99999"] {
            assert!(read(bad).is_err_and(|error| error.contains("is not like")), "{bad}");
        }
    }
}
