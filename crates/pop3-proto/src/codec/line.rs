//! The search for line ends. Each byte is examined once, however the input is split.
// H34

use memchr::memchr;

use super::swar::{SHORT, find_line_feed};

/// The line ending of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// CR LF, as the RFC requires; a bare LF is data.
    CrLf,
    /// LF alone; a CR before it is data.
    Lf,
}

/// The line endings that a [`LineScanner`] accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEndingPolicy {
    /// The line ending of the first line, for a client. Accepting both endings on one connection would let a crafted message end
    /// its own body.
    // H16, Q14
    Learn,
    /// The given line ending.
    Fixed(LineEnding),
    /// CR LF or LF for each line, for a server. A POP3 client never uploads a body, so no command can be smuggled in one.
    Either,
}

/// The result of [`LineScanner::scan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan<'i> {
    /// No line end has come yet: pass the unconsumed bytes again, followed by more.
    NeedInput,
    /// A line without its line end.
    Line(&'i [u8]),
    /// A line over the limit has ended. It was discarded as it came, so it used no memory.
    TooLong,
}

/// A scanner that finds lines in input that comes in pieces, and examines each byte once.
///
/// The limit applies to complete lines, line end included, so the results do not depend on how TCP splits the input.
///
/// ```
/// use pop3_proto::codec::{LineEndingPolicy, LineScanner, Scan};
/// let mut scanner = LineScanner::new(LineEndingPolicy::Either, 512);
/// assert_eq!(scanner.scan(b"STA"), (Scan::NeedInput, 0));
/// assert_eq!(scanner.scan(b"STAT\r\nQUIT"), (Scan::Line(b"STAT"), 6));
/// ```
#[derive(Clone, Debug)]
pub struct LineScanner {
    policy: LineEndingPolicy,
    limit: usize,
    /// The number of unconsumed bytes that were searched already.
    scanned: usize,
    /// The line is over the limit; its pieces are being discarded.
    discarding: bool,
    /// The last line was short, so the next one probably is.
    short: bool,
}

impl LineScanner {
    /// Creates a scanner. `limit`: the maximum length of a line in octets, line end included.
    pub const fn new(policy: LineEndingPolicy, limit: usize) -> Self {
        Self { policy, limit, scanned: 0, discarding: false, short: true }
    }

    /// Sets the maximum length in octets of the next lines, line end included.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Returns the line ending that was learnt or given; CR LF if it is not known yet, or if both are accepted.
    pub const fn ending(&self) -> LineEnding {
        match self.policy {
            LineEndingPolicy::Fixed(ending) => ending,
            LineEndingPolicy::Learn | LineEndingPolicy::Either => LineEnding::CrLf,
        }
    }

