//! Where a line ends, found once however the line was cut (H34).

use memchr::memchr;

use super::swar::{SHORT, find_line_feed};

/// What ends a line on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnding {
    /// CR LF, as the RFC has it; a bare LF is data.
    CrLf,
    /// LF alone; a CR before it is data.
    Lf,
}

/// Which line ends a [`LineScanner`] takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEndingPolicy {
    /// The first line decides for all that follow: a client towards its server (Q14). Both on one connection would let a
    /// crafted message end its own body (H16).
    Learn,
    /// Decided.
    Fixed(LineEnding),
    /// CR LF or LF at any time: a server towards its client. Nothing in POP3 uploads a body, so nothing can be smuggled.
    Either,
}

/// What a [`LineScanner`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scan<'i> {
    /// No line end yet: show what was not consumed again, with more behind it.
    NeedInput,
    /// A line without its end.
    Line(&'i [u8]),
    /// A line over the limit has passed. It was thrown away as it came, so it costs no memory.
    TooLong,
}

/// Finds lines in input that comes in pieces, looking at each byte once.
///
/// The limit counts whole lines, the end included, so a result never depends on how TCP cut the input.
///
/// ```
/// use pop3_proto::codec::{LineEndingPolicy, LineScanner, Scan};
/// let mut scanner = LineScanner::new(LineEndingPolicy::Either, 512);
/// assert_eq!(scanner.scan(b"STA"), (Scan::NeedInput, 0));
/// assert_eq!(scanner.scan(b"STAT\r\nQUIT"), (Scan::Line(b"STAT"), 6));
/// ```
#[derive(Clone, Debug)]
pub struct LineScanner {
    discipline: LineEndingPolicy,
    limit: usize,
    /// How much of the unconsumed input has been searched already.
    scanned: usize,
    /// The line is over the limit; its pieces are being thrown away.
    discarding: bool,
    /// The last line was short, so the next one probably is.
    short: bool,
}

impl LineScanner {
    /// `limit`: octets of the longest line, its end included.
    pub const fn new(discipline: LineEndingPolicy, limit: usize) -> Self {
        Self { discipline, limit, scanned: 0, discarding: false, short: true }
    }

    /// Takes longer or shorter lines from the next one on.
    pub const fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The ending that was learnt or given; CR LF while it is not known.
    pub const fn ending(&self) -> LineEnding {
        match self.discipline {
            LineEndingPolicy::Fixed(ending) => ending,
            LineEndingPolicy::Learn | LineEndingPolicy::Either => LineEnding::CrLf,
        }
    }

    /// Looks for the end of the first line of `input`; gives what was found and how many bytes are done with.
    ///
    /// `input` begins with the bytes that the last call did not consume.
    #[inline]
    pub fn scan<'i>(&mut self, input: &'i [u8]) -> (Scan<'i>, usize) {
        // The usual line, which is whole, without what only others need.
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

    /// Takes the CR off a line that an LF ended; `None` where that LF ends no line here.
    #[inline]
    fn without_end<'i>(&mut self, line: &'i [u8]) -> Option<&'i [u8]> {
        let stripped = line.strip_suffix(b"\r");
        match self.discipline {
            LineEndingPolicy::Fixed(LineEnding::CrLf) => stripped,
            LineEndingPolicy::Fixed(LineEnding::Lf) => Some(line),
            LineEndingPolicy::Either => Some(stripped.unwrap_or(line)),
            LineEndingPolicy::Learn => {
                self.discipline = LineEndingPolicy::Fixed(if stripped.is_some() { LineEnding::CrLf } else { LineEnding::Lf });
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
        for discipline in [LineEndingPolicy::Learn, LineEndingPolicy::Either, LineEndingPolicy::Fixed(LineEnding::Lf)] {
            let whole = feed(&mut LineScanner::new(discipline, 9), &[input]);
            assert!(
                whole.contains(&None) && whole.contains(&Some(b" exact8".to_vec()))
                    || discipline == LineEndingPolicy::Fixed(LineEnding::Lf)
            );
            let bytes: Vec<&[u8]> = input.chunks(1).collect();
            assert_eq!(feed(&mut LineScanner::new(discipline, 9), &bytes), whole);
            for cut in 0..input.len() {
                // Under miri each takes milliseconds.
                for second in (cut..input.len()).step_by(if cfg!(miri) { 16 } else { 1 }) {
                    let pieces = [&input[..cut], &input[cut..second], &input[second..]];
                    assert_eq!(feed(&mut LineScanner::new(discipline, 9), &pieces), whole, "{discipline:?} {cut} {second}");
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
        // A buffer that holds as much as the limit is not waited for to become larger.
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
