//! Durable delivery: write into `tmp`, sync, rename into `new`, sync the folder.
// H43

use std::io::{self, BufWriter, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memchr;
use pop3_proto::codec::WireSize;

use super::disk::{Disk, DiskFile};
use super::{Maildir, about, names};

/// A message that is being written into a [`Maildir`]. No reader sees it before it is committed; if it is dropped without a
/// commit, its file is removed.
///
/// Every CR LF is stored as LF, the line end of a Maildir; all other bytes are stored unchanged.
// H52
#[derive(Debug)]
pub struct Delivery {
    maildir: Maildir,
    name: String,
    temporary: Temporary,
    file: BufWriter<Box<dyn DiskFile>>,
    /// The last byte was a CR; the next byte decides whether it is part of a line end.
    pending_cr: bool,
    octets: u64,
    wire: WireSize,
}

/// A file in `tmp` that is removed on drop, unless it is to be kept.
#[derive(Debug)]
struct Temporary {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    keep: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // A file that cannot be removed stays in `tmp`, which readers ignore and cleaners empty.
        if !self.keep && self.disk.remove(&self.path).is_err() {
            tracing::debug!(path = %self.path.display(), "a cancelled delivery stays behind");
        }
    }
}

/// A message that is completely written into `tmp`. It survives a power cut there once [`Maildir::sync_tmp`] has succeeded. If it
/// is dropped without a commit, its file is removed.
#[derive(Debug)]
pub struct PreparedMessage {
    path: PathBuf,
    name: String,
    octets: u64,
    temporary: Temporary,
}

impl PreparedMessage {
    /// Returns the name that the message will have in `new`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the size of the message on the disk in bytes.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Makes the message visible in `new`. It survives a power cut there once [`Maildir::sync_new`] has succeeded.
    ///
    /// # Errors
    /// The file cannot be renamed. Nothing was delivered, and the file in `tmp` is removed.
    pub fn commit(mut self) -> io::Result<PathBuf> {
        self.temporary.disk.rename(&self.temporary.path, &self.path).map_err(|error| about(&self.path, &error))?;
        self.temporary.keep = true;
        Ok(self.path)
    }
}

impl Delivery {
    pub(super) fn begin(maildir: Maildir) -> io::Result<Self> {
        let name = names::unique();
        let path = maildir.root.join("tmp").join(&name);
        let file = maildir.disk.create(&path).map_err(|error| about(&path, &error))?;
        let disk = Arc::clone(&maildir.disk);
        Ok(Self {
            maildir,
            name,
            temporary: Temporary { disk, path, keep: false },
            file: BufWriter::with_capacity(64 * 1024, file),
            pending_cr: false,
            octets: 0,
            wire: WireSize::new(),
        })
    }

    /// Appends a piece of the message as it was received.
    ///
    /// # Errors
    /// The disk refuses the piece. Drop the delivery.
    pub fn write(&mut self, mut wire: &[u8]) -> io::Result<()> {
        if self.pending_cr && !wire.is_empty() {
            self.pending_cr = false;
            if !wire.starts_with(b"\n") {
                self.put(b"\r")?;
            }
        }
        while let Some(at) = memchr(b'\r', wire) {
            match wire.get(at + 1) {
                Some(b'\n') => self.put(&wire[..at])?,
                Some(_) => self.put(&wire[..=at])?,
                None => {
                    self.pending_cr = true;
                    return self.put(&wire[..at]);
                }
            }
            wire = &wire[at + 1..];
        }
        self.put(wire)
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.wire.add(bytes);
        self.octets += bytes.len() as u64;
        self.file.write_all(bytes)
    }

    /// Writes the message out and leaves it in `tmp`, invisible. Once [`Maildir::sync_tmp`] has succeeded, the message survives a
    /// power cut there, and [`Maildir::complete`] can make it visible by its name.
    ///
    /// # Errors
    /// The message cannot be written or synced. Nothing was delivered, and the file in `tmp` is removed. A failed sync is never
    /// repeated.
    // H45
    pub fn prepare(mut self) -> io::Result<PreparedMessage> {
        self.write_out()?;
        // If the file system can sync many files with one call, `sync_tmp` does so.
        if self.maildir.at_once.is_none() {
            self.file.get_ref().sync()?;
        }
        Ok(self.prepared())
    }

    fn write_out(&mut self) -> io::Result<()> {
        if mem::take(&mut self.pending_cr) {
            self.put(b"\r")?;
        }
        self.file.flush()
    }

    fn prepared(self) -> PreparedMessage {
        // Sizes in the name, in the format of Dovecot, save later readers the counting.
        let name = format!("{},S={},W={}", self.name, self.octets, self.wire.octets());
        PreparedMessage { path: self.maildir.root.join("new").join(&name), name, octets: self.octets, temporary: self.temporary }
    }

    /// Writes the message to the disk and makes it visible in `new`. It survives a power cut there once [`Maildir::sync_new`] has
    /// succeeded.
    ///
    /// # Errors
    /// The message cannot be written, synced or renamed. Nothing was delivered, and the file in `tmp` is removed.
    pub fn commit(mut self) -> io::Result<PathBuf> {
        self.write_out()?;
        self.file.get_ref().sync()?;
        self.prepared().commit()
    }

    /// [Commits](Self::commit) one message and makes it survive a power cut.
    ///
    /// # Errors
    /// The message cannot be committed, so nothing was delivered; or the folder cannot be synced, so the delivered message may
    /// not survive a power cut.
    pub fn finish(self) -> io::Result<PathBuf> {
        let maildir = self.maildir.clone();
        let path = self.commit()?;
        maildir.sync_new()?;
        Ok(path)
    }

    /// Returns the size of the message written so far, in octets on the wire.
    pub const fn wire_octets(&self) -> u64 {
        self.wire.octets()
    }

    /// Returns the path of the file in `tmp`.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary.path
    }
}
