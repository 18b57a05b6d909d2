//! Deadlines.

use std::time::{Duration, Instant};

/// Returns the moment `after` later than `now`. A time-out beyond what the clock can represent is a day.
pub fn deadline_after(now: Instant, after: Duration) -> Instant {
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(24 * 3600))
}
