//! The messages of a mock server, from files.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use pop3_blocking::proto::codec::UniqueId;

use crate::failure::Failure;

/// Reads messages with their unique-ids: each file is a message, of a Maildir each file in its `new` and `cur`, and of another folder each
/// file in it, in the order of their names.
pub fn read(places: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for place in places {
        let (new, cur) = (place.join("new"), place.join("cur"));
        let mut found = match (place.is_dir(), new.is_dir() && cur.is_dir()) {
            (false, _) => vec![place.clone()],
            (true, false) => files_in(place)?,
            (true, true) => [files_in(&new)?, files_in(&cur)?].concat(),
        };
        found.sort_by(|a, b| a.file_name().cmp(&b.file_name()));
        files.extend(found);
    }
    let mut taken = HashSet::new();
    files
        .iter()
        .map(|file| Ok((unique_id(file, &mut taken), fs::read(file).map_err(|error| Failure::file(file, &error))?)))
        .collect()
}

fn files_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let failed = |error| Failure::file(folder, &error);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && entry.path().is_file() {
            files.push(entry.path());
        }
    }
    Ok(files)
}

/// Returns the name of the file, so that tests can tell messages apart, or a number if the name is taken or no unique-id.
fn unique_id(file: &Path, taken: &mut HashSet<String>) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).filter(|name| UniqueId::new(name).is_ok());
    let numbered = (taken.len() + 1..).map(|number| format!("message-{number}"));
    let mut candidates = name.map(ToOwned::to_owned).into_iter().chain(numbered);
    candidates.find(|candidate| taken.insert(candidate.clone())).unwrap_or_default()
}
