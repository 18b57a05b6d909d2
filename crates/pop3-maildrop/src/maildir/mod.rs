//! Maildir: one file a message, in `new` or `cur`; `tmp` for what is being written.
//!
//! Beside these, a session leaves `pop3-lock` (held while it lasts) and `pop3-sizes` (a cache that may be removed at any time).

mod delivery;
mod maildrop;
mod names;
mod sizes;

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub use delivery::Delivery;
pub use maildrop::MaildirDrop;

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
}

impl Maildir {
    /// A Maildir that is there.
    ///
    /// # Errors
    /// It is not: one of `tmp`, `new` and `cur` is missing.
    pub fn open(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        for sub in ["tmp", "new", "cur"] {
            let folder = root.join(sub);
            if !fs::metadata(&folder).map_err(|error| about(&folder, &error))?.is_dir() {
                return Err(io::Error::new(io::ErrorKind::NotADirectory, format!("{} is not a folder", folder.display())));
            }
        }
        Ok(Self { root })
    }

    /// Makes what is missing of a Maildir, for its owner alone (H58), and durably.
    ///
    /// # Errors
    /// A folder cannot be made.
    pub fn create(root: impl Into<PathBuf>) -> io::Result<Self> {
        let root = root.into();
        for sub in ["tmp", "new", "cur"] {
            let folder = root.join(sub);
            DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| about(&folder, &error))?;
        }
        sync_folder(&root)?;
        if let Some(parent) = root.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            sync_folder(parent)?;
        }
        Self::open(root)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Locks it for a session.
    ///
    /// # Errors
    /// Another session holds it ([`io::ErrorKind::WouldBlock`]), or the lock file cannot be made.
    pub fn lock(&self) -> io::Result<MaildirDrop> {
        MaildirDrop::lock(self.clone())
    }

    /// Begins the delivery of a message.
    ///
    /// # Errors
    /// The file in `tmp` cannot be made.
    pub fn deliver(&self) -> io::Result<Delivery> {
        Delivery::begin(self.clone())
    }

    /// Makes all that was [committed](Delivery::commit) before survive a power cut: one call for many messages.
    ///
    /// # Errors
    /// The disk did not take it: the messages may be lost, and must not be removed elsewhere.
    pub fn sync(&self) -> io::Result<()> {
        sync_folder(&self.root.join("new"))
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| about(folder, &error))
}

/// The error with the path that it is about.
fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
