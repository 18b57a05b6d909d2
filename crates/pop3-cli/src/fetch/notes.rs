//! The journal's contents: the messages that are stored, those on their way, and what was learnt about the account.
//!
//! A line is `CHECK SECONDS MARK UNIQUE-ID NAME OCTETS FINGERPRINT`: the beginning of a SHA-256 over the rest; when the line was
//! written or the message was last listed; a mark; the unique-id with unusual bytes as `%XX`; the file name; the size that the server
//! announced; and the message's [fingerprint](super::fingerprint). `-` stands for a name, size or fingerprint that is not known.
//!
//! Marks about a message:
//!
//! - `?` it is in `tmp`, synced, and about to become visible under this name;
//! - `i` the same, for a message that may not be complete;
//! - `+` it is stored;
//! - `x` it is stored, but [may not be complete](super::soundness): it is never deleted from the server;
//! - `-` it is stored, and its deletion was requested or is about to be: its unique-id may mean another message from now on;
//! - `d` the same, for a message that an earlier line has;
//! - `=` it is stored, and the server has confirmed its deletion;
//! - `k` it is stored, and the server keeps it although it confirmed the deletion.
//!
//! Marks about the account:
//!
//! - `~` unique-ids alone prove nothing: two messages had the same one, one after the other;
//! - `!` this message could not be retrieved; the size is the number of tries;
//! - `p` the server mixes up pipelined commands;
//! - `l` the server ended a session early; the size is the number of commands to use per session.
//!
//! A line that fails its check may have been any line, so no line before it is believed: messages are fetched again, never skipped
//! (H47). A last line without its line end is what a crash leaves of something that was not done yet, and is ignored; so is a `?`
//! without its `+`: the delivery is completed, or the message fetched again (H44).

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::fingerprint::Fingerprint;

/// How long a unique-id is remembered that the server does not list: it may come back (Q28). Also how long something learnt about a
/// server is believed.
const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Intended,
    IntendedSuspect,
    Stored,
    Suspect,
    Deleting,
    NowDeleting,
    Deleted,
    Kept,
    IdsReused,
    Failed,
    PipeliningBroken,
    CommandLimit,
}

impl Mark {
    const ALL: [(Self, &'static str); 12] = [
        (Self::Intended, "?"),
        (Self::IntendedSuspect, "i"),
        (Self::Stored, "+"),
        (Self::Suspect, "x"),
        (Self::Deleting, "-"),
        (Self::NowDeleting, "d"),
        (Self::Deleted, "="),
        (Self::Kept, "k"),
        (Self::IdsReused, "~"),
        (Self::Failed, "!"),
        (Self::PipeliningBroken, "p"),
        (Self::CommandLimit, "l"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(mark, text)| (mark == self).then_some(text)).unwrap_or_default()
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(mark, text)| (text == word).then_some(mark))
    }
}

/// What became of a stored message on the server, as far as is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum State {
    /// It is there.
    Stored,
    /// It is there and stays there: what was stored may not be complete.
    Suspect,
    /// Its deletion was requested. Whether it was carried out is not known.
    Deleting,
    /// The server confirmed its deletion.
    Deleted,
    /// The server keeps it although it confirmed the deletion.
    Kept,
}

impl State {
    const fn mark(self) -> Mark {
        match self {
            Self::Stored => Mark::Stored,
            Self::Suspect => Mark::Suspect,
            Self::Deleting => Mark::Deleting,
            Self::Deleted => Mark::Deleted,
            Self::Kept => Mark::Kept,
        }
    }

    const fn of(mark: Mark) -> Option<Self> {
        match mark {
            Mark::Stored => Some(Self::Stored),
            Mark::Suspect => Some(Self::Suspect),
            Mark::Deleting => Some(Self::Deleting),
            Mark::Deleted => Some(Self::Deleted),
            Mark::Kept => Some(Self::Kept),
            _ => None,
        }
    }
}

/// A message that is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Record {
    pub state: State,
    /// The size that the server announced.
    pub octets: Option<u64>,
    pub fingerprint: Option<Fingerprint>,
    /// When the server listed it last, in seconds since 1970.
    last: u64,
}

/// A message that could not be retrieved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// Tries so far.
    pub tries: u32,
    /// When the last one was, in seconds since 1970.
    pub last: u64,
}

/// What the lines say together.
#[derive(Debug, Default)]
pub struct Notes {
    records: HashMap<Vec<u8>, Vec<Record>>,
    failures: HashMap<Vec<u8>, Failures>,
    ids_reused: Option<u64>,
    pipelining_broken: Option<u64>,
    command_limit: Option<(u32, u64)>,
    /// Messages that were about to become visible.
    pub interrupted: Vec<Entry>,
    /// Not all of the journal could be read.
    pub damaged: bool,
}

