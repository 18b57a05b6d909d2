//! The folders of a Maildir, held open so that a symbolic link cannot redirect operations in them.
// H51, H57

use std::collections::VecDeque;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Take};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, Stat, fchown, fstat, linkat, mkdirat, open, openat, readlinkat,
    statat, unlinkat,
};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

/// The state of a folder at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// The identity of the folder, and its times in full precision.
    pub(super) text: String,
    /// The later of its times, in nanoseconds since 1970.
    pub(super) changed_at: i64,
}

/// The properties of a file that reveal a change of its contents.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    pub(super) length: u64,
    /// The time of the last change of the contents, in nanoseconds since 1970.
    pub(super) changed: i64,
}

/// An open folder.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder at `rest` in the folder `base`, component by component. Symbolic links in `rest` are followed only if
    /// they are [trusted](is_trusted).
    pub(super) fn open_beneath(base: &Path, rest: &Path) -> io::Result<Self> {
        let anywhere = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = open(base, anywhere, Mode::empty())?;
        let mut ahead: VecDeque<OsString> = components(rest);
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            match openat(&folder, &name, FOLDER, Mode::empty()) {
                Ok(next) => folder = next,
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    // The link is held open, so that the owner is checked and the target is read of one and the same link.
                    let link = openat(&folder, &name, OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty())?;
                    let stat = fstat(&link)?;
                    if FileType::from_raw_mode(stat.st_mode) != FileType::Symlink {
                        return Err(io::ErrorKind::NotADirectory.into());
                    }
                    if !is_trusted(stat.st_uid, rustix::process::geteuid().as_raw()) {
                        let what = format!(
                            "{:?} is a symbolic link of user {}; only links of root or of the server's user are followed",
                            name, stat.st_uid
                        );
                        return Err(io::Error::new(io::ErrorKind::PermissionDenied, what));
                    }
                    links += 1;
                    if links > MAX_LINKS {
                        return Err(Errno::LOOP.into());
                    }
                    let target = readlinkat(&link, "", Vec::new())?;
                    let target = Path::new(OsStr::from_bytes(target.as_bytes()));
                    if target.is_absolute() {
                        folder = open("/", anywhere, Mode::empty())?;
                    }
                    for name in components(target).into_iter().rev() {
                        ahead.push_front(name);
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self(folder))
    }

    /// Opens a folder in this one. A symbolic link in its place is an error.
    pub(super) fn sub(&self, name: &str) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, FOLDER, Mode::empty())?))
    }

    /// Opens a folder in this one, and creates it if it does not exist, accessible only to its owner.
    pub(super) fn sub_made(&self, name: &str) -> io::Result<Self> {
        match mkdirat(&self.0, name, Mode::RWXU) {
            Ok(()) => {
                self.give_to_owner(&self.sub(name)?.0);
                self.sync()?;
            }
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        self.sub(name)
    }

    /// Passes the name of each regular file in the folder to `give`. Links, folders and hidden files are skipped.
    pub(super) fn files(&self, mut give: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not report the type here.
                FileType::Unknown => match statat(&self.0, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW) {
                    Ok(stat) => FileType::from_raw_mode(stat.st_mode),
                    Err(_) => continue,
                },
                kind => kind,
            };
            if kind == FileType::RegularFile {
                give(name)?;
            }
        }
        Ok(())
    }

    /// Opens a file for reading up to its current length, so that the end is known without a further read. A link, a pipe or a
    /// device in its place is an error and does not block.
    pub(super) fn read(&self, name: &[u8]) -> io::Result<Take<File>> {
        let (file, length) = self.file(name, OFlags::RDONLY, Mode::empty())?;
        Ok(file.take(length))
    }

    /// Opens a file for locking or writing. If it does not exist, it is created, accessible only to its owner.
    pub(super) fn make(&self, name: &str, more: OFlags) -> io::Result<File> {
        let file = self.file(name.as_bytes(), OFlags::WRONLY | OFlags::CREATE | more, Mode::RUSR | Mode::WUSR)?.0;
        self.give_to_owner(&file);
        Ok(file)
    }

    /// Gives what root has created to the owner of this folder, whose other programs must be able to use it. Without the right to do so, it
    /// stays as it is.
    fn give_to_owner(&self, created: &impl AsFd) {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let given = fstat(&self.0).and_then(|folder| {
            let is = fstat(created)?;
            match (is.st_uid, is.st_gid) == (folder.st_uid, folder.st_gid) {
                true => Ok(()),
                false => fchown(created, Some(Uid::from_raw(folder.st_uid)), Some(Gid::from_raw(folder.st_gid))),
            }
        });
        if let Err(error) = given {
            tracing::debug!(%error, "a file of the Maildir does not belong to its owner");
        }
    }

    fn file(&self, name: &[u8], flags: OFlags, mode: Mode) -> io::Result<(File, u64)> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        let file = openat(&self.0, &name, flags | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC, mode)?;
        let stat = fstat(&file)?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(io::Error::other(format!("{} is not a file", OsStr::from_bytes(name.as_bytes()).display())));
        }
        Ok((File::from(file), u64::try_from(stat.st_size).unwrap_or(0)))
    }

    /// Returns the state of the folder. It stays equal while no file in the folder is created, removed or renamed.
    pub(super) fn stamp(&self) -> io::Result<Stamp> {
        let stat = fstat(&self.0)?;
        let text = format!(
            "{}:{}:{}.{:09}:{}.{:09}",
            stat.st_dev, stat.st_ino, stat.st_mtime, stat.st_mtime_nsec, stat.st_ctime, stat.st_ctime_nsec
        );
        let (seconds, fraction) = (stat.st_mtime, stat.st_mtime_nsec).max((stat.st_ctime, stat.st_ctime_nsec));
        let fraction = i64::try_from(fraction).unwrap_or(0);
        Ok(Stamp { text, changed_at: seconds.saturating_mul(1_000_000_000).saturating_add(fraction) })
    }

    /// Returns the length of a file on the disk in bytes.
    pub(super) fn length(&self, name: &[u8]) -> io::Result<u64> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stat = statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// Returns the length of a file and the time of its last change.
    pub(super) fn file_stamp(&self, name: &[u8]) -> io::Result<FileStamp> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stat = statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
        let changed = stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
        Ok(FileStamp { length: u64::try_from(stat.st_size).unwrap_or(0), changed })
    }

    /// Returns the time at which a file came into the folder, in seconds since 1970, as the later of its modification and change
    /// times: a program that copies or moves mail may preserve the modification time, but not the change time.
    pub(super) fn last_changed(&self, name: &[u8]) -> io::Result<i64> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stat = statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(stat.st_mtime.max(stat.st_ctime))
    }

    pub(super) fn remove(&self, name: &[u8]) -> io::Result<()> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        Ok(unlinkat(&self.0, &name, AtFlags::empty())?)
    }

    pub(super) fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, from, &self.0, to)?)
    }

    /// Moves a file to another folder, where it replaces no file.
    pub(super) fn move_to(&self, name: &[u8], to: &Self) -> io::Result<()> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        // Not every file system can rename without replacing; a link is as good there.
        match linkat(&self.0, &name, &to.0, &name, AtFlags::empty()) {
            // A process that died has linked it and not removed the old name.
            Err(Errno::EXIST) if is_same(&statat(&self.0, &name, STAY)?, &statat(&to.0, &name, STAY)?) => {}
            linked => linked?,
        }
        Ok(unlinkat(&self.0, &name, AtFlags::empty())?)
    }

    pub(super) fn sync(&self) -> io::Result<()> {
        match rustix::fs::fsync(&self.0).map_err(io::Error::from) {
            Err(error) if cannot_sync(&error) => Ok(()),
            result => result,
        }
    }

    /// Locks the folder itself, while it is open. Returns `false` if the file system cannot lock folders.
    pub(super) fn try_lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Err(io::ErrorKind::WouldBlock.into()),
            Err(_) => Ok(false),
        }
    }
}

