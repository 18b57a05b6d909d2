//! What all sessions of a server share.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use pop3_proto::server::ServerConfig;

use super::statistics::{Counters, ServerStatistics};
use crate::tls::{self, ServerTls};
use crate::{LoginBackoff, LoginSlot, LoginSlots, ServerOptions, SessionLimiter, SessionPermit};

/// Logins of one user that may be in progress at once. Only one of them can get the maildrop.
const LOGINS_PER_USER: usize = 3;

/// What all sessions of a server share: options, limits, failed logins, and the certificate.
#[derive(Debug)]
pub struct ServerShared {
    options: ServerOptions,
    config: Arc<ServerConfig>,
    limiter: Arc<SessionLimiter>,
    login_slots: LoginSlots,
    backoff: LoginBackoff,
    began: Instant,
    counters: Counters,
    tls: RwLock<Option<ServerTls>>,
    /// Makes the keys of users that do not exist. `None`: the operating system had no random numbers.
    decoy_secret: Option<[u8; 18]>,
}

impl ServerShared {
    /// The shared part of a server with these options.
    pub fn new(options: ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            config: Arc::new(options.server_config()),
            limiter: SessionLimiter::new(options.max_sessions, options.max_sessions_per_source),
            login_slots: LoginSlots::new(LOGINS_PER_USER),
            backoff: LoginBackoff::new(options.max_login_backoff),
            began: Instant::now(),
            counters: Counters::default(),
            tls: RwLock::new(options.tls.clone()),
            decoy_secret: tls::random().ok(),
            options,
        })
    }

    /// Returns the options.
    pub const fn options(&self) -> &ServerOptions {
        &self.options
    }

    /// Returns the configuration of the sessions.
    pub const fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Returns the limits on sessions, which also begin the shutdown.
    pub const fn limiter(&self) -> &Arc<SessionLimiter> {
        &self.limiter
    }

    /// Returns what the server has done since it began.
    pub fn statistics(&self) -> ServerStatistics {
        let limiter = &self.limiter;
        ServerStatistics {
            open_sessions: limiter.sessions() as u64,
            sessions: limiter.begun(),
            refused_sessions: limiter.refused(),
            ..self.counters.statistics()
        }
    }

    /// Returns the counters that sessions share.
    pub(super) const fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Counts a session that the caller has admitted.
    ///
    /// # Errors
    /// The server is shutting down ([`io::ErrorKind::ConnectionAborted`]).
    pub fn join(&self) -> io::Result<SessionPermit> {
        self.limiter.join().ok_or_else(|| io::ErrorKind::ConnectionAborted.into())
    }

    /// Replaces the certificate for the next handshakes. A server that began without TLS stays without it.
    pub fn replace_tls(&self, tls: ServerTls) {
        let mut current = self.tls.write().unwrap_or_else(PoisonError::into_inner);
        if current.is_some() {
            *current = Some(tls);
        }
    }

    /// Returns the certificate for the next handshake.
    ///
    /// # Errors
    /// The server has none.
    pub fn tls(&self) -> io::Result<ServerTls> {
        let current = self.tls.read().unwrap_or_else(PoisonError::into_inner);
        current.clone().ok_or_else(|| io::Error::other("there is no certificate for TLS"))
    }

    /// Returns the secret that the keys of users that do not exist are made of.
    ///
    /// # Errors
    /// The operating system had no random numbers when the server began.
    pub fn decoy_secret(&self) -> io::Result<[u8; 18]> {
        self.decoy_secret.ok_or_else(|| io::Error::other("the operating system has no random numbers"))
    }

    /// Begins a login of a user; `None` if too many of its logins are in progress.
    pub(super) fn login_slot(&self, user: &[u8]) -> Option<LoginSlot> {
        self.login_slots.try_acquire(user)
    }

    /// Returns how long the replies to these failed logins are delayed: the `count`th of a session, for each count in `failures`. A session
    /// whose source is not known counts for itself, so that it delays no other session.
    // H40
    pub(super) fn login_delay(&self, source: Option<IpAddr>, failures: std::ops::RangeInclusive<u32>, now: Instant) -> Duration {
        self.counters.add_failed_logins((failures.end() + 1).saturating_sub(*failures.start()));
        let now = now.saturating_duration_since(self.began);
        let delay = |count| match source {
            Some(source) => self.backoff.record_failure(source, now),
            None => self.backoff.delay_after(count),
        };
        failures.map(delay).sum()
    }
}
