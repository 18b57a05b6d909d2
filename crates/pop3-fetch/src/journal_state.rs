//! The journal's contents: the stored messages, the messages being delivered, and properties of the account.
//!
//! It is stored as one line for each [entry](crate::entry).
//!
//! A line that fails its check may have been any line, so all lines before it are ignored: messages are fetched again, never
//! skipped. A last line without its line end comes from a crash during a write, and is ignored. A `?` without its `+` is an
//! interrupted delivery: it is completed, or the message is fetched again.
// H44, H47

use std::collections::HashMap;
use std::time::Duration;

use crate::entry::{Entry, EntryKind};
use crate::fingerprint::Fingerprint;

/// Time for which a unique-id is remembered after the server has last listed it, because the server may list it again. The
/// properties of an account are valid for this time, too.
// Q28
const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

/// Time for which new messages are compared after the server has given all messages other unique-ids. A few runs are enough to see all of them.
const CHANGED: Duration = Duration::from_secs(7 * 24 * 3600);

/// The state of a stored message on the server, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MessageState {
    /// The message is on the server.
    Stored,
    /// The message is on the server and stays there, because the stored copy may be incomplete.
    Suspect,
    /// The deletion was requested; its result is unknown.
    Deleting,
    /// The server confirmed the deletion.
    Deleted,
    /// The server keeps the message although it confirmed the deletion.
    Kept,
    /// Another program has fetched the message, so nothing is known of its contents.
    Imported,
}

impl MessageState {
    const fn kind(self) -> EntryKind {
        match self {
            Self::Stored => EntryKind::Stored,
            Self::Suspect => EntryKind::Suspect,
            Self::Deleting => EntryKind::Deleting,
            Self::Deleted => EntryKind::Deleted,
            Self::Kept => EntryKind::Kept,
            Self::Imported => EntryKind::Imported,
        }
    }

    const fn of(kind: EntryKind) -> Option<Self> {
        match kind {
            EntryKind::Stored => Some(Self::Stored),
            EntryKind::Suspect => Some(Self::Suspect),
            EntryKind::Deleting => Some(Self::Deleting),
            EntryKind::Deleted => Some(Self::Deleted),
            EntryKind::Kept => Some(Self::Kept),
            EntryKind::Imported => Some(Self::Imported),
            _ => None,
        }
    }
}

/// A stored message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    /// The state of the message on the server.
    pub state: MessageState,
    /// The size that the server announced.
    pub octets: Option<u64>,
    /// The message's fingerprint; journals of early versions have none.
    pub fingerprint: Option<Fingerprint>,
    /// The time at which the message was stored, in seconds since 1970.
    pub stored: u64,
    /// The time at which the server listed the message last, in seconds since 1970.
    pub last: u64,
}

/// A message that could not be retrieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// The number of tries so far.
    pub tries: u32,
    /// The time of the last try, in seconds since 1970.
    pub last: u64,
}

/// The combined contents of all lines.
#[derive(Debug, Default)]
pub struct JournalState {
    records: HashMap<Vec<u8>, Vec<Record>>,
    failures: HashMap<Vec<u8>, Failures>,
    ids_reused: Option<u64>,
    ids_changed: Option<u64>,
    pipelining_broken: Option<u64>,
    command_limit: Option<(u32, u64)>,
    /// The messages that were about to become visible.
    pub interrupted: Vec<Entry>,
    /// A part of the journal could not be read.
    pub damaged: bool,
}

impl JournalState {
    /// Parses a journal.
    pub fn parse(text: &[u8]) -> Self {
        let mut state = Self::default();
        let whole = text.strip_suffix(b"\n");
        let mut lines = whole.unwrap_or(text).split(|byte| *byte == b'\n');
        // The last line was cut. It may look complete, but the next line must not be appended to it.
        if whole.is_none() && !text.is_empty() {
            state.damaged = true;
            lines.next_back();
        }
        for line in lines.filter(|_| !text.is_empty()) {
            match Entry::parse(line) {
                Some(entry) => state.add(entry),
                None => state = Self { damaged: true, ..Self::default() },
            }
        }
        state
    }

