//! Byte-stuffing of message bodies (RFC 1939 §3): a decoder, an encoder and the size of a message on the wire.
//!
//! A body ends with a line that consists of one dot. A line of the message that begins with a dot gets another dot in front, so no
//! line of a message is that line. The decoder must therefore look at the bytes after each line end, and only there.
//!
//! It returns pieces of the input itself, so that a message of any size is decoded without a copy and without a buffer. That works
//! because decoding only ever removes one byte, the added dot, at the start of a line: the piece before the dot is one chunk, and the
//! dot itself is consumed without being returned. The decoder searches for the next line end that a dot follows with one search for
//! three bytes (`CR LF .`), and skips all other lines at the speed of that search.
//!
//! The difficulty is the end of the input, which can be anywhere: between CR and LF, between LF and the dot, or between the dot and
//! the byte that shows whether the dot is added, terminating or part of the text. In each of these cases the decoder returns all
//! bytes that are certain, and asks for more (`NeedInput`) with at most two bytes unconsumed. The position of the next byte in its
//! line (`LinePosition`) is its only memory, so the same message gives the same bytes however it is split; a test compares all splits
//! with a naive decoder.
//!
//! Only one line ending is in force (see [`LineEnding`]): with CR LF, a bare LF or a bare CR is data, so `LF . CR LF` does not end a
//! message and a dot after a bare LF is not removed.

use bytes::{BufMut, BytesMut};
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

use super::LineEnding;

/// The result of [`DotDecoder::decode`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstuffed<'i> {
    /// More input is needed: pass the unconsumed bytes (at most two) again, followed by more.
    NeedInput,
    /// A piece of the message, line ends included. It is always the end of the consumed bytes.
    Chunk(&'i [u8]),
    /// The terminating dot was consumed. The decoder is ready for another body.
    End,
}

/// The position of the next byte in its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LinePosition {
    LineStart,
    Inside,
    AfterCr,
}

/// A decoder that removes the byte-stuffing from a message body and finds the end of the body.
///
/// Decoding starts at a line start, directly after the line of the `+OK`. Lines may have any length and contain any byte. Only
/// the given line ending ends a line, and so the body: a message cannot end its own body early with the other ending. If lines
/// end in LF, the terminating dot may also be followed by CR LF.
///
/// ```
/// use pop3_proto::codec::{DotDecoder, LineEnding, Unstuffed};
/// let mut decoder = DotDecoder::new(LineEnding::CrLf);
/// let mut input: &[u8] = b"a\r\n..b\r\n.\r\n+OK";
/// let mut message = Vec::new();
/// loop {
///     let (found, consumed) = decoder.decode(input);
///     input = &input[consumed..];
///     match found {
///         Unstuffed::Chunk(chunk) => message.extend_from_slice(chunk),
///         Unstuffed::End => break,
///         Unstuffed::NeedInput => unreachable!("the body is complete"),
///     }
/// }
/// assert_eq!(message, b"a\r\n.b\r\n");
/// assert_eq!(input, b"+OK");
/// ```
// H16, Q32, Q33
#[derive(Clone, Debug)]
pub struct DotDecoder {
    position: LinePosition,
    ending: LineEnding,
    /// The search for a line end with a dot after it.
    dotted: Finder<'static>,
}

impl DotDecoder {
    /// Creates a decoder for the line ending of the connection.
    pub fn new(ending: LineEnding) -> Self {
        let dotted = match ending {
            LineEnding::CrLf => Finder::new(b"\r\n."),
            LineEnding::Lf => Finder::new(b"\n."),
        };
        Self { position: LinePosition::LineStart, ending, dotted }
    }

    /// Returns the line ending that the decoder was created for.
    pub const fn ending(&self) -> LineEnding {
        self.ending
    }

