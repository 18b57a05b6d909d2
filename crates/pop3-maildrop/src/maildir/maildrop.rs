//! The Maildir that a session holds.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use pop3_proto::codec::MessageNumber;
use pop3_proto::server::Snapshot;
use rustix::fs::OFlags;

use super::{Maildir, about, names, sizes, sync_folder};
use crate::{Maildrop, NotRemoved};

/// A Maildir that one session holds. The lock is the operating system's, so it dies with its holder (H42).
#[derive(Debug)]
pub struct MaildirDrop {
    maildir: Maildir,
    _lock: File,
    messages: Vec<Place>,
}

/// Where a message was seen last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Place {
    sub: &'static str,
    name: Vec<u8>,
}

impl Place {
    fn base(&self) -> &[u8] {
        names::base(&self.name)
    }
}

impl MaildirDrop {
    pub(super) fn lock(maildir: Maildir) -> io::Result<Self> {
        let path = maildir.root.join("pop3-lock");
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .custom_flags(OFlags::NOFOLLOW.bits().cast_signed())
            .open(&path)
            .map_err(|error| about(&path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { maildir, _lock: lock, messages: Vec::new() }),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(about(&path, &error)),
        }
    }

    /// All messages in the order in which they came.
    fn scan(&self) -> io::Result<Vec<Place>> {
        let mut places = Vec::new();
        // `new` first: a message that moves meanwhile is seen twice rather than never.
        for sub in ["new", "cur"] {
            let folder = self.maildir.root.join(sub);
            for entry in fs::read_dir(&folder).map_err(|error| about(&folder, &error))? {
                let entry = entry.map_err(|error| about(&folder, &error))?;
                let name = entry.file_name().into_vec();
                // Neither hidden files nor symbolic links are messages (H51).
                if !name.starts_with(b".") && entry.file_type()?.is_file() {
                    places.push(Place { sub, name });
                }
            }
        }
        places.sort_by(|a, b| (names::seconds(&a.name), a.base(), a.sub).cmp(&(names::seconds(&b.name), b.base(), b.sub)));
        // One that moved while we looked was seen twice: `cur` sorts first, and there it is now.
        places.dedup_by(|later, earlier| later.base() == earlier.base() && !self.is_there(later));
        Ok(places)
    }

    fn is_there(&self, place: &Place) -> bool {
        fs::symlink_metadata(self.path_of(place)).is_ok()
    }

    /// Looks where the messages are now: others may have moved them to `cur` or changed their flags (H50).
    fn find_again(&mut self) -> io::Result<()> {
        let now = self.scan()?;
        let unmoved: HashSet<&Place> = now.iter().collect();
        let by_base: HashMap<&[u8], &Place> = now.iter().map(|place| (place.base(), place)).collect();
        for place in &mut self.messages {
            if !unmoved.contains(place)
                && let Some(there) = by_base.get(place.base())
            {
                *place = (*there).clone();
            }
        }
        Ok(())
    }

    fn path_of(&self, place: &Place) -> PathBuf {
        self.maildir.root.join(place.sub).join(OsStr::from_bytes(&place.name))
    }

    fn place(&self, number: MessageNumber) -> io::Result<&Place> {
        self.messages.get(number.index()).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn open_place(&self, place: &Place) -> io::Result<File> {
        OpenOptions::new().read(true).custom_flags(OFlags::NOFOLLOW.bits().cast_signed()).open(self.path_of(place))
    }

    fn remove_file(&self, number: MessageNumber) -> io::Result<()> {
        fs::remove_file(self.path_of(self.place(number)?))
    }

    /// What a message weighs on the wire; `None` if somebody has removed it since the folder was read.
    fn count(&self, place: &Place) -> io::Result<Option<u64>> {
        match self.open_place(place) {
            Ok(file) => sizes::count(file).map(Some),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(about(&self.path_of(place), &error)),
        }
    }
}

impl Maildrop for MaildirDrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let found = self.scan()?;
        let all_tell = found.iter().all(|place| names::wire_size(place.base()).is_some());
        let known = if all_tell { sizes::Sizes::new() } else { sizes::load(&self.maildir.root) };
        let mut snapshot = Snapshot::default();
        let mut to_cache = Vec::new();
        let mut counted = false;
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
            // Two files with one name are two messages (S17), of which the second needs another unique-id.
            let twin = self.messages.last().is_some_and(|before: &Place| before.base() == base);
            let id_from = if twin { [place.sub.as_bytes(), b"/", base].concat() } else { base.to_vec() };
            names::with_unique_id(&id_from, |id| snapshot.push(octets, id))
                .ok_or_else(|| io::Error::other("a message has no unique-id"))?
                .map_err(io::Error::other)?;
            self.messages.push(place);
        }
        if counted && let Err(error) = sizes::save(&self.maildir.root, &to_cache) {
            tracing::debug!(%error, "sizes are not cached and will be counted again");
        }
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber) -> io::Result<Box<dyn Read + Send>> {
        match self.open_place(self.place(number)?) {
            Ok(file) => Ok(Box::new(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.find_again()?;
                Ok(Box::new(self.open_place(self.place(number)?)?))
            }
            Err(error) => Err(error),
        }
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let mut missing = Vec::new();
        let mut failed = Vec::new();
        for number in marked {
            match self.remove_file(*number) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => missing.push(*number),
                Err(error) => failed.push((*number, error)),
            }
        }
        if !missing.is_empty() {
            match self.find_again() {
                Ok(()) => {
                    for number in missing {
                        match self.remove_file(number) {
                            Ok(()) => {}
                            // Somebody else has removed it.
                            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                            Err(error) => failed.push((number, error)),
                        }
                    }
                }
                Err(error) => failed.extend(missing.into_iter().map(|number| (number, error.kind().into()))),
            }
        }
        if !marked.is_empty() {
            for sub in ["new", "cur"] {
                // Without it a power cut may bring messages back, which is a nuisance and no loss.
                if let Err(error) = sync_folder(&self.maildir.root.join(sub)) {
                    tracing::warn!(%error, "removals may not survive a power cut");
                }
            }
        }
        NotRemoved::check(failed)
    }
}
