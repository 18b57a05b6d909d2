//! The properties of a connection that an exchange uses.

use super::channel_binding::ChannelBinding;

/// The properties of a connection that an exchange uses.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeContext<'a> {
    /// The host that the user named; some mechanisms send it.
    pub host: &'a str,
    /// The port; some mechanisms send it.
    pub port: u16,
    /// Eighteen random octets, never used before.
    pub nonce: [u8; 18],
    /// The channel bindings of the connection.
    pub binding: &'a ChannelBinding,
    /// The server offers the `-PLUS` form of the mechanism too. If it does not although the connection has a binding, the
    /// mechanism reports this to the server, so that the server detects a manipulated offer (RFC 5802 §6).
    pub plus_is_offered: bool,
}
