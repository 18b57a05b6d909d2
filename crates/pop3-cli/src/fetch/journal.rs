//! What is home already: one line for each message, appended when the message is on the disk and before it is deleted on the
//! server (H43).
//!
//! A line is `CHECK SECONDS UNIQUE-ID`: the beginning of a SHA-256 over the rest, when the message was last seen on the server,
//! and its unique-id with odd bytes as `%XX`. A line that does not pass its check is as if it were not there: the message is
//! fetched again, never skipped (H47).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

/// How long a unique-id is remembered that the server does not list: it may be back (Q28).
const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

/// The journal of one account in one Maildir, held by one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: File,
    _lock: File,
    seen: HashMap<Vec<u8>, Seen>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
    pub fn open(path: &Path) -> io::Result<Self> {
        let lock = private().create(true).truncate(false).write(true).open(path.with_extension("lock"))?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::ErrorKind::WouldBlock.into(),
            TryLockError::Error(error) => error,
        })?;
        let file = private().create(true).append(true).open(path)?;
        let text = fs::read(path)?;
        let (seen, damaged) = parse(&text);
        let mut journal = Self { path: path.to_owned(), file, _lock: lock, seen };
        if damaged {
            tracing::warn!(file = %path.display(), "the journal is damaged; some messages may be fetched again");
            journal.save()?;
        } else if text.is_empty() {
            journal.sync_folder()?;
        }
        Ok(journal)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many messages with this unique-id are home.
    pub fn count(&self, unique_id: &[u8]) -> u32 {
        self.seen.get(unique_id).map_or(0, |seen| seen.count)
    }

    /// Notes messages that are on the disk; when this returns, so is the note.
    ///
    /// # Errors
    /// The disk does not take it: the messages must not be deleted on the server.
    pub fn add<'a>(&mut self, unique_ids: impl Iterator<Item = &'a [u8]>) -> io::Result<()> {
        let now = now();
        let mut lines = String::new();
        for unique_id in unique_ids {
            push_line(&mut lines, now, unique_id);
            let seen = self.seen.entry(unique_id.to_vec()).or_default();
            seen.count += 1;
            seen.last = now;
        }
        if lines.is_empty() {
            return Ok(());
        }
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()
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
                push_line(&mut text, seen.last, unique_id);
            }
        }
        let new = self.path.with_extension("new");
        let mut file = private().create(true).truncate(true).write(true).open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, &self.path)?;
        self.sync_folder()?;
        self.file = private().append(true).open(&self.path)?;
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
    }
}

impl PartialOrd for Seen {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Seen {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.last, self.count).cmp(&(other.last, other.count))
    }
}

/// Files for their owner alone (H58).
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
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

fn push_line(lines: &mut String, seconds: u64, unique_id: &[u8]) {
    let mut rest = format!("{seconds} ");
    for byte in unique_id {
        match byte {
            b'%' | ..0x21 | 0x7F.. => {
                let _ = write!(rest, "%{byte:02X}");
            }
            _ => rest.push((*byte).into()),
        }
    }
    let _ = writeln!(lines, "{} {rest}", check(rest.as_bytes(), 4));
}

fn parse_line(line: &[u8]) -> Option<(u64, Vec<u8>)> {
    let (stored, rest) = line.split_at_checked(9)?;
    if stored != format!("{} ", check(rest, 4)).as_bytes() {
        return None;
    }
    let (seconds, escaped) = str::from_utf8(rest).ok()?.split_once(' ')?;
    let mut unique_id = Vec::new();
    let mut parts = escaped.split('%');
    unique_id.extend_from_slice(parts.next()?.as_bytes());
    for part in parts {
        let (code, text) = part.split_at_checked(2)?;
        unique_id.push(u8::from_str_radix(code, 16).ok()?);
        unique_id.extend_from_slice(text.as_bytes());
    }
    Some((seconds.parse().ok()?, unique_id))
}

/// What the lines tell, and whether some of them could not be read.
fn parse(text: &[u8]) -> (HashMap<Vec<u8>, Seen>, bool) {
    let mut seen: HashMap<Vec<u8>, Seen> = HashMap::new();
    let mut damaged = false;
    let whole = text.strip_suffix(b"\n");
    if whole.is_none() && !text.is_empty() {
        // The last line was cut; it may look whole, but what is appended next must not join it.
        damaged = true;
    }
    for line in whole.unwrap_or(text).split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match parse_line(line) {
            Some((last, unique_id)) => {
                let entry = seen.entry(unique_id).or_default();
                entry.count += 1;
                entry.last = entry.last.max(last);
            }
            None => damaged = true,
        }
    }
    (seen, damaged)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn open() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = Journal::open(&folder.path().join("journal")).unwrap();
        (folder, journal)
    }

    #[test]
    fn what_is_noted_is_known_to_the_next_run() {
        let (folder, mut journal) = open();
        let odd: &[u8] = b"with % blank \xff\n";
        journal.add([&b"a"[..], odd, b"a"].into_iter()).unwrap();
        assert_eq!(Journal::open(&folder.path().join("journal")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(journal);
        let journal = Journal::open(&folder.path().join("journal")).unwrap();
        assert_eq!((journal.count(b"a"), journal.count(odd), journal.count(b"b")), (2, 1, 0));
    }

    #[test]
    fn s17_of_several_with_one_unique_id_the_next_is_new() {
        let (_folder, mut journal) = open();
        journal.add([&b"a"[..], b"a", b"gone"].into_iter()).unwrap();
        journal.compact(&HashMap::from([(b"a"[..].into(), 1)])).unwrap();
        assert_eq!((journal.count(b"a"), journal.count(b"gone")), (1, 1), "q28: what is not listed is kept for a while");
    }

    #[test]
    fn h29_an_account_is_never_a_path() {
        assert_eq!(file_name("joe@pop.example.org:995"), "pop3-fetched-joe@pop.example.org%3A995");
        assert_eq!(file_name("../../etc/passwd\0"), "pop3-fetched-..%2F..%2Fetc%2Fpasswd%00");
        assert!(file_name(&"x".repeat(1000)).len() < 100);
    }

    proptest! {
        #[test]
        fn h47_damage_makes_fetch_again_and_never_skip(at in 0usize..200, byte: u8, cut in 0usize..200) {
            let mut text = String::new();
            let ids: [&[u8]; 4] = [b"one", b"two", b"three", b"\xff four"];
            for id in ids {
                push_line(&mut text, 1_700_000_000, id);
            }
            let mut text = text.into_bytes();
            let (whole, damaged) = parse(&text);
            prop_assert!(whole.len() == 4 && !damaged);
            if let Some(there) = text.get_mut(at) {
                *there = byte;
            }
            text.truncate(text.len() - cut.min(text.len()));
            let (seen, _) = parse(&text);
            for (unique_id, seen) in seen {
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
