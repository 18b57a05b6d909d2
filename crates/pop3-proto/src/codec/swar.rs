//! Functions that process eight bytes at a time. The parts of a line are short, so a call or a branch for each byte would be most
//! of the work. The tests compare each function with a naive one; docs/performance.md reports the gain.

use memchr::memchr;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// Returns eight bytes as one word; the first byte is the lowest.
const fn word(bytes: &[u8; 8]) -> u64 {
    u64::from_le_bytes(*bytes)
}

/// Returns a word in which the highest bit is set for each byte of `word` that equals `byte`. Bytes above the first match may be
/// marked falsely.
const fn marks(word: u64, byte: u8) -> u64 {
    let zero_where_equal = word ^ (LOW.wrapping_mul(byte as u64));
    zero_where_equal.wrapping_sub(LOW) & !zero_where_equal & HIGH
}

/// The limit in octets of a short line; most commands and scan listings are short.
pub(super) const SHORT: usize = 16;

/// Returns the position of the first line feed. `near`: the line is expected to be short; a right guess is faster.
#[inline]
pub(super) fn find_line_feed(input: &[u8], near: bool) -> Option<usize> {
    let mut at = 0;
    while near
        && at < SHORT
        && let Some(bytes) = input.get(at..).and_then(<[u8]>::first_chunk)
    {
        let found = marks(word(bytes), b'\n');
        if found != 0 {
            return Some(at + (found.trailing_zeros() / 8) as usize);
        }
        at += 8;
    }
    memchr(b'\n', input.get(at..)?).map(|found| at + found)
}

/// Returns `true` if the bytes contain CR, LF or NUL.
#[inline]
pub(super) fn has_line_break(bytes: &[u8]) -> bool {
    let breaks = |word| marks(word, b'\r') | marks(word, b'\n') | marks(word, 0);
    // The last eight bytes may overlap the words before them, so no remainder is left.
    let Some(last) = bytes.last_chunk() else { return bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)) };
    let (words, _) = bytes.as_chunks();
    words.iter().fold(breaks(word(last)), |found, bytes| found | breaks(word(bytes))) != 0
}

/// Returns the value and the number of the decimal digits at the beginning of eight bytes.
pub(super) fn leading_digits(bytes: &[u8; 8]) -> (u64, usize) {
    let digits = word(bytes) ^ (LOW * b'0' as u64);
    // Adding six makes values of ten and above reach sixteen.
    let others = (digits.wrapping_add(LOW * 6) | digits) & (LOW * 0xF0);
    let count = others.trailing_zeros() / 8;
    // The shift removes the bytes after the digits and puts zeros before the digits.
    (value(digits.checked_shl(64 - 8 * count).unwrap_or(0)), count as usize)
}

/// Returns the value of the last `count` of eight bytes; `None` if one of them is not a digit. `count` is at most eight.
pub(super) fn trailing_digits(bytes: &[u8; 8], count: usize) -> Option<u64> {
    let before = u32::try_from(64 - 8 * count.min(8)).ok()?;
    let digits = (word(bytes) ^ (LOW * b'0' as u64)).checked_shr(before)?.checked_shl(before)?;
    let others = (digits.wrapping_add(LOW * 6) | digits) & (LOW * 0xF0);
    (others == 0).then(|| value(digits))
}

/// Returns the number that eight digits form, the first of them in the lowest byte. It combines digits to pairs, then pairs to
/// fours.
const fn value(digits: u64) -> u64 {
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0x0000_0000_FFFF_FFFF
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Generates digits, the bytes that the functions search for, and bytes close to them.
    fn bytes() -> impl Strategy<Value = alloc::vec::Vec<u8>> {
        let byte = prop_oneof![
            4 => b'0'..=b'9',
            2 => prop::sample::select(&b"\r\n\0\x01\x0b\x09\x0e\x8a\x8d\x80 /:;@?"[..]),
            1 => any::<u8>(),
        ];
        prop::collection::vec(byte, 0..40)
    }

    proptest! {
        #[test]
        fn h34_the_first_line_feed(input in bytes()) {
            let first = input.iter().position(|byte| *byte == b'\n');
            prop_assert_eq!([find_line_feed(&input, true), find_line_feed(&input, false)], [first; 2]);
        }

        #[test]
        fn h15_line_breaks(input in bytes()) {
            prop_assert_eq!(has_line_break(&input), input.iter().any(|byte| b"\r\n\0".contains(byte)));
        }

        #[test]
        fn h21_digits(input in bytes()) {
            if let Some(first) = input.first_chunk() {
                let count = first.iter().take_while(|byte| byte.is_ascii_digit()).count();
                let value = first[..count].iter().fold(0, |value, digit| value * 10 + u64::from(digit - b'0'));
                prop_assert_eq!(leading_digits(first), (value, count));
            }
            if let Some(last) = input.last_chunk() {
                for count in 1..=8 {
                    let digits = &last[8 - count..];
                    let value = digits.iter().try_fold(0, |value, digit| digit.is_ascii_digit().then(|| value * 10 + u64::from(digit - b'0')));
                    prop_assert_eq!(trailing_digits(last, count), value);
                }
            }
        }
    }
}