    /// Applies one line.
    pub fn add(&mut self, entry: Entry) {
        match entry.kind {
            EntryKind::Intended | EntryKind::IntendedSuspect => self.interrupted.push(entry),
            EntryKind::NowDeleting => self.request_deletion(&entry.unique_id, entry.fingerprint),
            EntryKind::IdsReused => self.ids_reused = Some(entry.seconds),
            EntryKind::IdsChanged => self.ids_changed = Some(entry.seconds),
            EntryKind::Failed => {
                let tries = entry.octets.and_then(|tries| u32::try_from(tries).ok()).unwrap_or(1);
                self.failures.insert(entry.unique_id, Failures { tries, last: entry.seconds });
            }
            EntryKind::PipeliningBroken => self.pipelining_broken = Some(entry.seconds),
            EntryKind::CommandLimit => {
                let limit = entry.octets.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(u32::MAX);
                self.command_limit = Some((limit, entry.seconds));
            }
            EntryKind::Stored
            | EntryKind::Suspect
            | EntryKind::Deleting
            | EntryKind::Deleted
            | EntryKind::Kept
            | EntryKind::Imported => {
                let Some(state) = MessageState::of(entry.kind) else { return };
                // Messages are matched by file name: of two messages with one unique-id, the first may not be stored yet (S17).
                if !entry.name.is_empty() {
                    self.interrupted.retain(|interrupted| interrupted.name != entry.name);
                }
                self.failures.remove(&*failure_key(&entry.unique_id, entry.octets));
                let (octets, fingerprint, last) = (entry.octets, entry.fingerprint, entry.seconds);
                let record = Record { state, octets, fingerprint, stored: entry.stored.unwrap_or(last), last };
                self.records.entry(entry.unique_id).or_default().push(record);
            }
        }
    }

    /// Returns the shortest journal with these contents.
    pub fn text(&self, now: u64) -> String {
        let mut text = String::new();
        let mut put = |entry: Entry| text += &entry.line();
        let mut records: Vec<_> = self.records.iter().collect();
        records.sort();
        for (unique_id, records) in records {
            for record in records {
                put(Entry {
                    seconds: record.last,
                    octets: record.octets,
                    fingerprint: record.fingerprint,
                    stored: (record.stored != record.last).then_some(record.stored),
                    ..Entry::new(record.state.kind(), unique_id)
                });
            }
        }
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort_by_key(|(unique_id, _)| *unique_id);
        for (unique_id, failures) in failures {
            put(Entry {
                seconds: failures.last,
                octets: Some(failures.tries.into()),
                ..Entry::new(EntryKind::Failed, unique_id)
            });
        }
        let learnt = [
            (EntryKind::IdsReused, self.ids_reused),
            (EntryKind::IdsChanged, self.ids_changed),
            (EntryKind::PipeliningBroken, self.pipelining_broken),
        ];
        for (kind, seconds) in learnt {
            if let Some(seconds) = seconds {
                put(Entry { seconds, ..Entry::new(kind, b"") });
            }
        }
        if let Some((limit, seconds)) = self.command_limit {
            put(Entry { seconds, octets: Some(limit.into()), ..Entry::new(EntryKind::CommandLimit, b"") });
        }
        self.interrupted.iter().for_each(|entry| put(Entry { seconds: now, ..entry.clone() }));
        text
    }

    /// Returns `true` if no message is known.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Returns the number of messages in each state, the most common one first.
    pub fn counts(&self) -> Vec<(MessageState, usize)> {
        let mut counts: HashMap<MessageState, usize> = HashMap::new();
        for record in self.records.values().flatten() {
            *counts.entry(record.state).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(state, count)| (std::cmp::Reverse(*count), *state));
        counts
    }

    /// Returns the stored messages with this unique-id.
    pub fn records(&self, unique_id: &[u8]) -> &[Record] {
        self.records.get(unique_id).map_or(&[], Vec::as_slice)
    }

