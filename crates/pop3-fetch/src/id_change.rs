//! Notices that a server has given all messages other unique-ids.

use std::collections::{HashMap, HashSet};

use crate::journal_state::JournalState;
use crate::listing::Listing;

/// Returns the sizes of the stored messages that the server no longer lists, if it gave all messages other unique-ids, now or a short time ago:
/// then no listed message is known, and the listed sizes are those of most of the messages that have vanished since the last listing. `listed` has
/// the unique-ids of the listing.
pub fn vanished_sizes(listing: &Listing, state: &JournalState, listed: &HashMap<Box<[u8]>, u32>) -> Option<HashSet<u64>> {
    let is_known = state.are_ids_changed();
    if !is_known && listing.messages.iter().any(|message| !state.records(&message.unique_id).is_empty()) {
        return None;
    }
    // What had gone before the last listing is no part of the change: other programs may delete mail all the time.
    let last_listing = state.last_listing();
    let mut total = 0;
    let mut left: HashMap<u64, usize> = HashMap::new();
    for (_, record) in state.vanished(listed) {
        total += usize::from(record.last == last_listing);
        *left.entry(record.octets.unwrap_or(0)).or_default() += 1;
    }
    let sizes = left.keys().copied().collect();
    let mut found = 0;
    for octets in listing.messages.iter().filter_map(|message| message.octets) {
        if let Some(count) = left.get_mut(&octets).filter(|count| **count > 0) {
            *count -= 1;
            found += 1;
        }
    }
    (is_known || (found > 0 && 2 * found >= total)).then_some(sizes)
}
