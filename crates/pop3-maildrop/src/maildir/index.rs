//! A cache of what a Maildir holds, so that a login need not read folders that have not changed, nor count messages twice.
//!
//! A file of lines: first what the folders were like, then `octets sub/name` of each message in order. It is believed only if it is
//! whole, and its list only if the folders are exactly as they were; messages in a Maildir never change, so a size that was counted
//! once is right for ever. Losing the file costs time only.

use std::io::{self, BufWriter, Read, Write};

use pop3_proto::codec::MessageNumber;
use pop3_proto::server::Snapshot;
use rustix::fs::OFlags;

use super::folder::{Folder, Stamp};
use super::list::{List, Place, Sub};
use super::names;

const FILE: &str = "pop3-index";

/// An index that is larger than that is not ours.
const LIMIT: u64 = 256 * 1024 * 1024;

/// Folders that have changed so short a time ago may change again and look the same, as clocks of file systems are coarse: nanoseconds
/// where they count fractions of a second, and where they do not.
const SETTLED: (i64, i64) = (250_000_000, 3_000_000_000);

/// How `new` and `cur` are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stamps {
    new: Stamp,
    cur: Stamp,
}

impl Stamps {
    pub(super) fn of(new: &Folder, cur: &Folder) -> io::Result<Self> {
        Ok(Self { new: new.stamp()?, cur: cur.stamp()? })
    }

    /// Any change from `now` on, in nanoseconds since 1970, will show.
    pub(super) fn is_settled(&self, now: i64) -> bool {
        [&self.new, &self.cur].into_iter().all(|folder| {
            let coarse = folder.changed_at % 1_000_000_000 == 0;
            now.saturating_sub(folder.changed_at) > if coarse { SETTLED.1 } else { SETTLED.0 }
        })
    }

    /// The first line of the file.
    fn line(&self, count: usize) -> String {
        format!("pop3-index 1 {} {} {count}", self.new.text, self.cur.text)
    }
}

/// What the index tells.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// The messages in their order.
    pub(super) list: List,
    /// Their sizes on the wire.
    pub(super) octets: Vec<u64>,
    head: String,
}

