//! The server's listings by `STAT`, `LIST` and `UIDL`, parsed so that one odd line does not hide the other messages.

use std::collections::HashMap;

use pop3_blocking::proto::client::{ClientEvent, Refusal, RequestError};
use pop3_blocking::proto::codec::{Command, Escaped, MessageNumber, ScanListing, Status, UniqueIdListing, Verb};
use pop3_blocking::{Client, Error};

use crate::error::FetchError;

/// Maximum length of a unique-id in octets; a longer one counts as missing.
// Q22
const MAX_UNIQUE_ID: usize = 1024;

/// A message as the server lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    pub number: MessageNumber,
    /// The unique-id; empty if the server gives none.
    pub unique_id: Box<[u8]>,
    /// The announced size; `None` if the server announces none.
    pub octets: Option<u64>,
}

/// The messages in the maildrop.
#[derive(Debug, Default)]
pub struct Listing {
    /// The messages, in the order of their numbers.
    pub messages: Vec<Listed>,
    /// The server gave unique-ids, or the maildrop is empty.
    pub has_unique_ids: bool,
    /// The listing contains all messages, as far as the client can tell.
    pub complete: bool,
    /// The number of messages that `STAT` counts and no listing names.
    pub missing: usize,
}

/// Requests the listings of the maildrop. Without unique-ids, the listing still contains numbers and sizes. `expects_unique_ids`
/// means that the server announces unique-ids or gave them before.
// Q26
pub fn list(client: &mut Client, expects_unique_ids: bool) -> Result<Listing, FetchError> {
    // Some servers cannot list an empty maildrop, but can count it.
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
        return Err(FetchError::UniqueIdsUnavailable);
    }
    if unique_ids.is_none() && listed.is_none() {
        // Without both listings, the numbers are still known from `STAT`.
        sizes
            .extend((1..=count.unwrap_or(0)).filter_map(|number| Some((MessageNumber::new(u32::try_from(number).ok()?)?, None))));
    }
    // A message that only `LIST` names exists, too.
    messages.extend(sizes.into_iter().map(|(number, octets)| Listed { number, unique_id: Box::default(), octets }));
    messages.sort_by_key(|message| message.number);
    if messages.windows(2).any(|two| two[0].number == two[1].number) {
        return Err(FetchError::ListedTwice);
    }
    let missing = count.map_or(0, |count| count.saturating_sub(messages.len()));
    Ok(Listing { messages, has_unique_ids: unique_ids.is_some(), complete: odd == 0 && missing == 0, missing })
}

/// Sends `LIST` to a server that counts no messages, and fails if the server refuses it temporarily, for example after too many
/// requests. Only the status matters: some servers reply with one line and no end, so the client does not wait for the end of the
/// reply.
fn check_limits(client: &mut Client) -> Result<(), FetchError> {
    let tag = client.send(Command::List(None))?;
    let refusal = client.next_event(|event| match event {
        ClientEvent::Reply(of, reply) if of == tag => {
            Some((reply.status == Status::Err).then(|| Refusal::new(Some(Verb::List), reply)))
        }
        _ => None,
    })?;
    Ok(refusal.map_or(Ok(()), |refusal| unless_later(RequestError::Refused(refusal).into()))?)
}

/// Passes each line of a multi-line response to `read`, which returns `false` for a line that it cannot parse. Returns the number
/// of such lines, or `None` if the server does not support the command.
fn lines(
    client: &mut Client,
    command: Command<'_>,
    limit: usize,
    mut read: impl FnMut(&[u8]) -> bool,
) -> Result<Option<usize>, FetchError> {
    enum End {
        Complete,
        Refused(Refusal),
        Endless,
    }
    let verb = command.verb();
    let tag = client.send(command)?;
    let (mut count, mut odd) = (0usize, 0);
    let end = client.next_event(|event| match event {
        ClientEvent::Reply(of, reply) if of == tag && reply.status == Status::Err => {
            Some(End::Refused(Refusal::new(Some(verb), reply)))
        }
        ClientEvent::Line(of, line) if of == tag => {
            count += 1;
            // A blank line in a listing has no meaning (Q20).
            if !line.iter().all(u8::is_ascii_whitespace) && !read(line) {
                tracing::warn!("the reply to {verb} contains a malformed line: {}", Escaped(line));
                odd += 1;
            }
            (count > limit).then_some(End::Endless)
        }
        ClientEvent::End(of) if of == tag => Some(End::Complete),
        _ => None,
    })?;
    match end {
        End::Complete => Ok(Some(odd)),
        End::Endless => Err(FetchError::EndlessListing),
        End::Refused(refusal) => {
            unless_later(RequestError::Refused(refusal).into())?;
            Ok(None)
        }
    }
}

/// Ignores an error that means that the server does not support the command: a permanent refusal, or a reply that cannot be
/// parsed. Returns all other errors.
fn unless_later(error: Error) -> Result<(), Error> {
    match &error {
        Error::Request(RequestError::Refused(refusal)) if !refusal.is_transient() => Ok(()),
        Error::Request(RequestError::Unreadable { .. }) => Ok(()),
        _ => Err(error),
    }
}
