//! A driver's information about a connection.

use alloc::boxed::Box;
use alloc::sync::Arc;

use super::proxied_client::ProxiedClient;
use crate::sasl::ChannelBinding;

/// The information about a connection that a driver has before the session begins.
#[derive(Clone, Debug, Default)]
pub struct ConnectionInfo {
    /// TLS is active.
    pub encrypted: bool,
    /// Eighteen random octets that no other connection has. Challenges and the greeting's timestamp contain them.
    pub nonce: [u8; 18],
    /// The channel bindings of the connection.
    pub binding: ChannelBinding,
    /// The client's verified certificate, in DER. `EXTERNAL` is offered only if it is present.
    pub certificate: Option<Arc<[u8]>>,
    /// The properties of the TLS connection, if the driver knows them.
    pub tls: Option<Arc<TlsInfo>>,
    /// The client that a proxy has named before the session.
    pub proxied_client: Option<ProxiedClient>,
    /// The peer is a trusted proxy, so `XCLIENT` is accepted.
    pub trusted: bool,
}

/// The properties of a client's TLS connection, for stores and logs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TlsInfo {
    /// The version, such as `TLSv1.3`.
    pub version: Box<str>,
    /// The cipher suite, such as `TLS13_AES_256_GCM_SHA384`.
    pub cipher: Box<str>,
    /// The name of the server that the client requested (SNI, RFC 6066 §3).
    pub server_name: Option<Box<str>>,
    /// The protocol that both sides agreed on (ALPN, RFC 7301).
    pub protocol: Option<Box<[u8]>>,
}

impl TlsInfo {
    /// Describes a connection by its version and its cipher suite.
    pub fn new(version: impl Into<Box<str>>, cipher: impl Into<Box<str>>) -> Self {
        Self { version: version.into(), cipher: cipher.into(), ..Self::default() }
    }
}

impl ConnectionInfo {
    /// Describes a connection in the clear.
    pub fn clear(nonce: [u8; 18]) -> Self {
        Self { nonce, ..Self::default() }
    }

    /// Describes a connection over TLS.
    pub fn encrypted(nonce: [u8; 18], binding: ChannelBinding) -> Self {
        Self { encrypted: true, nonce, binding, ..Self::default() }
    }
}
