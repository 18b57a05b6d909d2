//! The addresses that `pop3 serve` listens on.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};

use crate::arguments::{ListenAddress, ListenPlace};

/// Maximum number of connections that the system queues until they are accepted.
const BACKLOG: i32 = 1024;

/// Maximum number of attempts to find a port that is free for all addresses.
const MAX_TRIES: u32 = 50;

/// The sockets that systemd has passed on.
pub struct Passed(ListenFd);

impl Passed {
    /// Takes the sockets, so that no other program of this process gets them.
    pub fn take() -> Self {
        Self(ListenFd::from_env())
    }

    /// Listens on each address of the host. Without a host these are all addresses of IPv4 and, if the system has it, of IPv6.
    ///
    /// # Errors
    /// Fails if the host has no address, if the server cannot listen on one of them, or if no such socket was passed on.
    pub fn listen(&mut self, on: &ListenAddress) -> io::Result<Vec<TcpListener>> {
        let (host, port) = match &on.place {
            ListenPlace::All(port) => (None, *port),
            ListenPlace::Host(host, port) => (Some(host.as_str()), *port),
            ListenPlace::Passed(number) => {
                let none =
                    || io::Error::new(io::ErrorKind::NotFound, "no such socket was passed on; is the .socket unit running?");
                let listener = self.0.take_tcp_listener(*number)?.ok_or_else(none)?;
                listener.set_nonblocking(true)?;
                return Ok(vec![listener]);
            }
        };
        let mut tries = 1;
        loop {
            match listen_once(host, port) {
                // Any port will do, but a port that is free for the first address may be in use for the next.
                Err(error) if port == 0 && error.kind() == io::ErrorKind::AddrInUse && tries < MAX_TRIES => tries += 1,
                result => return result,
            }
        }
    }
}

fn listen_once(host: Option<&str>, port: u16) -> io::Result<Vec<TcpListener>> {
    let Some(host) = host else {
        let mut listeners = vec![bind((Ipv4Addr::UNSPECIFIED, port).into())?];
        let port = listeners.first().map_or(Ok(port), |listener| listener.local_addr().map(|address| address.port()))?;
        match bind((Ipv6Addr::UNSPECIFIED, port).into()) {
            Ok(listener) => listeners.push(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => return Err(error),
            Err(error) => tracing::debug!(%error, "cannot listen on IPv6, so only IPv4 is used"),
        }
        return Ok(listeners);
    };
    let mut addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(io::Error::new(io::ErrorKind::NotFound, "the host has no address"));
    }
    // A host name may have an address of a family that this machine does not support.
    let several = addresses.len() > 1;
    let mut listeners = Vec::new();
    for mut address in addresses {
        if let (0, Some(first)) = (port, listeners.first().and_then(|first: &TcpListener| first.local_addr().ok())) {
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
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_wildcard_addresses_share_one_port() {
        let listening = |on: &str| Passed::take().listen(&on.parse().unwrap());
        let both = listening("0").unwrap();
        let ports: Vec<u16> = both.iter().map(|listener| listener.local_addr().unwrap().port()).collect();
        assert!(ports.iter().all(|port| *port == ports[0] && *port != 0), "{ports:?}");
        // The port is in use, so another listener fails.
        assert!(listening(&format!("0.0.0.0:{}", ports[0])).is_err());
        let name = listening("localhost:0").unwrap();
        assert!(name.iter().all(|listener| listener.local_addr().unwrap().ip().is_loopback()));
        assert_eq!(listening("fd:0").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
