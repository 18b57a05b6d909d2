//! What a client may be told, and how long it waits.

use core::time::Duration;

use crate::cleartext_login::CleartextLogin;

/// Limits against a server that never stops (H30, Q16), and the rule about passwords.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Octets of the longest line outside message bodies, its end included.
    pub max_line: usize,
    /// Entries of the longest listing. One message costs about 100 octets of memory in a caller that keeps them all.
    pub max_listing: u64,
    /// Octets of the longest listing.
    pub max_listing_octets: u64,
    /// Lines of the longest reply to `CAPA`.
    pub max_capabilities: u64,
    /// Octets of the longest reply to `CAPA`.
    pub max_capabilities_octets: u64,
    /// Octets of the largest message; `None`: as large as it comes, bodies are streamed.
    pub max_message: Option<u64>,
    /// How many commands may wait for their replies at once.
    pub window: usize,
    /// Whether to log in without TLS.
    pub cleartext_login: CleartextLogin,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            max_line: 8 * 1024,
            max_listing: 2_000_000,
            max_listing_octets: 128 * 1024 * 1024,
            max_capabilities: 20_000,
            max_capabilities_octets: 1024 * 1024,
            max_message: None,
            window: 64,
            cleartext_login: CleartextLogin::Refuse,
        }
    }
}

/// Which deadline applies now. The machine has no clock: it names the deadline, the driver keeps the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// The greeting, from the moment the connection stands.
    Greeting,
    /// The reply to a login, which some servers take minutes for (Q46).
    Login,
    /// The first line of a reply, or the rest of a listing.
    Command,
    /// The next piece of a message; begins anew with each piece.
    Body,
    /// The reply to `QUIT`, behind which the server removes messages.
    Quit,
}

impl Deadline {
    /// What is going on, for "the server was silent while …".
    pub const fn waiting_for(self) -> &'static str {
        match self {
            Self::Greeting => "its greeting was awaited",
            Self::Login => "the login was awaited",
            Self::Command => "a reply was awaited",
            Self::Body => "a message was being received",
            Self::Quit => "the end of the session was awaited",
        }
    }
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection, each address by itself, and for the TLS handshake.
    pub connect: Duration,
    /// For [`Deadline::Greeting`].
    pub greeting: Duration,
    /// For [`Deadline::Login`].
    pub login: Duration,
    /// For [`Deadline::Command`].
    pub command: Duration,
    /// For [`Deadline::Body`].
    pub body: Duration,
    /// For [`Deadline::Quit`].
    pub quit: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            greeting: Duration::from_secs(60),
            login: Duration::from_secs(300),
            command: Duration::from_secs(120),
            body: Duration::from_secs(60),
            quit: Duration::from_secs(300),
        }
    }
}

impl Timeouts {
    /// The time for a deadline.
    pub const fn of(&self, deadline: Deadline) -> Duration {
        match deadline {
            Deadline::Greeting => self.greeting,
            Deadline::Login => self.login,
            Deadline::Command => self.command,
            Deadline::Body => self.body,
            Deadline::Quit => self.quit,
        }
    }
}
