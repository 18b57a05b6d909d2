//! A cache of a Maildir's messages, so that a login need not read unchanged folders or count messages again.
//!
//! The file consists of lines: the state of the folders, then `octets length changed sub/name` of each message in order, and a
//! CRC-32 of these lines. A size is used only if the file still has the recorded length and time of change: virus scanners and
//! other filters change messages in place. The list is used only if the folders are unchanged. A loss of the file costs only
//! time.

use std::io::{self, BufRead, BufReader, BufWriter, Write};

use rustix::fs::OFlags;

use super::folder::{FileStamp, Folder, Stamp};
use super::list::{List, MessageLocation, Sub};
use super::names;

const FILE: &str = "pop3-index";

/// The maximum length of a line in octets: file systems allow names of 255 octets.
const MAX_LINE: u64 = 1024;

/// The age in nanoseconds from which on a change of a folder is settled, for file systems that count fractions of a second, and
/// for others. A folder that changed later may change again with equal times, because the clocks of file systems are coarse.
const SETTLED: (i64, i64) = (250_000_000, 3_000_000_000);

/// The states of `new` and `cur`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps {
    new: Stamp,
    cur: Stamp,
}

impl Stamps {
    pub(super) fn of(new: &Folder, cur: &Folder) -> io::Result<Self> {
        Ok(Self { new: new.stamp()?, cur: cur.stamp()? })
    }

    /// Returns `true` if every change after `now`, in nanoseconds since 1970, will alter the states.
    pub(super) fn is_settled(&self, now: i64) -> bool {
        [&self.new, &self.cur].into_iter().all(|folder| {
            let coarse = folder.changed_at % 1_000_000_000 == 0;
            now.saturating_sub(folder.changed_at) > if coarse { SETTLED.1 } else { SETTLED.0 }
        })
    }

    /// Returns the first line of the file.
    fn line(&self, count: usize) -> String {
        format!("pop3-index 2 {} {} {count}", self.new.text, self.cur.text)
    }
}

/// The size of a message in octets on the wire, and the file in which it was counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counted {
    pub(super) octets: u64,
    pub(super) file: FileStamp,
}

/// The contents of the index.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The messages in their order.
    pub(super) list: List,
    pub(super) counted: Vec<Counted>,
    head: String,
}

impl Index {
    /// Loads the index. It is empty if the file cannot be read or is damaged.
    pub(super) fn load(root: &Folder) -> Self {
        let Ok(file) = root.read(FILE.as_bytes()) else { return Self::default() };
        Self::parse(BufReader::with_capacity(64 * 1024, file)).unwrap_or_default()
    }

    /// Parses an index. It must be in order and name no message twice, so that a forged index needs no more memory than a genuine
    /// one of as many files.
    pub(super) fn parse(mut text: impl BufRead) -> Option<Self> {
        let mut index = Self::default();
        let (mut line, mut hasher) = (Vec::new(), crc32fast::Hasher::new());
        let mut next = |line: &mut Vec<u8>| {
            line.clear();
            let read = io::Read::take(&mut text, MAX_LINE).read_until(b'\n', line).ok()?;
            // A truncated file lacks its last line end, or complete lines.
            (read > 0 && line.pop() == Some(b'\n')).then_some(())
        };
        next(&mut line)?;
        hasher.update(&line);
        index.head = str::from_utf8(&line).ok().filter(|head| head.starts_with("pop3-index 2 "))?.to_owned();
        let count: usize = index.head.rsplit(' ').next()?.parse().ok()?;
        for _ in 0..count {
            next(&mut line)?;
            hasher.update(&line);
            let (place, counted) = parse_line(&line)?;
            if index.list.last().is_some_and(|last| !last.order(place).is_lt()) {
                return None;
            }
            index.list.push(place).ok()?;
            index.counted.push(counted);
        }
        next(&mut line)?;
        let checked = line == format!("crc {:08x}", hasher.finalize()).as_bytes();
        checked.then_some(index)
    }

    /// Returns `true` if the list matches the current contents of the folders.
    pub(super) fn is_of(&self, stamps: &Stamps) -> bool {
        self.head == stamps.line(self.list.len())
    }

    /// Returns the known size of each message in a list. Both lists must be in order; where this one is not, fewer sizes are
    /// known.
    pub(super) fn of(&self, list: &List) -> impl Iterator<Item = Option<Counted>> {
        let mut known = self.list.iter().zip(&self.counted).peekable();
        list.iter().map(move |place| {
            while known.next_if(|(before, _)| names::order(before.base(), place.base()).is_lt()).is_some() {}
            known.peek().filter(|(same, _)| same.base() == place.base()).map(|(_, counted)| **counted)
        })
    }
}

