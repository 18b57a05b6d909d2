//! Errors of the client.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::codec::{Escaped, InvalidArgument, Verb};
use crate::state::State;

/// An error of the caller. Nothing was sent, and the session is unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The greeting has not arrived yet.
    #[error("the greeting has not come yet: nothing may be sent before it")]
    NotGreeted,
    /// The greeting has arrived already.
    #[error("the greeting has come already")]
    AlreadyGreeted,
    /// The command is not allowed in this state.
    #[error("{verb} is not allowed in the {state} state{}", if *.encrypted && *.verb == Verb::Stls { " under TLS" } else { "" })]
    WrongState {
        /// The command.
        verb: Verb,
        /// The state of the session.
        state: State,
        /// TLS is active.
        encrypted: bool,
    },
    /// The maximum number of commands, [`window`](super::ClientConfig::window), is in flight already.
    #[error("the window is full: read replies first")]
    WindowFull,
    /// A reply must come first: no command may be sent after `AUTH`, `STLS` or `QUIT` before the reply, and `AUTH` and `STLS` may
    /// not be sent while a reply is awaited.
    #[error("a reply must come before anything else is sent")]
    MustWait,
    /// `STLS` is not allowed after `UTF8` (RFC 6856 §2.1).
    #[error("STLS must come before UTF8")]
    StlsAfterUtf8,
    /// The login would be sent in the clear, which the configuration refuses.
    #[error("refusing to log in without TLS; use TLS or STLS, or allow a cleartext login by name")]
    CleartextLogin,
    /// The command line would be longer than a server must accept (RFC 2449 §4).
    #[error("the command line is longer than 255 octets")]
    LineTooLong,
    /// No challenge is pending.
    #[error("the server has not sent a challenge")]
    NotChallenged,
    /// The session has ended or failed.
    #[error("the session is over")]
    Closed,
    /// An argument cannot be sent.
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
}

/// The input that the session was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    /// No input.
    Nothing,
    /// The greeting.
    Greeting,
    /// The reply to a command.
    Reply(Verb),
    /// The rest of the reply to a command.
    Rest(Verb),
}

impl fmt::Display for Awaiting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("while nothing was asked"),
            Self::Greeting => f.write_str("before its greeting"),
            Self::Reply(verb) => write!(f, "before its reply to {verb}"),
            Self::Rest(verb) => write!(f, "in the middle of its reply to {verb}"),
        }
    }
}

/// An error of the server: it broke the protocol or closed the connection. The error is final: the machine returns the same error
/// from then on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The stream ended.
    #[error("the server closed the connection {0}")]
    Closed(Awaiting),
    /// The server sent a line that is not a reply. Holds the beginning of the line.
    #[error("the server does not speak POP3 here: it sent \"{}\"{}", Escaped(.0), other_service(.0))]
    NotAReply(Box<[u8]>),
    /// The server sent data that no command requested. Holds the beginning of the data.
    // H02
    #[error("the server sent what nobody asked for: \"{}\"", Escaped(.0))]
    Unsolicited(Box<[u8]>),
    /// Data in the clear followed the `+OK` to `STLS`: an attacker on the network path may be injecting replies.
    // H01
    #[error("the server sent bytes in the clear behind its +OK to STLS: the connection cannot be trusted")]
    DataAfterStls,
    /// The server has not agreed to TLS, so the session cannot be upgraded.
    #[error("the server has not agreed to TLS")]
    TlsNotAgreed,
    /// The server's replies to a login cannot be trusted, or the server does not end the login.
    #[error("the login cannot be believed: the server has not kept to the mechanism")]
    UntrustedLogin,
    /// A login or `STLS` was abandoned and cannot be resumed.
    #[error("a login was given up in the middle, and the session cannot go on from there; connect again")]
    Abandoned,
    /// A message was abandoned, and too much of it is left; see [`max_skipped`](super::ClientConfig::max_skipped).
    #[error("a message was given up in the middle, and the session with it; connect again")]
    MessageAbandoned,
    /// The server sent a line longer than [`max_line`](super::ClientConfig::max_line).
    #[error("the server sent a line that is longer than {limit} octets")]
    LineTooLong {
        /// The limit in octets.
        limit: usize,
    },
    /// A reply has more lines or octets than its limit.
    #[error("the reply to {verb} is larger than the limit of {limit}")]
    ReplyTooLarge {
        /// The command.
        verb: Verb,
        /// The limit in lines or in octets, whichever was exceeded.
        limit: u64,
    },
}

/// The service on a port where POP3 was expected.
// Q04
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Service {
    /// An IMAP server.
    Imap,
    /// An SMTP or FTP server.
    SmtpOrFtp,
    /// An SSH server.
    Ssh,
    /// A web server.
    Web,
    /// A server that uses TLS from the first byte.
    Tls,
    /// A server that does not begin with TLS.
    NoTls,
}

impl Service {
    /// Returns the service that sends such a first line; `None` if it is unknown, as it is for POP3.
    ///
    /// ```
    /// use pop3_proto::client::Service;
    ///
    /// assert_eq!(Service::of(b"* OK IMAP4rev1 ready"), Some(Service::Imap));
    /// assert_eq!(Service::of(b"+OK POP3 ready"), None);
    /// ```
    pub fn of(line: &[u8]) -> Option<Self> {
        const BEGINNINGS: [(&[u8], Service); 5] = [
            (b"* ", Service::Imap),
            (b"220", Service::SmtpOrFtp),
            (b"SSH-", Service::Ssh),
            (b"HTTP/", Service::Web),
            (b"\x15\x03", Service::Tls),
        ];
        BEGINNINGS.into_iter().find(|(beginning, _)| line.starts_with(beginning)).map(|(_, service)| service)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Imap => "that is an IMAP server; POP3 is usually on port 995 or 110",
            Self::SmtpOrFtp => "that is an SMTP or FTP server; POP3 is usually on port 995 or 110",
            Self::Ssh => "that is an SSH server",
            Self::Web => "that is a web server",
            Self::Tls => "that is TLS: use implicit TLS on this port",
            Self::NoTls => "the server does not begin with TLS on this port: use STLS",
        })
    }
}

/// Returns a note on the service that sent the line; empty if the service is unknown.
fn other_service(line: &[u8]) -> String {
    Service::of(line).map(|service| alloc::format!(" ({service})")).unwrap_or_default()
}
