//! Commands beyond those of the RFCs.

use core::fmt;

use super::{InvalidArgument, Verb, Words, is_blank};

/// What a `+OK` to an extension command begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExtensionShape {
    /// One line.
    Line,
    /// A multi-line response: lines up to a line with only a dot (RFC 1939 §3).
    Lines,
    /// A multi-line response with a message, byte-stuffed (RFC 1939 §3).
    Message,
}

/// A command that this crate does not know (RFC 2449 §7), for a client that sends it: a keyword, perhaps with arguments, and the shape
/// of its reply. It must not log in, and must not change the state in another way.
///
/// ```
/// use pop3_proto::codec::{ExtensionCommand, ExtensionShape};
/// let command = ExtensionCommand::new("XFOLDERS all", ExtensionShape::Lines)?;
/// assert_eq!(command.keyword(), "XFOLDERS");
/// assert!(ExtensionCommand::new("QUIT", ExtensionShape::Line).is_err());
/// # Ok::<(), pop3_proto::codec::InvalidArgument>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ExtensionCommand<'a> {
    line: &'a str,
    keyword: &'a str,
    shape: ExtensionShape,
}

impl<'a> ExtensionCommand<'a> {
    /// Creates a command from its line, without the line end.
    ///
    /// # Errors
    /// The line does not begin with a keyword of letters, digits and hyphens, the keyword is one that [`Command`](super::Command) knows,
    /// or the line contains CR, LF or NUL.
    // H15
    pub fn new(line: &'a str, shape: ExtensionShape) -> Result<Self, InvalidArgument> {
        Words::new(line)?;
        let keyword = line.split([' ', '\t']).next().unwrap_or_default();
        check_keyword(keyword)?;
        Ok(Self { line, keyword, shape })
    }

    /// Returns the keyword as it is sent.
    pub const fn keyword(&self) -> &'a str {
        self.keyword
    }

    /// Returns the line as it is sent, without the line end.
    pub const fn line(&self) -> &'a str {
        self.line
    }

    /// Returns what a `+OK` begins.
    pub const fn shape(&self) -> ExtensionShape {
        self.shape
    }
}

/// Shows the keyword. The arguments may be secrets.
// H56
impl fmt::Display for ExtensionCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.keyword, if self.line.len() > self.keyword.len() { " [redacted]" } else { "" })
    }
}

impl fmt::Debug for ExtensionCommand<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ExtensionCommand({self})")
    }
}

/// Refuses keywords that no extension can have.
pub(crate) fn check_keyword(keyword: &str) -> Result<(), InvalidArgument> {
    if keyword.is_empty() {
        return Err(InvalidArgument::Empty);
    }
    let forbidden = |byte: &u8| !(byte.is_ascii_alphanumeric() || *byte == b'-');
    if let Some(at) = keyword.bytes().position(|byte| forbidden(&byte)) {
        return Err(InvalidArgument::Forbidden { byte: keyword.as_bytes().get(at).copied().unwrap_or(0), at });
    }
    if Verb::from_keyword(keyword.as_bytes()).is_some() {
        return Err(InvalidArgument::KnownKeyword);
    }
    Ok(())
}

/// Splits a received line into its first word and the rest.
pub(crate) fn split_keyword(line: &[u8]) -> (&[u8], &[u8]) {
    let line = super::trim_blanks_start(line);
    line.split_at(line.iter().position(|byte| is_blank(*byte)).unwrap_or(line.len()))
}
