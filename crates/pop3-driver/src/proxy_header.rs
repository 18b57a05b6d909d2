//! The handshake with a proxy in front of a server.

use std::io;
use std::net::SocketAddr;

use pop3_proto::server::ProxiedClient;
use ppp::{HeaderResult, v1, v2};

use crate::proxy_handshake::{ProxyHandshake, refused};

/// The header with which a proxy in front of a server names its client: the PROXY protocol, versions 1 and 2.
#[derive(Debug, Default)]
pub struct ProxyHeader {
    read: Vec<u8>,
    done: bool,
    proxied_client: Option<ProxiedClient>,
}

impl ProxyHeader {
    /// Returns the client that the proxy names, or `None` if it names none, as in its own check of whether the server is up.
    pub const fn proxied_client(&self) -> Option<ProxiedClient> {
        self.proxied_client
    }
}

impl ProxyHandshake for ProxyHeader {
    fn output(&mut self) -> Vec<u8> {
        Vec::new()
    }

    fn bytes_wanted(&self) -> usize {
        match self.read.as_slice() {
            _ if self.done => 0,
            // A header of version 2 contains its length; one of version 1 ends with its line.
            [0x0D, rest @ ..] if rest.len() < 15 => 15 - rest.len(),
            [0x0D, ..] => 16 + usize::from(u16::from_be_bytes([self.read[14], self.read[15]])) - self.read.len(),
            _ => 1,
        }
    }

    fn receive(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.read.extend_from_slice(bytes);
        let begins = |beginning: &[u8]| self.read.iter().zip(beginning).all(|(is, should)| is == should);
        if !begins(b"PROXY ") && !begins(b"\r\n\r\n\0\r\nQUIT\n") {
            return Err(refused("it says nothing of whom it speaks for"));
        }
        let whole = match self.read.first() {
            Some(0x0D) => self.read.len() >= 16 && self.bytes_wanted() == 0,
            _ => self.read.ends_with(b"\n"),
        };
        if !whole {
            let longest = if self.read.first() == Some(&0x0D) { 16 + usize::from(u16::MAX) } else { 107 };
            return if self.read.len() > longest { Err(refused("its header does not end")) } else { Ok(()) };
        }
        let addresses = match HeaderResult::parse(&self.read) {
            HeaderResult::V1(Ok(header)) => match header.addresses {
                v1::Addresses::Tcp4(tcp) => Some(SocketAddr::from((tcp.source_address, tcp.source_port))),
                v1::Addresses::Tcp6(tcp) => Some(SocketAddr::from((tcp.source_address, tcp.source_port))),
                v1::Addresses::Unknown => None,
            },
            HeaderResult::V2(Ok(header)) => match (header.command, header.addresses) {
                (v2::Command::Proxy, v2::Addresses::IPv4(ip)) => Some(SocketAddr::from((ip.source_address, ip.source_port))),
                (v2::Command::Proxy, v2::Addresses::IPv6(ip)) => Some(SocketAddr::from((ip.source_address, ip.source_port))),
                _ => None,
            },
            HeaderResult::V1(Err(_)) | HeaderResult::V2(Err(_)) => return Err(refused("its header cannot be read")),
        };
        self.proxied_client = addresses.map(|source| ProxiedClient { address: source.ip(), port: Some(source.port()) });
        self.done = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proxy_handshake::tests::shake;

    #[test]
    fn the_proxy_protocol_in_both_versions() {
        let run = |says: &[u8]| {
            let mut header = ProxyHeader::default();
            shake(&mut header, says).map(|(_, left)| {
                (header.proxied_client().map(|proxied_client| (proxied_client.address.to_string(), proxied_client.port)), left)
            })
        };
        let (proxied_client, left) = run(b"PROXY TCP4 192.0.2.1 192.0.2.2 56324 110\r\n+OK").unwrap();
        assert_eq!((proxied_client, left), (Some(("192.0.2.1".to_owned(), Some(56324))), 3));
        assert_eq!(run(b"PROXY TCP6 2001:db8::1 ::1 1 2\r\n").unwrap().0, Some(("2001:db8::1".to_owned(), Some(1))));
        assert_eq!(run(b"PROXY UNKNOWN\r\n").unwrap(), (None, 0));
        let signature = b"\r\n\r\n\0\r\nQUIT\n";
        let v2 = [&signature[..], &[0x21, 0x11, 0, 12, 192, 0, 2, 1, 192, 0, 2, 2, 0, 80, 0, 110], b"+OK"].concat();
        assert_eq!(run(&v2).unwrap(), (Some(("192.0.2.1".to_owned(), Some(80))), 3));
        // The command `LOCAL`: the proxy speaks for itself.
        assert_eq!(run(&[&signature[..], &[0x20, 0, 0, 0]].concat()).unwrap(), (None, 0));
        for bad in [&b"USER joe\r\n"[..], b"PROXY TCP4 x y 1 2\r\n", &[b'P'; 200], &[13; 40], b"PROXY TCP4 192.0.2.1\n"] {
            assert!(run(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
