//! A Maildir that is locked by one session.

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{self, Read, Take};
use std::mem;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pop3_proto::codec::{MessageNumber, UniqueId, WireSize};
use pop3_proto::server::Snapshot;
use rustix::fs::OFlags;

use super::folder::{FileStamp, Folder, is_unwritable};
use super::index::{self, Counted, Index, Stamps};
use super::list::{List, MessageLocation, Sub};
use super::trash::Trash;
use super::{Maildir, UniqueIds, about, names, sizes, uidlist};
use crate::{Maildrop, NotRemoved};

/// The minimum number of messages for an index of the list: folders with fewer messages are read as fast as an index.
const WORTH_AN_INDEX: usize = 100;

/// The maximum number of searches for a message that other processes keep moving.
const MAX_RETRIES: usize = 20;

/// A Maildir that is locked by one session. The lock belongs to the operating system, so it ends with the process that holds it.
// H42
#[derive(Debug)]
pub struct LockedMaildir {
    maildir: Maildir,
    root: Folder,
    new: Folder,
    cur: Folder,
    _lock: Option<File>,
    messages: List,
    /// Sizes in octets that are known only from the names; empty if there are none.
    named: Vec<Option<u64>>,
    /// Sizes that differ from those in the names, by the base names of their messages.
    corrections: Arc<Mutex<HashMap<Vec<u8>, u64>>>,
    expire: Option<Duration>,
    to_trash: bool,
}

/// The size of a message, and its source.
#[derive(Clone, Copy, Debug)]
struct Measured {
    counted: Counted,
    how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// The size was counted in this unchanged file before.
    Known,
    /// The name states the size.
    Named,
    /// The size was counted now.
    Counted,
}

impl LockedMaildir {
    pub(super) fn lock(maildir: Maildir) -> io::Result<Self> {
        let (base, rest) = maildir.parts();
        let root = Folder::open_beneath(base, rest).map_err(|error| about(&maildir.root, &error))?;
        let sub = |name: &str| root.sub(name).map_err(|error| about(&maildir.root.join(name), &error));
        let (new, cur) = (sub("new")?, sub("cur")?);
        // The folder itself is locked, and a file in it, because network file systems lock only files. On a full or read-only
        // disk, the lock on the folder suffices: a login needs no write.
        let is_locked = root.try_lock()?;
        let path = maildir.root.join("pop3-lock");
        let lock = match root.make("pop3-lock", OFlags::empty()) {
            Ok(lock) => match lock.try_lock() {
                Ok(()) => Some(lock),
                Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(TryLockError::Error(error)) if !is_locked => return Err(about(&path, &error)),
                Err(TryLockError::Error(_)) => None,
            },
            Err(error) if !is_locked || !is_unwritable(&error) => return Err(about(&path, &error)),
            Err(error) => {
                tracing::debug!(%error, "the Maildir is locked without a lock file");
                None
            }
        };
        Ok(Self {
            maildir,
            root,
            new,
            cur,
            _lock: lock,
            messages: List::default(),
            named: Vec::new(),
            corrections: Arc::default(),
            expire: None,
            to_trash: false,
        })
    }

    fn folder(&self, sub: Sub) -> &Folder {
        match sub {
            Sub::Cur => &self.cur,
            Sub::New => &self.new,
        }
    }

    /// Returns all messages in the order of delivery.
    fn scan(&self) -> io::Result<List> {
        let mut list = List::default();
        // `new` is read first, so that a message that moves meanwhile is seen twice rather than never.
        for sub in [Sub::New, Sub::Cur] {
            let files = self.folder(sub).files(|name| list.push(MessageLocation { sub, name }));
            files.map_err(|error| about(&self.maildir.root, &error))?;
        }
        list.sort();
        list.retain_existing(|place| self.folder(place.sub).length(place.name).is_ok());
        list.shrink();
        Ok(list)
    }

