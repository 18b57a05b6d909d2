//! The first line of a reply, and the greeting.

use bytes::{BufMut, BytesMut};
use nom::bytes::complete::{tag, take_till1, take_until};
use nom::sequence::{delimited, preceded, terminated};
use nom::{IResult, Parser};
use thiserror::Error;

use super::{Escaped, InvalidArgument, MAX_REPLY_LINE, ReplyText, before_line_break, trim_blanks, trim_blanks_end};

/// The status indicator of a reply: success or failure of the command (RFC 1939 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `+OK`
    Ok,
    /// `-ERR`
    Err,
}

impl Status {
    /// Returns the status indicator as it is sent, always in upper case (RFC 1939 §3).
    // S01
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "+OK",
            Self::Err => "-ERR",
        }
    }
}

/// A response code: the reason for a failure in a form for programs (RFC 2449 §8, RFC 3206, RFC 6856). Unknown sub-levels of a
/// known code are ignored.
// S39
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ResponseCode<'a> {
    /// `[IN-USE]`: another session holds the maildrop. The credentials were right.
    InUse,
    /// `[LOGIN-DELAY]`: the last login was too recent.
    LoginDelay,
    /// `[SYS/TEMP]`: a fault of the server that is likely to be temporary.
    SysTemp,
    /// `[SYS/PERM]`: a fault of the server that a person must repair.
    SysPerm,
    /// `[AUTH]`: the credentials are wrong.
    Auth,
    /// `[UTF8]`: the message requires the UTF8 mode.
    Utf8,
    /// Any other code.
    Other(OtherCode<'a>),
}

/// The maximum length of a response code in octets; registered codes are far shorter.
const MAX_CODE: usize = 64;

/// A response code that this crate does not know: the octets between the brackets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OtherCode<'a>(&'a [u8]);

impl<'a> OtherCode<'a> {
    /// The code in the greeting to a trusted proxy.
    pub(crate) const XCLIENT: OtherCode<'static> = OtherCode(b"XCLIENT");

    /// Returns the octets between the brackets.
    pub const fn as_bytes(&self) -> &'a [u8] {
        self.0
    }
}

impl<'a> ResponseCode<'a> {
    /// Creates a code from the text between the brackets.
    ///
    /// ```
    /// use pop3_proto::codec::ResponseCode;
    /// assert_eq!(ResponseCode::new("sys/temp"), Ok(ResponseCode::SysTemp));
    /// assert!(ResponseCode::new("A]").is_err());
    /// ```
    ///
    /// # Errors
    /// The text is empty, has more than 64 octets, or contains a bracket or another octet than printable ASCII.
    pub fn new(code: &'a str) -> Result<Self, InvalidArgument> {
        let bytes = code.as_bytes();
        if bytes.is_empty() {
            return Err(InvalidArgument::Empty);
        }
        if bytes.len() > MAX_CODE {
            return Err(InvalidArgument::TooLong { limit: MAX_CODE });
        }
        if let Some(at) = bytes.iter().position(|byte| !matches!(byte, b'!'..=b'~') || matches!(byte, b'[' | b']')) {
            return Err(InvalidArgument::Forbidden { byte: bytes.get(at).copied().unwrap_or_default(), at });
        }
        Ok(Self::from_bytes(bytes))
    }

    pub(crate) fn from_bytes(code: &'a [u8]) -> Self {
        let mut levels = code.splitn(3, |byte| *byte == b'/');
        let first = levels.next().unwrap_or_default();
        let second = levels.next().unwrap_or_default();
        let is = |level: &[u8], name: &str| level.eq_ignore_ascii_case(name.as_bytes());
        match first {
            _ if is(first, "IN-USE") => Self::InUse,
            _ if is(first, "LOGIN-DELAY") => Self::LoginDelay,
            _ if is(first, "AUTH") => Self::Auth,
            _ if is(first, "UTF8") => Self::Utf8,
            _ if is(first, "SYS") && is(second, "TEMP") => Self::SysTemp,
            _ if is(first, "SYS") && is(second, "PERM") => Self::SysPerm,
            _ => Self::Other(OtherCode(code)),
        }
    }

