//! Names and passwords outside ASCII: two ways to type one character are one character (SASLprep, RFC 4013).

use alloc::borrow::Cow;

/// A name or password in the form in which it is compared and hashed. ASCII is that form already.
///
/// `None`: it is not UTF-8, or has characters in it that SASLprep forbids, as controls. Characters that are younger than SASLprep
/// are taken, too; in which direction they are written does not matter.
///
/// Without the feature `saslprep` everything is taken as it is.
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
    // By hand, so that characters that are younger than SASLprep are mapped and normalised, too (RFC 3454 §7).
    let kept = text.chars().filter(|c| !tables::commonly_mapped_to_nothing(*c) || tables::non_ascii_space_character(*c));
    let mapped = kept.map(|c| if tables::non_ascii_space_character(c) { ' ' } else { c });
    let prepared: alloc::string::String = mapped.nfkc().collect();
    if prepared.is_empty() || prepared.chars().any(is_forbidden) {
        return None;
    }
    Some(Cow::Owned(prepared.into_bytes()))
}

/// RFC 4013 §2.3.
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
            // Mixed directions are for display only.
            ("\u{627}\u{31}", Some("\u{627}\u{31}")),
            ("e\u{301}\u{1f511}\u{a0}\u{ad}x", Some("\u{e9}\u{1f511} x")),
        ];
        for (text, expected) in cases {
            assert_eq!(prepare(text.as_bytes()).as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
        // One of each table of RFC 4013 §2.3, which is in no other, beside a letter that is not of ASCII.
        for forbidden in ['\u{7}', '\u{80}', '\u{e000}', '\u{fdd0}', '\u{fffd}', '\u{2ff0}', '\u{200e}', '\u{e0020}'] {
            assert_eq!(prepare(format!("é{forbidden}").as_bytes()), None, "{forbidden:?}");
        }
        assert_eq!(prepare(b"").as_deref(), Some(&b""[..]));
        assert_eq!(prepare(b"\xe9"), None, "Latin-1");
        assert_eq!(prepare("e\u{301}".as_bytes()).as_deref(), Some("é".as_bytes()));
    }
}
