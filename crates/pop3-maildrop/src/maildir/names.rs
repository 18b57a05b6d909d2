//! The names of messages in a Maildir.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{self, AtomicU64};
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::{memchr, memrchr2};
use pop3_proto::codec::UniqueId;
use sha2::{Digest, Sha256};

/// Returns a new name that no other delivery has: time, random number, process and host. Names from one process sort in the order
/// of their creation, even if the clock is set back.
pub(super) fn unique() -> String {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros());
    let now = u64::try_from(now).unwrap_or(u64::MAX);
    let last = LAST.fetch_update(atomic::Ordering::Relaxed, atomic::Ordering::Relaxed, |last| Some(now.max(last + 1)));
    let micros = now.max(last.unwrap_or_default() + 1);
    let random = RandomState::new().build_hasher().finish() >> 32;
    static HOST: LazyLock<String> = LazyLock::new(|| {
        let name = rustix::system::uname();
        let name = name.nodename().to_string_lossy();
        // The host is filtered and shortened so that the complete name is a valid unique-id.
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(12).collect()
    });
    let host = &*HOST;
    format!("{}.M{:06}P{}R{random:08x}.{host}", micros / 1_000_000, micros % 1_000_000, process::id())
}

/// Returns the part of a file name that stays when flags change and when the message moves from `new` to `cur`. On file systems
/// that do not allow `:` in names, `;` or `!` precedes the flags.
pub(super) fn base(name: &[u8]) -> &[u8] {
    if let Some(at) = memchr(b':', name) {
        return &name[..at];
    }
    // These characters may be a part of the name, so they count only before a list of flags.
    let is_info = |info: &[u8]| matches!(info, [b'1' | b'2', b',', flags @ ..] if flags.iter().all(u8::is_ascii_alphabetic));
    match memrchr2(b';', b'!', name) {
        Some(at) if is_info(&name[at + 1..]) => &name[..at],
        _ => name,
    }
}

/// Returns the time of delivery in a name, in seconds since 1970, or 0 if the name has none.
pub(super) fn seconds(name: &[u8]) -> u64 {
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |value: u64, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// Compares two names without flags in the order of delivery.
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    if a == b { Ordering::Equal } else { seconds(a).cmp(&seconds(b)).then_with(|| natural(a, b)) }
}

/// Compares text, and numbers in it by their value: `M9` comes before `M10`, because microseconds in names may lack leading
/// zeros.
fn natural(a: &[u8], b: &[u8]) -> Ordering {
    let (mut left, mut right) = (a, b);
    loop {
        match (left.split_first(), right.split_first()) {
            (Some((one, _)), Some((other, _))) if one.is_ascii_digit() && other.is_ascii_digit() => {
                let ((number, rest), (other_number, other_rest)) = (leading_number(left), leading_number(right));
                match number.len().cmp(&other_number.len()).then_with(|| number.cmp(other_number)) {
                    Ordering::Equal => (left, right) = (rest, other_rest),
                    different => return different,
                }
            }
            (Some((one, rest)), Some((other, other_rest))) if one == other => (left, right) = (rest, other_rest),
            // The texts differ only in leading zeros, but the order must be total.
            (None, None) => return a.cmp(b),
            (one, other) => return one.map(|(byte, _)| byte).cmp(&other.map(|(byte, _)| byte)),
        }
    }
}

/// Returns the digits at the start, without leading zeros, and the text after them.
fn leading_number(text: &[u8]) -> (&[u8], &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    (&digits[zeros..], rest)
}

/// Returns the size in octets on the wire that a name states in `,W=`, as Dovecot and the deliveries of this crate write it.
/// Returns `None` if a file of `length` bytes cannot have this size: a filter has changed the message since.
pub(super) fn wire_size(base: &[u8], length: u64) -> Option<u64> {
    memchr(b',', base)?;
    let field = |key: &[u8]| -> Option<u64> {
        let value = base.split(|byte| *byte == b',').skip(1).find_map(|field| field.strip_prefix(key))?;
        str::from_utf8(value).ok()?.parse().ok()
    };
    // At most, each octet is a line end, and the last line lacks its line end.
    let possible = length..=length.saturating_mul(2).saturating_add(2);
    field(b"W=").filter(|octets| possible.contains(octets) && field(b"S=").is_none_or(|stored| stored == length))
}

