//! Syncs that make written data survive a power cut.

use std::fmt::Debug;
use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::path_error::about;

/// A file system that can make all data written to it survive a power cut with one call.
pub trait BatchSync: Debug + Send + Sync {
    /// Makes all written data survive a power cut.
    ///
    /// # Errors
    /// The sync failed; see [`DiskFile::sync`](super::disk::DiskFile::sync). After a failure, every later call fails, too.
    fn sync(&self) -> io::Result<()>;
}

/// Makes the names in a folder survive a power cut.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // The file system cannot sync folders.
        Err(error) if super::folder::cannot_sync(&error) => Ok(()),
        result => result.map_err(|error| about(path, &error)),
    }
}

/// A file system that can sync all data written to it with one call, and that reports a failure.
///
/// It is held open from before the first write: Linux reports an error once, to each descriptor that was open when the error
/// happened.
#[cfg(target_os = "linux")]
#[derive(Clone, Debug)]
pub(super) struct AtOnce(Arc<Held>);

#[cfg(target_os = "linux")]
#[derive(Debug)]
struct Held {
    folder: File,
    failed: AtomicBool,
}

#[cfg(target_os = "linux")]
impl AtOnce {
    /// Returns the file system at `path` if it is known to report errors. Linux reports them here since 5.8. Other file systems,
    /// such as network file systems or those of user programs, may report success without a sync.
    pub(super) fn of(path: &Path) -> Option<Self> {
        const EXT: u64 = 0xEF53;
        const XFS: u64 = 0x5846_5342;
        const BTRFS: u64 = 0x9123_683E;
        const F2FS: u64 = 0xF2F5_2010;
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let folder = File::open(path).ok()?;
        let kind = rustix::fs::fstatfs(&folder).ok()?.f_type;
        let known = [EXT, XFS, BTRFS, F2FS].contains(&u64::try_from(kind).ok()?);
        (known && reports_sync_errors(&release)).then(|| Self(Arc::new(Held { folder, failed: AtomicBool::new(false) })))
    }

    fn sync_whole(&self) -> io::Result<()> {
        // Lost data stays lost, even if the next call succeeds (H45).
        if self.0.failed.load(Ordering::Acquire) {
            return Err(io::Error::other("an earlier sync has failed"));
        }
        rustix::fs::syncfs(&self.0.folder).map_err(|error| {
            self.0.failed.store(true, Ordering::Release);
            error.into()
        })
    }
}

impl BatchSync for AtOnce {
    fn sync(&self) -> io::Result<()> {
        self.sync_whole()
    }
}

#[cfg(target_os = "linux")]
fn reports_sync_errors(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 8)
}

/// On other systems each file is synced by itself.
#[cfg(not(target_os = "linux"))]
#[derive(Clone, Debug)]
pub(super) enum AtOnce {}

#[cfg(not(target_os = "linux"))]
impl AtOnce {
    pub(super) fn of(_: &Path) -> Option<Self> {
        None
    }

    fn sync_whole(&self) -> io::Result<()> {
        match *self {}
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn h45_behind_a_sync_that_failed_none_succeeds() {
        let folder = tempfile::tempdir().unwrap();
        let held = |failed: bool| AtOnce(Arc::new(Held { folder: File::open(folder.path()).unwrap(), failed: failed.into() }));
        held(false).sync().unwrap();
        held(true).sync().unwrap_err();
    }

    #[test]
    fn h45_kernels_that_keep_errors_to_themselves_are_not_asked() {
        for (release, tells) in [
            ("6.18.44", true),
            ("5.10.0-28-amd64", true),
            ("5.8.0", true),
            ("5.7.19", false),
            ("4.19.0", false),
            ("odd", false),
            ("5", false),
        ] {
            assert_eq!(reports_sync_errors(release), tells, "{release}");
        }
    }
}
