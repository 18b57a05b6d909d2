//! What a client logs through `tracing`: a span for each session, and its events.

use std::net::SocketAddr;
#[cfg(feature = "tracing")]
use std::sync::atomic::{AtomicU64, Ordering};

#[cfg(feature = "tracing")]
use pop3_proto::State;
#[cfg(feature = "tracing")]
use pop3_proto::Transcript;
#[cfg(feature = "tracing")]
use pop3_proto::client::ClientEvent;
use pop3_proto::client::Observer;
use pop3_proto::sasl::Credentials;

use crate::Error;
use crate::tls::TlsConnection;

/// Logs the address that a client has connected to, before its session begins.
pub fn connected(address: SocketAddr) {
    #[cfg(feature = "tracing")]
    tracing::debug!("connected to {} port {}", address.ip(), address.port());
    #[cfg(not(feature = "tracing"))]
    let _ = address;
}

/// The log of one session. Without the feature `tracing` it does nothing.
pub(crate) struct ClientTrace {
    #[cfg(feature = "tracing")]
    span: tracing::Span,
}

#[cfg(feature = "tracing")]
impl ClientTrace {
    pub(crate) fn begin(host: &str, port: u16) -> Self {
        static SESSIONS: AtomicU64 = AtomicU64::new(0);
        let id = SESSIONS.fetch_add(1, Ordering::Relaxed) + 1;
        Self { span: tracing::info_span!("client", id, host, port, user = tracing::field::Empty) }
    }

    /// Returns an observer that logs the dialogue if a subscriber takes it, and passes it on to `other`.
    pub(crate) fn observer(&self, other: Option<Box<dyn Observer>>) -> Option<Box<dyn Observer>> {
        if !tracing::enabled!(tracing::Level::TRACE) {
            return other;
        }
        let span = self.span.clone();
        let log = Transcript::new(move |line: &str| tracing::trace!(parent: &span, "{line}"));
        Some(match other {
            Some(other) => Box::new(Both(log, other)),
            None => Box::new(log),
        })
    }

    pub(crate) fn encrypted(&self, tls: &dyn TlsConnection) {
        match tls.description() {
            Some(description) => tracing::debug!(parent: &self.span, "encrypted by {description}"),
            None => tracing::debug!(parent: &self.span, "encrypted"),
        }
    }

    pub(crate) fn logged_in(&self, credentials: &Credentials) {
        let (Credentials::Password { name, .. } | Credentials::Token { name, .. } | Credentials::External { name }) = credentials
        else {
            return tracing::debug!(parent: &self.span, "logged in without a name");
        };
        self.span.record("user", &*String::from_utf8_lossy(name));
        tracing::debug!(parent: &self.span, "logged in");
    }

    pub(crate) fn failed(&self, error: &Error) {
        tracing::debug!(parent: &self.span, %error, "session failed");
    }
}

#[cfg(feature = "tracing")]
impl Drop for ClientTrace {
    fn drop(&mut self) {
        tracing::debug!(parent: &self.span, "session ended");
    }
}

#[cfg(not(feature = "tracing"))]
impl ClientTrace {
    pub(crate) const fn begin(_: &str, _: u16) -> Self {
        Self {}
    }

    pub(crate) const fn observer(&self, other: Option<Box<dyn Observer>>) -> Option<Box<dyn Observer>> {
        other
    }

    pub(crate) fn encrypted(&self, _: &dyn TlsConnection) {}

    pub(crate) const fn logged_in(&self, _: &Credentials) {}

    pub(crate) const fn failed(&self, _: &Error) {}
}

/// Two observers.
#[cfg(feature = "tracing")]
struct Both<A>(A, Box<dyn Observer>);

#[cfg(feature = "tracing")]
impl<A: Observer> Observer for Both<A> {
    fn sent(&mut self, state: Option<State>, line: &str) {
        self.0.sent(state, line);
        self.1.sent(state, line);
    }

    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>) {
        self.0.received(state, event);
        self.1.received(state, event);
    }
}