impl Notes {
    /// Reads a journal.
    pub fn parse(text: &[u8]) -> Self {
        let mut notes = Self::default();
        let whole = text.strip_suffix(b"\n");
        let mut lines = whole.unwrap_or(text).split(|byte| *byte == b'\n');
        // The last line was cut. It may look complete, but what is appended next must not join it.
        if whole.is_none() && !text.is_empty() {
            notes.damaged = true;
            lines.next_back();
        }
        for line in lines.filter(|_| !text.is_empty()) {
            match Entry::parse(line) {
                Some(entry) => notes.add(entry),
                None => notes = Self { damaged: true, ..Self::default() },
            }
        }
        notes
    }

    /// Adds what one line says.
    pub fn add(&mut self, entry: Entry) {
        match entry.mark {
            Mark::Intended | Mark::IntendedSuspect => self.interrupted.push(entry),
            Mark::NowDeleting => self.request_deletion(&entry.unique_id, entry.fingerprint),
            Mark::IdsReused => self.ids_reused = Some(entry.seconds),
            Mark::Failed => {
                let tries = entry.octets.and_then(|tries| u32::try_from(tries).ok()).unwrap_or(1);
                self.failures.insert(entry.unique_id, Failures { tries, last: entry.seconds });
            }
            Mark::PipeliningBroken => self.pipelining_broken = Some(entry.seconds),
            Mark::CommandLimit => {
                let limit = entry.octets.and_then(|limit| u32::try_from(limit).ok()).unwrap_or(u32::MAX);
                self.command_limit = Some((limit, entry.seconds));
            }
            Mark::Stored | Mark::Suspect | Mark::Deleting | Mark::Deleted | Mark::Kept => {
                let Some(state) = State::of(entry.mark) else { return };
                // By its name: of two messages with one unique-id the first may not have come so far (S17).
                if !entry.name.is_empty() {
                    self.interrupted.retain(|interrupted| interrupted.name != entry.name);
                }
                self.failures.remove(&*failure_key(&entry.unique_id, entry.octets));
                let record = Record { state, octets: entry.octets, fingerprint: entry.fingerprint, last: entry.seconds };
                self.records.entry(entry.unique_id).or_default().push(record);
            }
        }
    }

