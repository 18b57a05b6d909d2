//! Capabilities of a server: the lines of the reply to `CAPA` (RFC 2449).

use alloc::boxed::Box;
use alloc::vec::Vec;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;

use super::number::{decimal, put_decimal};
use super::{InvalidArgument, is_blank, refuse_line_breaks, trim_blanks};

/// The words after a tag or a keyword, separated by blanks: bytes without CR, LF and NUL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Words<'a>(&'a [u8]);

impl<'a> Words<'a> {
    /// Creates the words and removes the blanks at both ends.
    ///
    /// # Errors
    /// The words contain CR, LF or NUL.
    pub fn new(words: &'a (impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        refuse_line_breaks(words.as_ref())?;
        Ok(Self(trim_blanks(words.as_ref())))
    }

    /// Returns the words, with the blanks between them.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }

    /// Returns an iterator over the words.
    pub fn iter(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty())
    }

    /// Returns the words of a peer up to the first CR, LF or NUL.
    fn cut(words: &'a [u8]) -> Self {
        Self(trim_blanks(words.split(|byte| matches!(byte, b'\r' | b'\n' | 0)).next().unwrap_or_default()))
    }
}

/// One line of the reply to `CAPA`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability<'a> {
    /// `TOP`
    Top,
    /// `USER`: login with `USER` and `PASS`.
    User,
    /// `SASL`: the mechanisms for `AUTH`, separated by blanks.
    Sasl(Words<'a>),
    /// `RESP-CODES`
    RespCodes,
    /// `AUTH-RESP-CODE` (RFC 3206)
    AuthRespCode,
    /// `LOGIN-DELAY`: the minimum time between two logins (RFC 2449 §6.5).
    LoginDelay {
        /// The time in seconds.
        seconds: u64,
        /// The value may differ between users: ask for the capabilities again after login.
        per_user: bool,
    },
    /// `PIPELINING`
    Pipelining,
    /// `EXPIRE`: the time for which the server keeps messages (RFC 2449 §6.7).
    Expire {
        /// The time for which messages are kept.
        after: Expire,
        /// The value may differ between users: ask for the capabilities again after login.
        per_user: bool,
    },
    /// `UIDL`
    Uidl,
    /// `IMPLEMENTATION`: the name of the server's program, for people; a client must not depend on it (RFC 2449 §6.9).
    // S43
    Implementation(Words<'a>),
    /// `STLS` (RFC 2595)
    Stls,
    /// `UTF8` (RFC 6856 §2)
    Utf8 {
        /// The argument `USER` follows: names and passwords may be in UTF-8, too.
        user: bool,
    },
    /// `LANG` (RFC 6856 §3)
    Lang,
    /// `XCLIENT`: the names of the words that a trusted proxy may send. It is not in any RFC.
    Xclient(Words<'a>),
    /// Any other line, complete. A client ignores capabilities that it does not know (RFC 2449 §5).
    // S38
    Other(Words<'a>),
}

/// The time for which a server keeps messages (RFC 2449 §6.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expire {
    /// `NEVER`: the server keeps messages until a client deletes them.
    Never,
    /// The number of days. 0 means that the server may remove a message once it was retrieved.
    Days(u64),
}

impl<'a> Capability<'a> {
    /// Parses a line without its line end. Tags are compared case-insensitively, and runs of blanks are accepted.
    // S38, Q12
    pub fn parse(line: &'a [u8]) -> Self {
        let line = Words::cut(line);
        let (tag, arguments) = split_word(line.0);
        // All known tags are shorter than 16 octets, so nothing is allocated.
        let upper: SmallVec<[u8; 16]> = tag.iter().take(16).map(u8::to_ascii_uppercase).collect();
        let known = || {
            let capability = match upper.as_slice() {
                b"TOP" => Self::Top,
                b"USER" => Self::User,
                b"SASL" => Self::Sasl(Words(arguments)),
                b"RESP-CODES" => Self::RespCodes,
                b"AUTH-RESP-CODE" => Self::AuthRespCode,
                b"PIPELINING" => Self::Pipelining,
                b"UIDL" => Self::Uidl,
                b"STLS" => Self::Stls,
                b"UTF8" => Self::Utf8 { user: says_user(arguments) },
                b"LANG" => Self::Lang,
                b"XCLIENT" => Self::Xclient(Words(arguments)),
                b"IMPLEMENTATION" => Self::Implementation(Words(arguments)),
                b"LOGIN-DELAY" => {
                    let (seconds, rest) = split_word(arguments);
                    Self::LoginDelay { seconds: decimal(seconds)?, per_user: says_user(rest) }
                }
                b"EXPIRE" => {
                    let (days, rest) = split_word(arguments);
                    let after = if days.eq_ignore_ascii_case(b"NEVER") { Expire::Never } else { Expire::Days(decimal(days)?) };
                    Self::Expire { after, per_user: says_user(rest) }
                }
                _ => return None,
            };
            Some(capability)
        };
        known().unwrap_or(Self::Other(line))
    }

    /// Appends the line without its line end.
    pub fn encode(&self, out: &mut BytesMut) {
        match *self {
            Self::Top => out.put_slice(b"TOP"),
            Self::User => out.put_slice(b"USER"),
            Self::Sasl(mechanisms) => put_words(out, b"SASL ", mechanisms),
            Self::RespCodes => out.put_slice(b"RESP-CODES"),
            Self::AuthRespCode => out.put_slice(b"AUTH-RESP-CODE"),
            Self::Pipelining => out.put_slice(b"PIPELINING"),
            Self::Uidl => out.put_slice(b"UIDL"),
            Self::Stls => out.put_slice(b"STLS"),
            Self::Lang => out.put_slice(b"LANG"),
            Self::Utf8 { user } => {
                out.put_slice(b"UTF8");
                put_per_user(out, user);
            }
            Self::Xclient(what) => put_words(out, b"XCLIENT ", what),
            Self::Implementation(text) => put_words(out, b"IMPLEMENTATION ", text),
            Self::Other(line) => put_words(out, b"", line),
            Self::LoginDelay { seconds, per_user } => {
                out.put_slice(b"LOGIN-DELAY ");
                put_decimal(out, seconds);
                put_per_user(out, per_user);
            }
            Self::Expire { after, per_user } => {
                out.put_slice(b"EXPIRE ");
                match after {
                    Expire::Never => out.put_slice(b"NEVER"),
                    Expire::Days(days) => put_decimal(out, days),
                }
                put_per_user(out, per_user);
            }
        }
    }
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|byte| is_blank(*byte)).unwrap_or(line.len());
    let (word, rest) = line.split_at_checked(end).unwrap_or((line, &[]));
    (word, trim_blanks(rest))
}

fn says_user(rest: &[u8]) -> bool {
    split_word(rest).0.eq_ignore_ascii_case(b"USER")
}

fn put_words(out: &mut BytesMut, tag: &[u8], words: Words<'_>) {
    out.put_slice(tag);
    out.put_slice(words.0);
}

fn put_per_user(out: &mut BytesMut, per_user: bool) {
    if per_user {
        out.put_slice(b" USER");
    }
}

/// All capabilities that a server announced. A `bool` field is `true` if the server announced its tag.
///
/// ```
/// use pop3_proto::codec::Capabilities;
/// let capabilities: Capabilities = [&b"TOP"[..], b"uidl", b"SASL PLAIN SCRAM-SHA-256", b"X-NEW"].into_iter().collect();
/// assert!(capabilities.uidl && capabilities.top && !capabilities.stls);
/// assert!(capabilities.has_mechanism("plain"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(clippy::struct_excessive_bools)] // Each of them is one tag of the RFC.
pub struct Capabilities {
    /// `TOP`
    pub top: bool,
    /// `USER`
    pub user: bool,
    /// `UIDL`
    pub uidl: bool,
    /// `STLS`
    pub stls: bool,
    /// `PIPELINING`
    pub pipelining: bool,
    /// `RESP-CODES`
    pub resp_codes: bool,
    /// `AUTH-RESP-CODE`
    pub auth_resp_code: bool,
    /// `UTF8`: `Some(true)` if names and passwords may be in UTF-8, too.
    pub utf8: Option<bool>,
    /// `LANG`
    pub lang: bool,
    /// `XCLIENT`
    pub xclient: bool,
    /// `LOGIN-DELAY` in seconds.
    pub login_delay: Option<u64>,
    /// `EXPIRE`
    pub expire: Option<Expire>,
    /// `IMPLEMENTATION`, as bytes.
    pub implementation: Option<Box<[u8]>>,
    /// The mechanisms after `SASL`, in the server's order.
    pub mechanisms: SmallVec<[Box<[u8]>; 4]>,
    /// The lines of unknown capabilities.
    pub others: Vec<Box<[u8]>>,
}

impl Capabilities {
    /// Adds one line of the reply to `CAPA`.
    pub fn add(&mut self, line: &[u8]) {
        match Capability::parse(line) {
            Capability::Top => self.top = true,
            Capability::User => self.user = true,
            Capability::Uidl => self.uidl = true,
            Capability::Stls => self.stls = true,
            Capability::Pipelining => self.pipelining = true,
            Capability::RespCodes => self.resp_codes = true,
            Capability::AuthRespCode => self.auth_resp_code = true,
            Capability::LoginDelay { seconds, .. } => self.login_delay = Some(seconds),
            Capability::Utf8 { user } => self.utf8 = Some(user),
            Capability::Lang => self.lang = true,
            Capability::Xclient(_) => self.xclient = true,
            Capability::Expire { after, .. } => self.expire = Some(after),
            Capability::Implementation(text) => self.implementation = Some(text.0.into()),
            Capability::Sasl(names) => self.mechanisms.extend(names.iter().map(Box::from)),
            Capability::Other(Words([])) => {}
            Capability::Other(line) => self.others.push(line.0.into()),
        }
    }

    /// Returns `true` if `SASL` lists this mechanism; the name is compared case-insensitively.
    pub fn has_mechanism(&self, name: &str) -> bool {
        self.mechanisms.iter().any(|mechanism| mechanism.eq_ignore_ascii_case(name.as_bytes()))
    }
}

impl<'a> FromIterator<&'a [u8]> for Capabilities {
    fn from_iter<I: IntoIterator<Item = &'a [u8]>>(lines: I) -> Self {
        let mut capabilities = Self::default();
        for line in lines {
            capabilities.add(line);
        }
        capabilities
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn s38_q12_tags_in_any_case_and_unknown_ones() {
        let lines: [&[u8]; 9] =
            [b"ToP", b" uidl ", b"SASL", b"sasl  PLAIN   login", b"AUTH=PLAIN", b"X-GOOGLE-RICO", b"", b"EXPIRE x", b"TOPS"];
        let read: Capabilities = lines.into_iter().collect();
        assert!(read.top && read.uidl && !read.user);
        assert!(
            read.has_mechanism("PLAIN")
                && read.has_mechanism("LOGIN")
                && !read.has_mechanism("LOG")
                && read.mechanisms.len() == 2
        );
        assert_eq!(read.others.len(), 4);
        assert_eq!(read.expire, None);
    }

    #[test]
    fn h15_words_carry_no_line_end() {
        assert!(Words::new("a\nb").is_err());
        let mut out = BytesMut::new();
        Capability::parse(b"X-A\nDELE 1").encode(&mut out);
        assert_eq!(out, "X-A");
    }

    #[test]
    fn s41_s42_values() {
        assert_eq!(Capability::parse(b"LOGIN-DELAY 300 USER"), Capability::LoginDelay { seconds: 300, per_user: true });
        assert_eq!(Capability::parse(b"EXPIRE 0"), Capability::Expire { after: Expire::Days(0), per_user: false });
        assert_eq!(Capability::parse(b"expire never"), Capability::Expire { after: Expire::Never, per_user: false });
        assert_eq!(
            Capability::parse(b"LOGIN-DELAY 99999999999999999999"),
            Capability::Other(Words(b"LOGIN-DELAY 99999999999999999999"))
        );
    }

    fn capability() -> impl Strategy<Value = Capability<'static>> {
        let delay = (any::<u64>(), any::<bool>()).prop_map(|(seconds, per_user)| Capability::LoginDelay { seconds, per_user });
        let expire = (any::<Option<u64>>(), any::<bool>())
            .prop_map(|(days, per_user)| Capability::Expire { after: days.map_or(Expire::Never, Expire::Days), per_user });
        prop_oneof![
            delay,
            expire,
            prop::sample::select(alloc::vec![
                Capability::Top,
                Capability::User,
                Capability::Uidl,
                Capability::Stls,
                Capability::Pipelining,
                Capability::RespCodes,
                Capability::AuthRespCode,
                Capability::Lang,
                Capability::Utf8 { user: true },
                Capability::Utf8 { user: false },
                Capability::Xclient(Words(b"ADDR PORT")),
                Capability::Sasl(Words(b"PLAIN SCRAM-SHA-256")),
                Capability::Implementation(Words(b"pop3 0.1 (Rust)")),
                Capability::Other(Words(b"X-SOMETHING else")),
            ]),
        ]
    }

    proptest! {
        #[test]
        fn capabilities_read_back(capability in capability()) {
            let mut out = BytesMut::new();
            capability.encode(&mut out);
            prop_assert_eq!(Capability::parse(&out), capability);
        }

        #[test]
        fn any_line_parses(line: Vec<u8>) {
            let _ = Capability::parse(&line);
        }
    }
}
