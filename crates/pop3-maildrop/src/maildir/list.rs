//! The files of a Maildir by their names, in little memory: a maildrop may hold a million messages.
// H41

use std::cmp::Ordering;
use std::collections::HashSet;
use std::io;

use super::names;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Sub {
    // A message that moved during a scan was seen twice; it is in `cur` now, which therefore sorts first.
    Cur,
    New,
}

/// The location at which a message was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct MessageLocation<'a> {
    pub(super) sub: Sub,
    pub(super) name: &'a [u8],
}

impl<'a> MessageLocation<'a> {
    pub(super) fn base(self) -> &'a [u8] {
        names::base(self.name)
    }

    /// Compares two locations in the order of delivery. Of two with one base name, the one in `cur` comes first.
    pub(super) fn order(self, other: Self) -> Ordering {
        names::order(self.base(), other.base()).then_with(|| (self.sub, self.name).cmp(&(other.sub, other.name)))
    }
}

/// Locations of messages in an order. All names are in one buffer, so that a message occupies its name and eight bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    text: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    start: u32,
    length: u16,
    sub: Sub,
}

impl List {
    pub(super) fn push(&mut self, place: MessageLocation<'_>) -> io::Result<()> {
        let start = self.text.len();
        self.text.extend_from_slice(place.name);
        self.entries.push(Entry::new(place.sub, start, place.name.len())?);
        Ok(())
    }

    pub(super) fn last(&self) -> Option<MessageLocation<'_>> {
        Some(self.entries.last()?.place(&self.text))
    }

    /// Replaces the location at an index.
    pub(super) fn replace(&mut self, index: usize, place: MessageLocation<'_>) -> io::Result<()> {
        let new = Entry::new(place.sub, self.text.len(), place.name.len())?;
        self.text.extend_from_slice(place.name);
        if let Some(entry) = self.entries.get_mut(index) {
            *entry = new;
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, index: usize) -> Option<MessageLocation<'_>> {
        Some(self.entries.get(index)?.place(&self.text))
    }

    pub(super) fn iter(&self) -> impl ExactSizeIterator<Item = MessageLocation<'_>> {
        self.entries.iter().map(|entry| entry.place(&self.text))
    }

    /// Removes those messages with a shared base name for which `is_there` returns `false`: they have moved during the scan. The
    /// list must be sorted.
    pub(super) fn retain_existing(&mut self, is_there: impl Fn(MessageLocation<'_>) -> bool) {
        let bases = || self.iter().map(MessageLocation::base);
        let shared: HashSet<Vec<u8>> =
            bases().zip(bases().skip(1)).filter(|(one, next)| one == next).map(|(base, _)| base.to_vec()).collect();
        if !shared.is_empty() {
            self.retain(|place| !shared.contains(place.base()) || is_there(place));
        }
    }

    /// Keeps the messages for which `wanted` returns `true`.
    pub(super) fn retain(&mut self, mut wanted: impl FnMut(MessageLocation<'_>) -> bool) {
        let text = &self.text;
        self.entries.retain(|entry| wanted(entry.place(text)));
    }

    /// Sorts the messages in the order of delivery: by the time in the name, then by the numbers in it.
    pub(super) fn sort(&mut self) {
        let text = &self.text;
        let mut timed: Vec<(u64, Entry)> =
            self.entries.iter().map(|entry| (names::seconds(entry.place(text).name), *entry)).collect();
        timed.sort_unstable_by(|(a_seconds, a), (b_seconds, b)| {
            a_seconds.cmp(b_seconds).then_with(|| a.place(text).order(b.place(text)))
        });
        self.entries.clear();
        self.entries.extend(timed.into_iter().map(|(_, entry)| entry));
    }

    /// Releases unused capacity.
    pub(super) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.entries.shrink_to_fit();
    }
}

impl Entry {
    fn new(sub: Sub, start: usize, length: usize) -> io::Result<Self> {
        let too_many = |_| io::Error::other("the names of the messages are beyond 4 GiB");
        Ok(Self {
            start: u32::try_from(start).map_err(too_many)?,
            length: u16::try_from(length).map_err(|_| io::Error::other("a name is longer than any file system allows"))?,
            sub,
        })
    }

    fn place(self, text: &[u8]) -> MessageLocation<'_> {
        let start = self.start as usize;
        MessageLocation { sub: self.sub, name: text.get(start..start + usize::from(self.length)).unwrap_or_default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_proto::server::Snapshot;

    #[test]
    fn h41_a_million_messages_cost_less_than_200_octets_each() {
        const MESSAGES: u64 = 1_000_000;
        let (mut list, mut snapshot) = (List::default(), Snapshot::default());
        let counted = allocation_counter::measure(|| {
            for at in 0..MESSAGES {
                let name = format!("17000{:05}.R12345678P4711Q{at}.mail.example,S=1234,W=1267", at / 7);
                list.push(MessageLocation { sub: Sub::New, name: name.as_bytes() }).unwrap();
            }
            list.sort();
            list.shrink();
            snapshot = Snapshot::with_capacity(list.len(), list.iter().map(|place| place.base().len()).sum());
            for place in list.iter() {
                names::with_unique_id(place.base(), |id| snapshot.push(1267, id)).unwrap().unwrap();
            }
        });
        assert_eq!((list.len(), snapshot.len()), (1_000_000, 1_000_000));
        let each = counted.bytes_max / MESSAGES;
        assert!(each < 200, "{each} octets a message at the most");
    }

    #[test]
    fn h50_of_several_with_one_name_those_are_kept_that_are_there() {
        let mut list = List::default();
        let names = ["1.alone", "2.moved", "2.moved:2,S", "3.both", "3.both:2,S", "4.alone"];
        for name in names {
            list.push(MessageLocation { sub: Sub::Cur, name: name.as_bytes() }).unwrap();
        }
        list.sort();
        list.retain_existing(|place| {
            assert!(!place.name.ends_with(b"alone"), "nobody has to look");
            place.name != b"2.moved"
        });
        let names: Vec<_> = list.iter().map(|place| str::from_utf8(place.name).unwrap()).collect();
        assert_eq!(names, ["1.alone", "2.moved:2,S", "3.both", "3.both:2,S", "4.alone"]);
    }

    #[test]
    fn the_order_is_that_of_delivery_and_cur_goes_before_new() {
        let mut list = List::default();
        for (sub, name) in
            [(Sub::New, "10.a"), (Sub::New, "9.b"), (Sub::Cur, "9.b:2,S"), (Sub::Cur, "9.a"), (Sub::New, "no time")]
        {
            list.push(MessageLocation { sub, name: name.as_bytes() }).unwrap();
        }
        list.sort();
        let names: Vec<_> = list.iter().map(|place| str::from_utf8(place.name).unwrap()).collect();
        assert_eq!(names, ["no time", "9.a", "9.b:2,S", "9.b", "10.a"]);
        list.replace(1, MessageLocation { sub: Sub::Cur, name: b"9.a:2,RS" }).unwrap();
        assert_eq!(list.get(1), Some(MessageLocation { sub: Sub::Cur, name: b"9.a:2,RS" }));
        assert_eq!(list.get(5), None);
    }
}
