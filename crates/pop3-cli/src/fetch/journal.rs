//! The file that [notes](super::notes) are kept in: a line for each, appended and synced before anything that depends on it (H43).

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use pop3_maildrop::Maildir;
use pop3_maildrop::maildir::disk::{Disk, DiskFile, Lock};

use super::notes::{Mark, Notes, check, line};

/// The journal of one account in one Maildir, held by one run.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    disk: Arc<dyn Disk>,
    file: Box<dyn DiskFile>,
    _lock: Box<dyn Lock>,
    /// Something could not be written. What has come of it may be half a line, which nothing may join, or another file.
    torn: bool,
    notes: Notes,
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
        let notes = Notes::parse(&text);
        if notes.damaged {
            tracing::warn!(file = %path.display(), "the journal is damaged; some messages may be fetched again");
        }
        let mut journal = Self { path: path.to_owned(), disk: Arc::clone(disk), file, _lock: lock, torn: false, notes };
        if journal.notes.damaged || !journal.notes.unsettled.is_empty() {
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
        self.notes.is_empty()
    }

    /// How many messages with this unique-id are home.
    pub fn count(&self, unique_id: &[u8]) -> u32 {
        self.notes.count(unique_id)
    }

    /// Completes what the last run was about to do when it ended.
    ///
    /// # Errors
    /// The Maildir or the journal cannot be written.
    pub fn settle(&mut self, maildir: &Maildir) -> io::Result<()> {
        let mut home = Vec::new();
        for (name, unique_id) in mem::take(&mut self.notes.unsettled) {
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
            self.notes.add_home(unique_id, now);
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
            self.notes.take_one(unique_id);
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
        self.notes.keep_listed(listed, now());
        self.save()
    }

    /// Puts a new file in the place of the old one.
    fn save(&mut self) -> io::Result<()> {
        let text = self.notes.text(now());
        // Until the new file is the one that is open, nothing may be appended: it could go to one that nobody finds any more.
        self.torn = true;
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

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_maildrop::maildir::Prepared;
    use pop3_maildrop::maildir::disk::SystemDisk;
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

    fn prepare(maildir: &Maildir) -> Prepared {
        let mut delivery = maildir.deliver().unwrap();
        delivery.write(b"x\r\n").unwrap();
        delivery.prepare().unwrap()
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
        let text = fs::read_to_string(journal.path()).unwrap();
        let seconds: u64 = text.split_whitespace().nth(1).unwrap().parse().unwrap();
        assert!(seconds > 1_700_000_000, "since 1970: {text}");
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
        let [visible, in_tmp, lost] = [prepare(&maildir), prepare(&maildir), prepare(&maildir)];
        let names = [visible.name().to_owned(), in_tmp.name().to_owned(), lost.name().to_owned()];
        let ids: [&[u8]; 3] = [b"visible", b"in tmp", b"lost"];
        journal.intend(ids.into_iter().zip(names.iter().map(String::as_str))).unwrap();
        visible.commit().unwrap();
        mem::forget(in_tmp);
        drop((lost, journal));
        let mut journal = open_at(&folder.path().join("journal")).unwrap();
        assert_eq!(journal.notes.unsettled.len(), 3);
        journal.settle(&maildir).unwrap();
        assert_eq!((journal.count(b"visible"), journal.count(b"in tmp"), journal.count(b"lost")), (1, 1, 0));
        assert_eq!(fs::read_dir(maildir.path().join("new")).unwrap().count(), 2);
        drop(journal);
        let journal = open_at(&folder.path().join("journal")).unwrap();
        assert!(journal.notes.unsettled.is_empty() && journal.count(b"in tmp") == 1);
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
        // The first was about to come, and could not; the second came.
        let [first, second] = [prepare(&maildir), prepare(&maildir)];
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
}
