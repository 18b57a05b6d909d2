//! The layer of TLS between a client's session and its stream.

use std::fmt;
use std::io;

use super::{TlsConnection, TlsFailure};
use crate::Error;

/// The octets that one read of the stream returns at most: more than the largest record, and few enough reads for large messages.
const READ_SIZE: usize = 32 * 1024;

/// A TLS connection with its buffers.
pub(crate) struct TlsLayer {
    connection: Box<dyn TlsConnection>,
    /// Octets from the server. Those in `unprocessed` were not given to the connection yet.
    received: Box<[u8]>,
    unprocessed: std::ops::Range<usize>,
    /// Octets for the server.
    sealed: Vec<u8>,
    has_ended: bool,
    failure: Option<TlsFailure>,
}

impl fmt::Debug for TlsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsLayer").field("is_handshaking", &self.is_handshaking()).finish_non_exhaustive()
    }
}

impl TlsLayer {
    pub(crate) fn new(connection: Box<dyn TlsConnection>) -> Self {
        let received = vec![0; READ_SIZE].into_boxed_slice();
        let mut layer = Self { connection, received, unprocessed: 0..0, sealed: Vec::new(), has_ended: false, failure: None };
        layer.connection.take_sealed(&mut layer.sealed);
        layer
    }

    pub(crate) fn connection(&self) -> &dyn TlsConnection {
        &*self.connection
    }

    pub(crate) fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Returns the octets that are to be written to the stream.
    pub(crate) fn sealed(&self) -> &[u8] {
        &self.sealed
    }

    /// Drops octets that were written to the stream.
    pub(crate) fn advance_sealed(&mut self, count: usize) {
        self.sealed.drain(..count);
    }

    /// Returns space for octets from the stream. All that came before was processed.
    pub(crate) const fn unfilled(&mut self) -> &mut [u8] {
        &mut self.received
    }

    /// Records that `count` octets were read from the stream: zero at its end.
    pub(crate) const fn advance_received(&mut self, count: usize) {
        self.unprocessed = 0..count;
        self.has_ended = count == 0;
    }

    /// Returns the error that has ended the connection. An alert about it for the server may be among the sealed octets.
    pub(crate) fn failure(&self) -> Option<Error> {
        let failure = self.failure.clone()?;
        // After the handshake an error means that the connection has broken in the middle of the session.
        Some(match self.is_handshaking() {
            true => Error::Tls(failure),
            false => Error::Io(io::Error::new(io::ErrorKind::InvalidData, failure)),
        })
    }

    /// Gives the connection octets that were received. Returns `false` if it fails.
    fn process(&mut self) -> bool {
        let taken = self.connection.receive(&self.received[self.unprocessed.clone()]);
        self.connection.take_sealed(&mut self.sealed);
        match taken {
            // Nothing is left to read, so it should have taken something. To go on would overwrite what came.
            Ok(0) => {
                self.failure = Some(TlsFailure::Other("TLS takes no more octets of the server".to_owned()));
                false
            }
            Ok(count) => {
                self.unprocessed.start += count;
                true
            }
            Err(failure) => {
                self.failure = Some(failure);
                false
            }
        }
    }

    /// Continues the handshake with what was received. Returns `true` when it is done.
    pub(crate) fn shake_hands(&mut self) -> bool {
        while self.is_handshaking() && self.failure.is_none() && !self.unprocessed.is_empty() && self.process() {}
        if self.is_handshaking() && self.has_ended && self.failure.is_none() {
            self.failure = Some(TlsFailure::Other("the server closed the connection during the TLS handshake".to_owned()));
        }
        !self.is_handshaking()
    }

    /// Moves decrypted octets to `space` and returns their number: zero at the end, `None` if more must be received, or if the connection
    /// has failed.
    pub(crate) fn read(&mut self, space: &mut [u8]) -> Option<usize> {
        while self.failure.is_none() {
            // To read may make the library answer.
            let read = self.connection.read(space);
            self.connection.take_sealed(&mut self.sealed);
            match read {
                Ok(Some(count)) => return Some(count),
                Ok(None) if !self.unprocessed.is_empty() => _ = self.process(),
                // A stream that ends without an alert has ended, too: the session knows whether it may end there (H13, Q08).
                Ok(None) => return self.has_ended.then_some(0),
                Err(failure) => self.failure = Some(failure),
            }
        }
        None
    }

    /// Encrypts octets. If that fails, [`failure`](Self::failure) is the error.
    pub(crate) fn write(&mut self, mut text: &[u8]) {
        while !text.is_empty() && self.failure.is_none() {
            let (written, before) = (self.connection.write(text), self.sealed.len());
            self.connection.take_sealed(&mut self.sealed);
            match written {
                Ok(0) if self.sealed.len() == before => {
                    self.failure = Some(TlsFailure::Other("TLS takes no more octets for the server".to_owned()));
                }
                Ok(count) => text = &text[count..],
                Err(failure) => self.failure = Some(failure),
            }
        }
    }

    /// Seals the alert that ends the connection. A handshake that is not done is given up.
    pub(crate) fn close(&mut self) {
        if self.is_handshaking() {
            self.sealed.clear();
            self.failure.get_or_insert_with(|| TlsFailure::Other("the TLS handshake was given up".to_owned()));
            return;
        }
        self.connection.close();
        self.connection.take_sealed(&mut self.sealed);
    }
}
