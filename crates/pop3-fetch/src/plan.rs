//! Decides which messages are fetched and deleted, from the server's listing and the stored messages.
//!
//! A listed message is known if a stored message has its unique-id and its announced size. That is not enough if the unique-id is
//! doubtful: if unique-ids are only message numbers, if one denoted two messages, or if a deletion was requested. Such a message
//! is retrieved again, and its fingerprint is compared before it counts as the stored message.

use std::collections::{HashMap, HashSet};

use pop3_blocking::proto::codec::MessageNumber;

use crate::fingerprint::Fingerprint;
use crate::id_change::vanished_sizes;
use crate::journal_state::{JournalState, MessageState, Record, failure_key, is_plausible};
use crate::listing::{Listed, Listing};
use crate::transfer_options::{OnIdsChanged, TransferOptions};

/// Number of tries after which a message that cannot be retrieved is set aside.
pub const MAX_TRIES: u32 = 3;

/// A message to be retrieved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedMessage {
    pub number: MessageNumber,
    /// The unique-id; empty if the server gives none.
    pub unique_id: Box<[u8]>,
    /// The size that the server announced.
    pub octets: Option<u64>,
    /// The message may be stored already, so it must be compared.
    pub compare: bool,
    /// The number of failed tries so far.
    pub tries: u32,
    /// The message is not deleted in this session, because it is one of the newest.
    pub stays: bool,
}

impl PlannedMessage {
    fn new(listed: &Listed, compare: bool, stays: bool) -> Self {
        let Listed { number, ref unique_id, octets } = *listed;
        Self { number, unique_id: unique_id.clone(), octets, compare, tries: 0, stays }
    }

    /// Returns the key under which failures of this message are recorded.
    pub fn failure_key(&self) -> Box<[u8]> {
        failure_key(&self.unique_id, self.octets)
    }
}

/// A stored message that may be deleted from the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deletable {
    pub number: MessageNumber,
    pub unique_id: Box<[u8]>,
    pub fingerprint: Option<Fingerprint>,
    /// The server has confirmed the deletion before and still lists the message.
    pub again: bool,
}

/// The plan of one session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The messages to be retrieved: new ones, and those to be compared.
    pub to_retrieve: Vec<PlannedMessage>,
    /// Messages that broke an earlier session or arrived incomplete. They are retrieved last, each alone in a session.
    pub last: Vec<PlannedMessage>,
    /// Stored messages that are compared only if the [`probe`](Self::probe) has changed: unique-ids then denote other messages.
    pub if_probe_differs: Vec<PlannedMessage>,
    /// The stored message that is retrieved again first. If it is unchanged, the other stored messages are unchanged, too.
    pub probe: Option<MessageNumber>,
    /// The stored messages to be deleted.
    pub to_delete: Vec<Deletable>,
    /// The number of messages that are stored already.
    pub known: u64,
    /// The number of messages that the server keeps although it confirmed their deletion.
    pub kept: u64,
    /// Messages without a unique-id that are not fetched: unless they are deleted, each run would fetch them again.
    pub nameless: Vec<MessageNumber>,
    /// Messages that are larger than the options allow.
    pub too_large: Vec<MessageNumber>,
    /// Messages that wait for a later run, because the options allow no more in one session.
    pub later: Vec<MessageNumber>,
    /// Messages that failed several times and are not tried in this session.
    pub set_aside: Vec<MessageNumber>,
    /// Unique-ids do not identify messages, so a message may be stored under another unique-id.
    pub doubtful: bool,
    /// The server has given all messages other unique-ids, so a new message may be a stored one that it no longer lists.
    pub ids_changed: bool,
    /// The number of messages that the server lists under each unique-id.
    pub listed: HashMap<Box<[u8]>, u32>,
    /// The number of messages that the server lists with each unique-id and size.
    sizes: HashMap<(Box<[u8]>, Option<u64>), usize>,
}

