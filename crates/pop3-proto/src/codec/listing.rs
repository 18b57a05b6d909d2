//! Drop listings (`STAT`), scan listings (`LIST`) and unique-id listings (`UIDL`), RFC 1939 §5 and §7.
//!
//! A size that a server sends is a hint: it neither marks the end of a message nor decides how much memory is allocated. A size
//! that cannot be parsed is therefore `None` and not an error.
// Q17, Q29, H32

use bytes::{BufMut, BytesMut};
use nom::bytes::complete::take_while1;
use nom::character::complete::{digit1, space0, space1};
use nom::combinator::{map_opt, opt};
use nom::sequence::preceded;
use nom::{IResult, Parser};
use thiserror::Error;

use super::number::{decimal, put_decimal, write_before};
use super::swar::{leading_digits, trailing_digits};
use super::{MessageNumber, UniqueId, before_line_break, is_blank, trim_blanks_end};

/// A line that does not begin with the required numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the line is not a listing: it does not begin with the numbers it must have")]
pub struct MalformedListing;

/// The drop listing, the reply to `STAT`: the number of messages and their total size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DropListing {
    /// The number of messages in the maildrop, without those marked as deleted.
    pub messages: u32,
    /// The total size on the wire in octets; `None` if the server sent no size that can be parsed.
    pub octets: Option<u64>,
}

impl DropListing {
    /// Parses the text after `+OK`.
    ///
    /// # Errors
    /// The text does not begin with a number that fits in a `u32` and ends at a blank or at the end of the text.
    pub fn parse(text: &[u8]) -> Result<Self, MalformedListing> {
        let (rest, messages) = preceded(space0, number32).parse(text).map_err(|_| MalformedListing)?;
        Ok(Self { messages, octets: size(rest)? })
    }

    /// Appends the numbers and a line end; without a size, only the number of messages. The `+OK` is the caller's.
    pub fn encode(&self, out: &mut BytesMut) {
        put_sized(out, self.messages, self.octets);
    }
}

/// The scan listing of one message: its number and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScanListing {
    /// The message number.
    pub number: MessageNumber,
    /// The size on the wire in octets; `None` if the server sent no size that can be parsed.
    pub octets: Option<u64>,
}

impl ScanListing {
    /// Parses a line of the reply to `LIST`, or the text after the `+OK` to `LIST n`.
    ///
    /// # Errors
    /// The line does not begin with a message number that ends at a blank or at the end of the line.
    pub fn parse(line: &[u8]) -> Result<Self, MalformedListing> {
        if let Some(usual) = Self::parse_usual(line) {
            return Ok(usual);
        }
        let (rest, number) = message_number(line).map_err(|_| MalformedListing)?;
        Ok(Self { number, octets: size(rest)? })
    }

    /// Appends the line with its line end; without a size, only the message number.
    pub fn encode(&self, out: &mut BytesMut) {
        put_sized(out, self.number.get(), self.octets);
    }

    /// Parses nearly all lines: two numbers of at most eight digits with one space between them. No branch depends on a digit.
    /// `None` for other lines.
    fn parse_usual(line: &[u8]) -> Option<Self> {
        let (number, rest) = leading_number(line)?;
        let octets = trailing_digits(line.last_chunk()?, Some(rest.len()).filter(|length| *length <= 8)?)?;
        Some(Self { number, octets: Some(octets) })
    }
}

/// Returns a message number of at most eight digits and the rest of the line after one space. `None` if the rest is empty, or if
/// the line is shorter than eight octets and cannot be read as words.
fn leading_number(line: &[u8]) -> Option<(MessageNumber, &[u8])> {
    let (number, digits) = leading_digits(line.first_chunk()?);
    let rest = line.get(digits + 1..).filter(|rest| !rest.is_empty())?;
    let blank = line.get(digits)? == &b' ';
    let number = MessageNumber::new(u32::try_from(number).ok()?)?;
    blank.then_some((number, rest))
}

/// The unique-id listing of one message as it was received: the unique-id may break every rule of the RFC.
// Q21, Q22, H28
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UniqueIdListing<'a> {
    /// The message number.
    pub number: MessageNumber,
    /// The unique-id without the blanks at its ends; empty if the server sent none. Never use it as a file path.
    // H29
    pub unique_id: &'a [u8],
}

