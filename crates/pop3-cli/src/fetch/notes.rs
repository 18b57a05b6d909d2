//! What a journal says: what is home already, and what is on its way.
//!
//! A line is `CHECK SECONDS MARK UNIQUE-ID NAME`: the beginning of a SHA-256 over the rest; when the line was written or the
//! message last seen on the server; a mark; the unique-id with odd bytes as `%XX`; and the file name, where the mark
//! is about one message:
//!
//! - `?` the message is on the disk, in `tmp`, and about to become visible under this name;
//! - `+` the message is home (under this name, if there is one);
//! - `-` the server has confirmed that it deleted it, so that the unique-id may mean another message from now on (Q27); without a
//!   confirmation nothing is assumed (H48).
//!
//! A line that does not pass its check may have been any, a `-` too, so nothing that stands before it is believed: messages are
//! fetched again, never skipped (H47). A last line without its end is what a crash leaves of something that was not done yet, and
//! passed over; so is a `?` without its `+`: the delivery is completed, or the message fetched again (H44).

use std::collections::HashMap;
use std::fmt::Write;
use std::time::Duration;

use sha2::{Digest, Sha256};

/// How long a unique-id is remembered that the server does not list: it may be back (Q28).
const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What a line says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Intended,
    Home,
    Deleted,
}

impl Mark {
    fn as_str(self) -> &'static str {
        match self {
            Self::Intended => "?",
            Self::Home => "+",
            Self::Deleted => "-",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::Intended, Self::Home, Self::Deleted].into_iter().find(|mark| mark.as_str() == word)
    }
}

/// What the lines say together.
#[derive(Debug, Default)]
pub struct Notes {
    seen: HashMap<Vec<u8>, Seen>,
    /// Messages that were about to become visible: name and unique-id.
    pub unsettled: Vec<(String, Vec<u8>)>,
    /// Not all of the journal could be read.
    pub damaged: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    /// Two messages may share one unique-id (S17): so many of them are home.
    count: u32,
    /// When the server listed it last, in seconds since 1970.
    last: u64,
}

impl Notes {
    /// Reads a journal.
    pub fn parse(text: &[u8]) -> Self {
        let mut notes = Self::default();
        let whole = text.strip_suffix(b"\n");
        let mut lines = whole.unwrap_or(text).split(|byte| *byte == b'\n');
        // The last line was cut; it may look whole, but what is appended next must not join it.
        if whole.is_none() && !text.is_empty() {
            notes.damaged = true;
            lines.next_back();
        }
        for line in lines.filter(|_| !text.is_empty()) {
            match parse_line(line) {
                Some(line) => notes.add(line),
                None => notes = Self { damaged: true, ..Self::default() },
            }
        }
        notes
    }

    fn add(&mut self, line: Line) {
        match line.mark {
            Mark::Intended => self.unsettled.push((line.name, line.unique_id)),
            Mark::Home => {
                // By its name: of two messages with one unique-id the first may not have come so far (S17).
                self.unsettled.retain(|(name, _)| *name != line.name);
                self.add_home(&line.unique_id, line.seconds);
            }
            Mark::Deleted => self.take_one(&line.unique_id),
        }
    }

