//! Observers for the sessions of a server.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use pop3_proto::server::Observer;

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

    pub(crate) fn observer(&self, id: u64, source: Option<IpAddr>) -> Option<Box<dyn Observer>> {
        self.0.as_ref().and_then(|make| make(ObservedSession { id, source }))
    }
}

impl fmt::Debug for SessionObservers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "SessionObservers(..)" } else { "SessionObservers(none)" })
    }
}
