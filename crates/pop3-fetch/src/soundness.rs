//! Compares an arrived message with the size that the server announced.
//!
//! Many servers announce wrong sizes, and that alone is no reason to distrust a message. These deviations are tolerated:
//!
//! - the size of the message in the server's store, with LF line ends: at most one octet per line less than on the wire;
//! - line ends, byte-stuffing or the final dot counted as well: at most one octet per line and a few more;
//! - sizes rounded up or down to a multiple of 512, 1000 or 1024 octets, and sizes in KiB;
//! - an estimate that is off by at most a twentieth.
//!
//! A message that is shorter than all of these allow may be truncated. A message that is longer may contain other data, but no
//! part of it is missing. Neither is ever deleted from the server.
// Q29, Q39

use crate::fingerprint::{Fingerprint, Fingerprinter};

/// The result of the comparison of an arrived message with its announced size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Soundness {
    /// The size is as announced, within the tolerance, or no size was announced.
    Sound,
    /// The message is so short that a part may be missing.
    TooShort,
    /// The message is much longer than announced and may contain other data.
    TooLong,
    /// The message seems to contain the reply to another command: the session is out of step.
    OutOfStep,
}

/// Number of octets by which any announced size may be off.
const SLACK: u64 = 16;

/// An inspector of a message while it arrives.
#[derive(Clone, Debug, Default)]
pub struct Inspector {
    octets: u64,
    lines: u64,
    fingerprinter: Fingerprinter,
    /// The beginning of the line that is arriving.
    line: [u8; 4],
    line_length: usize,
    /// The first line looks like a reply.
    first_reply: bool,
    /// The offset of the last line that looks like a reply, if there is one.
    last_reply: Option<u64>,
}

impl Inspector {
    /// Adds the next piece of the message, with byte-stuffing removed.
    pub fn add(&mut self, piece: &[u8]) {
        self.fingerprinter.add(piece);
        for line in piece.split_inclusive(|byte| *byte == b'\n') {
            let before = self.line_length;
            for byte in line.iter().take(4usize.saturating_sub(before)) {
                self.line[self.line_length] = *byte;
                self.line_length += 1;
            }
            if before < 4 && self.line_length == 4 {
                self.look_at_line(self.octets);
            }
            self.octets += line.len() as u64;
            if line.ends_with(b"\n") {
                self.lines += 1;
                self.line_length = 0;
            }
        }
    }

    fn look_at_line(&mut self, at: u64) {
        let is_reply = matches!(&self.line, b"+OK " | b"+OK\r" | b"+OK\n" | b"-ERR");
        if is_reply && self.lines == 0 {
            self.first_reply = true;
        }
        if is_reply {
            self.last_reply = Some(at);
        }
    }

    /// Returns the number of octets so far, as counted on the wire.
    pub const fn octets(&self) -> u64 {
        self.octets
    }

    /// Compares the message with the size that the server announced; `None` means that it announced none.
    pub fn judge(&self, announced: Option<u64>) -> Soundness {
        let Some(announced) = announced.filter(|octets| *octets > 0) else { return Soundness::Sound };
        if self.octets == announced {
            return Soundness::Sound;
        }
        // A header never begins with a line that looks like a reply. A body may contain such a line, but only before its
        // announced end.
        if self.first_reply || self.last_reply.is_some_and(|at| at.saturating_add(SLACK) >= announced) {
            return Soundness::OutOfStep;
        }
        if self.rounding(announced) {
            return Soundness::Sound;
        }
        let tolerance = self.lines + SLACK + announced / 20;
        match (announced.saturating_sub(self.octets), self.octets.saturating_sub(announced)) {
            (short, _) if short > tolerance => Soundness::TooShort,
            (_, long) if long > tolerance => Soundness::TooLong,
            _ => Soundness::Sound,
        }
    }

    /// Returns `true` if the announced size may be the real size, rounded or in KiB.
    fn rounding(&self, announced: u64) -> bool {
        let smallest = self.octets - self.lines.min(self.octets);
        let largest = self.octets + self.lines;
        let near = |low: u64, high: u64, unit: u64| low < largest.saturating_add(unit) && high.saturating_add(unit) > smallest;
        let rounded =
            [512, 1000, 1024].into_iter().any(|unit: u64| announced.is_multiple_of(unit) && near(announced, announced, unit));
        // A size in KiB is a small number for a message about a thousand times as large.
        let scaled = announced.saturating_mul(1024);
        rounded || (self.octets > announced.saturating_mul(500) && near(scaled, scaled, 1024))
    }

    /// Returns the fingerprint of the octets so far.
    pub fn fingerprint(&self) -> Fingerprint {
        self.fingerprinter.clone().finish(self.octets)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(message: &[u8], announced: u64) -> Soundness {
        let whole = {
            let mut inspector = Inspector::default();
            inspector.add(message);
            inspector.judge(Some(announced))
        };
        let mut inspector = Inspector::default();
        message.chunks(1).for_each(|piece| inspector.add(piece));
        assert_eq!(inspector.judge(Some(announced)), whole, "byte by byte");
        whole
    }

    fn message(lines: usize) -> Vec<u8> {
        [b"Subject: x\r\n\r\n".to_vec(), b"a line of text\r\n".repeat(lines)].concat()
    }

    #[test]
    fn q29_common_wrong_sizes_are_tolerated() {
        for lines in [0, 3, 50, 1000] {
            let text = message(lines);
            let octets = text.len() as u64;
            let ends = lines as u64 + 2;
            for announced in
                [octets, octets - ends, octets + ends, octets + 3, octets.next_multiple_of(1024), octets.next_multiple_of(1000)]
            {
                assert_eq!(judge(&text, announced), Soundness::Sound, "{octets} announced as {announced}");
            }
            if octets > 2048 {
                assert_eq!(judge(&text, octets / 1024 * 1024), Soundness::Sound, "rounded down");
                assert_eq!(judge(&text, octets.div_ceil(1024)), Soundness::Sound, "in KiB");
            }
        }
        assert_eq!(judge(&message(3), 0), Soundness::Sound, "a server that announces no size");
    }

    #[test]
    fn q39_a_message_far_from_its_announced_size_is_not_sound() {
        let text = message(100);
        for announced in [text.len() as u64 * 10, text.len() as u64 * 2, text.len() as u64 * 5 / 4 + 7] {
            assert_eq!(judge(&text, announced), Soundness::TooShort, "{announced}");
        }
        for announced in [7, 300, text.len() as u64 / 2 + 7] {
            assert_eq!(judge(&text, announced), Soundness::TooLong, "{announced}");
        }
    }

    #[test]
    fn replies_inside_a_message_show_that_the_session_is_out_of_step() {
        let text = message(5);
        let octets = text.len() as u64;
        let stray = [b"+OK 120 octets\r\n".to_vec(), text.clone()].concat();
        assert_eq!(judge(&stray, octets), Soundness::OutOfStep, "a reply before the header");
        let two = [text.clone(), b"+OK\r\n".to_vec(), text.clone()].concat();
        assert_eq!(judge(&two, octets), Soundness::OutOfStep, "two messages without an end between them");
        // A message that quotes a session and has the announced size is sound.
        assert_eq!(judge(&stray, stray.len() as u64), Soundness::Sound);
        let quoting = [b"A: b\r\n\r\n+OK ready\r\n".to_vec(), b"a line of text\r\n".repeat(50)].concat();
        assert_eq!(judge(&quoting, quoting.len() as u64 + 3), Soundness::Sound);
    }
}
