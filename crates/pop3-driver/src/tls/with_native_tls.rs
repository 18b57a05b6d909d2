//! Clients with the TLS of the operating system, through `native-tls`.

use std::io::{self, Read, Write};
use std::mem;
use std::sync::Arc;

use native_tls::{HandshakeError, MidHandshakeTlsStream, TlsStream};
use pop3_proto::sasl::ChannelBinding;

use super::{TlsConnection, TlsConnector, TlsFailure};
use crate::Error;

/// Returns the settings of a client that verifies certificates and host names as the operating system does, with the TLS of the operating
/// system. A `native_tls::TlsConnector` with other settings, as for old servers, can be used like it.
///
/// # Errors
/// The operating system has no TLS, or no root certificates.
pub fn native_client() -> Result<Arc<native_tls::TlsConnector>, Error> {
    Ok(Arc::new(native_tls::TlsConnector::new().map_err(|error| Error::Tls(failure(&error)))?))
}

/// The library says only in words what is wrong.
fn failure(error: &native_tls::Error) -> TlsFailure {
    TlsFailure::Other(error.to_string())
}

impl TlsConnector for native_tls::TlsConnector {
    fn begin(self: Arc<Self>, host: &str) -> Result<Box<dyn TlsConnection>, Error> {
        let mut connection = NativeConnection(State::Failed(TlsFailure::NotTls));
        connection.advance((*self).connect(host, Pipe::default())).map_err(Error::Tls)?;
        Ok(Box::new(connection))
    }
}

/// The two directions of a stream in memory.
#[derive(Debug, Default)]
struct Pipe {
    received: Vec<u8>,
    sealed: Vec<u8>,
}

impl Read for Pipe {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.received.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let count = self.received.as_slice().read(space)?;
        self.received.drain(..count);
        Ok(count)
    }
}

impl Write for Pipe {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.sealed.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum State {
    Handshake(MidHandshakeTlsStream<Pipe>),
    Established(TlsStream<Pipe>),
    Failed(TlsFailure),
}

struct NativeConnection(State);

impl NativeConnection {
    /// Records the result of a step of the handshake.
    fn advance(&mut self, step: Result<TlsStream<Pipe>, HandshakeError<Pipe>>) -> Result<(), TlsFailure> {
        self.0 = match step {
            Ok(stream) => State::Established(stream),
            Err(HandshakeError::WouldBlock(handshake)) => State::Handshake(handshake),
            Err(HandshakeError::Failure(error)) => State::Failed(failure(&error)),
        };
        match &self.0 {
            State::Failed(failure) => Err(failure.clone()),
            _ => Ok(()),
        }
    }

    fn pipe(&mut self) -> Option<&mut Pipe> {
        match &mut self.0 {
            State::Handshake(handshake) => Some(handshake.get_mut()),
            State::Established(stream) => Some(stream.get_mut()),
            State::Failed(_) => None,
        }
    }

    /// Returns the stream for text, which is there after the handshake.
    fn stream(&mut self) -> Result<&mut TlsStream<Pipe>, TlsFailure> {
        match &mut self.0 {
            State::Established(stream) => Ok(stream),
            State::Handshake(_) => Err(TlsFailure::Other("the TLS handshake is not done".to_owned())),
            State::Failed(failure) => Err(failure.clone()),
        }
    }
}

fn broken(error: &io::Error) -> TlsFailure {
    TlsFailure::Other(error.to_string())
}

impl TlsConnection for NativeConnection {
    fn is_handshaking(&self) -> bool {
        !matches!(self.0, State::Established(_))
    }

    fn receive(&mut self, sealed: &[u8]) -> Result<usize, TlsFailure> {
        if let Some(pipe) = self.pipe() {
            pipe.received.extend_from_slice(sealed);
        }
        match mem::replace(&mut self.0, State::Failed(TlsFailure::NotTls)) {
            State::Handshake(handshake) => self.advance(handshake.handshake())?,
            other => self.0 = other,
        }
        Ok(sealed.len())
    }

    fn read(&mut self, space: &mut [u8]) -> Result<Option<usize>, TlsFailure> {
        match self.stream()?.read(space) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(broken(&error)),
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<usize, TlsFailure> {
        self.stream()?.write(text).map_err(|error| broken(&error))
    }

    fn take_sealed(&mut self, sealed: &mut Vec<u8>) {
        if let Some(pipe) = self.pipe() {
            sealed.append(&mut pipe.sealed);
        }
    }

    fn close(&mut self) {
        if let State::Established(stream) = &mut self.0 {
            // Nothing depends on the alert.
            let _ = stream.shutdown();
        }
    }

    fn channel_binding(&self) -> ChannelBinding {
        let server_end_point = match &self.0 {
            State::Established(stream) => stream.tls_server_end_point().ok().flatten(),
            _ => None,
        };
        ChannelBinding { exporter: None, server_end_point }
    }
}
