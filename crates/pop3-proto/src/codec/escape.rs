//! Escapes that make a peer's bytes safe for a terminal or a log.

use core::fmt::{self, Write};

/// Bytes of a peer for display: escapes replace all characters that could move a cursor, colour a terminal, change the writing
/// direction or begin a new line in a log. Printable UTF-8 stays as it is; format directives and variables in it are never
/// expanded.
///
/// ```
/// use pop3_proto::codec::Escaped;
/// assert_eq!(Escaped(b"caf\xC3\xA9 \x1B[31m\xFF").to_string(), r"café \u{1b}[31m\xff");
/// ```
// H25, H26
#[derive(Clone, Copy, Debug)]
pub struct Escaped<'a>(pub &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                if is_harmless(c) { f.write_char(c)? } else { write!(f, "{}", c.escape_default())? }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

fn is_harmless(c: char) -> bool {
    // Besides control characters, these are escaped: marks and overrides of direction, zero-width characters, line separators,
    // the byte order mark.
    !c.is_control()
        && !matches!(c, '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn h25_no_byte_reaches_a_terminal_as_control() {
        for byte in 0..=u8::MAX {
            for bytes in [&[byte][..], &[0xC2, byte], &[b'a', byte, b'b']] {
                assert!(!Escaped(bytes).to_string().chars().any(char::is_control), "{bytes:?}");
            }
        }
        for c in ['\u{61c}', '\u{200b}', '\u{200f}', '\u{2028}', '\u{2066}', '\u{2069}', '\u{feff}'] {
            assert!(Escaped(alloc::format!("{c}").as_bytes()).to_string().starts_with("\\u{"), "{c:?}");
        }
        assert_eq!(Escaped("a\u{202e}b".as_bytes()).to_string(), "a\\u{202e}b");
        assert_eq!(Escaped("登录太频繁".as_bytes()).to_string(), "登录太频繁");
    }
}
