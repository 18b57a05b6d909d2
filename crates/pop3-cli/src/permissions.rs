//! Checks the permissions of files that contain secrets.

use std::path::Path;

/// Logs a warning if a file that contains secrets is accessible to all users of this machine.
pub fn warn_if_readable(file: &Path, what: &str) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if std::fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o007 != 0) {
            tracing::warn!(file = %file.display(), "all users of this machine can access {what}; chmod 600 it");
        }
    }
}
