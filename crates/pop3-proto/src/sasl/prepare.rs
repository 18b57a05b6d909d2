//! Names and passwords outside ASCII: two ways to type one character are one character (SASLprep, RFC 4013).

use alloc::borrow::Cow;

/// A name or password in the form in which it is compared and hashed. ASCII is that form already.
///
/// `None`: it is not UTF-8, or has characters in it that SASLprep forbids, as controls. Characters that are younger than SASLprep
/// are taken as they are.
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
    let text = core::str::from_utf8(text).ok()?;
    match stringprep::saslprep(text) {
        Ok(prepared) if prepared.is_empty() => None,
        Ok(Cow::Borrowed(same)) => Some(Cow::Borrowed(same.as_bytes())),
        Ok(Cow::Owned(prepared)) => Some(Cow::Owned(prepared.into_bytes())),
        Err(_) if text.chars().any(is_forbidden) => None,
        Err(_) => Some(Cow::Borrowed(text.as_bytes())),
    }
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

    #[test]
    fn s54_q53_the_examples_of_rfc_4013() {
        let cases: [(&str, Option<&str>); 8] = [
            ("I\u{ad}X", Some("IX")),
            ("user", Some("user")),
            ("USER", Some("USER")),
            ("\u{aa}", Some("a")),
            ("\u{2168}", Some("IX")),
            ("\u{7}", None),
            // Mixed directions are for display only: taken as they are.
            ("\u{627}\u{31}", Some("\u{627}\u{31}")),
            ("\u{1f511}", Some("\u{1f511}")),
        ];
        for (text, expected) in cases {
            assert_eq!(prepare(text.as_bytes()).as_deref(), expected.map(str::as_bytes), "{text:?}");
        }
        assert_eq!(prepare(b"\xe9"), None, "Latin-1");
        assert_eq!(prepare("e\u{301}".as_bytes()).as_deref(), Some("é".as_bytes()));
    }
}
