//! Decimal and hexadecimal numbers. Parsing refuses numbers that are too large and never wraps.

use bytes::{BufMut, BytesMut};

/// Parses a number of ASCII digits. Leading zeros are allowed. Returns `None` if `digits` is empty or contains another
/// byte, or if the number does not fit in a `u64`.
// H21, Q59
pub(crate) fn decimal(digits: &[u8]) -> Option<u64> {
    // Nineteen digits always fit in a `u64`, so only longer numbers need checked arithmetic.
    if digits.len() <= 19 {
        let mut value = 0u64;
        for byte in digits {
            value = value.wrapping_mul(10).wrapping_add(digit(*byte)?);
        }
        return (!digits.is_empty()).then_some(value);
    }
    digits.iter().try_fold(0u64, |value, byte| value.checked_mul(10)?.checked_add(digit(*byte)?))
}

fn digit(byte: u8) -> Option<u64> {
    let digit = byte.wrapping_sub(b'0');
    (digit <= 9).then_some(digit.into())
}

/// Appends `value` in decimal.
pub(crate) fn put_decimal(out: &mut BytesMut, value: u64) {
    let mut digits = [0u8; 20];
    let start = write_before(&mut digits, 20, value);
    out.put_slice(digits.get(start..).unwrap_or_default());
}

/// Writes `value` in decimal directly before the index `end`, where there must be space, and returns the index of the first
/// digit. Division yields the last digit first, so a line of several numbers is written backwards and appended in one piece.
pub(super) fn write_before(line: &mut [u8], end: usize, mut value: u64) -> usize {
    let mut at = end;
    loop {
        at = at.wrapping_sub(1);
        if let Some(digit) = line.get_mut(at) {
            // A remainder of a division by ten fits in a byte.
            *digit = b'0' + (value % 10) as u8;
        }
        value /= 10;
        if value == 0 {
            return at;
        }
    }
}

/// Returns an octet as two lower-case hexadecimal digits.
pub(crate) const fn hex_digits(octet: u8) -> [u8; 2] {
    const fn digit(half: u8) -> u8 {
        if half < 10 { b'0' + half } else { b'a' + half - 10 }
    }
    [digit(octet >> 4), digit(octet & 15)]
}

/// Returns the value of a lower-case hexadecimal digit; 0xFF for any other byte. The caller checks the values of many digits
/// together, because the processor would mispredict a branch for each digit half of the time.
pub(crate) const fn hex_value(digit: u8) -> u8 {
    let (decimal, letter) = (digit.wrapping_sub(b'0'), digit.wrapping_sub(b'a'));
    if decimal < 10 {
        decimal
    } else if letter < 6 {
        letter + 10
    } else {
        0xFF
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;
    use alloc::string::ToString;

    #[test]
    fn h21_numbers_do_not_wrap() {
        assert_eq!(decimal(b"18446744073709551615"), Some(u64::MAX));
        assert_eq!(decimal(b"18446744073709551616"), None);
        assert_eq!(decimal(b"99999999999999999999999999"), None);
        for bad in ["", "-1", "+1", "1 ", " 1", "1a", "0x1", "\u{661}"] {
            assert_eq!(decimal(bad.as_bytes()), None, "{bad:?}");
        }
    }

    #[test]
    fn h21_both_ways_agree_where_they_meet() {
        for digits in ["9999999999999999999", "10000000000000000000", "09999999999999999999", "1234567890123456789"] {
            assert_eq!(decimal(digits.as_bytes()), digits.parse().ok(), "{digits}");
            assert_eq!(decimal(format!("{digits}x").as_bytes()), None);
        }
    }

    #[test]
    fn s25_hexadecimal_digits_are_lower_case_and_nothing_else() {
        for byte in 0..=u8::MAX {
            let digit = (byte as char).to_digit(16).filter(|_| !byte.is_ascii_uppercase());
            assert_eq!(u32::from(hex_value(byte)), digit.unwrap_or(0xFF), "{byte:#x}");
        }
        assert_eq!([0x0F, 0xA9].map(hex_digits), [*b"0f", *b"a9"]);
    }

    #[test]
    fn q59_leading_zeros_are_decimal() {
        assert_eq!(decimal(b"007"), Some(7));
        assert_eq!(decimal(b"0000000000000000000000000000000000000000012"), Some(12));
    }

    #[test]
    fn written_numbers_read_back() {
        for value in [0, 1, 9, 10, 99, 100, 12_345, u64::from(u32::MAX), u64::MAX - 1, u64::MAX] {
            let mut out = BytesMut::new();
            put_decimal(&mut out, value);
            assert_eq!(out, value.to_string().as_bytes());
            assert_eq!(decimal(&out), Some(value));
        }
    }
}
