//! Typed operations over the machine's events: what every driver can run.
//!
//! ```
//! use pop3_proto::client::{ClientConfig, Connection, RequestError, Step, requests};
//!
//! // What a driver does, with a server that has said everything in advance.
//! let mut connection = Connection::new_encrypted(ClientConfig::default());
//! let mut server = [&b"+OK ready\r\n"[..], b"+OK\r\nUIDL\r\n.\r\n"].into_iter();
//! let mut greet = requests::greet();
//! let mut capa = requests::capa();
//! let mut sent = Vec::new();
//! let mut run = |connection: &mut Connection, request: &mut dyn FnMut(&mut Connection) -> Result<Step<bool>, RequestError>| loop {
//!     match request(connection)? {
//!         Step::Done(value) => return Ok::<_, RequestError>(value),
//!         Step::Write => {
//!             let output = connection.output().to_vec();
//!             sent.extend_from_slice(&output);
//!             connection.written(output.len());
//!         }
//!         Step::Read => {
//!             let bytes = server.next().unwrap();
//!             connection.space()[..bytes.len()].copy_from_slice(bytes);
//!             connection.filled(bytes.len())?;
//!         }
//!     }
//! };
//! run(&mut connection, &mut |c| Ok(c.run(&mut greet)?.map(|greeting| greeting.timestamp.is_none())))?;
//! connection.start(&mut capa)?;
//! assert!(run(&mut connection, &mut |c| Ok(c.run(&mut capa)?.map(|capabilities| capabilities.uidl)))?);
//! assert_eq!(sent, b"CAPA\r\n");
//! # Ok::<(), RequestError>(())
//! ```

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::{fmt, mem};

use thiserror::Error;

use super::connection::Outbox;
pub use super::login::{auth, login};
use super::{ClientEvent, LocalError, RemoteError, Tag};
use crate::codec::{
    Capabilities, Command, DropListing, Escaped, MAX_COMMAND_LINE, MalformedListing, MessageNumber, Password, Reply,
    ResponseCode, ScanListing, Status, UniqueIdListing, Username, Verb, trim_blanks,
};
use crate::sasl::SaslError;

/// An operation: it sends, it hears what comes, and in the end it has something to say.
pub trait Request {
    /// What the operation gives.
    type Output;

    /// Sends the first command.
    ///
    /// # Errors
    /// The session does not allow it now.
    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError>;

    /// Takes in an event; `Some` when all is done. Events of other commands are passed over.
    ///
    /// # Errors
    /// The server refused, or its answer cannot be read. The operation is over; the session lives on.
    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<Self::Output>, RequestError>;
}

/// The server answered `-ERR`.
#[derive(Clone, PartialEq, Eq)]
pub struct Refusal {
    /// What was refused; `None`: the whole session, by its greeting.
    pub verb: Option<Verb>,
    code: Option<Box<[u8]>>,
    /// What the server says to a person, as bytes; `Display` of the refusal shows it safely.
    pub text: Box<[u8]>,
}

impl Refusal {
    pub(super) fn new(verb: Option<Verb>, reply: Reply<'_>) -> Self {
        Self { verb, code: reply.code.map(|code| code.as_bytes().into()), text: reply.text.into() }
    }

    /// The response code, where the server sent one.
    pub fn code(&self) -> Option<ResponseCode<'_>> {
        self.code.as_deref().map(ResponseCode::from_bytes)
    }

    /// The server says that it may work later: no reason to ask a person for another password (Q47).
    pub fn is_transient(&self) -> bool {
        matches!(self.code(), Some(ResponseCode::InUse | ResponseCode::LoginDelay | ResponseCode::SysTemp))
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

/// Reads a line into what is gathered.
type Gather<T> = fn(&mut T, &[u8]) -> Result<(), MalformedListing>;

/// One command whose answer is gathered into a `T`.
struct Ask<'a, T> {
    command: Command<'a>,
    tag: Option<Tag>,
    gathered: T,
    first_line: Gather<T>,
    /// `None`: the first line is all there is.
    line: Option<Gather<T>>,
    unreadable: Option<RequestError>,
}

