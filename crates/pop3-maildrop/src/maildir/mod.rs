//! Maildir: one file a message, in `new` or `cur`; `tmp` for what is being written.
//!
//! Beside these, a session leaves `pop3-lock` (held while it lasts) and `pop3-index` (a cache that may be removed at any time).

mod delivery;
#[doc(hidden)] // For `pop3 fetch`, which names this version exactly, and for tests that need another one; it may change.
pub mod disk;
mod folder;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod index;
mod list;
mod maildrop;
mod names;
mod sizes;
mod sync;

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use disk::{BatchSync, Disk, SystemDisk};

pub use delivery::{Delivery, Prepared};
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
    /// The folders of the path that are trusted; `None`: all but the last one.
    base: Option<PathBuf>,
    disk: Arc<dyn Disk>,
    /// Where many messages can be made to survive at once.
    at_once: Option<Arc<dyn BatchSync>>,
}

impl Maildir {
    /// A Maildir that is there.
    ///
    /// # Errors
    /// It is not: one of `tmp`, `new` and `cur` is missing.
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
        Ok(Self { at_once: disk.at_once(&root), disk, root, base: None })
    }

    /// A Maildir that should be there: what is missing shows when it is needed.
    pub fn assumed(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), base: None, disk: Arc::new(SystemDisk), at_once: None }
    }

    /// A Maildir that should be there, at `rest` in the folder `base`. Only `base` is trusted: symbolic links in `rest` are
    /// followed only as [`lock`](Self::lock) says.
    pub fn beneath(base: impl Into<PathBuf>, rest: impl AsRef<Path>) -> Self {
        let base = base.into();
        Self { root: base.join(rest), base: Some(base), disk: Arc::new(SystemDisk), at_once: None }
    }

    /// The trusted folders of the path, and the rest of it.
    fn parts(&self) -> (&Path, &Path) {
        let parent = self.root.parent().filter(|parent| !parent.as_os_str().is_empty());
        let base = self.base.as_deref().or(parent).unwrap_or(Path::new("."));
        (base, self.root.strip_prefix(base).unwrap_or(&self.root))
    }

    /// Makes what is missing of a Maildir, for its owner alone (H58), and durably.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub fn create(root: impl Into<PathBuf>) -> io::Result<Self> {
        Self::create_on(Arc::new(SystemDisk), root)
    }

    /// The same on another disk. Mail is delivered through it; whoever [locks](Self::lock) the Maildir reads through the operating
    /// system's.
    ///
    /// # Errors
    /// A folder cannot be made.
    #[doc(hidden)]
    pub fn create_on(disk: Arc<dyn Disk>, root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        for sub in ["tmp", "new", "cur"] {
            disk.make_folder(&root.join(sub))?;
        }
        disk.sync_path(&root)?;
        Self::open_on(disk, root)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// The disk that it lies on.
    #[doc(hidden)]
    pub fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    /// Locks it for a session. Symbolic links to it, or in the part of the path [beneath](Self::beneath) the trusted folders, are
    /// followed if they belong to root or to the user of this process: the owner of the mail could lead a server that may read more
    /// than they do to other files (H51). `new` and `cur` must not be links.
    ///
    /// # Errors
    /// Another session holds it ([`io::ErrorKind::WouldBlock`]); a link belongs to another user
    /// ([`io::ErrorKind::PermissionDenied`]); there is no such folder, or it cannot be locked.
    pub fn lock(&self) -> io::Result<LockedMaildir> {
        LockedMaildir::lock(self.clone())
    }

    /// Begins the delivery of a message.
    ///
    /// # Errors
    /// The file in `tmp` cannot be made.
    pub fn deliver(&self) -> io::Result<Delivery> {
        Delivery::begin(self.clone())
    }

    /// Makes all that was [prepared](Delivery::prepare) before survive a power cut, in `tmp`: one call for many messages.
    ///
    /// # Errors
    /// The disk did not take it. Drop what was prepared: another try may seem to succeed (H45).
    pub fn sync_tmp(&self) -> io::Result<()> {
        match &self.at_once {
            Some(at_once) => at_once.sync().map_err(|error| about(&self.root, &error)),
            None => self.disk.sync_folder(&self.root.join("tmp")),
        }
    }

    /// Makes a [prepared](Delivery::prepare) message visible whose process died before it could; says whether the message is in
    /// the Maildir now, under this name or with flags behind it.
    ///
    /// # Errors
    /// A folder cannot be read or written.
    pub fn complete(&self, name: &str) -> io::Result<bool> {
        let temporary = name.split(",S=").next().unwrap_or(name);
        // Such a name was made here; anything else is none of ours (H29).
        if temporary.is_empty() || name.contains(['/', ':', '\0']) || name.starts_with('.') {
            return Ok(false);
        }
        let (hidden, visible) = (self.root.join("tmp").join(temporary), self.root.join("new").join(name));
        let renamed = |from, to| match self.disk.rename(from, to) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        };
        // What is visible already may be so because the sync behind its renaming failed. Another sync may then say that all is well;
        // only another renaming is something that it has to tell of (H45).
        if !renamed(&hidden, &visible)? && renamed(&visible, &hidden)? {
            renamed(&hidden, &visible)?;
        }
        // (One that a reader has moved to `cur` was renamed by them, behind the sync that failed.)
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

    /// Makes all that was [committed](Delivery::commit) before survive a power cut: one call for many messages.
    ///
    /// # Errors
    /// The disk did not take it: the messages may be lost, and must not be removed elsewhere.
    pub fn sync(&self) -> io::Result<()> {
        self.disk.sync_folder(&self.root.join("new"))
    }
}

/// The error with the path that it is about.
fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
