//! What the doctor finds.

use std::time::Duration;

use crate::failure::Exit;
use crate::language::Message;

/// A step of an examination, in the order of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    /// Which server, port and user apply, and where that is known from.
    Settings,
    /// The addresses of the host.
    Names,
    /// The connection to each address.
    Network,
    /// The protocol that answers.
    Service,
    /// TLS and the certificate.
    Tls,
    /// The greeting and the capabilities.
    Pop3,
    Login,
    /// The number and the size of the messages.
    Mailbox,
    /// The time of a command, and what a pipeline saves.
    Speed,
}

impl Check {
    /// Returns the name in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Settings => "settings",
            Self::Names => "names",
            Self::Network => "network",
            Self::Service => "service",
            Self::Tls => "tls",
            Self::Pop3 => "pop3",
            Self::Login => "login",
            Self::Mailbox => "mailbox",
            Self::Speed => "speed",
        }
    }

    /// Returns the name for people.
    pub const fn name(self) -> Message {
        match self {
            Self::Settings => Message::new("check-settings"),
            Self::Names => Message::new("check-names"),
            Self::Network => Message::new("check-network"),
            Self::Service => Message::new("check-service"),
            Self::Tls => Message::new("check-tls"),
            Self::Pop3 => Message::new("check-pop3"),
            Self::Login => Message::new("check-login"),
            Self::Mailbox => Message::new("check-mailbox"),
            Self::Speed => Message::new("check-speed"),
        }
    }
}

/// How a finding is to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is well.
    Good,
    /// Worth knowing; nothing to be done.
    Note,
    /// Mail can be fetched, and something should be done.
    Warning,
    /// Mail cannot be fetched this way.
    Failed,
}

impl Outcome {
    /// Returns the name in JSON.
    pub const fn id(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// One finding: what was seen, what it means and what to do next.
#[derive(Clone, Debug)]
pub struct Finding {
    pub check: Check,
    pub outcome: Outcome,
    pub found: Message,
    pub means: Option<Message>,
    pub next: Vec<Message>,
    pub took: Option<Duration>,
    /// The exit code of the program, if this finding keeps mail from being fetched.
    pub exit: Exit,
}

impl Finding {
    fn new(check: Check, outcome: Outcome, found: Message) -> Self {
        Self { check, outcome, found, means: None, next: Vec::new(), took: None, exit: Exit::Other }
    }

    pub fn good(check: Check, found: Message) -> Self {
        Self::new(check, Outcome::Good, found)
    }

    pub fn note(check: Check, found: Message) -> Self {
        Self::new(check, Outcome::Note, found)
    }

    pub fn warning(check: Check, found: Message) -> Self {
        Self::new(check, Outcome::Warning, found)
    }

    pub fn failed(check: Check, exit: Exit, found: Message) -> Self {
        Self { exit, ..Self::new(check, Outcome::Failed, found) }
    }

    /// Adds what it means.
    #[must_use]
    pub fn means(self, means: Message) -> Self {
        Self { means: Some(means), ..self }
    }

    /// Adds something to do.
    #[must_use]
    pub fn next(mut self, next: Message) -> Self {
        self.next.push(next);
        self
    }

    /// Adds how long it took.
    #[must_use]
    pub const fn took(mut self, took: Duration) -> Self {
        self.took = Some(took);
        self
    }
}