    /// The shortest journal that says the same.
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
                    ..Entry::new(record.state.mark(), unique_id)
                });
            }
        }
        let mut failures: Vec<_> = self.failures.iter().collect();
        failures.sort_by_key(|(unique_id, _)| *unique_id);
        for (unique_id, failures) in failures {
            put(Entry { seconds: failures.last, octets: Some(failures.tries.into()), ..Entry::new(Mark::Failed, unique_id) });
        }
        let learnt = [(Mark::IdsReused, self.ids_reused), (Mark::PipeliningBroken, self.pipelining_broken)];
        for (mark, seconds) in learnt {
            if let Some(seconds) = seconds {
                put(Entry { seconds, ..Entry::new(mark, b"") });
            }
        }
        if let Some((limit, seconds)) = self.command_limit {
            put(Entry { seconds, octets: Some(limit.into()), ..Entry::new(Mark::CommandLimit, b"") });
        }
        self.interrupted.iter().for_each(|entry| put(Entry { seconds: now, ..entry.clone() }));
        text
    }

    /// Whether no message is known.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The stored messages with this unique-id.
    pub fn records(&self, unique_id: &[u8]) -> &[Record] {
        self.records.get(unique_id).map_or(&[], Vec::as_slice)
    }

    /// The unique-ids under which messages with each fingerprint are stored.
    pub fn by_fingerprint(&self) -> HashMap<Fingerprint, Vec<Box<[u8]>>> {
        let mut ids: HashMap<_, Vec<Box<[u8]>>> = HashMap::new();
        for (unique_id, records) in &self.records {
            for fingerprint in records.iter().filter_map(|record| record.fingerprint) {
                ids.entry(fingerprint).or_default().push(unique_id.as_slice().into());
            }
        }
        ids
    }

    /// The server lists a stored message under another unique-id now.
    pub fn rename(&mut self, unique_id: &[u8], fingerprint: Fingerprint, new: &[u8]) {
        let Some(records) = self.records.get_mut(unique_id) else { return };
        let Some(at) = records.iter().position(|record| record.fingerprint == Some(fingerprint)) else { return };
        let record = records.swap_remove(at);
        if records.is_empty() {
            self.records.remove(unique_id);
        }
        self.records.entry(new.to_vec()).or_default().push(record);
    }

    /// Whether a unique-id was seen with two messages, one after the other.
    pub const fn are_ids_reused(&self) -> bool {
        self.ids_reused.is_some()
    }

    /// How often the message with this [key](failure_key) could not be retrieved.
    pub fn failures(&self, key: &[u8]) -> Option<Failures> {
        self.failures.get(key).copied()
    }

    /// The message with this [key](failure_key) was retrieved.
    pub fn clear_failures(&mut self, key: &[u8]) {
        self.failures.remove(key);
    }

    /// Whether the server was seen to mix up pipelined commands.
    pub fn is_pipelining_broken(&self) -> bool {
        self.pipelining_broken.is_some()
    }

    /// How many commands to use per session, where the server was seen to end sessions early.
    pub fn command_limit(&self) -> Option<u32> {
        self.command_limit.map(|(limit, _)| limit)
    }

    /// The deletion of a stored message is requested.
    pub fn request_deletion(&mut self, unique_id: &[u8], fingerprint: Option<Fingerprint>) {
        self.change(unique_id, fingerprint, |state| matches!(state, State::Stored | State::Deleted), State::Deleting);
    }

    /// The server confirmed a deletion; `again`: not for the first time, so it keeps the message if it lists it still.
    pub fn confirm_deletion(&mut self, unique_id: &[u8], fingerprint: Option<Fingerprint>, again: bool) {
        let state = if again { State::Kept } else { State::Deleted };
        self.change(unique_id, fingerprint, |state| state == State::Deleting, state);
    }

    /// Deletions that were requested were not carried out.
    pub fn cancel_deletions<'a>(&mut self, messages: impl Iterator<Item = (&'a [u8], Option<Fingerprint>)>) {
        for (unique_id, fingerprint) in messages {
            self.change(unique_id, fingerprint, |state| state == State::Deleting, State::Stored);
        }
    }

    /// The server announces another size for a stored message now.
    pub fn resize(&mut self, unique_id: &[u8], fingerprint: Fingerprint, octets: Option<u64>) {
        let records = self.records.get_mut(unique_id).into_iter().flatten();
        for record in records.filter(|record| record.fingerprint == Some(fingerprint)) {
            record.octets = octets;
        }
    }

    /// The stored messages under this unique-id are no longer on the server: another message has it.
    pub fn forget(&mut self, unique_id: &[u8]) {
        self.records.remove(unique_id);
    }

    fn change(&mut self, unique_id: &[u8], fingerprint: Option<Fingerprint>, from: impl Fn(State) -> bool, to: State) {
        let mut records = self.records.get_mut(unique_id).into_iter().flatten();
        if let Some(record) = records.find(|record| record.fingerprint == fingerprint && from(record.state)) {
            record.state = to;
        }
    }

    /// Forgets messages that the server no longer lists. `listed`: how many messages it lists under each unique-id; `complete`: it
    /// lists no others, as far as can be told.
    pub fn keep_listed(&mut self, listed: &HashMap<Box<[u8]>, u32>, complete: bool, now: u64) {
        let is_recent = |last: u64| now.saturating_sub(last) <= GRACE.as_secs();
        self.records.retain(|unique_id, records| {
            // Messages without a unique-id were all compared, and those that are still there are no longer in the state `Deleted`.
            if !unique_id.is_empty() && listed.contains_key(unique_id.as_slice()) {
                records.iter_mut().for_each(|record| record.last = now);
                return true;
            }
            // What was deleted is gone, so its unique-id may come back with another message. All else may have been hidden (Q28).
            let is_gone = |record: &Record| complete && matches!(record.state, State::Deleted | State::Kept);
            records.retain(|record| is_recent(record.last) && !is_gone(record));
            !records.is_empty()
        });
        self.failures.retain(|_, failures| is_recent(failures.last));
        self.ids_reused = self.ids_reused.filter(|last| is_recent(*last));
        self.pipelining_broken = self.pipelining_broken.filter(|last| is_recent(*last));
        self.command_limit = self.command_limit.filter(|(_, last)| is_recent(*last));
    }
}

/// What failures of a message are noted under: several messages may have one unique-id.
pub fn failure_key(unique_id: &[u8], octets: Option<u64>) -> Box<[u8]> {
    [unique_id, b"\0", octets.unwrap_or(0).to_string().as_bytes()].concat().into()
}

