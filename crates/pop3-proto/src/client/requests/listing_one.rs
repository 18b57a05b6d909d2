//! Requests for the listing of one message.

use alloc::string::ToString;

use super::refusal::{Refusal, RequestError};
use super::request::Request;
use super::unique_id_entry::{UniqueIdEntry, unique_id_entry};
use crate::client::command_sink::CommandSink;
use crate::client::error::LocalError;
use crate::client::event::{ClientEvent, Tag};
use crate::codec::{Command, Escaped, MessageNumber, ScanListing, Status, UniqueIdListing, decimal, is_blank, names_one_message};

/// Requests the size of one message (`LIST n`). It also accepts a listing, or a size without the message number, as some servers
/// send them.
// Q25
pub fn list_one(number: MessageNumber) -> impl Request<Output = ScanListing> {
    SingleListing {
        command: Command::List(Some(number)),
        tag: None,
        number,
        found: None,
        read: |line| ScanListing::parse(line).ok(),
        names: |listing| listing.number,
        alone: |word, number| Some(ScanListing { number, octets: Some(decimal(word)?) }),
    }
}

/// Requests the unique-id of one message (`UIDL n`). It also accepts a listing, or a unique-id without the message number, as
/// some servers send them.
// Q25
pub fn uidl_one(number: MessageNumber) -> impl Request<Output = UniqueIdEntry> {
    SingleListing {
        command: Command::Uidl(Some(number)),
        tag: None,
        number,
        found: None,
        read: |line| UniqueIdListing::parse(line).ok().map(unique_id_entry),
        names: |entry| entry.number,
        // A number alone is the message number; the unique-id is missing (Q21).
        alone: |word, number| decimal(word).is_none().then(|| unique_id_entry(UniqueIdListing { number, unique_id: word })),
    }
}

/// A request about one message, which servers answer on one line or with a listing.
struct SingleListing<T> {
    command: Command<'static>,
    tag: Option<Tag>,
    number: MessageNumber,
    found: Option<T>,
    /// The parser of a line of a listing.
    read: fn(&[u8]) -> Option<T>,
    names: fn(&T) -> MessageNumber,
    /// The parser of an answer that has only one word.
    alone: fn(&[u8], MessageNumber) -> Option<T>,
}

impl<T> SingleListing<T> {
    /// Returns the content of a line, if the line is about the message.
    fn find(&self, line: &[u8]) -> Option<T> {
        (self.read)(line).filter(|found| (self.names)(found) == self.number)
    }

    /// Returns the content of the first line.
    fn answer(&self, text: &[u8]) -> Option<T> {
        let is_word = !text.iter().copied().any(is_blank);
        let alone = || is_word.then(|| (self.alone)(text, self.number)).flatten();
        alone().or_else(|| self.find(text))
    }

    fn unreadable(&self, line: &[u8]) -> RequestError {
        RequestError::Unreadable { verb: self.command.verb(), line: Escaped(line).to_string() }
    }
}

impl<T> Request for SingleListing<T> {
    type Output = T;

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.tag = Some(sink.send(self.command)?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut CommandSink<'_>) -> Result<Option<T>, RequestError> {
        match event {
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => match reply.status {
                Status::Err => Err(RequestError::Refused(Refusal::new(Some(self.command.verb()), reply))),
                Status::Ok if !names_one_message(reply.text) => Ok(None),
                Status::Ok => self.answer(reply.text).map(Some).ok_or_else(|| self.unreadable(reply.text)),
            },
            ClientEvent::Line(tag, line) if self.tag == Some(tag) => {
                self.found = self.found.take().or_else(|| self.find(line));
                Ok(None)
            }
            ClientEvent::End(tag) if self.tag == Some(tag) => {
                self.found.take().map(Some).ok_or_else(|| self.unreadable(b"no line about the message"))
            }
            _ => Ok(None),
        }
    }
}
