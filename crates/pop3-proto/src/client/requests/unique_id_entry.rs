//! Entries of the reply to `UIDL`.

use alloc::boxed::Box;

use crate::codec::{MessageNumber, UniqueIdListing};

/// The unique-id of one message in the reply to `UIDL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueIdEntry {
    /// The message number.
    pub number: MessageNumber,
    /// The unique-id: any bytes. It may be empty, or equal to that of another message (RFC 1939 §7). Never use it as a file path.
    // S17, H28, H29
    pub unique_id: Box<[u8]>,
}

/// Converts a unique-id listing to an entry. A unique-id longer than 1 KiB is discarded, and the entry's is empty.
// Q22
pub(super) fn unique_id_entry(listing: UniqueIdListing<'_>) -> UniqueIdEntry {
    let unique_id = if listing.unique_id.len() > 1024 { &[] } else { listing.unique_id };
    UniqueIdEntry { number: listing.number, unique_id: unique_id.into() }
}
