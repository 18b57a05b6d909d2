//! The servers that were found for addresses, in a file of the user's. What DNS says may be forged at any time, so it is asked once and not
//! for every connection (RFC 8314 §5.1).

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use super::{Server, Source};
use crate::{date, folders};

/// A server that a login has succeeded with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    #[serde(flatten)]
    pub server: Server,
    pub user: String,
    pub source: Source,
    /// The day on which it was found.
    pub found: String,
}

/// Returns the file: `$XDG_STATE_HOME/pop3/servers.json`, or `~/.local/state/pop3/servers.json`. `None` without a home.
pub fn path() -> Option<PathBuf> {
    Some(folders::state()?.join("servers.json"))
}

/// Returns the server of an address that an earlier run has found. A file that cannot be used is reported, and counts as empty.
// S57
pub fn of(address: &str) -> Option<Kept> {
    let path = path()?;
    let kept = read(&path)
        .inspect_err(|error| tracing::warn!(file = %path.display(), %error, "the servers found earlier cannot be read"));
    kept.ok()?.remove(address)
}

/// Keeps the server of an address. If that fails, the next run looks again.
pub fn keep(address: &str, server: &Server, user: &str, source: Source) {
    let Some(path) = path() else { return };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let kept = Kept { server: server.clone(), user: user.to_owned(), source, found: date::of(now) };
    if let Err(error) = write(&path, address, kept) {
        tracing::warn!(file = %path.display(), %error, "the server cannot be kept, so the next run looks for it again");
    }
}

fn read(path: &Path) -> io::Result<BTreeMap<String, Kept>> {
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        text => Ok(serde_json::from_slice(&text?)?),
    }
}

fn write(path: &Path, address: &str, kept: Kept) -> io::Result<()> {
    let mut all = read(path)?;
    all.insert(address.to_owned(), kept);
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    // Two runs at once never leave a mixture; the later one wins.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(serde_json::to_string_pretty(&all)?.as_bytes())?;
    file.persist(path)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s57_what_was_found_is_kept_for_its_address_and_nothing_else_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/servers.json");
        let kept = |host: &str| Kept {
            server: Server { host: host.to_owned(), port: 995, stls: false },
            user: "joe".to_owned(),
            source: Source::Srv,
            found: "2026-11-27".to_owned(),
        };
        assert!(read(&path).unwrap().is_empty());
        write(&path, "a@example.org", kept("one")).unwrap();
        write(&path, "b@example.org", kept("two")).unwrap();
        write(&path, "a@example.org", kept("three")).unwrap();
        let all = read(&path).unwrap();
        assert_eq!((all.len(), &all["a@example.org"], &all["b@example.org"]), (2, &kept("three"), &kept("two")));
        // A file that somebody has edited wrongly is not overwritten.
        fs::write(&path, "{").unwrap();
        assert!(write(&path, "c@example.org", kept("four")).is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "{");
    }
}
