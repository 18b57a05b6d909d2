//! The keywords of commands.

use core::fmt;

/// The keyword of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Verb {
    /// `APOP`
    Apop,
    /// `AUTH`
    Auth,
    /// `CAPA`
    Capa,
    /// `DELE`
    Dele,
    /// `LANG` (RFC 6856 §3)
    Lang,
    /// `LAST` (RFC 1460; not in the standard any more)
    Last,
    /// `LIST`
    List,
    /// `NOOP`
    Noop,
    /// `PASS`
    Pass,
    /// `QUIT`
    Quit,
    /// `RETR`
    Retr,
    /// `RSET`
    Rset,
    /// `STAT`
    Stat,
    /// `STLS`
    Stls,
    /// `TOP`
    Top,
    /// `UIDL`
    Uidl,
    /// `USER`
    User,
    /// `UTF8` (RFC 6856 §2)
    Utf8,
    /// `XCLIENT`, with which a trusted proxy names its client. It is not in any RFC.
    Xclient,
    /// A command that is not in [`ALL`](Self::ALL); see [`ExtensionCommand`](super::ExtensionCommand).
    Extension,
}

impl Verb {
    /// The verbs of all commands but extensions, in alphabetical order.
    pub const ALL: [Self; 19] = [
        Self::Apop,
        Self::Auth,
        Self::Capa,
        Self::Dele,
        Self::Lang,
        Self::Last,
        Self::List,
        Self::Noop,
        Self::Pass,
        Self::Quit,
        Self::Retr,
        Self::Rset,
        Self::Stat,
        Self::Stls,
        Self::Top,
        Self::Uidl,
        Self::User,
        Self::Utf8,
        Self::Xclient,
    ];

    /// Returns the keyword as it is sent; for [`Extension`](Self::Extension) words for a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Apop => "APOP",
            Self::Auth => "AUTH",
            Self::Capa => "CAPA",
            Self::Dele => "DELE",
            Self::Lang => "LANG",
            Self::Last => "LAST",
            Self::List => "LIST",
            Self::Noop => "NOOP",
            Self::Pass => "PASS",
            Self::Quit => "QUIT",
            Self::Retr => "RETR",
            Self::Rset => "RSET",
            Self::Stat => "STAT",
            Self::Stls => "STLS",
            Self::Top => "TOP",
            Self::Uidl => "UIDL",
            Self::User => "USER",
            Self::Utf8 => "UTF8",
            Self::Xclient => "XCLIENT",
            Self::Extension => "an extension command",
        }
    }

    /// Returns the arguments that the keyword accepts, in words for an error message.
    pub const fn arguments(self) -> &'static str {
        match self {
            Self::Capa | Self::Last | Self::Noop | Self::Quit | Self::Rset | Self::Stat | Self::Stls | Self::Utf8 => {
                "no argument"
            }
            Self::Dele | Self::Retr => "a message number",
            Self::List | Self::Uidl => "nothing or a message number",
            Self::Lang => "nothing, a language or *",
            Self::Extension => "arguments of its own",
            Self::Xclient => "words like ADDR=192.0.2.1",
            Self::Top => "a message number and a number of lines",
            Self::User => "a name",
            Self::Pass => "a password",
            Self::Apop => "a name and a digest",
            Self::Auth => "a mechanism and perhaps an initial response",
        }
    }

    /// Parses a keyword in upper, lower or mixed case.
    // S01
    pub(super) const fn from_keyword(keyword: &[u8]) -> Option<Self> {
        match keyword {
            [a, b, c, d] => Self::from_four(&[*a, *b, *c, *d]),
            _ if keyword.eq_ignore_ascii_case(b"TOP") => Some(Self::Top),
            _ if keyword.eq_ignore_ascii_case(b"XCLIENT") => Some(Self::Xclient),
            _ => None,
        }
    }

    /// Parses a keyword of four characters: most verbs have four, and four bytes compare as one number.
    pub(super) const fn from_four(keyword: &[u8; 4]) -> Option<Self> {
        // Clearing bit 5 turns a lower-case letter into its upper-case letter, and turns no other byte into a letter.
        const CAPITALS: u32 = 0xDFDF_DFDF;
        let word = u32::from_be_bytes(*keyword) & CAPITALS;
        Some(match &word.to_be_bytes() {
            b"APOP" => Self::Apop,
            b"AUTH" => Self::Auth,
            b"CAPA" => Self::Capa,
            b"DELE" => Self::Dele,
            b"LANG" => Self::Lang,
            b"LAST" => Self::Last,
            b"LIST" => Self::List,
            b"NOOP" => Self::Noop,
            b"PASS" => Self::Pass,
            b"QUIT" => Self::Quit,
            b"RETR" => Self::Retr,
            b"RSET" => Self::Rset,
            b"STAT" => Self::Stat,
            b"STLS" => Self::Stls,
            b"UIDL" => Self::Uidl,
            b"USER" => Self::User,
            // The mask turns the digit 8 into 0x18, and 0x18 must not match.
            b"UTF\x18" if keyword[3] == b'8' => Self::Utf8,
            _ => return None,
        })
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verb_is_parsed_from_its_keyword_in_any_case() {
        for verb in Verb::ALL {
            let keyword = verb.as_str();
            for keyword in [keyword.to_ascii_uppercase(), keyword.to_ascii_lowercase()] {
                assert_eq!(
                    Verb::from_keyword(keyword.as_bytes()),
                    Some(verb),
                    "{keyword} is missing in from_four or from_keyword"
                );
            }
        }
    }
}