impl<'a, T: Default> Ask<'a, T> {
    fn single(command: Command<'a>, first_line: Gather<T>) -> Self {
        Self { command, tag: None, gathered: T::default(), first_line, line: None, unreadable: None }
    }

    fn lines(command: Command<'a>, line: Gather<T>) -> Self {
        Self { command, tag: None, gathered: T::default(), first_line: |_, _| Ok(()), line: Some(line), unreadable: None }
    }

    fn note(&mut self, read: Result<(), MalformedListing>, line: &[u8]) {
        if read.is_err() && self.unreadable.is_none() {
            let verb = self.command.verb();
            self.unreadable = Some(RequestError::Unreadable { verb, line: Escaped(line).to_string() });
        }
    }

    fn finish(&mut self) -> Result<Option<T>, RequestError> {
        match self.unreadable.take() {
            Some(error) => Err(error),
            None => Ok(Some(mem::take(&mut self.gathered))),
        }
    }
}

impl<T: Default> Request for Ask<'_, T> {
    type Output = T;

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        self.tag = Some(outbox.send(self.command)?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut Outbox<'_>) -> Result<Option<T>, RequestError> {
        match event {
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => {
                if reply.status == Status::Err {
                    return Err(RequestError::Refused(Refusal::new(Some(self.command.verb()), reply)));
                }
                let read = (self.first_line)(&mut self.gathered, reply.text);
                self.note(read, reply.text);
                if self.line.is_none() { self.finish() } else { Ok(None) }
            }
            ClientEvent::Line(tag, line) if self.tag == Some(tag) => {
                // A blank line in a listing says nothing (Q20).
                if let Some(read) = self.line
                    && !trim_blanks(line).is_empty()
                {
                    let read = read(&mut self.gathered, line);
                    self.note(read, line);
                }
                Ok(None)
            }
            ClientEvent::End(tag) | ClientEvent::UpgradeTls(tag) if self.tag == Some(tag) => self.finish(),
            _ => Ok(None),
        }
    }
}

/// `STAT`: how much is in the maildrop.
pub fn stat() -> impl Request<Output = DropListing> {
    Ask::<DropListing>::single(Command::Stat, |listing, text| {
        *listing = DropListing::parse(text)?;
        Ok(())
    })
}

/// `LIST`: the sizes of all messages. Numbers may have gaps (Q24).
pub fn list() -> impl Request<Output = Vec<ScanListing>> {
    Ask::<Vec<_>>::lines(Command::List(None), |all, line| {
        all.push(ScanListing::parse(line)?);
        Ok(())
    })
}

/// One message of a `UIDL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueIdEntry {
    /// The message.
    pub number: MessageNumber,
    /// Its unique-id: any bytes, perhaps none, perhaps the same as another's (S17, H28). Never a path (H29).
    pub unique_id: Box<[u8]>,
}

/// `UIDL`: the unique-ids of all messages.
pub fn uidl() -> impl Request<Output = Vec<UniqueIdEntry>> {
    Ask::<Vec<_>>::lines(Command::Uidl(None), |all, line| {
        let UniqueIdListing { number, unique_id } = UniqueIdListing::parse(line)?;
        // One that is longer than any that is meant seriously is none (Q22).
        let unique_id = if unique_id.len() > 1024 { &[] } else { unique_id };
        all.push(UniqueIdEntry { number, unique_id: unique_id.into() });
        Ok(())
    })
}

/// `CAPA`: what the server can do. A refusal means: nothing is known (Q10).
pub fn capa() -> impl Request<Output = Capabilities> {
    Ask::<Capabilities>::lines(Command::Capa, |capabilities, line| {
        capabilities.add(line);
        Ok(())
    })
}

fn plain(command: Command<'_>) -> impl Request<Output = ()> {
    Ask::<()>::single(command, |(), _| Ok(()))
}

