//! Listings of one message.

use alloc::string::ToString;

use super::connection::Outbox;
use super::requests::{UniqueIdEntry, entry};
use super::{ClientEvent, LocalError, Refusal, Request, RequestError, Tag};
use crate::codec::{
    Command, DropListing, Escaped, MessageNumber, ScanListing, Status, UniqueIdListing, names_one_message, trim_blanks,
};

/// `LIST n`: the size of one message. Some servers answer with a listing (Q25).
pub fn list_one(number: MessageNumber) -> impl Request<Output = ScanListing> {
    One {
        ask: Command::List(Some(number)),
        tag: None,
        number,
        found: None,
        read: |line, number| {
            // A size alone is one, too.
            let alone = || DropListing::parse(line).ok().filter(|only| only.octets.is_none());
            match ScanListing::parse(line) {
                Ok(listing) if listing.octets.is_some() => Some(listing),
                listing => alone().map(|only| ScanListing { number, octets: Some(only.messages.into()) }).or(listing.ok()),
            }
        },
        names: |listing| listing.number,
    }
}

/// `UIDL n`: the unique-id of one message. Some servers answer with a listing, and some without the number (Q25).
pub fn uidl_one(number: MessageNumber) -> impl Request<Output = UniqueIdEntry> {
    One {
        ask: Command::Uidl(Some(number)),
        tag: None,
        number,
        found: None,
        read: |line, number| match UniqueIdListing::parse(line) {
            Ok(listing) if !listing.unique_id.is_empty() => Some(entry(listing)),
            _ => Some(UniqueIdEntry { number, unique_id: trim_blanks(line).into() }),
        },
        names: |entry| entry.number,
    }
}

/// A command about one message, answered on its line or in a listing.
struct One<T> {
    ask: Command<'static>,
    tag: Option<Tag>,
    number: MessageNumber,
    found: Option<T>,
    read: fn(&[u8], MessageNumber) -> Option<T>,
    names: fn(&T) -> MessageNumber,
}

impl<T> One<T> {
    /// What a line says, if it is about the message.
    fn find(&self, line: &[u8]) -> Option<T> {
        (self.read)(line, self.number).filter(|found| (self.names)(found) == self.number)
    }

    fn unreadable(&self, line: &[u8]) -> RequestError {
        RequestError::Unreadable { verb: self.ask.verb(), line: Escaped(line).to_string() }
    }
}

impl<T> Request for One<T> {
    type Output = T;

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        self.tag = Some(outbox.send(self.ask)?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, _: &mut Outbox<'_>) -> Result<Option<T>, RequestError> {
        match event {
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => match reply.status {
                Status::Err => Err(RequestError::Refused(Refusal::new(Some(self.ask.verb()), reply))),
                Status::Ok if !names_one_message(reply.text) => Ok(None),
                Status::Ok => self.find(reply.text).map(Some).ok_or_else(|| self.unreadable(reply.text)),
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
