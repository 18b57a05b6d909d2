//! The users in a file, and the verification of their passwords.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use pop3_maildrop::LoginError;
use pop3_proto::Secret;

use crate::file_format::{Stored, parse};
use crate::hash_pool::Memory;
use crate::password_hash::{PLAIN, hash, verify};

/// Time for which the last contents of the file are used once it has become unreadable.
const STALE: Duration = Duration::from_secs(60);

/// The users in a file, which is read again when it has changed.
#[derive(Debug)]
pub struct Users {
    file: PathBuf,
    loaded: Mutex<Loaded>,
    /// A hash that is compared with the password of an unknown user, so that an unknown user costs as much as a known one.
    // H54
    decoy_hash: String,
    fold_case: bool,
}

#[derive(Clone, Debug)]
struct Loaded {
    stamp: Option<(SystemTime, u64, u64)>,
    users: Arc<Stored>,
    /// The time since which the file has been unreadable, if it is.
    unreadable: Option<Instant>,
}

impl Users {
    /// Reads the file. With `fold_case`, names match without regard to the case of ASCII letters.
    ///
    /// # Errors
    /// Fails if the file cannot be read. A malformed line is not an error: it is ignored, with a warning in the log.
    pub fn load(file: &Path, fold_case: bool) -> io::Result<Self> {
        let loaded = read(file, fold_case)?;
        let decoy_hash = hash(b"a password that is never compared").map_err(io::Error::other)?;
        Ok(Self { file: file.to_owned(), loaded: Mutex::new(loaded), decoy_hash, fold_case })
    }

    /// Returns the number of users.
    pub fn count(&self) -> usize {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).users.len()
    }

    /// Returns a name in the form that is looked up in the file and that names the user's Maildir.
    pub fn normalized(&self, name: &[u8]) -> Vec<u8> {
        if self.fold_case { name.to_ascii_lowercase() } else { name.to_vec() }
    }

    /// Verifies a password. The call may block; it takes as long for an unknown user as for a known one.
    ///
    /// # Errors
    /// Fails if the name or the password is wrong, or if the file has been unreadable for at least a minute.
    // H54
    pub fn check(&self, name: &[u8], password: &Secret, memory: &mut Memory) -> Result<(), LoginError> {
        let users = self.current()?;
        let stored = users.get(&self.normalized(name)).map(Vec::as_slice);
        let is_plain = |stored: &&[u8]| stored.starts_with(PLAIN);
        let plain = stored.filter(is_plain).is_some_and(|stored| verify(stored, password.expose(), memory));
        if !users.values().any(|stored| !stored.starts_with(PLAIN)) {
            return if plain { Ok(()) } else { Err(LoginError::Credentials) };
        }
        // If any password is hashed, every login computes one hash, so its duration does not reveal which users exist.
        let hashed = stored.filter(|stored| !stored.starts_with(PLAIN));
        let right = verify(hashed.unwrap_or(self.decoy_hash.as_bytes()), password.expose(), memory) && hashed.is_some();
        if right || plain { Ok(()) } else { Err(LoginError::Credentials) }
    }

    fn current(&self) -> Result<Arc<Stored>, LoginError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = match stamp(&self.file) {
            Ok(stamp) if loaded.stamp == Some(stamp) && loaded.unreadable.is_none() => return Ok(Arc::clone(&loaded.users)),
            Ok(_) => read(&self.file, self.fold_case),
            Err(error) => Err(error),
        };
        match fresh {
            Ok(fresh) => *loaded = fresh,
            // A file that is being replaced is readable again soon. A file that stays unreadable may contain other passwords by
            // now.
            Err(error) => {
                let since = *loaded.unreadable.get_or_insert_with(Instant::now);
                let path = self.file.display();
                if since.elapsed() >= STALE {
                    tracing::error!(file = %path, %error, "the file of users cannot be read, so all logins are refused");
                    return Err(LoginError::Io(io::Error::other("the file of users cannot be read")));
                }
                tracing::error!(file = %path, %error, "the file of users cannot be read; its old contents are used for a minute");
            }
        }
        Ok(Arc::clone(&loaded.users))
    }

    #[cfg(test)]
    fn pass_time(&self, time: Duration) {
        let mut loaded = self.loaded.lock().unwrap();
        loaded.unreadable = loaded.unreadable.and_then(|since| since.checked_sub(time));
    }
}

/// Returns the modification time, length and inode number of a file. The last two reveal a replacement within the resolution of
/// the clock.
fn stamp(file: &Path) -> io::Result<(SystemTime, u64, u64)> {
    let meta = fs::metadata(file)?;
    #[cfg(unix)]
    let inode = std::os::unix::fs::MetadataExt::ino(&meta);
    #[cfg(not(unix))]
    let inode = 0;
    Ok((meta.modified()?, meta.len(), inode))
}

