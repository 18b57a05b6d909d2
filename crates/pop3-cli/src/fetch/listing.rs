//! What the server lists: STAT, LIST and UIDL, read so that one odd line does not hide the other messages.

use std::collections::HashMap;

use pop3_blocking::proto::client::{ClientEvent, Refusal, RequestError};
use pop3_blocking::proto::codec::{Command, Escaped, MessageNumber, ScanListing, Status, UniqueIdListing, Verb};
use pop3_blocking::{Client, Error};

/// Octets of the longest unique-id that is believed (Q22).
const MAX_UNIQUE_ID: usize = 1024;

/// A message as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: MessageNumber,
    /// Empty if the server gives it none.
    pub unique_id: Box<[u8]>,
    /// `None`: the server names no size.
    pub octets: Option<u64>,
}

/// The messages in the maildrop.
#[derive(Debug, Default)]
pub struct Listing {
    /// In the order of their numbers.
    pub messages: Vec<Listed>,
    /// Whether the server gave unique-ids.
    pub has_unique_ids: bool,
    /// Whether these are all messages, as far as can be told.
    pub complete: bool,
    /// How many messages `STAT` counts that no listing names.
    pub missing: usize,
}

/// Why there is no listing.
#[derive(Debug)]
pub enum ListingError {
    /// The server refused for now, or the session broke.
    Session(Error),
    /// The server has unique-ids, but does not list them now.
    NoUniqueIds,
    /// A listing names a message twice, so it cannot be trusted.
    NamedTwice,
    /// A listing goes on although it names more messages than `STAT` counts.
    Endless,
}

impl From<Error> for ListingError {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

/// Asks the server what is in the maildrop. Without unique-ids (Q26) the numbers and sizes are known all the same. `expects_unique_ids`: it announces them, or gave them before.
pub fn list(client: &mut Client, expects_unique_ids: bool) -> Result<Listing, ListingError> {
    // Servers that cannot list an empty maildrop can count it.
    let count = match client.stat() {
        Ok(listing) if listing.messages == 0 => {
            check_limits(client)?;
            return Ok(Listing { has_unique_ids: true, ..Listing::default() });
        }
        Ok(listing) => Some(listing.messages as usize),
        Err(error) => unless_later(error).map(|()| None)?,
    };
    let limit = count.map_or(usize::MAX, |count| count.saturating_mul(2).saturating_add(1000));
    let mut sizes = HashMap::new();
    let mut odd = 0;
    let listed = lines(client, Command::List(None), limit, |line| match ScanListing::parse(line) {
        Ok(listing) => {
            sizes.insert(listing.number, listing.octets);
            true
        }
        Err(_) => false,
    })?;
    odd += listed.unwrap_or(0);
    let mut messages: Vec<Listed> = Vec::new();
    let unique_ids = lines(client, Command::Uidl(None), limit, |line| match UniqueIdListing::parse(line) {
        Ok(UniqueIdListing { number, unique_id }) => {
            let unique_id = if unique_id.len() > MAX_UNIQUE_ID { Box::default() } else { unique_id.into() };
            messages.push(Listed { number, unique_id, octets: sizes.remove(&number).flatten() });
            true
        }
        Err(_) => false,
    })?;
    odd += unique_ids.unwrap_or(0);
    if unique_ids.is_none() && expects_unique_ids {
        return Err(ListingError::NoUniqueIds);
    }
    if unique_ids.is_none() && listed.is_none() {
        // Neither listing: the numbers are known all the same.
        sizes
            .extend((1..=count.unwrap_or(0)).filter_map(|number| Some((MessageNumber::new(u32::try_from(number).ok()?)?, None))));
    }
    // What only LIST names is there all the same.
    messages.extend(sizes.into_iter().map(|(number, octets)| Listed { number, unique_id: Box::default(), octets }));
    messages.sort_by_key(|message| message.number);
    if messages.windows(2).any(|two| two[0].number == two[1].number) {
        return Err(ListingError::NamedTwice);
    }
    let missing = count.map_or(0, |count| count.saturating_sub(messages.len()));
    Ok(Listing { messages, has_unique_ids: unique_ids.is_some(), complete: odd == 0 && missing == 0, missing })
}

/// A server that counts no messages may refuse to list them because it was asked too often. All that counts is whether it does: some
/// servers answer with one line and no end, so the end of the reply is not waited for.
fn check_limits(client: &mut Client) -> Result<(), ListingError> {
    let tag = client.send(Command::List(None))?;
    let refusal = client.event(|event| match event {
        ClientEvent::Reply(of, reply) if of == tag => {
            Some((reply.status == Status::Err).then(|| Refusal::new(Some(Verb::List), reply)))
        }
        _ => None,
    })?;
    Ok(refusal.map_or(Ok(()), |refusal| unless_later(RequestError::Refused(refusal).into()))?)
}

/// Gives each line of a multi-line reply to `read`, which says whether it understood it. Returns the number of lines that it did
/// not; `None`: the server does not have the command.
fn lines(
    client: &mut Client,
    command: Command<'_>,
    limit: usize,
    mut read: impl FnMut(&[u8]) -> bool,
) -> Result<Option<usize>, ListingError> {
    enum End {
        Complete,
        Refused(Refusal),
        Endless,
    }
    let verb = command.verb();
    let tag = client.send(command)?;
    let (mut count, mut odd) = (0usize, 0);
    let end = client.event(|event| match event {
        ClientEvent::Reply(of, reply) if of == tag && reply.status == Status::Err => {
            Some(End::Refused(Refusal::new(Some(verb), reply)))
        }
        ClientEvent::Line(of, line) if of == tag => {
            count += 1;
            // A blank line in a listing says nothing (Q20).
            if !line.iter().all(u8::is_ascii_whitespace) && !read(line) {
                tracing::warn!("the reply to {verb} has a line that cannot be read: {}", Escaped(line));
                odd += 1;
            }
            (count > limit).then_some(End::Endless)
        }
        ClientEvent::End(of) if of == tag => Some(End::Complete),
        _ => None,
    })?;
    match end {
        End::Complete => Ok(Some(odd)),
        End::Endless => Err(ListingError::Endless),
        End::Refused(refusal) => {
            unless_later(RequestError::Refused(refusal).into())?;
            Ok(None)
        }
    }
}

/// A refusal that is not about this moment means that the server does not have the command. So does an answer that says nothing.
fn unless_later(error: Error) -> Result<(), Error> {
    match &error {
        Error::Request(RequestError::Refused(refusal)) if !refusal.is_transient() => Ok(()),
        Error::Request(RequestError::Unreadable { .. }) => Ok(()),
        _ => Err(error),
    }
}
