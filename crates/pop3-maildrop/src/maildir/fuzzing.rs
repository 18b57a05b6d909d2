//! The bodies of fuzz targets: they panic on an error.

use std::cmp::Ordering;

use super::index::Index;
use super::names;

/// Checks an index from an untrusted source: it is refused, or it names only messages.
///
/// # Panics
/// The index names other files.
pub fn index(text: &[u8]) {
    let Some(index) = Index::parse(text) else { return };
    assert_eq!(index.list.len(), index.counted.len());
    for place in index.list.iter() {
        assert!(!place.name.is_empty() && !place.name.starts_with(b"."), "H51");
        assert!(!place.name.iter().any(|byte| matches!(byte, b'/' | 0 | b'\n')), "H51");
    }
    assert_eq!(index.of(&index.list).count(), index.list.len());
}

/// Checks file names from an untrusted source: they have a total order, and each has a valid unique-id.
///
/// # Panics
/// The names have no total order, or a unique-id is invalid.
// H28
pub fn names([a, b, c]: [&[u8]; 3]) {
    assert_eq!(names::order(a, b), names::order(b, a).reverse());
    assert_eq!(names::order(a, b) == Ordering::Equal, a == b);
    if names::order(a, b).is_le() && names::order(b, c).is_le() {
        assert!(names::order(a, c).is_le());
    }
    let id = |name| names::with_unique_id(names::base(name), |id| id.as_str().to_owned());
    let (one, other) = (id(a).expect("H28"), id(b).expect("H28"));
    assert!((1..=70).contains(&one.len()) && one.bytes().all(|byte| byte.is_ascii_graphic()), "H28");
    assert_eq!(one == other, names::base(a) == names::base(b), "S16");
    for length in [0, 10] {
        let Some(octets) = names::wire_size(a, length) else { continue };
        assert!((length..=2 * length + 2).contains(&octets), "S07");
        assert!(
            String::from_utf8_lossy(a).contains(&octets.to_string()) || a.windows(3).any(|text| text == b"W=0" || text == b"W=+")
        );
    }
}