    /// Finds the messages that other processes have moved to `cur` or given other flags. The location of another message of
    /// the snapshot is never assigned anew.
    // H50
    fn relocate(&mut self) -> io::Result<()> {
        let now = self.scan()?;
        let there: HashSet<MessageLocation<'_>> = now.iter().collect();
        let held: HashSet<MessageLocation<'_>> = self.messages.iter().filter(|place| there.contains(place)).collect();
        let mut free: HashMap<&[u8], MessageLocation<'_>> =
            now.iter().filter(|place| !held.contains(place)).map(|place| (place.base(), place)).collect();
        let lost = self.messages.iter().enumerate().filter(|(_, place)| !held.contains(place));
        let found: Vec<_> = lost.filter_map(|(index, place)| Some((index, free.remove(place.base())?))).collect();
        found.into_iter().try_for_each(|(index, place)| self.messages.replace(index, place))
    }

    fn place(&self, number: MessageNumber) -> io::Result<MessageLocation<'_>> {
        self.messages.get(number.index()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Calls `act` with the current location of a message, which is searched for if the message has moved. Returns `NotFound` if
    /// the message no longer exists.
    fn with_location<T>(&mut self, number: MessageNumber, act: impl Fn(&Folder, &[u8]) -> io::Result<T>) -> io::Result<T> {
        for _ in 0..MAX_RETRIES {
            let place = self.place(number)?;
            match act(self.folder(place.sub), place.name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let (sub, name) = (place.sub, place.name.to_vec());
                    self.relocate()?;
                    if self.place(number)? == (MessageLocation { sub, name: &name }) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
        Err(io::Error::other("others keep moving the message"))
    }

    /// Returns the size of a message in octets on the wire, or the length of its file if it cannot be read, or `None` if it was
    /// removed.
    fn count(&self, place: MessageLocation<'_>, file: FileStamp, buffer: &mut [u8]) -> io::Result<Option<u64>> {
        match self.folder(place.sub).read(place.name).and_then(|file| sizes::count(file, buffer)) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                // An unreadable message must not hide the others: it is listed, and refused when it is requested.
                tracing::warn!(maildir = %self.maildir.root.display(), %error, "a message cannot be read");
                Ok(Some(file.length))
            }
        }
    }

    /// Returns the size of a message: from the index if the file is unchanged, from its name, or counted now. Returns `None` if
    /// the message was removed.
    fn measure(&self, place: MessageLocation<'_>, known: Option<Counted>, buffer: &mut [u8]) -> io::Result<Option<Measured>> {
        let file = match self.folder(place.sub).file_stamp(place.name) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let measured = |octets, how| Some(Measured { counted: Counted { octets, file }, how });
        if let Some(known) = known.filter(|known| known.file == file) {
            return Ok(measured(known.octets, How::Known));
        }
        if let Some(octets) = names::wire_size(place.base(), file.length) {
            return Ok(measured(octets, How::Named));
        }
        Ok(self.count(place, file, buffer)?.and_then(|octets| measured(octets, How::Counted)))
    }

    /// Returns the sizes of the messages in a list, and removes from the list the messages that no longer exist.
    fn measure_all(&self, list: &mut List, known: &[Option<Counted>]) -> io::Result<Vec<Measured>> {
        let indexes: Vec<usize> = (0..list.len()).collect();
        let measured = sizes::for_all(&indexes, |index, buffer| match list.get(*index) {
            Some(place) => self.measure(place, known.get(*index).copied().flatten(), buffer),
            None => Ok(None),
        })?;
        let mut there = measured.iter().map(Option::is_some);
        list.retain(|_| there.next().unwrap_or(false));
        Ok(measured.into_iter().flatten().collect())
    }

    fn remove_one(&mut self, number: MessageNumber, trash: Option<&Trash>) -> io::Result<()> {
        let remove = |folder: &Folder, name: &[u8]| match trash {
            Some(trash) => trash.take(folder, name),
            None => folder.remove(name),
        };
        match self.with_location(number, remove) {
            // Another process has removed the message.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

impl LockedMaildir {
    /// Makes the [snapshot](Maildrop::snapshot) first remove messages that are older than `age`, for servers that announce
    /// `EXPIRE` with a number of days (RFC 2449 §6.7). If `age` is zero, no message expires.
    #[must_use]
    pub fn expiring(mut self, age: Duration) -> Self {
        self.expire = Some(age).filter(|age| !age.is_zero());
        self
    }

    /// Moves messages that a session deletes to the folder `.Trash` of the Maildir in place of removing them. If that is not possible, they
    /// stay, and the client learns it.
    #[must_use]
    pub const fn moving_deleted_to_trash(mut self) -> Self {
        self.to_trash = true;
        self
    }

    /// Returns the age at which the [snapshot](Maildrop::snapshot) removes messages, or `None` if no message expires.
    pub const fn expires_after(&self) -> Option<Duration> {
        self.expire
    }

    /// Removes messages that came before the time `before`, in seconds since 1970. A message that cannot be removed stays, which
    /// is logged.
    fn expire(&self, before: i64) -> io::Result<()> {
        let mut removed = 0;
        for MessageLocation { sub, name } in self.scan()?.iter() {
            let folder = self.folder(sub);
            let named = i64::try_from(names::seconds(name)).unwrap_or(i64::MAX);
            if !folder.last_changed(name).is_ok_and(|since| since.max(named) < before) {
                continue;
            }
            match folder.remove(name) {
                Ok(()) => removed += 1,
                Err(error) => tracing::warn!(maildir = %self.maildir.root.display(), %error, "an old message stays"),
            }
        }
        if removed > 0 {
            tracing::info!(maildir = %self.maildir.root.display(), removed, "old messages were removed");
        }
        Ok(())
    }
}

impl LockedMaildir {
    /// Returns the snapshot at the time `now`, counted since 1970.
    fn snapshot_at(&mut self, now: Duration) -> io::Result<Snapshot> {
        if let Some(before) = self.expire.and_then(|age| i64::try_from(now.checked_sub(age)?.as_secs()).ok()) {
            self.expire(before)?;
        }
        // Every change after this point will be detected at the next login.
        let stamps = Stamps::of(&self.new, &self.cur)?;
        let settled = i64::try_from(now.as_nanos()).is_ok_and(|now| stamps.is_settled(now));
        let index = Index::load(&self.root);
        // Unchanged folders hold the same files, but the contents of the files may have changed.
        let unchanged = index.is_of(&stamps);
        let (mut list, known) = if unchanged {
            let known = index.counted.into_iter().map(Some).collect();
            (index.list, known)
        } else {
            let list = self.scan()?;
            let known = index.of(&list).collect::<Vec<_>>();
            (list, known)
        };
        let before = list.len();
        let measured = self.measure_all(&mut list, &known)?;
        drop(known);
        let counted: Vec<Counted> = measured.iter().map(|measured| measured.counted).collect();
        let is_new = unchanged && list.len() == before && measured.iter().all(|measured| measured.how == How::Known);
        let any_counted = measured.iter().any(|measured| measured.how == How::Counted);
        let named = measured.iter().map(|measured| (measured.how == How::Named).then_some(measured.counted.octets));
        self.named = if measured.iter().any(|measured| measured.how == How::Named) { named.collect() } else { Vec::new() };
        self.messages = list;
        let ids = match self.maildir.unique_ids {
            UniqueIds::Names => Vec::new(),
            UniqueIds::DovecotUidlist => {
                let ids = uidlist::unique_ids(&self.root, &self.messages, SystemTime::now());
                ids.map_err(|error| about(&self.maildir.root, &error))?
            }
        };
        let snapshot = snapshot_of(&self.messages, &counted, &ids)?;
        let believed = Some(&stamps).filter(|_| settled && self.messages.len() >= WORTH_AN_INDEX);
        if !is_new
            && (any_counted || believed.is_some())
            && let Err(error) = index::save(&self.root, believed, &self.messages, &counted)
        {
            tracing::debug!(%error, "there is no index, so the next login takes longer");
        }
        Ok(snapshot)
    }

    /// Saves the sizes that differ from those in the names.
    fn save_corrections(&self, corrections: &HashMap<Vec<u8>, u64>) -> io::Result<()> {
        let mut list = self.scan()?;
        let known: Vec<_> = Index::load(&self.root).of(&list).collect();
        let measured = self.measure_all(&mut list, &known)?;
        let corrected = |(place, measured): (MessageLocation<'_>, Measured)| Counted {
            octets: corrections.get(place.base()).copied().unwrap_or(measured.counted.octets),
            ..measured.counted
        };
        let counted: Vec<Counted> = list.iter().zip(measured).map(corrected).collect();
        index::save(&self.root, None, &list, &counted)
    }
}

impl Drop for LockedMaildir {
    fn drop(&mut self) {
        let corrections = mem::take(&mut *self.corrections.lock().unwrap_or_else(PoisonError::into_inner));
        if !corrections.is_empty()
            && let Err(error) = self.save_corrections(&corrections)
        {
            tracing::debug!(%error, "sizes in names that are wrong are found again next time");
        }
    }
}

/// A reader that compares the size of a message with the size in its name when it has read the message to its end.
struct Checked {
    message: Take<File>,
    size: WireSize,
    named: u64,
    base: Vec<u8>,
    corrections: Arc<Mutex<HashMap<Vec<u8>, u64>>>,
}

impl Read for Checked {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let count = self.message.read(space)?;
        self.size.add(space.get(..count).unwrap_or_default());
        if count == 0 && !space.is_empty() && self.size.octets() != self.named {
            tracing::warn!(name = %self.base.escape_ascii(), octets = self.size.octets(), "the size in a message's name is wrong");
            let mut corrections = self.corrections.lock().unwrap_or_else(PoisonError::into_inner);
            corrections.insert(mem::take(&mut self.base), self.size.octets());
        }
        Ok(count)
    }
}

impl Maildrop for LockedMaildir {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.snapshot_at(SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?)
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        let message = self.with_location(number, Folder::read)?;
        let (Some(Some(named)), Ok(place)) = (self.named.get(number.index()).copied(), self.place(number)) else {
            return Ok(Box::new(message));
        };
        let (base, corrections) = (place.base().to_vec(), Arc::clone(&self.corrections));
        Ok(Box::new(Checked { message, size: WireSize::new(), named, base, corrections }))
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let mut failed = Vec::new();
        let trash = match (self.to_trash && !marked.is_empty()).then(|| Trash::open(&self.root)).transpose() {
            Ok(trash) => trash,
            Err(error) => {
                let all = marked.iter().map(|number| (*number, io::Error::new(error.kind(), error.to_string())));
                return NotRemoved::check(all.collect());
            }
        };
        for number in marked {
            if let Err(error) = self.remove_one(*number, trash.as_ref()) {
                failed.push((*number, error));
            }
        }
        if !marked.is_empty() {
            if let Some(Err(error)) = trash.map(|trash| trash.sync()) {
                // The old names may be gone for good, so nobody may believe that the messages are safe.
                tracing::error!(maildir = %self.maildir.root.display(), %error, "deleted messages may not survive a power cut in the trash");
            }
            for folder in [&self.new, &self.cur] {
                // Without this sync, a power cut may restore removed messages, which is a nuisance and no loss.
                if let Err(error) = folder.sync() {
                    tracing::warn!(maildir = %self.maildir.root.display(), %error, "removals may not survive a power cut");
                }
            }
        }
        NotRemoved::check(failed)
    }
}

/// Returns the snapshot of the messages in a list. A message without an id in `ids` has that of its name.
fn snapshot_of(list: &List, counted: &[Counted], ids: &[Option<String>]) -> io::Result<Snapshot> {
    let mut snapshot = Snapshot::with_capacity(list.len(), list.iter().map(|place| place.base().len()).sum());
    let mut before = None;
    let mut twins = 0;
    for (at, (place, Counted { octets, .. })) in list.iter().zip(counted).enumerate() {
        let base = place.base();
        // Files with equal base names are several messages (S17); all but the first need another unique-id.
        twins = if before == Some(base) { twins + 1 } else { 0 };
        let given = ids.get(at).and_then(Option::as_ref).and_then(|id| UniqueId::new(id.as_bytes()).ok());
        let pushed = if let Some(id) = given {
            Some(snapshot.push(*octets, id))
        } else if twins == 0 {
            names::with_unique_id(base, |id| snapshot.push(*octets, id))
        } else {
            names::with_unique_id(&[base, format!("/{twins}").as_bytes()].concat(), |id| snapshot.push(*octets, id))
        };
        pushed.ok_or_else(|| io::Error::other("a message has no unique-id"))?.map_err(io::Error::other)?;
        before = Some(base);
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn an_unreadable_message_has_its_file_length_and_a_removed_one_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let drop = LockedMaildir::lock(maildir.clone()).unwrap();
        fs::create_dir(maildir.path().join("new/1.folder")).unwrap();
        let file = FileStamp { length: 7, changed: 0 };
        let count =
            |name: &str| drop.count(MessageLocation { sub: Sub::New, name: name.as_bytes() }, file, &mut [0; 16]).unwrap();
        assert_eq!(count("1.folder"), Some(7));
        assert_eq!(count("2.gone"), None);
    }

    #[test]
    fn s42_old_messages_expire_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        for name in ["new/1.old".to_owned(), format!("cur/{}.later:2,S", now + 1000)] {
            let path = maildir.path().join(name);
            fs::write(&path, "x\n").unwrap();
            // A copy keeps the modification time, which alone must not expire a message.
            let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let drop = LockedMaildir::lock(maildir.clone()).unwrap();
        let left = |before: u64| {
            drop.expire(i64::try_from(before).unwrap()).unwrap();
            drop.scan().unwrap().len()
        };
        assert_eq!(left(now - 10), 2, "both came here just now");
        assert_eq!(left(now + 500), 1, "by its name one came later");
        assert_eq!(left(now + 2000), 0);
    }

    #[test]
    fn s42_no_time_at_all_expires_nothing() {
        const DAY: Duration = Duration::from_secs(24 * 3600);
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        fs::write(maildir.path().join("new/1.old"), "x\n").unwrap();
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let left =
            |age, later| LockedMaildir::lock(maildir.clone()).unwrap().expiring(age).snapshot_at(now + later).unwrap().len();
        assert_eq!(left(Duration::ZERO, 1000 * DAY), 1);
        assert_eq!(left(30 * DAY, 29 * DAY), 1);
        assert_eq!(left(30 * DAY, 31 * DAY), 0);
    }

    #[test]
    fn s07_h50_an_index_saves_counting_until_files_change() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let put = |name: &str, text: &str| fs::write(maildir.path().join(name), text).unwrap();
        for count in 0..WORTH_AN_INDEX {
            put(&format!("new/{count}.a"), "x\n");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let later = now + Duration::from_secs(60);
        let sizes = |now| {
            let snapshot = maildir.lock().unwrap().snapshot_at(now).unwrap();
            let numbers = (0..snapshot.len()).map(|index| MessageNumber::from_index(index).unwrap());
            numbers.map(|number| snapshot.octets(number).unwrap()).collect::<Vec<_>>()
        };
        let index = || {
            let drop = LockedMaildir::lock(maildir.clone()).unwrap();
            (Index::load(&drop.root), Stamps::of(&drop.new, &drop.cur).unwrap())
        };
        assert_eq!(sizes(now), [3; WORTH_AN_INDEX]);
        // The folders have just changed, so a further change may leave equal times: the sizes are used, the list is not.
        let (saved, stamps) = index();
        assert!(saved.list.len() == WORTH_AN_INDEX && !saved.is_of(&stamps));
        assert_eq!(sizes(later), [3; WORTH_AN_INDEX]);
        let (saved, stamps) = index();
        assert!(saved.is_of(&stamps));
        // A forged size shows that the saved index is used.
        let forge = |octets: u64| {
            let drop = LockedMaildir::lock(maildir.clone()).unwrap();
            let (mut saved, stamps) = (Index::load(&drop.root), Stamps::of(&drop.new, &drop.cur).unwrap());
            saved.counted[0].octets = octets;
            index::save(&drop.root, Some(&stamps), &saved.list, &saved.counted).unwrap();
        };
        forge(5);
        assert_eq!(sizes(later)[..3], [5, 3, 3], "nothing has changed");
        // A filter changes a message in place, which does not change the state of the folder.
        put("new/0.a", "changed\n");
        put("new/1.a", "y\nz\n");
        assert_eq!(sizes(later)[..3], [9, 6, 3]);
        put("cur/0.b:2,S", "x\n");
        assert_eq!(sizes(later)[..4], [9, 3, 6, 3], "a new message is there");
        fs::rename(maildir.path().join("new/0.a"), maildir.path().join("cur/0.a:2,S")).unwrap();
        let mut maildrop = maildir.lock().unwrap();
        maildrop.snapshot_at(later).unwrap();
        let mut text = String::new();
        maildrop.open(MessageNumber::FIRST, None).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "changed\n");
    }

    #[test]
    fn s07_a_wrong_size_in_a_name_is_corrected_once_the_message_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        // The name has the right length and a wrong size on the wire.
        fs::write(maildir.path().join("new/1.a,S=4,W=7"), "a\nb\n").unwrap();
        fs::write(maildir.path().join("new/2.b,S=2,W=3"), "a\n").unwrap();
        let login = || {
            let mut maildrop = maildir.lock().unwrap();
            let snapshot = maildrop.snapshot().unwrap();
            let octets = |number| snapshot.octets(MessageNumber::new(number).unwrap()).unwrap();
            ((octets(1), octets(2)), maildrop)
        };
        let (sizes, mut maildrop) = login();
        assert_eq!(sizes, (7, 3));
        for number in [1, 2] {
            maildrop.open(MessageNumber::new(number).unwrap(), None).unwrap().read_to_end(&mut Vec::new()).unwrap();
        }
        drop(maildrop);
        assert_eq!(login().0, (6, 3));
        // A message that another filter changes is counted again.
        fs::write(maildir.path().join("new/1.a,S=4,W=7"), "a\nb\nc\n").unwrap();
        assert_eq!(login().0, (9, 3));
    }

    #[test]
    fn a_login_needs_no_write() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        // The folder is locked even if no lock file can be created.
        let first = LockedMaildir::lock(maildir.clone()).unwrap();
        fs::remove_file(maildir.path().join("pop3-lock")).unwrap();
        assert_eq!(LockedMaildir::lock(maildir.clone()).unwrap_err().kind(), io::ErrorKind::WouldBlock);
        drop(first);
        for (kind, unwritable) in [
            (io::ErrorKind::ReadOnlyFilesystem, true),
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::PermissionDenied, true),
            (io::ErrorKind::NotFound, false),
            (io::ErrorKind::Other, false),
        ] {
            assert_eq!(is_unwritable(&kind.into()), unwritable, "{kind}");
        }
    }

    #[test]
    fn s42_a_time_before_all_clocks_expires_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        fs::write(maildir.path().join("new/1.a"), "x\n").unwrap();
        assert_eq!(maildir.lock().unwrap().expiring(Duration::MAX).snapshot().unwrap().len(), 1);
    }
}
