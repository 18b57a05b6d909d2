//! Byte-stuffing of message bodies (RFC 1939 §3), as slices of what was given.

use bytes::{BufMut, BytesMut};
use memchr::memmem::Finder;
use memchr::{memchr, memchr_iter};

use super::LineEnding;

/// What a [`DotDecoder`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unstuffed<'i> {
    /// Show the unconsumed bytes (at most two) again, with more behind them.
    NeedInput,
    /// A piece of the message, line ends included; always the last octets of what was consumed.
    Chunk(&'i [u8]),
    /// The terminating dot was consumed. The decoder is ready for another body.
    End,
}

/// Where in a line the next byte stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    Inside,
    AfterCr,
}

/// Takes the stuffing off a body and finds its end.
///
/// It begins at a line start, right behind the line of the `+OK`. Lines may have any length, and any byte may stand in them
/// (Q32, Q33). Only the line ending that was given ends a line, and so the body (H16); the terminating dot after lines that end in LF
/// may be followed by CR LF.
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
#[derive(Clone, Debug)]
pub struct DotDecoder {
    place: Place,
    ending: LineEnding,
    /// Finds a line that begins with a dot.
    dotted: Finder<'static>,
}

impl DotDecoder {
    /// A decoder for the line ending of the connection.
    pub fn new(ending: LineEnding) -> Self {
        let dotted = match ending {
            LineEnding::CrLf => Finder::new(b"\r\n."),
            LineEnding::Lf => Finder::new(b"\n."),
        };
        Self { place: Place::LineStart, ending, dotted }
    }

    /// The line ending that it was made for.
    pub const fn ending(&self) -> LineEnding {
        self.ending
    }

    /// Decodes the beginning of `input`; gives what was found and how many bytes are done with.
    pub fn decode<'i>(&mut self, input: &'i [u8]) -> (Unstuffed<'i>, usize) {
        let mut stuffing = 0;
        if self.place == Place::LineStart
            && let Some((b'.', behind)) = input.split_first()
        {
            match (self.ending, behind) {
                (_, [] | [b'\r']) => return (Unstuffed::NeedInput, 0),
                // Some servers whose lines end in LF send this one with CR LF. A line of a message cannot look like it: its dot is
                // doubled.
                (_, [b'\r', b'\n', ..]) => return (Unstuffed::End, 3),
                (LineEnding::Lf, [b'\n', ..]) => return (Unstuffed::End, 2),
                _ => stuffing = 1,
            }
            self.place = Place::Inside;
        }
        let data = input.get(stuffing..).unwrap_or_default();
        let length = self.chunk_length(data);
        let chunk = data.get(..length).unwrap_or(data);
        self.place = self.place_behind(chunk);
        match chunk {
            [] => (Unstuffed::NeedInput, 0),
            _ => (Unstuffed::Chunk(chunk), stuffing + chunk.len()),
        }
    }

    /// How far `data` goes before a line that begins with a dot.
    fn chunk_length(&self, data: &[u8]) -> usize {
        // The line end may have begun in the last chunk, where the finder cannot see it.
        if self.place == Place::AfterCr && data.starts_with(b"\n.") {
            return 1;
        }
        let end = match self.ending {
            LineEnding::CrLf => 2,
            LineEnding::Lf => 1,
        };
        self.dotted.find(data).map_or(data.len(), |at| at + end)
    }

    fn place_behind(&self, chunk: &[u8]) -> Place {
        match (self.ending, chunk) {
            (_, []) => self.place,
            (LineEnding::Lf, [.., b'\n']) | (LineEnding::CrLf, [.., b'\r', b'\n']) => Place::LineStart,
            (LineEnding::CrLf, [b'\n']) if self.place == Place::AfterCr => Place::LineStart,
            (LineEnding::CrLf, [.., b'\r']) => Place::AfterCr,
            _ => Place::Inside,
        }
    }
}

/// Stuffs a message for the wire: every line end becomes CR LF (S08), every line that begins with a dot gets another (S05), a
/// last line without an end gets one (S06). A bare CR stays a bare CR. Whatever lies in the store, a strict reader and a lenient
/// one see one message in it (H17).
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
#[derive(Clone, Debug)]
pub struct DotEncoder {
    place: Place,
}

impl Default for DotEncoder {
    fn default() -> Self {
        Self::new()
    }
}

impl DotEncoder {
    /// An encoder at the start of a message.
    pub const fn new() -> Self {
        Self { place: Place::LineStart }
    }

