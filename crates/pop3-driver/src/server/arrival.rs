//! What is known of a client when its connection arrives.

use std::io;
use std::net::IpAddr;
use std::time::Instant;

use pop3_proto::server::ProxiedClient;

use super::shared::ServerShared;
use crate::time::deadline_after;
use crate::{ProxyHandshake, ProxyHeader, SessionPermit};

/// A connection that has arrived, before its session: whether a proxy speaks for its client, and where the client is.
#[derive(Debug)]
pub struct Arrival {
    /// The peer is a trusted proxy.
    from_proxy: bool,
    /// `XCLIENT` is accepted.
    trusted: bool,
    /// The header of the PROXY protocol, if it is expected.
    header: Option<ProxyHeader>,
    peer: Option<IpAddr>,
    permit: Option<SessionPermit>,
    login_deadline: Instant,
}

impl Arrival {
    /// A connection from `peer`; `None` if the address is not known.
    pub fn new(shared: &ServerShared, peer: Option<IpAddr>, now: Instant) -> Self {
        let from_proxy = peer.is_some_and(|peer| shared.options().trusts(peer));
        let login_deadline = deadline_after(now, shared.options().timeouts.login);
        // After the header of the PROXY protocol, whoever reads it, every octet is the client's, which is not trusted.
        let trusted = from_proxy && !shared.options().proxy_protocol;
        Self { from_proxy, trusted, header: None, peer, permit: None, login_deadline }
    }

    /// Expects the header of the PROXY protocol, if the options say so and the peer is a trusted proxy.
    #[must_use]
    pub fn with_proxy_header(self, shared: &ServerShared) -> Self {
        let header = (self.from_proxy && shared.options().proxy_protocol).then(ProxyHeader::default);
        Self { header, ..self }
    }

    /// Keeps a permit, whose source is not counted, as long as the session exists.
    #[must_use]
    pub fn with_permit(self, permit: SessionPermit) -> Self {
        Self { permit: Some(permit), ..self }
    }

    /// Returns the header that must be read first, if there is one.
    pub fn proxy_header(&mut self) -> Option<&mut (dyn ProxyHandshake + Send)> {
        self.header.as_mut().map(|header| header as &mut (dyn ProxyHandshake + Send))
    }

    /// Returns when the client must have logged in.
    pub const fn login_deadline(&self) -> Instant {
        self.login_deadline
    }

    /// Returns the client that the header names.
    pub(super) fn proxied_client(&self) -> Option<ProxiedClient> {
        self.header.as_ref().and_then(ProxyHeader::proxied_client)
    }

    /// Returns the address of the client, as far as the connection tells: a proxy brings clients of many addresses.
    pub(super) fn source(&self) -> Option<IpAddr> {
        if self.from_proxy { self.proxied_client().map(|client| client.address) } else { self.peer }
    }

    /// Returns `true` if `XCLIENT` is accepted.
    pub(super) const fn is_trusted(&self) -> bool {
        self.trusted
    }

    pub(super) const fn take_permit(&mut self) -> Option<SessionPermit> {
        self.permit.take()
    }

    /// Counts the session for its source, and keeps the permit as long as the session exists.
    ///
    /// # Errors
    /// There are too many sessions from that source: close the connection.
    pub fn admit(&mut self, mut permit: SessionPermit) -> io::Result<()> {
        if self.source().is_some_and(|source| !permit.set_source(source)) {
            return Err(io::Error::other("too many sessions from one source"));
        }
        self.permit = Some(permit);
        Ok(())
    }
}
