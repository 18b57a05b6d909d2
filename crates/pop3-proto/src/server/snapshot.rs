//! The sizes and unique-ids of a maildrop's messages when the session began (RFC 1939 §4).

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

use super::marks::Marks;
use crate::codec::{MessageNumber, UniqueId};

/// The error of a full snapshot: the message numbers or the total length of the unique-ids exceed 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the maildrop holds more messages than a session can number")]
pub struct SnapshotFull;

/// The messages of a maildrop in their order: message 1 is the first that was pushed.
///
/// Each message occupies 16 bytes and its unique-id.
///
/// ```
/// use pop3_proto::codec::{MessageNumber, UniqueId};
/// use pop3_proto::server::Snapshot;
/// let mut snapshot = Snapshot::default();
/// snapshot.push(120, UniqueId::new("a1")?)?;
/// assert_eq!(snapshot.octets(MessageNumber::FIRST), Some(120));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    entries: Vec<Entry>,
    /// All unique-ids in one text, without separators.
    ids: String,
    /// Messages that are shown only to clients in UTF-8 mode.
    utf8: Marks,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    octets: u64,
    /// The end of the unique-id in `ids`. It begins at the end of the previous one.
    id_end: u32,
}

impl Snapshot {
    /// Returns an empty snapshot with capacity for the given number of messages and the given total length of their unique-ids in
    /// octets.
    pub fn with_capacity(messages: usize, id_octets: usize) -> Self {
        Self { entries: Vec::with_capacity(messages), ids: String::with_capacity(id_octets), utf8: Marks::default() }
    }

    /// Adds a message. `octets` is its size on the wire; see [`WireSize`](crate::codec::WireSize).
    ///
    /// # Errors
    /// The snapshot would exceed 2³² − 1 messages or 4 GiB of unique-ids. The message is not added.
    pub fn push(&mut self, octets: u64, unique_id: UniqueId<'_>) -> Result<(), SnapshotFull> {
        MessageNumber::from_index(self.entries.len()).ok_or(SnapshotFull)?;
        let id_end = u32::try_from(self.ids.len() + unique_id.as_str().len()).map_err(|_| SnapshotFull)?;
        self.ids.push_str(unique_id.as_str());
        self.entries.push(Entry { octets, id_end });
        Ok(())
    }

    /// Adds a message with an internationalized header (RFC 6532), which is shown only to clients that have sent `UTF8` (RFC 6856
    /// §2.1). Add a message that merely has raw octets in its header with [`push`](Self::push): most clients never send `UTF8`.
    ///
    /// # Errors
    /// See [`push`](Self::push).
    pub fn push_utf8(&mut self, octets: u64, unique_id: UniqueId<'_>) -> Result<(), SnapshotFull> {
        let number = MessageNumber::from_index(self.entries.len()).ok_or(SnapshotFull)?;
        self.push(octets, unique_id)?;
        self.utf8.insert(number);
        Ok(())
    }

    /// Returns `true` if the message is shown only to clients that have sent `UTF8`.
    pub fn needs_utf8(&self, number: MessageNumber) -> bool {
        self.utf8.contains(number)
    }

    /// Returns the number of messages.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns `true` if there is no message.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns the size of a message in octets on the wire, or `None` if there is no such message.
    pub fn octets(&self, number: MessageNumber) -> Option<u64> {
        self.entries.get(number.index()).map(|entry| entry.octets)
    }

    /// Returns the unique-id of a message, or `None` if there is no such message.
    pub fn unique_id(&self, number: MessageNumber) -> Option<UniqueId<'_>> {
        let index = number.index();
        let end = self.entries.get(index)?.id_end;
        let start = match index.checked_sub(1) {
            Some(before) => self.entries.get(before)?.id_end,
            None => 0,
        };
        self.ids.get(start as usize..end as usize).map(UniqueId::checked)
    }
}
