//! A disk in memory that fails, and that loses and reorders unsynced data when the power fails.
// H45, H46

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use pop3_maildrop::maildir::disk::{BatchSync, Disk, DiskFile, Lock};

/// A simulated disk; clones share it.
#[derive(Clone, Debug)]
pub struct SimDisk(Arc<Mutex<State>>);

/// A failure, and the operation at which it happens, counted from the start of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Nothing,
    /// One operation fails; the operations after it do not.
    Fails(u64),
    /// From this operation on nothing is written any more: the process is killed, or the power fails.
    Stops(u64),
}

#[derive(Debug)]
struct State {
    random: Rng,
    files: Vec<Content>,
    /// The visible names.
    names: BTreeMap<PathBuf, usize>,
    /// The names that certainly survive a power cut.
    durable: BTreeMap<PathBuf, usize>,
    /// The changes of names that may not survive a power cut, in order.
    pending: Vec<Change>,
    locked: Vec<PathBuf>,
    trouble: Trouble,
    operations: u64,
    stopped: bool,
    can_sync_at_once: bool,
    /// A sync of the complete disk has failed: lost data stays lost.
    at_once_failed: bool,
    /// A rename, or a sync that all messages depend on, has failed in this process: no message may become visible after it.
    // H45
    untrusted: bool,
    /// Folders were created, and a power cut could remove them with their contents.
    new_folders: bool,
}

#[derive(Debug, Default)]
struct Content {
    bytes: Vec<u8>,
    /// The number of bytes that survive a power cut.
    synced: usize,
    /// A sync has failed: bytes that were unsynced then never reach the disk, whatever later syncs report.
    lost: bool,
}

#[derive(Clone, Debug)]
enum Change {
    Link(PathBuf, usize),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf, usize),
}

impl SimDisk {
    pub fn new(mut random: Rng) -> Self {
        let can_sync_at_once = random.bool();
        Self(Arc::new(Mutex::new(State {
            random,
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

    /// Starts a process, whose disk fails as `trouble` says.
    pub fn start(&self, trouble: Trouble) {
        let mut state = self.state();
        (state.trouble, state.operations) = (trouble, 0);
        (state.stopped, state.at_once_failed, state.untrusted) = (false, false, false);
        state.locked.clear();
    }

    /// Returns `true` if the process that used the disk is dead.
    pub fn is_stopped(&self) -> bool {
        self.state().stopped
    }

    /// Cuts the power: a random part of the unsynced data survives, in no order.
    pub fn lose_power(&self) {
        let state = &mut *self.state();
        let mut names = std::mem::take(&mut state.durable);
        for change in std::mem::take(&mut state.pending) {
            if state.random.bool() {
                change.apply(&mut names);
            }
        }
        for content in &mut state.files {
            let unsynced = content.bytes.len() - content.synced;
            let kept = content.synced + if content.lost { 0 } else { state.random.usize(..=unsynced) };
            let length = if state.random.bool() { kept } else { content.bytes.len() };
            // If the length survives but not the content, the missing bytes read as zeroes.
            content.bytes[kept..length.max(kept)].fill(0);
            content.bytes.truncate(length.max(kept));
            (content.synced, content.lost) = (content.bytes.len(), false);
        }
        state.durable = names.clone();
        state.names = names;
    }

    /// Returns the messages in `new` and `cur`: all visible ones, or, with `for_certain`, those that survive a power cut now.
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

/// The result of an operation.
enum Fate {
    Done,
    Fails,
}

impl State {
    /// Begins an operation. Fails if the process is dead.
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

    /// Begins an operation that changes nothing if it fails; the failure is `error`.
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

    /// Makes all changes in a folder survive. After a rename into it the old name may remain as well.
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
            // The disk accepts some of the bytes, and then it is full.
            Fate::Fails => state.random.usize(..=bytes.len()),
            Fate::Done if state.random.u8(..16) == 0 => state.random.usize(1..=bytes.len().max(1)).min(bytes.len()),
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
                // A message that cannot be synced by itself is left out, and other messages may become visible.
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
        // All folders exist; only their contents can be lost.
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
            // The changes in this folder never reach the disk, although another sync may seem to succeed.
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
