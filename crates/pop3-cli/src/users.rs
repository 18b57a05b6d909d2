//! The file of users for `pop3 serve`, and `pop3 passwd`, which writes it.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString, rand_core::OsRng};
use pop3_blocking::proto::Secret;
use pop3_blocking::proto::sasl::prepare;
use subtle::ConstantTimeEq;

use crate::arguments::Passwd;
use crate::failure::{Exit, Failure, say};
use crate::password;

/// Says that the password itself follows.
const PLAIN: &str = "{PLAIN}";

/// The users in a file, read again when it has changed.
#[derive(Debug)]
pub struct Users {
    file: PathBuf,
    loaded: Mutex<Loaded>,
    /// The hash of a password that nobody has: an unknown user must cost what a known one does (H54).
    nobody: String,
    turns: Turns,
}

/// So many at once.
#[derive(Debug)]
struct Turns {
    free: Mutex<usize>,
    changed: Condvar,
}

/// One of them; given back when dropped.
struct Turn<'a>(&'a Turns);

impl Turns {
    fn take(&self) -> Turn<'_> {
        let free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self.changed.wait_while(free, |free| *free == 0).unwrap_or_else(PoisonError::into_inner);
        *free -= 1;
        Turn(self)
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        *self.0.free.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.0.changed.notify_one();
    }
}

#[derive(Clone, Debug)]
struct Loaded {
    stamp: Option<(SystemTime, u64)>,
    users: Arc<HashMap<String, String>>,
}

impl Users {
    pub fn load(file: &Path) -> Result<Self, Failure> {
        let loaded = read(file)
            .map_err(|error| Failure::file(file, &error).hint("`pop3 passwd FILE NAME` makes the file and adds a user to it."))?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            if fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0) {
                tracing::warn!(file = %file.display(), "everybody on this machine can read the file of users");
            }
        }
        let turns = Turns { free: Mutex::new(thread::available_parallelism().map_or(1, usize::from)), changed: Condvar::new() };
        Ok(Self { file: file.to_owned(), loaded: Mutex::new(loaded), nobody: hash(b"nobody has this password")?, turns })
    }

    pub fn count(&self) -> usize {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner).users.len()
    }

    /// Whether there is such a user and the password is theirs.
    pub fn check(&self, name: &[u8], password: &Secret) -> bool {
        let users = self.current();
        let stored = str::from_utf8(name).ok().and_then(|name| users.get(name));
        if !users.values().any(|stored| !stored.starts_with(PLAIN)) {
            return stored.is_some_and(|stored| verify(stored, password.expose()));
        }
        // Where some passwords are hashed every login costs one hash, so that the time tells nothing about who exists (H54); and
        // only so many at once, as each takes 19 MiB.
        let _turn = self.turns.take();
        let (hashed, plain) = match stored {
            Some(stored) if stored.starts_with(PLAIN) => (None, Some(stored)),
            stored => (stored, None),
        };
        let right = verify(hashed.unwrap_or(&self.nobody), password.expose()) && hashed.is_some();
        right || plain.is_some_and(|stored| verify(stored, password.expose()))
    }

    fn current(&self) -> Arc<HashMap<String, String>> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        match stamp(&self.file) {
            Ok(stamp) if loaded.stamp == Some(stamp) => {}
            // A file that cannot be read now leaves the users as they were.
            _ => match read(&self.file) {
                Ok(fresh) => *loaded = fresh,
                Err(error) => tracing::warn!(file = %self.file.display(), %error, "the file of users cannot be read again"),
            },
        }
        Arc::clone(&loaded.users)
    }
}

fn stamp(file: &Path) -> io::Result<(SystemTime, u64)> {
    let meta = fs::metadata(file)?;
    Ok((meta.modified()?, meta.len()))
}

fn read(file: &Path) -> io::Result<Loaded> {
    let stamp = stamp(file)?;
    let text = fs::read_to_string(file)?;
    Ok(Loaded { stamp: Some(stamp), users: Arc::new(parse(&text)) })
}

/// Lines that are no users are passed over: nobody logs in by them.
pub fn parse(text: &str) -> HashMap<String, String> {
    let mut users = HashMap::new();
    for (at, line) in text.lines().enumerate() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        match line.split_once(':') {
            Some((name, stored)) if is_safe_name(name) && is_usable(stored) => {
                users.insert(name.to_owned(), stored.to_owned());
            }
            _ => tracing::warn!(line = at + 1, "a line in the file of users is not NAME:HASH with a hash that can be used"),
        }
    }
    users
}

/// What `pop3 passwd` writes, or a password as it is.
fn is_usable(stored: &str) -> bool {
    match stored.strip_prefix(PLAIN) {
        Some(plain) => !plain.is_empty(),
        None => PasswordHash::new(stored).is_ok(),
    }
}

/// Names become parts of paths (H57): letters, digits and `. _ @ + -`, and no dot at the start.
pub fn is_safe_name(name: &str) -> bool {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '+' | '-');
    !name.is_empty() && name.len() <= 128 && !name.starts_with(['.', '-']) && name.chars().all(safe)
}

/// A stored hash that is malformed lets nobody in (H53).
pub fn verify(stored: &str, password: &[u8]) -> bool {
    let password = prepared(password);
    let password = password.expose();
    if let Some(plain) = stored.strip_prefix(PLAIN) {
        // An empty password is none.
        return !plain.is_empty() && bool::from(prepared(plain.as_bytes()).expose().ct_eq(password));
    }
    PasswordHash::new(stored).is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
}

