//! The log line at the end of a session.

use std::io;
use std::sync::Arc;

use pop3_maildrop::Peer;

/// What the log says about a session at its end.
#[derive(Clone, Debug, Default)]
pub struct SessionLog {
    pub(super) peer: Peer,
    pub(super) user: Option<Arc<str>>,
}

impl SessionLog {
    /// Logs the end of a session: how it ended, or why it broke.
    pub fn end(&self, ended: &io::Result<String>) {
        let address = self.peer.address.map(tracing::field::display);
        let (how, tls) = (ended.as_ref().map_or_else(ToString::to_string, Clone::clone), self.peer.tls);
        match &self.user {
            Some(user) => tracing::info!(user = &**user, address, tls, "session ended: {how}"),
            None => tracing::debug!(address, tls, "session ended before login: {how}"),
        }
    }
}
