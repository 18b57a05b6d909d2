//! A line of the journal.
//!
//! A line is `CHECK SECONDS MARK UNIQUE-ID NAME OCTETS FINGERPRINT STORED`: the beginning of a SHA-256 over the rest of the line; the
//! time at which the line was written or the message was last listed; a mark; the unique-id with unusual bytes as `%XX`; the file
//! name; the size that the server announced; the message's [fingerprint](crate::Fingerprint); and the time at which it was stored. `-`
//! stands for what is not known. The last word is left out if it equals SECONDS.
//!
//! Marks about a message:
//!
//! - `?` the message is in `tmp`, synced, and about to become visible under this name;
//! - `i` as `?`, but the message may be incomplete;
//! - `+` the message is stored;
//! - `x` the message is stored, but may be incomplete: it is never deleted from the server;
//! - `-` the message is stored, and its deletion was requested or is about to be: its unique-id may denote another message from
//!   now on;
//! - `d` as `-`, but the message is recorded by an earlier line;
//! - `=` the message is stored, and the server has confirmed its deletion;
//! - `k` the message is stored, and the server keeps it although it confirmed the deletion;
//! - `m` another program has fetched the message: it is not fetched again, and never deleted from the server.
//!
//! Marks about the account:
//!
//! - `~` unique-ids alone do not identify messages: one unique-id denoted two messages, one after the other;
//! - `c` the server has given all messages other unique-ids: for a time, new messages are compared with those that it no longer lists;
//! - `!` this message could not be retrieved; the size is the number of tries;
//! - `p` the server mixes up pipelined commands;
//! - `l` the server ended a session early; the size is the number of commands to use per session.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use crate::fingerprint::Fingerprint;

/// The kind of a line; the [module](self) lists the mark of each kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryKind {
    /// A message in `tmp`, synced, and about to become visible.
    Intended,
    /// As `Intended`, but the message may be incomplete.
    IntendedSuspect,
    /// The message is stored.
    Stored,
    /// The message is stored, but may be incomplete.
    Suspect,
    /// The message is stored, and its deletion was requested or is about to be.
    Deleting,
    /// As `Deleting`, but the message is recorded by an earlier line.
    NowDeleting,
    /// The message is stored, and the server has confirmed its deletion.
    Deleted,
    /// The message is stored, and the server keeps it although it confirmed the deletion.
    Kept,
    /// Another program has fetched the message.
    Imported,
    /// Unique-ids alone do not identify messages: one unique-id denoted two messages, one after the other.
    IdsReused,
    /// The server has given all messages other unique-ids.
    IdsChanged,
    /// The message could not be retrieved; `octets` is the number of tries.
    Failed,
    /// The server mixes up pipelined commands.
    PipeliningBroken,
    /// The server ended a session early; `octets` is the number of commands to use per session.
    CommandLimit,
}

impl EntryKind {
    const ALL: [(Self, &'static str); 14] = [
        (Self::Intended, "?"),
        (Self::IntendedSuspect, "i"),
        (Self::Stored, "+"),
        (Self::Suspect, "x"),
        (Self::Deleting, "-"),
        (Self::NowDeleting, "d"),
        (Self::Deleted, "="),
        (Self::Kept, "k"),
        (Self::Imported, "m"),
        (Self::IdsReused, "~"),
        (Self::IdsChanged, "c"),
        (Self::Failed, "!"),
        (Self::PipeliningBroken, "p"),
        (Self::CommandLimit, "l"),
    ];

    fn as_str(self) -> &'static str {
        Self::ALL.into_iter().find_map(|(kind, text)| (kind == self).then_some(text)).unwrap_or_default()
    }

    fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find_map(|(kind, text)| (text == word).then_some(kind))
    }
}

/// Returns the first `octets` octets of a SHA-256, as hexadecimal digits.
pub(crate) fn check(text: &[u8], octets: usize) -> String {
    Sha256::digest(text).iter().take(octets).fold(String::new(), |mut check, octet| {
        let _ = write!(check, "{octet:02x}");
        check
    })
}

/// One line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The time, in seconds since 1970.
    pub seconds: u64,
    /// The kind of the line.
    pub kind: EntryKind,
    /// The unique-id; empty for messages without one, and for marks about the account.
    pub unique_id: Vec<u8>,
    /// The file name; empty if it is not known.
    pub name: String,
    /// The size that the server announced, if it is known.
    pub octets: Option<u64>,
    /// The message's fingerprint, if it is known.
    pub fingerprint: Option<Fingerprint>,
    /// The time at which the message was stored, in seconds since 1970, if it is another one than `seconds`.
    pub stored: Option<u64>,
}

impl Entry {
    /// Creates a line with only a kind and a unique-id.
    pub fn new(kind: EntryKind, unique_id: &[u8]) -> Self {
        Self {
            seconds: 0,
            kind,
            unique_id: unique_id.to_vec(),
            name: String::new(),
            octets: None,
            fingerprint: None,
            stored: None,
        }
    }

    /// Returns the line as it is written, with its line end.
    pub fn line(&self) -> String {
        let mut rest = format!("{} {} ", self.seconds, self.kind.as_str());
        for byte in &self.unique_id {
            match byte {
                b'%' | ..0x21 | 0x7F.. => {
                    let _ = write!(rest, "%{byte:02X}");
                }
                _ => rest.push((*byte).into()),
            }
        }
        let name = if self.name.is_empty() { "-" } else { &self.name };
        let _ = write!(rest, " {name} ");
        let _ = match self.octets {
            Some(octets) => write!(rest, "{octets} "),
            None => write!(rest, "- "),
        };
        let _ = match &self.fingerprint {
            Some(fingerprint) => write!(rest, "{fingerprint}"),
            None => write!(rest, "-"),
        };
        if let Some(stored) = self.stored {
            let _ = write!(rest, " {stored}");
        }
        format!("{} {rest}\n", check(rest.as_bytes(), 4))
    }

    /// Parses a line without its line end. Returns `None` if it is malformed or fails its check.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let (stored, rest) = line.split_at_checked(9)?;
        if stored != format!("{} ", check(rest, 4)).as_bytes() {
            return None;
        }
        let mut words = str::from_utf8(rest).ok()?.split(' ');
        let (seconds, mark, escaped, name) = (words.next()?, words.next()?, words.next()?, words.next()?);
        let mut parts = escaped.split('%');
        let mut unique_id = parts.next()?.as_bytes().to_vec();
        for part in parts {
            let (code, text) = part.split_at_checked(2)?;
            unique_id.push(u8::from_str_radix(code, 16).ok()?);
            unique_id.extend_from_slice(text.as_bytes());
        }
        // Lines of earlier versions end after the name.
        let (octets, fingerprint) = (words.next().unwrap_or("-"), words.next().unwrap_or("-"));
        let stored = words.next().map(str::parse).transpose().ok()?;
        if words.next().is_some() {
            return None;
        }
        let known = |word| Some(word).filter(|word| *word != "-");
        Some(Self {
            seconds: seconds.parse().ok()?,
            kind: EntryKind::parse(mark)?,
            unique_id,
            name: known(name).unwrap_or_default().to_owned(),
            octets: known(octets).map(str::parse).transpose().ok()?,
            fingerprint: match known(fingerprint) {
                Some(word) => Some(Fingerprint::parse(word)?),
                None => None,
            },
            stored,
        })
    }
}
