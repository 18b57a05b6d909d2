//! The notes about which destinations have a message already, while others do not.

use std::collections::HashSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;

use super::spool::{Spool, Spooled, sync_folder};

/// The notes of one spool: a file of lines, each the name of a message and a destination.
pub struct Progress {
    path: PathBuf,
    noted: HashSet<String>,
    file: Option<File>,
}

impl Progress {
    /// Reads the notes.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(spool: &Spool) -> io::Result<Self> {
        let path = spool.path().join("pop3-delivered");
        let text = match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            text => text?,
        };
        // A last line without its end is half a note: the step that it is about was not finished.
        let complete = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |end| &text[..=end]);
        let noted = String::from_utf8_lossy(complete).lines().map(str::to_owned).collect();
        if complete.len() < text.len() {
            OpenOptions::new().write(true).open(&path)?.set_len(complete.len() as u64)?;
        }
        Ok(Self { path, noted, file: None })
    }

    /// Returns `true` if the destination has the message.
    pub fn has(&self, message: &Spooled, place: &str) -> bool {
        self.noted.contains(&line(message, place))
    }

    /// Notes that a destination has a message. When this returns, the note is on the disk.
    ///
    /// # Errors
    /// The disk does not take the note.
    pub fn note(&mut self, message: &Spooled, place: &str) -> io::Result<()> {
        let line = line(message, place);
        let file = match &mut self.file {
            Some(file) => file,
            None => {
                let file = OpenOptions::new().create(true).append(true).open(&self.path)?;
                sync_folder(self.path.parent().unwrap_or(&self.path))?;
                self.file.insert(file)
            }
        };
        file.write_all(format!("{line}\n").as_bytes())?;
        file.sync_data()?;
        self.noted.insert(line);
        Ok(())
    }

    /// Ends the notes. If no message waits, they are removed.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn close(self, is_empty: bool) -> io::Result<()> {
        match is_empty.then(|| fs::remove_file(&self.path)) {
            Some(Err(error)) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn line(message: &Spooled, place: &str) -> String {
    format!("{} {}", message.name, place.replace(['\n', '\r'], " "))
}
