//! The file of users for `pop3 serve`, and the verification of their passwords.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use argon2::password_hash::{PasswordHash, PasswordHasher, SaltString, rand_core::OsRng};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use pop3_blocking::proto::Secret;
use pop3_blocking::proto::sasl::prepare;
use pop3_maildrop::LoginError;
use subtle::ConstantTimeEq;

use crate::failure::{Exit, Failure};
use crate::hashing::Memory;

/// Prefix of a stored password that is not hashed.
const PLAIN: &[u8] = b"{PLAIN}";

/// Time for which the last contents of the file are used once it has become unreadable.
const STALE: Duration = Duration::from_secs(60);

/// Maximum memory that a stored hash may require, in KiB.
const MAX_MEMORY: u32 = 256 * 1024;

/// User names, and the stored hash or password of each.
pub type Stored = HashMap<Vec<u8>, Vec<u8>>;

/// The users in a file, which is read again when it has changed.
#[derive(Debug)]
pub struct Users {
    file: PathBuf,
    loaded: Mutex<Loaded>,
    /// A hash that is compared with the password of an unknown user, so that an unknown user costs as much as a known one (H54).
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
    pub fn load(file: &Path, fold_case: bool) -> Result<Self, Failure> {
        let loaded = read(file, fold_case)
            .map_err(|error| Failure::file(file, &error).hint("`pop3 passwd FILE NAME` makes the file and adds a user to it."))?;
        warn_if_readable(file, "the file of users");
        let decoy_hash = hash(b"a password that is never compared")?;
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
    /// Fails if the name or the password is wrong, or if the file has been unreadable for a minute.
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
                    tracing::error!(file = %path, %error, "the file of users cannot be read, so nobody can log in");
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

/// Logs a warning if a file that contains secrets is accessible to all users of this machine.
pub fn warn_if_readable(file: &Path, what: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0) {
            tracing::warn!(file = %file.display(), "everybody on this machine can read {what}; chmod 600 it");
        }
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

/// Parses the file of users. A line without a valid name and a usable hash is ignored, with a warning, and allows no login.
pub fn parse(text: &[u8]) -> Stored {
    // Some editors write a byte order mark at the beginning.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut users = HashMap::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match split(line) {
            Some((name, stored)) if str::from_utf8(name).is_ok_and(is_safe_name) && is_usable(stored) => {
                users.insert(name.to_vec(), stored.to_vec());
            }
            _ => tracing::warn!(line = at + 1, "a line in the file of users is not NAME:HASH with a hash that can be used"),
        }
    }
    users
}

/// Splits a line of the file into the name and the stored hash or password. Returns `None` if the line has no colon.
pub fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b':')?;
    Some((line.get(..at)?, line.get(at + 1..)?))
}

/// Returns `true` if a stored value is an argon2 hash with supported parameters, or a password that is not empty.
fn is_usable(stored: &[u8]) -> bool {
    match stored.strip_prefix(PLAIN) {
        Some(plain) => !plain.is_empty(),
        None => parse_hash(stored).is_some(),
    }
}

/// Parses a hash in the PHC format. Returns it with the settings that compute it again, or `None` if they are not supported.
fn parse_hash(stored: &[u8]) -> Option<(PasswordHash<'_>, Argon2<'static>)> {
    let hash = PasswordHash::new(str::from_utf8(stored).ok()?).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
    let version = hash.version.map_or(Some(Version::default()), |version| Version::try_from(version).ok())?;
    let params = Params::try_from(&hash).ok().filter(|params| params.m_cost() <= MAX_MEMORY)?;
    hash.hash.and(hash.salt)?;
    Some((hash, Argon2::new(algorithm, version, params)))
}

/// Returns `true` if a user may have this name, which becomes a part of a path. A name has at most 255 octets: the characters
/// that RFC 5321 allows in a mailbox, and letters of any language, but no `/`, no `:` (it ends the name in the file), no control
/// character, no dot or blank at either end, and no `#` or `-` at the beginning.
// H57
pub fn is_safe_name(name: &str) -> bool {
    const LONGEST: usize = 255;
    let forbidden = |c: char| matches!(c, '/' | ':') || c.is_control() || (c.is_whitespace() && c != ' ');
    let ends = |c: char| c == ' ' || c == '.';
    !name.is_empty()
        && name.len() <= LONGEST
        && !name.contains(forbidden)
        && !name.starts_with(['#', '-'])
        && !name.starts_with(ends)
        && !name.ends_with(ends)
}

/// Returns `true` if `password` is the stored password. A malformed stored hash matches no password.
// H53
pub fn verify(stored: &[u8], password: &[u8], memory: &mut Memory) -> bool {
    let password = prepared(password);
    let password = password.expose();
    if let Some(plain) = stored.strip_prefix(PLAIN) {
        // An empty stored password matches no password.
        return !plain.is_empty() && bool::from(prepared(plain).expose().ct_eq(password));
    }
    let Some((hash, argon2)) = parse_hash(stored) else { return false };
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return false };
    let mut salt_bytes = [0; 64];
    let Ok(salt) = salt.decode_b64(&mut salt_bytes) else { return false };
    let blocks = argon2.params().block_count();
    if memory.0.len() < blocks {
        memory.0.resize(blocks, Block::default());
    }
    let Some(blocks) = memory.0.get_mut(..blocks) else { return false };
    let mut computed = vec![0; expected.len()];
    argon2.hash_password_into_with_memory(password, salt, &mut computed, blocks).is_ok()
        && bool::from(computed.as_slice().ct_eq(expected.as_bytes()))
}

