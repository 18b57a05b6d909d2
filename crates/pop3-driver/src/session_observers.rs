//! Observers for the sessions of a server.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use pop3_proto::server::{CloseReason, Observer, SessionEnd};

use crate::session_limiter::{Seat, SessionLimiter, SessionPermit};

/// Makes the observer of each session of a server, for [`ServerOptions::observers`](crate::ServerOptions::observers).
///
/// ```
/// use pop3_driver::proto::Transcript;
/// use pop3_driver::{ServerOptions, SessionObservers};
///
/// let mut options = ServerOptions::dangerous_cleartext();
/// options.observers = SessionObservers::new(|session| {
///     let id = session.id;
///     Some(Box::new(Transcript::new(move |line| eprintln!("session {id}: {line}"))))
/// });
/// ```
#[derive(Clone, Default)]
pub struct SessionObservers(Option<Arc<MakeObserver>>);

type MakeObserver = dyn Fn(ObservedSession) -> Option<Box<dyn Observer>> + Send + Sync;

/// The session that is to be observed.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ObservedSession {
    /// The number of the session, which the logs have, too; 0 for a session that the server does not count.
    pub id: u64,
    /// The address of the client, as far as the connection and the PROXY protocol tell.
    pub source: Option<IpAddr>,
}

impl SessionObservers {
    /// Calls `make` at the beginning of each session; `None` leaves the session unobserved. The observer is called in the session's task or
    /// thread, so it must not block.
    pub fn new(make: impl Fn(ObservedSession) -> Option<Box<dyn Observer>> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(make)))
    }

    pub(crate) fn observer(&self, permit: Option<&SessionPermit>, source: Option<IpAddr>) -> Option<Box<dyn Observer>> {
        let observer = self.0.as_ref()?(ObservedSession { id: permit.map_or(0, SessionPermit::id), source })?;
        Some(match permit {
            Some(permit) => {
                Box::new(WithDriversReason { observer, seat: Arc::clone(permit.seat()), limiter: Arc::clone(permit.limiter()) })
            }
            None => observer,
        })
    }
}

/// An observer that learns the reasons that the protocol does not know, whatever drops the session.
struct WithDriversReason {
    observer: Box<dyn Observer>,
    seat: Arc<Seat>,
    limiter: Arc<SessionLimiter>,
}

impl Observer for WithDriversReason {
    fn received(&mut self, line: &str) {
        self.observer.received(line);
    }

    fn sent(&mut self, line: &[u8]) {
        self.observer.sent(line);
    }

    fn ended(&mut self, mut end: SessionEnd) {
        if end.reason.is_none() {
            end.reason = match () {
                () if self.seat.is_evicted() => Some(CloseReason::GaveWay),
                () if self.seat.is_timed_out() => Some(CloseReason::TimedOut),
                () if self.limiter.is_shutting_down() => Some(CloseReason::ShutDown),
                () => None,
            };
        }
        self.observer.ended(end);
    }
}

impl fmt::Debug for SessionObservers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "SessionObservers(..)" } else { "SessionObservers(none)" })
    }
}
