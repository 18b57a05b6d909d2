//! The journal's file: one line for each note, appended and synced before any step that depends on it.
// H43

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pop3_maildrop::Maildir;
use pop3_maildrop::maildir::disk::{Disk, DiskFile, Lock};

use super::fingerprint::Fingerprint;
use super::notes::{Entry, Mark, Notes, check};

/// The journal of one account in one Maildir, locked by one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    _lock: Box<dyn Lock>,
    /// A write has failed, so nothing may be appended: the file may end in half a line, or another file may have taken its place.
    write_failed: bool,
    notes: Notes,
}

/// A message as the journal records it.
#[derive(Clone, Debug)]
pub struct Stored<'a> {
    pub unique_id: &'a [u8],
    /// The name of its file.
    pub name: &'a str,
    /// The size that the server announced.
    pub octets: Option<u64>,
    pub fingerprint: Fingerprint,
    /// The message may be incomplete.
    pub suspect: bool,
}

impl Stored<'_> {
    fn entry(&self, mark: Mark) -> Entry {
        Entry {
            name: self.name.to_owned(),
            octets: self.octets,
            fingerprint: Some(self.fingerprint),
            ..Entry::new(mark, self.unique_id)
        }
    }
}

/// Returns the file name of an account's journal. It contains no path separator, so it cannot lead out of the folder.
// H29
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
    /// Opens the journal, or creates it if it does not exist.
    ///
    /// # Errors
    /// Fails with [`io::ErrorKind::WouldBlock`] if another run holds the journal, and with another error if it cannot be read or
    /// created.
    pub fn open(disk: &Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let lock = disk.lock(&beside(path, "lock"))?;
        let file = disk.append(path)?;
        let text = disk.read(path)?;
        let notes = Notes::parse(&text);
        if notes.damaged {
            tracing::warn!(file = %path.display(), "the journal is damaged; some messages may be fetched again");
        }
        let mut journal = Self { path: path.to_owned(), disk: Arc::clone(disk), file, _lock: lock, write_failed: false, notes };
        if journal.notes.damaged || !journal.notes.interrupted.is_empty() {
            // The last run may have died because a sync failed. Its intended deliveries must be safely on disk before one of them
            // is completed (H45).
            journal.save()?;
        } else if text.is_empty() {
            journal.sync_folder()?;
        }
        Ok(journal)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the journal's contents.
    pub const fn notes(&self) -> &Notes {
        &self.notes
    }

    /// Returns the journal's contents, for changes that need not survive a crash; [`compact`](Self::compact) saves them.
    pub const fn notes_mut(&mut self) -> &mut Notes {
        &mut self.notes
    }

    /// Completes the deliveries that were interrupted when the last run ended.
    ///
    /// # Errors
    /// Fails if the Maildir or the journal cannot be written.
    pub fn complete_interrupted(&mut self, maildir: &Maildir) -> io::Result<()> {
        let mut stored = Vec::new();
        for entry in mem::take(&mut self.notes.interrupted) {
            if maildir.complete(&entry.name)? {
                let mark = if entry.mark == Mark::IntendedSuspect { Mark::Suspect } else { Mark::Stored };
                stored.push(Entry { mark, ..entry });
            }
        }
        self.record(stored)?;
        self.save()
    }

    /// Records messages that are about to become visible. When this returns, the record is on disk.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record; the messages must not become visible then.
    pub fn record_intended<'a>(&mut self, messages: impl Iterator<Item = Stored<'a>>) -> io::Result<()> {
        let now = now();
        let mark = |message: &Stored<'_>| if message.suspect { Mark::IntendedSuspect } else { Mark::Intended };
        self.append(&messages.map(|message| Entry { seconds: now, ..message.entry(mark(&message)) }.line()).collect::<String>())
    }

    /// Records messages that are stored under their [intended](Self::record_intended) names, and, with `deleting`, that their
    /// deletion is about to be requested. When this returns, the record is on disk.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record; the messages must not be deleted on the server then.
    pub fn record_stored<'a>(&mut self, messages: impl Iterator<Item = Stored<'a>>, deleting: bool) -> io::Result<()> {
        let mark = |message: &Stored<'_>| match (message.suspect, deleting) {
            (true, _) => Mark::Suspect,
            (false, true) => Mark::Deleting,
            (false, false) => Mark::Stored,
        };
        self.record(messages.map(|message| message.entry(mark(&message))).collect())
    }

    /// Records that the deletion of stored messages is about to be requested: from then on their unique-ids may denote other
    /// messages.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record; the deletion must not be requested then.
    pub fn record_deleting<'a>(&mut self, messages: impl Iterator<Item = (&'a [u8], Option<Fingerprint>)>) -> io::Result<()> {
        let entry = |(unique_id, fingerprint)| Entry { fingerprint, ..Entry::new(Mark::NowDeleting, unique_id) };
        self.record(messages.map(entry).collect())
    }

    /// Records that the message with this [key](super::notes::failure_key) could not be retrieved. Returns the number of tries.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record.
    pub fn record_failure(&mut self, key: &[u8]) -> io::Result<u32> {
        let tries = self.notes.failures(key).map_or(0, |failures| failures.tries).saturating_add(1);
        self.record(vec![Entry { octets: Some(tries.into()), ..Entry::new(Mark::Failed, key) }])?;
        Ok(tries)
    }

    /// Records a property of the account; see [`Mark`].
    ///
    /// # Errors
    /// Fails if the disk does not accept the record.
    pub fn record_learnt(&mut self, mark: Mark, unique_id: &[u8], octets: Option<u64>) -> io::Result<()> {
        self.record(vec![Entry { octets, ..Entry::new(mark, unique_id) }])
    }

    fn record(&mut self, entries: Vec<Entry>) -> io::Result<()> {
        let now = now();
        let mut lines = String::new();
        for entry in entries {
            let entry = Entry { seconds: now, ..entry };
            lines += &entry.line();
            self.notes.add(entry);
        }
        self.append(&lines)
    }

    fn append(&mut self, lines: &str) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        if self.write_failed {
            return Err(io::Error::other("an earlier note could not be written"));
        }
        self.write_failed = true;
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()?;
        self.write_failed = false;
        Ok(())
    }

    /// Forgets messages that the server no longer lists, and saves the rest; see [`Notes::keep_listed`].
    ///
    /// # Errors
    /// Fails if the new journal cannot be written; the old one stays.
    pub fn compact(&mut self, listed: &HashMap<Box<[u8]>, u32>, complete: bool) -> io::Result<()> {
        self.notes.keep_listed(listed, complete, now());
        self.save()
    }

    /// Saves the journal in a new file, which replaces the old one.
    ///
    /// # Errors
    /// Fails if the new journal cannot be written; the old one stays.
    pub fn save(&mut self) -> io::Result<()> {
        let text = self.notes.text(now());
        // Nothing may be appended before the new file is open: it could go to the old file, which no later run finds.
        self.write_failed = true;
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
        self.write_failed = false;
        Ok(())
    }

    fn sync_folder(&self) -> io::Result<()> {
        self.path.parent().map_or(Ok(()), |folder| self.disk.sync_folder(folder))
    }
}

