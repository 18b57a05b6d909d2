//! The messages of a mock server, from files.

use std::fs;
use std::path::{Path, PathBuf};

use pop3_blocking::proto::codec::UniqueId;

use crate::failure::Failure;

/// Reads messages with their unique-ids: each file is a message, and of a folder each file in it and in its `new` and `cur`, in the order of
/// their names.
pub fn read(places: &[PathBuf]) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let mut files = Vec::new();
    for place in places {
        if place.is_dir() {
            let mut found = Vec::new();
            for folder in [place.clone(), place.join("new"), place.join("cur")] {
                if folder.is_dir() {
                    found.extend(files_in(&folder)?);
                }
            }
            found.sort();
            files.extend(found);
        } else {
            files.push(place.clone());
        }
    }
    files.iter().enumerate().map(|(at, file)| message(at, file)).collect()
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

/// The unique-id is the name of the file where that is possible, so that tests can tell messages apart.
fn message(at: usize, file: &Path) -> Result<(String, Vec<u8>), Failure> {
    let text = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    let name = file.file_name().and_then(|name| name.to_str()).filter(|name| UniqueId::new(name).is_ok());
    Ok((name.map_or_else(|| format!("message-{}", at + 1), ToOwned::to_owned), text))
}
