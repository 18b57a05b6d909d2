//! The Maildir that a session holds.

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pop3_proto::codec::MessageNumber;
use pop3_proto::server::Snapshot;
use rustix::fs::OFlags;

use super::folder::Folder;
use super::index::{self, Index, Stamps};
use super::list::{List, Place, Sub};
use super::{Maildir, about, names, sizes};
use crate::{Maildrop, NotRemoved};

/// Folders with fewer messages are read as fast as an index.
const WORTH_AN_INDEX: usize = 100;

/// How often a message that others keep moving is looked for again.
const ROUNDS: usize = 20;

/// A Maildir that one session holds. The lock is the operating system's, so it dies with its holder (H42).
#[derive(Debug)]
pub struct MaildirDrop {
    maildir: Maildir,
    root: Folder,
    new: Folder,
    cur: Folder,
    _lock: File,
    messages: List,
    expire: Option<Duration>,
}

impl MaildirDrop {
    pub(super) fn lock(maildir: Maildir) -> io::Result<Self> {
        let root = Folder::open(&maildir.root).map_err(|error| about(&maildir.root, &error))?;
        let sub = |name: &str| root.sub(name).map_err(|error| about(&maildir.root.join(name), &error));
        let (new, cur) = (sub("new")?, sub("cur")?);
        let path = maildir.root.join("pop3-lock");
        let lock = root.make("pop3-lock", OFlags::empty()).map_err(|error| about(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { maildir, root, new, cur, _lock: lock, messages: List::default(), expire: None }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(about(&path, &error)),
        }
    }

    fn folder(&self, sub: Sub) -> &Folder {
        match sub {
            Sub::Cur => &self.cur,
            Sub::New => &self.new,
        }
    }

    /// All messages in the order in which they came.
    fn scan(&self) -> io::Result<List> {
        let mut list = List::default();
        // `new` first: a message that moves meanwhile is seen twice rather than never.
        for sub in [Sub::New, Sub::Cur] {
            let files = self.folder(sub).files(|name| list.push(Place { sub, name }));
            files.map_err(|error| about(&self.maildir.root, &error))?;
        }
        list.sort();
        list.keep_there(|place| self.folder(place.sub).length(place.name).is_ok());
        list.shrink();
        Ok(list)
    }

    /// Looks where the messages are now: others may have moved them to `cur` or changed their flags (H50). A place where another
    /// message of the snapshot is stays that one's.
    fn find_again(&mut self) -> io::Result<()> {
        let now = self.scan()?;
        let there: HashSet<Place<'_>> = now.iter().collect();
        let held: HashSet<Place<'_>> = self.messages.iter().filter(|place| there.contains(place)).collect();
        let mut free: HashMap<&[u8], Place<'_>> =
            now.iter().filter(|place| !held.contains(place)).map(|place| (place.base(), place)).collect();
        let lost = self.messages.iter().enumerate().filter(|(_, place)| !held.contains(place));
        let found: Vec<_> = lost.filter_map(|(index, place)| Some((index, free.remove(place.base())?))).collect();
        found.into_iter().try_for_each(|(index, place)| self.messages.replace(index, place))
    }

    fn place(&self, number: MessageNumber) -> io::Result<Place<'_>> {
        self.messages.get(number.index()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Does something where the message is; if it is not there, looks where it is now. `NotFound`: nowhere.
    fn where_it_is<T>(&mut self, number: MessageNumber, act: impl Fn(&Folder, &[u8]) -> io::Result<T>) -> io::Result<T> {
        for _ in 0..ROUNDS {
            let place = self.place(number)?;
            match act(self.folder(place.sub), place.name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    let (sub, name) = (place.sub, place.name.to_vec());
                    self.find_again()?;
                    if self.place(number)? == (Place { sub, name: &name }) {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
        Err(io::Error::other("others keep moving the message"))
    }

    /// What a message weighs on the wire; `None` if somebody has removed it since the folder was read.
    fn count(&self, place: Place<'_>, buffer: &mut [u8]) -> io::Result<Option<u64>> {
        match self.folder(place.sub).read(place.name).and_then(|file| sizes::count(file, buffer)) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                // One message that cannot be read must not shut out the others: it is listed, and refused when it is asked for.
                tracing::warn!(maildir = %self.maildir.root.display(), %error, "a message cannot be read");
                Ok(self.folder(place.sub).length(place.name).ok())
            }
        }
    }

    /// What is in the folders, and what it weighs; whether any message had to be counted.
    fn weigh(&self, index: &Index) -> io::Result<(List, Vec<u64>, bool)> {
        let mut list = self.scan()?;
        let mut octets: Vec<Option<u64>> =
            list.iter().zip(index.octets_of(&list)).map(|(place, known)| names::wire_size(place.base()).or(known)).collect();
        let unknown: Vec<usize> = (0..octets.len()).filter(|index| octets[*index].is_none()).collect();
        let counted = sizes::for_all(&unknown, |index, buffer| match list.get(*index) {
            Some(place) => self.count(place, buffer),
            None => Ok(None),
        })?;
        for (index, count) in unknown.iter().zip(counted) {
            octets[*index] = count;
        }
        // Those that are gone again are none of the snapshot's.
        let mut there = octets.iter().map(Option::is_some);
        list.retain(|_| there.next().unwrap_or(false));
        Ok((list, octets.into_iter().flatten().collect(), !unknown.is_empty()))
    }

    fn remove_one(&mut self, number: MessageNumber) -> io::Result<()> {
        match self.where_it_is(number, Folder::remove) {
            // Somebody else has removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

impl MaildirDrop {
    /// Has the [snapshot](Maildrop::snapshot) begin by removing messages that came longer ago than `age`, for servers that announce
    /// `EXPIRE` with a number of days (RFC 2449 §6.7). No time at all expires nothing.
    #[must_use]
    pub fn expiring(self, age: Duration) -> Self {
        Self { expire: Some(age).filter(|age| !age.is_zero()), ..self }
    }

    /// A message that cannot be removed stays, and is told in the log.
    fn expire(&self, before: i64) -> io::Result<()> {
        let mut removed = 0;
        for Place { sub, name } in self.scan()?.iter() {
            let folder = self.folder(sub);
            let named = i64::try_from(names::seconds(name)).unwrap_or(i64::MAX);
            if !folder.here_since(name).is_ok_and(|since| since.max(named) < before) {
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

impl MaildirDrop {
    /// `now`: since 1970.
    fn snapshot_at(&mut self, now: Duration) -> io::Result<Snapshot> {
        if let Some(before) = self.expire.and_then(|age| i64::try_from(now.checked_sub(age)?.as_secs()).ok()) {
            self.expire(before)?;
        }
        // What changes from here on will show at the next login.
        let stamps = Stamps::of(&self.new, &self.cur)?;
        let settled = i64::try_from(now.as_nanos()).is_ok_and(|now| stamps.is_settled(now));
        let index = Index::load(&self.root);
        if index.is_of(&stamps) {
            self.messages = index.list;
            return snapshot_of(&self.messages, &index.octets);
        }
        let (list, octets, counted) = self.weigh(&index)?;
        self.messages = list;
        let snapshot = snapshot_of(&self.messages, &octets)?;
        let believed = Some(&stamps).filter(|_| settled && self.messages.len() >= WORTH_AN_INDEX);
        if (counted || believed.is_some())
            && let Err(error) = index::save(&self.root, believed, &self.messages, &snapshot)
        {
            tracing::debug!(%error, "there is no index, so the next login takes longer");
        }
        Ok(snapshot)
    }
}

impl Maildrop for MaildirDrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.snapshot_at(SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?)
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(self.where_it_is(number, Folder::read)?))
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let mut failed = Vec::new();
        for number in marked {
            if let Err(error) = self.remove_one(*number) {
                failed.push((*number, error));
            }
        }
        if !marked.is_empty() {
            for folder in [&self.new, &self.cur] {
                // Without it a power cut may bring messages back, which is a nuisance and no loss.
                if let Err(error) = folder.sync() {
                    tracing::warn!(maildir = %self.maildir.root.display(), %error, "removals may not survive a power cut");
                }
            }
        }
        NotRemoved::check(failed)
    }
}

/// What a session tells of the messages.
fn snapshot_of(list: &List, octets: &[u64]) -> io::Result<Snapshot> {
    let mut snapshot = Snapshot::with_capacity(list.len(), list.iter().map(|place| place.base().len()).sum());
    let mut before = None;
    let mut twins = 0;
    for (place, octets) in list.iter().zip(octets) {
        let base = place.base();
        // Files with one name are several messages (S17), of which all but the first need another unique-id.
        twins = if before == Some(base) { twins + 1 } else { 0 };
        let pushed = if twins == 0 {
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
    fn what_cannot_be_read_has_the_length_of_its_file_and_what_is_gone_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let drop = MaildirDrop::lock(maildir.clone()).unwrap();
        fs::create_dir(maildir.path().join("new/1.folder")).unwrap();
        let count = |name: &str| drop.count(Place { sub: Sub::New, name: name.as_bytes() }, &mut [0; 16]).unwrap();
        assert!(count("1.folder").is_some());
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
            // A copy keeps the time of writing: that alone tells nothing.
            let long_ago = SystemTime::now() - Duration::from_secs(1_000_000);
            File::options().write(true).open(path).unwrap().set_modified(long_ago).unwrap();
        }
        let drop = MaildirDrop::lock(maildir.clone()).unwrap();
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
        let left = |age, later| MaildirDrop::lock(maildir.clone()).unwrap().expiring(age).snapshot_at(now + later).unwrap().len();
        assert_eq!(left(Duration::ZERO, 1000 * DAY), 1);
        assert_eq!(left(30 * DAY, 29 * DAY), 1);
        assert_eq!(left(30 * DAY, 31 * DAY), 0);
    }

    #[test]
    fn s07_h50_an_index_is_believed_until_the_folders_change() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        let put = |name: &str| fs::write(maildir.path().join(name), "x\n").unwrap();
        for count in 0..WORTH_AN_INDEX {
            put(&format!("new/{count}.a"));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let (now, later) = (now, now + Duration::from_secs(60));
        let sizes = |now| {
            let snapshot = maildir.lock().unwrap().snapshot_at(now).unwrap();
            let numbers = (0..snapshot.len()).map(|index| MessageNumber::from_index(index).unwrap());
            numbers.map(|number| snapshot.octets(number).unwrap()).collect::<Vec<_>>()
        };
        let index = maildir.path().join("pop3-index");
        let change = |from: &str, to: &str| {
            let text = fs::read_to_string(&index).unwrap();
            assert!(text.contains(from), "{from}: {text}");
            fs::write(&index, text.replacen(from, to, 1)).unwrap();
        };
        assert_eq!(sizes(now), [3; WORTH_AN_INDEX]);
        // The folders have just changed, so they may change once more and look the same: sizes are believed, the list is not.
        change("3 new/0.a", "5 new/0.a");
        change("3 new/1.a\n", "");
        change(&format!(" {WORTH_AN_INDEX}\n"), &format!(" {}\n", WORTH_AN_INDEX - 1));
        assert_eq!(sizes(later)[..3], [5, 3, 3]);
        change("3 new/1.a", "4 new/gone");
        assert_eq!(sizes(later)[..3], [5, 4, 3], "nothing has changed");
        put("cur/0.b:2,S");
        assert_eq!(sizes(later)[..4], [5, 3, 3, 3], "something has: what is there is there");
        assert_eq!(sizes(later).len(), WORTH_AN_INDEX + 1);
        fs::rename(maildir.path().join("new/0.a"), maildir.path().join("cur/0.a:2,S")).unwrap();
        let mut maildrop = maildir.lock().unwrap();
        maildrop.snapshot_at(later).unwrap();
        let mut text = String::new();
        maildrop.open(MessageNumber::FIRST).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "x\n");
    }

    #[test]
    fn s42_a_time_before_all_clocks_expires_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        fs::write(maildir.path().join("new/1.a"), "x\n").unwrap();
        assert_eq!(maildir.lock().unwrap().expiring(Duration::MAX).snapshot().unwrap().len(), 1);
    }
}
