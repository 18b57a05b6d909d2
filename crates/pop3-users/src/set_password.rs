//! Changes the password of a user in the file of users.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use pop3_proto::Secret;

use crate::file_format::{FileFormat, is_safe_name, split};
use crate::password_hash::{HashError, hash};

/// The reason why a password was not set. The file is unchanged then.
#[derive(Debug, thiserror::Error)]
pub enum SetPasswordError {
    /// The name is not safe; see [`is_safe_name`](crate::is_safe_name).
    #[error("{0:?} cannot be the name of a user")]
    Name(String),
    /// The password cannot be hashed.
    #[error(transparent)]
    Password(#[from] HashError),
    /// The file cannot be read or written.
    #[error("the file of users cannot be changed: {0}")]
    File(io::Error),
}

/// Sets the password of a user in a file, as an argon2 hash. If the file does not exist, creates it, accessible only to its owner. Other
/// lines stay unchanged.
///
/// # Errors
/// Fails if the name is not safe, if the password is empty, or if the file cannot be read or written.
pub fn set_password(file: &Path, name: &str, password: &Secret) -> Result<(), SetPasswordError> {
    set_stored(file, FileFormat::Own, name, &hash(password.expose())?)
}

/// Sets what is stored for a user in a file, for example what [`hash`] or [`scram_keys`](crate::scram_keys) returns. Other lines stay
/// unchanged, and in [`FileFormat::Dovecot`] the other fields of the user's line.
///
/// # Errors
/// Fails if the name is not safe, or if the file cannot be read or written.
pub fn set_stored(file: &Path, format: FileFormat, name: &str, stored: &str) -> Result<(), SetPasswordError> {
    if !is_safe_name(name) {
        return Err(SetPasswordError::Name(name.to_owned()));
    }
    // A symbolic link stays, and the file that it points to is changed.
    let target = if file.is_symlink() { fs::canonicalize(file) } else { Ok(file.to_owned()) };
    target.and_then(|target| replace_line(&target, format, name, stored)).map_err(SetPasswordError::File)
}

fn replace_line(file: &Path, format: FileFormat, name: &str, stored: &str) -> io::Result<()> {
    // Two concurrent runs must not overwrite each other's change.
    let _lock = lock(file)?;
    let old = match fs::read(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    write(file, &with_user(&old, format, name, stored))
}

/// Returns the text of the file with one line in place of all lines of the user.
fn with_user(old: &[u8], format: FileFormat, name: &str, stored: &str) -> Vec<u8> {
    let mut text = Vec::with_capacity(old.len() + name.len() + stored.len() + 2);
    let mut fields: &[u8] = b"";
    for line in old.split_inclusive(|byte| *byte == b'\n') {
        match split(line) {
            Some((other, rest)) if other == name.as_bytes() => {
                let at = rest.iter().position(|byte| *byte == b':');
                if let (FileFormat::Dovecot, Some(at)) = (format, at) {
                    fields = rest.get(at..).unwrap_or_default();
                }
            }
            _ => text.extend_from_slice(line),
        }
    }
    if !text.is_empty() && !text.ends_with(b"\n") {
        text.push(b'\n');
    }
    let fields = fields.strip_suffix(b"\n").unwrap_or(fields);
    let fields = fields.strip_suffix(b"\r").unwrap_or(fields);
    for part in [name.as_bytes(), b":", stored.as_bytes(), fields, b"\n"] {
        text.extend_from_slice(part);
    }
    text
}

/// Locks the file of users: with a lock file beside it, or with the file itself if no lock file can be created.
fn lock(file: &Path) -> io::Result<File> {
    let mut name = file.to_owned().into_os_string();
    name.push(".lock");
    let beside = OpenOptions::new().create(true).truncate(false).write(true).open(PathBuf::from(name));
    let lock = match beside {
        Ok(lock) => lock,
        Err(error) => OpenOptions::new().read(true).write(true).open(file).map_err(|_| error)?,
    };
    lock.lock()?;
    Ok(lock)
}

/// Replaces the file. A new file is accessible only to its owner; an existing file keeps its owner, group and mode.
///
/// A file that cannot be replaced, for example because it is mounted into a container or because its owner cannot be kept, is
/// overwritten in place.
// H58
fn write(file: &Path, text: &[u8]) -> io::Result<()> {
    match replace(file, text) {
        Err(error) if file.exists() => {
            tracing::debug!(%error, "the file of users is overwritten in place");
            in_place(file, text)
        }
        result => result,
    }
}

fn replace(file: &Path, text: &[u8]) -> io::Result<()> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new =
        tempfile::Builder::new().prefix(".pop3-users").tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    if let Ok(old) = fs::metadata(file) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt, fchown};
            let is = new.as_file().metadata()?;
            if (is.uid(), is.gid()) != (old.uid(), old.gid()) {
                fchown(new.as_file(), Some(old.uid()), Some(old.gid()))?;
            }
        }
        // The mode is set after the owner, because a change of the owner clears mode bits.
        new.as_file().set_permissions(old.permissions())?;
    }
    new.write_all(text)?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

fn in_place(file: &Path, text: &[u8]) -> io::Result<()> {
    // A power cut during the write can leave half a file, but for a file that cannot be replaced there is no better way.
    let mut file = OpenOptions::new().write(true).open(file)?;
    file.write_all(text)?;
    file.set_len(text.len() as u64)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_other_users_stay_unchanged() {
        let old = b"# comment\r\nann:{PLAIN}x\njoe:old\nm\xfcller:{PLAIN}\xff\njoe:older";
        let with_user = |old, stored| with_user(old, FileFormat::Own, "joe", stored);
        assert_eq!(with_user(old, "new"), b"# comment\r\nann:{PLAIN}x\nm\xfcller:{PLAIN}\xff\njoe:new\n");
        assert_eq!(with_user(b"", "new"), b"joe:new\n");
        assert_eq!(with_user(b"joey:x", "new"), b"joey:x\njoe:new\n");
    }

    #[test]
    fn the_other_fields_of_a_line_of_dovecot_stay() {
        let with_user = |old: &[u8]| with_user(old, FileFormat::Dovecot, "joe", "new");
        assert_eq!(with_user(b"joe:old:1:2::/home/joe::x=y z\r\nann:x::\n"), b"ann:x::\njoe:new:1:2::/home/joe::x=y z\n");
        assert_eq!(with_user(b"joe:old"), b"joe:new\n");
        assert_eq!(with_user(b""), b"joe:new\n");
    }

    #[test]
    fn h58_a_new_file_is_for_its_owner_alone_and_an_old_one_keeps_its_mode() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        write(&file, b"a\n").unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        write(&file, b"b\n").unwrap();
        assert_eq!((mode(), fs::read(&file).unwrap()), (0o640, b"b\n".to_vec()));
        in_place(&file, b"c\n").unwrap();
        assert_eq!((mode(), fs::read(&file).unwrap()), (0o640, b"c\n".to_vec()));
    }
}