    /// Returns the octets between the brackets.
    pub const fn as_bytes(&self) -> &'a [u8] {
        match self {
            Self::InUse => b"IN-USE",
            Self::LoginDelay => b"LOGIN-DELAY",
            Self::SysTemp => b"SYS/TEMP",
            Self::SysPerm => b"SYS/PERM",
            Self::Auth => b"AUTH",
            Self::Utf8 => b"UTF8",
            Self::Other(code) => code.0,
        }
    }
}

/// A line that is not a reply. The error does not contain the line, which may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the line begins with neither +OK nor -ERR")]
pub struct MalformedReply;

/// The first line of a reply.
///
/// ```
/// use pop3_proto::codec::{Reply, ResponseCode, Status};
/// let reply = Reply::parse(b"-ERR [IN-USE] another session holds the maildrop")?;
/// assert_eq!(reply.status, Status::Err);
/// assert_eq!(reply.code, Some(ResponseCode::InUse));
/// assert_eq!(reply.text, b"another session holds the maildrop");
/// # Ok::<(), pop3_proto::codec::MalformedReply>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    /// The status indicator.
    pub status: Status,
    /// The response code, if the reply has one.
    pub code: Option<ResponseCode<'a>>,
    /// The human-readable text, in an unknown encoding; show it through [`Escaped`].
    // Q05
    pub text: &'a [u8],
}

impl<'a> Reply<'a> {
    /// Parses a line without its line end. The status indicator must be exactly `+OK` or `-ERR`, followed by a blank or nothing.
    /// The text may be missing.
    ///
    /// # Errors
    /// The line does not begin with such a status indicator.
    // H22, Q01, Q06
    pub fn parse(line: &'a [u8]) -> Result<Self, MalformedReply> {
        let (status, rest) = match line {
            [b'+', b'O', b'K', rest @ ..] => (Status::Ok, rest),
            [b'-', b'E', b'R', b'R', rest @ ..] => (Status::Err, rest),
            _ => return Err(MalformedReply),
        };
        if !matches!(rest, [] | [b' ' | b'\t', ..]) {
            return Err(MalformedReply);
        }
        let text = trim_blanks(rest);
        Ok(match response_code(text) {
            // Brackets with other content are part of the text, so that each code can be sent again (H15).
            Ok((text, code)) if code.len() <= MAX_CODE && code.iter().all(|byte| matches!(byte, b' '..=b'~')) => {
                Self { status, code: Some(ResponseCode::from_bytes(code)), text: trim_blanks(text) }
            }
            _ => Self { status, code: None, text },
        })
    }

    /// Appends the line with its line end, as it was received. The text ends before its first CR, LF or NUL, so this is one line. A
    /// reply with a text of your own is better made by [`encode_status_line`].
    ///
    /// ```
    /// use bytes::BytesMut;
    /// use pop3_proto::codec::Reply;
    /// let mut out = BytesMut::new();
    /// Reply::parse(b"-ERR [IN-USE]  later")?.encode(&mut out);
    /// assert_eq!(&out[..], b"-ERR [IN-USE] later\r\n");
    /// # Ok::<(), pop3_proto::codec::MalformedReply>(())
    /// ```
    // H15
    pub fn encode(&self, out: &mut BytesMut) {
        out.put_slice(self.status.as_str().as_bytes());
        if let Some(code) = self.code {
            out.put_slice(b" [");
            out.put_slice(code.as_bytes());
            out.put_u8(b']');
        }
        let text = before_line_break(self.text);
        if !text.is_empty() {
            out.put_u8(b' ');
            out.put_slice(text);
        }
        out.put_slice(b"\r\n");
    }

    /// Returns the text in a form that is safe to print.
    pub const fn display_text(&self) -> Escaped<'a> {
        Escaped(self.text)
    }
}

fn response_code(text: &[u8]) -> IResult<&[u8], &[u8]> {
    delimited(tag(&b"["[..]), take_until(&b"]"[..]), tag(&b"]"[..])).parse(text)
}

/// A greeting: a reply that may contain the timestamp for `APOP`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Greeting<'a> {
    /// The line as a reply. `-ERR` means that the server accepts no session now.
    // Q03
    pub reply: Reply<'a>,
    /// The timestamp `<local@domain>`, angle brackets included. It is present only in a greeting with `+OK`, if the first `<` of
    /// the text begins a well-formed msg-id and no other angle bracket follows (RFC 1939 §7).
    // S25, Q02, H27
    pub timestamp: Option<&'a [u8]>,
}

