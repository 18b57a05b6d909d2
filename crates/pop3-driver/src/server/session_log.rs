//! The log line at the end of a session.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use pop3_maildrop::{Peer, SessionTally};

/// The peer, the user and the work of a session, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) peer: Peer,
    pub(super) user: Option<Arc<str>>,
    pub(super) tally: SessionTally,
}

/// Logs the end of a session once, at the latest when it is dropped: also of a session that panics or whose future is dropped.
#[derive(Debug)]
pub struct SessionLog {
    identity: Arc<Mutex<Identity>>,
    began: Instant,
    ended: bool,
}

impl SessionLog {
    pub(super) fn new(identity: Arc<Mutex<Identity>>) -> Self {
        Self { identity, began: Instant::now(), ended: false }
    }

    /// Logs how the session ended, or why it broke.
    pub fn end(mut self, ended: &io::Result<String>) {
        self.log(&ended.as_ref().map_or_else(ToString::to_string, Clone::clone));
    }

    fn log(&mut self, how: &str) {
        if std::mem::replace(&mut self.ended, true) {
            return;
        }
        let identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        let (address, tls) = (identity.peer.address.map(tracing::field::display), identity.peer.encrypted);
        match &identity.user {
            Some(user) => {
                let SessionTally { retrieved, octets, deleted, left } = identity.tally;
                let seconds = self.began.elapsed().as_secs();
                tracing::info!(user = &**user, address, tls, retrieved, octets, deleted, left, seconds, "session ended: {how}");
            }
            None => tracing::debug!(address, tls, "session ended before login: {how}"),
        }
    }
}

impl Drop for SessionLog {
    fn drop(&mut self) {
        self.log("it was interrupted");
    }
}
