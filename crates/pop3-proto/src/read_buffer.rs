//! The buffer between a socket and a machine.

use alloc::vec::Vec;

use zeroize::Zeroize;

/// A buffer of a bounded size: bytes are read into its end and consumed from its beginning.
///
/// Consumed bytes stay where they are until the next read, so what a machine gave out of them can still be used.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    capacity: usize,
    /// How far the capacity may grow where a whole buffer is not enough for a line.
    most: usize,
    /// Grow where reads fill the buffer, too.
    eager: bool,
    /// The last read filled it.
    filled: bool,
}

impl ReadBuffer {
    /// One that becomes larger while a line needs it. Nothing is allocated before the first read.
    pub(crate) const fn growing(capacity: usize, most: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, capacity, most, eager: false, filled: false }
    }

    /// One that becomes larger while much comes: fewer and larger reads for messages, little memory for all else.
    pub(crate) const fn eager(capacity: usize, most: usize) -> Self {
        let mut input = Self::growing(capacity, most);
        input.eager = true;
        input
    }

    pub(crate) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// The last `count` bytes that were consumed.
    pub(crate) fn consumed(&self, count: usize) -> &[u8] {
        self.start.checked_sub(count).and_then(|from| self.bytes.get(from..self.start)).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Overwrites the last `count` bytes that were consumed.
    pub(crate) fn wipe(&mut self, count: usize) {
        let start = self.start;
        if let Some(bytes) = start.checked_sub(count).and_then(|from| self.bytes.get_mut(from..start)) {
            bytes.zeroize();
        }
    }

    /// Room for more. Empty only if a whole buffer of bytes is unread.
    pub(crate) fn unfilled(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes.resize(self.capacity, 0);
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            let moved = self.end - self.start;
            // What was moved must not be left behind as well: it may be a secret. What was consumed is its consumer's to wipe, and for
            // mail nobody needs to.
            if let Some(left) = self.bytes.get_mut(self.start.max(moved)..self.end) {
                left.zeroize();
            }
            self.end = moved;
            self.start = 0;
        }
        let grows = self.end == self.bytes.len() || (self.eager && self.filled);
        if grows && self.bytes.len() < self.most {
            self.bytes.resize(self.most, 0);
        } else if self.end == 0 && self.bytes.len() > self.capacity && !self.eager {
            self.bytes.truncate(self.capacity);
            self.bytes.shrink_to_fit();
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// All that the buffer holds in memory, for tests of what it must not.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> &[u8] {
        &self.bytes
    }

    /// So many bytes were read into [`unfilled`](Self::unfilled).
    pub(crate) fn advance_read(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
        self.filled = self.end == self.bytes.len();
    }
}

/// What was read may hold secrets and mail.
impl Drop for ReadBuffer {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(input: &mut ReadBuffer, bytes: &[u8]) {
        input.unfilled()[..bytes.len()].copy_from_slice(bytes);
        input.advance_read(bytes.len());
    }

    #[test]
    fn h56_what_was_consumed_is_gone() {
        let mut input = ReadBuffer::growing(32, 32);
        put(&mut input, b"USER joe\r\nPASS can");
        input.consume(10);
        input.wipe(10);
        put(&mut input, b"ary\r\n");
        assert_eq!(input.unread(), b"PASS canary\r\n");
        input.consume(13);
        input.wipe(13);
        assert!(input.unfilled().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn only_what_is_eager_grows_when_reads_fill_it() {
        let mut input = ReadBuffer::eager(8, 64);
        put(&mut input, b"1234");
        input.consume(4);
        assert_eq!(input.unfilled().len(), 8, "there was room");
        put(&mut input, b"12345678");
        input.consume(8);
        assert_eq!((input.consumed(3), input.consumed(9)), (&b"678"[..], &b""[..]));
        assert_eq!(input.unfilled().len(), 64);
        let mut input = ReadBuffer::growing(8, 64);
        put(&mut input, b"12345678");
        input.consume(8);
        assert_eq!(input.unfilled().len(), 8, "all of it was used");
    }

    #[test]
    fn a_long_line_makes_it_grow_and_it_shrinks_again() {
        let mut input = ReadBuffer::growing(8, 64);
        put(&mut input, b"12345678");
        assert_eq!(input.unfilled().len(), 56);
        input.consume(8);
        assert_eq!(input.unfilled().len(), 8);
    }
}