impl<'a> Greeting<'a> {
    /// Parses a line without its line end.
    ///
    /// # Errors
    /// The line is not a reply.
    pub fn parse(line: &'a [u8]) -> Result<Self, MalformedReply> {
        let reply = Reply::parse(line)?;
        let timestamp = match reply.status {
            Status::Ok => only_timestamp(reply.text),
            Status::Err => None,
        };
        Ok(Self { reply, timestamp })
    }
}

/// Returns the only msg-id in a text; `None` if there is none, or if another angle bracket makes it ambiguous.
fn only_timestamp(text: &[u8]) -> Option<&[u8]> {
    let start = text.iter().position(|byte| *byte == b'<')?;
    let candidate = text.get(start..)?;
    let (rest, ()) = msg_id(candidate).ok()?;
    if rest.iter().any(|byte| matches!(byte, b'<' | b'>')) {
        return None;
    }
    candidate.get(..candidate.len() - rest.len())
}

fn msg_id(input: &[u8]) -> IResult<&[u8], ()> {
    let part = || take_till1(|byte: u8| !byte.is_ascii_graphic() || matches!(byte, b'<' | b'>' | b'@'));
    (preceded(tag(&b"<"[..]), part()), preceded(tag(&b"@"[..]), terminated(part(), tag(&b">"[..])))).map(|_| ()).parse(input)
}

/// Appends the first line of a reply with its CR LF. If the line would exceed 512 octets, the text is cut between two characters
/// (RFC 1939 §3).
///
/// ```
/// use bytes::BytesMut;
/// use pop3_proto::codec::{ReplyText, ResponseCode, Status, encode_status_line};
/// let mut out = BytesMut::new();
/// encode_status_line(&mut out, Status::Err, Some(ResponseCode::InUse), ReplyText::new("try again later")?);
/// assert_eq!(out, b"-ERR [IN-USE] try again later\r\n"[..]);
/// # Ok::<(), pop3_proto::codec::InvalidArgument>(())
/// ```
// S03
pub fn encode_status_line(out: &mut BytesMut, status: Status, code: Option<ResponseCode<'_>>, text: ReplyText<'_>) {
    let start = out.len();
    out.put_slice(status.as_str().as_bytes());
    if let Some(code) = code {
        out.put_slice(b" [");
        out.put_slice(code.as_bytes());
        out.put_u8(b']');
    }
    let room = MAX_REPLY_LINE.saturating_sub(out.len() - start + b" \r\n".len());
    let text = trim_blanks_end(cut_to(text.as_str(), room).as_bytes());
    if !text.is_empty() {
        out.put_u8(b' ');
        out.put_slice(text);
    }
    out.put_slice(b"\r\n");
}

