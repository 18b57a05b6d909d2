//! Errors that name a path.

use std::io;
use std::path::Path;

/// Returns the error with the path that it concerns.
pub(super) fn about(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}
