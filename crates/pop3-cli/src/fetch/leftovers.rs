//! Files in `tmp` of a Maildir, left by deliveries that died.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// After 36 hours nobody is writing a file in `tmp` any more: so says the format.
const MAX_AGE: Duration = Duration::from_secs(36 * 3600);

/// Removes old files from `tmp`. One that cannot be removed does no harm, so it is only noted.
pub fn remove(maildir: &Path) {
    let Ok(entries) = fs::read_dir(maildir.join("tmp")) else { return };
    for entry in entries.flatten() {
        // Of the file itself, should it be a link.
        let is_old = entry.metadata().is_ok_and(|metadata| {
            metadata.is_file() && metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > MAX_AGE))
        });
        if is_old {
            match fs::remove_file(entry.path()) {
                Ok(()) => tracing::debug!(file = %entry.path().display(), "removed what an old delivery has left"),
                Err(error) => tracing::debug!(file = %entry.path().display(), %error, "cannot be removed"),
            }
        }
    }
}
