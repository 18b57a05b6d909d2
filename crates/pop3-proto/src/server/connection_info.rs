//! A driver's information about a connection.

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
    /// The client that a proxy has named before the session.
    pub proxied_client: Option<ProxiedClient>,
    /// The peer is a trusted proxy, so `XCLIENT` is accepted.
    pub trusted: bool,
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