/// A password in the form in which it is compared and hashed: two ways to type a letter are one letter.
fn prepared(password: &[u8]) -> Secret {
    Secret::from(prepare(password).as_deref().unwrap_or(password))
}

fn hash(password: &[u8]) -> Result<String, Failure> {
    let password = prepared(password);
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.expose(), &salt).map_err(|error| Failure::new(Exit::Other, error))?;
    Ok(hash.to_string())
}

/// `pop3 passwd`
pub fn passwd(arguments: &Passwd) -> Result<(), Failure> {
    let name = &arguments.name;
    if !is_safe_name(name) {
        return Err(Failure::new(Exit::Other, format_args!("{name:?} cannot be the name of a user"))
            .hint("Letters, digits and . _ @ + - can be in one; a dot or a dash cannot begin it."));
    }
    let password = if io::stdin().is_terminal() {
        let password = password::prompt(&format!("New password for {name}: "))?;
        if password::prompt("Once more: ")? != password {
            return Err(Failure::new(Exit::Other, "the two are not the same; nothing was changed"));
        }
        password
    } else {
        password::from_stdin()?
    };
    if password.expose().is_empty() {
        return Err(Failure::new(Exit::Usage, "an empty password would let everybody in; nothing was changed"));
    }
    // Two at once must not lose each other's user.
    let mut lock_file = arguments.users.clone().into_os_string();
    lock_file.push(".lock");
    let lock = File::options().create(true).truncate(false).write(true).open(&lock_file);
    let lock = lock.map_err(|error| Failure::file(&arguments.users, &error))?;
    lock.lock().map_err(|error| Failure::file(&arguments.users, &error))?;
    let line = format!("{name}:{}", hash(password.expose())?);
    let file = &arguments.users;
    let old = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::file(file, &error)),
    };
    let is_theirs = |line: &&str| line.split_once(':').is_some_and(|(other, _)| other == name);
    let mut lines: Vec<&str> = old.lines().filter(|line| !is_theirs(line)).collect();
    lines.push(&line);
    write_private(file, &(lines.join("\n") + "\n")).map_err(|error| Failure::file(file, &error))?;
    say(format_args!("{name} can log in with the new password."))
}

/// Puts a new file, for its owner alone (H58), in the place of the old one.
fn write_private(file: &Path, text: &str) -> io::Result<()> {
    let folder = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut new =
        tempfile::Builder::new().prefix(".pop3-users").tempfile_in(folder).map_err(|error| io::Error::from(error.kind()))?;
    if let Ok(old) = fs::metadata(file) {
        // Whoever could read it before still can.
        new.as_file().set_permissions(old.permissions())?;
    }
    new.write_all(text.as_bytes())?;
    new.as_file().sync_all()?;
    new.persist(file).map_err(|error| error.error)?;
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn users(text: &str) -> (tempfile::TempDir, Users) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("users");
        fs::write(&file, text).unwrap();
        (folder, Users::load(&file).unwrap())
    }

    #[test]
    fn h53_hashes_plain_passwords_and_nonsense() {
        let good = hash(b"secret").unwrap();
        let text = format!(
            "# comment\n\njoe:{good}\nann:{{PLAIN}}pass:word\nbad:$argon2id$nonsense\nempty:\n../up:{{PLAIN}}x\nopen:{{PLAIN}}\nmd:$1$x$y\nno colon\n"
        );
        let (_folder, users) = users(&text);
        let check = |name: &str, password: &str| users.check(name.as_bytes(), &Secret::from(password));
        assert!(check("joe", "secret") && check("ann", "pass:word"));
        for (name, password) in [
            ("joe", "Secret"),
            ("joe", ""),
            ("ann", "pass"),
            ("bad", ""),
            ("bad", "$argon2id$nonsense"),
            ("empty", ""),
            ("../up", "x"),
            ("open", ""),
            ("md", "y"),
            ("nobody", "nobody has this password"),
            ("no colon", ""),
            ("", ""),
        ] {
            assert!(!check(name, password), "{name} {password}");
        }
    }

    #[test]
    fn a_changed_file_is_read_again() {
        let (folder, users) = users("joe:{PLAIN}one\n");
        fs::write(folder.path().join("users"), "joe:{PLAIN}other\n").unwrap();
        assert!(users.check(b"joe", &Secret::from("other")));
        assert!(!users.check(b"joe", &Secret::from("one")));
        fs::remove_file(folder.path().join("users")).unwrap();
        assert!(users.check(b"joe", &Secret::from("other")));
    }

    #[test]
    fn h57_names_that_are_paths_are_none() {
        for bad in ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a b", "a\0", "ä", "-rf", "%u"] {
            assert!(!is_safe_name(bad), "{bad:?}");
        }
        for good in ["joe", "joe@example.org", "a.b", "a+b", "1"] {
            assert!(is_safe_name(good), "{good:?}");
        }
    }

    proptest! {
        #[test]
        fn any_file_and_any_hash_deny_without_a_panic(text: String, stored: String, password: Vec<u8>) {
            let _ = parse(&text);
            if !stored.starts_with(PLAIN) {
                prop_assert!(!verify(&stored, &password));
            }
        }
    }
}