    /// Decodes the beginning of `input`. Returns the result and the number of bytes consumed.
    pub fn decode<'i>(&mut self, input: &'i [u8]) -> (Unstuffed<'i>, usize) {
        let mut stuffing = 0;
        if self.position == LinePosition::LineStart
            && let Some((b'.', behind)) = input.split_first()
        {
            match (self.ending, behind) {
                (_, [] | [b'\r']) => return (Unstuffed::NeedInput, 0),
                // Some servers whose lines end in LF send the terminating dot with CR LF. No line of the message looks like it,
                // because a leading dot is doubled there.
                (_, [b'\r', b'\n', ..]) => return (Unstuffed::End, 3),
                (LineEnding::Lf, [b'\n', ..]) => return (Unstuffed::End, 2),
                _ => stuffing = 1,
            }
            self.position = LinePosition::Inside;
        }
        let data = input.get(stuffing..).unwrap_or_default();
        let length = self.chunk_length(data);
        let chunk = data.get(..length).unwrap_or(data);
        self.position = self.position_after(chunk);
        match chunk {
            [] => (Unstuffed::NeedInput, 0),
            _ => (Unstuffed::Chunk(chunk), stuffing + chunk.len()),
        }
    }

    /// Returns the length of `data` up to the next line that begins with a dot.
    fn chunk_length(&self, data: &[u8]) -> usize {
        // The line end may have begun in the previous chunk, which the search does not cover.
        if self.position == LinePosition::AfterCr && data.starts_with(b"\n.") {
            return 1;
        }
        let end = match self.ending {
            LineEnding::CrLf => 2,
            LineEnding::Lf => 1,
        };
        self.dotted.find(data).map_or(data.len(), |at| at + end)
    }

    fn position_after(&self, chunk: &[u8]) -> LinePosition {
        match (self.ending, chunk) {
            (_, []) => self.position,
            (LineEnding::Lf, [.., b'\n']) | (LineEnding::CrLf, [.., b'\r', b'\n']) => LinePosition::LineStart,
            (LineEnding::CrLf, [b'\n']) if self.position == LinePosition::AfterCr => LinePosition::LineStart,
            (LineEnding::CrLf, [.., b'\r']) => LinePosition::AfterCr,
            _ => LinePosition::Inside,
        }
    }
}

/// An encoder that byte-stuffs a message for the wire: each line end becomes CR LF, each line that begins with a dot gets another
/// dot, and a last line without a line end gets one (RFC 1939 §3, §11). A bare CR stays as it is. Whatever bytes are stored,
/// strict and lenient readers find the same single message in the output.
///
/// ```
/// use bytes::BytesMut;
/// use pop3_proto::codec::DotEncoder;
/// let mut encoder = DotEncoder::new();
/// let mut wire = BytesMut::new();
/// encoder.encode_into(b".first\nlast", &mut wire);
/// wire.extend_from_slice(encoder.finish());
/// assert_eq!(&wire[..], b"..first\r\nlast\r\n.\r\n");
/// ```
// S05, S06, S08, H17
#[derive(Clone, Debug)]
pub struct DotEncoder {
    position: LinePosition,
}

impl Default for DotEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl DotEncoder {
    /// Creates an encoder at the start of a message.
    pub const fn new() -> Self {
        Self { position: LinePosition::LineStart }
    }

    /// Encodes the next piece of the message. The returned slices, in order, are the encoded piece; they suit a vectored write.
    ///
    /// Copies nothing. Mail whose lines end in LF yields many short slices: [`encode_into`](Self::encode_into) is faster there.
    pub fn encode<'d>(&mut self, data: &'d [u8]) -> Segments<'d> {
        let segments = Segments { position: self.position, rest: data, bare: false };
        self.position = position_in_store(self.position, data);
        segments
    }

    /// Appends the next piece of the message, byte-stuffed, to `out`.
    pub fn encode_into(&mut self, data: &[u8], out: &mut BytesMut) {
        // Usual mail grows by at most 1/32; if a message grows more, `out` reserves more by itself.
        out.reserve(data.len() + data.len() / 32);
        let first = memchr(b'\n', data).unwrap_or(0);
        if first.checked_sub(1).and_then(|before| data.get(before)) == Some(&b'\r') {
            self.encode(data).for_each(|segment| out.put_slice(segment));
        } else {
            self.encode_lines_into(data, out);
        }
    }

    /// Appends a piece of mail whose lines end in LF: makes one pass over the line ends instead of two slices for each of them.
    fn encode_lines_into(&mut self, data: &[u8], out: &mut BytesMut) {
        if self.position == LinePosition::LineStart && data.starts_with(b".") {
            out.put_slice(b".");
        }
        let mut done = 0;
        for at in memchr_iter(b'\n', data) {
            let after_cr = match at.checked_sub(1) {
                Some(before) => data.get(before) == Some(&b'\r'),
                None => self.position == LinePosition::AfterCr,
            };
            if !after_cr {
                // Copies the line with its LF and then turns that LF into the CR, which saves a copy.
                out.extend_from_slice(data.get(done..=at).unwrap_or_default());
                if let Some(last) = out.last_mut() {
                    *last = b'\r';
                }
                out.extend_from_slice(b"\n");
                done = at + 1;
            }
            if data.get(at + 1) == Some(&b'.') {
                out.extend_from_slice(data.get(done..=at).unwrap_or_default());
                out.extend_from_slice(b".");
                done = at + 1;
            }
        }
        out.extend_from_slice(data.get(done..).unwrap_or_default());
        self.position = position_in_store(self.position, data);
    }

    /// Returns the bytes that end the message on the wire: the terminating dot, after the line end that the last line may lack.
    pub const fn finish(self) -> &'static [u8] {
        match self.position {
            LinePosition::LineStart => b".\r\n",
            LinePosition::Inside | LinePosition::AfterCr => b"\r\n.\r\n",
        }
    }
}

