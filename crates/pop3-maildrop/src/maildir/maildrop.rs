//! The Maildir that a session holds.

use std::collections::{HashMap, HashSet};
use std::fs::{File, TryLockError};
use std::io::{self, Read};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use pop3_proto::codec::MessageNumber;
use pop3_proto::server::Snapshot;
use rustix::fs::OFlags;

use super::folder::Folder;
use super::{Maildir, about, names, sizes};
use crate::{Maildrop, NotRemoved};

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
    messages: Vec<Place>,
    expire: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Sub {
    // A message that moved while we looked was seen twice; it is in `cur` now.
    Cur,
    New,
}

/// Where a message was seen last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    sub: Sub,
    name: Vec<u8>,
}

impl Place {
    fn base(&self) -> &[u8] {
        names::base(&self.name)
    }
}

impl MaildirDrop {
    pub(super) fn lock(maildir: Maildir) -> io::Result<Self> {
        let root = Folder::open(&maildir.root).map_err(|error| about(&maildir.root, &error))?;
        let sub = |name: &str| root.sub(name).map_err(|error| about(&maildir.root.join(name), &error));
        let (new, cur) = (sub("new")?, sub("cur")?);
        let path = maildir.root.join("pop3-lock");
        let lock = root.make("pop3-lock", OFlags::empty()).map_err(|error| about(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { maildir, root, new, cur, _lock: lock, messages: Vec::new(), expire: None }),
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
    fn scan(&self) -> io::Result<Vec<Place>> {
        let mut places = Vec::new();
        // `new` first: a message that moves meanwhile is seen twice rather than never.
        for sub in [Sub::New, Sub::Cur] {
            let files = self.folder(sub).files().map_err(|error| about(&self.maildir.root, &error))?;
            places.extend(files.into_iter().map(|name| Place { sub, name }));
        }
        places.sort_by(|a, b| {
            (names::seconds(&a.name), a.base(), a.sub, &a.name).cmp(&(names::seconds(&b.name), b.base(), b.sub, &b.name))
        });
        // Of several with one name those are there that are there still: others have moved while we looked.
        let shared: HashSet<Vec<u8>> =
            places.windows(2).filter(|pair| pair[0].base() == pair[1].base()).map(|pair| pair[0].base().to_vec()).collect();
        if !shared.is_empty() {
            places.retain(|place| !shared.contains(place.base()) || self.folder(place.sub).length(&place.name).is_ok());
        }
        Ok(places)
    }

    /// Looks where the messages are now: others may have moved them to `cur` or changed their flags (H50). A place where another
    /// message of the snapshot is stays that one's.
    fn find_again(&mut self) -> io::Result<()> {
        let now: HashSet<Place> = self.scan()?.into_iter().collect();
        let held: HashSet<Place> = self.messages.iter().filter(|place| now.contains(place)).cloned().collect();
        let mut free: HashMap<Vec<u8>, Place> = HashMap::new();
        for place in now {
            if !held.contains(&place) {
                free.insert(place.base().to_vec(), place);
            }
        }
        for place in &mut self.messages {
            if !held.contains(place)
                && let Some(there) = free.remove(place.base())
            {
                *place = there;
            }
        }
        Ok(())
    }

    fn place(&self, number: MessageNumber) -> io::Result<&Place> {
        self.messages.get(number.index()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    /// Does something where the message is; if it is not there, looks where it is now. `NotFound`: nowhere.
    fn where_it_is<T>(&mut self, number: MessageNumber, act: impl Fn(&Folder, &[u8]) -> io::Result<T>) -> io::Result<T> {
        for _ in 0..ROUNDS {
            let place = self.place(number)?.clone();
            match act(self.folder(place.sub), &place.name) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.find_again()?;
                    if *self.place(number)? == place {
                        return Err(error);
                    }
                }
                result => return result,
            }
        }
        Err(io::Error::other("others keep moving the message"))
    }

    /// What a message weighs on the wire; `None` if somebody has removed it since the folder was read.
    fn count(&self, place: &Place) -> io::Result<Option<u64>> {
        match self.folder(place.sub).read(&place.name).and_then(sizes::count) {
            Ok(octets) => Ok(Some(octets)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => {
                // One message that cannot be read must not shut out the others: it is listed, and refused when it is asked for.
                tracing::warn!(maildir = %self.maildir.root.display(), %error, "a message cannot be read");
                Ok(self.folder(place.sub).length(&place.name).ok())
            }
        }
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
        for Place { sub, name } in self.scan()? {
            let folder = self.folder(sub);
            let named = i64::try_from(names::seconds(&name)).unwrap_or(i64::MAX);
            if !folder.here_since(&name).is_ok_and(|since| since.max(named) < before) {
                continue;
            }
            match folder.remove(&name) {
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

impl Maildrop for MaildirDrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        if let Some(before) = self.expire.and_then(|age| i64::try_from(now.checked_sub(age)?.as_secs()).ok()) {
            self.expire(before)?;
        }
        let found = self.scan()?;
        let all_tell = found.iter().all(|place| names::wire_size(place.base()).is_some());
        let known = if all_tell { sizes::Sizes::new() } else { sizes::load(&self.root) };
        let mut snapshot = Snapshot::default();
        let mut to_cache = Vec::new();
        let mut counted = false;
        let mut twins = 0;
        self.messages = Vec::with_capacity(found.len());
        for place in found {
            let base = place.base();
            let octets = if let Some(octets) = names::wire_size(base) {
                octets
            } else if let Some(octets) = known.get(base) {
                to_cache.push((base.to_vec(), *octets));
                *octets
            } else {
                counted = true;
                let Some(octets) = self.count(&place)? else { continue };
                to_cache.push((base.to_vec(), octets));
                octets
            };
            // Files with one name are several messages (S17), of which all but the first need another unique-id.
            let twin = self.messages.last().is_some_and(|before: &Place| before.base() == base);
            twins = if twin { twins + 1 } else { 0 };
            let id_from = if twin { [base, format!("/{twins}").as_bytes()].concat() } else { base.to_vec() };
            names::with_unique_id(&id_from, |id| snapshot.push(octets, id))
                .ok_or_else(|| io::Error::other("a message has no unique-id"))?
                .map_err(io::Error::other)?;
            self.messages.push(place);
        }
        if counted && let Err(error) = sizes::save(&self.root, &to_cache) {
            tracing::debug!(%error, "sizes are not cached and will be counted again");
        }
        Ok(snapshot)
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

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
    fn s42_a_time_before_all_clocks_expires_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path().join("Maildir")).unwrap();
        fs::write(maildir.path().join("new/1.a"), "x\n").unwrap();
        assert_eq!(maildir.lock().unwrap().expiring(Duration::MAX).snapshot().unwrap().len(), 1);
    }
}
