//! Message numbers of a new session for messages of an old one.

use alloc::collections::BTreeMap;

use super::requests::UniqueIdEntry;
use crate::codec::MessageNumber;

/// The message numbers of a new session for the messages of an earlier session, found by their unique-ids: message numbers are valid
/// in one session only (RFC 1939 §4).
///
/// A message whose unique-id is empty, or appears twice in one of the listings, has no new number, because it cannot be told from
/// others.
///
/// ```
/// use pop3_proto::client::{Renumbering, requests::UniqueIdEntry};
/// use pop3_proto::codec::MessageNumber;
/// let number = |n| MessageNumber::new(n).unwrap();
/// let entry = |n, id: &[u8]| UniqueIdEntry { number: number(n), unique_id: id.into() };
/// let renumbering = Renumbering::new(&[entry(1, b"a"), entry(2, b"b")], &[entry(1, b"b")]);
/// assert_eq!(renumbering.number(number(2)), Some(number(1)));
/// assert_eq!(renumbering.number(number(1)), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Renumbering(BTreeMap<MessageNumber, MessageNumber>);

impl Renumbering {
    /// Compares the unique-ids of an earlier session with those of the new one.
    pub fn new(before: &[UniqueIdEntry], now: &[UniqueIdEntry]) -> Self {
        let (before, now) = (unambiguous(before), unambiguous(now));
        Self(before.into_iter().filter_map(|(id, old)| Some((old?, (*now.get(id)?)?))).collect())
    }

    /// Returns the number in the new session of the message that had the number `before`; `None` if there is no such message now.
    pub fn number(&self, before: MessageNumber) -> Option<MessageNumber> {
        self.0.get(&before).copied()
    }
}

/// Returns the message number of each unique-id, and `None` for one that appears twice.
fn unambiguous(entries: &[UniqueIdEntry]) -> BTreeMap<&[u8], Option<MessageNumber>> {
    let mut numbers = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !entry.unique_id.is_empty()) {
        numbers.entry(&*entry.unique_id).and_modify(|number| *number = None).or_insert(Some(entry.number));
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn entries(ids: &[&[u8]]) -> Vec<UniqueIdEntry> {
        let numbers = (0..).filter_map(MessageNumber::from_index);
        numbers.zip(ids).map(|(number, id)| UniqueIdEntry { number, unique_id: (*id).into() }).collect()
    }

    proptest! {
        #[test]
        fn h28_a_message_is_found_by_a_unique_id_that_only_it_has(
            before in prop::collection::vec("[ab]{0,2}", 0..8),
            now in prop::collection::vec("[ab]{0,2}", 0..8),
        ) {
            let ids = |ids: &[String]| entries(&ids.iter().map(String::as_bytes).collect::<Vec<_>>());
            let renumbering = Renumbering::new(&ids(&before), &ids(&now));
            for (index, id) in before.iter().enumerate() {
                let only = |ids: &[String]| ids.iter().filter(|other| *other == id).count() == 1;
                let expected = now.iter().position(|other| other == id).filter(|_| !id.is_empty() && only(&before) && only(&now));
                let found = renumbering.number(MessageNumber::from_index(index).unwrap());
                prop_assert_eq!(found, expected.and_then(MessageNumber::from_index));
            }
        }
    }
}
