//! Errors of requests.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use thiserror::Error;

use super::refusal_words::{RefusalMeaning, meaning_of};
use crate::client::error::{Awaiting, LocalError, RemoteError, Service};
use crate::codec::{Escaped, Reply, ResponseCode, Verb};
use crate::sasl::SaslError;

/// A reply with `-ERR`.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The refused command; `None` if the greeting refused the session.
    pub verb: Option<Verb>,
    code: Option<Box<[u8]>>,
    /// The server's human-readable text, as bytes; `Display` of the refusal shows it escaped.
    pub text: Box<[u8]>,
    /// The server's reason from inside the SASL exchange, as bytes: JSON if a token was refused (RFC 7628 §3.2.3).
    pub detail: Option<Box<[u8]>>,
    /// The minimum time until the next login, if the server announced it (RFC 2449 §6.5).
    // S41
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// Creates a refusal from a reply with `-ERR`. `verb`: the refused command, or `None` for the greeting.
    pub fn new(verb: Option<Verb>, reply: Reply<'_>) -> Self {
        Self {
            verb,
            code: reply.code.map(|code| code.as_bytes().into()),
            text: reply.text.into(),
            detail: None,
            retry_after: None,
        }
    }

    /// Returns the response code, if the server sent one.
    pub fn code(&self) -> Option<ResponseCode<'_>> {
        self.code.as_deref().map(ResponseCode::from_bytes)
    }

    /// Returns the meaning of the refusal, from its response code and from words that servers are known to use; `None` if it is
    /// unknown.
    pub fn meaning(&self) -> Option<RefusalMeaning> {
        let by_words = meaning_of(&self.text);
        match (self.code(), by_words) {
            (Some(ResponseCode::InUse | ResponseCode::LoginDelay | ResponseCode::SysTemp), _) => Some(RefusalMeaning::Later),
            (Some(_), Some(RefusalMeaning::OtherPassword | RefusalMeaning::SwitchedOff)) => by_words,
            (Some(ResponseCode::Auth), _) => Some(RefusalMeaning::Credentials),
            (Some(ResponseCode::SysPerm | ResponseCode::Utf8), _) => None,
            (Some(_) | None, by_words) => by_words,
        }
    }

    /// Returns `true` if the same command may succeed later: asking the user for another password does not help.
    pub fn is_transient(&self) -> bool {
        self.meaning() == Some(RefusalMeaning::Later)
    }
}

impl fmt::Debug for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self})")
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.verb {
            Some(verb) => write!(f, "the server refused {verb}")?,
            None => f.write_str("the server refuses sessions now")?,
        }
        if let Some(code) = &self.code {
            write!(f, " [{}]", Escaped(code))?;
        }
        if !self.text.is_empty() {
            write!(f, ": {}", Escaped(&self.text))?;
        }
        if let Some(detail) = &self.detail {
            write!(f, " ({})", Escaped(detail))?;
        }
        Ok(())
    }
}

/// The reason why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server answered `-ERR`; the session stays usable.
    #[error("{0}")]
    Refused(Refusal),
    /// A line of the reply cannot be parsed; the session stays usable. Holds the line in a form that is safe to print.
    #[error("the server's answer to {verb} cannot be read: \"{line}\"")]
    Unreadable {
        /// The command.
        verb: Verb,
        /// The line, escaped.
        line: String,
    },
    /// The server refused `STLS`, which the policy requires. No credentials were sent.
    // H07
    #[error("{0}; use implicit TLS (port 995), or allow a cleartext login by name")]
    NoTls(Refusal),
    /// The SASL exchange of a login cannot continue, or its result must not be trusted. Close the session.
    #[error("the login has failed: {0}")]
    Sasl(SaslError),
    /// No login method is supported by both sides, suits the credentials and is allowed by the caller.
    #[error("the server offers no way to log in that is possible and allowed here")]
    NoMechanism,
    /// An error of the caller.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The session has failed.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// The reason why a login failed, for a program that must decide how to continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginFailure {
    /// The name, the password or the token is wrong: another attempt will not help. Some servers close the connection instead of
    /// replying.
    // Q08
    WrongCredentials,
    /// The server may accept the same credentials later.
    Temporary {
        /// The minimum time until the next login, if the server announced it.
        retry_after: Option<Duration>,
    },
    /// A person must repair the server, or the server refuses for another reason.
    Permanent,
    /// POP3 is switched off for the account; the user can switch it on.
    SwitchedOff,
    /// The server requires another kind of password: an app password, an authorization code or a token.
    OtherPassword,
    /// The policy requires TLS, and the server refused to start it.
    NoTls,
    /// No login method is supported by both sides, suits the credentials and is allowed by the policy.
    NoMechanism,
    /// The port serves another protocol than POP3, or POP3 with the other TLS mode (`STLS` or implicit TLS).
    // Q04
    WrongService(Service),
}

impl RequestError {
    /// Returns the meaning of an error of [`login`](super::login); `None` if the error says nothing about the login, for example
    /// because the session failed.
    pub fn login_failure(&self) -> Option<LoginFailure> {
        let credentials = |verb: Verb| matches!(verb, Verb::User | Verb::Pass | Verb::Apop | Verb::Auth);
        match self {
            Self::NoTls(_) => Some(LoginFailure::NoTls),
            Self::NoMechanism => Some(LoginFailure::NoMechanism),
            Self::Refused(refusal) => Some(match (refusal.verb, refusal.code()) {
                _ if refusal.is_transient() => LoginFailure::Temporary { retry_after: refusal.retry_after },
                _ if refusal.meaning() == Some(RefusalMeaning::SwitchedOff) => LoginFailure::SwitchedOff,
                _ if refusal.meaning() == Some(RefusalMeaning::OtherPassword) => LoginFailure::OtherPassword,
                (_, Some(ResponseCode::SysPerm)) => LoginFailure::Permanent,
                (None, _) => LoginFailure::Temporary { retry_after: None },
                (Some(verb), _) if credentials(verb) => LoginFailure::WrongCredentials,
                _ => LoginFailure::Permanent,
            }),
            Self::Remote(RemoteError::Closed(Awaiting::Reply(verb))) if credentials(*verb) && *verb != Verb::User => {
                Some(LoginFailure::WrongCredentials)
            }
            Self::Remote(RemoteError::NotAReply(line)) => Service::of(line).map(LoginFailure::WrongService),
            _ => None,
        }
    }
}
