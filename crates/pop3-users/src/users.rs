//! The users in a file, and the verification of their passwords.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use pop3_maildrop::LoginError;
use pop3_proto::Secret;
use pop3_proto::sasl::{ScramHash, ScramKeys};

use crate::file_format::{FileFormat, Stored, StoredUser, parse};
use crate::hash_pool::Memory;
use crate::preparation::prepared;
use crate::scheme::Scheme;
use crate::verified_logins::VerifiedLogins;

/// Time for which the last contents of the file are used once it has become unreadable.
const STALE: Duration = Duration::from_secs(60);

/// The users in a file, which is read again when it has changed.
#[derive(Debug)]
pub struct Users {
    file: PathBuf,
    loaded: Mutex<Loaded>,
    options: UsersOptions,
    verified: VerifiedLogins,
}

/// How a file of users is read, and how its passwords are checked.
#[derive(Clone, Copy, Debug, Default)]
pub struct UsersOptions {
    /// The format of the file.
    pub format: FileFormat,
    /// Names match without regard to the case of ASCII letters.
    pub fold_case: bool,
    /// The time for which a verified login is remembered, so that the next one with the same password computes no hash. A changed password
    /// is forgotten at once. Zero remembers nothing.
    pub remember: Duration,
}

/// What the file contains.
#[derive(Debug)]
struct Contents {
    users: Stored,
    /// The stored passwords that are hashed, for comparison with passwords of unknown users, so that an unknown user costs as much as a known
    /// one.
    // H54
    hashes: Vec<Vec<u8>>,
}

#[derive(Clone, Debug)]
struct Loaded {
    stamp: Option<(SystemTime, u64, u64)>,
    contents: Arc<Contents>,
    /// The time since which the file has been unreadable, if it is.
    unreadable: Option<Instant>,
}

impl Users {
    /// Reads the file.
    ///
    /// # Errors
    /// Fails if the file cannot be read. A malformed line is not an error: it is ignored, with a warning in the log.
    pub fn load(file: &Path, options: UsersOptions) -> io::Result<Self> {
        let loaded = read(file, options)?;
        let verified = VerifiedLogins::new(options.remember);
        Ok(Self { file: file.to_owned(), loaded: Mutex::new(loaded), options, verified })
    }

