//! Command lines without their secrets.

use core::fmt;

use super::{Command, Escaped, Verb, split_keyword};

/// A received command line for a log: without secrets, and escaped for a terminal.
///
/// Everything after an unknown or misused keyword is hidden, because it may be a secret. A first word that does not look like a
/// keyword (three or four letters or digits, RFC 1939 §3, or an `X` and more capitals) may be a secret, too, and is hidden. So is what
/// stands in the place of a mechanism or a language and does not look like one.
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
        let (keyword, rest) = split_keyword(self.0);
        match Command::parse(self.0) {
            // What stands in the place of a mechanism or a language may be a response or a password.
            Ok(Command::Auth(mechanism, _)) if !is_mechanism(mechanism.as_bytes()) => return f.write_str("AUTH [redacted]"),
            Ok(Command::Lang(Some(range))) if !is_language_range(range.as_bytes()) => return f.write_str("LANG [redacted]"),
            Ok(Command::Xclient(_)) => return f.write_str("XCLIENT [redacted]"),
            Ok(command) => return command.fmt(f),
            Err(_) => {}
        }
        let is_keyword = match keyword {
            [b'X', rest @ ..] => {
                matches!(rest.len(), 2..=11) && rest.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'-')
            }
            _ => matches!(keyword.len(), 3 | 4) && keyword.iter().all(u8::is_ascii_alphanumeric),
        };
        if !is_keyword && Verb::from_keyword(keyword).is_none() {
            return f.write_str("[redacted]");
        }
        write!(f, "{}{}", Escaped(keyword), if rest.is_empty() { "" } else { " [redacted]" })
    }
}

/// Returns `true` for what looks like the name of a mechanism (RFC 4422 §3.1); a response in base64 has lower-case letters.
fn is_mechanism(word: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_');
    word.len() <= 20 && word.iter().all(allowed)
}

/// Returns `true` for `*` and for what looks like a language tag, such as `zh-Hant`.
fn is_language_range(word: &[u8]) -> bool {
    let mut parts = word.split(|byte| *byte == b'-');
    let is_language = parts.next().is_some_and(|part| matches!(part.len(), 2 | 3) && part.iter().all(u8::is_ascii_alphabetic));
    word == b"*" || (is_language && parts.all(|part| part.len() == 2 || part.len() == 4) && word.len() <= 10)
}

impl fmt::Debug for RedactedCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RedactedCommand({self})")
    }
}

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
            (b"xping hunter2", "[redacted]"),
            (b"X-HELLO", "X-HELLO"),
            (b"AUTH AGpvZQBodW50ZXIy", "AUTH [redacted]"),
            (b"LANG hunter2", "LANG [redacted]"),
            (b"LANG zh-Hant", "LANG zh-Hant"),
            (b"XCLIENT LOGIN=hunter2", "XCLIENT [redacted]"),
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
            prop_assume!(password.bytes().any(|byte| byte.is_ascii_lowercase()));
            for start in ["", "PASS ", "AUTH ", "AUTH PLAIN ", "LANG ", "XCLIENT LOGIN=", "XYZ ", "X"] {
                let line = alloc::format!("{start}{before}{password}");
                let shown = RedactedCommand(line.as_bytes()).to_string();
                prop_assert!(!shown.contains(&password), "{shown}");
            }
        }
    }
}
