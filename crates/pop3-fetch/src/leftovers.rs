//! Removes the files that interrupted deliveries have left in `tmp` of a Maildir.

use std::fs;
use std::path::Path;
use std::time::Duration;

/// Age at which a file in `tmp` is no longer being written: 36 hours, according to the Maildir format.
const MAX_AGE: Duration = Duration::from_secs(36 * 3600);

/// Removes old files from `tmp`. A file that cannot be removed does no harm, so the failure is only logged.
pub fn remove(maildir: &Path) {
    let Ok(entries) = fs::read_dir(maildir.join("tmp")) else { return };
    for entry in entries.flatten() {
        // This is the metadata of the entry itself, even if it is a symbolic link.
        let is_old = entry.metadata().is_ok_and(|metadata| {
            metadata.is_file() && metadata.modified().is_ok_and(|time| time.elapsed().is_ok_and(|age| age > MAX_AGE))
        });
        if is_old {
            match fs::remove_file(entry.path()) {
                Ok(()) => tracing::debug!(file = %entry.path().display(), "old file removed"),
                Err(error) => tracing::debug!(file = %entry.path().display(), %error, "an old file cannot be removed"),
            }
        }
    }
}