fn parse_line(line: &[u8]) -> Option<(MessageLocation<'_>, Counted)> {
    let mut words = line.splitn(4, |byte| *byte == b' ');
    let (octets, length, changed) = (decimal(words.next()?)?, decimal(words.next()?)?, words.next()?);
    let changed = str::from_utf8(changed).ok()?.parse().ok()?;
    let (sub, name) = words.next()?.split_at_checked(4)?;
    let sub = match sub {
        b"new/" => Sub::New,
        b"cur/" => Sub::Cur,
        _ => return None,
    };
    // A name that leads out of the folder was not written by this module (H51).
    if name.is_empty() || name.starts_with(b".") || memchr::memchr2(b'/', 0, name).is_some() {
        return None;
    }
    Some((MessageLocation { sub, name }, Counted { octets, file: FileStamp { length, changed } }))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Replaces the index by a new one. Without `stamps`, a later login uses its sizes, but not its list.
pub(super) fn save(root: &Folder, stamps: Option<&Stamps>, list: &List, counted: &[Counted]) -> io::Result<()> {
    let new = format!("{FILE}.{}", names::unique());
    let mut writer = BufWriter::with_capacity(64 * 1024, root.make(&new, OFlags::EXCL)?);
    let written = write(&mut writer, stamps, list, counted).and_then(|()| writer.flush()).and_then(|()| root.rename(&new, FILE));
    if written.is_err() {
        root.remove(new.as_bytes())?;
    }
    written
}

fn write(out: &mut impl Write, stamps: Option<&Stamps>, list: &List, counted: &[Counted]) -> io::Result<()> {
    // The format has no place for a name with a line end in it; no program creates such names.
    let writable = |place: &MessageLocation<'_>| !place.name.contains(&b'\n');
    let count = list.iter().filter(writable).count();
    let mut hasher = crc32fast::Hasher::new();
    let mut line = Vec::with_capacity(256);
    let mut put = |line: &mut Vec<u8>| {
        hasher.update(line);
        line.push(b'\n');
        let written = out.write_all(line);
        line.clear();
        written
    };
    match stamps {
        Some(stamps) if count == list.len() => line.extend_from_slice(stamps.line(count).as_bytes()),
        _ => write!(line, "pop3-index 2 {count}")?,
    }
    put(&mut line)?;
    for (place, Counted { octets, file }) in list.iter().zip(counted).filter(|(place, _)| writable(place)) {
        let sub = if place.sub == Sub::New { "new" } else { "cur" };
        write!(line, "{octets} {} {} {sub}/", file.length, file.changed)?;
        line.extend_from_slice(place.name);
        put(&mut line)?;
    }
    writeln!(out, "crc {:08x}", hasher.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(entries: &[(Sub, &str)]) -> Vec<u8> {
        let (mut list, mut counted) = (List::default(), Vec::new());
        for (at, (sub, name)) in entries.iter().enumerate() {
            list.push(MessageLocation { sub: *sub, name: name.as_bytes() }).unwrap();
            counted.push(Counted { octets: 10 + at as u64, file: FileStamp { length: at as u64, changed: -5 } });
        }
        let mut text = Vec::new();
        write(&mut text, None, &list, &counted).unwrap();
        text
    }

    const WHOLE: [(Sub, &str); 3] = [(Sub::New, "1.a"), (Sub::Cur, "2.b:2,S"), (Sub::New, "3.c")];

    #[test]
    fn h47_an_index_that_is_damaged_is_none() {
        let text = index(&WHOLE);
        let read = Index::parse(&text[..]).unwrap();
        let names: Vec<_> = read.list.iter().map(|place| (place.sub, str::from_utf8(place.name).unwrap())).collect();
        assert_eq!(names, WHOLE);
        assert_eq!(read.counted[2], Counted { octets: 12, file: FileStamp { length: 2, changed: -5 } });
        for cut in 0..text.len() {
            assert!(Index::parse(&text[..cut]).is_none(), "{cut}");
        }
        for at in 0..text.len() {
            for bit in [1, 0x20] {
                let mut damaged = text.clone();
                damaged[at] ^= bit;
                assert!(Index::parse(&damaged[..]).is_none(), "{}", damaged.escape_ascii());
            }
        }
    }

    #[test]
    fn h47_a_forged_index_takes_no_more_memory_than_there_are_files() {
        assert!(Index::parse(&index(&[WHOLE[0], WHOLE[0]])[..]).is_none(), "a message twice");
        assert!(Index::parse(&index(&[WHOLE[2], WHOLE[0]])[..]).is_none(), "not in order");
        assert!(Index::parse(&b"pop3-index 2 18446744073709551615\n"[..]).is_none());
    }

    #[test]
    fn h51_an_index_leads_nowhere_else() {
        for name in ["../../etc/passwd", ".hidden", "a/b", "a\0b", ""] {
            assert!(Index::parse(&index(&[(Sub::New, name)])[..]).is_none(), "{name}");
        }
    }

    #[test]
    fn folders_that_changed_just_now_are_not_settled() {
        let stamp = |changed_at| Stamp { text: String::new(), changed_at };
        let settled = |changed_at, now| Stamps { new: stamp(changed_at), cur: stamp(1) }.is_settled(now);
        let (fine, coarse) = (100_000_000_001, 100_000_000_000);
        assert!(!settled(fine, fine) && !settled(fine, fine + 250_000_000) && settled(fine, fine + 250_000_001));
        assert!(!settled(coarse, coarse + 3_000_000_000) && settled(coarse, coarse + 3_000_000_001));
        assert!(!settled(fine, 10), "a clock that went back");
    }
}
