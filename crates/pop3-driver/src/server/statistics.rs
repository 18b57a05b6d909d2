//! What a server has done since it began.

use std::sync::atomic::{AtomicU64, Ordering};

use pop3_maildrop::SessionTally;

/// What a server has done since it began, for metrics. Sessions without a store count as sessions alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServerStatistics {
    /// The sessions that are open now.
    pub open_sessions: u64,
    /// The sessions that have begun.
    pub sessions: u64,
    /// The connections that were closed because of a limit on sessions.
    pub refused_sessions: u64,
    /// The logins.
    pub logins: u64,
    /// The logins that were refused because of their credentials.
    pub failed_logins: u64,
    /// The messages that were retrieved as a whole.
    pub retrieved_messages: u64,
    /// The octets of these messages.
    pub retrieved_octets: u64,
    /// The messages that were removed.
    pub deleted_messages: u64,
}

/// Counters that the sessions of a server share.
#[derive(Debug, Default)]
pub struct Counters {
    logins: AtomicU64,
    failed_logins: AtomicU64,
    retrieved_messages: AtomicU64,
    retrieved_octets: AtomicU64,
    deleted_messages: AtomicU64,
}

impl Counters {
    pub(super) fn add_login(&self) {
        self.logins.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_failed_logins(&self, count: u32) {
        self.failed_logins.fetch_add(count.into(), Ordering::Relaxed);
    }

    /// Adds what a session has done since it had this tally before.
    pub(super) fn add_progress(&self, before: SessionTally, now: SessionTally) {
        let add = |counter: &AtomicU64, before: u64, now: u64| {
            if now > before {
                counter.fetch_add(now - before, Ordering::Relaxed);
            }
        };
        add(&self.retrieved_messages, before.retrieved, now.retrieved);
        add(&self.retrieved_octets, before.octets, now.octets);
        add(&self.deleted_messages, before.deleted, now.deleted);
    }

    /// Returns the counters, without those of sessions.
    pub(super) fn statistics(&self) -> ServerStatistics {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        ServerStatistics {
            logins: read(&self.logins),
            failed_logins: read(&self.failed_logins),
            retrieved_messages: read(&self.retrieved_messages),
            retrieved_octets: read(&self.retrieved_octets),
            deleted_messages: read(&self.deleted_messages),
            ..ServerStatistics::default()
        }
    }
}