/// For operations on a link itself.
const STAY: AtFlags = AtFlags::SYMLINK_NOFOLLOW;

fn is_same(one: &Stat, other: &Stat) -> bool {
    (one.st_dev, one.st_ino) == (other.st_dev, other.st_ino)
}

/// The maximum number of symbolic links in the path of one Maildir.
const MAX_LINKS: usize = 8;

/// Returns `true` if a process of user `ours` may follow a symbolic link of user `owner`: the operator has created it.
fn is_trusted(owner: u32, ours: u32) -> bool {
    owner == 0 || owner == ours
}

/// Returns the names in a path, including `..`.
fn components(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(_) | Component::ParentDir => Some(component.as_os_str().to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

/// Returns `true` if the file system reports that it cannot sync folders, or this folder: the error can then be ignored.
pub(super) fn cannot_sync(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOTTY | Errno::BADF | Errno::ROFS))
}

/// Returns `true` if the file system accepts no new file.
pub(super) fn is_unwritable(error: &io::Error) -> bool {
    use io::ErrorKind as E;
    matches!(error.kind(), E::ReadOnlyFilesystem | E::StorageFull | E::QuotaExceeded | E::PermissionDenied)
}

/// Makes a new folder at `path` survive a power cut: syncs every folder that holds a name which may be new.
pub(super) fn sync_path(path: &Path) -> io::Result<()> {
    sync_each(path, |path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let folder = openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::fsync(&folder).map_err(io::Error::from)
    })
}

/// Syncs a folder and all its parents, up to the first one without permission.
fn sync_each(path: &Path, mut sync: impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    for ancestor in path.ancestors() {
        match sync(ancestor) {
            // A folder without permission was not created by this process.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            // Some file systems cannot sync folders.
            Err(error) if cannot_sync(&error) => {}
            result => result.map_err(|error| super::path_error::about(ancestor, &error))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h43_a_new_folder_is_synced_into_all_its_parents() {
        let synced = |errno: i32| {
            let mut paths = Vec::new();
            let result = sync_each(Path::new("/srv/mail/joe"), |path| {
                paths.push(path.display().to_string());
                if path.ends_with("mail") && errno != 0 { Err(io::Error::from_raw_os_error(errno)) } else { Ok(()) }
            });
            (paths.join(" "), result.is_ok())
        };
        let all = "/srv/mail/joe /srv/mail /srv /".to_owned();
        assert_eq!(synced(0), (all.clone(), true));
        assert_eq!(synced(Errno::INVAL.raw_os_error()), (all, true), "a file system that cannot");
        let some = "/srv/mail/joe /srv/mail".to_owned();
        assert_eq!(synced(Errno::ACCESS.raw_os_error()), (some.clone(), true), "what was not made here");
        assert_eq!(synced(Errno::IO.raw_os_error()), (some, false));
    }

    #[test]
    fn h51_links_of_others_are_not_trusted() {
        assert!(is_trusted(0, 0) && is_trusted(0, 1000) && is_trusted(1000, 1000));
        assert!(!is_trusted(1000, 0) && !is_trusted(1000, 1001));
    }
}
