//! Arguments of commands and replies. An argument with CR, LF or NUL in it cannot be constructed, so no argument contains
//! a second command.

use core::fmt;
use core::num::NonZeroU32;
use core::str;

use smallvec::SmallVec;
use thiserror::Error;

use super::number::{decimal, hex_value};
use super::swar::has_line_break;
use super::trim_blanks;

/// The reason why bytes are not a valid argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidArgument {
    /// The argument is empty.
    #[error("the argument is empty")]
    Empty,
    /// The argument contains a byte that the protocol does not allow there.
    #[error("byte {byte:#04x} at offset {at} cannot be sent in this argument")]
    Forbidden {
        /// The byte.
        byte: u8,
        /// The offset of the byte, counted from 0.
        at: usize,
    },
    /// The argument begins or ends with a blank, which the peer would read as a separator.
    #[error("the argument begins or ends with a blank")]
    OuterBlank,
    /// The keyword of an extension is one that the RFCs define.
    #[error("this keyword is a command of the RFCs and cannot name an extension")]
    KnownKeyword,
    /// The argument is longer than the protocol allows.
    #[error("the argument is longer than {limit} octets")]
    TooLong {
        /// The maximum length in octets.
        limit: usize,
    },
}

/// Returns the beginning of `bytes` before the first CR, LF or NUL.
pub(crate) fn before_line_break(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n' | 0)).unwrap_or(bytes.len());
    bytes.get(..end).unwrap_or_default()
}

/// Refuses CR, LF and NUL, which end a line or a C string.
// H15
pub(crate) fn refuse_line_breaks(bytes: &[u8]) -> Result<(), InvalidArgument> {
    if !has_line_break(bytes) {
        return Ok(());
    }
    match bytes.iter().position(|b| matches!(b, b'\r' | b'\n' | 0)) {
        Some(at) => Err(InvalidArgument::Forbidden { byte: bytes.get(at).copied().unwrap_or(0), at }),
        None => Ok(()),
    }
}

/// The number of a message in a session, counted from 1 (RFC 1939 §5). Numbers do not change during a session.
///
/// ```
/// use pop3_proto::codec::MessageNumber;
/// assert_eq!(MessageNumber::new(7).map(MessageNumber::get), Some(7));
/// assert_eq!(MessageNumber::new(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(NonZeroU32);

impl MessageNumber {
    /// The number of the first message.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// Creates a message number; `None` for 0, which is not a message number.
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Returns the number of the message at `index`, counted from 0; `None` if the number does not fit in a `u32`.
    pub fn from_index(index: usize) -> Option<Self> {
        u32::try_from(index).ok()?.checked_add(1).and_then(Self::new)
    }

    /// Returns the number, which is at least 1.
    pub const fn get(self) -> u32 {
        self.0.get()
    }

    /// Returns the index of the message in a list, counted from 0.
    pub const fn index(self) -> usize {
        (self.0.get() - 1) as usize
    }

    /// Parses decimal digits. Returns `None` for 0, for bytes that are not digits, and for numbers that do not fit in a `u32`.
    pub fn parse(digits: &[u8]) -> Option<Self> {
        u32::try_from(decimal(digits)?).ok().and_then(Self::new)
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The name of a mailbox, the argument of `USER` (RFC 1939 §7). It may contain bytes that are not ASCII, and blanks except at its
/// ends.
// Q53
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Username<'a>(&'a [u8]);

impl<'a> Username<'a> {
    /// The maximum length in octets (RFC 4616 §2).
    pub const MAX: usize = 255;

    /// Creates a name.
    ///
    /// # Errors
    /// The name is empty, is longer than 255 octets, contains CR, LF or NUL, or begins or ends with a blank.
    pub fn new(name: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        let name = name.as_ref();
        refuse_line_breaks(name)?;
        match name {
            [] => Err(InvalidArgument::Empty),
            _ if trim_blanks(name).len() != name.len() => Err(InvalidArgument::OuterBlank),
            _ if name.len() > Self::MAX => Err(InvalidArgument::TooLong { limit: Self::MAX }),
            _ => Ok(Self(name)),
        }
    }

