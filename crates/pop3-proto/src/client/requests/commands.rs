//! Requests of one command each.

use alloc::boxed::Box;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::mem;

use super::refusal::{Refusal, RequestError};
use super::request::Request;
use super::unique_id_entry::{UniqueIdEntry, unique_id_entry};
use crate::client::command_sink::CommandSink;
use crate::client::error::LocalError;
use crate::client::event::{ClientEvent, OwnedGreeting, Tag};
use crate::codec::{
    Capabilities, Command, DropListing, Escaped, ExtensionCommand, ExtensionShape, InvalidArgument, MAX_COMMAND_LINE,
    MalformedListing, MessageNumber, Password, ScanListing, Status, UniqueIdListing, Username, Word, is_blank, trim_blanks,
};
#[cfg(feature = "apop")]
use crate::sasl::prepare;

/// A function that parses a line and adds the result to the output.
type Gather<T> = fn(&mut T, &[u8]) -> Result<(), MalformedListing>;

/// A request of one command whose reply is collected in a `T`.
struct SimpleRequest<'a, T> {
    command: Command<'a>,
    tag: Option<Tag>,
    gathered: T,
    first_line: Gather<T>,
    /// The parser of the lines after the first one; `None` if the reply has only one line.
    line: Option<Gather<T>>,
    /// Blank lines are lines of the reply. In listings they are skipped.
    // Q20
    keeps_blank_lines: bool,
    unreadable: Option<RequestError>,
}

impl<'a, T: Default> SimpleRequest<'a, T> {
    fn single(command: Command<'a>, first_line: Gather<T>) -> Self {
        Self { command, tag: None, gathered: T::default(), first_line, line: None, keeps_blank_lines: false, unreadable: None }
    }

    fn lines(command: Command<'a>, line: Gather<T>) -> Self {
        let first_line: Gather<T> = |_, _| Ok(());
        Self { line: Some(line), ..Self::single(command, first_line) }
    }

