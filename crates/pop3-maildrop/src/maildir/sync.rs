//! Makes what was written survive a power cut.

use std::fs::File;
use std::io;
use std::path::Path;
#[cfg(target_os = "linux")]
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use super::about;
use super::disk::BatchSync;

/// Makes the names in a folder survive.
pub(super) fn folder(path: &Path) -> io::Result<()> {
    match File::open(path)?.sync_all() {
        // A file system that has no such thing for folders.
        Err(error) if super::folder::cannot_sync(&error) => Ok(()),
        result => result.map_err(|error| about(path, &error)),
    }
}

/// A file system that can make all that was written to it survive with one call, and tells if it could not.
///
/// It is held open from before the first write: an error is told to whoever had the file system open when it happened, and told once.
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
    /// Linux tells errors here since 5.8. Of file systems those that are known to do it right: others, as those of a network or
    /// those that programs provide, may say that all is done and do nothing.
    pub(super) fn of(path: &Path) -> Option<Self> {
        const EXT: u64 = 0xEF53;
        const XFS: u64 = 0x5846_5342;
        const BTRFS: u64 = 0x9123_683E;
        const F2FS: u64 = 0xF2F5_2010;
        let release = rustix::system::uname().release().to_string_lossy().into_owned();
        let folder = File::open(path).ok()?;
        let kind = rustix::fs::fstatfs(&folder).ok()?.f_type;
        let known = [EXT, XFS, BTRFS, F2FS].contains(&u64::try_from(kind).ok()?);
        (known && tells_errors(&release)).then(|| Self(Arc::new(Held { folder, failed: AtomicBool::new(false) })))
    }

    fn sync_whole(&self) -> io::Result<()> {
        // What was lost is lost, whatever the next call says (H45).
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
fn tells_errors(release: &str) -> bool {
    let mut numbers = release.split(['.', '-']).map_while(|number| number.parse::<u32>().ok());
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 8)
}

/// Elsewhere each file is made to survive by itself.
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
            assert_eq!(tells_errors(release), tells, "{release}");
        }
    }
}