/// What a plan depends on besides the message.
struct Context<'a> {
    state: &'a JournalState,
    options: &'a TransferOptions,
    /// Equal unique-ids do not prove that two messages are the same.
    doubtful: bool,
    /// The sizes of the stored messages that the server no longer lists, if it has changed the unique-ids.
    vanished: HashSet<u64>,
    /// The number of the first message that stays on the server because it is one of the newest.
    first_of_newest: Option<MessageNumber>,
    /// The current time, in seconds since 1970.
    now: u64,
}

impl Context<'_> {
    /// Returns `true` if a message stays on the server because it is one of the newest.
    fn stays(&self, message: &Listed) -> bool {
        self.first_of_newest.is_some_and(|first| message.number >= first)
    }
}

/// Returns `true` if the options want a recorded message deleted on the server now. `stays` means that it is one of the newest.
pub fn is_deletion_due(record: &Record, stays: bool, options: &TransferOptions, now: u64) -> bool {
    let is_due = match record.state {
        MessageState::Stored => {
            let is_old = is_plausible(record.stored) && now.saturating_sub(record.stored) >= options.delete_after.as_secs();
            options.delete_after.is_zero() || is_old
        }
        // A deletion that was requested before is requested again, however the options have changed since.
        MessageState::Deleting | MessageState::Deleted => true,
        // A copy that may be incomplete or that another program has, and a message that the server keeps anyway.
        MessageState::Suspect | MessageState::Kept | MessageState::Imported => false,
    };
    options.delete && !stays && is_due
}

/// Returns the number of the first of the last `count` messages of a listing.
fn first_of_newest(messages: &[Listed], count: usize) -> Option<MessageNumber> {
    let mut numbers: Vec<_> = messages.iter().map(|message| message.number).collect();
    numbers.sort();
    numbers.split_off(numbers.len().saturating_sub(count)).first().copied()
}

impl Plan {
    /// Plans a session. `now` is the current time, in seconds since 1970.
    pub fn new(listing: &Listing, state: &JournalState, options: &TransferOptions, now: u64) -> Self {
        let mut plan = Self::default();
        for message in &listing.messages {
            *plan.listed.entry(message.unique_id.clone()).or_default() += 1;
            *plan.sizes.entry((message.unique_id.clone(), message.octets)).or_default() += 1;
        }
        let doubtful = state.are_ids_reused() || are_only_numbers(&listing.messages);
        plan.doubtful = doubtful;
        let first_of_newest = first_of_newest(&listing.messages, options.keep_newest);
        let may_have_changed = options.on_ids_changed != OnIdsChanged::Fetch;
        let vanished = may_have_changed.then(|| vanished_sizes(listing, state, &plan.listed)).flatten();
        plan.ids_changed = vanished.is_some();
        let vanished = vanished.unwrap_or_default();
        let context = Context { state, options, doubtful, vanished, first_of_newest, now };
        for message in &listing.messages {
            plan.add(message, &context);
        }
        // New messages come first, in case the session ends early.
        plan.to_retrieve.sort_by_key(|planned| planned.compare);
        plan.limit(options);
        // If messages were removed and the others renumbered, the last known number denotes another message now.
        if let Some(probe) = plan.if_probe_differs.pop() {
            plan.probe = Some(probe.number);
            plan.known -= 1;
            plan.to_retrieve.insert(0, probe);
        }
        plan
    }

    /// Leaves what the options do not allow in one session to a later one.
    fn limit(&mut self, options: &TransferOptions) {
        let (mut count, mut octets) = (0, 0_u64);
        // What is only compared brings nothing new; if it were counted, the same messages could take all the room in each session. After a
        // change of all unique-ids each message is compared once, and may be new.
        let is_moved = self.ids_changed;
        let mut waits = |planned: &PlannedMessage| {
            if planned.compare && !is_moved {
                return false;
            }
            count += 1;
            octets = octets.saturating_add(planned.octets.unwrap_or(0));
            options.max_messages.is_some_and(|max| count > max)
                || (count > 1 && options.max_octets.is_some_and(|max| octets > max))
        };
        self.later = self.to_retrieve.extract_if(.., |planned| waits(planned)).map(|planned| planned.number).collect();
    }

