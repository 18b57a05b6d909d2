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
use alloc::string::ToString;
use alloc::vec::Vec;
use core::mem;

pub use super::auth::auth;
pub use super::batch::batch;
use super::connection::Outbox;
use super::login::{Login, LoginContext, LoginPolicy};
pub use super::one::{list_one, uidl_one};
pub use super::refusal::{LoginFailure, Refusal, RequestError};
use super::{ClientEvent, LocalError, OwnedGreeting, Tag};
use crate::codec::{
    Capabilities, Command, DropListing, Escaped, MAX_COMMAND_LINE, MalformedListing, MessageNumber, Password, ScanListing,
    Status, UniqueIdListing, Username, Word, trim_blanks,
};
use crate::sasl::Credentials;
#[cfg(feature = "apop")]
use crate::sasl::prepare;

/// An operation: it sends, it hears what comes, and in the end it has something to say.
pub trait Request {
    /// What the operation gives.
    type Output;

    /// Sends the first command.
    ///
    /// # Errors
    /// The session does not allow it now.
    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError>;

    /// What there is without a word of the server; mostly nothing.
    fn at_once(&mut self) -> Option<Self::Output> {
        None
    }

    /// Takes in an event; `Some` when all is done. Events of other commands are passed over.
    ///
    /// # Errors
    /// The server refused, or its answer cannot be read. The operation is over; the session lives on.
    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<Self::Output>, RequestError>;
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
        all.push(entry(UniqueIdListing::parse(line)?));
        Ok(())
    })
}

/// A unique-id that is longer than any that is meant seriously is none (Q22).
pub(super) fn entry(listing: UniqueIdListing<'_>) -> UniqueIdEntry {
    let unique_id = if listing.unique_id.len() > 1024 { &[] } else { listing.unique_id };
    UniqueIdEntry { number: listing.number, unique_id: unique_id.into() }
}

/// `UTF8`: messages may come in UTF-8 from now on (RFC 6856 §2.1). Before login, and behind `STLS`.
pub fn utf8() -> impl Request<Output = ()> {
    plain(Command::Utf8)
}

/// `LANG` alone: the languages that the server speaks to people, each with its tag and perhaps its name (RFC 6856 §3.2).
pub fn languages() -> impl Request<Output = Vec<Box<[u8]>>> {
    Ask::<Vec<_>>::lines(Command::Lang(None), |all, line| {
        all.push(trim_blanks(line).into());
        Ok(())
    })
}

/// `LANG` with a language, or `*` for the one that the server prefers.
pub fn lang(range: Word<'_>) -> impl Request<Output = ()> {
    plain(Command::Lang(Some(range)))
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

/// Logs in, from wherever the session is before login, in one request: waits for the greeting, asks for the capabilities, has the
/// connection switched to TLS where the policy demands it, asks again, takes the strongest mechanism that both sides have, and goes
/// down from there only if the server refuses the mechanism itself. Wrong credentials are not tried again in another way, and
/// nothing goes over the wire in the clear that should not (H07, H08).
///
/// [`RequestError::login_failure`] tells what an error means.
pub fn login<'a>(credentials: &'a Credentials, policy: &'a LoginPolicy, context: LoginContext<'a>) -> Login<'a> {
    Login::new(credentials, policy, context)
}

/// Logs in with `APOP`, by the timestamp of the greeting (RFC 1939 §7).
#[cfg(feature = "apop")]
pub fn apop<'a>(name: Username<'a>, password: &[u8], timestamp: &[u8]) -> impl Request<Output = ()> + use<'a> {
    plain(Command::Apop(name, crate::codec::ApopDigest::of(timestamp, prepare(password).as_deref().unwrap_or(password))))
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
