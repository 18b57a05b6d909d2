//! Folders of the user, as the XDG Base Directory Specification names them.

use std::env;
use std::path::PathBuf;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but letters, digits and what is harmless in the name of a file.
const UNSAFE: &AsciiSet = &NON_ALPHANUMERIC.remove(b'@').remove(b'-').remove(b'_').remove(b'+').remove(b'.');

/// Returns a text as a part of the name of a file. It contains no separator, so it cannot lead out of a folder.
// H29
pub fn file_name(text: &str) -> String {
    utf8_percent_encode(text, UNSAFE).to_string()
}

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