    /// Returns the unique-ids of the stored messages with each fingerprint.
    pub fn by_fingerprint(&self) -> HashMap<Fingerprint, Vec<Box<[u8]>>> {
        let mut ids: HashMap<_, Vec<Box<[u8]>>> = HashMap::new();
        for (unique_id, records) in &self.records {
            for fingerprint in records.iter().filter_map(|record| record.fingerprint) {
                ids.entry(fingerprint).or_default().push(unique_id.as_slice().into());
            }
        }
        ids
    }

    /// Moves a stored message to the unique-id under which the server lists it now.
    pub fn rename(&mut self, unique_id: &[u8], fingerprint: Fingerprint, new: &[u8]) {
        let Some(records) = self.records.get_mut(unique_id) else { return };
        let Some(at) = records.iter().position(|record| record.fingerprint == Some(fingerprint)) else { return };
        let record = records.swap_remove(at);
        if records.is_empty() {
            self.records.remove(unique_id);
        }
        self.records.entry(new.to_vec()).or_default().push(record);
    }

    /// Returns `true` if a unique-id denoted two messages, one after the other.
    pub const fn are_ids_reused(&self) -> bool {
        self.ids_reused.is_some()
    }

    /// Returns the failed tries to retrieve the message with this [key](failure_key), if there are any.
    pub fn failures(&self, key: &[u8]) -> Option<Failures> {
        self.failures.get(key).copied()
    }

    /// Forgets the failed tries for the message with this [key](failure_key).
    pub fn clear_failures(&mut self, key: &[u8]) {
        self.failures.remove(key);
    }

    /// Returns `true` if the server gave all messages other unique-ids a short time ago.
    pub const fn are_ids_changed(&self) -> bool {
        self.ids_changed.is_some()
    }

