//! Sizes and times on the command line.

use std::str::FromStr;
use std::time::Duration;

/// A size in octets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be a number of octets, such as 500000, 500K, 10M or 1G".to_owned();
        let (number, unit) = match text.to_ascii_uppercase().strip_suffix(['K', 'M', 'G']) {
            Some(number) => (number.to_owned(), text[number.len()..].to_ascii_uppercase()),
            None => (text.to_owned(), String::new()),
        };
        let factor: u64 = match unit.as_str() {
            "K" => 1 << 10,
            "M" => 1 << 20,
            "G" => 1 << 30,
            _ => 1,
        };
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(factor)).map(Self).ok_or_else(wrong)
    }
}

/// A time such as `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age(pub Duration);

impl FromStr for Age {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "must be a number with a unit, such as 7d, 12h or 4w".to_owned();
        let mut digits = text.chars();
        let seconds: u64 = match digits.next_back().ok_or_else(wrong)?.to_ascii_lowercase() {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 24 * 3_600,
            'w' => 7 * 24 * 3_600,
            _ => return Err(wrong()),
        };
        let number = digits.as_str().parse::<u64>().ok();
        number.and_then(|number| number.checked_mul(seconds)).map(|seconds| Self(Duration::from_secs(seconds))).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_may_have_a_unit() {
        for (text, size) in [("0", 0), ("500000", 500_000), ("2k", 2048), ("10M", 10 << 20), ("1G", 1 << 30)] {
            assert_eq!(text.parse(), Ok(Size(size)), "{text}");
        }
        for text in ["", "M", "-1", "1.5M", "10MB", "99999999999999999999", "99999999999G", "10 M", "1é"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }

    #[test]
    fn times_have_a_unit() {
        for (text, seconds) in [("0s", 0), ("90s", 90), ("5m", 300), ("12h", 43_200), ("7d", 604_800), ("4W", 2_419_200)] {
            assert_eq!(text.parse(), Ok(Age(Duration::from_secs(seconds))), "{text}");
        }
        for text in ["", "7", "d", "-1d", "1.5d", "7 d", "7days", "99999999999999999999d", "9999999999999999w", "7é"] {
            assert!(text.parse::<Age>().is_err(), "{text}");
        }
    }
}
