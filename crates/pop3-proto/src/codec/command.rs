//! Commands of a client (RFC 1939, RFC 2449, RFC 2595, RFC 5034, RFC 6856).

use nom::branch::alt;
use nom::bytes::complete::take_while1;
use nom::character::complete::digit1;
use nom::combinator::{all_consuming, map_opt, opt, value};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};
use thiserror::Error;

use super::number::decimal;
use super::{
    ApopDigest, ExtensionCommand, ExtensionShape, MessageNumber, Password, Username, Verb, Word, Words, is_blank,
    trim_blanks_start,
};

/// A command with its arguments. Neither `Debug` nor `Display` shows a secret.
///
/// ```
/// use bytes::BytesMut;
/// use pop3_proto::codec::{Command, MessageNumber};
/// let command = Command::parse(b"retr 7")?;
/// assert_eq!(command, Command::Retr(MessageNumber::new(7).unwrap()));
/// let mut out = BytesMut::new();
/// command.encode(&mut out);
/// assert_eq!(&out[..], b"RETR 7\r\n");
/// assert_eq!(Command::parse(b"PASS secret")?.to_string(), "PASS [redacted]");
/// # Ok::<(), pop3_proto::codec::MalformedCommand>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Command<'a> {
    /// `APOP`: a login with a digest over the greeting's timestamp and the password.
    Apop(Username<'a>, ApopDigest),
    /// `AUTH`: the start of a SASL exchange (RFC 5034). The initial response is base64, or `=` if it is empty.
    // S28
    Auth(Word<'a>, Option<Word<'a>>),
    /// `AUTH` without arguments, which some clients send to list the mechanisms. It is not in any RFC.
    // Q50
    AuthList,
    /// `CAPA`: a request for the server's capabilities.
    Capa,
    /// `DELE`: a deletion mark for a message.
    Dele(MessageNumber),
    /// A command beyond the RFCs. [`parse`](Self::parse) never returns it.
    Extension(ExtensionCommand<'a>),
    /// `LANG`: the language of the server's texts. `None` lists the languages, a tag selects one, and `*` selects the language
    /// that the server prefers (RFC 6856 §3.2).
    Lang(Option<Word<'a>>),
    /// `LAST`: the highest message number that was accessed (RFC 1460).
    Last,
    /// `LIST`: the scan listing of one message, or of all messages if `None`.
    List(Option<MessageNumber>),
    /// `NOOP`: no action; it keeps the session alive.
    Noop,
    /// `PASS`: the password for the name of the last `USER`.
    Pass(Password<'a>),
    /// `QUIT`: the end of the session, and the removal of the marked messages.
    Quit,
    /// `RETR`: a request for a message.
    Retr(MessageNumber),
    /// `RSET`: a reset of all deletion marks.
    Rset,
    /// `STAT`: the number of messages and their total size in octets.
    Stat,
    /// `STLS`: the start of TLS (RFC 2595).
    Stls,
    /// `TOP`: a message's header and the given number of body lines.
    Top(MessageNumber, u64),
    /// `UIDL`: the unique-id of one message, or of all messages if `None`.
    Uidl(Option<MessageNumber>),
    /// `USER`: the name of the mailbox.
    User(Username<'a>),
    /// `UTF8`: permission for messages and texts in UTF-8 from now on (RFC 6856 §2.1).
    Utf8,
    /// `XCLIENT`: the client of a proxy, as `ADDR=`, `PORT=` and other words. It is not in any RFC; see
    /// [`ProxiedClient`](crate::server::ProxiedClient).
    Xclient(Words<'a>),
}

/// What a `+OK` to a command begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReplyShape {
    /// One line.
    Line,
    /// A multi-line response: lines up to a line with only a dot (RFC 1939 §3).
    Lines,
    /// A multi-line response with a message, byte-stuffed (RFC 1939 §3).
    Message,
    /// One line with an entry of a listing. Some servers send a multi-line response instead.
    // Q25
    Entry,
    /// One line; challenges may come before it (RFC 5034 §4).
    Challenges,
}

/// The reason why a line is not a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum MalformedCommand {
    /// The keyword is not known.
    #[error("unknown command")]
    UnknownKeyword,
    /// The keyword is known, but its arguments do not fit.
    #[error("{verb} takes {}", .verb.arguments())]
    Arguments {
        /// The keyword.
        verb: Verb,
    },
}

impl<'a> Command<'a> {
    /// Parses a line without its line end. Any number of blanks may precede, separate and follow the words; in `PASS` everything
    /// after the first blank is the password (RFC 1939 §7).
    ///
    /// # Errors
    /// The keyword is unknown, or the arguments do not fit. The text of the error can be sent to the client.
    // S23, Q52
    pub fn parse(line: &'a [u8]) -> Result<Self, MalformedCommand> {
        let (verb, rest) = Self::keyword(line).ok_or(MalformedCommand::UnknownKeyword)?;
        Self::with_arguments(verb, rest).ok_or(MalformedCommand::Arguments { verb })
    }

    fn keyword(line: &'a [u8]) -> Option<(Verb, &'a [u8])> {
        // The common case first: a keyword of four characters, followed by nothing or a blank.
        if let Some((keyword, rest)) = line.split_first_chunk()
            && rest.first().is_none_or(|byte| is_blank(*byte))
            && let Some(verb) = Verb::from_four(keyword)
        {
            return Some((verb, rest));
        }
        let line = trim_blanks_start(line);
        let end = line.iter().take(8).position(|byte| is_blank(*byte)).unwrap_or(line.len());
        let (keyword, rest) = line.split_at_checked(end)?;
        Some((Verb::from_keyword(keyword)?, rest))
    }

    /// Parses the arguments of a keyword; `None` if they do not fit. `rest` is empty or begins with a blank.
    #[inline]
    fn with_arguments(verb: Verb, rest: &'a [u8]) -> Option<Self> {
        Some(match verb {
            Verb::Extension => return None,
            Verb::Capa => nothing(rest, Self::Capa)?,
            Verb::Last => nothing(rest, Self::Last)?,
            Verb::Utf8 => nothing(rest, Self::Utf8)?,
            Verb::Lang => Self::Lang(whole(opt(word), rest)?),
            Verb::Xclient => Self::Xclient(Words::new(rest).ok().filter(|words| !words.as_bytes().is_empty())?),
            Verb::Noop => nothing(rest, Self::Noop)?,
            Verb::Quit => nothing(rest, Self::Quit)?,
            Verb::Rset => nothing(rest, Self::Rset)?,
            Verb::Stat => nothing(rest, Self::Stat)?,
            Verb::Stls => nothing(rest, Self::Stls)?,
            Verb::Dele => Self::Dele(whole(message_number, rest)?),
            Verb::Retr => Self::Retr(whole(message_number, rest)?),
            Verb::List => Self::List(whole(opt(message_number), rest)?),
            Verb::Uidl => Self::Uidl(whole(opt(message_number), rest)?),
            Verb::Top => {
                let (number, lines) = whole((message_number, line_count), rest)?;
                Self::Top(number, lines)
            }
            Verb::User => Self::User(Username::new(super::trim_blanks(rest)).ok()?),
            Verb::Pass => Self::Pass(Password::new(rest.get(1..).unwrap_or_default()).ok()?),
            Verb::Auth => match whole(opt((word, opt(word))), rest)? {
                Some((mechanism, initial)) => Self::Auth(mechanism, initial),
                None => Self::AuthList,
            },
            Verb::Apop => {
                let rest = super::trim_blanks(rest);
                // All digests have the same length, so the digest can be split off at the end.
                let (name, digest) = rest.split_last_chunk::<32>()?;
                name.last().filter(|byte| is_blank(**byte))?;
                Self::Apop(Username::new(super::trim_blanks_end(name)).ok()?, ApopDigest::parse(digest)?)
            }
        })
    }

    /// Returns the keyword.
    pub const fn verb(&self) -> Verb {
        match self {
            Self::Apop(..) => Verb::Apop,
            Self::Auth(..) | Self::AuthList => Verb::Auth,
            Self::Capa => Verb::Capa,
            Self::Dele(_) => Verb::Dele,
            Self::Extension(_) => Verb::Extension,
            Self::Lang(_) => Verb::Lang,
            Self::Last => Verb::Last,
            Self::List(_) => Verb::List,
            Self::Noop => Verb::Noop,
            Self::Pass(_) => Verb::Pass,
            Self::Quit => Verb::Quit,
            Self::Retr(_) => Verb::Retr,
            Self::Rset => Verb::Rset,
            Self::Stat => Verb::Stat,
            Self::Stls => Verb::Stls,
            Self::Top(..) => Verb::Top,
            Self::Uidl(_) => Verb::Uidl,
            Self::User(_) => Verb::User,
            Self::Utf8 => Verb::Utf8,
            Self::Xclient(_) => Verb::Xclient,
        }
    }

    /// Returns what a `+OK` to this command begins. A `-ERR` is always one line.
    ///
    /// ```
    /// use pop3_proto::codec::{Command, ReplyShape};
    /// assert_eq!(Command::parse(b"LIST")?.reply_shape(), ReplyShape::Lines);
    /// assert_eq!(Command::parse(b"LIST 1")?.reply_shape(), ReplyShape::Entry);
    /// # Ok::<(), pop3_proto::codec::MalformedCommand>(())
    /// ```
    pub const fn reply_shape(&self) -> ReplyShape {
        match self {
            Self::Apop(..)
            | Self::Dele(_)
            | Self::Lang(Some(_))
            | Self::Last
            | Self::Noop
            | Self::Pass(_)
            | Self::Quit
            | Self::Rset
            | Self::Stat
            | Self::Stls
            | Self::User(_)
            | Self::Utf8
            | Self::Xclient(_) => ReplyShape::Line,
            Self::AuthList | Self::Capa | Self::Lang(None) | Self::List(None) | Self::Uidl(None) => ReplyShape::Lines,
            Self::List(Some(_)) | Self::Uidl(Some(_)) => ReplyShape::Entry,
            Self::Retr(_) | Self::Top(..) => ReplyShape::Message,
            Self::Auth(..) => ReplyShape::Challenges,
            Self::Extension(command) => match command.shape() {
                ExtensionShape::Line => ReplyShape::Line,
                ExtensionShape::Lines => ReplyShape::Lines,
                ExtensionShape::Message => ReplyShape::Message,
            },
        }
    }
}

fn blanks(input: &[u8]) -> IResult<&[u8], ()> {
    value((), take_while1(is_blank)).parse(input)
}

fn message_number(input: &[u8]) -> IResult<&[u8], MessageNumber> {
    preceded(blanks, map_opt(digit1, MessageNumber::parse)).parse(input)
}

fn line_count(input: &[u8]) -> IResult<&[u8], u64> {
    preceded(blanks, map_opt(digit1, decimal)).parse(input)
}

fn word(input: &[u8]) -> IResult<&[u8], Word<'_>> {
    preceded(blanks, map_opt(take_while1(|byte| !is_blank(byte)), |word| Word::new(word).ok())).parse(input)
}

/// Parses arguments that only blanks may follow.
fn whole<'a, T>(arguments: impl Parser<&'a [u8], Output = T, Error = nom::error::Error<&'a [u8]>>, rest: &'a [u8]) -> Option<T> {
    let end = alt((blanks, nom::combinator::success(())));
    all_consuming(terminated(arguments, end)).parse(rest).ok().map(|(_, parsed)| parsed)
}

fn nothing<'a>(rest: &[u8], command: Command<'a>) -> Option<Command<'a>> {
    rest.iter().copied().all(is_blank).then_some(command)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;
    use alloc::vec::Vec;
    use bytes::BytesMut;
    use proptest::prelude::*;

    fn number(n: u32) -> MessageNumber {
        MessageNumber::new(n).unwrap()
    }

    #[test]
    fn h56_debug_shows_the_command_and_no_secret() {
        let shown = |line: &[u8]| format!("{:?}", Command::parse(line).unwrap());
        assert_eq!(shown(b"pass topsecret"), "Command(PASS [redacted])");
        assert_eq!(shown(b"TOP 1 2"), "Command(TOP 1 2)");
    }

    #[test]
    fn s01_keywords_in_any_case() {
        for verb in Verb::ALL {
            let lower = verb.as_str().to_ascii_lowercase();
            assert_eq!(Verb::from_keyword(lower.as_bytes()), Some(verb));
            assert_eq!(Verb::from_keyword(verb.as_str().as_bytes()), Some(verb));
        }
    }

    #[test]
    fn h19_h22_no_other_bytes_are_a_keyword() {
        // Replaces each byte of each keyword by every byte.
        for verb in Verb::ALL {
            for at in 0..verb.as_str().len() {
                for byte in 0..=u8::MAX {
                    let mut keyword = verb.as_str().as_bytes().to_vec();
                    keyword[at] = byte;
                    let known = Verb::ALL.into_iter().find(|v| v.as_str().as_bytes().eq_ignore_ascii_case(&keyword));
                    assert_eq!(Verb::from_keyword(&keyword), known, "{keyword:?}");
                }
            }
        }
        for line in ["TOP\0 1 1", "TOP\u{20}\0", "TO", "TOPX 1 1", "LISTS", "", " ", "\t", ":", "QUITQUIT", "\0"] {
            assert!(Command::parse(line.as_bytes()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn q52_blanks_where_clients_put_them() {
        assert_eq!(Command::parse(b"  LIST "), Ok(Command::List(None)));
        assert_eq!(Command::parse(b"list\t\t7 \t"), Ok(Command::List(Some(number(7)))));
        assert_eq!(Command::parse(b"QUIT "), Ok(Command::Quit));
        assert_eq!(Command::parse(b"TOP  1   0 "), Ok(Command::Top(number(1), 0)));
        assert_eq!(Command::parse(b"USER  x "), Ok(Command::User(Username::new("x").unwrap())));
    }

    #[test]
    fn s23_q53_passwords_are_the_rest_of_the_line() {
        let password = |line: &'static [u8]| match Command::parse(line) {
            Ok(Command::Pass(password)) => password.expose(),
            other => panic!("{other:?}"),
        };
        assert_eq!(password(b"PASS  two  blanks "), b" two  blanks ");
        assert_eq!(password(b"PASS "), b"");
        assert_eq!(password(b"PASS"), b"");
        assert_eq!(password(b"pass \xe4\xff"), b"\xe4\xff");
    }

    #[test]
    fn s13_h21_numbers() {
        for bad in ["0", "-1", "+1", "1x", "x", "4294967296", "4294967297", "18446744073709551617", "1 2", "", "1,"] {
            for verb in ["RETR", "DELE"] {
                assert!(Command::parse(format!("{verb} {bad}").as_bytes()).is_err(), "{verb} {bad}");
            }
        }
        assert_eq!(Command::parse(b"UIDL 000099999"), Ok(Command::Uidl(Some(number(99_999)))));
        assert_eq!(Command::parse(b"TOP 1 99999999"), Ok(Command::Top(number(1), 99_999_999)));
        assert!(Command::parse(b"TOP 1 18446744073709551616").is_err());
        assert!(Command::parse(b"TOP 1 -1").is_err());
        assert!(Command::parse(b"TOP 1").is_err());
        assert!(Command::parse(b"LIST x").is_err());
    }

    #[test]
    fn h19_nul_is_refused_and_never_cuts() {
        for line in ["USER a\0b", "PASS a\0b", "RETR 1\0", "LIST\0", "DELE 1\0 2", "APOP a\0 c4c9334bac560ecc979e58001b3e22fb"] {
            assert!(Command::parse(line.as_bytes()).is_err(), "{line:?}");
        }
    }

    #[test]
    fn errors_say_what_is_expected() {
        let text = |line: &[u8]| Command::parse(line).unwrap_err().to_string();
        assert_eq!(text(b"RETR"), "RETR takes a message number");
        assert_eq!(text(b"STAT 1"), "STAT takes no argument");
        assert_eq!(text(b"XYZZY"), "unknown command");
    }

    fn command() -> impl Strategy<Value = Vec<u8>> {
        // Writes commands without the encoder, so that this text and the encoder check each other.
        let name = "[!-~äé]([ -~äé]{0,20}[!-~äé])?";
        prop_oneof![
            prop::sample::select(&["CAPA", "LIST", "NOOP", "QUIT", "RSET", "STAT", "STLS", "UIDL"][..])
                .prop_map(ToString::to_string),
            (prop::sample::select(&["DELE", "LIST", "RETR", "UIDL"][..]), 1u32..).prop_map(|(w, n)| format!("{w} {n}")),
            (1u32.., any::<u64>()).prop_map(|(n, lines)| format!("TOP {n} {lines}")),
            name.prop_map(|name| format!("USER {name}")),
            "[ -~äé]{0,40}".prop_map(|password| format!("PASS {password}")),
            "AUTH( [A-Z0-9-]{1,20}( (=|[A-Za-z0-9+/]{4,40}))?)?",
            (name, any::<[u8; 16]>()).prop_map(|(name, digest)| {
                let hex: alloc::string::String = digest.iter().map(|octet| format!("{octet:02x}")).collect();
                format!("APOP {name} {hex}")
            }),
        ]
        .prop_map(alloc::string::String::into_bytes)
    }

    proptest! {
        #[test]
        fn commands_read_back(line in command()) {
            let parsed = Command::parse(&line).unwrap();
            let mut out = BytesMut::new();
            parsed.encode(&mut out);
            prop_assert_eq!(out.strip_suffix(b"\r\n"), Some(&line[..]));
            prop_assert_eq!(Command::parse(&line).unwrap().verb(), parsed.verb());
        }

        #[test]
        fn h15_one_encode_is_one_line(line: Vec<u8>) {
            if let Ok(command) = Command::parse(&line) {
                let mut out = BytesMut::new();
                command.encode(&mut out);
                prop_assert_eq!(out.iter().filter(|byte| matches!(byte, b'\r' | b'\n')).count(), 2);
                prop_assert!(!out.contains(&0));
                prop_assert_eq!(Command::parse(out.strip_suffix(b"\r\n").unwrap()), Ok(command));
            }
        }
    }
}
