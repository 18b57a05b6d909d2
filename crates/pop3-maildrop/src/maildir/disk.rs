//! The file system through which mail is delivered: that of the operating system, or one in which a test injects failures.
//!
//! ```
//! use std::sync::Arc;
//! use pop3_maildrop::Maildir;
//! use pop3_maildrop::maildir::disk::SystemDisk;
//! let folder = tempfile::tempdir()?;
//! let maildir = Maildir::create_on(Arc::new(SystemDisk), folder.path().join("Maildir"))?;
//! assert!(maildir.disk().is_folder(&maildir.path().join("new"))?);
//! # Ok::<(), std::io::Error>(())
//! ```
// H46

use std::ffi::OsString;
use std::fmt::Debug;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use super::path_error::about;
pub use super::sync::BatchSync;
use super::{folder, sync};

/// A file that is written from its beginning to its end, or appended to.
pub trait DiskFile: Write + Debug + Send + Sync {
    /// Makes the contents and the metadata of the file survive a power cut.
    ///
    /// # Errors
    /// The sync failed, so data may be lost. Another attempt may seem to succeed.
    // H45
    fn sync(&self) -> io::Result<()>;

    /// Makes the contents and the length of the file survive a power cut.
    ///
    /// # Errors
    /// The sync failed; see [`sync`](Self::sync).
    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }
}

/// A lock that is held until it is dropped.
pub trait Lock: Debug + Send + Sync {}

impl Lock for File {}

/// Operations on files and folders by their paths. Opening a symbolic link in the place of a file is an error, and new files and
/// folders are accessible only to their owner.
// H51, H58
pub trait Disk: Debug + Send + Sync {
    /// Creates a folder and its missing parents. The folder may exist already.
    ///
    /// # Errors
    /// The folder cannot be created.
    fn make_folder(&self, path: &Path) -> io::Result<()>;

    /// Returns `true` if the path is a folder.
    ///
    /// # Errors
    /// The path does not exist, or it cannot be examined.
    fn is_folder(&self, path: &Path) -> io::Result<bool>;

    /// Creates a file that must not exist.
    ///
    /// # Errors
    /// The file exists, or it cannot be created.
    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Opens a file for appending, and creates it if it does not exist.
    ///
    /// # Errors
    /// The file cannot be opened.
    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>>;

    /// Returns the contents of a file.
    ///
    /// # Errors
    /// The file does not exist, or it cannot be read.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// Locks a file, and creates it if it does not exist.
    ///
    /// # Errors
    /// The lock is held already ([`io::ErrorKind::WouldBlock`]), or the file cannot be opened.
    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>>;

    /// Renames a file in one step. A file that has the new name is replaced.
    ///
    /// # Errors
    /// The file does not exist, or it cannot be renamed.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// The file does not exist, or it cannot be removed.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Returns the names in a folder.
    ///
    /// # Errors
    /// The folder cannot be read.
    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>>;

    /// Makes the names in a folder survive a power cut.
    ///
    /// # Errors
    /// The sync failed; see [`DiskFile::sync`].
    fn sync_folder(&self, path: &Path) -> io::Result<()>;

    /// Makes a folder that may be new survive a power cut: syncs the folder and its parents, which hold the names.
    ///
    /// # Errors
    /// The sync failed; see [`DiskFile::sync`].
    fn sync_path(&self, path: &Path) -> io::Result<()>;

    /// Returns the file system at `root` if it can sync many files with one call.
    fn at_once(&self, root: &Path) -> Option<Arc<dyn BatchSync>>;
}

/// The file system of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

const NO_LINK: i32 = rustix::fs::OFlags::NOFOLLOW.bits().cast_signed();

/// Returns options for files that only their owner can access and that are no symbolic links.
// H51, H58
fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.mode(0o600).custom_flags(NO_LINK);
    options
}

impl DiskFile for File {
    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }
}

