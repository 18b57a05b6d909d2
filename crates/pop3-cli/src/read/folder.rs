//! The mail in a Maildir.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::mailbox::{LONGEST_HEADER, Mailbox, no_message};
use super::table::Row;
use crate::failure::{Exit, Failure};
use crate::language::Message;

/// The mail in a Maildir, the oldest message first.
pub struct Folder(Vec<PathBuf>);

impl Folder {
    /// Opens a Maildir to read it. Nothing in it is changed.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        let mut messages: Vec<(SystemTime, PathBuf)> = Vec::new();
        for sub in ["new", "cur"] {
            let sub = folder.join(sub);
            let entries = fs::read_dir(&sub)
                .map_err(|_| Failure::new(Exit::Usage, Message::new("read-no-maildir").with("folder", folder.display())))?;
            for entry in entries {
                let entry = entry.map_err(|error| Failure::file(&sub, &error))?;
                // A message that another program has moved meanwhile is not there any more.
                let Ok(metadata) = entry.metadata() else { continue };
                let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
                if metadata.is_file() && !is_hidden {
                    messages.push((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), entry.path()));
                }
            }
        }
        messages.sort();
        Ok(Self(messages.into_iter().map(|(_, path)| path).collect()))
    }

    fn path(&self, number: u32) -> Result<&Path, Failure> {
        let path = usize::try_from(number).ok().and_then(|number| self.0.get(number.checked_sub(1)?));
        path.map(PathBuf::as_path).ok_or_else(|| no_message(number))
    }
}

/// Returns `N` for a message that no mail program has seen, as its name and folder say.
fn mark(path: &Path) -> &'static str {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_seen = name.rsplit_once(":2,").is_some_and(|(_, flags)| flags.contains('S'));
    if is_seen { "" } else { "N" }
}

impl Mailbox for Folder {
    fn numbers(&mut self) -> Result<Vec<u32>, Failure> {
        Ok((1..).take(self.0.len()).collect())
    }

    fn rows(&mut self, numbers: &[u32]) -> Result<Vec<Row>, Failure> {
        let row = |number: &u32| {
            let path = self.path(*number)?;
            let failed = |error| Failure::file(path, &error);
            let file = File::open(path).map_err(failed)?;
            let octets = file.metadata().map_err(failed)?.len();
            let mut header = Vec::new();
            file.take(LONGEST_HEADER as u64).read_to_end(&mut header).map_err(failed)?;
            Ok(Row::of(*number, &header, Some(octets), mark(path)))
        };
        numbers.iter().map(row).collect()
    }

    fn message(&mut self, number: u32) -> Result<Vec<u8>, Failure> {
        let path = self.path(number)?;
        fs::read(path).map_err(|error| Failure::file(path, &error))
    }
}