impl Index {
    /// What is known; nothing, if the file cannot be read or is not whole.
    pub(super) fn load(root: &Folder) -> Self {
        let Ok(file) = root.read(FILE.as_bytes()) else { return Self::default() };
        let length = file.limit();
        let mut text = Vec::with_capacity(usize::try_from(length.min(LIMIT)).unwrap_or(0));
        match file.take(LIMIT).read_to_end(&mut text) {
            Ok(_) => Self::parse(text).unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    pub(super) fn parse(text: Vec<u8>) -> Option<Self> {
        // A file that was cut lacks its last line end, or lines.
        if text.last() != Some(&b'\n') {
            return None;
        }
        let mut ends = memchr::memchr_iter(b'\n', &text);
        let mut start = ends.next()? + 1;
        let head = str::from_utf8(text.get(..start - 1)?).ok()?.to_owned();
        let count: usize = head.rsplit(' ').next()?.parse().ok()?;
        let mut found = Vec::with_capacity(count.min(text.len() / 4));
        let mut octets = Vec::with_capacity(found.capacity());
        for end in ends {
            let line = text.get(start..end)?;
            let blank = memchr::memchr(b' ', line)?;
            octets.push(decimal(line.get(..blank)?)?);
            let sub = match line.get(blank + 1..blank + 5)? {
                b"new/" => Sub::New,
                b"cur/" => Sub::Cur,
                _ => return None,
            };
            let name = line.get(blank + 5..)?;
            // A name that leads elsewhere was not written here (H51).
            if name.is_empty() || name.starts_with(b".") || memchr::memchr2(b'/', 0, name).is_some() {
                return None;
            }
            found.push((sub, start + blank + 5, name.len()));
            start = end + 1;
        }
        if found.len() != count {
            return None;
        }
        let mut list = List::over(text);
        found.into_iter().try_for_each(|(sub, start, length)| list.name(sub, start, length)).ok()?;
        Some(Self { list, octets, head })
    }

    /// Whether the list is what is in the folders.
    pub(super) fn is_of(&self, stamps: &Stamps) -> bool {
        self.head == stamps.line(self.list.len())
    }

    /// The sizes of the messages of a list, as far as they are known. Both lists are in their order; where this one is not, less is
    /// known.
    pub(super) fn octets_of(&self, list: &List) -> impl Iterator<Item = Option<u64>> {
        let mut known = self.list.iter().zip(&self.octets).peekable();
        list.iter().map(move |place| {
            while known.next_if(|(before, _)| names::order(before.base(), place.base()).is_lt()).is_some() {}
            known.peek().filter(|(same, _)| same.base() == place.base()).map(|(_, octets)| **octets)
        })
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    str::from_utf8(digits).ok()?.parse().ok()
}

/// Puts a new index in the place of the old one. Without `stamps` its list will not be believed, but its sizes.
pub(super) fn save(root: &Folder, stamps: Option<&Stamps>, list: &List, snapshot: &Snapshot) -> io::Result<()> {
    let new = format!("{FILE}.{}", names::unique());
    let mut writer = BufWriter::with_capacity(64 * 1024, root.make(&new, OFlags::EXCL)?);
    let written = write(&mut writer, stamps, list, snapshot).and_then(|()| writer.flush()).and_then(|()| root.rename(&new, FILE));
    if written.is_err() {
        root.remove(new.as_bytes())?;
    }
    written
}

fn write(out: &mut impl Write, stamps: Option<&Stamps>, list: &List, snapshot: &Snapshot) -> io::Result<()> {
    // A name with a line end in it cannot be told here; nobody makes such names.
    let tellable = |place: &Place<'_>| !place.name.contains(&b'\n');
    let count = list.iter().filter(tellable).count();
    match stamps {
        Some(stamps) if count == list.len() => writeln!(out, "{}", stamps.line(count))?,
        _ => writeln!(out, "pop3-index 1 {count}")?,
    }
    for (index, place) in list.iter().enumerate().filter(|(_, place)| tellable(place)) {
        let octets = MessageNumber::from_index(index).and_then(|number| snapshot.octets(number)).unwrap_or(0);
        write!(out, "{octets} {}/", if place.sub == Sub::New { "new" } else { "cur" })?;
        out.write_all(place.name)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &[u8] = b"pop3-index 1 a b 3\n12 new/1.a\n7 cur/2.b:2,S\n100 new/3.c\n";

    #[test]
    fn h47_an_index_that_is_not_whole_is_none() {
        let index = Index::parse(WHOLE.to_vec()).unwrap();
        let names: Vec<_> = index.list.iter().map(|place| (place.sub, place.name)).collect();
        assert_eq!(names, [(Sub::New, &b"1.a"[..]), (Sub::Cur, b"2.b:2,S"), (Sub::New, b"3.c")]);
        assert_eq!(index.octets, [12, 7, 100]);
        for cut in 0..WHOLE.len() {
            assert!(Index::parse(WHOLE[..cut].to_vec()).is_none(), "{cut}");
        }
        for damage in
            [&b"pop3-index 1 a b 1\n-1 new/1.a\n"[..], b"pop3-index 1 a b 1\n1 tmp/1.a\n", b"\n", b"1\n\n", b"1\n1 new/\n"]
        {
            assert!(Index::parse(damage.to_vec()).is_none(), "{damage:?}");
        }
    }

    #[test]
    fn h51_an_index_leads_nowhere_else() {
        for name in ["../../etc/passwd", ".hidden", "a/b", "a\0b", ""] {
            assert!(Index::parse(format!("pop3-index 1 a b 1\n1 new/{name}\n").into_bytes()).is_none(), "{name}");
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