/// Calls `use_it` with the unique-id of a message: its base name, or a hash of a base name that is no valid unique-id.
/// A name that looks like such a hash is hashed, too, so that no name is the unique-id of another message.
// H28, S16
pub(super) fn with_unique_id<T>(base: &[u8], use_it: impl FnOnce(UniqueId<'_>) -> T) -> Option<T> {
    if !looks_hashed(base)
        && let Ok(id) = UniqueId::new(base)
    {
        return Some(use_it(id));
    }
    let hash = hex(&Sha256::digest(base));
    UniqueId::new(&hash).ok().map(use_it)
}

fn looks_hashed(base: &[u8]) -> bool {
    base.len() == 64 && base.iter().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn names_are_unique_and_unique_ids() {
        let names: HashSet<String> = (0..1000).map(|_| unique()).collect();
        assert_eq!(names.len(), 1000);
        for name in &names {
            assert!(UniqueId::new(&format!("{name},S=99999999,W=99999999")).is_ok(), "{name}");
            assert!(!name.ends_with('.'), "the host: {name}");
        }
    }

    #[test]
    fn s07_sizes_are_read_from_names_that_fit_the_file() {
        assert_eq!(wire_size(b"1.M2P3.host,S=10,W=12", 10), Some(12));
        assert_eq!(wire_size(b"1.M2P3.host,W=12,S=10", 10), Some(12));
        assert_eq!(wire_size(b"1.M2P3.host,W=12", 10), Some(12));
        for length in [0, 5, 9, 11, 13, 1000] {
            assert_eq!(wire_size(b"1.M2P3.host,S=10,W=12", length), None, "the file has another length: {length}");
        }
        assert_eq!(wire_size(b"1.host,S=10,W=9", 10), None, "shorter than the file");
        assert_eq!(wire_size(b"1.host,S=10,W=23", 10), None, "longer than any file of that length");
        for none in ["1.M2P3.host", "1.host,S=3", "1.host,W=", "1.host,W=-1", "1.host,W=99999999999999999999999", "W=3"] {
            assert_eq!(wire_size(none.as_bytes(), 3), None, "{none}");
        }
    }

    #[test]
    fn flags_follow_a_colon_or_what_stands_for_it() {
        for info in ["", ":2,", ":2,S", ";2,S", "!2,FS", "!2,", ";1,a"] {
            assert_eq!(base(format!("1.a{info}").as_bytes()), b"1.a", "{info}");
        }
        for name in ["1.a!b", "1.a;b", "1.a;2x", "1.a!3,S", "1.a;2,S-1"] {
            assert_eq!(base(name.as_bytes()), name.as_bytes(), "{name}");
        }
    }

    #[test]
    fn names_sort_in_the_order_of_arrival() {
        let names: Vec<String> = (0..2000).map(|_| unique()).collect();
        assert!(names.windows(2).all(|two| order(two[0].as_bytes(), two[1].as_bytes()).is_lt()));
        assert!(names.windows(2).all(|two| two[0] < two[1]), "for programs that sort by the name alone, too");
        for (first, second) in
            [("1.M9P1.h", "1.M10P1.h"), ("9.a", "10.a"), ("1.M5P9Q2.h", "1.M5P9Q10.h"), ("1.a", "1.a1"), ("1.01", "1.1")]
        {
            assert_eq!(order(first.as_bytes(), second.as_bytes()), Ordering::Less, "{first} {second}");
            assert_eq!(order(second.as_bytes(), first.as_bytes()), Ordering::Greater, "{first} {second}");
        }
    }

    #[test]
    fn h28_names_that_are_no_unique_ids_are_hashed() {
        let id = |base: &[u8]| with_unique_id(base, |id| id.as_str().to_owned()).unwrap();
        for fine in ["1700000000.1.host", "1700000000", &"x".repeat(64)] {
            assert_eq!(id(fine.as_bytes()), fine);
        }
        for odd in [&b"with blank"[..], b"\xff", "ü".as_bytes(), &[b'x'; 71]] {
            assert_eq!(id(odd).len(), 64);
            assert_eq!(id(odd), id(odd), "s16");
        }
        assert_ne!(id(b"a b"), id(b"a  b"));
        let hash = id(b"a b");
        assert_ne!(id(hash.as_bytes()), hash, "one name may look like the hash of another");
    }
}