    /// Adds a listed message to the plan.
    fn add(&mut self, message: &Listed, context: &Context<'_>) {
        let Context { state, options, doubtful, now, .. } = *context;
        let records = state.records(&message.unique_id);
        if message.unique_id.is_empty() {
            // A message that stays on the server would be fetched again by each run.
            return match options.deletes_all() {
                true => self.plan_retrieval(message, true, context),
                false => self.nameless.push(message.number),
            };
        }
        let Some(record) = records.iter().find(|record| has_size_of(record, message)) else {
            let may_have_vanished = message.octets.is_some_and(|octets| context.vanished.contains(&octets));
            return self.plan_retrieval(message, doubtful || may_have_vanished || !records.is_empty(), context);
        };
        let delete = is_deletion_due(record, context.stays(message), options, now);
        let to_be_deleted = delete && record.state == MessageState::Stored;
        // If several messages have one unique-id (S17, Q23), only a comparison reveals which of them are stored, unless all that
        // have this size are stored.
        let is_shared = self.listed.get(&message.unique_id).is_some_and(|count| *count > 1);
        let listed = self.sizes.get(&(message.unique_id.clone(), message.octets)).copied().unwrap_or(0);
        let stored = records.iter().filter(|record| has_size_of(record, message)).count();
        let shared = is_shared && (to_be_deleted || stored < listed);
        // After a deletion the unique-id may denote another message (Q27), and only a provably stored message may be deleted.
        let unproven =
            matches!(record.state, MessageState::Deleting | MessageState::Deleted) || (delete && record.fingerprint.is_none());
        if shared || unproven || (doubtful && to_be_deleted) {
            return self.plan_retrieval(message, true, context);
        }
        self.known += 1;
        self.kept += u64::from(record.state == MessageState::Kept);
        if doubtful {
            self.if_probe_differs.push(PlannedMessage::new(message, true, context.stays(message)));
        } else if to_be_deleted {
            let Listed { number, ref unique_id, .. } = *message;
            self.to_delete.push(Deletable {
                number,
                unique_id: unique_id.clone(),
                fingerprint: record.fingerprint,
                again: false,
            });
        }
    }

    fn plan_retrieval(&mut self, message: &Listed, compare: bool, context: &Context<'_>) {
        let Context { state, options, now, .. } = *context;
        if options.max_message.is_some_and(|max| message.octets.is_some_and(|octets| octets > max)) {
            return self.too_large.push(message.number);
        }
        let mut planned = PlannedMessage::new(message, compare, context.stays(message));
        let Some(failures) = state.failures(&planned.failure_key()) else { return self.to_retrieve.push(planned) };
        if failures.tries >= MAX_TRIES && now.saturating_sub(failures.last) < options.set_aside.as_secs() {
            return self.set_aside.push(message.number);
        }
        planned.tries = failures.tries;
        self.last.push(planned);
    }

    /// Returns the number of octets to be retrieved, as far as the server announces sizes.
    pub fn octets(&self) -> u64 {
        self.to_retrieve.iter().chain(&self.last).fold(0, |sum, planned| sum.saturating_add(planned.octets.unwrap_or(0)))
    }
}

fn has_size_of(record: &Record, message: &Listed) -> bool {
    record.octets.is_none() || message.octets.is_none() || record.octets == message.octets
}