/// `DELE`: marks a message.
pub fn dele(number: MessageNumber) -> impl Request<Output = ()> {
    plain(Command::Dele(number))
}

/// `RSET`: takes all marks back.
pub fn rset() -> impl Request<Output = ()> {
    plain(Command::Rset)
}

/// `NOOP`: keeps the session.
pub fn noop() -> impl Request<Output = ()> {
    plain(Command::Noop)
}

/// `STLS`. When it is done, the connection must be upgraded before anything else.
pub fn stls() -> impl Request<Output = ()> {
    plain(Command::Stls)
}

/// `QUIT`. In `TRANSACTION` the reply says that what was marked is removed; a refusal says that not all of it is (S19).
pub fn quit() -> impl Request<Output = ()> {
    plain(Command::Quit)
}

/// `RETR`, up to its `+OK`: the output names the body, which [`Connection::next_chunk`](super::Connection::next_chunk) gives.
pub fn retr(number: MessageNumber) -> impl Request<Output = Tag> {
    Begin { command: Command::Retr(number), tag: None }
}

/// `TOP`, up to its `+OK`: the header and so many lines of the body follow as for [`retr`].
pub fn top(number: MessageNumber, lines: u64) -> impl Request<Output = Tag> {
    Begin { command: Command::Top(number, lines), tag: None }
}

struct Begin {
    command: Command<'static>,
    tag: Option<Tag>,
}

impl Request for Begin {
    type Output = Tag;

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        self.tag = Some(outbox.send(self.command)?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut Outbox<'_>) -> Result<Option<Tag>, RequestError> {
        match event {
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => match reply.status {
                Status::Ok => Ok(Some(tag)),
                Status::Err => Err(RequestError::Refused(Refusal::new(Some(self.command.verb()), reply))),
            },
            _ => Ok(None),
        }
    }
}

/// The greeting, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedGreeting {
    /// What the server says.
    pub text: Box<[u8]>,
    /// The timestamp for APOP, angle brackets included.
    pub timestamp: Option<Box<[u8]>>,
}

/// Waits for the greeting. A server that takes no sessions now refuses here (Q03).
pub fn greet() -> impl Request<Output = OwnedGreeting> {
    Greet
}

struct Greet;

impl Request for Greet {
    type Output = OwnedGreeting;

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        if outbox.is_greeted() { Err(LocalError::AlreadyGreeted) } else { Ok(()) }
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut Outbox<'_>) -> Result<Option<OwnedGreeting>, RequestError> {
        let ClientEvent::Greeting(greeting) = event else { return Ok(None) };
        match greeting.reply.status {
            Status::Ok => {
                Ok(Some(OwnedGreeting { text: greeting.reply.text.into(), timestamp: greeting.timestamp.map(Box::from) }))
            }
            Status::Err => Err(RequestError::Refused(Refusal::new(None, greeting.reply))),
        }
    }
}

/// Logs in with `USER` and `PASS`.
pub fn user_pass<'a>(name: Username<'a>, password: Password<'a>) -> impl Request<Output = ()> {
    let too_long = "PASS \r\n".len() + password.expose().len() > MAX_COMMAND_LINE;
    UserPass { name: plain(Command::User(name)), password: plain(Command::Pass(password)), named: false, too_long }
}

struct UserPass<U, P> {
    name: U,
    password: P,
    named: bool,
    /// The password would make the line longer than a server must take: found before anything is sent.
    too_long: bool,
}

impl<U: Request<Output = ()>, P: Request<Output = ()>> Request for UserPass<U, P> {
    type Output = ();

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        self.named = false;
        if self.too_long {
            return Err(LocalError::LineTooLong);
        }
        self.name.start(outbox)
    }

    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<()>, RequestError> {
        if self.named {
            return self.password.on_event(event, outbox);
        }
        if self.name.on_event(event, outbox)?.is_some() {
            self.named = true;
            self.password.start(outbox)?;
        }
        Ok(None)
    }
}
