//! The format of the file of users.

use std::collections::HashMap;

use crate::password_hash::is_usable;

/// User names, and the stored hash or password of each.
pub type Stored = HashMap<Vec<u8>, Vec<u8>>;

/// Parses the file of users. A line without a valid name and a usable hash is ignored, with a warning, and allows no login.
pub fn parse(text: &[u8]) -> Stored {
    // Some editors write a byte order mark at the beginning.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut users = HashMap::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match split(line) {
            Some((name, stored)) if str::from_utf8(name).is_ok_and(is_safe_name) && is_usable(stored) => {
                users.insert(name.to_vec(), stored.to_vec());
            }
            _ => tracing::warn!(line = at + 1, "line in the file of users ignored: not NAME:HASH with a supported hash"),
        }
    }
    users
}

/// Splits a line of the file into the name and the stored hash or password. Returns `None` if the line has no colon.
pub(crate) fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = line.iter().position(|byte| *byte == b':')?;
    Some((line.get(..at)?, line.get(at + 1..)?))
}

/// Returns `true` if a user may have this name, which becomes a part of a path. A name has at most 255 octets: the characters
/// that RFC 5321 allows in a mailbox, and letters of any language, but no `/`, no `:` (it ends the name in the file), no control
/// character, no dot or blank at either end, and no `#` or `-` at the beginning.
// H57
pub fn is_safe_name(name: &str) -> bool {
    const LONGEST: usize = 255;
    let forbidden = |c: char| matches!(c, '/' | ':') || c.is_control() || (c.is_whitespace() && c != ' ');
    let ends = |c: char| c == ' ' || c == '.';
    !name.is_empty()
        && name.len() <= LONGEST
        && !name.contains(forbidden)
        && !name.starts_with(['#', '-'])
        && !name.starts_with(ends)
        && !name.ends_with(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h57_unsafe_names_are_refused() {
        for bad in
            ["", ".", "..", "../x", "a/b", "/etc", ".hidden", "a\0", "a:b", "a\nb", " a", "a ", "-rf", "#a", &"x".repeat(256)]
        {
            assert!(!is_safe_name(bad), "{bad:?}");
        }
        for good in
            ["joe", "joe@example.org", "o'brien@example.org", "r&d@x", "a=b@x", "j#k@x", "müller@x", "!$%*?^`{|}~@x", "%u", "1"]
        {
            assert!(is_safe_name(good), "{good:?}");
        }
    }
}
