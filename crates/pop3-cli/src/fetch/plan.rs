//! Which messages are to be fetched, by what the server lists and what is home already.

use std::collections::HashMap;

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
    /// Home already.
    pub known: Vec<MessageNumber>,
    /// How many messages the server lists under each unique-id.
    pub listed: HashMap<Box<[u8]>, u32>,
}

impl Plan {
    /// By unique-id: of several messages with one unique-id, the first so many are home that the journal has (S17, Q23).
    pub fn new(entries: &[UniqueIdEntry], sizes: &HashMap<MessageNumber, u64>, journal: &Journal) -> Self {
        let mut plan = Self::default();
        for entry in entries {
            let number = entry.number;
            let octets = sizes.get(&number).copied().unwrap_or(0);
            if entry.unique_id.is_empty() {
                plan.nameless.push(Wanted { number, unique_id: None, octets });
                continue;
            }
            let count = plan.listed.entry(entry.unique_id.clone()).or_default();
            *count += 1;
            if *count <= journal.count(&entry.unique_id) {
                plan.known.push(number);
            } else {
                plan.new.push(Wanted { number, unique_id: Some(entry.unique_id.clone()), octets });
            }
        }
        plan
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

    fn entry(number: u32, unique_id: &str) -> UniqueIdEntry {
        UniqueIdEntry { number: MessageNumber::new(number).unwrap(), unique_id: unique_id.as_bytes().into() }
    }

    #[test]
    fn s17_q21_q23_the_second_of_two_is_never_lost() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(&folder.path().join("journal")).unwrap();
        journal.add([&b"a"[..], b"b"].into_iter()).unwrap();
        let entries = [entry(1, "a"), entry(2, "b"), entry(4, "a"), entry(5, ""), entry(6, "c")];
        let plan = Plan::new(&entries, &HashMap::new(), &journal);
        let numbers = |wanted: &[Wanted]| wanted.iter().map(|wanted| wanted.number.get()).collect::<Vec<_>>();
        assert_eq!(numbers(&plan.new), [4, 6]);
        assert_eq!(numbers(&plan.nameless), [5]);
        assert_eq!(plan.known.iter().map(|number| number.get()).collect::<Vec<_>>(), [1, 2]);
    }
}
