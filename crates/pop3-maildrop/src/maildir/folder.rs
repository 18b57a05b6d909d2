//! The folders of a Maildir, held open: what is done in them cannot be led elsewhere by a symbolic link (H51, H57).

use std::collections::VecDeque;
use std::ffi::{CString, OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Take};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use rustix::fs::{AtFlags, CWD, Dir, FileType, FlockOperation, Mode, OFlags, fstat, open, openat, readlinkat, statat, unlinkat};
use rustix::io::Errno;

/// How a folder was at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    /// Which folder it is, and its times to the last digit.
    pub(super) text: String,
    /// The later of its times, in nanoseconds since 1970.
    pub(super) changed_at: i64,
}

/// A file as far as a change of its contents shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FileStamp {
    pub(super) length: u64,
    /// When its contents changed, in nanoseconds since 1970.
    pub(super) changed: i64,
}

/// A folder that is open.
#[derive(Debug)]
pub(super) struct Folder(OwnedFd);

const FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

impl Folder {
    /// Opens the folder at `rest` in the folder `base`, component by component. Symbolic links in `rest` are followed only if they are
    /// [trusted](is_trusted).
    pub(super) fn open_beneath(base: &Path, rest: &Path) -> io::Result<Self> {
        let anywhere = OFlags::DIRECTORY | OFlags::CLOEXEC;
        let mut folder = open(base, anywhere, Mode::empty())?;
        let mut ahead: VecDeque<OsString> = components(rest);
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            match openat(&folder, &name, FOLDER, Mode::empty()) {
                Ok(next) => folder = next,
                Err(Errno::NOTDIR | Errno::LOOP) => {
                    // Held open, so that the link whose owner is checked is the one that is read.
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

    /// Opens a folder in this one, with the same rule.
    pub(super) fn sub(&self, name: &str) -> io::Result<Self> {
        Ok(Self(openat(&self.0, name, FOLDER, Mode::empty())?))
    }

    /// Gives the names of the files in it that are files: no links, no folders, nothing hidden.
    pub(super) fn files(&self, mut give: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        for entry in Dir::read_from(&self.0)? {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            if name.starts_with(b".") {
                continue;
            }
            let kind = match entry.file_type() {
                // Some file systems do not tell here.
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

    /// Opens a file to read, as long as it is now: who has read so much need not ask whether there is more. A link, a pipe or a
    /// device in its place is an error and no wait.
    pub(super) fn read(&self, name: &[u8]) -> io::Result<Take<File>> {
        let (file, length) = self.file(name, OFlags::RDONLY, Mode::empty())?;
        Ok(file.take(length))
    }

    /// Opens a file to lock or to write, made for its owner alone if it is not there.
    pub(super) fn make(&self, name: &str, more: OFlags) -> io::Result<File> {
        Ok(self.file(name.as_bytes(), OFlags::WRONLY | OFlags::CREATE | more, Mode::RUSR | Mode::WUSR)?.0)
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

    /// How it is: as long as nothing is made, removed or renamed in it, the same.
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

    /// The length of a file as it lies on the disk.
    pub(super) fn length(&self, name: &[u8]) -> io::Result<u64> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stat = statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        Ok(u64::try_from(stat.st_size).unwrap_or(0))
    }

    /// The length of a file, and when it changed.
    pub(super) fn file_stamp(&self, name: &[u8]) -> io::Result<FileStamp> {
        let name = CString::new(name).map_err(|_| io::ErrorKind::InvalidInput)?;
        let stat = statat(&self.0, &name, AtFlags::SYMLINK_NOFOLLOW)?;
        let nanoseconds = i64::try_from(stat.st_mtime_nsec).unwrap_or(0);
        let changed = stat.st_mtime.saturating_mul(1_000_000_000).saturating_add(nanoseconds);
        Ok(FileStamp { length: u64::try_from(stat.st_size).unwrap_or(0), changed })
    }

    /// Since when a file is here, in seconds since 1970, as far as can be told: whoever copies or moves mail may keep the time at
    /// which it was written, but not that of the change.
    pub(super) fn here_since(&self, name: &[u8]) -> io::Result<i64> {
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

    pub(super) fn sync(&self) -> io::Result<()> {
        match rustix::fs::fsync(&self.0).map_err(io::Error::from) {
            Err(error) if cannot_sync(&error) => Ok(()),
            result => result,
        }
    }

    /// Locks the folder itself, for as long as it is open. `false`: this file system cannot lock folders.
    pub(super) fn try_lock(&self) -> io::Result<bool> {
        match rustix::fs::flock(&self.0, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(true),
            Err(Errno::WOULDBLOCK) => Err(io::ErrorKind::WouldBlock.into()),
            Err(_) => Ok(false),
        }
    }
}

/// Links on the way to one Maildir.
const MAX_LINKS: usize = 8;

/// Whether a symbolic link of user `owner` may be followed by a process of user `ours`: one that the operator has made.
fn is_trusted(owner: u32, ours: u32) -> bool {
    owner == 0 || owner == ours
}

/// The names in a path, `..` among them.
fn components(path: &Path) -> VecDeque<OsString> {
    let name = |component: Component<'_>| match component {
        Component::Normal(_) | Component::ParentDir => Some(component.as_os_str().to_owned()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(name).collect()
}

/// Whether a file system says that it cannot sync folders, or this one: then there is nothing to wait for.
pub(super) fn cannot_sync(error: &io::Error) -> bool {
    let code = error.raw_os_error().map(Errno::from_raw_os_error);
    matches!(code, Some(Errno::INVAL | Errno::OPNOTSUPP | Errno::NOSYS | Errno::NOTTY | Errno::BADF | Errno::ROFS))
}

/// Makes what was made at `path` survive a power cut: every folder that holds a name which may be new.
pub(super) fn sync_path(path: &Path) -> io::Result<()> {
    sync_each(path, |path| {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let folder = openat(CWD, path, OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::fsync(&folder).map_err(io::Error::from)
    })
}

/// Syncs a folder and all above it, as far as they may be synced.
fn sync_each(path: &Path, mut sync: impl FnMut(&Path) -> io::Result<()>) -> io::Result<()> {
    for ancestor in path.ancestors() {
        match sync(ancestor) {
            // What is not ours to sync was not made by us.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => break,
            // Some file systems have no such thing for folders.
            Err(error) if cannot_sync(&error) => {}
            result => result.map_err(|error| super::about(ancestor, &error))?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h43_what_is_new_is_synced_into_all_folders_above_it() {
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
