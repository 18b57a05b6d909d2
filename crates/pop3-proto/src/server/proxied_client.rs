//! The client that a trusted proxy names.

use core::net::IpAddr;

use crate::codec::Words;

/// A client of a proxy, as the proxy names it. `XCLIENT` is accepted only if the [connection](super::ConnectionInfo) is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProxiedClient {
    /// The client's address.
    pub address: IpAddr,
    /// The client's port, if it is known.
    pub port: Option<u16>,
}

impl ProxiedClient {
    /// Parses `ADDR=` and `PORT=` and ignores other keys. Returns `None` if the address is missing, or if the address or the port
    /// is invalid.
    pub(super) fn parse(words: Words<'_>) -> Option<Self> {
        let (mut address, mut port) = (None, None);
        for word in words.iter() {
            let word = core::str::from_utf8(word).ok()?;
            match word.split_once('=') {
                Some((key, value)) if key.eq_ignore_ascii_case("ADDR") => {
                    // Some proxies prefix an address with its family.
                    let value = value.strip_prefix("IPV6:").unwrap_or(value);
                    address = Some(value.parse().ok()?);
                }
                Some((key, value)) if key.eq_ignore_ascii_case("PORT") => port = Some(value.parse().ok()?),
                _ => {}
            }
        }
        Some(Self { address: address?, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families() {
        let parse = |text: &str| {
            ProxiedClient::parse(Words::new(text).unwrap())
                .map(|proxied_client| (alloc::format!("{}", proxied_client.address), proxied_client.port))
        };
        assert_eq!(parse("ADDR=192.0.2.1 PORT=1100 SESSION=x"), Some(("192.0.2.1".into(), Some(1100))));
        assert_eq!(parse("addr=IPV6:2001:db8::1"), Some(("2001:db8::1".into(), None)));
        for bad in ["PORT=1", "ADDR=", "ADDR=joe", "ADDR=192.0.2.1 PORT=x", "ADDR=192.0.2.1 PORT=65536"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
