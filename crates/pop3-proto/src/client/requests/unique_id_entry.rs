//! A message of a `UIDL`.

use alloc::boxed::Box;

use crate::codec::{MessageNumber, UniqueIdListing};

/// One message of a `UIDL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UniqueIdEntry {
    /// The message.
    pub number: MessageNumber,
    /// Its unique-id: any bytes, perhaps none, perhaps the same as another's (S17, H28). Never a path (H29).
    pub unique_id: Box<[u8]>,
}

/// A unique-id that is longer than any that is meant seriously is none (Q22).
pub(super) fn unique_id_entry(listing: UniqueIdListing<'_>) -> UniqueIdEntry {
    let unique_id = if listing.unique_id.len() > 1024 { &[] } else { listing.unique_id };
    UniqueIdEntry { number: listing.number, unique_id: unique_id.into() }
}
