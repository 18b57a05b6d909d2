//! What is home already, and what is on its way: a line for each, appended and synced before anything that depends on it (H43).
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
use std::fmt::Write as _;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pop3_maildrop::Maildir;
use pop3_maildrop::maildir::disk::{Disk, DiskFile, Lock};
use sha2::{Digest, Sha256};

/// What a line says of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    Intended,
    Home,
    Deleted,
}

impl Mark {
    const ALL: [(Self, char); 3] = [(Self::Intended, '?'), (Self::Home, '+'), (Self::Deleted, '-')];

    fn as_char(self) -> char {
        Self::ALL.iter().find(|(mark, _)| *mark == self).map_or('?', |(_, letter)| *letter)
    }

    fn parse(word: &str) -> Option<Self> {
        let mut letters = word.chars();
        let letter = letters.next().filter(|_| letters.next().is_none())?;
        Self::ALL.iter().find(|(_, known)| *known == letter).map(|(mark, _)| *mark)
    }
}

/// How long a unique-id is remembered that the server does not list: it may be back (Q28).
const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The journal of one account in one Maildir, held by one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    _lock: Box<dyn Lock>,
    /// Something could not be appended. What has come of it may be half a line, which nothing may join.
    torn: bool,
    seen: HashMap<Vec<u8>, Seen>,
    /// Messages that were about to become visible when the last run ended: name and unique-id.
    unsettled: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Seen {
    /// Two messages may share one unique-id (S17): so many of them are home.
    count: u32,
    /// When the server listed it last, in seconds since 1970.
    last: u64,
}

/// The file for an account; nothing in the account's name can lead out of the folder (H29).
pub fn file_name(account: &str) -> String {
    let mut name = String::from("pop3-fetched-");
    for byte in account.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'@' | b'-' | b'+') {
            name.push(byte.into());
        } else {
            let _ = write!(name, "%{byte:02X}");
        }
    }
    if name.len() > 200 {
        name = format!("pop3-fetched-{}", check(account.as_bytes(), 32));
    }
    name
}

impl Journal {
    /// Opens or makes the journal.
    ///
    /// # Errors
    /// Another run holds it ([`io::ErrorKind::WouldBlock`]), or it cannot be read or made.
    pub fn open(disk: &Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let lock = disk.lock(&beside(path, "lock"))?;
        let file = disk.append(path)?;
        let text = disk.read(path)?;
        let Contents { seen, unsettled, damaged } = parse(&text);
        let mut journal = Self { path: path.to_owned(), disk: Arc::clone(disk), file, _lock: lock, torn: false, seen, unsettled };
        if damaged {
            tracing::warn!(file = %path.display(), "the journal is damaged; some messages may be fetched again");
            journal.save()?;
        } else if !journal.unsettled.is_empty() {
            // The last run may have died because a sync failed. What it meant to do must survive before any of it is done (H45).
            journal.save()?;
        } else if text.is_empty() {
            journal.sync_folder()?;
        }
        Ok(journal)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Nothing is known.
    pub fn is_empty(&self) -> bool {
        self.seen.is_empty()
    }

    /// How many messages with this unique-id are home.
    pub fn count(&self, unique_id: &[u8]) -> u32 {
        self.seen.get(unique_id).map_or(0, |seen| seen.count)
    }

    /// Completes what the last run was about to do when it ended.
    ///
    /// # Errors
    /// The Maildir or the journal cannot be written.
    pub fn settle(&mut self, maildir: &Maildir) -> io::Result<()> {
        let mut home = Vec::new();
        for (name, unique_id) in mem::take(&mut self.unsettled) {
            if maildir.complete(&name)? {
                home.push((unique_id, name));
            }
        }
        self.home(home.iter().map(|(unique_id, name)| (unique_id.as_slice(), name.as_str())))?;
        self.save()
    }

    /// Notes messages that are about to become visible; when this returns, so is the note.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn intend<'a>(&mut self, messages: impl Iterator<Item = (&'a [u8], &'a str)>) -> io::Result<()> {
        let now = now();
        self.append(&messages.map(|(unique_id, name)| line(now, Mark::Intended, unique_id, name)).collect::<String>())
    }