/// The beginning of a SHA-256, as hexadecimal digits.
pub fn check(text: &[u8], octets: usize) -> String {
    Sha256::digest(text).iter().take(octets).fold(String::new(), |mut check, octet| {
        let _ = write!(check, "{octet:02x}");
        check
    })
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    pub seconds: u64,
    pub mark: Mark,
    /// Empty for messages without one, and for marks about the whole account.
    pub unique_id: Vec<u8>,
    /// Empty if it is not known.
    pub name: String,
    pub octets: Option<u64>,
    pub fingerprint: Option<Fingerprint>,
}

impl Entry {
    /// A line of which only the mark and the unique-id are known.
    pub fn new(mark: Mark, unique_id: &[u8]) -> Self {
        Self { seconds: 0, mark, unique_id: unique_id.to_vec(), name: String::new(), octets: None, fingerprint: None }
    }

    /// The line as it is written, its line end included.
    pub fn line(&self) -> String {
        let mut rest = format!("{} {} ", self.seconds, self.mark.as_str());
        for byte in &self.unique_id {
            match byte {
                b'%' | ..0x21 | 0x7F.. => {
                    let _ = write!(rest, "%{byte:02X}");
                }
                _ => rest.push((*byte).into()),
            }
        }
        let name = if self.name.is_empty() { "-" } else { &self.name };
        let _ = write!(rest, " {name} ");
        let _ = match self.octets {
            Some(octets) => write!(rest, "{octets} "),
            None => write!(rest, "- "),
        };
        let _ = match &self.fingerprint {
            Some(fingerprint) => write!(rest, "{fingerprint}"),
            None => write!(rest, "-"),
        };
        format!("{} {rest}\n", check(rest.as_bytes(), 4))
    }

