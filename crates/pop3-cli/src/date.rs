//! Dates.

use std::time::Duration;

use x509_cert::der::DateTime;

/// Returns the date of a time since 1970, as `2026-11-26`.
pub fn of(time: Duration) -> String {
    DateTime::from_unix_duration(time)
        .map_or_else(|_| "?".to_owned(), |day| format!("{:04}-{:02}-{:02}", day.year(), day.month(), day.day()))
}
