//! The log line at the end of a session.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use pop3_maildrop::Peer;

/// The peer and the user of a session, as far as they are known.
#[derive(Debug, Default)]
pub(super) struct Identity {
    pub(super) peer: Peer,
    pub(super) user: Option<Arc<str>>,
}

/// Logs the end of a session once, at the latest when it is dropped: also of a session that panics or whose future is dropped.
#[derive(Debug)]
pub struct SessionLog {
    identity: Arc<Mutex<Identity>>,
    ended: bool,
}

impl SessionLog {
    pub(super) const fn new(identity: Arc<Mutex<Identity>>) -> Self {
        Self { identity, ended: false }
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
            Some(user) => tracing::info!(user = &**user, address, tls, "session ended: {how}"),
            None => tracing::debug!(address, tls, "session ended before login: {how}"),
        }
    }
}

impl Drop for SessionLog {
    fn drop(&mut self) {
        self.log("it was interrupted");
    }
}
