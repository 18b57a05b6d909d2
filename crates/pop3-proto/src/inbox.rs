//! The buffer between a socket and a machine.

use alloc::vec::Vec;

use zeroize::Zeroize;

/// A buffer of a bounded size: bytes are read into its end and consumed from its beginning.
///
/// Consumed bytes stay where they are until the next read, so what a machine gave out of them can still be used.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
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

impl Inbox {
    /// One that becomes larger while a line needs it. Nothing is allocated before the first read.
    pub(crate) const fn growing(capacity: usize, most: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, capacity, most, eager: false, filled: false }
    }

    /// One that becomes larger while much comes: fewer and larger reads for messages, little memory for all else.
    pub(crate) const fn eager(capacity: usize, most: usize) -> Self {
        let mut inbox = Self::growing(capacity, most);
        inbox.eager = true;
        inbox
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
    pub(crate) fn space(&mut self) -> &mut [u8] {
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

    /// So many bytes were read into [`space`](Self::space).
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
        self.filled = self.end == self.bytes.len();
    }
}

/// What was read may hold secrets and mail.
impl Drop for Inbox {
    fn drop(&mut self) {
        self.bytes.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(inbox: &mut Inbox, bytes: &[u8]) {
        inbox.space()[..bytes.len()].copy_from_slice(bytes);
        inbox.filled(bytes.len());
    }

    #[test]
    fn h56_what_was_consumed_is_gone() {
        let mut inbox = Inbox::growing(32, 32);
        put(&mut inbox, b"USER joe\r\nPASS can");
        inbox.consume(10);
        inbox.wipe(10);
        put(&mut inbox, b"ary\r\n");
        assert_eq!(inbox.unread(), b"PASS canary\r\n");
        inbox.consume(13);
        inbox.wipe(13);
        assert!(inbox.space().iter().all(|byte| *byte == 0));
    }

    #[test]
    fn only_what_is_eager_grows_when_reads_fill_it() {
        let mut inbox = Inbox::eager(8, 64);
        put(&mut inbox, b"1234");
        inbox.consume(4);
        assert_eq!(inbox.space().len(), 8, "there was room");
        put(&mut inbox, b"12345678");
        inbox.consume(8);
        assert_eq!((inbox.consumed(3), inbox.consumed(9)), (&b"678"[..], &b""[..]));
        assert_eq!(inbox.space().len(), 64);
        let mut inbox = Inbox::growing(8, 64);
        put(&mut inbox, b"12345678");
        inbox.consume(8);
        assert_eq!(inbox.space().len(), 8, "all of it was used");
    }

    #[test]
    fn a_long_line_makes_it_grow_and_it_shrinks_again() {
        let mut inbox = Inbox::growing(8, 64);
        put(&mut inbox, b"12345678");
        assert_eq!(inbox.space().len(), 56);
        inbox.consume(8);
        assert_eq!(inbox.space().len(), 8);
    }
}
