//! Folders of the user, as the XDG Base Directory Specification names them.

use std::env;
use std::path::PathBuf;

/// Returns the folder for what a run leaves to the next: `$XDG_STATE_HOME/pop3`, or `~/.local/state/pop3`. `None` without a home.
pub fn state() -> Option<PathBuf> {
    Some(named("XDG_STATE_HOME").or_else(|| Some(named("HOME")?.join(".local/state")))?.join("pop3"))
}

/// Returns the folder for the configuration: `$XDG_CONFIG_HOME/pop3`, or `~/.config/pop3`. `None` without a home.
pub fn config() -> Option<PathBuf> {
    Some(named("XDG_CONFIG_HOME").or_else(|| Some(named("HOME")?.join(".config")))?.join("pop3"))
}

/// Returns the folder that a variable names. The specification ignores relative paths.
fn named(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).map(PathBuf::from).filter(|folder| folder.is_absolute())
}
