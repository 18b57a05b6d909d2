//! What a driver does on a stream.

use std::time::Instant;

/// What to do on a stream, and until when. After the deadline the action fails with [`std::io::ErrorKind::TimedOut`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Io {
    /// Read into [`Endpoint::unfilled`], then call [`Endpoint::advance_read`].
    Read(Instant),
    /// Write [`Endpoint::output`], then call [`Endpoint::advance_written`].
    Write(Instant),
    /// Flush the stream, then call [`Endpoint::flushed`].
    Flush(Instant),
}

impl Io {
    /// Returns the deadline of the action.
    pub const fn deadline(self) -> Instant {
        let (Self::Read(deadline) | Self::Write(deadline) | Self::Flush(deadline)) = self;
        deadline
    }
}

/// One end of a connection, as a stream sees it.
pub trait Endpoint {
    /// Returns the output that is to be written.
    fn output(&self) -> &[u8];

    /// Drops `count` octets of the output: they were written. Call it at once, so that nothing is ever written twice.
    fn advance_written(&mut self, count: usize, now: Instant);

    /// Reports that the stream was flushed.
    fn flushed(&mut self);

    /// Returns the space to read into.
    fn unfilled(&mut self) -> &mut [u8];

    /// Reports that `count` octets were read; 0 at the end of the stream.
    fn advance_read(&mut self, count: usize);
}
