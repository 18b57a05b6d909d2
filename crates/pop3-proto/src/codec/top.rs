//! The part of a message that `TOP` sends.

use memchr::memchr;

/// A filter that cuts a streamed message for `TOP`: it keeps the header, the blank line after it and the given number of body
/// lines (RFC 1939 §7).
///
/// ```
/// use pop3_proto::codec::TopLimit;
/// let mut top = TopLimit::new(1);
/// assert_eq!(top.take(b"Subject: x\n\none\ntwo\n"), b"Subject: x\n\none\n");
/// assert!(top.is_done());
/// ```
// S14
#[derive(Clone, Debug)]
pub struct TopLimit {
    lines: u64,
    in_header: bool,
    /// The content so far of the line that the next byte belongs to.
    line: LineSoFar,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LineSoFar {
    Empty,
    OnlyCr,
    Text,
}

impl TopLimit {
    /// Creates a filter. `lines`: the maximum number of body lines. 0 keeps only the header and the blank line; a number larger
    /// than the body keeps the complete message.
    pub const fn new(lines: u64) -> Self {
        Self { lines, in_header: true, line: LineSoFar::Empty }
    }

    /// Returns the part of the next piece of the message that is to be sent.
    pub fn take<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let mut end = 0;
        while !self.is_done() {
            let rest = data.get(end..).unwrap_or_default();
            let Some(at) = memchr(b'\n', rest) else {
                self.line = self.line.with(rest);
                return data;
            };
            let line = self.line.with(rest.get(..at).unwrap_or_default());
            end += at + 1;
            self.line = LineSoFar::Empty;
            if self.in_header {
                self.in_header = line == LineSoFar::Text;
            } else {
                self.lines -= 1;
            }
        }
        data.get(..end).unwrap_or(data)
    }

    /// Returns `true` if no more of the message is to be sent.
    pub const fn is_done(&self) -> bool {
        !self.in_header && self.lines == 0
    }
}

impl LineSoFar {
    fn with(self, more: &[u8]) -> Self {
        match (self, more) {
            (so_far, []) => so_far,
            (Self::Empty, b"\r") => Self::OnlyCr,
            _ => Self::Text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn top(message: &[u8], lines: u64, cut: usize) -> Vec<u8> {
        let mut limit = TopLimit::new(lines);
        let mut taken = Vec::new();
        for piece in [&message[..cut], &message[cut..]] {
            taken.extend_from_slice(limit.take(piece));
        }
        taken
    }

    #[test]
    fn s14_top_counts_body_lines() {
        let cases: &[(&str, u64, &str)] = &[
            ("H: 1\n\na\nb\n", 0, "H: 1\n\n"),
            ("H: 1\n\na\nb\n", 1, "H: 1\n\na\n"),
            ("H: 1\r\n\r\na\r\nb\r\n", 1, "H: 1\r\n\r\na\r\n"),
            ("H: 1\r\n\r\na\r\nb", 99_999_999, "H: 1\r\n\r\na\r\nb"),
            ("H: 1\n\n\n\nb\n", 2, "H: 1\n\n\n\n"),
            ("\nno header\nb\n", 1, "\nno header\n"),
            ("H: only\n", 5, "H: only\n"),
            ("H: cut", 5, "H: cut"),
            ("H: 1\n\r\r\n\na\n", 0, "H: 1\n\r\r\n\n"),
            ("", 3, ""),
        ];
        for (message, lines, expected) in cases {
            for cut in 0..=message.len() {
                assert_eq!(top(message.as_bytes(), *lines, cut), expected.as_bytes(), "{message:?} {lines} cut at {cut}");
            }
        }
    }
}
