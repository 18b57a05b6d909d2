//! The buffer between a socket and a machine.

use alloc::vec::Vec;

use zeroize::Zeroize;

/// A buffer of a fixed size: bytes are read into its end and consumed from its beginning.
///
/// Consumed bytes stay where they are until the next read, so what a machine gave out of them can still be used.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    capacity: usize,
}

impl Inbox {
    /// Nothing is allocated before the first read.
    pub(crate) const fn new(capacity: usize) -> Self {
        Self { bytes: Vec::new(), start: 0, end: 0, capacity }
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
            self.end -= self.start;
            self.start = 0;
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// So many bytes were read into [`space`](Self::space).
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }
}
