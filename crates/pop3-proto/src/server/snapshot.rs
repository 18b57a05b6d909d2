//! What a maildrop held when the session began: sizes and unique-ids (RFC 1939 §4).

use alloc::string::String;
use alloc::vec::Vec;

use thiserror::Error;

use super::marks::Marks;
use crate::codec::{MessageNumber, UniqueId};

/// No more messages fit: numbers or the unique-ids together are beyond 32 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the maildrop holds more messages than a session can number")]
pub struct SnapshotFull;

/// The messages of a maildrop in their order: message 1 is the first that was pushed.
///
/// A message costs 16 bytes and its unique-id.
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
    /// All unique-ids, one behind the other.
    ids: String,
    /// Messages that only a client in UTF-8 mode may see.
    utf8: Marks,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    octets: u64,
    /// Where the unique-id ends in `ids`; it begins where the one before ends.
    id_end: u32,
}

impl Snapshot {
    /// An empty one with room for so many messages and so many octets of unique-ids, so that none is taken in vain.
    pub fn with_capacity(messages: usize, id_octets: usize) -> Self {
        Self { entries: Vec::with_capacity(messages), ids: String::with_capacity(id_octets), utf8: Marks::default() }
    }

    /// Adds a message. `octets`: its size on the wire; see [`WireSize`](crate::codec::WireSize).
    ///
    /// # Errors
    /// Over 2³² messages, or over 4 GiB of unique-ids.
    pub fn push(&mut self, octets: u64, unique_id: UniqueId<'_>) -> Result<(), SnapshotFull> {
        MessageNumber::from_index(self.entries.len()).ok_or(SnapshotFull)?;
        let id_end = u32::try_from(self.ids.len() + unique_id.as_str().len()).map_err(|_| SnapshotFull)?;
        self.ids.push_str(unique_id.as_str());
        self.entries.push(Entry { octets, id_end });
        Ok(())
    }

    /// The same for a message with an internationalized header (RFC 6532), which is shown only to clients that have said `UTF8`
    /// (RFC 6856 §2.1). Mail that only happens to have raw bytes in its header is better pushed as any other: most clients
    /// never say `UTF8`.
    ///
    /// # Errors
    /// See [`push`](Self::push).
    pub fn push_utf8(&mut self, octets: u64, unique_id: UniqueId<'_>) -> Result<(), SnapshotFull> {
        let number = MessageNumber::from_index(self.entries.len()).ok_or(SnapshotFull)?;
        self.push(octets, unique_id)?;
        self.utf8.insert(number);
        Ok(())
    }

    /// Whether only clients that have said `UTF8` may see the message.
    pub fn needs_utf8(&self, number: MessageNumber) -> bool {
        self.utf8.contains(number)
    }

    /// How many messages.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// No message at all.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of a message on the wire. `None`: there is no such message.
    pub fn octets(&self, number: MessageNumber) -> Option<u64> {
        self.entries.get(number.index()).map(|entry| entry.octets)
    }

    /// The unique-id of a message. `None`: there is no such message.
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