/// Returns `true` if the unique-ids are only the numbers of the messages, perhaps after a few letters.
fn are_only_numbers(messages: &[Listed]) -> bool {
    const MAX_PREFIX: usize = 8;
    let mut any = false;
    for Listed { number, unique_id, .. } in messages.iter().filter(|message| !message.unique_id.is_empty()) {
        let prefix = unique_id.iter().take_while(|byte| !byte.is_ascii_digit()).count();
        let digits = unique_id.get(prefix..).and_then(|digits| str::from_utf8(digits).ok());
        if prefix > MAX_PREFIX || digits.and_then(|digits| digits.parse().ok()) != Some(number.get()) {
            return false;
        }
        any = true;
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Entry, EntryKind};
    use std::time::Duration;

    const DAY: u64 = 24 * 3600;

    fn listed(number: u32, unique_id: &str, octets: u64) -> Listed {
        Listed { number: MessageNumber::new(number).unwrap(), unique_id: unique_id.as_bytes().into(), octets: Some(octets) }
    }

    fn listing(messages: Vec<Listed>) -> Listing {
        Listing { messages, has_unique_ids: true, complete: true, missing: 0 }
    }

    fn state_with(stored: &[(EntryKind, &str, u64)]) -> JournalState {
        let mut state = JournalState::default();
        for (kind, unique_id, octets) in stored {
            let fingerprint = Some(Fingerprint::of(unique_id.as_bytes()));
            state.add(Entry { octets: Some(*octets), fingerprint, ..Entry::new(*kind, unique_id.as_bytes()) });
        }
        state
    }

    fn listed_as(at: usize, unique_id: &str, octets: u64) -> Listed {
        listed(u32::try_from(at).unwrap() + 1, unique_id, octets)
    }

    /// Returns the numbers of the wanted messages; those to be compared are negative.
    fn wanted(plan: &Plan) -> Vec<i64> {
        let number = |planned: &PlannedMessage| i64::from(planned.number.get()) * if planned.compare { -1 } else { 1 };
        plan.to_retrieve.iter().map(number).collect()
    }

    fn deleted(plan: &Plan) -> Vec<u32> {
        plan.to_delete.iter().map(|message| message.number.get()).collect()
    }

    #[test]
    fn s16_q28_a_message_is_known_by_its_unique_id_and_its_size() {
        let state = state_with(&[(EntryKind::Stored, "a", 10), (EntryKind::Stored, "b", 20)]);
        let listing = listing(vec![listed(1, "a", 10), listed(2, "b", 21), listed(3, "c", 10)]);
        for delete in [false, true] {
            let plan = Plan::new(&listing, &state, &TransferOptions::new(delete), 0);
            assert_eq!((wanted(&plan), plan.known), (vec![3, -2], 1), "another size may be another message");
            assert_eq!(deleted(&plan), if delete { vec![1] } else { vec![] });
        }
    }

    #[test]
    fn after_a_change_of_all_ids_what_may_be_stored_is_compared() {
        let stored = [
            (EntryKind::Stored, "a", 10),
            (EntryKind::Stored, "b", 20),
            (EntryKind::Stored, "c", 30),
            (EntryKind::Deleted, "d", 40),
            (EntryKind::Deleting, "e", 50),
        ];
        let mut state = state_with(&stored);
        let plan = |state: &JournalState, listed: &[(&str, u64)], on_ids_changed| {
            let messages = listed.iter().enumerate().map(|(at, (id, octets))| listed_as(at, id, *octets)).collect();
            let options = TransferOptions { on_ids_changed, ..TransferOptions::new(false) };
            let plan = Plan::new(&listing(messages), state, &options, 0);
            (wanted(&plan), plan.ids_changed)
        };
        let moved = [("va", 10), ("wb", 20), ("xc", 99), ("yd", 40), ("ze", 50)];
        assert_eq!(
            plan(&state, &moved, OnIdsChanged::Compare),
            (vec![3, 4, 5, -1, -2], true),
            "what was deleted, or may be, is fetched as any other"
        );
        assert_eq!(plan(&state, &moved, OnIdsChanged::Fetch), (vec![1, 2, 3, 4, 5], false));
        assert_eq!(
            plan(&state, &[("va", 10), ("wb", 99)], OnIdsChanged::Compare),
            (vec![1, 2], false),
            "of three one is too few"
        );
        assert_eq!(
            plan(&state, &[("va", 10), ("wb", 20), ("c", 30)], OnIdsChanged::Compare),
            (vec![1, 2], false),
            "one is known"
        );
        assert_eq!(
            plan(&state, &[("va", 10), ("wb", 10), ("xc", 10)], OnIdsChanged::Compare),
            (vec![1, 2, 3], false),
            "one size counts once"
        );
        // What had gone before the last listing is no part of the move.
        let mut busy = state_with(&[]);
        for number in 0..100 {
            let id = format!("old-{number}");
            let fingerprint = Some(Fingerprint::of(id.as_bytes()));
            busy.add(Entry {
                octets: Some(1_000 + number),
                fingerprint,
                seconds: 5,
                ..Entry::new(EntryKind::Stored, id.as_bytes())
            });
        }
        for (kind, id, octets) in &stored[..3] {
            let fingerprint = Some(Fingerprint::of(id.as_bytes()));
            busy.add(Entry { octets: Some(*octets), fingerprint, seconds: 9, ..Entry::new(*kind, id.as_bytes()) });
        }
        assert_eq!(plan(&busy, &moved, OnIdsChanged::Compare), (vec![3, 4, 5, -1, -2], true));
        // An interrupted run has recorded some of them under their new ids.
        state.add(Entry::new(EntryKind::IdsChanged, b""));
        state.rename(b"a", Fingerprint::of(b"a"), b"va");
        assert_eq!(plan(&state, &moved, OnIdsChanged::Compare), (vec![3, 4, 5, -2], true));
    }

    #[test]
    fn what_is_too_much_for_a_session_waits_and_new_messages_come_first() {
        let state = state_with(&[(EntryKind::Stored, "a", 9)]);
        let listing = listing(vec![listed(1, "a", 10), listed(2, "b", 10), listed(3, "c", 10), listed(4, "d", 10)]);
        let planned = |max_messages, max_octets| {
            let options = TransferOptions { max_messages, max_octets, ..TransferOptions::new(false) };
            let plan = Plan::new(&listing, &state, &options, 0);
            (wanted(&plan), plan.later.iter().map(|number| number.get()).collect::<Vec<_>>())
        };
        assert_eq!(planned(None, None), (vec![2, 3, 4, -1], vec![]));
        assert_eq!(planned(Some(2), None), (vec![2, 3, -1], vec![4]), "to compare takes no room");
        assert_eq!(planned(Some(9), Some(29)), (vec![2, 3, -1], vec![4]));
        assert_eq!(planned(Some(9), Some(30)), (vec![2, 3, 4, -1], vec![]));
        assert_eq!(planned(None, Some(5)), (vec![2, -1], vec![3, 4]), "otherwise nothing would ever come");
        assert_eq!(planned(Some(0), None), (vec![-1], vec![2, 3, 4]));
    }

    #[test]
    fn s17_q23_messages_that_share_a_unique_id_are_compared() {
        let state = state_with(&[(EntryKind::Stored, "a", 10), (EntryKind::Stored, "b", 10), (EntryKind::Stored, "b", 10)]);
        let listing = listing(vec![listed(1, "a", 10), listed(2, "b", 10), listed(4, "a", 10), listed(5, "b", 10)]);
        let plan = Plan::new(&listing, &state, &TransferOptions::new(false), 0);
        assert_eq!((wanted(&plan), plan.known), (vec![-1, -4], 2), "of `b` all are stored");
        assert_eq!(wanted(&Plan::new(&listing, &state, &TransferOptions::new(true), 0)), [-1, -2, -4, -5]);
    }

    #[test]
    fn a_message_is_deleted_once_it_was_stored_for_so_long() {
        let mut state = JournalState::default();
        const START: u64 = 20_000 * DAY;
        // The last one was stored while the clock was wrong.
        for (unique_id, seconds) in [("a", START), ("b", START + 2 * DAY), ("later", START + 99 * DAY), ("1970", 5)] {
            let fingerprint = Some(Fingerprint::of(unique_id.as_bytes()));
            state.add(Entry { seconds, octets: Some(10), fingerprint, ..Entry::new(EntryKind::Stored, unique_id.as_bytes()) });
        }
        let listing = listing(vec![
            listed(1, "a", 10),
            listed(2, "b", 10),
            listed(3, "later", 10),
            listed(4, "new", 10),
            listed(5, "1970", 10),
        ]);
        let options = TransferOptions { delete_after: Duration::from_secs(7 * DAY), ..TransferOptions::new(true) };
        let (a, b) = (START + 7 * DAY, START + 9 * DAY);
        for (now, expected) in [(a - 1, vec![]), (a, vec![1]), (b - 1, vec![1]), (b, vec![1, 2])] {
            let plan = Plan::new(&listing, &state, &options, now);
            assert_eq!((deleted(&plan), wanted(&plan), plan.known), (expected, vec![4], 4), "{now}");
        }
    }

    #[test]
    fn what_another_program_has_fetched_is_neither_fetched_nor_deleted() {
        let mut state = JournalState::default();
        state.add(Entry::new(EntryKind::Imported, b"theirs"));
        let listing = listing(vec![listed(1, "theirs", 10), listed(2, "new", 10)]);
        for delete in [false, true] {
            let plan = Plan::new(&listing, &state, &TransferOptions::new(delete), 0);
            assert_eq!((wanted(&plan), deleted(&plan), plan.known), (vec![2], vec![], 1));
        }
    }

    #[test]
    fn the_newest_messages_stay_whether_they_are_stored_or_not() {
        let state = state_with(&[(EntryKind::Stored, "a", 10), (EntryKind::Stored, "b", 10), (EntryKind::Stored, "d", 10)]);
        // A listing may be in any order.
        let listing = listing(vec![listed(4, "d", 10), listed(2, "b", 10), listed(1, "a", 10), listed(3, "c", 10)]);
        for (keep_newest, expected, staying) in [
            (0, vec![4, 2, 1], vec![]),
            (1, vec![2, 1], vec![]),
            (2, vec![2, 1], vec![3]),
            (3, vec![1], vec![3]),
            (9, vec![], vec![3]),
        ] {
            let plan = Plan::new(&listing, &state, &TransferOptions { keep_newest, ..TransferOptions::new(true) }, 0);
            assert_eq!((deleted(&plan), wanted(&plan)), (expected, vec![3]), "{keep_newest}");
            let stays = plan.to_retrieve.iter().filter(|planned| planned.stays).map(|planned| planned.number.get());
            assert_eq!(stays.collect::<Vec<_>>(), staying, "{keep_newest}");
        }
    }

    #[test]
    fn q27_after_a_deletion_a_unique_id_is_compared() {
        let state = state_with(&[
            (EntryKind::Deleting, "a", 10),
            (EntryKind::Deleted, "b", 10),
            (EntryKind::Kept, "c", 10),
            (EntryKind::Suspect, "d", 10),
        ]);
        let listing = listing(vec![listed(1, "a", 10), listed(2, "b", 10), listed(3, "c", 10), listed(4, "d", 10)]);
        for delete in [false, true] {
            let plan = Plan::new(&listing, &state, &TransferOptions::new(delete), 0);
            assert_eq!((wanted(&plan), deleted(&plan), plan.known, plan.kept), (vec![-1, -2], vec![], 2, 1));
        }
    }

    #[test]
    fn messages_are_compared_if_unique_ids_are_only_numbers() {
        let state = state_with(&[(EntryKind::Stored, "1", 10), (EntryKind::Stored, "2", 10), (EntryKind::Stored, "3", 10)]);
        let numbers = listing((1..=4).map(|number| listed(number, &number.to_string(), 10)).collect());
        let plan = Plan::new(&numbers, &state, &TransferOptions::new(false), 0);
        assert_eq!((wanted(&plan), plan.probe.map(MessageNumber::get), plan.known), (vec![-3, -4], Some(3), 2));
        assert_eq!(plan.if_probe_differs.len(), 2);
        let plan = Plan::new(&numbers, &state, &TransferOptions::new(true), 0);
        assert_eq!((wanted(&plan), deleted(&plan)), (vec![-1, -2, -3, -4], vec![]));
    }

    #[test]
    fn unique_ids_that_are_only_numbers_are_detected() {
        let only = |ids: &[&str]| {
            are_only_numbers(&ids.iter().enumerate().map(|(at, id)| listed(at as u32 + 1, id, 1)).collect::<Vec<_>>())
        };
        assert!(only(&["1", "2"]) && only(&["u1", "u2"]) && only(&["msg-1"]) && only(&["", "2"]) && only(&["001"]));
        assert!(!only(&["2"]) && !only(&["1", "3"]) && !only(&["a"]) && !only(&[]) && !only(&[""]) && !only(&["1.host"]));
        assert!(!only(&["somewhat-longer-1"]) && !only(&["7f1"]));
    }

    #[test]
    fn q21_q26_messages_without_a_unique_id_are_compared_and_only_fetched_to_be_deleted() {
        let listing = listing(vec![listed(1, "a", 10), listed(2, "", 10)]);
        let plan = Plan::new(&listing, &JournalState::default(), &TransferOptions::new(false), 0);
        assert_eq!((wanted(&plan), plan.nameless.len(), plan.octets()), (vec![1], 1, 10));
        assert_eq!(wanted(&Plan::new(&listing, &JournalState::default(), &TransferOptions::new(true), 0)), [1, -2]);
        let for_a_time = TransferOptions { delete_after: Duration::from_secs(1), ..TransferOptions::new(true) };
        for options in [for_a_time, TransferOptions { keep_newest: 1, ..TransferOptions::new(true) }] {
            let plan = Plan::new(&listing, &JournalState::default(), &options, 0);
            assert_eq!((wanted(&plan), plan.nameless.len()), (vec![1], 1), "each run would fetch it again while it stays");
        }
    }

    #[test]
    fn a_message_that_broke_sessions_is_tried_last_and_set_aside_after_three_tries() {
        let listing = listing(vec![listed(1, "a", 10), listed(2, "b", 10)]);
        let plan = |tries: u64, now: u64| {
            let mut state = JournalState::default();
            state.add(Entry { octets: Some(tries), ..Entry::new(EntryKind::Failed, &failure_key(b"a", Some(10))) });
            let plan = Plan::new(&listing, &state, &TransferOptions::new(false), now);
            assert_eq!(wanted(&plan), [2]);
            (plan.last.iter().map(|planned| planned.tries).collect::<Vec<_>>(), plan.set_aside.len())
        };
        assert_eq!(plan(1, 0), (vec![1], 0));
        assert_eq!(plan(3, DAY - 1), (vec![], 1));
        assert_eq!(plan(3, DAY), (vec![3], 0), "it is tried once a day");
    }

    #[test]
    fn a_message_without_a_fingerprint_is_compared_before_its_deletion() {
        let mut state = JournalState::default();
        state.add(Entry::new(EntryKind::Stored, b"old"));
        let listing = listing(vec![listed(1, "old", 10)]);
        assert_eq!(Plan::new(&listing, &state, &TransferOptions::new(false), 0).known, 1);
        let plan = Plan::new(&listing, &state, &TransferOptions::new(true), 0);
        assert_eq!((wanted(&plan), deleted(&plan)), (vec![-1], vec![]));
    }
}