/// Returns the path with a suffix. No account's file name contains a tilde, so the result is no account's journal.
fn beside(path: &Path, what: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("~");
    name.push(what);
    name.into()
}

/// Returns the current time, in seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::super::notes::{State, failure_key};
    use super::*;
    use pop3_maildrop::maildir::Prepared;
    use pop3_maildrop::maildir::disk::SystemDisk;
    use std::fs;

    fn stored<'a>(unique_id: &'a [u8], name: &'a str) -> Stored<'a> {
        Stored { unique_id, name, octets: Some(3), fingerprint: Fingerprint::of(unique_id), suspect: false }
    }

    fn store(journal: &mut Journal, ids: &[&[u8]]) -> io::Result<()> {
        journal.record_stored(ids.iter().map(|unique_id| stored(unique_id, "")), false)
    }

    fn known<const N: usize>(journal: &Journal, ids: [&[u8]; N]) -> [usize; N] {
        ids.map(|unique_id| journal.notes().records(unique_id).len())
    }

    fn open_at(path: &Path) -> io::Result<Journal> {
        Journal::open(&(Arc::new(SystemDisk) as Arc<dyn Disk>), path)
    }

    fn open() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = open_at(&folder.path().join("journal")).unwrap();
        (folder, journal)
    }

    fn prepare(maildir: &Maildir) -> Prepared {
        let mut delivery = maildir.deliver().unwrap();
        delivery.write(b"x\r\n").unwrap();
        delivery.prepare().unwrap()
    }

    #[test]
    fn notes_are_known_to_the_next_run() {
        let (folder, mut journal) = open();
        let odd: &[u8] = b"with % blank \xff\n";
        store(&mut journal, &[b"a", odd, b"a"]).unwrap();
        assert_eq!(open_at(&folder.path().join("journal")).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!(known(&journal, [b"a", odd, b"b"]), [2, 1, 0]);
        let text = fs::read_to_string(journal.path()).unwrap();
        let seconds: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(seconds > 1_700_000_000, "since 1970: {text}");
    }

    #[test]
    fn h44_interrupted_deliveries_are_completed_or_fetched_again() {
        let (folder, mut journal) = open();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let [visible, in_tmp, lost, suspect] = [prepare(&maildir), prepare(&maildir), prepare(&maildir), prepare(&maildir)];
        let names = [&visible, &in_tmp, &lost, &suspect].map(|prepared| prepared.name().to_owned());
        let ids: [&[u8]; 4] = [b"visible", b"in tmp", b"lost", b"suspect"];
        let intended = ids.into_iter().zip(names.iter().map(String::as_str));
        let intended = intended.map(|(id, name)| Stored { suspect: id == b"suspect", ..stored(id, name) });
        journal.record_intended(intended).unwrap();
        visible.commit().unwrap();
        mem::forget((in_tmp, suspect));
        drop((lost, journal));
        let mut journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!(journal.notes().interrupted.len(), 4);
        journal.complete_interrupted(&maildir).unwrap();
        assert_eq!(known(&journal, ids), [1, 1, 0, 1]);
        assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 3);
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        assert!(journal.notes().interrupted.is_empty());
        let state = |unique_id| journal.notes().records(unique_id)[0].state;
        assert_eq!((state(b"in tmp"), state(b"suspect")), (State::Stored, State::Suspect));
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
        store(&mut journal, &[b"a"]).unwrap_err();
        journal.file = whole;
        store(&mut journal, &[b"b"]).expect_err("half a line may be there");
        journal.save().unwrap();
        store(&mut journal, &[b"b"]).expect("a new file has no half lines");
    }

    #[test]
    fn s17_of_two_messages_with_one_unique_id_the_one_that_arrived_is_stored() {
        let (folder, mut journal) = open();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        // The first message was about to become visible but did not; the second did.
        let [first, second] = [prepare(&maildir), prepare(&maildir)];
        let names = [first.name().to_owned(), second.name().to_owned()];
        journal.record_intended(names.iter().map(|name| stored(b"a", name))).unwrap();
        drop(first);
        second.commit().unwrap();
        journal.record_stored([stored(b"a", &names[1])].into_iter(), false).unwrap();
        drop(journal);
        let mut journal = open_at(&folder.path().join("journal")).unwrap();
        journal.complete_interrupted(&maildir).unwrap();
        assert_eq!(known(&journal, [b"a"]), [1], "one of them has to be fetched again");
    }

    #[test]
    fn h48_a_requested_deletion_is_known_to_the_next_run() {
        let (folder, mut journal) = open();
        store(&mut journal, &[b"a", b"b"]).unwrap();
        journal.record_deleting([(&b"a"[..], Some(Fingerprint::of(b"a")))].into_iter()).unwrap();
        journal.record_stored([stored(b"c", "")].into_iter(), true).unwrap();
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        let state = |unique_id| journal.notes().records(unique_id)[0].state;
        assert_eq!([state(b"a"), state(b"b"), state(b"c")], [State::Deleting, State::Stored, State::Deleting]);
    }

    #[test]
    fn failures_are_counted_until_the_message_arrives() {
        let (folder, mut journal) = open();
        let key = failure_key(b"a", Some(3));
        assert_eq!(journal.record_failure(&key).unwrap(), 1);
        drop(journal);
        let mut journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!(journal.record_failure(&key).unwrap(), 2);
        store(&mut journal, &[b"a"]).unwrap();
        assert_eq!(journal.notes().failures(&key), None);
    }

    #[test]
    fn accounts_do_not_share_files() {
        let folder = tempfile::tempdir().unwrap();
        let journals =
            ["joe@pop.example.org", "joe@pop.example.com", "joe@pop.example.new", "joe@pop.example.lock", "joe@pop.example"]
                .map(|account| open_at(&folder.path().join(file_name(account))).unwrap());
        for mut journal in journals {
            store(&mut journal, &[b"a"]).unwrap();
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
}