    #[cold]
    fn note_unreadable(&mut self, line: &[u8]) {
        if self.unreadable.is_none() {
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

impl<T: Default> Request for SimpleRequest<'_, T> {
    type Output = T;

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.tag = Some(sink.send(self.command)?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut CommandSink<'_>) -> Result<Option<T>, RequestError> {
        match event {
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => {
                if reply.status == Status::Err {
                    return Err(RequestError::Refused(Refusal::new(Some(self.command.verb()), reply)));
                }
                if (self.first_line)(&mut self.gathered, reply.text).is_err() {
                    self.note_unreadable(reply.text);
                }
                if self.line.is_none() { self.finish() } else { Ok(None) }
            }
            ClientEvent::Line(tag, line) if self.tag == Some(tag) => {
                if let Some(read) = self.line
                    && (!line.iter().copied().all(is_blank) || self.keeps_blank_lines)
                    && read(&mut self.gathered, line).is_err()
                {
                    self.note_unreadable(line);
                }
                Ok(None)
            }
            ClientEvent::End(tag) | ClientEvent::UpgradeTls(tag) if self.tag == Some(tag) => self.finish(),
            _ => Ok(None),
        }
    }
}

/// Requests the number of messages in the maildrop and their total size (`STAT`).
pub fn stat() -> impl Request<Output = DropListing> {
    SimpleRequest::<DropListing>::single(Command::Stat, |listing, text| {
        *listing = DropListing::parse(text)?;
        Ok(())
    })
}

/// Requests the scan listing of all messages (`LIST`). The message numbers may have gaps.
// Q24
pub fn list() -> impl Request<Output = Vec<ScanListing>> {
    SimpleRequest::<Vec<_>>::lines(Command::List(None), |all, line| {
        all.push(ScanListing::parse(line)?);
        Ok(())
    })
}

/// Requests the unique-ids of all messages (`UIDL`).
pub fn uidl() -> impl Request<Output = Vec<UniqueIdEntry>> {
    SimpleRequest::<Vec<_>>::lines(Command::Uidl(None), |all, line| {
        all.push(unique_id_entry(UniqueIdListing::parse(line)?));
        Ok(())
    })
}

/// Sends an extension command whose reply is one line, and returns the text of its `+OK`.
///
/// ```
/// use pop3_proto::client::requests;
/// let quota = requests::extension_line("XQUOTA mail")?;
/// # drop(quota);
/// # Ok::<(), pop3_proto::codec::InvalidArgument>(())
/// ```
///
/// # Errors
/// The line is not valid; see [`ExtensionCommand::new`].
pub fn extension_line(line: &str) -> Result<impl Request<Output = Box<[u8]>>, InvalidArgument> {
    let command = Command::Extension(ExtensionCommand::new(line, ExtensionShape::Line)?);
    Ok(SimpleRequest::<Box<[u8]>>::single(command, |text, line| {
        *text = line.into();
        Ok(())
    }))
}

/// Sends an extension command whose reply is a multi-line response, and returns its lines without byte-stuffing.
///
/// # Errors
/// The line is not valid; see [`ExtensionCommand::new`].
pub fn extension_lines(line: &str) -> Result<impl Request<Output = Vec<Box<[u8]>>>, InvalidArgument> {
    let command = Command::Extension(ExtensionCommand::new(line, ExtensionShape::Lines)?);
    let request = SimpleRequest::<Vec<Box<[u8]>>>::lines(command, |all, line| {
        all.push(line.into());
        Ok(())
    });
    Ok(SimpleRequest { keeps_blank_lines: true, ..request })
}

/// Sends an extension command whose reply is a message, as [`retr`] does `RETR`.
///
/// # Errors
/// The line is not valid; see [`ExtensionCommand::new`].
pub fn extension_message(line: &str) -> Result<impl Request<Output = Tag>, InvalidArgument> {
    let command = Command::Extension(ExtensionCommand::new(line, ExtensionShape::Message)?);
    Ok(BodyRequest { command, tag: None })
}

/// A listing without the lines that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialListing<T> {
    /// The entries that were read.
    pub entries: Vec<T>,
    /// The lines that were not read, escaped for a terminal.
    pub unreadable: Vec<String>,
}

impl<T> Default for PartialListing<T> {
    fn default() -> Self {
        Self { entries: Vec::new(), unreadable: Vec::new() }
    }
}

impl<T> PartialListing<T> {
    fn add(&mut self, entry: Result<T, MalformedListing>, line: &[u8]) {
        match entry {
            Ok(entry) => self.entries.push(entry),
            Err(MalformedListing) => self.unreadable.push(Escaped(line).to_string()),
        }
    }
}

/// Requests the scan listing of all messages as [`list`] does, and passes over lines that cannot be read.
pub fn list_readable() -> impl Request<Output = PartialListing<ScanListing>> {
    SimpleRequest::<PartialListing<_>>::lines(Command::List(None), |all, line| {
        all.add(ScanListing::parse(line), line);
        Ok(())
    })
}

/// Requests the unique-ids of all messages as [`uidl`] does, and passes over lines that cannot be read.
pub fn uidl_readable() -> impl Request<Output = PartialListing<UniqueIdEntry>> {
    SimpleRequest::<PartialListing<_>>::lines(Command::Uidl(None), |all, line| {
        all.add(UniqueIdListing::parse(line).map(unique_id_entry), line);
        Ok(())
    })
}

/// Sends `UTF8`: messages may come in UTF-8 from now on (RFC 6856 §2.1). Send it before login, and after `STLS`.
pub fn utf8() -> impl Request<Output = ()> {
    plain(Command::Utf8)
}

/// Requests the languages of the server's texts (`LANG` without an argument), each with its tag and perhaps its name (RFC 6856
/// §3.2).
pub fn languages() -> impl Request<Output = Vec<Box<[u8]>>> {
    SimpleRequest::<Vec<_>>::lines(Command::Lang(None), |all, line| {
        all.push(trim_blanks(line).into());
        Ok(())
    })
}

/// Selects the language of the server's texts (`LANG`); `*` selects the language that the server prefers.
pub fn lang(range: Word<'_>) -> impl Request<Output = ()> {
    plain(Command::Lang(Some(range)))
}

/// Requests the server's capabilities (`CAPA`). After a refusal they are unknown: the server may still support some.
// Q10
pub fn capa() -> impl Request<Output = Capabilities> {
    Capa(SimpleRequest::<Capabilities>::lines(Command::Capa, |capabilities, line| {
        capabilities.add(line);
        Ok(())
    }))
}

/// Keeps the capabilities in the machine, too.
struct Capa<R>(R);

impl<R: Request<Output = Capabilities>> Request for Capa<R> {
    type Output = Capabilities;

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.0.start(sink)
    }

    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<Capabilities>, RequestError> {
        let result = self.0.on_event(event, sink);
        match &result {
            Ok(Some(capabilities)) => sink.client().set_capabilities(Some(capabilities.clone())),
            Ok(None) => {}
            Err(_) => sink.client().set_capabilities(None),
        }
        result
    }
}

