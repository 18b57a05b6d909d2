//! `pop3 doctor --conformance`: which statements of the RFCs a server keeps to, as far as a client can see. Nothing is read or deleted.

mod after_login;
mod before_login;
mod dialogue;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::Error;
use pop3_blocking::proto::Secret;
use pop3_blocking::rustls::ClientConfig;
use serde_json::{Value, json};

use super::report::Style;
use super::service::Begins;
use super::session::Login;
use super::subject::{Endpoint, Subject};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::server_text::readable;
use crate::terminal::wrap;
use crate::withhold::{reveals, withhold};
use dialogue::Dialogue;

/// Whether a statement holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    Yes,
    /// Holds what was seen instead.
    No(Message),
    /// The server does not have what the statement is about.
    NotHere,
}

/// A statement of an RFC, and whether the server keeps to it.
#[derive(Clone, Debug)]
pub struct Statement {
    /// The RFC and the section.
    source: &'static str,
    text: Message,
    holds: Holds,
}

impl Statement {
    fn new(source: &'static str, text: Message, holds: Holds) -> Self {
        Self { source, text, holds }
    }

    /// Returns a statement that holds if `is_kept`, with the line that shows it.
    fn shown(source: &'static str, text: Message, is_kept: bool, line: &[u8]) -> Self {
        Self::new(source, text, if is_kept { Holds::Yes } else { Holds::No(said(line)) })
    }

    /// Replaces what was seen if it contains a secret.
    fn withhold(&mut self, secret: &Secret) {
        if let Holds::No(seen) = &self.holds
            && reveals(seen.to_string().as_bytes(), secret)
        {
            self.holds = Holds::No(Message::new("conformance-withheld"));
        }
    }

    /// Returns `true` if the server breaks the statement.
    pub const fn is_broken(&self) -> bool {
        matches!(self.holds, Holds::No(_))
    }

    /// Returns `true` if the statement could be examined.
    pub fn is_examined(&self) -> bool {
        self.holds != Holds::NotHere
    }

    /// Returns the statement as lines of text.
    pub fn line(&self, style: Style) -> String {
        let (mark, color) = match self.holds {
            Holds::Yes => ("✓", "32"),
            Holds::No(_) => ("✗", "31"),
            Holds::NotHere => ("·", "36"),
        };
        let mark = if style.has_color { format!("\x1b[{color}m{mark}\x1b[0m") } else { mark.to_owned() };
        let margin = " ".repeat(18);
        let mut text = wrap(&self.text.to_string(), style.width, &margin, &margin);
        text = format!("{mark} {:16}{}", self.source, text.trim_start());
        if let Holds::No(seen) = &self.holds {
            text = format!("{text}\n{}", wrap(&seen.to_string(), style.width, &margin, &margin));
        }
        text
    }

    /// Returns the statement in JSON.
    pub fn json(&self) -> Value {
        let (holds, seen) = match &self.holds {
            Holds::Yes => (json!(true), None),
            Holds::No(seen) => (json!(false), Some(seen.to_string())),
            Holds::NotHere => (Value::Null, None),
        };
        json!({ "source": self.source, "id": self.text.id(), "text": self.text.to_string(), "holds": holds, "seen": seen })
    }
}

/// Returns what was seen, if it is a line of the server.
fn said(line: &[u8]) -> Message {
    Message::new("conformance-seen").with("seen", readable(line))
}

/// How the sessions of an examination begin.
pub struct Way<'a> {
    host: &'a str,
    address: SocketAddr,
    begins: Begins,
    tls: Arc<ClientConfig>,
    limit: Duration,
}

impl Way<'_> {
    /// Connects, and reads the greeting. The connection is encrypted.
    fn connect(&self) -> Result<(Dialogue, Vec<u8>), Error> {
        match self.begins {
            Begins::WithTls => {
                let mut dialogue = Dialogue::connect(self.address, self.limit)?.start_tls(self.host, &self.tls)?;
                let greeting = dialogue.line()?;
                Ok((dialogue, greeting))
            }
            Begins::InClear => {
                let mut dialogue = Dialogue::connect(self.address, self.limit)?;
                let greeting = dialogue.line()?;
                let reply = dialogue.ask("STLS")?;
                if !reply.starts_with(b"+OK") {
                    let text = readable(&reply);
                    return Err(std::io::Error::other(format!("the server refuses STLS: {text}")).into());
                }
                Ok((dialogue.start_tls(self.host, &self.tls)?, greeting))
            }
        }
    }
}

/// Examines a server. Returns the statements that were examined, and the failure that kept the rest from it.
///
/// # Errors
/// No session with TLS could be begun, or the first one broke.
pub fn examine(
    subject: &Subject,
    endpoint: Endpoint,
    address: IpAddr,
    tls: Arc<ClientConfig>,
    limit: Duration,
    login: Option<&Login>,
) -> Result<(Vec<Statement>, Option<Failure>), Failure> {
    let address = SocketAddr::new(address, endpoint.port);
    let way = Way { host: &subject.host, address, begins: endpoint.begins, tls, limit };
    let mut statements = before_login::examine(&way).map_err(Failure::from)?;
    let (Some(login), Some(user)) = (login, &subject.user) else { return Ok((statements, None)) };
    let failure = match after_login::examine(&way, user, login) {
        Ok(Some(more)) => {
            statements.extend(more);
            None
        }
        Ok(None) => Some(Failure::new(Exit::Login, Message::new("conformance-login-refused"))),
        Err(error) => Some(Failure::from(withhold(error, &login.secret))),
    };
    Ok((statements, failure))
}