/// Returns the position after `data`. In a stored message LF ends a line, with or without a CR before it.
fn position_in_store(before: LinePosition, data: &[u8]) -> LinePosition {
    match data {
        [] => before,
        [.., b'\n'] => LinePosition::LineStart,
        [.., b'\r'] => LinePosition::AfterCr,
        _ => LinePosition::Inside,
    }
}

/// The slices of a byte-stuffed piece of a message; see [`DotEncoder::encode`].
#[derive(Clone, Debug)]
pub struct Segments<'d> {
    position: LinePosition,
    rest: &'d [u8],
    /// An LF without a CR was found, so more of them are likely.
    bare: bool,
}

impl<'d> Iterator for Segments<'d> {
    type Item = &'d [u8];

    fn next(&mut self) -> Option<&'d [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        if self.position == LinePosition::LineStart && self.rest.starts_with(b".") {
            self.position = LinePosition::Inside;
            return Some(b".");
        }
        if self.position != LinePosition::AfterCr && self.rest.starts_with(b"\n") {
            self.rest = self.rest.get(1..).unwrap_or_default();
            self.position = LinePosition::LineStart;
            self.bare = true;
            return Some(b"\r\n");
        }
        let slice = self.clean_prefix();
        self.rest = self.rest.get(slice.len()..).unwrap_or_default();
        self.position = position_in_store(self.position, slice);
        Some(slice)
    }
}

impl<'d> Segments<'d> {
    /// Returns the longest prefix of `rest` that goes over the wire unchanged.
    fn clean_prefix(&self) -> &'d [u8] {
        let mut from = if self.bare { 0 } else { clean_blocks(self.rest) };
        while let Some(at) = self.rest.get(from..).and_then(|rest| memchr(b'\n', rest)).map(|at| from + at) {
            let after_cr = match at.checked_sub(1) {
                Some(before) => self.rest.get(before) == Some(&b'\r'),
                None => self.position == LinePosition::AfterCr,
            };
            if !after_cr {
                return self.rest.get(..at).unwrap_or_default();
            }
            from = at + 1;
            if self.rest.get(from) == Some(&b'.') {
                return self.rest.get(..from).unwrap_or_default();
            }
        }
        self.rest
    }
}

/// Returns the length of a prefix of `data`, in complete blocks, that has no bare LF and no line that begins with a dot. The
/// compiler turns the loop over pairs of bytes into vector instructions, which are twice as fast as a search for each line end.
fn clean_blocks(data: &[u8]) -> usize {
    const BLOCK: usize = 512;
    // The byte before the first one is not known here, so a leading LF may be bare.
    if data.first() == Some(&b'\n') {
        return 0;
    }
    let mut length = 0;
    while let Some((block, next)) = data.get(length..length + BLOCK).zip(data.get(length + 1..=length + BLOCK)) {
        let odd = block
            .iter()
            .zip(next)
            .fold(false, |odd, (byte, next)| odd | ((*next == b'\n') & (*byte != b'\r')) | ((*byte == b'\n') & (*next == b'.')));
        if odd {
            break;
        }
        length += BLOCK;
    }
    length
}

/// A counter of a message's size on the wire, in octets: each line end counts as two octets, and stuffed dots do not count (RFC
/// 1939 §11).
///
/// ```
/// use pop3_proto::codec::WireSize;
/// let mut size = WireSize::new();
/// size.add(b".one\ntwo");
/// assert_eq!(size.octets(), ".one\r\ntwo\r\n".len() as u64);
/// ```
// S07, S08
#[derive(Clone, Debug)]
pub struct WireSize {
    octets: u64,
    position: LinePosition,
}

impl Default for WireSize {
    fn default() -> Self {
        Self::new()
    }
}

impl WireSize {
    /// Creates a counter at zero.
    pub const fn new() -> Self {
        Self { octets: 0, position: LinePosition::LineStart }
    }

    /// Counts the next piece of the message.
    pub fn add(&mut self, data: &[u8]) {
        let mut before = match self.position {
            LinePosition::AfterCr => b'\r',
            LinePosition::LineStart | LinePosition::Inside => 0,
        };
        let mut bare = 0u64;
        for at in memchr_iter(b'\n', data) {
            if let Some(byte) = at.checked_sub(1).and_then(|at| data.get(at)) {
                before = *byte;
            }
            bare += u64::from(before != b'\r');
        }
        self.octets += data.len() as u64 + bare;
        self.position = position_in_store(self.position, data);
    }

    /// Returns the octets so far, including the line end that is added if the last line has none.
    pub const fn octets(&self) -> u64 {
        match self.position {
            LinePosition::LineStart => self.octets,
            LinePosition::Inside | LinePosition::AfterCr => self.octets + 2,
        }
    }
}