fn plain(command: Command<'_>) -> impl Request<Output = ()> {
    SimpleRequest::<()>::single(command, |(), _| Ok(()))
}

/// Marks a message as deleted (`DELE`).
pub fn dele(number: MessageNumber) -> impl Request<Output = ()> {
    plain(Command::Dele(number))
}

/// Clears all deletion marks (`RSET`).
pub fn rset() -> impl Request<Output = ()> {
    plain(Command::Rset)
}

/// Keeps the session alive (`NOOP`).
pub fn noop() -> impl Request<Output = ()> {
    plain(Command::Noop)
}

/// Asks the server to start TLS (`STLS`). When the request is done, the connection must be upgraded before anything else.
pub fn stls() -> impl Request<Output = ()> {
    plain(Command::Stls)
}

/// Ends the session (`QUIT`). In `TRANSACTION`, a `+OK` means that the server has removed the marked messages, and a refusal
/// means that it has not removed all of them (RFC 1939 §6).
// S19
pub fn quit() -> impl Request<Output = ()> {
    plain(Command::Quit)
}

/// Requests a message (`RETR`) and is done at the `+OK`. The output is the tag with which
/// [`Connection::next_chunk`](crate::client::Connection::next_chunk) reads the body.
pub fn retr(number: MessageNumber) -> impl Request<Output = Tag> {
    BodyRequest { command: Command::Retr(number), tag: None }
}

/// Requests a message's header and the given number of body lines (`TOP`) and is done at the `+OK`. They follow as the body does
/// for [`retr`].
pub fn top(number: MessageNumber, lines: u64) -> impl Request<Output = Tag> {
    BodyRequest { command: Command::Top(number, lines), tag: None }
}

struct BodyRequest<'a> {
    command: Command<'a>,
    tag: Option<Tag>,
}

impl Request for BodyRequest<'_> {
    type Output = Tag;

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.tag = Some(sink.send(self.command)?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut CommandSink<'_>) -> Result<Option<Tag>, RequestError> {
        match event {
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => match reply.status {
                Status::Ok => Ok(Some(tag)),
                Status::Err => Err(RequestError::Refused(Refusal::new(Some(self.command.verb()), reply))),
            },
            _ => Ok(None),
        }
    }
}

/// Waits for the greeting. A server that accepts no sessions now refuses here.
// Q03
pub fn greet() -> impl Request<Output = OwnedGreeting> {
    Greet
}

struct Greet;

impl Request for Greet {
    type Output = OwnedGreeting;

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        if sink.is_greeted() { Err(LocalError::AlreadyGreeted) } else { Ok(()) }
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut CommandSink<'_>) -> Result<Option<OwnedGreeting>, RequestError> {
        let ClientEvent::Greeting(greeting) = event else { return Ok(None) };
        match greeting.reply.status {
            Status::Ok => {
                Ok(Some(OwnedGreeting { text: greeting.reply.text.into(), timestamp: greeting.timestamp.map(Box::from) }))
            }
            Status::Err => Err(RequestError::Refused(Refusal::new(None, greeting.reply))),
        }
    }
}

/// Logs in with `APOP` and the timestamp of the greeting (RFC 1939 §7).
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
    /// The password would make the line longer than a server must accept; this is detected before anything is sent.
    too_long: bool,
}

impl<U: Request<Output = ()>, P: Request<Output = ()>> Request for UserPass<U, P> {
    type Output = ();

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.named = false;
        if self.too_long {
            return Err(LocalError::LineTooLong);
        }
        self.name.start(sink)
    }

    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<()>, RequestError> {
        if self.named {
            return self.password.on_event(event, sink);
        }
        if self.name.on_event(event, sink)?.is_some() {
            self.named = true;
            self.password.start(sink)?;
        }
        Ok(None)
    }
}
