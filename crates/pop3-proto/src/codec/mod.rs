//! Conversion between bytes and values: lines, byte-stuffing, commands, replies, listings and capabilities.
//!
//! Each item is a plain function, a value, or a small struct that remembers its position in a stream. No item depends on the
//! state of a session: [`client`](crate::client) and [`server`](crate::server) decide in which order commands and replies come.

mod argument;
mod capability;
mod command;
mod command_text;
mod dot;
mod escape;
mod extension;
mod foreign;
mod line;
mod listing;
mod number;
mod redacted;
mod reply;
mod swar;
mod top;
mod verb;

pub use argument::{ApopDigest, InvalidArgument, MessageNumber, OwnedUsername, Password, ReplyText, UniqueId, Username, Word};
pub use capability::{Capabilities, Capability, Expire, Words};
pub use command::{Command, MalformedCommand, ReplyShape};
pub use dot::{DotDecoder, DotEncoder, Segments, Unstuffed, WireSize};
pub use escape::Escaped;
pub use extension::{ExtensionCommand, ExtensionShape};
pub use line::{LineEnding, LineEndingPolicy, LineScanner, Scan};
pub use listing::{DropListing, MalformedListing, ScanListing, UniqueIdListing};
pub use redacted::RedactedCommand;
pub use reply::{Greeting, MalformedReply, OtherCode, Reply, ResponseCode, Status, encode_status_line};
pub use top::TopLimit;
pub use verb::Verb;

pub(crate) use argument::{before_line_break, refuse_line_breaks};
pub(crate) use extension::{check_keyword, split_keyword};
pub(crate) use foreign::{is_foreign_protocol, is_obsolete_command};
pub(crate) use listing::{names_one_message, put_drop_listing, put_scan_listing, put_unique_id_listing};
pub(crate) use number::decimal;
#[cfg(feature = "cram-md5")]
pub(crate) use number::hex_digits;
pub(crate) use number::put_decimal;
pub(crate) use reply::cut_to;

/// Maximum length in octets of a command line that every server accepts, CR LF included (RFC 2449 §4).
pub const MAX_COMMAND_LINE: usize = 255;

/// Maximum length in octets of a reply's first line, CR LF included (RFC 1939 §3).
pub const MAX_REPLY_LINE: usize = 512;

/// Returns `true` for a blank that separates arguments. The RFC allows one space; peers also send tabs and runs of blanks.
// Q18, Q52
pub(crate) const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(crate) fn trim_blanks(line: &[u8]) -> &[u8] {
    trim_blanks_end(trim_blanks_start(line))
}

pub(crate) fn trim_blanks_start(mut line: &[u8]) -> &[u8] {
    while let [first, rest @ ..] = line
        && is_blank(*first)
    {
        line = rest;
    }
    line
}

pub(crate) fn trim_blanks_end(mut line: &[u8]) -> &[u8] {
    while let [rest @ .., last] = line
        && is_blank(*last)
    {
        line = rest;
    }
    line
}
