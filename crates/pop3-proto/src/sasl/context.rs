//! What an exchange must know of its connection.

use super::channel_binding::ChannelBinding;

/// What an exchange must know of its connection.
#[derive(Clone, Copy, Debug)]
pub struct ExchangeContext<'a> {
    /// The host that the user named; some mechanisms send it.
    pub host: &'a str,
    /// The port; some mechanisms send it.
    pub port: u16,
    /// Eighteen random octets, never used before.
    pub nonce: [u8; 18],
    /// What a login can be bound to.
    pub binding: &'a ChannelBinding,
    /// The server offers the `-PLUS` form of the mechanism too. If the connection has a binding and the server does not offer that form,
    /// the mechanism reports it, so that the server notices when the offer was tampered with (RFC 5802 §6).
    pub plus_is_offered: bool,
}