    /// Returns the stored messages that the server should list and does not, with their unique-ids. `listed` has the unique-ids that it lists.
    pub fn vanished<'a, T>(&'a self, listed: &'a HashMap<Box<[u8]>, T>) -> impl Iterator<Item = (&'a [u8], &'a Record)> {
        let absent = self.records.iter().filter(|(unique_id, _)| !listed.contains_key(unique_id.as_slice()));
        let records = absent.flat_map(|(unique_id, records)| records.iter().map(move |record| (unique_id.as_slice(), record)));
        // A message whose deletion was requested may be gone, and an equal one that is still there must not be taken for it. One without a
        // fingerprint cannot be recognised.
        let is_expected =
            |record: &Record| matches!(record.state, MessageState::Stored | MessageState::Suspect | MessageState::Kept);
        records.filter(move |(_, record)| is_expected(record) && record.fingerprint.is_some() && record.octets.is_some())
    }

    /// Returns the time of the last listing, in seconds since 1970; 0 if no message is known.
    pub fn last_listing(&self) -> u64 {
        self.records.values().flatten().map(|record| record.last).max().unwrap_or(0)
    }

    /// Returns `true` if the server has mixed up pipelined commands.
    pub fn is_pipelining_broken(&self) -> bool {
        self.pipelining_broken.is_some()
    }

    /// Returns the number of commands to use per session, if the server has ended sessions early.
    pub fn command_limit(&self) -> Option<u32> {
        self.command_limit.map(|(limit, _)| limit)
    }

    /// Records that the deletion of a stored message is requested.
    pub fn request_deletion(&mut self, unique_id: &[u8], fingerprint: Option<Fingerprint>) {
        self.change(
            unique_id,
            fingerprint,
            |state| matches!(state, MessageState::Stored | MessageState::Deleted),
            MessageState::Deleting,
        );
    }

    /// Records that the server confirmed a deletion. `again` means that it had confirmed this deletion before and still listed
    /// the message, so it probably keeps it.
    pub fn confirm_deletion(&mut self, unique_id: &[u8], fingerprint: Option<Fingerprint>, again: bool) {
        let state = if again { MessageState::Kept } else { MessageState::Deleted };
        self.change(unique_id, fingerprint, |state| state == MessageState::Deleting, state);
    }

    /// Records that requested deletions were not carried out.
    pub fn cancel_deletions<'a>(&mut self, messages: impl Iterator<Item = (&'a [u8], Option<Fingerprint>)>) {
        for (unique_id, fingerprint) in messages {
            self.change(unique_id, fingerprint, |state| state == MessageState::Deleting, MessageState::Stored);
        }
    }

    /// Updates the size that the server announces for a stored message.
    pub fn resize(&mut self, unique_id: &[u8], fingerprint: Fingerprint, octets: Option<u64>) {
        let records = self.records.get_mut(unique_id).into_iter().flatten();
        for record in records.filter(|record| record.fingerprint == Some(fingerprint)) {
            record.octets = octets;
        }
    }

    /// Forgets the stored messages with this unique-id: they are no longer on the server, and another message has it.
    pub fn forget(&mut self, unique_id: &[u8]) {
        self.records.remove(unique_id);
    }

    fn change(
        &mut self,
        unique_id: &[u8],
        fingerprint: Option<Fingerprint>,
        from: impl Fn(MessageState) -> bool,
        to: MessageState,
    ) {
        let mut records = self.records.get_mut(unique_id).into_iter().flatten();
        if let Some(record) = records.find(|record| record.fingerprint == fingerprint && from(record.state)) {
            record.state = to;
        }
    }

    /// Forgets messages that the server no longer lists. `listed` is the number of messages that it lists under each unique-id;
    /// `complete` means that it lists no others, as far as the client can tell.
    pub fn keep_listed(&mut self, listed: &HashMap<Box<[u8]>, u32>, complete: bool, now: u64) {
        let is_recent = |last: u64| now.saturating_sub(last) <= GRACE.as_secs();
        let is_changed = self.ids_changed.is_some();
        self.records.retain(|unique_id, records| {
            // Messages without a unique-id were all compared, so those that are still on the server are no longer in the state
            // `Deleted`.
            if !unique_id.is_empty() && listed.contains_key(unique_id.as_slice()) {
                for record in records {
                    record.last = now;
                    // The clock was wrong when the message was stored: its time on the server counts from now on.
                    if !is_plausible(record.stored) {
                        record.stored = now;
                    }
                }
                return true;
            }
            // A deleted message is gone, so its unique-id may come back with another message. Any other message may be hidden for
            // a time (Q28).
            // After a change of all unique-ids, a message that the server keeps is waiting under its old one to be recognised.
            let is_gone = |record: &Record| match record.state {
                MessageState::Deleted => complete,
                MessageState::Kept => complete && !is_changed,
                _ => false,
            };
            records.retain(|record| is_recent(record.last) && !is_gone(record));
            !records.is_empty()
        });
        self.failures.retain(|_, failures| is_recent(failures.last));
        self.ids_reused = self.ids_reused.filter(|last| is_recent(*last));
        self.ids_changed = self.ids_changed.filter(|last| now.saturating_sub(*last) <= CHANGED.as_secs());
        self.pipelining_broken = self.pipelining_broken.filter(|last| is_recent(*last));
        self.command_limit = self.command_limit.filter(|(_, last)| is_recent(*last));
    }
}

/// Returns `true` for a time of a clock that was set: after the year 2019. A machine without a clock begins in 1970.
pub const fn is_plausible(seconds: u64) -> bool {
    seconds >= 1_577_836_800
}

