//! Which messages are to be fetched, by what the server lists and what is home already.

use std::collections::{HashMap, HashSet};

use pop3_blocking::proto::client::requests::UniqueIdEntry;
use pop3_blocking::proto::codec::MessageNumber;

use super::journal::Journal;

/// A message to be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub number: MessageNumber,
    /// `None`: the server has no unique-id for it.
    pub unique_id: Option<Box<[u8]>>,
    /// What the server says it weighs: for the progress bar only (Q29).
    pub octets: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    pub new: Vec<Wanted>,
    /// Messages without a unique-id (Q21): fetched only where they are deleted behind it, or they would come every time.
    pub nameless: Vec<Wanted>,
    /// Home already: number and unique-id.
    pub known: Vec<(MessageNumber, Box<[u8]>)>,
    /// Unique-ids of which some messages are home and some are not: what is known of them must be forgotten before they are fetched
    /// again, or the copies would be counted for messages that never came.
    pub ambiguous: Vec<Box<[u8]>>,
    /// How many messages the server lists under each unique-id.
    pub listed: HashMap<Box<[u8]>, u32>,
}

impl Plan {
    /// By unique-id. Of several messages with one unique-id (S17, Q23) all are known if so many are home; if only some are, nobody
    /// can tell which: all of them are fetched, and none is taken for another.
    ///
    /// `None`: the listing cannot be trusted, it names a message twice.
    pub fn new(entries: &[UniqueIdEntry], sizes: &HashMap<MessageNumber, u64>, journal: &Journal) -> Option<Self> {
        let mut plan = Self::default();
        let mut numbers = HashSet::new();
        for entry in entries {
            if !numbers.insert(entry.number) {
                return None;
            }
            if !entry.unique_id.is_empty() {
                *plan.listed.entry(entry.unique_id.clone()).or_default() += 1;
            }
        }
        for (unique_id, listed) in &plan.listed {
            if (1..*listed).contains(&journal.count(unique_id)) {
                plan.ambiguous.push(unique_id.clone());
            }
        }
        for entry in entries {
            let number = entry.number;
            let octets = sizes.get(&number).copied().unwrap_or(0);
            let listed = plan.listed.get(&entry.unique_id).copied().unwrap_or(0);
            if listed == 0 {
                plan.nameless.push(Wanted { number, unique_id: None, octets });
            } else if journal.count(&entry.unique_id) >= listed {
                plan.known.push((number, entry.unique_id.clone()));
            } else {
                plan.new.push(Wanted { number, unique_id: Some(entry.unique_id.clone()), octets });
            }
        }
        // What only LIST has is there all the same.
        for (number, octets) in sizes {
            if !numbers.contains(number) {
                plan.nameless.push(Wanted { number: *number, unique_id: None, octets: *octets });
            }
        }
        plan.nameless.sort_by_key(|wanted| wanted.number);
        Some(plan)
    }

    /// For a server without unique-ids (Q26).
    pub fn everything(sizes: &HashMap<MessageNumber, u64>) -> Self {
        let mut nameless: Vec<Wanted> =
            sizes.iter().map(|(number, octets)| Wanted { number: *number, unique_id: None, octets: *octets }).collect();
        nameless.sort_by_key(|wanted| wanted.number);
        Self { nameless, ..Self::default() }
    }

    /// The octets to come.
    pub fn octets(&self, delete: bool) -> u64 {
        let nameless = if delete { self.nameless.as_slice() } else { &[] };
        self.new.iter().chain(nameless).fold(0, |sum, wanted| sum.saturating_add(wanted.octets))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_maildrop::Maildir;

    fn entry(number: u32, unique_id: &str) -> UniqueIdEntry {
        UniqueIdEntry { number: MessageNumber::new(number).unwrap(), unique_id: unique_id.as_bytes().into() }
    }

    fn numbers(wanted: &[Wanted]) -> Vec<u32> {
        wanted.iter().map(|wanted| wanted.number.get()).collect()
    }

    fn journal(home: &[&[u8]]) -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(Maildir::assumed(folder.path()).disk(), &folder.path().join("journal")).unwrap();
        journal.home(home.iter().map(|unique_id| (*unique_id, ""))).unwrap();
        (folder, journal)
    }

    #[test]
    fn s17_q21_q23_of_several_with_one_unique_id_none_is_lost() {
        let (_folder, journal) = journal(&[b"a", b"b", b"c", b"c"]);
        let entries = [entry(1, "a"), entry(2, "b"), entry(4, "a"), entry(5, ""), entry(6, "c"), entry(7, "c"), entry(8, "d")];
        let sizes = HashMap::from([(MessageNumber::new(9).unwrap(), 10)]);
        let plan = Plan::new(&entries, &sizes, &journal).unwrap();
        assert_eq!(numbers(&plan.new), [1, 4, 8], "which of the two with `a` is home cannot be told");
        assert_eq!(plan.ambiguous, [Box::from(&b"a"[..])]);
        assert_eq!(numbers(&plan.nameless), [5, 9]);
        assert_eq!((plan.octets(false), plan.octets(true)), (0, 10));
        assert_eq!(plan.known.iter().map(|(number, _)| number.get()).collect::<Vec<_>>(), [2, 6, 7]);
    }

    #[test]
    fn a_listing_that_names_a_message_twice_is_not_trusted() {
        let (_folder, journal) = journal(&[]);
        assert_eq!(Plan::new(&[entry(1, "a"), entry(1, "b")], &HashMap::new(), &journal), None);
    }
}
