//! The Maildir in which messages wait for their destinations.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use crate::folders;
use crate::language::Message;

/// The spool of one account.
#[derive(Clone, Debug)]
pub struct Spool {
    path: PathBuf,
}

/// A message in the spool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spooled {
    /// The name of its file, which no other message has, and which sorts by the time of arrival.
    pub name: String,
    pub path: PathBuf,
}

impl Spooled {
    /// Opens the message. Its lines end with LF.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub fn open(&self) -> io::Result<BufReader<File>> {
        Ok(BufReader::with_capacity(64 * 1024, File::open(&self.path)?))
    }
}

impl Spool {
    /// Returns the spool of an account, below `~/.local/state/pop3/spool`. `None` without a home.
    pub fn of(account: &str) -> Option<Self> {
        Some(Self { path: folders::state()?.join("spool").join(folders::file_name(account)) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the lock of the spool, which is held until the file is dropped. `None` if another run has it.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn lock(&self) -> io::Result<Option<File>> {
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(self.path.join("pop3-spool.lock"))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(lock)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    /// Returns the number of messages, and 0 if there is no spool.
    pub fn count(&self) -> u64 {
        self.messages().map_or(0, |messages| messages.len() as u64)
    }

    /// Says how many messages wait and where.
    pub fn waiting(&self, count: u64) -> Message {
        Message::new("deliver-waiting").with("count", count).with("folder", self.path.display())
    }

    /// Returns the messages in the order of their arrival.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn messages(&self) -> io::Result<Vec<Spooled>> {
        let mut messages = Vec::new();
        // A mail program that has shown what waits may have moved it to `cur`, under a name with flags.
        for entry in fs::read_dir(self.path.join("new"))?.chain(fs::read_dir(self.path.join("cur"))?) {
            let entry = entry?;
            // The names are of the run's own making; another program's file is none of its business.
            let Ok(name) = entry.file_name().into_string() else { continue };
            if entry.file_type()?.is_file() && !name.starts_with('.') {
                let name = name.split_once(":2,").map_or(name.as_str(), |(name, _)| name).to_owned();
                messages.push(Spooled { name, path: entry.path() });
            }
        }
        messages.sort();
        Ok(messages)
    }

    /// Removes a message that all destinations have.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self, message: &Spooled) -> io::Result<()> {
        fs::remove_file(&message.path)?;
        sync_folder(message.path.parent().unwrap_or(&self.path))
    }
}

/// Makes the names in a folder survive a power cut.
///
/// # Errors
/// The sync failed. A repeated one may seem to succeed.
// H45
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}
