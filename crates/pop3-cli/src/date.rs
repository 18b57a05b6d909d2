//! Dates.

use std::time::Duration;

use x509_cert::der::DateTime;

/// Returns the date of a time since 1970, as `2026-11-26`.
pub fn of(time: Duration) -> String {
    DateTime::from_unix_duration(time)
        .map_or_else(|_| "?".to_owned(), |day| format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day()))
}

/// Returns a time as messages have it (RFC 5322 §3.3), in UTC: `Thu, 26 Nov 2026 06:10:11 +0000`.
pub fn in_messages(time: Duration) -> String {
    let Parts { weekday, day, month, year, clock } = parts(time);
    format!("{weekday}, {day} {month} {year} {clock} +0000")
}

/// Returns a time as files of messages have it, in UTC: `Thu Nov 26 06:10:11 2026`.
pub fn in_mbox(time: Duration) -> String {
    let Parts { weekday, day, month, year, clock } = parts(time);
    format!("{weekday} {month} {day:2} {clock} {year}")
}

struct Parts {
    weekday: &'static str,
    day: u8,
    month: &'static str,
    year: u16,
    clock: String,
}

fn parts(time: Duration) -> Parts {
    const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let days = time.as_secs() / (24 * 3600);
    // Times behind the year 9999 are none that a message has.
    let at = DateTime::from_unix_duration(time).unwrap_or(DateTime::INFINITY);
    Parts {
        weekday: WEEKDAYS[usize::try_from(days % 7).unwrap_or(0)],
        day: at.day(),
        month: MONTHS[usize::from(at.month().clamp(1, 12) - 1)],
        year: at.year(),
        clock: format!("{:02}:{:02}:{:02}", at.hour(), at.minutes(), at.seconds()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_each_format_wants_them() {
        let time = Duration::from_secs(1_795_759_811);
        assert_eq!(of(time), "2026-11-27");
        assert_eq!(in_messages(time), "Fri, 27 Nov 2026 06:10:11 +0000");
        assert_eq!(in_mbox(time), "Fri Nov 27 06:10:11 2026");
        assert_eq!(in_mbox(Duration::ZERO), "Thu Jan  1 00:00:00 1970");
        assert!(in_messages(Duration::MAX).ends_with("9999 23:59:59 +0000"));
    }
}
