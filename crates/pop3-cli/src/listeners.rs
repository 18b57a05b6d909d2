//! The addresses that `pop3 serve` listens on.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::str::FromStr;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpListener;

/// Maximum number of connections that the system queues until they are accepted.
const BACKLOG: i32 = 1024;

/// Maximum number of attempts to find a port that is free for all addresses.
const MAX_TRIES: u32 = 50;

/// An address and a port as a user writes them: `192.0.2.1:110`, `[::]:110`, `localhost:1110`, or `1110` for all addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListenAddress {
    text: String,
    host: Option<String>,
    port: u16,
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

impl ListenAddress {
    /// Listens on each address of the host. Without a host these are all addresses of IPv4 and, if the system has it, of IPv6.
    ///
    /// # Errors
    /// Fails if the host has no address, or if the server cannot listen on one of them.
    pub fn listen(&self) -> io::Result<Vec<TcpListener>> {
        let mut tries = 1;
        loop {
            match self.listen_once() {
                // Any port will do, but a port that is free for the first address may be in use for the next.
                Err(error) if self.port == 0 && error.kind() == io::ErrorKind::AddrInUse && tries < MAX_TRIES => tries += 1,
                result => return result,
            }
        }
    }

    fn listen_once(&self) -> io::Result<Vec<TcpListener>> {
        let Some(host) = &self.host else {
            let mut listeners = vec![bind((Ipv4Addr::UNSPECIFIED, self.port).into())?];
            let port = listeners.first().map_or(Ok(self.port), |listener| listener.local_addr().map(|address| address.port()))?;
            match bind((Ipv6Addr::UNSPECIFIED, port).into()) {
                Ok(listener) => listeners.push(listener),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
                Err(error) => tracing::debug!(%error, "cannot listen on IPv6, so only IPv4 is used"),
            }
            return Ok(listeners);
        };
        let mut addresses: Vec<SocketAddr> = (host.as_str(), self.port).to_socket_addrs()?.collect();
        addresses.dedup();
        if addresses.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
        }
        // A host name may have an address of a family that this machine does not support.
        let several = addresses.len() > 1;
        let mut listeners = Vec::new();
        for mut address in addresses {
            if let (0, Some(first)) = (self.port, listeners.first().and_then(|first: &TcpListener| first.local_addr().ok())) {
                address.set_port(first.port());
            }
            match bind(address) {
                Ok(listener) => listeners.push(listener),
                Err(error) if several && error.kind() == io::ErrorKind::AddrNotAvailable => {
                    tracing::debug!(%address, %error, "address skipped: it is not available on this machine");
                }
                Err(error) => return Err(error),
            }
        }
        if listeners.is_empty() { Err(io::ErrorKind::AddrNotAvailable.into()) } else { Ok(listeners) }
    }
}

/// Binds a socket and listens on it. A socket for IPv6 accepts only IPv6, so that `0.0.0.0` and `[::]` can share a port.
fn bind(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    TcpListener::from_std(socket.into())
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

    #[tokio::test]
    async fn both_wildcard_addresses_share_one_port() {
        let both = "0".parse::<ListenAddress>().unwrap().listen().unwrap();
        let ports: Vec<u16> = both.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
        // The port is in use, so another listener fails.
        assert!(format!("0.0.0.0:{}", ports[0]).parse::<ListenAddress>().unwrap().listen().is_err());
        let name = "localhost:0".parse::<ListenAddress>().unwrap().listen().unwrap();
        assert!(name.iter().all(|listener| listener.local_addr().unwrap().ip().is_loopback()));
    }
}