/// Returns the key under which failures of a message are recorded. It includes the size, because several messages may have one
/// unique-id.
pub fn failure_key(unique_id: &[u8], octets: Option<u64>) -> Box<[u8]> {
    [unique_id, b"\0", octets.unwrap_or(0).to_string().as_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::check;
    use proptest::prelude::*;

    fn stored(unique_id: &[u8], octets: u64, body: &[u8]) -> Entry {
        Entry { octets: Some(octets), fingerprint: Some(Fingerprint::of(body)), ..Entry::new(EntryKind::Stored, unique_id) }
    }

    fn known<const N: usize>(state: &JournalState, ids: [&str; N]) -> [usize; N] {
        ids.map(|unique_id| state.records(unique_id.as_bytes()).len())
    }

    #[test]
    fn kept_messages_wait_under_their_old_ids_after_a_change_of_all() {
        let mut state = JournalState::default();
        state.add(Entry { octets: Some(3), fingerprint: Some(Fingerprint::of(b"a")), ..Entry::new(EntryKind::Kept, b"a") });
        state.add(Entry::new(EntryKind::IdsChanged, b""));
        state.keep_listed(&HashMap::new(), true, 1);
        assert_eq!(state.records(b"a").len(), 1);
        let late = 8 * 24 * 3600;
        state.keep_listed(&HashMap::new(), true, late);
        assert!(!state.are_ids_changed());
        state.keep_listed(&HashMap::new(), true, late);
        assert!(state.records(b"a").is_empty());
    }

    #[test]
    fn h47_lines_before_a_damaged_line_are_ignored() {
        let lines = ["a", "b", "c"].map(|unique_id| stored(unique_id.as_bytes(), 1, b"x").line());
        let damaged = lines.concat().replace(" + b ", " + d ");
        let read = JournalState::parse(damaged.as_bytes());
        assert!(read.damaged);
        assert_eq!(known(&read, ["a", "b", "c", "d"]), [0, 0, 1, 0]);
        let cut = lines.concat();
        let read = JournalState::parse(&cut.as_bytes()[..cut.len() - 1]);
        assert!(read.damaged);
        assert_eq!(known(&read, ["a", "b", "c"]), [1, 1, 0], "only the incomplete line is lost");
    }

    #[test]
    fn the_saved_text_has_the_same_contents() {
        let mut state = JournalState::default();
        state.add(stored(b"a", 10, b"one"));
        state.add(stored(b"a", 10, b"two"));
        state.add(Entry { kind: EntryKind::Deleting, ..stored(b"b", 20, b"b") });
        state.add(Entry { kind: EntryKind::Kept, ..stored(b"k", 20, b"k") });
        state.add(Entry { kind: EntryKind::Suspect, ..stored(b"x", 20, b"x") });
        state.add(Entry::new(EntryKind::Imported, b"m"));
        state.add(Entry::new(EntryKind::IdsReused, b""));
        state.add(Entry { octets: Some(2), ..Entry::new(EntryKind::Failed, b"poison") });
        state.add(Entry::new(EntryKind::PipeliningBroken, b""));
        state.add(Entry { octets: Some(9), ..Entry::new(EntryKind::CommandLimit, b"") });
        state.add(Entry { name: "1.a".to_owned(), ..Entry::new(EntryKind::Intended, b"i") });
        state.request_deletion(b"a", Some(Fingerprint::of(b"two")));
        let read = JournalState::parse(state.text(5).as_bytes());
        assert!(!read.damaged);
        let states = |unique_id: &[u8]| read.records(unique_id).iter().map(|record| record.state).collect::<Vec<_>>();
        assert_eq!(states(b"a"), [MessageState::Stored, MessageState::Deleting]);
        assert_eq!(
            (states(b"b"), states(b"k"), states(b"x")),
            (vec![MessageState::Deleting], vec![MessageState::Kept], vec![MessageState::Suspect])
        );
        assert_eq!(states(b"m"), [MessageState::Imported]);
        assert_eq!(read.counts().first(), Some(&(MessageState::Deleting, 2)));
        assert_eq!(read.failures(b"poison").map(|failures| failures.tries), Some(2));
        assert!(read.are_ids_reused() && read.is_pipelining_broken() && read.command_limit() == Some(9));
        assert_eq!((read.interrupted.len(), read.interrupted[0].name.as_str()), (1, "1.a"));
        assert_eq!(read.text(5), state.text(5));
    }

    #[test]
    fn s17_a_deleted_unique_id_is_kept_until_a_listing_no_longer_has_it() {
        let mut state = JournalState::default();
        state.add(stored(b"a", 10, b"a"));
        let fingerprint = Some(Fingerprint::of(b"a"));
        state.request_deletion(b"a", fingerprint);
        state.keep_listed(&HashMap::new(), true, 1);
        assert_eq!(known(&state, ["a"]), [1], "an unconfirmed deletion is not forgotten");
        state.confirm_deletion(b"a", fingerprint, false);
        state.keep_listed(&HashMap::from([(b"a"[..].into(), 1)]), true, 1);
        state.keep_listed(&HashMap::new(), false, 1);
        assert_eq!(known(&state, ["a"]), [1], "an incomplete listing does not prove that the message is gone");
        state.keep_listed(&HashMap::new(), true, 1);
        assert_eq!(known(&state, ["a"]), [0]);
    }

    #[test]
    fn q28_a_unique_id_that_is_not_listed_is_forgotten_after_a_month() {
        const DAY: u64 = 24 * 3600;
        let mut state = JournalState::default();
        assert!(state.is_empty());
        state.add(stored(b"a", 1, b"a"));
        state.add(Entry { seconds: 20 * DAY, ..stored(b"b", 1, b"b") });
        state.keep_listed(&HashMap::new(), true, 30 * DAY);
        assert_eq!((known(&state, ["a", "b"]), state.is_empty()), ([1, 1], false));
        state.keep_listed(&HashMap::from([(b"b"[..].into(), 2)]), true, 30 * DAY + 1);
        assert_eq!(known(&state, ["a", "b"]), [0, 1]);
        state.keep_listed(&HashMap::new(), true, 60 * DAY + 1);
        assert_eq!(known(&state, ["b"]), [1], "it was listed a month ago");
        state.keep_listed(&HashMap::new(), true, 60 * DAY + 2);
        assert!(state.is_empty());
    }

    #[test]
    fn the_time_at_which_a_message_was_stored_outlives_later_listings() {
        let mut state = JournalState::default();
        const THEN: u64 = 1_800_000_000;
        state.add(Entry { seconds: THEN, ..stored(b"a", 1, b"a") });
        state.add(Entry { seconds: 100, ..stored(b"without a clock", 1, b"b") });
        for now in [THEN + 200, THEN + 300] {
            state.keep_listed(&HashMap::from([(b"a"[..].into(), 1), (b"without a clock"[..].into(), 1)]), true, now);
            state = JournalState::parse(state.text(now).as_bytes());
        }
        assert_eq!((state.records(b"a")[0].stored, state.records(b"a")[0].last), (THEN, THEN + 300));
        assert_eq!(state.records(b"without a clock")[0].stored, THEN + 200);
    }

    #[test]
    fn journals_of_earlier_versions_are_read() {
        let rest = "1700000000 + one 1700000000.R1P2Q3.host,S=1,W=2";
        let read = JournalState::parse(format!("{} {rest}\n", check(rest.as_bytes(), 4)).as_bytes());
        assert!(!read.damaged);
        assert_eq!(read.records(b"one")[0].octets, None);
    }

    proptest! {
        #[test]
        fn h47_damage_never_adds_or_changes_a_record(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let ids: [&[u8]; 4] = [b"one", b"two", b"three", b"\xff four"];
            let mut text = ids.map(|id| stored(id, 7, id).line()).concat().into_bytes();
            let whole = JournalState::parse(&text);
            prop_assert!(whole.records.len() == 4 && !whole.damaged);
            if let Some(there) = text.get_mut(at) {
                *there = byte;
            }
            text.truncate(text.len() - cut.min(text.len()));
            for (unique_id, records) in JournalState::parse(&text).records {
                prop_assert!(ids.contains(&unique_id.as_slice()), "no unique-id is known that was not recorded");
                prop_assert_eq!(&records, &whole.records[&unique_id]);
            }
        }

        #[test]
        fn any_bytes_parse_without_a_panic(text: Vec<u8>) {
            let _ = JournalState::parse(&text);
        }
    }
}