    /// Returns the name as it is sent.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Username<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Username({})", super::Escaped(self.0))
    }
}

/// A [`Username`] that owns its octets. A client chose it: never use it as a file path.
// H29, H57
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct OwnedUsername(SmallVec<[u8; 32]>);

impl OwnedUsername {
    /// Returns the octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Username<'_>> for OwnedUsername {
    fn from(name: Username<'_>) -> Self {
        Self(SmallVec::from_slice(name.as_bytes()))
    }
}

impl fmt::Debug for OwnedUsername {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OwnedUsername({})", super::Escaped(&self.0))
    }
}

/// The argument of `PASS`: the rest of the line, blanks included (RFC 1939 §7). `Debug` never shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password<'a>(&'a [u8]);

impl<'a> Password<'a> {
    /// The maximum length in octets (RFC 4616 §2).
    pub const MAX: usize = 255;

    /// Creates a password, which may be empty.
    ///
    /// # Errors
    /// The password is longer than 255 octets or contains CR, LF or NUL.
    // Q53
    pub fn new(password: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        let password = password.as_ref();
        refuse_line_breaks(password)?;
        if password.len() > Self::MAX {
            return Err(InvalidArgument::TooLong { limit: Self::MAX });
        }
        Ok(Self(password))
    }

    /// Returns the secret itself.
    pub const fn expose(&self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password([redacted])")
    }
}

/// The MD5 digest that `APOP` sends instead of a password, in lower-case hexadecimal (RFC 1939 §7). `Debug` never shows it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ApopDigest([u8; 16]);

impl ApopDigest {
    /// Creates a digest that was computed elsewhere: MD5 over the greeting's timestamp followed by the shared secret.
    pub const fn new(digest: [u8; 16]) -> Self {
        Self(digest)
    }

    /// Computes the digest over a greeting's timestamp, angle brackets included, and a password.
    ///
    /// ```
    /// # #[cfg(feature = "apop")] {
    /// use pop3_proto::codec::ApopDigest;
    /// let digest = ApopDigest::of(b"<1896.697170952@dbc.mtview.ca.us>", b"tanstaaf");
    /// assert_eq!(Some(digest), ApopDigest::parse(b"c4c9334bac560ecc979e58001b3e22fb"));
    /// # }
    /// ```
    #[cfg(feature = "apop")]
    pub fn of(timestamp: &[u8], password: &[u8]) -> Self {
        use md5::Digest;
        Self(md5::Md5::new().chain_update(timestamp).chain_update(password).finalize().into())
    }

    /// Returns the sixteen octets of the digest.
    pub const fn expose(&self) -> &[u8; 16] {
        &self.0
    }

    /// Parses 32 lower-case hexadecimal digits; `None` for other input.
    pub fn parse(hex: &[u8]) -> Option<Self> {
        // The compiler turns loops over arrays into vector instructions.
        let mut values: [u8; 32] = hex.try_into().ok()?;
        for value in &mut values {
            *value = hex_value(*value);
        }
        let wrong = values.iter().fold(0, |wrong, value| wrong | value);
        let mut digest = [0u8; 16];
        for (octet, [high, low]) in digest.iter_mut().zip(values.as_chunks::<2>().0) {
            *octet = (high << 4) | (low & 0x0F);
        }
        (wrong <= 0x0F).then_some(Self(digest))
    }
}

impl fmt::Debug for ApopDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ApopDigest([redacted])")
    }
}

/// One word of a command: one or more octets from `0x21` to `0x7E`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Word<'a>(&'a [u8]);

impl<'a> Word<'a> {
    /// Creates a word.
    ///
    /// # Errors
    /// The word is empty, or contains a blank, a control character or a byte that is not ASCII.
    pub fn new(word: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        let word = word.as_ref();
        match word.iter().position(|byte| !byte.is_ascii_graphic()) {
            _ if word.is_empty() => Err(InvalidArgument::Empty),
            Some(at) => Err(InvalidArgument::Forbidden { byte: word.get(at).copied().unwrap_or(0), at }),
            None => Ok(Self(word)),
        }
    }