    /// Searches for the end of the first line of `input`. Returns the result and the number of bytes consumed.
    ///
    /// `input` must begin with the bytes that the last call did not consume.
    #[inline]
    pub fn scan<'i>(&mut self, input: &'i [u8]) -> (Scan<'i>, usize) {
        // The fast path for the usual line, which is complete when it is first scanned.
        if self.scanned == 0
            && !self.discarding
            && let Some(at) = find_line_feed(input, self.short)
            && at < self.limit
            && let Some((line, _)) = input.split_at_checked(at)
            && let Some(line) = self.without_end(line)
        {
            self.short = at < SHORT;
            return (Scan::Line(line), at + 1);
        }
        self.scan_on(input)
    }

    fn scan_on<'i>(&mut self, input: &'i [u8]) -> (Scan<'i>, usize) {
        while let Some(found) = input.get(self.scanned..).and_then(|rest| memchr(b'\n', rest)) {
            let at = self.scanned + found;
            let line = input.get(..at).unwrap_or_default();
            let total = at + 1;
            self.scanned = total;
            let Some(line) = self.without_end(line) else { continue };
            let too_long = self.discarding || total > self.limit;
            self.scanned = 0;
            self.discarding = false;
            return (if too_long { Scan::TooLong } else { Scan::Line(line) }, total);
        }
        self.scanned = input.len();
        if input.len() < self.limit && !self.discarding {
            return (Scan::NeedInput, 0);
        }
        self.discarding = true;
        // A CR at the end may be the first half of a line end.
        let keep = usize::from(input.last() == Some(&b'\r'));
        self.scanned = keep;
        (Scan::NeedInput, input.len() - keep)
    }

    /// Returns the line before an LF without its CR; `None` if this LF does not end a line. A scanner that learns adopts the line
    /// ending.
    #[inline]
    fn without_end<'i>(&mut self, line: &'i [u8]) -> Option<&'i [u8]> {
        let stripped = line.strip_suffix(b"\r");
        match self.policy {
            LineEndingPolicy::Fixed(LineEnding::CrLf) => stripped,
            LineEndingPolicy::Fixed(LineEnding::Lf) => Some(line),
            LineEndingPolicy::Either => Some(stripped.unwrap_or(line)),
            LineEndingPolicy::Learn => {
                self.policy = LineEndingPolicy::Fixed(if stripped.is_some() { LineEnding::CrLf } else { LineEnding::Lf });
                Some(stripped.unwrap_or(line))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    fn feed(scanner: &mut LineScanner, pieces: &[&[u8]]) -> Vec<Option<Vec<u8>>> {
        let (mut held, mut found) = (Vec::new(), Vec::new());
        for piece in pieces {
            held.extend_from_slice(piece);
            loop {
                let (scan, consumed) = scanner.scan(&held);
                let done = scan == Scan::NeedInput;
                match scan {
                    Scan::NeedInput => {}
                    Scan::Line(line) => found.push(Some(line.to_vec())),
                    Scan::TooLong => found.push(None),
                }
                held.drain(..consumed);
                if done {
                    break;
                }
            }
        }
        found
    }

    #[test]
    fn every_cut_gives_the_same_lines() {
        let input: &[u8] = b"one\r\ntwo\n\r\n\nover the limit\r\nfour\r\r\nover limit\r\nexactly 8\r\n exact8\r\n\rx\r\n";
        for policy in [LineEndingPolicy::Learn, LineEndingPolicy::Either, LineEndingPolicy::Fixed(LineEnding::Lf)] {
            let whole = feed(&mut LineScanner::new(policy, 9), &[input]);
            assert!(
                whole.contains(&None) && whole.contains(&Some(b" exact8".to_vec()))
                    || policy == LineEndingPolicy::Fixed(LineEnding::Lf)
            );
            let bytes: Vec<&[u8]> = input.chunks(1).collect();
            assert_eq!(feed(&mut LineScanner::new(policy, 9), &bytes), whole);
            for cut in 0..input.len() {
                // Under Miri each step takes milliseconds.
                for second in (cut..input.len()).step_by(if cfg!(miri) { 16 } else { 1 }) {
                    let pieces = [&input[..cut], &input[cut..second], &input[second..]];
                    assert_eq!(feed(&mut LineScanner::new(policy, 9), &pieces), whole, "{policy:?} {cut} {second}");
                }
            }
        }
    }

    #[test]
    fn q14_the_first_line_decides() {
        let lines = |input: &[u8]| feed(&mut LineScanner::new(LineEndingPolicy::Learn, 99), &[input]);
        assert_eq!(lines(b"a\r\nb\nc\r\n"), [Some(b"a".to_vec()), Some(b"b\nc".to_vec())]);
        assert_eq!(lines(b"a\nb\r\nc\n"), [Some(b"a".to_vec()), Some(b"b\r".to_vec()), Some(b"c".to_vec())]);
    }

    #[test]
    fn h20_the_limit_counts_the_line_end_and_not_one_octet_more() {
        let scan = |input: &[u8], limit| match LineScanner::new(LineEndingPolicy::Either, limit).scan(input) {
            (Scan::Line(_), consumed) => Some(consumed),
            (found, consumed) => {
                assert_eq!((found, consumed), (Scan::TooLong, input.len()));
                None
            }
        };
        for length in [3usize, 8, 15, 16, 17, 40] {
            let line = [b"x".repeat(length - 1).as_slice(), b"\n"].concat();
            assert_eq!(scan(&line, length), Some(length));
            assert_eq!(scan(&line, length - 1), None);
            assert_eq!(scan(&line, length - 2), None);
        }
        // Input that has reached the limit without a line end is consumed; the scanner does not wait for more.
        assert_eq!(LineScanner::new(LineEndingPolicy::Either, 4).scan(b"abcd"), (Scan::NeedInput, 4));
        assert_eq!(LineScanner::new(LineEndingPolicy::Either, 4).scan(b"abc"), (Scan::NeedInput, 0));
    }

    #[test]
    fn h20_an_endless_line_is_thrown_away_as_it_comes() {
        let mut scanner = LineScanner::new(LineEndingPolicy::Either, 64);
        let junk = [b'x'; 100];
        for _ in 0..1000 {
            assert_eq!(scanner.scan(&junk), (Scan::NeedInput, 100));
        }
        assert_eq!(scanner.scan(b"tail\r\nNOOP\r\n"), (Scan::TooLong, 6));
        assert_eq!(scanner.scan(b"NOOP\r\n"), (Scan::Line(b"NOOP"), 6));
    }

    #[test]
    fn h34_a_line_in_single_bytes_is_searched_once() {
        let mut scanner = LineScanner::new(LineEndingPolicy::Either, 1 << 20);
        let line = [b'x'; 4096];
        for end in 1..line.len() {
            assert_eq!(scanner.scan(&line[..end]), (Scan::NeedInput, 0));
            assert_eq!(scanner.scanned, end);
        }
    }
}