    /// Notes messages that are home, with the names that were [intended](Self::intend); when this returns, so is the note.
    ///
    /// # Errors
    /// The disk does not take it: the messages must not be deleted on the server.
    pub fn home<'a>(&mut self, messages: impl Iterator<Item = (&'a [u8], &'a str)>) -> io::Result<()> {
        let now = now();
        let mut lines = String::new();
        for (unique_id, name) in messages {
            lines += &line(now, Mark::Home, unique_id, name);
            let seen = self.seen.entry(unique_id.to_vec()).or_default();
            *seen = Seen { count: seen.count + 1, last: now };
        }
        self.append(&lines)
    }

    /// Notes messages that the server has deleted: what comes under their unique-ids now are others.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn deleted<'a>(&mut self, unique_ids: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let now = now();
        let mut lines = String::new();
        for unique_id in unique_ids {
            lines += &line(now, Mark::Deleted, unique_id, "");
            take_one(&mut self.seen, unique_id);
        }
        self.append(&lines)
    }

    /// Forgets all messages under these unique-ids.
    ///
    /// # Errors
    /// The disk does not take it.
    pub fn forget(&mut self, unique_ids: &[Box<[u8]>]) -> io::Result<()> {
        let all: Vec<&[u8]> =
            unique_ids.iter().flat_map(|unique_id| vec![unique_id.as_ref(); self.count(unique_id) as usize]).collect();
        self.deleted(all.into_iter())
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.torn {
            return Err(io::Error::other("an earlier note could not be written"));
        }
        self.torn = true;
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()?;
        self.torn = false;
        Ok(())
    }

    /// Forgets what the server has not listed for long. `listed`: how many messages it lists under each unique-id.
    ///
    /// # Errors
    /// The new journal cannot be written; the old one stays.
    pub fn compact(&mut self, listed: &HashMap<Box<[u8]>, u32>) -> io::Result<()> {
        let now = now();
        self.seen.retain(|unique_id, seen| {
            if let Some(count) = listed.get(unique_id.as_slice()) {
                // Of several with one unique-id some are gone: the next one that comes is a new one.
                *seen = Seen { count: seen.count.min(*count), last: now };
            }
            now.saturating_sub(seen.last) <= GRACE.as_secs()
        });
        self.save()
    }

    /// Puts a new file in the place of the old one.
    fn save(&mut self) -> io::Result<()> {
        let mut text = String::new();
        let mut entries: Vec<_> = self.seen.iter().collect();
        entries.sort();
        for (unique_id, seen) in entries {
            for _ in 0..seen.count {
                text += &line(seen.last, Mark::Home, unique_id, "");
            }
        }
        for (name, unique_id) in &self.unsettled {
            text += &line(now(), Mark::Intended, unique_id, name);
        }
        let new = beside(&self.path, "new");
        match self.disk.remove(&new) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let mut file = self.disk.create(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync()?;
        self.disk.rename(&new, &self.path)?;
        self.sync_folder()?;
        self.file = self.disk.append(&self.path)?;
        self.torn = false;
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), |folder| self.disk.sync_folder(folder))
    }
}

/// The name with something behind it. A tilde is in no account's file name, so this is nobody else's file.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("~");
    name.push(what);
    name.into()
}