impl Disk for SystemDisk {
    fn make_folder(&self, path: &Path) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(|error| about(path, &error))
    }

    fn is_folder(&self, path: &Path) -> io::Result<bool> {
        Ok(fs::metadata(path).map_err(|error| about(path, &error))?.is_dir())
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        // `create_new` is O_EXCL: an existing file or a symbolic link is never written to (H51).
        Ok(Box::new(private().write(true).create_new(true).open(path)?))
    }

    fn append(&self, path: &Path) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(private().create(true).append(true).open(path)?))
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        io::Read::read_to_end(&mut private().read(true).open(path)?, &mut text)?;
        Ok(text)
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let file = private().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Vec<OsString>> {
        let entries = fs::read_dir(folder).map_err(|error| about(folder, &error))?;
        entries.map(|entry| Ok(entry?.file_name())).collect()
    }

    fn sync_folder(&self, path: &Path) -> io::Result<()> {
        sync::folder(path)
    }

    fn sync_path(&self, path: &Path) -> io::Result<()> {
        folder::sync_path(path)
    }

    fn at_once(&self, root: &Path) -> Option<Arc<dyn BatchSync>> {
        sync::AtOnce::of(root).map(|at_once| Arc::new(at_once) as Arc<dyn BatchSync>)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind<T>(result: io::Result<T>) -> Option<io::ErrorKind> {
        result.err().map(|error| error.kind())
    }

    #[test]
    fn h45_h51_h58_the_disk_of_the_system_does_what_it_says() {
        let folder = tempfile::tempdir().unwrap();
        let [a, b, link, none] = ["a", "b", "link", "none"].map(|name| folder.path().join(name));
        let disk = SystemDisk;
        let mut file = disk.create(&a).unwrap();
        file.write_all(b"one").unwrap();
        file.sync().unwrap();
        disk.append(&a).unwrap().write_all(b", two").unwrap();
        assert_eq!(disk.read(&a).unwrap(), b"one, two");
        let mode = |path: &Path| std::os::unix::fs::PermissionsExt::mode(&fs::metadata(path).unwrap().permissions()) & 0o777;
        assert_eq!(mode(&a), 0o600, "h58");
        assert_eq!(kind(disk.create(&a)), Some(io::ErrorKind::AlreadyExists));
        std::os::unix::fs::symlink(&a, &link).unwrap();
        assert!(disk.create(&link).is_err() && disk.append(&link).is_err() && disk.read(&link).is_err());
        assert!(disk.is_folder(folder.path()).unwrap() && !disk.is_folder(&a).unwrap() && disk.is_folder(&none).is_err());
        disk.rename(&a, &b).unwrap();
        let mut names = disk.names(folder.path()).unwrap();
        names.sort();
        assert_eq!(names, ["b", "link"]);
        disk.remove(&link).unwrap();
        assert_eq!(kind(disk.remove(&link)), Some(io::ErrorKind::NotFound));
        let lock = disk.lock(&b).unwrap();
        assert_eq!(kind(disk.lock(&b)), Some(io::ErrorKind::WouldBlock));
        drop(lock);
        disk.lock(&b).unwrap();
        disk.sync_folder(folder.path()).unwrap();
        disk.sync_path(folder.path()).unwrap();
    }

    #[test]
    fn h45_a_failed_sync_is_reported() {
        // A device that is no disk cannot be synced.
        let null = || OpenOptions::new().write(true).open("/dev/null").unwrap();
        assert!(DiskFile::sync(&null()).is_err() && DiskFile::sync_data(&null()).is_err());
        let none = Path::new("/none");
        assert!(SystemDisk.sync_folder(none).is_err() && SystemDisk.sync_path(none).is_err());
        // A file system that cannot sync folders has nothing to sync.
        let sys = Path::new("/proc/sys");
        SystemDisk.sync_folder(sys).unwrap();
        SystemDisk.sync_path(sys).unwrap();
        let folder = folder::Folder::open_beneath(Path::new("/"), Path::new("proc/sys")).unwrap();
        folder.sync().unwrap();
        for (code, cannot) in [(22, true), (95, true), (5, false), (28, false)] {
            assert_eq!(folder::cannot_sync(&io::Error::from_raw_os_error(code)), cannot, "errno {code}");
        }
        assert!(folder.length(b"kernel").is_ok() && folder.length(b"none").is_err());
    }
}