impl<'a> UniqueIdListing<'a> {
    /// Parses a line of the reply to `UIDL`, or the text after the `+OK` to `UIDL n`. A `+OK` before the number is ignored.
    ///
    /// # Errors
    /// The line does not begin with a message number that ends at a blank or at the end of the line.
    // Q19
    pub fn parse(line: &'a [u8]) -> Result<Self, MalformedListing> {
        if let Some((number, unique_id)) = leading_number(line)
            && let ([first, ..], [.., last]) = (unique_id, unique_id)
            && !is_blank(*first)
            && !is_blank(*last)
        {
            return Ok(Self { number, unique_id });
        }
        let line = line.strip_prefix(b"+OK").unwrap_or(line);
        let (rest, number) = message_number(line).map_err(|_| MalformedListing)?;
        let (unique_id, _) = opt(space1).parse(rest).map_err(|_: nom::Err<nom::error::Error<_>>| MalformedListing)?;
        if unique_id.len() == rest.len() && !rest.is_empty() {
            return Err(MalformedListing);
        }
        Ok(Self { number, unique_id: trim_blanks_end(unique_id) })
    }

    /// Appends the line with its line end. A unique-id ends before its first CR, LF or NUL, so this is one line.
    // H15
    pub fn encode(&self, out: &mut BytesMut) {
        put_decimal(out, self.number.get().into());
        let unique_id = before_line_break(self.unique_id);
        if !unique_id.is_empty() {
            out.put_u8(b' ');
            out.put_slice(unique_id);
        }
        out.put_slice(b"\r\n");
    }
}

fn put_sized(out: &mut BytesMut, number: u32, octets: Option<u64>) {
    match octets {
        Some(octets) => put_drop_listing(out, number, octets),
        None => {
            put_decimal(out, number.into());
            out.put_slice(b"\r\n");
        }
    }
}

fn number32(input: &[u8]) -> IResult<&[u8], u32> {
    map_opt(digit1, |digits| decimal(digits).and_then(|n| n.try_into().ok())).parse(input)
}

fn message_number(input: &[u8]) -> IResult<&[u8], MessageNumber> {
    preceded(space0, map_opt(digit1, MessageNumber::parse)).parse(input)
}

/// Parses the size after a run of blanks. Words after the size are ignored: RFC 1939 §5 only discourages them.
// Q18
fn size(rest: &[u8]) -> Result<Option<u64>, MalformedListing> {
    if rest.is_empty() {
        return Ok(None);
    }
    let word: IResult<&[u8], &[u8]> = preceded(space1, take_while1(|byte| !is_blank(byte))).parse(rest);
    match word {
        Ok((_, word)) => Ok(decimal(word)),
        Err(_) if rest.iter().copied().all(is_blank) => Ok(None),
        Err(_) => Err(MalformedListing),
    }
}

/// Returns `true` if the text after the `+OK` to `LIST n` or `UIDL n` is the answer itself. If not, a listing follows, as some
/// servers send it: the text is then empty, or consists of several words of which the first is not a number. A single word
/// may be a unique-id without its number.
// Q25
pub(crate) fn names_one_message(text: &[u8]) -> bool {
    let mut words = text.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty());
    match (words.next(), words.next()) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(first), Some(_)) => first.iter().all(u8::is_ascii_digit),
    }
}

/// Appends `messages octets` and the line end.
pub(crate) fn put_drop_listing(out: &mut BytesMut, messages: u32, octets: u64) {
    let mut line = *b"---------- --------------------\r\n";
    let end = write_before(&mut line, 31, octets).wrapping_sub(1);
    if let Some(blank) = line.get_mut(end) {
        *blank = b' ';
    }
    let start = write_before(&mut line, end, messages.into());
    out.put_slice(line.get(start..).unwrap_or_default());
}

/// Appends `number octets` and the line end.
pub(crate) fn put_scan_listing(out: &mut BytesMut, number: MessageNumber, octets: u64) {
    put_drop_listing(out, number.get(), octets);
}

