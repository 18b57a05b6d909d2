//! Delays of the replies to failed logins, per source.
// H40

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::session_limiter::source_of;

/// A counter of failed logins per source: an IPv4 address, or an IPv6 network of 64 bits. The reply to the first failure is not
/// delayed, in case of a typing mistake; the reply to the second is delayed by 1 s; then delays double, up to a maximum.
///
/// ```
/// use std::time::Duration;
/// use pop3_driver::LoginBackoff;
/// let (backoff, now) = (LoginBackoff::new(Duration::from_secs(15)), Duration::ZERO);
/// let guesses = [0; 4].map(|_| backoff.record_failure([192, 0, 2, 1].into(), now).as_secs());
/// assert_eq!(guesses, [0, 1, 2, 4]);
/// ```
#[derive(Debug)]
pub struct LoginBackoff {
    longest: Duration,
    sources: Mutex<HashMap<IpAddr, Failures>>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    last: Duration,
}

/// The count of a source resets after this long without a failure.
const RESET_AFTER: Duration = Duration::from_secs(15 * 60);

/// At most this many sources are tracked; replies to failures from others are delayed by `longest`.
const MAX_SOURCES: usize = 10_000;

impl LoginBackoff {
    /// Creates a counter without failures. `longest` is the maximum delay of a reply; zero disables delays.
    pub fn new(longest: Duration) -> Self {
        Self { longest, sources: Mutex::default() }
    }

    /// Records a failed login from `source`, and returns the delay of the reply. `now` is the time since any fixed moment.
    pub fn record_failure(&self, source: IpAddr, now: Duration) -> Duration {
        let source = source_of(source);
        let mut sources = self.sources.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = |failures: &Failures| now.saturating_sub(failures.last) >= RESET_AFTER;
        if sources.len() >= MAX_SOURCES && !sources.contains_key(&source) {
            sources.retain(|_, failures| !is_old(failures));
            if sources.len() >= MAX_SOURCES {
                return self.longest;
            }
        }
        let failures = sources.entry(source).or_default();
        if is_old(failures) {
            failures.count = 0;
        }
        *failures = Failures { count: failures.count.saturating_add(1), last: now };
        self.delay_after(failures.count)
    }

    /// Returns the delay of the reply to the last of `count` failed logins in a row, for sessions whose source is unknown.
    pub fn delay_after(&self, count: u32) -> Duration {
        match count.checked_sub(2) {
            None => Duration::ZERO,
            Some(doublings) => Duration::from_secs(1).saturating_mul(2u32.saturating_pow(doublings)).min(self.longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONGEST: Duration = Duration::from_secs(15);

    fn waits(backoff: &LoginBackoff, source: &str, now: u64) -> u64 {
        backoff.record_failure(source.parse().unwrap(), Duration::from_secs(now)).as_secs()
    }

    #[test]
    fn h40_failed_logins_are_delayed_per_source() {
        let backoff = LoginBackoff::new(LONGEST);
        let guesses: Vec<u64> = (0..8).map(|now| waits(&backoff, "192.0.2.1", now)).collect();
        assert_eq!(guesses, [0, 1, 2, 4, 8, 15, 15, 15]);
        assert_eq!(waits(&backoff, "192.0.2.2", 8), 0);
        assert_eq!(waits(&backoff, "2001:db8::1", 8), 0);
        assert_eq!(waits(&backoff, "2001:db8::2:3", 8), 1, "one network of 64 bits");
        assert_eq!(waits(&backoff, "192.0.2.1", 7 + 15 * 60 - 1), 15);
        assert_eq!(waits(&backoff, "192.0.2.1", 7 + 30 * 60), 0, "forgotten");
        assert_eq!(waits(&LoginBackoff::new(Duration::ZERO), "192.0.2.1", 0), 0);
    }

    #[test]
    fn h40_a_flood_of_sources_costs_no_memory_and_hides_no_guesser() {
        let backoff = LoginBackoff::new(LONGEST);
        let guess = |source: u32, now| backoff.record_failure(IpAddr::from(source.to_be_bytes()), Duration::from_secs(now));
        for source in 0..MAX_SOURCES as u32 {
            assert_eq!(guess(source, 1), Duration::ZERO);
        }
        assert_eq!(guess(u32::MAX, 2), LONGEST);
        assert_eq!(guess(7, 2), Duration::from_secs(1), "who was known is known");
        assert_eq!(guess(u32::MAX, 1 + RESET_AFTER.as_secs()), Duration::ZERO);
        assert!(backoff.sources.lock().unwrap().len() <= MAX_SOURCES);
    }
}
