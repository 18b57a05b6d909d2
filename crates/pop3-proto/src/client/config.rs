//! Limits and time-outs of a client.

use core::time::Duration;

use crate::cleartext_login::CleartextLogin;

/// The limits for replies of a server, which may be endless, and the rule for logins in the clear.
// H30, Q16
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// The maximum octets of a line outside message bodies, line end included. Default: 8 KiB.
    pub max_line: usize,
    /// The maximum entries of a listing. A caller that keeps them all needs about 100 octets of memory for each. Default:
    /// 2,000,000.
    pub max_listing: u64,
    /// The maximum octets of a listing. Default: 128 MiB.
    pub max_listing_octets: u64,
    /// The maximum lines of the reply to `CAPA`. Default: 20,000.
    pub max_capabilities: u64,
    /// The maximum octets of the reply to `CAPA`. Default: 1 MiB.
    pub max_capabilities_octets: u64,
    /// The maximum octets of a message. The default, `None`, sets no limit: message bodies are streamed.
    pub max_message: Option<u64>,
    /// The octets of an abandoned message that are read and discarded for the next command. If the server has announced that more are left,
    /// the session fails instead, because a new connection is faster. `None` sets no limit. Default: 1 MiB.
    pub max_skipped: Option<u64>,
    /// The maximum number of commands in flight, at least 1. Default: 64.
    pub window: usize,
    /// The rule for logins without TLS. Default: they are refused.
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
            max_skipped: Some(1024 * 1024),
            window: 64,
            cleartext_login: CleartextLogin::Refuse,
        }
    }
}

/// The deadline that applies now. The machine has no clock: it names the deadline, and the driver measures the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// The greeting, from the moment that the connection is established.
    Greeting,
    /// The reply to a login. Some servers need minutes for it.
    // Q46
    Login,
    /// The first line of a reply, or the rest of a listing; it begins anew with each 16 KiB of the listing.
    Command,
    /// The rest of a message; it begins anew with each 16 KiB of the message.
    Body,
    /// The reply to `QUIT`. The server removes the marked messages before it replies.
    Quit,
}

impl Deadline {
    /// Returns the wait in words that complete "the server was silent while …".
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

/// The duration of each deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For the connection to each address, and for the TLS handshake. Default: 30 s.
    pub connect: Duration,
    /// For [`Deadline::Greeting`]. Default: 60 s.
    pub greeting: Duration,
    /// For [`Deadline::Login`]. Default: 300 s.
    pub login: Duration,
    /// For [`Deadline::Command`]. Default: 120 s.
    pub command: Duration,
    /// For [`Deadline::Body`]. Default: 60 s.
    pub body: Duration,
    /// For [`Deadline::Quit`]. Default: 300 s.
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
    /// Returns the duration of a deadline.
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
