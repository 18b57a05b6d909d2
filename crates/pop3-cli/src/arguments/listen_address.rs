//! The addresses that a server listens on.

use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// An address and a port as a user writes them: `192.0.2.1:110`, `[::]:110`, `localhost:1110`, `1110` for all addresses, or `fd:0` for a socket
/// that was passed on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    text: String,
    pub place: ListenPlace,
}

/// Where a server listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenPlace {
    /// A port of all addresses.
    All(u16),
    /// A port of a host.
    Host(String, u16),
    /// A socket that systemd listens on and passes on, counted from 0.
    Passed(usize),
}

impl FromStr for ListenAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not like 0.0.0.0:110, [::]:110, localhost:110, 110 or fd:0");
        let port = |text: &str| text.parse::<u16>().map_err(|_| wrong());
        let place = match text.rsplit_once(':') {
            None => ListenPlace::All(port(text)?),
            Some(("fd", number)) => ListenPlace::Passed(number.parse().map_err(|_| wrong())?),
            Some((host, number)) => {
                let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
                let is_address = !host.contains(':') || host.parse::<Ipv6Addr>().is_ok();
                if host.is_empty() || !is_address || host.contains(char::is_whitespace) {
                    return Err(wrong());
                }
                ListenPlace::Host(host.to_owned(), port(number)?)
            }
        };
        Ok(Self { text: text.to_owned(), place })
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
        let read = |text: &str| text.parse::<ListenAddress>().map(|address| address.place);
        let host = |host: &str, port| Ok(ListenPlace::Host(host.to_owned(), port));
        assert_eq!(read("192.0.2.1:110"), host("192.0.2.1", 110));
        assert_eq!(read("[::]:110"), host("::", 110));
        assert_eq!(read("localhost:0"), host("localhost", 0));
        assert_eq!(read("1110"), Ok(ListenPlace::All(1110)));
        assert_eq!(read("fd:1"), Ok(ListenPlace::Passed(1)));
        for bad in ["fd:", "fd:x", "fd:-1", "", "localhost", ":110", "::1", "1.2.3.4:x", "1.2.3.4:99999", "a b:1", "99999"] {
            assert!(read(bad).is_err_and(|error| error.contains("is not like")), "{bad}");
        }
    }
}