    /// Returns the number of users.
    pub fn count(&self) -> usize {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).contents.users.len()
    }

    /// Returns the name that comes first in the order of names.
    pub fn first(&self) -> Option<String> {
        let contents = Arc::clone(&self.loaded.lock().unwrap_or_else(PoisonError::into_inner).contents);
        contents.users.keys().min().map(|name| String::from_utf8_lossy(name).into_owned())
    }

    /// Returns a name in the form that is looked up in the file and that names the user's Maildir.
    pub fn normalized(&self, name: &[u8]) -> Vec<u8> {
        if self.options.fold_case { name.to_ascii_lowercase() } else { name.to_vec() }
    }

    /// Returns the home that the file names for a user.
    ///
    /// # Errors
    /// Fails if the file has been unreadable for at least a minute.
    pub fn home(&self, name: &[u8]) -> Result<Option<PathBuf>, LoginError> {
        Ok(self.current()?.users.get(&self.normalized(name)).and_then(|user| user.home.clone()))
    }

    /// Returns the uid and the gid that the file names for a user.
    ///
    /// # Errors
    /// Fails if the file has been unreadable for at least a minute.
    pub fn ids(&self, name: &[u8]) -> Result<Option<(u32, u32)>, LoginError> {
        Ok(self.current()?.users.get(&self.normalized(name)).and_then(|user| user.ids))
    }

    /// Returns the SCRAM keys of a user. An unknown user, and one without keys for this hash, gets keys that no password fits and that look
    /// like those of some user. `None` if no user has keys.
    ///
    /// # Errors
    /// Fails if the file has been unreadable for at least a minute.
    pub fn scram_keys(&self, hash: ScramHash, name: &[u8]) -> Result<Option<ScramKeys>, LoginError> {
        let contents = self.current()?;
        let name = self.normalized(name);
        let stored = contents.users.get(&name).and_then(|user| Scheme::parse(&user.password));
        if let Some(Scheme::Scram(keys)) = stored {
            if keys.hash() == hash {
                return Ok(Some(keys));
            }
        } else if contents.users.contains_key(&name) {
            tracing::warn!(user = %String::from_utf8_lossy(&name), "the user has no SCRAM keys, so no login with SCRAM can succeed");
        }
        // H54
        let from = self.verified.index_of(&name, contents.hashes.len());
        let like = contents.hashes.iter().cycle().skip(from).take(contents.hashes.len()).find_map(|stored| {
            match Scheme::parse(stored) {
                Some(Scheme::Scram(keys)) => Some(keys),
                _ => None,
            }
        });
        Ok(like.map(|keys| ScramKeys::decoy_like(&keys, hash, self.verified.secret(), &name)))
    }

    /// Returns `true` if there are users and all of them have SCRAM keys for this hash. A server offers the mechanism only then, because a
    /// client that sees it tries nothing else.
    pub fn all_have_scram_keys(&self, hash: ScramHash) -> bool {
        let Ok(contents) = self.current() else { return false };
        let users = &contents.users;
        let has_keys =
            |user: &StoredUser| matches!(Scheme::parse(&user.password), Some(Scheme::Scram(keys)) if keys.hash() == hash);
        !users.is_empty() && users.values().all(has_keys)
    }

    /// Does what [`check`](Self::check) does if that takes no hash: if this login was verified a short time ago, or if no stored password is
    /// hashed. Otherwise returns `None`, which says nothing about the password.
    pub fn check_quickly(&self, name: &[u8], password: &Secret) -> Option<Result<(), LoginError>> {
        let contents = match self.current() {
            Ok(contents) => contents,
            Err(error) => return Some(Err(error)),
        };
        let name = self.normalized(name);
        let is_recalled = |user: &StoredUser| self.verified.recall(&name, &user.password, password.expose(), Instant::now());
        if contents.users.get(&name).is_some_and(is_recalled) {
            return Some(Ok(()));
        }
        // Without a hash, no memory is needed.
        contents.hashes.is_empty().then(|| self.check_in(&contents, &name, password, &mut Memory::default()))
    }

    /// Verifies a password. The call may block; it takes as long for an unknown user as for a known one.
    ///
    /// # Errors
    /// Fails if the name or the password is wrong, or if the file has been unreadable for at least a minute.
    // H54
    pub fn check(&self, name: &[u8], password: &Secret, memory: &mut Memory) -> Result<(), LoginError> {
        self.check_in(&*self.current()?, &self.normalized(name), password, memory)
    }

    /// Verifies the password of a user whose name is normalized.
    fn check_in(&self, contents: &Contents, name: &[u8], password: &Secret, memory: &mut Memory) -> Result<(), LoginError> {
        let Contents { users, hashes } = contents;
        let (given, password) = (password.expose(), prepared(password.expose()));
        let password = password.expose();
        let stored = users.get(name).map(|user| user.password.as_slice());
        let scheme = stored.and_then(Scheme::parse);
        // Other servers have hashed the octets as they came.
        let mut fits = |scheme: &Scheme<'_>| scheme.fits(password, memory) || (given != password && scheme.fits(given, memory));
        let is_right = scheme.as_ref().is_some_and(&mut fits);
        let is_quick = scheme.as_ref().is_none_or(Scheme::is_plain);
        if is_quick && !hashes.is_empty() {
            // If any password is hashed, every login computes as many hashes, so its duration does not reveal which users exist. An unknown
            // name is compared with the hash of some user, the same one each time.
            let decoy = hashes.get(self.verified.index_of(name, hashes.len())).and_then(|stored| Scheme::parse(stored));
            let _ = decoy.as_ref().is_some_and(fits);
        }
        match stored {
            Some(stored) if is_right => {
                if !is_quick {
                    self.verified.remember(name, stored, given, Instant::now());
                }
                Ok(())
            }
            _ => Err(LoginError::Credentials),
        }
    }

    fn current(&self) -> Result<Arc<Contents>, LoginError> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = match stamp(&self.file) {
            Ok(stamp) if loaded.stamp == Some(stamp) && loaded.unreadable.is_none() => return Ok(Arc::clone(&loaded.contents)),
            Ok(_) => read(&self.file, self.options),
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
        Ok(Arc::clone(&loaded.contents))
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

fn read(file: &Path, options: UsersOptions) -> io::Result<Loaded> {
    let stamp = stamp(file)?;
    let text = fs::read(file)?;
    let users = parse(&text, options.format, options.fold_case);
    let is_hash = |stored: &&Vec<u8>| Scheme::parse(stored).is_some_and(|scheme| !scheme.is_plain());
    let mut hashes: Vec<_> = users.values().map(|user| &user.password).filter(is_hash).cloned().collect();
    // The order of a map differs each time.
    hashes.sort_unstable();
    Ok(Loaded { stamp: Some(stamp), contents: Arc::new(Contents { users, hashes }), unreadable: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password_hash::{hash, scram_keys, verify};

    fn users(text: &[u8], fold_case: bool) -> (tempfile::TempDir, Users) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        fs::write(&file, text).unwrap();
        let options = UsersOptions { fold_case, remember: Duration::from_secs(600), ..UsersOptions::default() };
        (folder, Users::load(&file, options).unwrap())
    }

    fn recalls(users: &Users, name: &[u8], password: &str) -> bool {
        users.check_quickly(name, &Secret::from(password)).is_some_and(|outcome| outcome.is_ok())
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
    fn a_verified_login_computes_no_hash_again_until_the_hash_changes() {
        let stored = hash(b"secret").unwrap();
        let (folder, users) = users(format!("joe:{stored}\nann:{{PLAIN}}x\n").as_bytes(), false);
        assert!(!recalls(&users, b"joe", "secret"));
        assert!(check(&users, "joe", b"secret") && !check(&users, "joe", b"wrong"));
        assert!(recalls(&users, b"joe", "secret") && !recalls(&users, b"joe", "wrong"));
        assert!(check(&users, "ann", b"x") && !recalls(&users, b"ann", "x"), "a password in the clear costs nothing");
        // Even if the password is the same, a new hash is verified.
        fs::write(folder.path().join("users"), format!("joe:{}\n", hash(b"secret").unwrap())).unwrap();
        assert!(!recalls(&users, b"joe", "secret"));
        fs::write(folder.path().join("users"), "").unwrap();
        assert!(!recalls(&users, b"joe", "secret") && !check(&users, "joe", b"secret"));
    }

    #[test]
    fn q53_hashes_of_octets_as_they_came_fit_these_octets_alone() {
        use base64::Engine as _;
        use sha2::{Digest, Sha256};
        // SASLprep makes a plain 2 of the raised one; another server has not applied it.
        let stored = base64::prelude::BASE64_STANDARD.encode(Sha256::digest("10²"));
        let (_folder, users) = users(format!("joe:{{SHA256}}{stored}\n").as_bytes(), false);
        assert!(check(&users, "joe", "10²".as_bytes()) && recalls(&users, b"joe", "10²"));
        assert!(!check(&users, "joe", b"102") && !recalls(&users, b"joe", "102"));
    }

    #[test]
    fn scram_keys_allow_both_kinds_of_login_and_all_must_have_them() {
        let keys = scram_keys(b"secret").unwrap();
        let (folder, users) = users(format!("joe:{keys}\n").as_bytes(), false);
        assert!(check(&users, "joe", b"secret") && !check(&users, "joe", b"wrong"));
        assert!(users.scram_keys(ScramHash::Sha256, b"joe").unwrap().is_some_and(|keys| keys.fits(b"secret")));
        // H54: an unknown user looks like a known one, the same each time.
        let shown = |hash, name: &[u8]| users.scram_keys(hash, name).unwrap().unwrap().stored_form();
        let decoy = shown(ScramHash::Sha256, b"ann");
        assert!(
            decoy.starts_with("{SCRAM-SHA-256}4096,") && decoy.len() == keys.len() && decoy == shown(ScramHash::Sha256, b"ann")
        );
        assert_ne!(decoy, shown(ScramHash::Sha256, b"bob"));
        assert!(!users.scram_keys(ScramHash::Sha256, b"ann").unwrap().unwrap().fits(b"secret"));
        assert!(shown(ScramHash::Sha1, b"joe").starts_with("{SCRAM-SHA-1}4096,"));
        assert!(users.all_have_scram_keys(ScramHash::Sha256) && !users.all_have_scram_keys(ScramHash::Sha1));
        fs::write(folder.path().join("users"), format!("joe:{keys}\nann:{{PLAIN}}x\n")).unwrap();
        assert!(check(&users, "ann", b"x") && !users.all_have_scram_keys(ScramHash::Sha256));
        fs::write(folder.path().join("users"), "").unwrap();
        assert!(!check(&users, "ann", b"x") && !users.all_have_scram_keys(ScramHash::Sha256));
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
        // Octets that SASLprep changes are tried in both forms, whoever is asked for.
        let hashes = |name: &str| {
            let mut memory = Memory::default();
            let _ = mixed.check(name.as_bytes(), &Secret::from("10²"), &mut memory);
            memory.1
        };
        assert_eq!([hashes("joe"), hashes("ann"), hashes("nobody")], [2; 3]);
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
