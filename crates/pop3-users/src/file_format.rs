//! The formats of the file of users.

use std::collections::HashMap;
use std::path::PathBuf;

use crate::scheme::is_usable;

/// The users of a file by their names.
pub type Stored = HashMap<Vec<u8>, StoredUser>;

/// The fields of a user that a server needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredUser {
    /// The stored hash or password.
    pub password: Vec<u8>,
    /// The home, if the file names one.
    pub home: Option<PathBuf>,
    /// The uid and the gid, if the file has both.
    pub ids: Option<(u32, u32)>,
}

/// The format of a file of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FileFormat {
    /// `NAME:PASSWORD`. The password may contain colons.
    #[default]
    Own,
    /// Dovecot's passwd-file: `NAME:PASSWORD:UID:GID:GECOS:HOME:SHELL:EXTRA`, with any number of fields.
    Dovecot,
}

/// Returns `true` for an extra field of Dovecot that does not concern logins. A user with any other one is left out: whoever is restricted,
/// redirected or locked out there must not come in here without that.
fn is_harmless(field: &[u8]) -> bool {
    field.is_empty() || field.starts_with(b"userdb_") || field == b"nodelay"
}

/// Parses the file of users. A line without a valid name and a usable hash is ignored, with a warning, and allows no login. With `fold_case`,
/// names are in lower case. Of several lines of one name the last one counts.
pub fn parse(text: &[u8], format: FileFormat, fold_case: bool) -> Stored {
    // Some editors write a byte order mark at the beginning.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut users = HashMap::new();
    for (at, line) in text.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() || line.starts_with(b"#") {
            continue;
        }
        match user(line, format) {
            Ok((name, user)) => {
                let name = if fold_case { name.to_ascii_lowercase() } else { name.to_vec() };
                if users.insert(name, user).is_some() {
                    tracing::warn!(line = at + 1, "line in the file of users takes the place of an earlier one of the same user");
                }
            }
            Err(reason) => tracing::warn!(line = at + 1, "line in the file of users ignored: {reason}"),
        }
    }
    users
}

fn user(line: &[u8], format: FileFormat) -> Result<(&[u8], StoredUser), &'static str> {
    let (name, rest) = split(line).ok_or("there is no colon")?;
    if !str::from_utf8(name).is_ok_and(is_safe_name) {
        return Err("the name is not allowed");
    }
    let (password, ids, home) = match format {
        FileFormat::Own => (rest, None, None),
        FileFormat::Dovecot => {
            // What stands behind the shell is fields separated by blanks, whose values may contain colons.
            let mut fields = rest.splitn(7, |byte| *byte == b':');
            let password = fields.next().unwrap_or_default();
            let mut id = || str::from_utf8(fields.next()?).ok()?.parse().ok();
            let (uid, gid) = (id(), id());
            // Behind gecos.
            let home = fields.nth(1).filter(|home| home.starts_with(b"/"));
            let extra = fields.nth(1).unwrap_or_default().split(|byte| *byte == b' ');
            let mut names = extra.map(|field| field.split(|byte| *byte == b'=').next().unwrap_or_default());
            if !names.all(is_harmless) {
                return Err("it has an extra field that is not supported and may restrict logins");
            }
            (password, uid.zip(gid), home)
        }
    };
    if !is_usable(password) {
        return Err("the password is not in a supported scheme");
    }
    let home = home.map(|home| PathBuf::from(String::from_utf8_lossy(home).into_owned()));
    Ok((name, StoredUser { password: password.to_vec(), home, ids }))
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
    fn dovecots_fields_end_at_colons_and_restricted_users_are_left_out() {
        let text = b"joe:{PLAIN}a:1000:1000::/home/joe::\nann:{PLAIN}b\nbob:{PLAIN}c:::::: userdb_quota_rule=*:storage=1G\n\
            eve:{PLAIN}d::::::allow_nets=192.0.2.0/24\nsam:{PLAIN}e::::::userdb_x=y nologin=yes\nmax:{PLAIN}g::::::fail=yes\nnone::::::\npat:{PLAIN}f:::: relative:\n";
        let users = parse(text, FileFormat::Dovecot, false);
        let field = |name: &str| users.get(name.as_bytes()).map(|user| (user.password.as_slice(), user.home.clone()));
        assert_eq!((users[&b"joe"[..]].ids, users[&b"bob"[..]].ids), (Some((1000, 1000)), None));
        assert_eq!(field("joe"), Some((&b"{PLAIN}a"[..], Some("/home/joe".into()))));
        assert_eq!(field("ann"), Some((&b"{PLAIN}b"[..], None)));
        assert_eq!(field("bob"), Some((&b"{PLAIN}c"[..], None)));
        assert_eq!(field("pat"), Some((&b"{PLAIN}f"[..], None)), "a home that is not absolute");
        assert_eq!((field("eve"), field("sam"), field("max"), field("none")), (None, None, None, None));
        let twice = parse(b"Joe:{PLAIN}old\njoe:{PLAIN}new\n", FileFormat::Own, true);
        assert_eq!((twice.len(), twice[&b"joe"[..]].password.as_slice()), (1, &b"{PLAIN}new"[..]));
        assert_eq!(parse(b"joe:{PLAIN}a:b:c\n", FileFormat::Own, false)[&b"joe"[..]].password, b"{PLAIN}a:b:c");
    }

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
