//! The buffer between a socket and a machine.

use alloc::vec::Vec;

use zeroize::Zeroize;

/// A buffer of a bounded size: bytes are read into its end and consumed from its beginning.
///
/// Consumed bytes stay in place until the next read, so the pieces of them that a machine returned remain available.
#[derive(Debug, Default)]
pub(crate) struct ReadBuffer {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    capacity: usize,
    /// The maximum capacity, to which the buffer grows if a line does not fit in `capacity`.
    most: usize,
    /// The buffer also grows when a read fills it.
    eager: bool,
    /// The last read filled the buffer.
    filled: bool,
}

impl ReadBuffer {
    /// Creates a buffer that is larger only while a line needs the space. Nothing is allocated before the first read.
    pub(crate) const fn growing(capacity: usize, most: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, capacity, most, eager: false, filled: false }
    }

    /// Creates a buffer that also grows once a read fills it: messages need fewer reads, and sessions without large replies need
    /// little memory.
    pub(crate) const fn eager(capacity: usize, most: usize) -> Self {
        let mut input = Self::growing(capacity, most);
        input.eager = true;
        input
    }

    pub(crate) fn unread(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Returns the last `count` consumed bytes.
    pub(crate) fn consumed(&self, count: usize) -> &[u8] {
        self.start.checked_sub(count).and_then(|from| self.bytes.get(from..self.start)).unwrap_or_default()
    }

    pub(crate) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Overwrites the last `count` consumed bytes with zeros.
    pub(crate) fn wipe(&mut self, count: usize) {
        let start = self.start;
        if let Some(bytes) = start.checked_sub(count).and_then(|from| self.bytes.get_mut(from..start)) {
            bytes.zeroize();
        }
    }

    /// Returns the space to read into. It is empty only if the buffer has its maximum capacity and all its bytes are unread.
    pub(crate) fn unfilled(&mut self) -> &mut [u8] {
        if self.bytes.is_empty() {
            self.bytes.resize(self.capacity, 0);
        }
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            let moved = self.end - self.start;
            // The old copy of the moved bytes is wiped because it may be a secret. The consumer wipes consumed bytes; mail needs
            // no wiping.
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

    /// Returns all memory of the buffer, for tests that search it for secrets.
    #[cfg(test)]
    pub(crate) fn memory(&self) -> &[u8] {
        &self.bytes
    }

    /// Adds `count` bytes that were read into [`unfilled`](Self::unfilled).
    pub(crate) fn advance_read(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
        self.filled = self.end == self.bytes.len();
    }
}

/// Wipes the buffer, which may hold secrets and mail.
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
    fn h56_consumed_octets_are_wiped() {
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