/// Appends `number unique-id` and the line end.
pub(crate) fn put_unique_id_listing(out: &mut BytesMut, number: MessageNumber, unique_id: UniqueId<'_>) {
    let mut line = *b"---------- ";
    let start = write_before(&mut line, 10, number.get().into());
    out.put_slice(line.get(start..).unwrap_or_default());
    out.put_slice(unique_id.as_bytes());
    out.put_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    fn number(n: u32) -> MessageNumber {
        MessageNumber::new(n).unwrap()
    }

    #[test]
    fn s09_q17_drop_listings() {
        let read = |text: &[u8]| DropListing::parse(text).map(|listing| (listing.messages, listing.octets));
        assert_eq!(read(b"2 320"), Ok((2, Some(320))));
        assert_eq!(read(b"2 320 octets, hello"), Ok((2, Some(320))));
        assert_eq!(read(b" 2\t 320"), Ok((2, Some(320))));
        assert_eq!(read(b"2 -5"), Ok((2, None)));
        assert_eq!(read(b"2 18446744073709551616"), Ok((2, None)));
        assert_eq!(read(b"2"), Ok((2, None)));
        assert_eq!(read(b"2  \t"), Ok((2, None)));
        assert_eq!(read(b"4294967296 1"), Err(MalformedListing));
        assert_eq!(read(b"2x 1"), Err(MalformedListing));
        assert_eq!(read(b""), Err(MalformedListing));
    }

    #[test]
    fn q18_scan_listings() {
        assert_eq!(ScanListing::parse(b"1   \t120"), Ok(ScanListing { number: number(1), octets: Some(120) }));
        assert_eq!(ScanListing::parse(b"1 120 octets"), Ok(ScanListing { number: number(1), octets: Some(120) }));
        assert_eq!(ScanListing::parse(b"1 big"), Ok(ScanListing { number: number(1), octets: None }));
        assert_eq!(ScanListing::parse(b"0 120"), Err(MalformedListing));
        assert_eq!(ScanListing::parse(b"4294967297 120"), Err(MalformedListing));
        assert_eq!(ScanListing::parse(b""), Err(MalformedListing));
    }

    #[test]
    fn q19_q21_q22_h28_unique_id_listings() {
        let read = |line| UniqueIdListing::parse(line).map(|listing| (listing.number.get(), listing.unique_id));
        assert_eq!(read(b"1 whqtswO00WBw418f9t5JxYwZ"), Ok((1, &b"whqtswO00WBw418f9t5JxYwZ"[..])));
        assert_eq!(read(b"+OK 1 abc"), Ok((1, &b"abc"[..])));
        for blanks in [&b"2    abc def "[..], b"2    abc def", b"2 abc def ", b"2\tabc def\t"] {
            assert_eq!(read(blanks), Ok((2, &b"abc def"[..])));
        }
        assert_eq!(read(b"2 \xff../../x"), Ok((2, &b"\xff../../x"[..])));
        assert_eq!(read(b"3"), Ok((3, &b""[..])));
        assert_eq!(read(b"3 "), Ok((3, &b""[..])));
        assert_eq!(read(b"3abc"), Err(MalformedListing));
        assert_eq!(read(b"abc"), Err(MalformedListing));
    }

    proptest! {
        #[test]
        fn listings_read_back(n in 1u32.., octets: u64, id in "[!-~]{1,70}") {
            let mut out = BytesMut::new();
            put_scan_listing(&mut out, number(n), octets);
            prop_assert_eq!(ScanListing::parse(out.strip_suffix(b"\r\n").unwrap()), Ok(ScanListing { number: number(n), octets: Some(octets) }));
            out.clear();
            put_drop_listing(&mut out, n, octets);
            prop_assert_eq!(DropListing::parse(out.strip_suffix(b"\r\n").unwrap()), Ok(DropListing { messages: n, octets: Some(octets) }));
            out.clear();
            put_unique_id_listing(&mut out, number(n), UniqueId::new(&id).unwrap());
            prop_assert_eq!(UniqueIdListing::parse(out.strip_suffix(b"\r\n").unwrap()), Ok(UniqueIdListing { number: number(n), unique_id: id.as_bytes() }));
        }

        #[test]
        fn h15_received_listings_are_encoded_as_one_line_that_reads_back(n in 1u32.., octets: Option<u64>, id: Vec<u8>) {
            let mut out = BytesMut::new();
            let scan = ScanListing { number: number(n), octets };
            scan.encode(&mut out);
            prop_assert_eq!(ScanListing::parse(out.strip_suffix(b"\r\n").unwrap()), Ok(scan));
            out.clear();
            let drop = DropListing { messages: n, octets };
            drop.encode(&mut out);
            prop_assert_eq!(DropListing::parse(out.strip_suffix(b"\r\n").unwrap()), Ok(drop));
            out.clear();
            UniqueIdListing { number: number(n), unique_id: &id }.encode(&mut out);
            let line = out.strip_suffix(b"\r\n").unwrap();
            prop_assert!(!line.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)));
            prop_assert!(UniqueIdListing::parse(line).is_ok_and(|read| read.number == number(n)));
        }
    }
}
