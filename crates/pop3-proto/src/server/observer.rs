//! Observation of a session.

use alloc::boxed::Box;
use alloc::string::ToString;

use super::close_reason::CloseReason;
use crate::codec::RedactedCommand;

/// Observes what a server's session does, without secrets. [`Transcript`](crate::Transcript) is an observer that writes lines.
// H25, H56
pub trait Observer: Send {
    /// Receives each line of the client: a command without its secrets, `*` for a cancelled exchange, and `[redacted]` for a response
    /// to a challenge and for a line that is too long.
    fn received(&mut self, line: &str) {
        let _ = line;
    }

    /// Receives the first line of each reply without its line end, and `+` for a challenge.
    fn sent(&mut self, line: &[u8]) {
        let _ = line;
    }

    /// Learns once that the session has ended, however it ends.
    fn ended(&mut self, end: SessionEnd) {
        let _ = end;
    }
}

/// The end of a session, for an [`Observer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionEnd {
    /// The reason why the server ended the session; `None` if the client or the network ended it. The protocol itself does not know
    /// [`CloseReason::TimedOut`], `GaveWay` and `ShutDown`, which a driver reports.
    pub reason: Option<CloseReason>,
    /// The octets that the client sent, without those of TLS.
    pub octets_received: u64,
    /// The octets that were sent to the client, without those of TLS.
    pub octets_sent: u64,
}

/// The observer of a connection, and the numbers for it. If it is dropped, the session has ended.
#[derive(Default)]
pub(super) struct Observation {
    observer: Option<Box<dyn Observer>>,
    pub(super) reason: Option<CloseReason>,
    pub(super) octets_received: u64,
    pub(super) octets_sent: u64,
    /// The beginning of an overlong line was discarded.
    in_long_line: bool,
}

impl Observation {
    /// Begins to observe a session whose greeting is in `output`.
    pub(super) fn begin(&mut self, observer: Box<dyn Observer>, output: &[u8]) {
        self.observer = Some(observer);
        self.replied(output);
    }

    pub(super) const fn is_active(&self) -> bool {
        self.observer.is_some()
    }

    /// Passes on a consumed line. `is_response` tells that it answers a challenge.
    pub(super) fn consumed(&mut self, line: &[u8], is_response: bool) {
        let Some(observer) = &mut self.observer else { return };
        let Some(content) = line.strip_suffix(b"\n") else {
            self.in_long_line |= !line.is_empty();
            return;
        };
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let hidden = core::mem::take(&mut self.in_long_line) || (is_response && content != b"*");
        match hidden {
            true => observer.received("[redacted]"),
            false if is_response => observer.received("*"),
            false => observer.received(&RedactedCommand(content).to_string()),
        }
    }

    /// Passes on the first line of `output`, which begins with a reply.
    pub(super) fn replied(&mut self, output: &[u8]) {
        let Some(observer) = &mut self.observer else { return };
        let Some(end) = output.windows(2).position(|pair| pair == b"\r\n") else { return };
        match output.get(..end).unwrap_or_default() {
            // A challenge may be part of a proof.
            [b'+', b' ', ..] => observer.sent(b"+"),
            line => observer.sent(line),
        }
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        if let Some(mut observer) = self.observer.take() {
            let Self { reason, octets_received, octets_sent, .. } = *self;
            observer.ended(SessionEnd { reason, octets_received, octets_sent });
        }
    }
}
