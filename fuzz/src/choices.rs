//! The fuzzer's bytes as a sequence of choices.

/// Bytes that are consumed one after the other; zeroes follow the last one.
#[derive(Clone, Copy, Debug)]
pub struct Choices<'a>(&'a [u8]);

impl<'a> Choices<'a> {
    pub const fn new(data: &'a [u8]) -> Self {
        Self(data)
    }

    /// Returns `true` if no bytes are left.
    pub const fn is_done(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *first
    }

    /// Returns a number below `count`, or 0 if `count` is 0.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count.max(1)
    }

    pub fn of<T: Copy>(&mut self, what: &[T]) -> T {
        what[self.below(what.len())]
    }

    pub fn number(&mut self) -> u64 {
        // Small numbers, and numbers at the limits of integer types.
        match self.byte() {
            255 => u64::MAX,
            254 => u32::MAX.into(),
            253 => u64::from(u32::MAX) + 1,
            length @ 245.. => (0..length - 244).fold(0, |value, _| value << 8 | u64::from(self.byte())),
            small => small.into(),
        }
    }

    /// Returns as many bytes as the next byte says.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = usize::from(self.byte());
        self.take(length)
    }

    pub fn take(&mut self, length: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub fn rest(&mut self) -> &'a [u8] {
        self.take(usize::MAX)
    }
}
