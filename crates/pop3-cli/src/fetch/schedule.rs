//! When an account is fetched again.

use std::time::{Duration, Instant};

/// The longest time between two tries after failures, unless the interval itself is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// No server and no option makes an account wait longer than this. Far more is no time that a clock can show.
const MOST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The schedule of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// The time between two runs.
    every: Duration,
    /// When the next run begins.
    pub due: Instant,
    /// The server wants no login before.
    not_before: Instant,
    /// The number of failures since the last success.
    failures: u32,
}

impl Schedule {
    /// Returns the schedule of an account that is fetched at once.
    pub const fn new(every: Duration, now: Instant) -> Self {
        Self { every, due: now, not_before: now, failures: 0 }
    }

    /// Plans the next run after one that began at `begun`. The interval doubles with each failure in a row. `pause` is the time that the server
    /// wants between two logins. `chance` is a number from 0 to 1: programs on many machines must not all come at once.
    pub fn plan(&mut self, begun: Instant, has_failed: bool, pause: Duration, chance: f64) {
        self.failures = if has_failed { self.failures.saturating_add(1) } else { 0 };
        let pause = pause.min(MOST);
        let interval = self.every.max(pause).min(MOST);
        let backed_off = interval.saturating_mul(1 << self.failures.min(16)).min(LONGEST.max(interval));
        self.not_before = begun + pause;
        self.due = begun + backed_off + (backed_off / 10).mul_f64(chance);
    }

    /// Moves the next run to now, or to the moment at which the server allows it.
    pub fn hurry(&mut self, now: Instant) {
        self.due = self.due.min(now.max(self.not_before));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    fn after(schedule: &Schedule, begun: Instant) -> u64 {
        (schedule.due - begun).as_secs()
    }

    #[test]
    fn the_interval_doubles_with_failures_up_to_an_hour_and_ends_with_a_success() {
        let now = Instant::now();
        let mut schedule = Schedule::new(10 * MINUTE, now);
        assert_eq!(schedule.due, now);
        let mut waits = Vec::new();
        for has_failed in [false, true, true, true, true, false] {
            schedule.plan(now, has_failed, Duration::ZERO, 0.0);
            waits.push(after(&schedule, now) / 60);
        }
        assert_eq!(waits, [10, 20, 40, 60, 60, 10]);
        let mut rare = Schedule::new(180 * MINUTE, now);
        rare.plan(now, true, Duration::ZERO, 0.0);
        assert_eq!(after(&rare, now) / 60, 180);
        for _ in 0..100 {
            rare.plan(now, true, Duration::ZERO, 1.0);
        }
        assert_eq!(after(&rare, now) / 60, 198);
    }

    #[test]
    fn no_time_is_too_long_for_the_clock() {
        let now = Instant::now();
        for (every, pause) in [(Duration::MAX, Duration::ZERO), (MINUTE, Duration::MAX)] {
            let mut schedule = Schedule::new(every, now);
            schedule.plan(now, true, pause, 1.0);
            schedule.hurry(now);
            assert!(after(&schedule, now) <= 403 * 24 * 3600);
        }
    }

    #[test]
    fn s41_a_pause_that_the_server_wants_is_kept_even_in_a_hurry() {
        let now = Instant::now();
        let mut schedule = Schedule::new(MINUTE, now);
        schedule.plan(now, false, 5 * MINUTE, 0.5);
        assert_eq!(after(&schedule, now), 315);
        schedule.hurry(now + MINUTE);
        assert_eq!(after(&schedule, now), 300);
        schedule.plan(now, false, Duration::ZERO, 0.0);
        schedule.hurry(now + Duration::from_secs(7));
        assert_eq!(after(&schedule, now), 7);
        // What is due already does not become later.
        schedule.hurry(now + 2 * MINUTE);
        assert_eq!(after(&schedule, now), 7);
    }
}