fn take_one(seen: &mut HashMap<Vec<u8>, Seen>, unique_id: &[u8]) {
    if let Some(entry) = seen.get_mut(unique_id) {
        entry.count = entry.count.saturating_sub(1);
        if entry.count == 0 {
            seen.remove(unique_id);
        }
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

fn check(text: &[u8], octets: usize) -> String {
    Sha256::digest(text).iter().take(octets).fold(String::new(), |mut check, octet| {
        let _ = write!(check, "{octet:02x}");
        check
    })
}

/// A line of the file.
pub fn line(seconds: u64, mark: Mark, unique_id: &[u8], name: &str) -> String {
    let mut rest = format!("{seconds} {} ", mark.as_char());
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

/// What a journal says.
#[derive(Debug, Default)]
pub struct Contents {
    seen: HashMap<Vec<u8>, Seen>,
    unsettled: Vec<(String, Vec<u8>)>,
    /// Not all of it could be read.
    pub damaged: bool,
}

impl Contents {
    /// How many messages with this unique-id are home.
    pub fn count(&self, unique_id: &[u8]) -> u32 {
        self.seen.get(unique_id).map_or(0, |seen| seen.count)
    }

    fn add(&mut self, line: Line) {
        match line.mark {
            Mark::Intended => self.unsettled.push((line.name, line.unique_id)),
            Mark::Home => {
                // By its name: of two messages with one unique-id the first may not have come so far (S17).
                self.unsettled.retain(|(name, _)| *name != line.name);
                let entry = self.seen.entry(line.unique_id).or_default();
                *entry = Seen { count: entry.count.saturating_add(1), last: entry.last.max(line.seconds) };
            }
            Mark::Deleted => take_one(&mut self.seen, &line.unique_id),
        }
    }
}

/// Reads a journal.
pub fn parse(text: &[u8]) -> Contents {
    let mut contents = Contents::default();
    let whole = text.strip_suffix(b"\n");
    let mut lines = whole.unwrap_or(text).split(|byte| *byte == b'\n');
    // The last line was cut; it may look whole, but what is appended next must not join it.
    if whole.is_none() && !text.is_empty() {
        contents.damaged = true;
        lines.next_back();
    }
    for line in lines.filter(|_| !text.is_empty()) {
        match parse_line(line) {
            Some(line) => contents.add(line),
            None => contents = Contents { damaged: true, ..Contents::default() },
        }
    }
    contents
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_maildrop::maildir::disk::SystemDisk;
    use proptest::prelude::*;
    use std::fs;

    fn nameless(unique_id: &[u8]) -> (&[u8], &str) {
        (unique_id, "")
    }

    fn open_at(path: &Path) -> io::Result<Journal> {
        Journal::open(&(Arc::new(SystemDisk) as Arc<dyn Disk>), path)
    }

    fn open() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = open_at(&folder.path().join("journal")).unwrap();
        (folder, journal)
    }

    #[test]
    fn what_is_noted_is_known_to_the_next_run() {
        let (folder, mut journal) = open();
        let odd: &[u8] = b"with % blank \xff\n";
        journal.home([&b"a"[..], odd, b"a"].into_iter().map(nameless)).unwrap();
        assert_eq!(open_at(&folder.path().join("journal")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!((journal.count(b"a"), journal.count(odd), journal.count(b"b")), (2, 1, 0));
    }

    #[test]
    fn s17_of_several_with_one_unique_id_the_next_is_new() {
        let (_folder, mut journal) = open();
        journal.home([&b"a"[..], b"a", b"gone"].into_iter().map(nameless)).unwrap();
        journal.compact(&HashMap::from([(b"a"[..].into(), 1)])).unwrap();
        assert_eq!((journal.count(b"a"), journal.count(b"gone")), (1, 1), "q28: what is not listed is kept for a while");
    }

    #[test]
    fn h44_what_a_crash_leaves_is_completed_or_fetched_again() {
        let (folder, mut journal) = open();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let prepare = || {
            let mut delivery = maildir.deliver().unwrap();
            delivery.write(b"x\r\n").unwrap();
            delivery.prepare().unwrap()
        };
        let [visible, in_tmp, lost] = [prepare(), prepare(), prepare()];
        let names = [visible.name().to_owned(), in_tmp.name().to_owned(), lost.name().to_owned()];
        let ids: [&[u8]; 3] = [b"visible", b"in tmp", b"lost"];
        journal.intend(ids.into_iter().zip(names.iter().map(String::as_str))).unwrap();
        visible.commit().unwrap();
        mem::forget(in_tmp);
        drop((lost, journal));
        let mut journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!(journal.unsettled.len(), 3);
        journal.settle(&maildir).unwrap();
        assert_eq!((journal.count(b"visible"), journal.count(b"in tmp"), journal.count(b"lost")), (1, 1, 0));
        assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 2);
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        assert!(journal.unsettled.is_empty() && journal.count(b"in tmp") == 1);
    }

    #[test]
    fn h45_nothing_is_appended_to_half_a_line() {
        #[derive(Debug)]
        struct Full;

        impl Write for Full {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::StorageFull.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl DiskFile for Full {
            fn sync(&self) -> io::Result<()> {
                Ok(())
            }
        }

        let (_folder, mut journal) = open();
        let whole = mem::replace(&mut journal.file, Box::new(Full));
        journal.home([&b"a"[..]].into_iter().map(nameless)).unwrap_err();
        journal.file = whole;
        journal.home([&b"b"[..]].into_iter().map(nameless)).expect_err("half a line may stand there");
        journal.save().unwrap();
        journal.home([&b"b"[..]].into_iter().map(nameless)).expect("a new file has no half lines");
    }

    #[test]
    fn s17_of_two_messages_with_one_unique_id_the_one_that_came_home_is_home() {
        let (folder, mut journal) = open();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let prepare = || {
            let mut delivery = maildir.deliver().unwrap();
            delivery.write(b"x\r\n").unwrap();
            delivery.prepare().unwrap()
        };
        // The first was about to come, and could not; the second came.
        let [first, second] = [prepare(), prepare()];
        let names = [first.name().to_owned(), second.name().to_owned()];
        journal.intend(names.iter().map(|name| (&b"a"[..], name.as_str()))).unwrap();
        drop(first);
        second.commit().unwrap();
        journal.home([(&b"a"[..], names[1].as_str())].into_iter()).unwrap();
        drop(journal);
        let mut journal = open_at(&folder.path().join("journal")).unwrap();
        journal.settle(&maildir).unwrap();
        assert_eq!(journal.count(b"a"), 1, "one of them has to be fetched again");
    }

    #[test]
    fn s17_a_deleted_unique_id_may_mean_another_message() {
        let (folder, mut journal) = open();
        journal.home([&b"a"[..], b"b"].into_iter().map(nameless)).unwrap();
        journal.deleted([&b"a"[..]].into_iter()).unwrap();
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!((journal.count(b"a"), journal.count(b"b")), (0, 1));
    }

    #[test]
    fn accounts_do_not_share_files() {
        let folder = tempfile::tempdir().unwrap();
        let journals =
            ["joe@pop.example.org", "joe@pop.example.com", "joe@pop.example.new", "joe@pop.example.lock", "joe@pop.example"]
                .map(|account| open_at(&folder.path().join(file_name(account))).unwrap());
        for mut journal in journals {
            journal.home([&b"a"[..]].into_iter().map(nameless)).unwrap();
            journal.save().unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 10);
    }

    #[test]
    fn h29_an_account_is_never_a_path() {
        assert_eq!(file_name("joe@pop.example.org:995"), "pop3-fetched-joe@pop.example.org%3A995");
        assert_eq!(file_name("../../etc/passwd\0"), "pop3-fetched-..%2F..%2Fetc%2Fpasswd%00");
        assert!(file_name(&"x".repeat(1000)).len() < 100);
    }

    #[test]
    fn h47_what_stands_before_a_line_that_cannot_be_read_is_not_believed() {
        let lines = [(Mark::Home, "a"), (Mark::Home, "b"), (Mark::Deleted, "a"), (Mark::Home, "c")];
        let lines = lines.map(|(mark, unique_id)| line(1, mark, unique_id.as_bytes(), ""));
        let damaged = lines.concat().replace(" - a ", " + a ");
        let read = parse(damaged.as_bytes());
        assert!(read.damaged);
        // Another message may bear the unique-id `a` now.
        assert_eq!(["a", "b", "c"].map(|unique_id| read.count(unique_id.as_bytes())), [0, 0, 1]);
        let cut = lines.concat();
        let read = parse(&cut.as_bytes()[..cut.len() - 1]);
        assert!(read.damaged);
        assert_eq!(["a", "b", "c"].map(|unique_id| read.count(unique_id.as_bytes())), [0, 1, 0], "a crash forgets little");
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
            let whole = parse(&text);
            prop_assert!(whole.seen.len() == 4 && !whole.damaged);
            if let Some(there) = text.get_mut(at) {
                *there = byte;
            }
            text.truncate(text.len() - cut.min(text.len()));
            for (unique_id, seen) in parse(&text).seen {
                prop_assert!(ids.contains(&unique_id.as_slice()), "nothing is known that was not noted");
                prop_assert_eq!(seen.count, 1);
            }
        }

        #[test]
        fn any_bytes_parse(text: Vec<u8>) {
            let _ = parse(&text);
        }
    }
}
