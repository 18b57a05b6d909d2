//! Durable delivery: `tmp`, sync, rename into `new`, sync of the folder (H43).

use std::io::{self, BufWriter, Write};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use memchr::memchr;
use pop3_proto::codec::WireSize;

use super::disk::{Disk, DiskFile};
use super::{Maildir, about, names};

/// A message on its way into a [`Maildir`]. Until it is committed no reader sees it; dropped before that, nothing stays.
///
/// Every CR LF becomes LF, as mail lies in a Maildir; all other bytes stay as they came (H52).
#[derive(Debug)]
pub struct Delivery {
    maildir: Maildir,
    name: String,
    temporary: Temporary,
    file: BufWriter<Box<dyn DiskFile>>,
    /// The last byte was a CR; what it is depends on the next one.
    pending_cr: bool,
    octets: u64,
    wire: WireSize,
}

/// A file in `tmp` that goes away with its owner.
#[derive(Debug)]
struct Temporary {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    keep: bool,
}

impl Drop for Temporary {
    fn drop(&mut self) {
        // If it cannot be removed it stays in `tmp`, where no reader looks and cleaners do.
        if !self.keep && self.disk.remove(&self.path).is_err() {
            tracing::debug!(path = %self.path.display(), "a cancelled delivery stays behind");
        }
    }
}

/// A message that is in `tmp`, and on the disk once [`Maildir::sync_tmp`] is done; dropped before it is committed, nothing stays.
#[derive(Debug)]
pub struct Prepared {
    path: PathBuf,
    name: String,
    octets: u64,
    temporary: Temporary,
}

impl Prepared {
    /// The name that it will have in `new`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its octets on the disk.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Makes it visible in `new`. That survives a power cut once [`Maildir::sync`] is done.
    ///
    /// # Errors
    /// The disk did not take it. Nothing was delivered.
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

    /// Appends a piece of the message as it came over the wire.
    ///
    /// # Errors
    /// The disk does not take it: drop the delivery.
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

    /// Writes the message out, and leaves it in `tmp` for now. Once [`Maildir::sync_tmp`] is done it survives a power cut there, and
    /// [`Maildir::complete`] can make it visible by its name.
    ///
    /// # Errors
    /// The disk did not take it. Nothing was delivered; a failed sync is never tried again (H45).
    pub fn prepare(mut self) -> io::Result<Prepared> {
        self.write_out()?;
        // Where the file system can sync many files at once, it does so in `sync_tmp`.
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

    fn prepared(self) -> Prepared {
        // The sizes in the name, as Dovecot has them, spare every later reader the counting.
        let name = format!("{},S={},W={}", self.name, self.octets, self.wire.octets());
        Prepared { path: self.maildir.root.join("new").join(&name), name, octets: self.octets, temporary: self.temporary }
    }

    /// Writes the message to the disk and makes it visible in `new`. It survives a power cut once [`Maildir::sync`] is done.
    ///
    /// # Errors
    /// The disk did not take it. Nothing was delivered.
    pub fn commit(mut self) -> io::Result<PathBuf> {
        self.write_out()?;
        self.file.get_ref().sync()?;
        self.prepared().commit()
    }

    /// [Commits](Self::commit) one message and makes it survive a power cut.
    ///
    /// # Errors
    /// The disk did not take it.
    pub fn finish(self) -> io::Result<PathBuf> {
        let maildir = self.maildir.clone();
        let path = self.commit()?;
        maildir.sync()?;
        Ok(path)
    }

    /// What the message weighs on the wire so far.
    pub const fn wire_octets(&self) -> u64 {
        self.wire.octets()
    }

    /// Where the message is being written.
    pub fn temporary_path(&self) -> &Path {
        &self.temporary.path
    }
}
