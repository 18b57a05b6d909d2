//! A disk in memory that fails, and that loses and reorders what was not synced when the power goes (H45, H46).

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use pop3_maildrop::maildir::disk::{BatchSync, Disk, DiskFile, Lock};

/// Clones are the same disk.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

/// What goes wrong, and at which operation from the start of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Nothing,
    /// One operation fails, and those behind it do not.
    Fails(u64),
    /// From then on nothing is written any more: the process is killed there, or the power goes.
    Stops(u64),
}

#[derive(Debug)]
struct State {
    chance: Rng,
    files: Vec<Content>,
    /// What is seen.
    names: BTreeMap<PathBuf, usize>,
    /// What is there for certain after a power cut.
    durable: BTreeMap<PathBuf, usize>,
    /// What was done to names since, in its order.
    pending: Vec<Change>,
    locked: Vec<PathBuf>,
    trouble: Trouble,
    operations: u64,
    stopped: bool,
    can_sync_at_once: bool,
    /// A sync of all has failed: what was lost is lost.
    at_once_failed: bool,
    /// A sync that all depend on or a renaming has failed in this process: nothing may become visible behind it (H45).
    untrusted: bool,
    /// Folders were made, and a power cut could take them and what is in them.
    new_folders: bool,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// So many of them survive.
    synced: usize,
    /// A sync has failed: what was not written then never will be, whatever later syncs say.
    lost: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl SimDisk {
    pub fn new(mut chance: Rng) -> Self {
        let can_sync_at_once = chance.bool();
        Self(Arc::new(Mutex::new(State {
            chance,
            files: Vec::new(),
            names: BTreeMap::new(),
            durable: BTreeMap::new(),
            pending: Vec::new(),
            locked: Vec::new(),
            trouble: Trouble::Nothing,
            operations: 0,
            stopped: false,
            can_sync_at_once,
            at_once_failed: false,
            untrusted: false,
            new_folders: false,
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A process begins, and this will happen to its disk.
    pub fn start(&self, trouble: Trouble) {
        let mut state = self.state();
        (state.trouble, state.operations) = (trouble, 0);
        (state.stopped, state.at_once_failed, state.untrusted) = (false, false, false);
        state.locked.clear();
    }

    /// The process that used it is dead.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// The power goes: of what was not synced some survives, in no order.
    pub fn lose_power(&self) {
        let state = &mut *self.state();
        let mut names = std::mem::take(&mut state.durable);
        for change in std::mem::take(&mut state.pending) {
            if state.chance.bool() {
                change.apply(&mut names);
            }
        }
        for content in &mut state.files {
            let unsynced = content.bytes.len() - content.synced;
            let kept = content.synced + if content.lost { 0 } else { state.chance.usize(..=unsynced) };
            let length = if state.chance.bool() { kept } else { content.bytes.len() };
            // What is kept of the length and not of the content reads as zeroes.
            content.bytes[kept..length.max(kept)].fill(0);
            content.bytes.truncate(length.max(kept));
            (content.synced, content.lost) = (content.bytes.len(), false);
        }
        state.durable = names.clone();
        state.names = names;
    }

    /// The messages in `new` and `cur`: all that are seen, or those that are there even if the power goes now.
    pub fn messages(&self, root: &Path, for_certain: bool) -> Vec<Vec<u8>> {
        let state = self.state();
        let names = if for_certain { &state.durable } else { &state.names };
        let in_maildir =
            |path: &Path| path.parent().is_some_and(|folder| folder == root.join("new") || folder == root.join("cur"));
        let found = names.iter().filter(|(path, _)| in_maildir(path)).map(|(_, file)| &state.files[*file]);
        found
            .filter(|content| !for_certain || content.synced == content.bytes.len())
            .map(|content| content.bytes.clone())
            .collect()
    }
}

impl Change {
    fn apply(self, names: &mut BTreeMap<PathBuf, usize>) {
        match self {
            Self::Link(path, file) => {
                names.insert(path, file);
            }
            Self::Unlink(path) => {
                names.remove(&path);
            }
            Self::Rename(from, to, file) => {
                names.remove(&from);
                names.insert(to, file);
            }
        }
    }
}

/// What an operation may do.
enum Fate {
    Done,
    Fails,
}

impl State {
    /// An operation begins.
    fn begin(&mut self) -> io::Result<Fate> {
        self.operations += 1;
        if self.trouble == Trouble::Stops(self.operations) {
            self.stopped = true;
        }
        if self.stopped {
            return Err(io::Error::other("the process is dead"));
        }
        Ok(if self.trouble == Trouble::Fails(self.operations) { Fate::Fails } else { Fate::Done })
    }

    /// The same where nothing is changed by a failure.
    fn begin_or_fail(&mut self, error: ErrorKind) -> io::Result<()> {
        match self.begin()? {
            Fate::Done => Ok(()),
            Fate::Fails => Err(error.into()),
        }
    }

    fn change(&mut self, change: Change) {
        change.clone().apply(&mut self.names);
        self.pending.push(change);
    }

    fn sync_file(&mut self, file: usize) {
        let content = &mut self.files[file];
        if !content.lost {
            content.synced = content.bytes.len();
        }
    }

    /// Whatever was done in a folder survives. Of a rename into it the old name may stay as well.
    fn sync_folder(&mut self, folder: &Path) {
        let is_in = |path: &Path| path.parent() == Some(folder);
        for change in std::mem::take(&mut self.pending) {
            match change {
                Change::Link(ref path, _) | Change::Unlink(ref path) if !is_in(path) => self.pending.push(change),
                Change::Rename(ref from, ref to, _) if !is_in(from) && !is_in(to) => self.pending.push(change),
                Change::Rename(from, to, file) if !is_in(&from) => {
                    self.durable.insert(to, file);
                    self.pending.push(Change::Unlink(from));
                }
                change => change.apply(&mut self.durable),
            }
        }
    }
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    file: usize,
}

impl Write for SimFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.state();
        let fate = state.begin()?;
        let count = match fate {
            // The disk takes some of it, and then it is full.
            Fate::Fails => state.chance.usize(..=bytes.len()),
            Fate::Done if state.chance.u8(..16) == 0 => state.chance.usize(1..=bytes.len().max(1)).min(bytes.len()),
            Fate::Done => bytes.len(),
        };
        state.files[self.file].bytes.extend_from_slice(&bytes[..count]);
        match fate {
            Fate::Fails => Err(ErrorKind::StorageFull.into()),
            Fate::Done => Ok(count),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl DiskFile for SimFile {
    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.state();
        match state.begin()? {
            Fate::Done => state.sync_file(self.file),
            Fate::Fails => {
                // A message that cannot be synced by itself is left out, and others may be seen.
                let is_message = |path: &PathBuf| path.parent().is_some_and(|folder| folder.ends_with("tmp"));
                state.untrusted |= !state.names.iter().any(|(path, file)| *file == self.file && is_message(path));
                state.files[self.file].lost = true;
                return Err(io::Error::other("the disk has failed"));
            }
        }
        Ok(())
    }
}

#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl Lock for SimLock {}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.state().locked.retain(|path| *path != self.path);
    }
}

impl BatchSync for SimDisk {
    fn sync(&self) -> io::Result<()> {
        let mut state = self.state();
        let fate = state.begin()?;
        if matches!(fate, Fate::Fails) || state.at_once_failed {
            (state.at_once_failed, state.untrusted) = (true, true);
            state.files.iter_mut().filter(|content| content.synced < content.bytes.len()).for_each(|content| content.lost = true);
            return Err(io::Error::other("the disk has failed"));
        }
        for file in 0..state.files.len() {
            state.sync_file(file);
        }
        for change in std::mem::take(&mut state.pending) {
            change.apply(&mut state.durable);
        }
        Ok(())
    }
}

impl Disk for SimDisk {
    fn make_folder(&self, _: &Path) -> io::Result<()> {
        // Folders are there; what is in them is what can be lost.
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::StorageFull)?;
        state.new_folders = true;
        Ok(())
    }

    fn is_folder(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::StorageFull)?;
        if state.names.contains_key(path) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let file = state.files.len();
        state.files.push(Content::default());
        state.change(Change::Link(path.to_owned(), file));
        Ok(Box::new(SimFile { disk: self.clone(), file }))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        let there = self.state().names.get(path).copied();
        match there {
            Some(file) => {
                self.state().begin_or_fail(ErrorKind::PermissionDenied)?;
                Ok(Box::new(SimFile { disk: self.clone(), file }))
            }
            None => self.create(path),
        }
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::PermissionDenied)?;
        let file = state.names.get(path).ok_or(ErrorKind::NotFound)?;
        Ok(state.files[*file].bytes.clone())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::PermissionDenied)?;
        if state.locked.iter().any(|locked| locked == path) {
            return Err(ErrorKind::WouldBlock.into());
        }
        state.locked.push(path.to_owned());
        Ok(Box::new(SimLock { disk: self.clone(), path: path.to_owned() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        if let Fate::Fails = state.begin()? {
            state.untrusted = true;
            return Err(ErrorKind::StorageFull.into());
        }
        let file = *state.names.get(from).ok_or(ErrorKind::NotFound)?;
        let becomes_visible = to.parent().is_some_and(|folder| folder.ends_with("new"));
        assert!(!becomes_visible || !state.untrusted, "H45: made visible behind a failure: {}", to.display());
        assert!(!becomes_visible || !state.new_folders, "made visible in a folder that may not survive: {}", to.display());
        state.change(Change::Rename(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::PermissionDenied)?;
        if !state.names.contains_key(path) {
            return Err(ErrorKind::NotFound.into());
        }
        state.change(Change::Unlink(path.to_owned()));
        Ok(())
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::PermissionDenied)?;
        let there = state.names.keys().filter(|path| path.parent() == Some(folder));
        Ok(there.filter_map(|path| path.file_name()).map(OsString::from).collect())
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        match state.begin()? {
            Fate::Done => state.sync_folder(path),
            // Whether the names survive is left to chance; another sync may seem to succeed.
            Fate::Fails => {
                state.untrusted = true;
                let in_folder = |name: &Path| name.parent() == Some(path);
                state.pending.retain(|change| match change {
                    Change::Link(name, _) | Change::Unlink(name) => !in_folder(name),
                    Change::Rename(from, to, _) => !in_folder(from) && !in_folder(to),
                });
                return Err(io::Error::other("the disk has failed"));
            }
        }
        Ok(())
    }

    fn sync_path(&self, _: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.begin_or_fail(ErrorKind::Other)?;
        state.new_folders = false;
        Ok(())
    }

    fn at_once(&self, _: &Path) -> Option<Arc<dyn BatchSync>> {
        self.state().can_sync_at_once.then(|| Arc::new(self.clone()) as Arc<dyn BatchSync>)
    }
}
