//! The Maildir format: one file per message, in `new` or `cur`; `tmp` holds messages that are being written.
//!
//! A session also creates `pop3-lock`, which is locked during the session, and `pop3-index`, a cache that may be removed at any
//! time.

mod delivery;
#[doc(hidden)] // For `pop3 fetch`, which requires this exact version, and for tests with another disk; it may change.
pub mod disk;
mod folder;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod list;
mod maildrop;
mod names;
mod path_error;
mod sizes;
mod sync;
mod trash;
mod uidlist;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{BatchSync, Disk, SystemDisk};
use path_error::about;

pub use delivery::{Delivery, PreparedMessage};
pub use maildrop::LockedMaildir;

/// A folder with `tmp`, `new` and `cur` in it.
///
/// ```
/// use pop3_maildrop::{Maildir, Maildrop};
/// let folder = tempfile::tempdir()?;
/// let maildir = Maildir::create(folder.path().join("Maildir"))?;
/// let mut delivery = maildir.deliver()?;
/// delivery.write(b"Subject: hello\r\n\r\nworld\r\n")?;
/// delivery.finish()?;
/// let mut maildrop = maildir.lock()?;
/// assert_eq!(maildrop.snapshot()?.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Maildir {
    root: PathBuf,
    /// The trusted part of the path; `None` if all folders but the last one are trusted.
    base: Option<PathBuf>,
    disk: Arc<dyn Disk>,
    /// The file system, if it can sync many messages with one call.
    at_once: Option<Arc<dyn BatchSync>>,
    unique_ids: UniqueIds,
}

/// Where the unique-ids of the messages in a Maildir come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UniqueIds {
    /// The names of the files without their flags, as with qmail-pop3d and Courier.
    #[default]
    Names,
    /// The file `dovecot-uidlist`, as with Dovecot and its `pop3_uidl_format = %08Xu%08Xv`. Messages that it does not contain are added to it,
    /// so Dovecot gives them the same ids later.
    DovecotUidlist,
}

impl Maildir {
    /// Opens an existing Maildir.
    ///
    /// # Errors
    /// One of `tmp`, `new` and `cur` is missing or is not a folder.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::open_on(Arc::new(SystemDisk), root.into())
    }

    fn open_on(disk: Arc<dyn Disk>, root: PathBuf) -> io::Result<Self> {
        for sub in ["tmp", "new", "cur"] {
            let folder = root.join(sub);
            if !disk.is_folder(&folder)? {
                return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is not a folder", folder.display())));
            }
        }
        Ok(Self { at_once: disk.at_once(&root), disk, root, base: None, unique_ids: UniqueIds::Names })
    }

    /// Returns the Maildir at `rest` in the folder `base` without checking that it exists. Only `base` is trusted: symbolic links
    /// in `rest` are followed only under the conditions of [`lock`](Self::lock).
    pub fn beneath(base: impl Into<PathBuf>, rest: impl AsRef<Path>) -> Self {
        let base = base.into();
        Self { root: base.join(rest), base: Some(base), disk: Arc::new(SystemDisk), at_once: None, unique_ids: UniqueIds::Names }
    }

    /// Takes the unique-ids of sessions from another source.
    #[must_use]
    pub const fn with_unique_ids(mut self, unique_ids: UniqueIds) -> Self {
        self.unique_ids = unique_ids;
        self
    }

    /// Returns the trusted part of the path, and the rest of the path.
    fn parts(&self) -> (&Path, &Path) {
        let parent = self.root.parent().filter(|parent| !parent.as_os_str().is_empty());
        let base = self.base.as_deref().or(parent).unwrap_or(Path::new("."));
        (base, self.root.strip_prefix(base).unwrap_or(&self.root))
    }

    /// Creates the missing folders of a Maildir, accessible only to their owner, and syncs them.
    ///
    /// # Errors
    /// A folder cannot be created or synced.
    // H58
    pub fn create(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::create_on(Arc::new(SystemDisk), root)
    }

    /// Creates the missing folders of a Maildir on another disk. Mail is delivered through this disk; a [locked](Self::lock)
    /// Maildir is read through the operating system's file system.
    ///
    /// # Errors
    /// A folder cannot be created or synced.
    #[doc(hidden)]
    pub fn create_on(disk: Arc<dyn Disk>, root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        for sub in ["tmp", "new", "cur"] {
            disk.make_folder(&root.join(sub))?;
        }
        disk.sync_path(&root)?;
        Self::open_on(disk, root)
    }

    /// Returns the path of the Maildir.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Returns the disk of the Maildir.
    #[doc(hidden)]
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Locks the Maildir for a session. A symbolic link to it, or in the part of the path [beneath](Self::beneath) the trusted
    /// folders, is followed only if it belongs to root or to the user of this process. Otherwise the owner of the mail could
    /// redirect a server with more permissions to other files. `new` and `cur` must not be links.
    ///
    /// # Errors
    /// Another session holds the Maildir ([`io::ErrorKind::WouldBlock`]); a link belongs to another user
    /// ([`io::ErrorKind::PermissionDenied`]); the folder does not exist, or it cannot be locked.
    // H51
    pub fn lock(&self) -> io::Result<LockedMaildir> {
        LockedMaildir::lock(self.clone())
    }

    /// Begins the delivery of a message.
    ///
    /// # Errors
    /// The file in `tmp` cannot be created.
    pub fn deliver(&self) -> io::Result<Delivery> {
        Delivery::begin(self.clone())
    }

    /// Makes all messages that were [prepared](Delivery::prepare) before survive a power cut in `tmp`, with one call for many
    /// messages.
    ///
    /// # Errors
    /// The sync failed. Drop the prepared messages: another sync may seem to succeed.
    // H45
    pub fn sync_tmp(&self) -> io::Result<()> {
        match &self.at_once {
            Some(at_once) => at_once.sync().map_err(|error| about(&self.root, &error)),
            None => self.disk.sync_folder(&self.root.join("tmp")),
        }
    }

    /// Makes a [prepared](Delivery::prepare) message visible whose process ended before the commit. Returns `true` if the message
    /// is in the Maildir now, under this name or with flags after it.
    ///
    /// # Errors
    /// A folder cannot be read, written or synced.
    pub fn complete(&self, name: &str) -> io::Result<bool> {
        let temporary = name.split(",S=").next().unwrap_or(name);
        // A delivery never creates other names, so they are refused (H29).
        if temporary.is_empty() || name.contains(['/', ':', '\0']) || name.starts_with('.') {
            return Ok(false);
        }
        let (hidden, visible) = (self.root.join("tmp").join(temporary), self.root.join("new").join(name));
        let renamed = |from, to| match self.disk.rename(from, to) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        // A message may be visible although the sync after its renaming failed. Another sync may then seem to succeed; only
        // another renaming makes the next sync report an error (H45).
        if !renamed(&hidden, &visible)? && renamed(&visible, &hidden)? {
            renamed(&hidden, &visible)?;
        }
        // (A message in `cur` was renamed by a reader, after the sync that failed.)
        for sub in ["new", "cur"] {
            let folder = self.root.join(sub);
            let there = |entry: OsString| names::base(entry.as_encoded_bytes()) == name.as_bytes();
            if self.disk.names(&folder)?.into_iter().any(there) {
                self.disk.sync_folder(&folder)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Makes all messages that were [committed](Delivery::commit) before survive a power cut, with one call for many messages.
    ///
    /// # Errors
    /// The sync failed: the messages may be lost, and must not be removed elsewhere.
    pub fn sync_new(&self) -> io::Result<()> {
        self.disk.sync_folder(&self.root.join("new"))
    }
}
