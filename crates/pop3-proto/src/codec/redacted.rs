//! Command lines without their secrets.

use core::fmt;

use super::{Command, Escaped, Verb, split_keyword};

/// A received command line for a log: without secrets, and escaped for a terminal.
///
/// Everything after an unknown or misused keyword is hidden, because it may be a secret. A first word that does not look like a
/// keyword (three or four letters or digits, RFC 1939 §3, or an `X` and more of them) may be a secret, too, and is hidden.
///
/// ```
/// use pop3_proto::codec::RedactedCommand;
/// assert_eq!(RedactedCommand(b"PASS secret").to_string(), "PASS [redacted]");
/// assert_eq!(RedactedCommand(b"XLOGIN joe secret").to_string(), "XLOGIN [redacted]");
/// assert_eq!(RedactedCommand(b"secret").to_string(), "[redacted]");
/// ```
// H25, H56
#[derive(Clone, Copy)]
pub struct RedactedCommand<'a>(pub &'a [u8]);

impl fmt::Display for RedactedCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Ok(command) = Command::parse(self.0) {
            return command.fmt(f);
        }
        let (keyword, rest) = split_keyword(self.0);
        let is_keyword = match keyword {
            [b'X' | b'x', _, _, ..] => keyword.len() <= MAX_KEYWORD,
            _ => matches!(keyword.len(), 3 | 4) || Verb::from_keyword(keyword).is_some(),
        };
        if !is_keyword || !keyword.iter().all(u8::is_ascii_alphanumeric) {
            return f.write_str("[redacted]");
        }
        write!(f, "{}{}", Escaped(keyword), if rest.is_empty() { "" } else { " [redacted]" })
    }
}

impl fmt::Debug for RedactedCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedactedCommand({self})")
    }
}

/// The longest keyword that is shown. The extensions that are known have shorter ones.
const MAX_KEYWORD: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn h56_what_may_be_a_secret_is_hidden() {
        for (line, shown) in [
            (&b"pass hunter2"[..], "PASS [redacted]"),
            (b"PASS hunter2\0", "PASS [redacted]"),
            (b"AUTH PLAIN AGpvZQBodW50ZXIy", "AUTH PLAIN [redacted]"),
            (b"AUTH PLAIN AGpv ZQBodW50ZXIy", "AUTH [redacted]"),
            (b"APOP joe hunter2", "APOP [redacted]"),
            (b"XPING hunter2", "XPING [redacted]"),
            (b"NOPE", "NOPE"),
            (b"hunter2", "[redacted]"),
            (b"AGpvZQBodW50ZXIy", "[redacted]"),
            (b"hunter2 joe", "[redacted]"),
            (b"", "[redacted]"),
            (b"USER joe", "USER joe"),
        ] {
            assert_eq!(RedactedCommand(line).to_string(), shown);
        }
    }

    proptest! {
        #[test]
        fn h25_h56_a_password_is_never_shown(before in "[A-Za-z0-9 ]{0,8}", password in "[a-zA-Z0-9]{13,20}", line: Vec<u8>) {
            prop_assert!(!RedactedCommand(&line).to_string().chars().any(char::is_control));
            // A name is no secret.
            prop_assume!(!before.trim_start().to_ascii_uppercase().starts_with("USER "));
            for line in [alloc::format!("{before}{password}"), alloc::format!("PASS {before}{password}")] {
                let shown = RedactedCommand(line.as_bytes()).to_string();
                prop_assert!(!shown.contains(&password), "{shown}");
            }
        }
    }
}