/// Returns the longest prefix of `text` with at most `limit` octets. (`str::floor_char_boundary` requires a newer Rust than this
/// workspace does.)
pub(crate) fn cut_to(text: &str, limit: usize) -> &str {
    let end = (0..=limit.min(text.len())).rev().find(|at| text.is_char_boundary(*at));
    end.and_then(|end| text.get(..end)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    #[test]
    fn h22_q06_the_status_is_exact() {
        for bad in
            ["", "+", "-", "+OKAY", "+ERR", "OK", "+ok", "+Ok x", "-ER", "-ERROR", " +OK", "* OK", "220 x", "-OK", "+OK\0", "[x]"]
        {
            assert_eq!(Reply::parse(bad.as_bytes()), Err(MalformedReply), "{bad:?}");
        }
    }

    #[test]
    fn q01_no_text_or_trailing_blanks() {
        for line in ["+OK", "+OK ", "+OK  \t "] {
            assert_eq!(Reply::parse(line.as_bytes()), Ok(Reply { status: Status::Ok, code: None, text: b"" }));
        }
        assert_eq!(Reply::parse(b"-ERR \xb5\xc7 ").unwrap().text, b"\xb5\xc7");
    }

    #[test]
    fn s39_response_codes() {
        let code = |line: &'static str| Reply::parse(line.as_bytes()).unwrap().code;
        assert_eq!(code("-ERR [IN-USE] x"), Some(ResponseCode::InUse));
        assert_eq!(code("-ERR [in-use]"), Some(ResponseCode::InUse));
        assert_eq!(code("-ERR [Sys/Temp/Disk] x"), Some(ResponseCode::SysTemp));
        assert_eq!(code("-ERR [SYS/OTHER] x"), Some(ResponseCode::Other(OtherCode(b"SYS/OTHER"))));
        assert_eq!(code("-ERR [AUTH] [x]"), Some(ResponseCode::Auth));
        assert_eq!(code("-ERR [never closed"), None);
        assert_eq!(code("-ERR x [AUTH]"), None);
        assert_eq!(code("-ERR [X\r\n+OK forged] no"), None, "h15");
    }

    #[test]
    fn q02_h27_timestamps_are_strict() {
        let stamp = |line: &'static str| Greeting::parse(line.as_bytes()).unwrap().timestamp;
        assert_eq!(
            stamp("+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>"),
            Some(&b"<1896.697170952@dbc.mtview.ca.us>"[..])
        );
        assert_eq!(stamp("+OK <a@b> ready"), Some(&b"<a@b>"[..]));
        for bad in
            ["", "<>", "<a>", "<a@>", "<@b>", "<a@b", "<a b@c>", "<a@b@c>", "<a@b> <c@d>", "<x> <a@b>", "<a@b>>", "<\u{e9}@b>"]
        {
            let line = alloc::format!("+OK hello {bad}");
            assert_eq!(Greeting::parse(line.as_bytes()).unwrap().timestamp, None, "{bad:?}");
        }
        assert_eq!(stamp("-ERR <a@b>"), None);
    }

    #[test]
    fn s03_a_reply_line_has_at_most_512_octets() {
        for text in ["x".repeat(1000), "é".repeat(600), "x ".repeat(300) + "x"] {
            let mut out = BytesMut::new();
            encode_status_line(&mut out, Status::Err, Some(ResponseCode::Auth), ReplyText::new(&text).unwrap());
            assert!((508..=MAX_REPLY_LINE).contains(&out.len()), "{}", out.len());
            // The limit applies to each line, whatever precedes it in the buffer.
            let first = out.len();
            encode_status_line(&mut out, Status::Err, Some(ResponseCode::Auth), ReplyText::new(&text).unwrap());
            assert_eq!(out.len(), 2 * first);
            assert!(core::str::from_utf8(&out).is_ok());
        }
    }

    proptest! {
        #[test]
        fn replies_read_back(ok: bool, code in 0usize..7, text in "[^\r\n\0\\[ \t]([^\r\n\0]{0,60}[^\r\n\0 \t])?") {
            let status = if ok { Status::Ok } else { Status::Err };
            let code = [
                None, Some(ResponseCode::InUse), Some(ResponseCode::LoginDelay), Some(ResponseCode::SysTemp),
                Some(ResponseCode::SysPerm), Some(ResponseCode::Auth), Some(ResponseCode::Utf8),
            ][code];
            let mut out = BytesMut::new();
            encode_status_line(&mut out, status, code, ReplyText::new(&text).unwrap());
            let line = out.strip_suffix(b"\r\n").unwrap();
            let reply = Reply { status, code, text: text.as_bytes() };
            prop_assert_eq!(Reply::parse(line), Ok(reply));
            let mut again = BytesMut::new();
            reply.encode(&mut again);
            prop_assert_eq!(again.strip_suffix(b"\r\n").map(Reply::parse), Some(Ok(reply)));
        }

        #[test]
        fn h15_any_reply_is_encoded_as_one_line(text: Vec<u8>) {
            let mut out = BytesMut::new();
            Reply { status: Status::Err, code: None, text: &text }.encode(&mut out);
            let line = out.strip_suffix(b"\r\n").unwrap();
            prop_assert!(!line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) && Reply::parse(line).is_ok());
        }

        #[test]
        fn any_bytes_parse_or_fail(line: Vec<u8>, text: String) {
            let _ = Reply::parse(&line);
            let _ = Greeting::parse(&line);
            let _ = Greeting::parse(alloc::format!("+OK {text}").as_bytes());
        }
    }
}
