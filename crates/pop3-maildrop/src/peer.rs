//! Information about a client.

use std::net::IpAddr;
use std::sync::Arc;

use pop3_proto::server::{ProxiedClient, Session, TlsInfo};

/// Information about a client, for stores, limits and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Peer {
    /// The client's address: the connection's, or the one that a trusted proxy names. `None` if it is not known.
    pub address: Option<IpAddr>,
    /// The client that a trusted proxy has named, by the PROXY protocol or by `XCLIENT`.
    pub proxied: Option<ProxiedClient>,
    /// The connection is encrypted.
    pub encrypted: bool,
    /// The properties of the TLS connection, if the driver knows them.
    pub tls: Option<Arc<TlsInfo>>,
    /// The client's verified certificate, in DER.
    pub certificate: Option<Arc<[u8]>>,
}

impl Peer {
    /// Returns the information about a client at this address.
    pub fn new(address: Option<IpAddr>, encrypted: bool) -> Self {
        Self { address, encrypted, ..Self::default() }
    }

    /// Returns the information about the client of a session. `address` is the connection's; an address that a proxy names takes
    /// its place.
    pub fn of_session(session: &Session, address: Option<IpAddr>) -> Self {
        let (proxied, info) = (session.proxied_client(), session.connection_info());
        Self {
            address: proxied.map(|client| client.address).or(address),
            proxied,
            encrypted: session.is_encrypted(),
            tls: info.tls.clone(),
            certificate: info.certificate.clone(),
        }
    }
}
