//! Streams that keep a deadline.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_driver::rustls::pki_types::ServerName;
use pop3_driver::rustls::{self, ClientConnection, StreamOwned};
use pop3_driver::{proto::sasl::ChannelBinding, tls};

/// A stream that a session can run over.
pub trait Transport: Read + Write + Send {
    /// Reads and writes give [`io::ErrorKind::TimedOut`] from then on.
    ///
    /// # Errors
    /// The operating system refuses.
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()>;

    /// Tells the peer that nothing more will be written.
    ///
    /// # Errors
    /// The connection is broken.
    fn close(&mut self) -> io::Result<()> {
        self.flush()
    }
}

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        (**self).set_deadline(deadline)
    }

    fn close(&mut self) -> io::Result<()> {
        (**self).close()
    }
}

/// A stream that is closed.
pub(crate) struct Closed;

impl Transport for Closed {
    fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
        Ok(())
    }
}

impl Read for Closed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A TCP connection whose reads and writes end at a deadline, however many of them there are.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    deadline: Option<Instant>,
}

impl Socket {
    /// Sends what is written at once: a command must not wait for the acknowledgement of the one before.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream, deadline: None })
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let Some(deadline) = self.deadline else { return Ok(None) };
        match deadline.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(io::ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Transport for Socket {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.deadline = Some(deadline);
        Ok(())
    }

    fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.left()?)?;
        self.stream.read(buf).map_err(timed_out)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        self.stream.write(buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A timeout of a socket is told as `WouldBlock` on Unix.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

impl<C, D, T> Transport for StreamOwned<C, T>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>> + Send,
    D: rustls::SideData,
    T: Transport,
{
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.sock.set_deadline(deadline)
    }

    fn close(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.sock.close()
    }
}

/// TLS as a client over `stream`, the handshake done, and what a login can be bound to.
pub(crate) fn connect_tls<T: Transport + 'static>(
    stream: T,
    config: &Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
) -> io::Result<(Box<dyn Transport>, ChannelBinding)> {
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let stream = handshake(StreamOwned::new(connection, stream))?;
    let binding = tls::client_binding(&stream.conn);
    Ok((Box::new(stream), binding))
}

/// TLS as a server over `stream`, the handshake done, and what is known of the connection.
#[cfg(feature = "server")]
pub(crate) fn accept_tls<T: Transport + 'static>(
    stream: T,
    tls: &tls::ServerTls,
) -> io::Result<(Box<dyn Transport>, pop3_driver::proto::server::Channel)> {
    let connection = rustls::ServerConnection::new(Arc::clone(&tls.config)).map_err(io::Error::other)?;
    let stream = handshake(StreamOwned::new(connection, stream)).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => error,
        _ => tls::TlsFailure::of_client(&error),
    })?;
    let channel = tls::server_channel(&stream.conn, tls)?;
    Ok((Box::new(stream), channel))
}

fn handshake<C, D, T>(mut stream: StreamOwned<C, T>) -> io::Result<StreamOwned<C, T>>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
    T: Transport,
{
    while stream.conn.is_handshaking() {
        match stream.conn.complete_io(&mut stream.sock) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => drop(result?),
        }
    }
    Ok(stream)
}

/// So much later than now; what is beyond all clocks is a day.
pub(crate) fn later(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(24 * 3600))
}

/// Reads once; an interrupted read is tried again. The end of a TLS stream without its farewell is the end all the same: the
/// session knows whether it may end there (H13).
pub(crate) fn read(stream: &mut impl Transport, space: &mut [u8]) -> io::Result<usize> {
    loop {
        match stream.read(space) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(0),
            result => return result,
        }
    }
}