    /// The next piece of the message as slices for a vectored write; together they are what goes over the wire.
    ///
    /// Copies nothing. For mail whose lines end in LF the slices are many and short: [`encode_into`](Self::encode_into) is the
    /// better way there.
    pub fn encode<'d>(&mut self, data: &'d [u8]) -> Segments<'d> {
        let segments = Segments { place: self.place, rest: data, bare: false };
        self.place = place_in_store(self.place, data);
        segments
    }

    /// Appends the next piece of the message, stuffed, to `out`.
    pub fn encode_into(&mut self, data: &[u8], out: &mut BytesMut) {
        // So much mail grows by stuffing; what grows more makes room for itself.
        out.reserve(data.len() + data.len() / 32);
        let first = memchr(b'\n', data).unwrap_or(0);
        if first.checked_sub(1).and_then(|before| data.get(before)) == Some(&b'\r') {
            self.encode(data).for_each(|segment| out.put_slice(segment));
        } else {
            self.encode_lines_into(data, out);
        }
    }

    /// The same for mail whose lines end in LF: one pass over the line ends instead of two slices for each of them.
    fn encode_lines_into(&mut self, data: &[u8], out: &mut BytesMut) {
        if self.place == Place::LineStart && data.starts_with(b".") {
            out.put_slice(b".");
        }
        let mut done = 0;
        for at in memchr_iter(b'\n', data) {
            let after_cr = match at.checked_sub(1) {
                Some(before) => data.get(before) == Some(&b'\r'),
                None => self.place == Place::AfterCr,
            };
            if !after_cr {
                // Copied with its LF, which then becomes the CR: one copy less.
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
        self.place = place_in_store(self.place, data);
    }

    /// What ends the message on the wire: the terminating dot, and before it the line end that the last line may lack.
    pub const fn finish(self) -> &'static [u8] {
        match self.place {
            Place::LineStart => b".\r\n",
            Place::Inside | Place::AfterCr => b"\r\n.\r\n",
        }
    }
}

/// In a store LF ends a line, with or without a CR before it.
fn place_in_store(before: Place, data: &[u8]) -> Place {
    match data {
        [] => before,
        [.., b'\n'] => Place::LineStart,
        [.., b'\r'] => Place::AfterCr,
        _ => Place::Inside,
    }
}

/// The slices of a stuffed piece of a message; see [`DotEncoder::encode`].
#[derive(Clone, Debug)]
pub struct Segments<'d> {
    place: Place,
    rest: &'d [u8],
    /// There was an LF without its CR, so there will be more.
    bare: bool,
}

impl<'d> Iterator for Segments<'d> {
    type Item = &'d [u8];

    fn next(&mut self) -> Option<&'d [u8]> {
        if self.rest.is_empty() {
            return None;
        }
        if self.place == Place::LineStart && self.rest.starts_with(b".") {
            self.place = Place::Inside;
            return Some(b".");
        }
        if self.place != Place::AfterCr && self.rest.starts_with(b"\n") {
            self.rest = self.rest.get(1..).unwrap_or_default();
            self.place = Place::LineStart;
            self.bare = true;
            return Some(b"\r\n");
        }
        let slice = self.clean_prefix();
        self.rest = self.rest.get(slice.len()..).unwrap_or_default();
        self.place = place_in_store(self.place, slice);
        Some(slice)
    }
}

impl<'d> Segments<'d> {
    /// The longest beginning of `rest` that goes over the wire as it is.
    fn clean_prefix(&self) -> &'d [u8] {
        let mut from = if self.bare { 0 } else { clean_blocks(self.rest) };
        while let Some(at) = self.rest.get(from..).and_then(|rest| memchr(b'\n', rest)).map(|at| from + at) {
            let after_cr = match at.checked_sub(1) {
                Some(before) => self.rest.get(before) == Some(&b'\r'),
                None => self.place == Place::AfterCr,
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

/// How far `data` certainly has no bare LF and no line that begins with a dot, counted in whole blocks: a loop over pairs of bytes that
/// the compiler turns into vectors, at twice the speed of a search for each line end.
fn clean_blocks(data: &[u8]) -> usize {
    const BLOCK: usize = 512;
    // What stands before the first byte is not known here.
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

/// Counts what a message weighs on the wire: every line end as two octets, stuffed dots not at all (S07, S08).
///
/// ```
/// use pop3_proto::codec::WireSize;
/// let mut size = WireSize::new();
/// size.add(b".one\ntwo");
/// assert_eq!(size.octets(), ".one\r\ntwo\r\n".len() as u64);
/// ```
#[derive(Clone, Debug)]
pub struct WireSize {
    octets: u64,
    place: Place,
}

impl Default for WireSize {
    fn default() -> Self {
        Self::new()
    }
}

impl WireSize {
    /// Nothing counted yet.
    pub const fn new() -> Self {
        Self { octets: 0, place: Place::LineStart }
    }

    /// Counts the next piece of the message.
    pub fn add(&mut self, data: &[u8]) {
        let mut before = match self.place {
            Place::AfterCr => b'\r',
            Place::LineStart | Place::Inside => 0,
        };
        let mut bare = 0u64;
        for at in memchr_iter(b'\n', data) {
            if let Some(byte) = at.checked_sub(1).and_then(|at| data.get(at)) {
                before = *byte;
            }
            bare += u64::from(before != b'\r');
        }
        self.octets += data.len() as u64 + bare;
        self.place = place_in_store(self.place, data);
    }

    /// The octets so far, with the line end that a last line without one gets.
    pub const fn octets(&self) -> u64 {
        match self.place {
            Place::LineStart => self.octets,
            Place::Inside | Place::AfterCr => self.octets + 2,
        }
    }
}