    /// The shortest journal that says all this.
    pub fn text(&self, now: u64) -> String {
        let mut text = String::new();
        let mut entries: Vec<_> = self.seen.iter().collect();
        entries.sort();
        for (unique_id, seen) in entries {
            for _ in 0..seen.count {
                text += &line(seen.last, Mark::Home, unique_id, "");
            }
        }
        for (name, unique_id) in &self.unsettled {
            text += &line(now, Mark::Intended, unique_id, name);
        }
        text
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// How many messages with this unique-id are home.
    pub fn count(&self, unique_id: &[u8]) -> u32 {
        self.seen.get(unique_id).map_or(0, |seen| seen.count)
    }

    /// One more message with this unique-id is home.
    pub fn add_home(&mut self, unique_id: &[u8], seconds: u64) {
        let seen = self.seen.entry(unique_id.to_vec()).or_default();
        *seen = Seen { count: seen.count.saturating_add(1), last: seen.last.max(seconds) };
    }

    /// One message with this unique-id was deleted.
    pub fn take_one(&mut self, unique_id: &[u8]) {
        if let Some(seen) = self.seen.get_mut(unique_id) {
            seen.count = seen.count.saturating_sub(1);
            if seen.count == 0 {
                self.seen.remove(unique_id);
            }
        }
    }

    /// Forgets what the server has not listed for long. `listed`: how many messages it lists under each unique-id.
    pub fn keep_listed(&mut self, listed: &HashMap<Box<[u8]>, u32>, now: u64) {
        self.seen.retain(|unique_id, seen| {
            if let Some(count) = listed.get(unique_id.as_slice()) {
                // Of several with one unique-id some are gone: the next one that comes is a new one.
                *seen = Seen { count: seen.count.min(*count), last: now };
            }
            now.saturating_sub(seen.last) <= GRACE.as_secs()
        });
    }
}

/// The beginning of a SHA-256, as hexadecimal digits.
pub fn check(text: &[u8], octets: usize) -> String {
    Sha256::digest(text).iter().take(octets).fold(String::new(), |mut check, octet| {
        let _ = write!(check, "{octet:02x}");
        check
    })
}

/// A line of the file.
pub fn line(seconds: u64, mark: Mark, unique_id: &[u8], name: &str) -> String {
    let mut rest = format!("{seconds} {} ", mark.as_str());
    for byte in unique_id {
        match byte {
            b'%' | ..0x21 | 0x7F.. => {
                let _ = write!(rest, "%{byte:02X}");
            }
            _ => rest.push((*byte).into()),
        }
    }
    rest.push(' ');
    rest.push_str(name);
    format!("{} {rest}\n", check(rest.as_bytes(), 4))
}

struct Line {
    seconds: u64,
    mark: Mark,
    unique_id: Vec<u8>,
    name: String,
}

fn parse_line(line: &[u8]) -> Option<Line> {
    let (stored, rest) = line.split_at_checked(9)?;
    if stored != format!("{} ", check(rest, 4)).as_bytes() {
        return None;
    }
    let mut words = str::from_utf8(rest).ok()?.splitn(4, ' ');
    let (seconds, mark, escaped, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let mut parts = escaped.split('%');
    let mut unique_id = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, text) = part.split_at_checked(2)?;
        unique_id.push(u8::from_str_radix(code, 16).ok()?);
        unique_id.extend_from_slice(text.as_bytes());
    }
    Some(Line { seconds: seconds.parse().ok()?, mark: Mark::parse(mark)?, unique_id, name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn h47_what_stands_before_a_line_that_cannot_be_read_is_not_believed() {
        let lines = [(Mark::Home, "a"), (Mark::Home, "b"), (Mark::Deleted, "a"), (Mark::Home, "c")];
        let lines = lines.map(|(mark, unique_id)| line(1, mark, unique_id.as_bytes(), ""));
        let damaged = lines.concat().replace(" - a ", " + a ");
        let read = Notes::parse(damaged.as_bytes());
        assert!(read.damaged);
        // Another message may bear the unique-id `a` now.
        assert_eq!(["a", "b", "c"].map(|unique_id| read.count(unique_id.as_bytes())), [0, 0, 1]);
        let cut = lines.concat();
        let read = Notes::parse(&cut.as_bytes()[..cut.len() - 1]);
        assert!(read.damaged);
        assert_eq!(["a", "b", "c"].map(|unique_id| read.count(unique_id.as_bytes())), [0, 1, 0], "a crash forgets little");
    }

    #[test]
    fn q28_what_is_not_listed_is_forgotten_after_a_month() {
        const DAY: u64 = 24 * 3600;
        let mut notes = Notes::default();
        assert!(notes.is_empty());
        notes.add_home(b"a", 0);
        notes.add_home(b"b", 20 * DAY);
        notes.keep_listed(&HashMap::new(), 30 * DAY);
        assert_eq!((notes.count(b"a"), notes.count(b"b"), notes.is_empty()), (1, 1, false));
        notes.keep_listed(&HashMap::from([(b"b"[..].into(), 2)]), 30 * DAY + 1);
        assert_eq!((notes.count(b"a"), notes.count(b"b")), (0, 1));
        notes.keep_listed(&HashMap::new(), 60 * DAY + 1);
        assert_eq!(notes.count(b"b"), 1, "it was listed a month ago");
        notes.keep_listed(&HashMap::new(), 60 * DAY + 2);
        assert!(notes.is_empty());
    }

    proptest! {
        #[test]
        fn h47_damage_makes_fetch_again_and_never_skip(at in 0usize..200, byte: u8, cut in 0usize..200) {
            let mut text = String::new();
            let ids: [&[u8]; 4] = [b"one", b"two", b"three", b"\xff four"];
            for id in ids {
                text += &line(1_700_000_000, Mark::Home, id, "");
            }
            let mut text = text.into_bytes();
            let whole = Notes::parse(&text);
            prop_assert!(whole.seen.len() == 4 && !whole.damaged);
            if let Some(there) = text.get_mut(at) {
                *there = byte;
            }
            text.truncate(text.len() - cut.min(text.len()));
            for (unique_id, seen) in Notes::parse(&text).seen {
                prop_assert!(ids.contains(&unique_id.as_slice()), "nothing is known that was not noted");
                prop_assert_eq!(seen.count, 1);
            }
        }

        #[test]
        fn any_bytes_parse(text: Vec<u8>) {
            let _ = Notes::parse(&text);
        }
    }
}
