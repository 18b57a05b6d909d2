//! The subcommand `pop3 accounts remove`.

use std::fs;
use std::io;
use std::path::Path;

use super::add::{change, password_file};
use super::config::Config;
use super::unknown;
use crate::failure::{Exit, Failure, say};
use crate::folders;
use crate::language::Message;

/// Removes an account from the file, and its password if `accounts add` has stored that.
pub fn remove(name: &str) -> Result<(), Failure> {
    let path = Config::path().ok_or_else(|| Failure::new(Exit::Usage, Message::new("accounts-no-home")))?;
    // A link leads to the file that is changed.
    let path = path.canonicalize().map_err(|_| unknown(name))?;
    let mut stored = None;
    change(&path, || {
        let text = fs::read_to_string(&path).map_err(|error| Failure::file(&path, &error))?;
        let config = Config::parse(&path, &text)?;
        if !config.has(name) {
            return Err(unknown(name));
        }
        let left = without(&path, &config, &text, name)?;
        let password = password_file(&path, name);
        // Other accounts may have the same password.
        let is_used = password.file_name().is_some_and(|file| left.contains(&*file.to_string_lossy()));
        stored = config.own_password_file(name).filter(|file| *file == password && !is_used);
        Ok(left)
    })?;
    if let Some(file) = stored {
        match fs::remove_file(&file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Failure::file(&file, &error)),
            _ => {}
        }
    }
    let removed = Message::new("accounts-removed").with("account", name).with("file", path.display());
    say(removed.with("state", folders::state().unwrap_or_default().display()))
}

/// Returns the text of the file without the table of an account.
///
/// # Errors
/// The table cannot be told from the others by its lines, as when it is written within another one.
fn without(path: &Path, config: &Config, text: &str, name: &str) -> Result<String, Failure> {
    let is_head = |line: &str| line.trim_start().starts_with('[');
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    // What results is compared with what is wanted, so a line that only looks like the head of a table does no harm.
    let heads = (0..lines.len()).filter(|at| is_head(lines[*at]));
    let candidates = heads.map(|begin| {
        let mut end = lines[begin + 1..].iter().position(|line| is_head(line)).map_or(lines.len(), |length| begin + 1 + length);
        // Lines of comment before the next table are about that one.
        while end < lines.len() && lines[end - 1].trim_start().starts_with('#') {
            end -= 1;
        }
        [&lines[..begin], &lines[end..]].concat().concat()
    });
    let is_wanted = |text: &String| Config::parse(path, text).is_ok_and(|left| config.is_without(name, &left));
    let hard =
        || Failure::new(Exit::Usage, Message::new("accounts-not-removed").with("account", name).with("file", path.display()));
    candidates.into_iter().find(is_wanted).ok_or_else(hard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn removed(text: &str, name: &str) -> Option<String> {
        let path = Path::new("config.toml");
        without(path, &Config::parse(path, text).unwrap(), text, name).ok()
    }

    #[test]
    fn exactly_the_table_of_the_account_is_removed() {
        let (head, a, b) = (
            "jobs = 2 # two\n[defaults]\ntimeout = 60\n\n",
            "[accounts.a]\nserver = \"x\"\n",
            "[accounts.\"b c\"]\nserver = \"y\"\n",
        );
        let text = [head, a, "\n", b].concat();
        assert_eq!(removed(&text, "a").unwrap(), [head, b].concat());
        assert_eq!(removed(&text, "b c").unwrap(), [head, a, "\n"].concat());
        // What stands before a table is about it.
        assert_eq!(removed(&[a, "# about b\n", b].concat(), "a").unwrap(), ["# about b\n", b].concat());
        // A line of a text that looks like a head.
        let odd = format!("{a}{}", "[accounts.odd]\nserver = \"\"\"\n[accounts.a]\n\"\"\"\n");
        assert_eq!(removed(&odd, "a").unwrap(), "[accounts.odd]\nserver = \"\"\"\n[accounts.a]\n\"\"\"\n");
        assert_eq!(removed(&odd, "odd"), None);
        assert_eq!(removed("[accounts]\na = { server = \"x\" }\nb = { server = \"y\" }\n", "a"), None);
    }
}