    /// Returns the octets.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns the octets.
    pub const fn into_bytes(self) -> &'a [u8] {
        self.0
    }
}

/// The human-readable text after `+OK` or `-ERR`.
///
/// A text never begins with `[`, which clients would read as a response code (RFC 2449 §8), and never begins or ends with a
/// blank. A text that would make its line longer than 512 octets is cut when it is sent (RFC 1939 §3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReplyText<'a>(&'a str);

impl<'a> ReplyText<'a> {
    /// The empty text.
    pub const EMPTY: Self = Self("");

    /// Creates a text.
    ///
    /// # Errors
    /// The text contains CR, LF or NUL, begins with `[`, or begins or ends with a blank.
    pub fn new(text: &'a str) -> Result<Self, InvalidArgument> {
        refuse_line_breaks(text.as_bytes())?;
        if text.starts_with('[') {
            return Err(InvalidArgument::Forbidden { byte: b'[', at: 0 });
        }
        if trim_blanks(text.as_bytes()).len() != text.len() {
            return Err(InvalidArgument::OuterBlank);
        }
        Ok(Self(text))
    }

    /// Creates a text that is known at compile time.
    ///
    /// # Panics
    /// Panics if [`ReplyText::new`] returns an error for the text. In a `const`, the program does not compile instead.
    #[allow(clippy::panic)] // Only a literal in the program's own source can cause a panic.
    pub const fn literal(text: &'static str) -> ReplyText<'static> {
        let bytes = text.as_bytes();
        let mut rest = bytes;
        while let [byte, tail @ ..] = rest {
            if matches!(*byte, b'\r' | b'\n' | 0) {
                panic!("CR, LF and NUL cannot be sent in a text");
            }
            rest = tail;
        }
        match bytes {
            [b'[' | b' ' | b'\t', ..] | [.., b' ' | b'\t'] => {
                panic!("a text begins with no bracket and has no blanks at its ends")
            }
            _ => ReplyText(text),
        }
    }

    /// Returns the text.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }
}

/// A unique-id that a server sends: 1 to 70 octets from `0x21` to `0x7E` (RFC 1939 §7).
///
/// A unique-id that a client receives may break this rule: see [`UniqueIdListing`](super::UniqueIdListing).
///
/// ```
/// use pop3_proto::codec::UniqueId;
/// assert!(UniqueId::new("1700000000.M1P2.host").is_ok());
/// assert!(UniqueId::new("two words").is_err());
/// assert!(UniqueId::new(&"x".repeat(71)).is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UniqueId<'a>(&'a str);

impl<'a> UniqueId<'a> {
    /// The maximum length in octets.
    pub const MAX: usize = 70;

    /// Creates a unique-id.
    ///
    /// # Errors
    /// The unique-id is empty, is longer than 70 octets, or contains a byte outside `0x21..=0x7E`.
    pub fn new(id: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        let id = id.as_ref();
        if id.is_empty() {
            return Err(InvalidArgument::Empty);
        }
        if id.len() > Self::MAX {
            return Err(InvalidArgument::TooLong { limit: Self::MAX });
        }
        match id.iter().position(|b| !matches!(b, 0x21..=0x7E)) {
            Some(at) => Err(InvalidArgument::Forbidden { byte: id.get(at).copied().unwrap_or(0), at }),
            // All bytes are ASCII here, so the conversion cannot fail.
            None => str::from_utf8(id).map(Self).map_err(|e| InvalidArgument::Forbidden { byte: 0x80, at: e.valid_up_to() }),
        }
    }

    /// Creates a unique-id from a text that was checked before.
    pub(crate) const fn checked(id: &'a str) -> Self {
        Self(id)
    }

    /// Returns the unique-id.
    pub const fn as_str(&self) -> &'a str {
        self.0
    }

