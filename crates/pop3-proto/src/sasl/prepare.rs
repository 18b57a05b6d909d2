//! Preparation of names and passwords outside ASCII (SASLprep, RFC 4013), so that different encodings of one character become
//! equal.

use alloc::borrow::Cow;

/// Returns a name or password in the form in which it is compared and hashed. Printable ASCII stays unchanged.
///
/// Returns `None` if the text is not UTF-8, contains characters that SASLprep forbids, such as controls, or has no characters
/// left. Characters that are newer than SASLprep are accepted, and the writing direction of characters is not checked.
///
/// Without the feature `saslprep`, every text is returned unchanged.
///
/// ```
/// use pop3_proto::sasl::prepare;
/// assert_eq!(prepare(b"secret").as_deref(), Some(&b"secret"[..]));
/// # #[cfg(feature = "saslprep")]
/// assert_eq!(prepare("I\u{ad}X \u{2168}".as_bytes()).as_deref(), Some(&b"IX IX"[..]));
/// ```
pub fn prepare(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    if text.iter().all(|byte| matches!(byte, b' '..=b'~')) || cfg!(not(feature = "saslprep")) {
        return Some(Cow::Borrowed(text));
    }
    prepare_unicode(text)
}

#[cfg(not(feature = "saslprep"))]
const fn prepare_unicode(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    Some(Cow::Borrowed(text))
}

#[cfg(feature = "saslprep")]
fn prepare_unicode(text: &[u8]) -> Option<Cow<'_, [u8]>> {
    use stringprep::tables;
    use unicode_normalization::UnicodeNormalization;
    let text = core::str::from_utf8(text).ok()?;
    // Implemented by hand so that characters newer than SASLprep are mapped and normalised, too (RFC 3454 §7).
    let kept = text.chars().filter(|c| !tables::commonly_mapped_to_nothing(*c) || tables::non_ascii_space_character(*c));
    let mapped = kept.map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c });
    let prepared: alloc::string::String = mapped.nfkc().collect();
    if prepared.is_empty() || prepared.chars().any(is_forbidden) {
        return None;
    }
    Some(Cow::Owned(prepared.into_bytes()))
}

/// Returns `true` if RFC 4013 §2.3 forbids the character.
#[cfg(feature = "saslprep")]
fn is_forbidden(c: char) -> bool {
    use stringprep::tables;
    tables::ascii_control_character(c)
        || tables::non_ascii_control_character(c)
        || tables::private_use(c)
        || tables::non_character_code_point(c)
        || tables::inappropriate_for_plain_text(c)
        || tables::inappropriate_for_canonical_representation(c)
        || tables::change_display_properties_or_deprecated(c)
        || tables::tagging_character(c)
}

#[cfg(all(test, feature = "saslprep"))]
mod tests {
    use super::*;
    use std::format;

    #[test]
    fn s54_q53_the_examples_of_rfc_4013() {
        let cases: [(&str, Option<&str>); 8] = [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            // Mixed writing directions affect only the display, so they are accepted.
            ("\u{627}\u{31}", Some("\u{627}\u{31}")),
            ("e\u{301}\u{1f511}\u{a0}\u{ad}x", Some("\u{e9}\u{1f511} x")),
        ];
        for (text, expected) in cases {
            assert_eq!(prepare(text.as_bytes()).as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
        // One character from each table of RFC 4013 §2.3 that is in no other table, after a letter outside ASCII.
        for forbidden in ['\u{7}', '\u{80}', '\u{e000}', '\u{fdd0}', '\u{fffd}', '\u{2ff0}', '\u{200e}', '\u{e0020}'] {
            assert_eq!(prepare(format!("é{forbidden}").as_bytes()), None, "{forbidden:?}");
        }
        assert_eq!(prepare(b"").as_deref(), Some(&b""[..]));
        assert_eq!(prepare(b"\xe9"), None, "Latin-1");
        assert_eq!(prepare("e\u{301}".as_bytes()).as_deref(), Some("é".as_bytes()));
    }
}
