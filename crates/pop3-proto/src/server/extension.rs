//! Commands of a server's own.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use bytes::{BufMut, BytesMut};

use crate::codec::{
    DotEncoder, InvalidArgument, ReplyText, ResponseCode, Status, Words, check_keyword, encode_status_line, refuse_line_breaks,
};

/// A command of a server's own, beyond those of the RFCs (RFC 2449 §7). The session asks a
/// [`Question::Extension`](super::Question::Extension) when a client sends it.
///
/// ```
/// use pop3_proto::server::{Extension, ServerConfig};
/// let config = ServerConfig { extensions: vec![Extension::new("XQUOTA")?], ..ServerConfig::default() };
/// # Ok::<(), pop3_proto::codec::InvalidArgument>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Extension {
    keyword: Box<str>,
    capability: Option<Box<str>>,
    before_login: bool,
}

impl Extension {
    /// Creates an extension that is announced by its keyword and permitted after login.
    ///
    /// # Errors
    /// The keyword is empty, is a command of the RFCs, or has other characters than letters, digits and hyphens.
    pub fn new(keyword: &str) -> Result<Self, InvalidArgument> {
        check_keyword(keyword)?;
        Ok(Self { keyword: keyword.into(), capability: Some(keyword.into()), before_login: false })
    }

    /// Sets the line of `CAPA` that announces the extension, for one that is not its keyword; `None` announces nothing.
    ///
    /// # Errors
    /// The line is empty, begins with a dot, or contains CR, LF or NUL.
    pub fn with_capability(self, line: Option<&str>) -> Result<Self, InvalidArgument> {
        if line.is_some_and(|line| line.trim().is_empty()) {
            return Err(InvalidArgument::Empty);
        }
        // A line that begins with a dot would end the list, or lose the dot.
        if line.is_some_and(|line| line.starts_with('.')) {
            return Err(InvalidArgument::Forbidden { byte: b'.', at: 0 });
        }
        line.map(Words::new).transpose()?;
        Ok(Self { capability: line.map(Box::from), ..self })
    }

    /// Permits the command before login, too: everyone on the network can send it.
    #[must_use]
    pub fn permitted_before_login(self) -> Self {
        Self { before_login: true, ..self }
    }

    /// Returns the keyword.
    pub const fn keyword(&self) -> &str {
        &self.keyword
    }

    pub(super) const fn capability(&self) -> Option<&str> {
        match &self.capability {
            Some(line) => Some(line),
            None => None,
        }
    }

    pub(super) const fn is_permitted_before_login(&self) -> bool {
        self.before_login
    }
}

/// An extension command that a client has sent.
#[derive(Clone, PartialEq, Eq)]
pub struct ExtensionRequest {
    /// The keyword as the configuration spells it.
    pub keyword: Box<str>,
    /// What the client sent after the keyword, without the blanks around it. It contains no CR, LF or NUL, and may be anything else.
    pub arguments: Box<[u8]>,
}

impl fmt::Debug for ExtensionRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The arguments may be secrets (H56).
        write!(f, "ExtensionRequest({}{})", self.keyword, if self.arguments.is_empty() { "" } else { " [redacted]" })
    }
}

/// The reply to an extension command, for [`Answer::reply_to_extension`](super::Answer::reply_to_extension).
///
/// ```
/// use pop3_proto::server::ExtensionReply;
/// let reply = ExtensionReply::lines("two folders", ["inbox", "junk"])?;
/// let refusal = ExtensionReply::refused("the quota service is down")?.with_code("SYS/TEMP")?;
/// # Ok::<(), pop3_proto::codec::InvalidArgument>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtensionReply {
    status: Status,
    code: Option<Box<str>>,
    text: Box<str>,
    lines: Option<Vec<Box<[u8]>>>,
}

impl ExtensionReply {
    /// Creates a `+OK` of one line.
    ///
    /// # Errors
    /// The text is not valid in a reply; see [`ReplyText`].
    pub fn ok(text: &str) -> Result<Self, InvalidArgument> {
        Self::new(Status::Ok, text)
    }

    /// Creates a `+OK` with a multi-line response, whose lines the session byte-stuffs and ends with a dot.
    ///
    /// # Errors
    /// The text is not valid in a reply, or a line contains CR, LF or NUL.
    // H15
    pub fn lines<L: AsRef<[u8]>>(text: &str, lines: impl IntoIterator<Item = L>) -> Result<Self, InvalidArgument> {
        let lines: Vec<Box<[u8]>> = lines.into_iter().map(|line| line.as_ref().into()).collect();
        lines.iter().try_for_each(|line| refuse_line_breaks(line))?;
        Ok(Self { lines: Some(lines), ..Self::ok(text)? })
    }

    /// Creates a `-ERR`.
    ///
    /// # Errors
    /// The text is not valid in a reply; see [`ReplyText`].
    pub fn refused(text: &str) -> Result<Self, InvalidArgument> {
        Self::new(Status::Err, text)
    }

    /// Returns the `-ERR` to a command that is not available.
    pub fn unavailable() -> Self {
        Self { status: Status::Err, code: None, text: "the command is not available".into(), lines: None }
    }

    fn new(status: Status, text: &str) -> Result<Self, InvalidArgument> {
        ReplyText::new(text)?;
        Ok(Self { status, code: None, text: text.into(), lines: None })
    }

    /// Sets the response code (RFC 2449 §8).
    ///
    /// # Errors
    /// The code is not valid.
    pub fn with_code(self, code: &str) -> Result<Self, InvalidArgument> {
        ResponseCode::new(code)?;
        Ok(Self { code: Some(code.into()), ..self })
    }

    pub(super) fn encode(&self, out: &mut BytesMut) {
        let code = self.code.as_deref().and_then(|code| ResponseCode::new(code).ok());
        encode_status_line(out, self.status, code, ReplyText::new(&self.text).unwrap_or_default());
        let Some(lines) = &self.lines else { return };
        let mut encoder = DotEncoder::new();
        for line in lines {
            encoder.encode_into(line, out);
            encoder.encode_into(b"\r\n", out);
        }
        out.put_slice(encoder.finish());
    }
}