    /// Returns the octets of the unique-id.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h56_a_name_is_shown_harmless() {
        assert_eq!(std::format!("{:?}", OwnedUsername::from(Username::new("joe\u{1b}").unwrap())), "OwnedUsername(joe\\u{1b})");
    }
    use alloc::format;

    #[test]
    fn h15_cr_lf_and_nul_do_not_construct() {
        for bad in ["\r", "\n", "\0", "a\rb", "a\nb", "a\0b", "end\r\n", "\nDELE 1"] {
            assert!(matches!(Username::new(bad), Err(InvalidArgument::Forbidden { .. })), "{bad:?}");
            assert!(matches!(Password::new(bad), Err(InvalidArgument::Forbidden { .. })), "{bad:?}");
            assert!(matches!(ReplyText::new(bad), Err(InvalidArgument::Forbidden { .. })), "{bad:?}");
            assert!(matches!(Word::new(bad), Err(InvalidArgument::Forbidden { .. })), "{bad:?}");
            assert!(matches!(UniqueId::new(bad), Err(InvalidArgument::Forbidden { .. })), "{bad:?}");
        }
    }

    #[test]
    fn q53_names_and_passwords_with_blanks() {
        assert!(Username::new("Jörg von Nebenan").is_ok());
        assert_eq!(Username::new(" x"), Err(InvalidArgument::OuterBlank));
        assert_eq!(Username::new("x\t"), Err(InvalidArgument::OuterBlank));
        assert_eq!(Username::new(""), Err(InvalidArgument::Empty));
        assert_eq!(Password::new(" two  blanks ").map(|p| p.expose().len()), Ok(13));
        assert!(Password::new("").is_ok());
        assert_eq!(Password::new(&"x".repeat(256)), Err(InvalidArgument::TooLong { limit: 255 }));
    }

    #[test]
    fn h56_debug_shows_no_secret() {
        assert_eq!(format!("{:?}", Password::new("hunter2").unwrap()), "Password([redacted])");
        assert_eq!(format!("{:?}", ApopDigest::new([7; 16])), "ApopDigest([redacted])");
    }

    #[test]
    fn arguments_are_shown_as_they_are_and_harmless() {
        assert_eq!(format!("{}", MessageNumber::FIRST), "1");
        assert_eq!(format!("{:?}", Username::new("joe\u{1b}").unwrap()), "Username(joe\\u{1b})");
    }

    #[test]
    #[should_panic(expected = "no bracket")]
    fn s39_a_literal_text_is_never_a_response_code() {
        ReplyText::literal("[IN-USE] no");
    }

    #[test]
    fn s39_a_text_is_never_a_response_code() {
        assert!(ReplyText::new("[IN-USE] no").is_err());
        assert!(ReplyText::new(" text").is_err());
        assert!(ReplyText::new("a [b] c").is_ok());
    }

    #[test]
    fn s16_unique_ids_keep_to_the_rfc() {
        let id = "!~".repeat(35);
        assert!(UniqueId::new(&id).is_ok());
        for bad in ["", " ", "a b", "\x7f", "é"] {
            assert!(UniqueId::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn s13_zero_and_huge_are_no_message_numbers() {
        for bad in ["0", "000", "4294967296", "4294967297", "-1", "x", ""] {
            assert_eq!(MessageNumber::parse(bad.as_bytes()), None, "{bad:?}");
        }
        assert_eq!(MessageNumber::parse(b"4294967295").map(MessageNumber::get), Some(u32::MAX));
        assert_eq!(MessageNumber::from_index(u32::MAX as usize), None);
    }

    #[test]
    fn s25_digests_are_lower_case() {
        let hex = b"c4c9334bac560ecc979e58001b3e22fb";
        assert!(ApopDigest::parse(hex).is_some());
        assert!(ApopDigest::parse(&hex.to_ascii_uppercase()).is_none());
        assert!(ApopDigest::parse(&hex[..31]).is_none());
        assert!(ApopDigest::parse(b"g4c9334bac560ecc979e58001b3e22fb").is_none());
        assert!(ApopDigest::parse(b"gg4c9334bac560ecc979e58001b3e22f").is_none(), "two wrongs are no right");
    }
}
