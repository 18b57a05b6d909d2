//! Why a request fails.

use alloc::boxed::Box;
use alloc::string::String;
use core::fmt;
use core::time::Duration;

use thiserror::Error;

use super::refusal_words::{RefusalMeaning, meaning_of};
use crate::client::error::{Awaiting, LocalError, RemoteError, Service};
use crate::codec::{Escaped, Reply, ResponseCode, Verb};
use crate::sasl::SaslError;

/// The server answered `-ERR`.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused; `None`: the whole session, by its greeting.
    pub verb: Option<Verb>,
    code: Option<Box<[u8]>>,
    /// What the server says to a person, as bytes; `Display` of the refusal shows it safely.
    pub text: Box<[u8]>,
    /// What the server said about it inside the exchange, as bytes: for a token, JSON (RFC 7628 §3.2.3).
    pub detail: Option<Box<[u8]>>,
    /// How long the server wants to be left alone, where it has announced that (S41).
    pub retry_after: Option<Duration>,
}

impl Refusal {
    /// The refusal that a reply with `-ERR` is. `verb`: the command that it answers; `None`: it is the greeting.
    pub fn new(verb: Option<Verb>, reply: Reply<'_>) -> Self {
        Self {
            verb,
            code: reply.code.map(|code| code.as_bytes().into()),
            text: reply.text.into(),
            detail: None,
            retry_after: None,
        }
    }

    /// The response code, where the server sent one.
    pub fn code(&self) -> Option<ResponseCode<'_>> {
        self.code.as_deref().map(ResponseCode::from_bytes)
    }

    /// What the refusal means: by its response code, or, without one, by words that servers are known to use. `None`: neither tells.
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

    /// Returns `true` if the same command may work later: no reason to ask a person for another password.
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

/// Why an operation failed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The server said no; the session lives.
    #[error("{0}")]
    Refused(Refusal),
    /// A line of the answer cannot be read; the session lives. Holds what was read, safe to print.
    #[error("the server's answer to {verb} cannot be read: \"{line}\"")]
    Unreadable {
        /// The command.
        verb: Verb,
        /// The line, escaped.
        line: String,
    },
    /// The server refused `STLS`, which the policy demands; nothing was sent that nobody else should see (H07).
    #[error("{0}; use implicit TLS (port 995), or allow a cleartext login by name")]
    NoTls(Refusal),
    /// The exchange of the login cannot go on, or must not be believed. Close the session.
    #[error("the login has failed: {0}")]
    Sasl(SaslError),
    /// No way to log in that both sides have, the credentials fit and the caller allows.
    #[error("the server offers no way to log in that is possible and allowed here")]
    NoMechanism,
    /// The caller's mistake.
    #[error(transparent)]
    Local(#[from] LocalError),
    /// The session is broken.
    #[error(transparent)]
    Remote(#[from] RemoteError),
}

/// Why a login failed, for a program that has to decide what comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginFailure {
    /// The name, the password or the token is wrong: another try will not help. Some servers only close the connection then (Q08).
    WrongCredentials,
    /// The server may take the same credentials later.
    Temporary {
        /// How long the server wants to be left alone, where it has said so.
        retry_after: Option<Duration>,
    },
    /// The server needs a person to mend it, or refuses for a reason of its own.
    Permanent,
    /// POP3 is switched off for the account: its owner can switch it on.
    SwitchedOff,
    /// The server demands another kind of password: an app password, an authorization code or a token.
    OtherPassword,
    /// There is no TLS, which the policy demands.
    NoTls,
    /// Both sides have no mechanism in common that the policy allows and the credentials fit.
    NoMechanism,
    /// Something else than POP3, or POP3 with TLS the other way, is on this port (Q04).
    WrongService(Service),
}

impl RequestError {
    /// What the error of a [`login`](super::login) means; `None`: the session broke, or something else went wrong that tells nothing about the
    /// login.
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
