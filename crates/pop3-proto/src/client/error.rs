//! What can go wrong on the client side.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;

use thiserror::Error;

use crate::codec::{Escaped, InvalidArgument, Verb};
use crate::state::State;

/// The caller's mistake. Nothing was sent, and the session is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The greeting has not come.
    #[error("the greeting has not come yet: nothing may be sent before it")]
    NotGreeted,
    /// The greeting has come already.
    #[error("the greeting has come already")]
    AlreadyGreeted,
    /// The command does not belong into this state.
    #[error("{verb} is not allowed in the {state} state{}", if *.encrypted && *.verb == Verb::Stls { " under TLS" } else { "" })]
    WrongState {
        /// The command.
        verb: Verb,
        /// The state of the session.
        state: State,
        /// Whether TLS is active.
        encrypted: bool,
    },
    /// So many commands are in flight already.
    #[error("the window is full: read replies first")]
    WindowFull,
    /// Behind `STLS` and `QUIT` nothing may be sent, and `STLS` not behind anything.
    #[error("a reply must come before anything else is sent")]
    MustWait,
    /// `STLS` behind `UTF8` (RFC 6856 §2.1).
    #[error("STLS must come before UTF8")]
    StlsAfterUtf8,
    /// The login would cross the wire in the clear.
    #[error("refusing to log in without TLS; use TLS or STLS, or allow a cleartext login by name")]
    CleartextLogin,
    /// The line would be longer than a server has to take (RFC 2449 §4).
    #[error("the command line is longer than 255 octets")]
    LineTooLong,
    /// There is no challenge to answer.
    #[error("the server has not sent a challenge")]
    NotChallenged,
    /// The session has ended or failed.
    #[error("the session is over")]
    Closed,
    /// An argument cannot be sent.
    #[error(transparent)]
    Argument(#[from] InvalidArgument),
}

/// What the session was waiting for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaiting {
    /// Nothing.
    Nothing,
    /// The greeting.
    Greeting,
    /// The reply to a command.
    Reply(Verb),
    /// The rest of what the reply to a command brings.
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

/// The server broke the protocol or went away. Final: the machine gives the same error from then on.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RemoteError {
    /// The stream ended.
    #[error("the server closed the connection {0}")]
    Closed(Awaiting),
    /// A line where a reply was due is none. Holds the beginning of the line.
    #[error("the server does not speak POP3 here: it sent \"{}\"{}", Escaped(.0), other_service(.0))]
    NotAReply(Box<[u8]>),
    /// The server sent something that nobody asked for (H02). Holds its beginning.
    #[error("the server sent what nobody asked for: \"{}\"", Escaped(.0))]
    Unsolicited(Box<[u8]>),
    /// Something stood in the clear behind the `+OK` to `STLS` (H01): somebody may be injecting replies.
    #[error("the server sent bytes in the clear behind its +OK to STLS: the connection cannot be trusted")]
    DataAfterStls,
    /// There is no TLS to switch to: the server has not agreed to it.
    #[error("the server has not agreed to TLS")]
    TlsNotAgreed,
    /// The login cannot be believed, or the server does not end it.
    #[error("the login cannot be believed: the server has not kept to the mechanism")]
    UntrustedLogin,
    /// A login or `STLS` was given up in its middle, and there is no way on from there.
    #[error("a login was given up in the middle, and the session cannot go on from there; connect again")]
    Abandoned,
    /// A line over [`max_line`](super::ClientConfig::max_line).
    #[error("the server sent a line that is longer than {limit} octets")]
    LineTooLong {
        /// The limit in octets.
        limit: usize,
    },
    /// More lines or octets than the limit for this reply.
    #[error("the reply to {verb} is larger than the limit of {limit}")]
    ReplyTooLarge {
        /// The command.
        verb: Verb,
        /// Lines, or octets for a message.
        limit: u64,
    },
}

/// What is on a port where POP3 was expected (Q04).
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
    /// TLS from the first byte.
    Tls,
    /// No TLS, at least not from the first byte.
    NoTls,
}

impl Service {
    /// By the first line that came.
    pub(super) fn of(line: &[u8]) -> Option<Self> {
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

/// What a greeting of another protocol tells.
fn other_service(line: &[u8]) -> String {
    Service::of(line).map(|service| alloc::format!(" ({service})")).unwrap_or_default()
}
