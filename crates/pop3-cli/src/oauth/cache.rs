//! The file in which the access to a mailbox is kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::folders;

/// A token that ends within this time is renewed before it is used.
const EARLY: Duration = Duration::from_secs(60);

/// What a provider has given. Its texts are secrets, so there is no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub struct Tokens {
    /// Whose they are: tokens of another program or of another provider are of no use.
    pub client_id: String,
    pub token_url: String,
    pub access_token: String,
    pub refresh_token: Option<String>,
    /// When the access token ends, in seconds since 1970; `None` if the provider does not say.
    pub expires: Option<u64>,
}

impl Tokens {
    /// Returns `true` unless the access token has ended or will soon.
    pub fn is_current(&self) -> bool {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.expires.is_none_or(|expires| (now + EARLY).as_secs() < expires)
    }
}

/// Returns when a token ends that ends after so much time.
pub fn ends_after(time: Duration) -> u64 {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().saturating_add(time)).as_secs()
}

/// The file of one mailbox.
#[derive(Clone, Debug)]
pub struct Cache {
    path: PathBuf,
}

impl Cache {
    /// Returns the file of a user at a host, below `$XDG_STATE_HOME/pop3/tokens` or `~/.local/state/pop3/tokens`. `None` without a home.
    pub fn of(user: &str, host: &str) -> Option<Self> {
        let (user, host) = (folders::file_name(user), folders::file_name(host));
        Some(Self { path: folders::state()?.join("tokens").join(format!("{user},{host}.json")) })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes other runs wait until the lock is dropped: a provider may take a refresh token once only.
    ///
    /// # Errors
    /// The folder cannot be used.
    pub fn lock(&self) -> io::Result<File> {
        let mut folder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
        folder.recursive(true).create(self.path.parent().unwrap_or(Path::new(".")))?;
        let lock = OpenOptions::new().create(true).write(true).truncate(false).open(self.path.with_extension("lock"))?;
        lock.lock()?;
        Ok(lock)
    }

    /// Reads the tokens. `None` if there are none.
    ///
    /// # Errors
    /// The file cannot be read, or is not what it should be.
    pub fn read(&self) -> io::Result<Option<Tokens>> {
        match fs::read(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            text => Ok(Some(serde_json::from_slice(&text?)?)),
        }
    }

    /// Writes the tokens into a new file that only its owner can read, in the place of the old one.
    ///
    /// # Errors
    /// The file cannot be written. The old one is as it was.
    pub fn write(&self, tokens: &Tokens) -> io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(self.path.parent().unwrap_or(Path::new(".")))?;
        file.write_all(&serde_json::to_vec_pretty(tokens)?)?;
        // A refresh token that was used and is lost means to log in again.
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        Ok(())
    }

    /// Removes the tokens.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(expires: Option<u64>) -> Tokens {
        let text = |text: &str| text.to_owned();
        Tokens {
            client_id: text("id"),
            token_url: text("https://x"),
            access_token: text("access"),
            refresh_token: Some(text("refresh")),
            expires,
        }
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        assert!(tokens(None).is_current());
        assert!(tokens(Some(ends_after(EARLY + Duration::from_secs(30)))).is_current());
        assert!(!tokens(Some(ends_after(EARLY))).is_current());
        assert!(!tokens(Some(0)).is_current());
    }

    #[test]
    fn names_of_users_stay_in_the_folder() {
        let cache = Cache::of("../a/b@example.org", "h/..").unwrap();
        assert_eq!(cache.path().file_name().unwrap().to_str().unwrap(), "..%2Fa%2Fb@example.org,h%2F...json");
    }

    #[cfg(unix)]
    #[test]
    fn only_its_owner_can_read_the_file() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { path: folder.path().join("tokens/joe.json") };
        drop(cache.lock().unwrap());
        cache.write(&tokens(Some(7))).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(cache.path()), mode(cache.path().parent().unwrap())), (0o600, 0o700));
        assert_eq!(cache.read().unwrap().unwrap().refresh_token.as_deref(), Some("refresh"));
        cache.remove().unwrap();
        cache.remove().unwrap();
        assert!(cache.read().unwrap().is_none());
    }
}
