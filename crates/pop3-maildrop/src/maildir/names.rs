//! The names of messages in a Maildir.

use std::cmp::Ordering;
use std::fmt::Write as _;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process;
use std::sync::LazyLock;
use std::sync::atomic::{self, AtomicU64};
use std::time::{SystemTime, UNIX_EPOCH};

use memchr::memchr;
use pop3_proto::codec::UniqueId;
use sha2::{Digest, Sha256};

/// A new name that no other delivery has: time, chance, process, count and host.
pub(super) fn unique() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let chance = RandomState::new().build_hasher().finish() >> 32;
    let count = COUNT.fetch_add(1, atomic::Ordering::Relaxed);
    static HOST: LazyLock<String> = LazyLock::new(|| {
        let name = rustix::system::uname();
        let name = name.nodename().to_string_lossy();
        // With all the rest, a name that is still a unique-id.
        name.chars().filter(|c| c.is_ascii_alphanumeric() || *c == '-').take(12).collect()
    });
    let host = &*HOST;
    format!("{seconds}.R{chance:08x}P{}Q{count}.{host}", process::id())
}

/// The part of a file name that stays when flags change and the message moves from `new` to `cur`.
pub(super) fn base(name: &[u8]) -> &[u8] {
    memchr(b':', name).map_or(name, |at| &name[..at])
}

/// When a message was delivered, by its name; names without a time come first.
pub(super) fn seconds(name: &[u8]) -> u64 {
    let digits = name.iter().take_while(|byte| byte.is_ascii_digit());
    digits.fold(0, |value: u64, digit| value.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
}

/// The order in which messages came, by their names without flags.
pub(super) fn order(a: &[u8], b: &[u8]) -> Ordering {
    if a == b { Ordering::Equal } else { seconds(a).cmp(&seconds(b)).then_with(|| a.cmp(b)) }
}

/// The size on the wire that a name tells in `,W=`, as Dovecot and our deliveries write it.
pub(super) fn wire_size(base: &[u8]) -> Option<u64> {
    memchr(b',', base)?;
    let field = base.split(|byte| *byte == b',').skip(1).find_map(|field| field.strip_prefix(b"W="))?;
    str::from_utf8(field).ok()?.parse().ok()
}

/// The unique-id of a message: its base name, or a hash where that is none (S16, H28). A name that looks like such a hash is hashed,
/// too, so that no name is another's unique-id.
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
    fn sizes_are_read_from_names() {
        assert_eq!(wire_size(b"1.M2P3.host,S=10,W=12"), Some(12));
        assert_eq!(wire_size(b"1.M2P3.host,W=12,S=10"), Some(12));
        for none in ["1.M2P3.host", "1.host,S=3", "1.host,W=", "1.host,W=-1", "1.host,W=99999999999999999999999", "W=3"] {
            assert_eq!(wire_size(none.as_bytes()), None, "{none}");
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
