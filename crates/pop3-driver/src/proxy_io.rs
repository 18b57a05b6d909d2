//! What is sent before a session, as reads and writes.

use std::io;
use std::time::Instant;

use crate::ProxyHandshake;
use crate::io::{Endpoint, Io};

/// Runs a [`ProxyHandshake`] over a stream. Reads no octet of what follows it.
pub struct ProxyIo<'h> {
    handshake: &'h mut (dyn ProxyHandshake + Send),
    deadline: Instant,
    output: Vec<u8>,
    unflushed: bool,
    space: [u8; 512],
    failed: Option<io::Error>,
}

impl std::fmt::Debug for ProxyIo<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The output may hold a password.
        f.debug_struct("ProxyIo").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl<'h> ProxyIo<'h> {
    /// Begins a handshake that must be complete before the deadline.
    pub fn new(handshake: &'h mut (dyn ProxyHandshake + Send), deadline: Instant) -> Self {
        let output = handshake.output();
        Self { handshake, deadline, output, unflushed: false, space: [0; 512], failed: None }
    }

    /// Returns what to do next; `None` when the handshake is complete.
    ///
    /// # Errors
    /// The peer refuses, sent something else, or disconnected.
    pub fn next_io(&mut self) -> io::Result<Option<Io>> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        if !self.output.is_empty() {
            return Ok(Some(Io::Write(self.deadline)));
        }
        if self.unflushed {
            return Ok(Some(Io::Flush(self.deadline)));
        }
        Ok((self.handshake.bytes_wanted() > 0).then_some(Io::Read(self.deadline)))
    }
}

impl Endpoint for ProxyIo<'_> {
    fn output(&self) -> &[u8] {
        &self.output
    }

    fn advance_written(&mut self, count: usize, _: Instant) {
        self.output.drain(..count.min(self.output.len()));
        self.unflushed = true;
    }

    fn flushed(&mut self) {
        self.unflushed = false;
    }

    fn unfilled(&mut self) -> &mut [u8] {
        let wanted = self.handshake.bytes_wanted().min(self.space.len());
        &mut self.space[..wanted]
    }

    fn advance_read(&mut self, count: usize) {
        let received = match self.space.get(..count) {
            None | Some([]) => Err(io::ErrorKind::UnexpectedEof.into()),
            Some(bytes) => self.handshake.receive(bytes),
        };
        self.failed = received.err();
        self.output = self.handshake.output();
    }
}