    fn parse(line: &[u8]) -> Option<Self> {
        let (stored, rest) = line.split_at_checked(9)?;
        if stored != format!("{} ", check(rest, 4)).as_bytes() {
            return None;
        }
        let mut words = str::from_utf8(rest).ok()?.split(' ');
        let (seconds, mark, escaped, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let mut parts = escaped.split('%');
        let mut unique_id = parts.next()?.as_bytes().to_vec();
        for part in parts {
            let (code, text) = part.split_at_checked(2)?;
            unique_id.push(u8::from_str_radix(code, 16).ok()?);
            unique_id.extend_from_slice(text.as_bytes());
        }
        // Journals of earlier versions end here.
        let (octets, fingerprint) = (words.next().unwrap_or("-"), words.next().unwrap_or("-"));
        if words.next().is_some() {
            return None;
        }
        let known = |word| Some(word).filter(|word| *word != "-");
        Some(Self {
            seconds: seconds.parse().ok()?,
            mark: Mark::parse(mark)?,
            unique_id,
            name: known(name).unwrap_or_default().to_owned(),
            octets: known(octets).map(str::parse).transpose().ok()?,
            fingerprint: match known(fingerprint) {
                Some(word) => Some(Fingerprint::parse(word)?),
                None => None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn stored(unique_id: &[u8], octets: u64, body: &[u8]) -> Entry {
        Entry { octets: Some(octets), fingerprint: Some(Fingerprint::of(body)), ..Entry::new(Mark::Stored, unique_id) }
    }

    fn known<const N: usize>(notes: &Notes, ids: [&str; N]) -> [usize; N] {
        ids.map(|unique_id| notes.records(unique_id.as_bytes()).len())
    }

    #[test]
    fn h47_lines_before_one_that_cannot_be_read_are_not_believed() {
        let lines = ["a", "b", "c"].map(|unique_id| stored(unique_id.as_bytes(), 1, b"x").line());
        let damaged = lines.concat().replace(" + b ", " + d ");
        let read = Notes::parse(damaged.as_bytes());
        assert!(read.damaged);
        assert_eq!(known(&read, ["a", "b", "c", "d"]), [0, 0, 1, 0]);
        let cut = lines.concat();
        let read = Notes::parse(&cut.as_bytes()[..cut.len() - 1]);
        assert!(read.damaged);
        assert_eq!(known(&read, ["a", "b", "c"]), [1, 1, 0], "a crash forgets little");
    }

    #[test]
    fn everything_survives_compaction() {
        let mut notes = Notes::default();
        notes.add(stored(b"a", 10, b"one"));
        notes.add(stored(b"a", 10, b"two"));
        notes.add(Entry { mark: Mark::Deleting, ..stored(b"b", 20, b"b") });
        notes.add(Entry { mark: Mark::Kept, ..stored(b"k", 20, b"k") });
        notes.add(Entry { mark: Mark::Suspect, ..stored(b"x", 20, b"x") });
        notes.add(Entry::new(Mark::IdsReused, b""));
        notes.add(Entry { octets: Some(2), ..Entry::new(Mark::Failed, b"poison") });
        notes.add(Entry::new(Mark::PipeliningBroken, b""));
        notes.add(Entry { octets: Some(9), ..Entry::new(Mark::CommandLimit, b"") });
        notes.add(Entry { name: "1.a".to_owned(), ..Entry::new(Mark::Intended, b"i") });
        notes.request_deletion(b"a", Some(Fingerprint::of(b"two")));
        let read = Notes::parse(notes.text(5).as_bytes());
        assert!(!read.damaged);
        let states = |unique_id: &[u8]| read.records(unique_id).iter().map(|record| record.state).collect::<Vec<_>>();
        assert_eq!(states(b"a"), [State::Stored, State::Deleting]);
        assert_eq!((states(b"b"), states(b"k"), states(b"x")), (vec![State::Deleting], vec![State::Kept], vec![State::Suspect]));
        assert_eq!(read.failures(b"poison").map(|failures| failures.tries), Some(2));
        assert!(read.are_ids_reused() && read.is_pipelining_broken() && read.command_limit() == Some(9));
        assert_eq!((read.interrupted.len(), read.interrupted[0].name.as_str()), (1, "1.a"));
        assert_eq!(read.text(5), notes.text(5));
    }

    #[test]
    fn s17_a_deleted_unique_id_is_kept_until_a_listing_no_longer_has_it() {
        let mut notes = Notes::default();
        notes.add(stored(b"a", 10, b"a"));
        let fingerprint = Some(Fingerprint::of(b"a"));
        notes.request_deletion(b"a", fingerprint);
        notes.keep_listed(&HashMap::new(), true, 1);
        assert_eq!(known(&notes, ["a"]), [1], "without a confirmation nothing is assumed");
        notes.confirm_deletion(b"a", fingerprint, false);
        notes.keep_listed(&HashMap::from([(b"a"[..].into(), 1)]), true, 1);
        notes.keep_listed(&HashMap::new(), false, 1);
        assert_eq!(known(&notes, ["a"]), [1], "a listing that is not complete proves nothing");
        notes.keep_listed(&HashMap::new(), true, 1);
        assert_eq!(known(&notes, ["a"]), [0]);
    }

    #[test]
    fn q28_a_unique_id_that_is_not_listed_is_forgotten_after_a_month() {
        const DAY: u64 = 24 * 3600;
        let mut notes = Notes::default();
        assert!(notes.is_empty());
        notes.add(stored(b"a", 1, b"a"));
        notes.add(Entry { seconds: 20 * DAY, ..stored(b"b", 1, b"b") });
        notes.keep_listed(&HashMap::new(), true, 30 * DAY);
        assert_eq!((known(&notes, ["a", "b"]), notes.is_empty()), ([1, 1], false));
        notes.keep_listed(&HashMap::from([(b"b"[..].into(), 2)]), true, 30 * DAY + 1);
        assert_eq!(known(&notes, ["a", "b"]), [0, 1]);
        notes.keep_listed(&HashMap::new(), true, 60 * DAY + 1);
        assert_eq!(known(&notes, ["b"]), [1], "it was listed a month ago");
        notes.keep_listed(&HashMap::new(), true, 60 * DAY + 2);
        assert!(notes.is_empty());
    }

    #[test]
    fn journals_of_earlier_versions_are_read() {
        let rest = "1700000000 + one 1700000000.R1P2Q3.host,S=1,W=2";
        let read = Notes::parse(format!("{} {rest}\n", check(rest.as_bytes(), 4)).as_bytes());
        assert!(!read.damaged);
        assert_eq!(read.records(b"one")[0].octets, None);
    }

    proptest! {
        #[test]
        fn h47_damage_makes_fetch_again_and_never_skip(at in 0usize..400, byte: u8, cut in 0usize..400) {
            let ids: [&[u8]; 4] = [b"one", b"two", b"three", b"\xff four"];
            let mut text = ids.map(|id| stored(id, 7, id).line()).concat().into_bytes();
            let whole = Notes::parse(&text);
            prop_assert!(whole.records.len() == 4 && !whole.damaged);
            if let Some(there) = text.get_mut(at) {
                *there = byte;
            }
            text.truncate(text.len() - cut.min(text.len()));
            for (unique_id, records) in Notes::parse(&text).records {
                prop_assert!(ids.contains(&unique_id.as_slice()), "nothing is known that was not noted");
                prop_assert_eq!(&records, &whole.records[&unique_id]);
            }
        }

        #[test]
        fn any_bytes_parse(text: Vec<u8>) {
            let _ = Notes::parse(&text);
        }
    }
}
