//! Texts of servers and messages, made readable.

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};

/// Returns the text of a server for a person: decoded, and with its control characters replaced. Texts that are not UTF-8 are taken for what
/// their bytes look most like: GB18030, Big5, Shift-JIS, Latin-1 or another legacy encoding.
pub fn readable(text: &[u8]) -> String {
    one_line(&decoded(text))
}

/// Returns the text of a server as [`readable`] does, but in GB18030 if it is a known one then: a few characters are too few for a guess.
pub fn readable_if_known(text: &[u8], is_known: impl Fn(&str) -> bool) -> String {
    let chinese = one_line(&encoding_rs::GB18030.decode_without_bom_handling(text).0);
    if str::from_utf8(text).is_err() && is_known(&chinese) { chinese } else { readable(text) }
}

/// Returns text of several lines in the same way. Lines and tabulators stay.
pub fn readable_lines(text: &[u8]) -> String {
    let safe = |char: char| if is_unsafe(char) && !matches!(char, '\n' | '\t') { '\u{fffd}' } else { char };
    decoded(text).replace("\r\n", "\n").chars().map(safe).collect()
}

/// Returns text with its control characters replaced, line ends too.
pub fn one_line(text: &str) -> String {
    text.chars().map(|char| if is_unsafe(char) { '\u{fffd}' } else { char }).collect()
}

fn decoded(text: &[u8]) -> Cow<'_, str> {
    match str::from_utf8(text) {
        Ok(text) => text.into(),
        Err(_) => {
            let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
            detector.feed(text, true);
            let encoding = detector.guess(None, Utf8Detection::Deny);
            encoding.decode_without_bom_handling(text).0
        }
    }
}

/// Returns `true` for characters that change how a terminal shows the text around them.
fn is_unsafe(char: char) -> bool {
    char.is_control()
        || matches!(char, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_in_old_encodings_are_readable() {
        use encoding_rs::{BIG5, GB18030, SHIFT_JIS, WINDOWS_1252};
        for (encoding, text) in [
            (GB18030, "您没有权限使用pop3功能"),
            (GB18030, "用户名或密码错误，请使用授权码登录"),
            (BIG5, "密碼錯誤，請重新輸入"),
            (SHIFT_JIS, "パスワードが間違っています"),
            (WINDOWS_1252, "Contraseña incorrecta, inténtelo más tarde"),
        ] {
            let (bytes, _, _) = encoding.encode(text);
            assert_eq!(readable(&bytes), text, "{}", encoding.name());
        }
        assert_eq!(readable("plain, and ünïcode".as_bytes()), "plain, and ünïcode");
    }

    #[test]
    fn no_control_character_reaches_the_terminal() {
        assert_eq!(readable(b"a\x1b[31mb\x07"), "a\u{fffd}[31mb\u{fffd}");
        assert_eq!(readable("a\u{9b}b\u{202e}c".as_bytes()), "a\u{fffd}b\u{fffd}c");
        let (bytes, _, _) = encoding_rs::GB18030.encode("您没有权限\x1b[2J使用pop3功能");
        assert_eq!(readable(&bytes), "您没有权限\u{fffd}[2J使用pop3功能");
    }
}
