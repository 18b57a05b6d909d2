//! The journal's file: one line for each record, appended and synced before any step that depends on it.
// H43

use std::fmt::Write as _;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pop3_maildrop::Maildir;
use pop3_maildrop::maildir::disk::{Disk, DiskFile, Lock};

use crate::entry::{Entry, EntryKind, check};
use crate::error::FetchError;
use crate::fingerprint::Fingerprint;
use crate::journal_state::JournalState;

/// The journal of one account in one Maildir, locked by one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    _lock: Box<dyn Lock>,
    /// A write has failed, so nothing may be appended: the file may end in half a line, or another file may have taken its place.
    write_failed: bool,
    state: JournalState,
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
    /// The deletion on the server is requested next.
    pub deleting: bool,
}

impl Stored<'_> {
    fn entry(&self, kind: EntryKind) -> Entry {
        Entry {
            name: self.name.to_owned(),
            octets: self.octets,
            fingerprint: Some(self.fingerprint),
            ..Entry::new(kind, self.unique_id)
        }
    }
}

/// Returns the file name of an account's journal. It contains no path separator, so it cannot lead out of the folder.
// H29
fn file_name(account: &str) -> String {
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
    /// Opens the journal of an account in a folder, or creates it if it does not exist.
    ///
    /// # Errors
    /// Fails if another run holds the journal, or if it cannot be read or created.
    pub fn open(disk: &Arc<dyn Disk>, folder: &Path, account: &str) -> Result<Self, FetchError> {
        let path = folder.join(file_name(account));
        let lock = disk.lock(&beside(&path, "lock")).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => FetchError::Locked { account: account.to_owned() },
            _ => FetchError::disk(&path, error),
        })?;
        Self::open_locked(disk, &path, lock).map_err(|error| FetchError::disk(&path, error))
    }

    fn open_locked(disk: &Arc<dyn Disk>, path: &Path, lock: Box<dyn Lock>) -> io::Result<Self> {
        let file = disk.append(path)?;
        let text = disk.read(path)?;
        let state = JournalState::parse(&text);
        if state.damaged {
            tracing::warn!(file = %path.display(), "the journal is damaged; some messages may be fetched again");
        }
        let mut journal = Self { path: path.to_owned(), disk: Arc::clone(disk), file, _lock: lock, write_failed: false, state };
        if journal.state.damaged || !journal.state.interrupted.is_empty() {
            // The last run may have ended because a sync failed. The records of its intended deliveries must be safely on disk
            // before one of them is completed (H45).
            journal.write_new()?;
        } else if text.is_empty() {
            journal.sync_folder()?;
        }
        Ok(journal)
    }

    /// Returns the journal's contents.
    pub const fn state(&self) -> &JournalState {
        &self.state
    }

    /// Returns the journal's contents, for changes that need not survive a crash; [`save`](Self::save) saves them.
    pub const fn state_mut(&mut self) -> &mut JournalState {
        &mut self.state
    }

    /// Completes the deliveries that were interrupted when the last run ended.
    ///
    /// # Errors
    /// Fails if the Maildir or the journal cannot be written.
    pub fn complete_interrupted(&mut self, maildir: &Maildir) -> Result<(), FetchError> {
        let mut stored = Vec::new();
        for entry in mem::take(&mut self.state.interrupted) {
            if maildir.complete(&entry.name).map_err(|error| FetchError::disk(maildir.path(), error))? {
                let kind = if entry.kind == EntryKind::IntendedSuspect { EntryKind::Suspect } else { EntryKind::Stored };
                stored.push(Entry { kind, ..entry });
            }
        }
        self.record(stored)?;
        self.save()
    }

    /// Records messages that are about to become visible. When this returns, the record is on disk.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record; the messages must not become visible then.
    pub fn record_intended<'a>(&mut self, messages: impl Iterator<Item = Stored<'a>>) -> Result<(), FetchError> {
        let now = now();
        let kind = |message: &Stored<'_>| if message.suspect { EntryKind::IntendedSuspect } else { EntryKind::Intended };
        self.append(&messages.map(|message| Entry { seconds: now, ..message.entry(kind(&message)) }.line()).collect::<String>())
    }

    /// Records messages that are stored under their [intended](Self::record_intended) names, and which of them are about to be
    /// deleted on the server. When this returns, the record is on disk.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record; the messages must not be deleted on the server then.
    pub fn record_stored<'a>(&mut self, messages: impl Iterator<Item = Stored<'a>>) -> Result<(), FetchError> {
        let kind = |message: &Stored<'_>| match (message.suspect, message.deleting) {
            (true, _) => EntryKind::Suspect,
            (false, true) => EntryKind::Deleting,
            (false, false) => EntryKind::Stored,
        };
        self.record(messages.map(|message| message.entry(kind(&message))).collect())
    }

    /// Records messages that another program has fetched, except those that are recorded already. Returns their number.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record.
    pub fn record_imported<'a>(&mut self, unique_ids: impl IntoIterator<Item = &'a [u8]>) -> Result<usize, FetchError> {
        let mut new: Vec<_> = unique_ids.into_iter().filter(|unique_id| self.state.records(unique_id).is_empty()).collect();
        new.sort_unstable();
        new.dedup();
        let count = new.len();
        self.record(new.into_iter().map(|unique_id| Entry::new(EntryKind::Imported, unique_id)).collect())?;
        Ok(count)
    }

    /// Records that the deletion of stored messages is about to be requested: from then on their unique-ids may denote other
    /// messages.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record; the deletion must not be requested then.
    pub fn record_deleting<'a>(
        &mut self,
        messages: impl Iterator<Item = (&'a [u8], Option<Fingerprint>)>,
    ) -> Result<(), FetchError> {
        let entry = |(unique_id, fingerprint)| Entry { fingerprint, ..Entry::new(EntryKind::NowDeleting, unique_id) };
        self.record(messages.map(entry).collect())
    }

    /// Records that the message with this [key](crate::journal_state::failure_key) could not be retrieved. Returns the number of
    /// tries.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record.
    pub fn record_failure(&mut self, key: &[u8]) -> Result<u32, FetchError> {
        let tries = self.state.failures(key).map_or(0, |failures| failures.tries).saturating_add(1);
        self.record(vec![Entry { octets: Some(tries.into()), ..Entry::new(EntryKind::Failed, key) }])?;
        Ok(tries)
    }

    /// Records a property of the account; see [`EntryKind`].
    ///
    /// # Errors
    /// Fails if the disk does not accept the record.
    pub fn record_property(&mut self, kind: EntryKind, octets: Option<u64>) -> Result<(), FetchError> {
        self.record(vec![Entry { octets, ..Entry::new(kind, b"") }])
    }

    fn record(&mut self, entries: Vec<Entry>) -> Result<(), FetchError> {
        let now = now();
        let mut lines = String::new();
        for entry in entries {
            let entry = Entry { seconds: now, ..entry };
            lines += &entry.line();
            self.state.add(entry);
        }
        self.append(&lines)
    }

    fn append(&mut self, lines: &str) -> Result<(), FetchError> {
        if lines.is_empty() {
            return Ok(());
        }
        self.write(lines).map_err(|error| FetchError::disk(&self.path, error))
    }

    fn write(&mut self, lines: &str) -> io::Result<()> {
        if self.write_failed {
            return Err(io::Error::other("an earlier write to the journal failed"));
        }
        self.write_failed = true;
        self.file.write_all(lines.as_bytes())?;
        self.file.sync_data()?;
        self.write_failed = false;
        Ok(())
    }

    /// Forgets everything that is recorded.
    ///
    /// # Errors
    /// Fails if the empty journal cannot be written; the old one stays.
    pub fn forget(&mut self) -> Result<(), FetchError> {
        self.state = JournalState::default();
        self.save()
    }

    /// Saves the journal in a new file, which replaces the old one.
    ///
    /// # Errors
    /// Fails if the new journal cannot be written; the old one stays.
    pub fn save(&mut self) -> Result<(), FetchError> {
        self.write_new().map_err(|error| FetchError::disk(&self.path, error))
    }

    fn write_new(&mut self) -> io::Result<()> {
        let text = self.state.text(now());
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

/// Returns the contents of an account's journal in a folder, without a lock and without any change: empty contents if there is no journal.
///
/// # Errors
/// Fails if the journal cannot be read.
pub fn read(folder: &Path, account: &str) -> Result<JournalState, FetchError> {
    let path = folder.join(file_name(account));
    match std::fs::read(&path) {
        Ok(text) => Ok(JournalState::parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(JournalState::default()),
        Err(error) => Err(FetchError::disk(&path, error)),
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
    use super::*;
    use crate::journal_state::{MessageState, failure_key};
    use pop3_maildrop::maildir::PreparedMessage;
    use pop3_maildrop::maildir::disk::SystemDisk;
    use std::fs;

    fn stored<'a>(unique_id: &'a [u8], name: &'a str) -> Stored<'a> {
        Stored { unique_id, name, octets: Some(3), fingerprint: Fingerprint::of(unique_id), suspect: false, deleting: false }
    }

    fn store(journal: &mut Journal, ids: &[&[u8]]) -> Result<(), FetchError> {
        journal.record_stored(ids.iter().map(|unique_id| stored(unique_id, "")))
    }

    fn known<const N: usize>(journal: &Journal, ids: [&[u8]; N]) -> [usize; N] {
        ids.map(|unique_id| journal.state().records(unique_id).len())
    }

    fn open_account(folder: &Path, account: &str) -> Result<Journal, FetchError> {
        Journal::open(&(Arc::new(SystemDisk) as Arc<dyn Disk>), folder, account)
    }

    fn open_in(folder: &Path) -> Result<Journal, FetchError> {
        open_account(folder, "joe")
    }

    fn open() -> (tempfile::TempDir, Journal) {
        let folder = tempfile::tempdir().unwrap();
        let journal = open_in(folder.path()).unwrap();
        (folder, journal)
    }

    fn prepare(maildir: &Maildir) -> PreparedMessage {
        let mut delivery = maildir.deliver().unwrap();
        delivery.write(b"x\r\n").unwrap();
        delivery.prepare().unwrap()
    }

    #[test]
    fn records_are_read_by_the_next_run() {
        let (folder, mut journal) = open();
        let odd: &[u8] = b"with % blank \xff\n";
        store(&mut journal, &[b"a", odd, b"a"]).unwrap();
        assert!(matches!(open_in(folder.path()), Err(FetchError::Locked { account }) if account == "joe"));
        drop(journal);
        let journal = open_in(folder.path()).unwrap();
        assert_eq!(known(&journal, [b"a", odd, b"b"]), [2, 1, 0]);
        let text = fs::read_to_string(&journal.path).unwrap();
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
        let mut journal = open_in(folder.path()).unwrap();
        assert_eq!(journal.state().interrupted.len(), 4);
        journal.complete_interrupted(&maildir).unwrap();
        assert_eq!(known(&journal, ids), [1, 1, 0, 1]);
        assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 3);
        drop(journal);
        let journal = open_in(folder.path()).unwrap();
        assert!(journal.state().interrupted.is_empty());
        let state = |unique_id| journal.state().records(unique_id)[0].state;
        assert_eq!((state(b"in tmp"), state(b"suspect")), (MessageState::Stored, MessageState::Suspect));
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
        store(&mut journal, &[b"b"]).expect_err("the file may end in half a line");
        journal.save().unwrap();
        store(&mut journal, &[b"b"]).expect("a new file contains only complete lines");
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
        journal.record_stored([stored(b"a", &names[1])].into_iter()).unwrap();
        drop(journal);
        let mut journal = open_in(folder.path()).unwrap();
        journal.complete_interrupted(&maildir).unwrap();
        assert_eq!(known(&journal, [b"a"]), [1], "the other message is fetched again");
    }

    #[test]
    fn h48_a_requested_deletion_is_recorded_for_the_next_run() {
        let (folder, mut journal) = open();
        store(&mut journal, &[b"a", b"b"]).unwrap();
        journal.record_deleting([(&b"a"[..], Some(Fingerprint::of(b"a")))].into_iter()).unwrap();
        journal.record_stored([Stored { deleting: true, ..stored(b"c", "") }].into_iter()).unwrap();
        drop(journal);
        let journal = open_in(folder.path()).unwrap();
        let state = |unique_id| journal.state().records(unique_id)[0].state;
        assert_eq!(
            [state(b"a"), state(b"b"), state(b"c")],
            [MessageState::Deleting, MessageState::Stored, MessageState::Deleting]
        );
    }

    #[test]
    fn failures_are_counted_until_the_message_arrives() {
        let (folder, mut journal) = open();
        let key = failure_key(b"a", Some(3));
        assert_eq!(journal.record_failure(&key).unwrap(), 1);
        drop(journal);
        let mut journal = open_in(folder.path()).unwrap();
        assert_eq!(journal.record_failure(&key).unwrap(), 2);
        store(&mut journal, &[b"a"]).unwrap();
        assert_eq!(journal.state().failures(&key), None);
    }

    #[test]
    fn accounts_do_not_share_files() {
        let folder = tempfile::tempdir().unwrap();
        let journals =
            ["joe@pop.example.org", "joe@pop.example.com", "joe@pop.example.new", "joe@pop.example.lock", "joe@pop.example"]
                .map(|account| open_account(folder.path(), account).unwrap());
        for mut journal in journals {
            store(&mut journal, &[b"a"]).unwrap();
            journal.save().unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 10);
    }

    #[test]
    fn h29_an_account_name_cannot_lead_out_of_the_folder() {
        assert_eq!(file_name("joe@pop.example.org:995"), "pop3-fetched-joe@pop.example.org%3A995");
        assert_eq!(file_name("../../etc/passwd\0"), "pop3-fetched-..%2F..%2Fetc%2Fpasswd%00");
        assert!(file_name(&"x".repeat(1000)).len() < 100);
    }
}
