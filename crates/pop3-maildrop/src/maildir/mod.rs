//! Maildir: one file a message, in `new` or `cur`; `tmp` for what is being written.
//!
//! Beside these, a session leaves `pop3-lock` (held while it lasts) and `pop3-index` (a cache that may be removed at any time).

mod delivery;
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

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

pub use delivery::{Delivery, Prepared};
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
    /// Where many messages can be made to survive at once.
    at_once: Option<sync::AtOnce>,
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
        Ok(Self { at_once: sync::AtOnce::of(&root), root })
    }

    /// A Maildir that should be there: what is missing shows when it is needed.
    pub fn assumed(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), at_once: None }
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
        folder::sync_path(&root)?;
        Self::open(root)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.root
    }

    /// Locks it for a session. Neither it nor `new` and `cur` may be symbolic links: whoever owns the mail could lead a server
    /// that may read more than they do to other files (H51).
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

    /// Makes all that was [prepared](Delivery::prepare) before survive a power cut, in `tmp`: one call for many messages.
    ///
    /// # Errors
    /// The disk did not take it. Drop what was prepared: another try may seem to succeed (H45).
    pub fn sync_tmp(&self) -> io::Result<()> {
        match &self.at_once {
            Some(at_once) => at_once.sync().map_err(|error| about(&self.root, &error)),
            None => sync::folder(&self.root.join("tmp")),
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
        match fs::rename(self.root.join("tmp").join(temporary), self.root.join("new").join(name)) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        for sub in ["new", "cur"] {
            let folder = self.root.join(sub);
            for entry in fs::read_dir(&folder).map_err(|error| about(&folder, &error))? {
                if names::base(entry?.file_name().as_encoded_bytes()) == name.as_bytes() {
                    sync::folder(&folder)?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Makes all that was [committed](Delivery::commit) before survive a power cut: one call for many messages.
    ///
    /// # Errors
    /// The disk did not take it: the messages may be lost, and must not be removed elsewhere.
    pub fn sync(&self) -> io::Result<()> {
        sync::folder(&self.root.join("new"))
    }
}

/// The error with the path that it is about.
fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