/// Returns a password in the form that is compared and hashed: different encodings of one letter are equal.
fn prepared(password: &[u8]) -> Secret {
    Secret::from(prepare(password).as_deref().unwrap_or(password))
}

/// Returns the hash to store for a password.
///
/// # Errors
/// Fails if the password is empty, because any client could then log in.
pub fn hash(password: &[u8]) -> Result<String, Failure> {
    if password.is_empty() {
        return Err(Failure::new(Exit::Usage, "an empty password would let everybody in; nothing was changed"));
    }
    let password = prepared(password);
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.expose(), &salt).map_err(|error| Failure::new(Exit::Other, error))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn h53_an_empty_password_is_not_stored() {
        assert!(hash(b"").is_err_and(|failure| failure.to_string().contains("nothing was changed")));
        assert!(hash(b" ").is_ok());
    }

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
    fn h53_hashes_plain_passwords_and_nonsense() {
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
    fn h53_an_empty_password_opens_nothing() {
        let (_folder, users) = users(b"open:{PLAIN}\nann:{PLAIN}x\n", false);
        for name in ["open", "ann", "nobody"] {
            assert!(!check(&users, name, b""), "{name}");
        }
        assert!(!verify(b"{PLAIN}", b"", &mut Memory::default()));
    }

    #[test]
    fn h53_only_hashes_of_argon2_that_can_be_met_are_usable() {
        let hash = hash(b"x").unwrap();
        assert!(is_usable(hash.as_bytes()));
        for unusable in [
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E".to_owned(),
            hash.replace("m=19456", "m=999999999"),
            hash.replace("argon2id", "argon2x"),
            hash.rsplit_once('$').unwrap().0.to_owned(),
            String::new(),
        ] {
            assert!(!is_usable(unusable.as_bytes()), "{unusable}");
        }
    }

    #[test]
    fn h54_an_unknown_user_costs_a_hash() {
        let hash = hash(b"secret").unwrap();
        let (_folder, mixed) = users(format!("joe:{hash}\nann:{{PLAIN}}x\n").as_bytes(), false);
        for (name, password) in [("joe", "wrong"), ("nobody", "wrong"), ("ann", "wrong"), ("ann", "x")] {
            let mut memory = Memory::default();
            let _ = mixed.check(name.as_bytes(), &Secret::from(password), &mut memory);
            assert_eq!(memory.0.len(), Params::DEFAULT.block_count(), "{name}: a hash was computed");
        }
        let (_folder, plain) = users(b"ann:{PLAIN}x\n", false);
        let mut memory = Memory::default();
        let _ = plain.check(b"nobody", &Secret::from("x"), &mut memory);
        assert!(memory.0.is_empty(), "where nothing is hashed, nothing needs to be");
    }

    #[test]
    fn q53_passwords_have_any_bytes_and_an_editor_may_add_a_mark() {
        let (_folder, users) = users(b"\xEF\xBB\xBFann:{PLAIN}gehe\xefm\njoe:{PLAIN}\xc3\xbc\n", false);
        assert!(check(&users, "ann", b"gehe\xefm") && check(&users, "joe", "ü".as_bytes()));
        assert!(!check(&users, "ann", b"geheim"));
    }

    #[test]
    fn upper_and_lower_case_are_one_where_that_is_asked_for() {
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
    fn logins_end_some_time_after_the_file_of_users_became_unreadable() {
        let (folder, users) = users(b"joe:{PLAIN}one\n", false);
        let file = folder.path().join("users");
        fs::rename(&file, folder.path().join("away")).unwrap();
        assert!(check(&users, "joe", b"one"), "it may be replaced just now");
        users.pass_time(STALE);
        let refused = users.check(b"joe", &Secret::from("one"), &mut Memory::default());
        assert!(matches!(refused, Err(LoginError::Io(_))), "the password may be another by now: {refused:?}");
        fs::rename(folder.path().join("away"), &file).unwrap();
        assert!(check(&users, "joe", b"one"), "and back again");
    }

    #[test]
    fn h57_names_that_are_paths_are_none() {
        for bad in
            ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\0", "a:b", "a\nb", " a", "a ", "-rf", "#a", &"x".repeat(256)]
        {
            assert!(!is_safe_name(bad), "{bad:?}");
        }
        for good in
            ["joe", "joe@example.org", "o'brien@example.org", "r&d@x", "a=b@x", "j#k@x", "müller@x", "!$%*?^`{|}~@x", "%u", "1"]
        {
            assert!(is_safe_name(good), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn any_file_and_any_hash_deny_without_a_panic(text: Vec<u8>, stored: Vec<u8>, password: Vec<u8>) {
            let _ = parse(&text);
            if !stored.starts_with(PLAIN) {
                prop_assert!(!verify(&stored, &password, &mut Memory::default()));
            }
        }
    }
}
