//! The configuration of a server, and its deadlines.

use core::time::Duration;

use alloc::vec::Vec;

use super::extension::Extension;
use super::language::Language;
use crate::cleartext_login::CleartextLogin;
use crate::codec::{Expire, ReplyText};
use crate::sasl::Mechanism;

/// The policy that `EXPIRE` announces (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExpirePolicy {
    /// The time for which messages are kept.
    pub after: Expire,
    /// The time may be longer for some users.
    pub per_user: bool,
}

/// The delay that `LOGIN-DELAY` announces (RFC 2449 §6.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoginDelay {
    /// The delay in seconds: the largest of all users.
    pub seconds: u64,
    /// The delay may be smaller for some users.
    pub per_user: bool,
}

/// The support that `UTF8` announces (RFC 6856 §2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Utf8 {
    /// No support: the command is refused.
    No,
    /// Messages may be in UTF-8.
    #[default]
    Messages,
    /// Messages, names and passwords may be in UTF-8. Names and passwords are [prepared](crate::sasl::prepare) before the store
    /// receives them; the store must prepare its own before it compares them.
    MessagesAndLogins,
}

/// The limits on commands that are malformed or out of place.
// H38
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadCommandLimits {
    /// The number of bad commands before login at which the session is closed.
    pub before_login: u32,
    /// The number of bad commands after login at which the session is closed.
    pub after_login: u32,
}

/// The settings of a server: its texts, its features and its limits.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The text of the greeting.
    pub greeting: ReplyText<'static>,
    /// The text of the capability `IMPLEMENTATION`, for people. If it is empty, the capability is not announced.
    pub implementation: ReplyText<'static>,
    /// The server has a certificate, so `STLS` is announced and accepted.
    // S47
    pub stls: bool,
    /// The policy for logins before TLS.
    pub cleartext_login: CleartextLogin,
    /// The mechanisms for `AUTH`. They are offered only if the connection permits a login; those that expose the secret are not
    /// offered without TLS if `apop` is set.
    pub mechanisms: Vec<Mechanism>,
    /// The server offers `APOP`: the greeting has a timestamp. The store must know the passwords themselves. Without TLS, logins
    /// that send the password or token itself are then refused (RFC 1939 §13).
    // S26
    pub apop: bool,
    /// The support for UTF-8 in messages, names and passwords.
    pub utf8: Utf8,
    /// The server offers `LANG`: the client chooses the language of the reply texts.
    pub lang: bool,
    /// The language for clients that leave the choice to the server (`LANG *`). Before a client has chosen a language, the texts
    /// are in English, which needs only ASCII (RFC 6856 §3.2).
    pub language: Language,
    /// The server accepts `LAST`, a command that is older than RFC 1939.
    pub last: bool,
    /// The server accepts `UTF8` after login, too, without effect: some clients send it there.
    // Q51
    pub utf8_after_login: bool,
    /// The server accepts `NOOP` before login.
    // Q54
    pub noop_before_login: bool,
    /// Commands beyond those of the RFCs.
    pub extensions: Vec<Extension>,
    /// The time for which messages are kept: the largest number of days that is safe for every user. With 0 days, the session
    /// removes the retrieved messages at `QUIT`; with more days, the store must remove old messages.
    pub expire: ExpirePolicy,
    /// The delay that a user must keep between two logins. The server announces it; the store must enforce it.
    pub login_delay: Option<LoginDelay>,
    /// The longest line of a SASL exchange in octets, including its line end.
    pub max_sasl_line: usize,
    /// The longest command line in octets, including its line end; at least 255 octets are always accepted (RFC 2449 §4).
    // S02
    pub max_line: usize,
    /// The limits on commands that are malformed or out of place, at which the session is closed.
    pub max_bad_commands: BadCommandLimits,
    /// The number of wrong passwords after which the session is closed; at least 1.
    pub max_failed_logins: u32,
    /// The size of the unwritten output, in octets, from which on the driver must write before more is produced.
    // H37
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
            extensions: Vec::new(),
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

/// The deadline that applies. The session has no clock: it names the deadline, and the driver measures the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// The time from the start of the connection until login; received data does not extend it.
    // H35
    Login,
    /// The time between commands, and for each write; every command renews it.
    // H36
    Idle,
}

/// The durations of the deadlines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timeouts {
    /// The duration of [`Deadline::Login`], TLS handshakes included.
    pub login: Duration,
    /// The duration of [`Deadline::Idle`]; RFC 1939 §3 requires at least ten minutes.
    pub idle: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { login: Duration::from_secs(60), idle: Duration::from_secs(600) }
    }
}

impl Timeouts {
    /// Returns the duration of a deadline.
    pub const fn of(&self, deadline: Deadline) -> Duration {
        match deadline {
            Deadline::Login => self.login,
            Deadline::Idle => self.idle,
        }
    }
}