fn read(file: &Path, fold_case: bool) -> io::Result<Loaded> {
    let stamp = stamp(file)?;
    let text = fs::read(file)?;
    let users = parse(&text).into_iter();
    let fold = |name: Vec<u8>| if fold_case { name.to_ascii_lowercase() } else { name };
    let users = users.map(|(name, stored)| (fold(name), stored)).collect();
    Ok(Loaded { stamp: Some(stamp), users: Arc::new(users), unreadable: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users(text: &[u8], fold_case: bool) -> (tempfile::TempDir, Users) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        fs::write(&file, text).unwrap();
        (folder, Users::load(&file, fold_case).unwrap())
    }

    fn check(users: &Users, name: &str, password: &[u8]) -> bool {
        users.check(name.as_bytes(), &Secret::from(password), &mut Memory::default()).is_ok()
    }

    #[test]
    fn h53_only_valid_lines_and_right_passwords_allow_a_login() {
        let good = hash(b"secret").unwrap();
        let text = format!(
            "# comment\n\njoe:{good}\nann:{{PLAIN}}pass:word\r\nbad:$argon2id$nonsense\nempty:\n../up:{{PLAIN}}x\nopen:{{PLAIN}}\nmd:$1$x$y\nno colon\n"
        );
        let (_folder, users) = users(text.as_bytes(), false);
        assert_eq!(users.count(), 2);
        assert!(check(&users, "joe", b"secret") && check(&users, "ann", b"pass:word"));
        for (name, password) in [
            ("joe", "Secret"),
            ("joe", ""),
            ("ann", "pass"),
            ("ann", ""),
            ("bad", ""),
            ("bad", "$argon2id$nonsense"),
            ("empty", ""),
            ("../up", "x"),
            ("open", ""),
            ("md", "y"),
            ("nobody", "a password that is never compared"),
            ("no colon", ""),
            ("", ""),
        ] {
            assert!(!check(&users, name, password.as_bytes()), "{name} {password}");
        }
    }

    #[test]
    fn h53_an_empty_password_never_matches() {
        let (_folder, users) = users(b"open:{PLAIN}\nann:{PLAIN}x\n", false);
        for name in ["open", "ann", "nobody"] {
            assert!(!check(&users, name, b""), "{name}");
        }
        assert!(!verify(b"{PLAIN}", b"", &mut Memory::default()));
    }

    #[test]
    fn h54_a_login_of_an_unknown_user_computes_a_hash() {
        let hash = hash(b"secret").unwrap();
        let (_folder, mixed) = users(format!("joe:{hash}\nann:{{PLAIN}}x\n").as_bytes(), false);
        for (name, password) in [("joe", "wrong"), ("nobody", "wrong"), ("ann", "wrong"), ("ann", "x")] {
            let mut memory = Memory::default();
            let _ = mixed.check(name.as_bytes(), &Secret::from(password), &mut memory);
            assert_eq!(memory.0.len(), argon2::Params::DEFAULT.block_count(), "{name}: a hash was computed");
        }
        let (_folder, plain) = users(b"ann:{PLAIN}x\n", false);
        let mut memory = Memory::default();
        let _ = plain.check(b"nobody", &Secret::from("x"), &mut memory);
        assert!(memory.0.is_empty(), "if no stored password is hashed, no hash is computed");
    }

    #[test]
    fn q53_passwords_may_have_any_bytes_and_a_byte_order_mark_is_ignored() {
        let (_folder, users) = users(b"\xEF\xBB\xBFann:{PLAIN}gehe\xefm\njoe:{PLAIN}\xc3\xbc\n", false);
        assert!(check(&users, "ann", b"gehe\xefm") && check(&users, "joe", "ü".as_bytes()));
        assert!(!check(&users, "ann", b"geheim"));
    }

    #[test]
    fn the_case_of_names_is_ignored_only_if_requested() {
        let text = b"Ann@Example.org:{PLAIN}x\n";
        let (_folder, folding) = users(text, true);
        assert!(check(&folding, "ann@example.ORG", b"x"));
        assert_eq!(folding.normalized(b"ANN@example.org"), b"ann@example.org");
        let (_folder, exact) = users(text, false);
        assert!(check(&exact, "Ann@Example.org", b"x") && !check(&exact, "ann@example.org", b"x"));
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let (folder, users) = users(b"joe:{PLAIN}one\n", false);
        fs::write(folder.path().join("users"), "joe:{PLAIN}other\n").unwrap();
        assert!(check(&users, "joe", b"other") && !check(&users, "joe", b"one"));
    }

    #[test]
    fn logins_are_refused_a_minute_after_the_file_became_unreadable() {
        let (folder, users) = users(b"joe:{PLAIN}one\n", false);
        let file = folder.path().join("users");
        fs::rename(&file, folder.path().join("away")).unwrap();
        assert!(check(&users, "joe", b"one"), "the file may be replaced at this moment");
        users.pass_time(STALE);
        let refused = users.check(b"joe", &Secret::from("one"), &mut Memory::default());
        assert!(matches!(refused, Err(LoginError::Io(_))), "the password may have changed by now: {refused:?}");
        fs::rename(folder.path().join("away"), &file).unwrap();
        assert!(check(&users, "joe", b"one"), "the file is readable again");
    }
}
