//! What a server may be told, and how long it waits.

use core::time::Duration;

use alloc::vec::Vec;

use super::language::Language;
use crate::cleartext_login::CleartextLogin;
use crate::codec::{Expire, ReplyText};
use crate::sasl::Mechanism;

/// What `EXPIRE` announces (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirePolicy {
    /// How long.
    pub after: Expire,
    /// It may be longer for some users.
    pub per_user: bool,
}

/// What `LOGIN-DELAY` announces (RFC 2449 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginDelay {
    /// Seconds: the largest that any user has.
    pub seconds: u64,
    /// It may be less for some users.
    pub per_user: bool,
}

/// What `UTF8` announces (RFC 6856 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Utf8 {
    /// Nothing: the command is refused.
    No,
    /// Messages may be in UTF-8.
    #[default]
    Messages,
    /// Names and passwords, too. They are [prepared](crate::sasl::prepare) before anybody sees them; a store must have prepared
    /// its own.
    MessagesAndLogins,
}

/// How many commands may be malformed or out of place.
// H38
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCommandLimits {
    /// The session is closed at this many before login.
    pub before_login: u32,
    /// The session is closed at this many after login.
    pub after_login: u32,
}

/// How a server presents itself, and its limits.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// Said in the greeting.
    pub greeting: ReplyText<'static>,
    /// Announced as `IMPLEMENTATION`, for people; empty: not announced.
    pub implementation: ReplyText<'static>,
    /// A certificate is there, so `STLS` is announced and taken (S47).
    pub stls: bool,
    /// Whether to take logins before TLS.
    pub cleartext_login: CleartextLogin,
    /// The mechanisms for `AUTH`; those that reveal the secret are offered only where a login may be.
    pub mechanisms: Vec<Mechanism>,
    /// OfferedMechanisms `APOP`: a timestamp in the greeting. The server must know the passwords themselves. In the clear it is then the only
    /// way: nobody may send a password where others answer a challenge (S26).
    pub apop: bool,
    /// Whether messages, names and passwords may be in UTF-8.
    pub utf8: Utf8,
    /// OfferedMechanisms `LANG`: the client chooses the language of the texts.
    pub lang: bool,
    /// The language for clients that leave the choice to the server (`LANG *`). Before a client has chosen, English is spoken: it
    /// is the one that needs nothing but ASCII (RFC 6856 §3.2).
    pub language: Language,
    /// Take `LAST`, which is older than the standard.
    pub last: bool,
    /// Take `UTF8` after login, too, and do nothing: some clients say it there (Q51).
    pub utf8_after_login: bool,
    /// Take `NOOP` before login (Q54).
    pub noop_before_login: bool,
    /// How long messages are kept; the largest number of days that is safe for every user. With 0 days the session removes at `QUIT`
    /// what was retrieved; more days are kept by whoever has the mail.
    pub expire: ExpirePolicy,
    /// How long a user must wait between two logins. Announced here; kept by whoever answers the login.
    pub login_delay: Option<LoginDelay>,
    /// Octets of the longest line of a SASL exchange, its end included.
    pub max_sasl_line: usize,
    /// Octets of the longest command line, its end included; at least 255 are always taken (S02).
    pub max_line: usize,
    /// How many commands may be malformed or out of place before the session is closed.
    pub max_bad_commands: BadCommandLimits,
    /// After so many wrong passwords the session is closed.
    pub max_failed_logins: u32,
    /// Octets of output after which the driver is asked to write before more is made (H37).
    pub output_high_water: usize,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            greeting: const { ReplyText::literal("POP3 server ready") },
            implementation: ReplyText::EMPTY,
            stls: false,
            cleartext_login: CleartextLogin::Refuse,
            mechanisms: Vec::new(),
            apop: false,
            utf8: Utf8::Messages,
            lang: true,
            language: Language::English,
            last: false,
            utf8_after_login: false,
            noop_before_login: false,
            expire: ExpirePolicy { after: Expire::Never, per_user: false },
            login_delay: None,
            max_sasl_line: 12 * 1024,
            max_line: 1024,
            max_bad_commands: BadCommandLimits { before_login: 10, after_login: 100 },
            max_failed_logins: 3,
            output_high_water: 64 * 1024,
        }
    }
}

/// Which deadline applies now. The machine has no clock: it names the deadline, the driver keeps the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// From the moment the connection stands until login; no byte renews it (H35).
    Login,
    /// Between commands, and for each write; every command renews it (H36).
    Idle,
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// For [`Deadline::Login`], TLS handshakes included.
    pub login: Duration,
    /// For [`Deadline::Idle`]: at least ten minutes by the RFC (1939 §3).
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { login: Duration::from_secs(60), idle: Duration::from_secs(600) }
    }
}

impl Timeouts {
    /// The time for a deadline.
    pub const fn of(&self, deadline: Deadline) -> Duration {
        match deadline {
            Deadline::Login => self.login,
            Deadline::Idle => self.idle,
        }
    }
}
