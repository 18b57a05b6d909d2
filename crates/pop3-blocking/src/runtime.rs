//! What is the operating system's own: streams that keep a deadline, threads. All else is the same in every driver.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, ToSocketAddrs};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use pop3_driver::rustls::{self, ClientConnection, StreamOwned, pki_types::ServerName};
use pop3_driver::{proto::sasl::ChannelBinding, tls};

#[cfg(feature = "server")]
pub(crate) use server::{
    accept, accept_tls, accepted, blocking, flush_now, outcome, pause, pause_unless_stopped, read_now, read_unless_stopped,
    spawn, unless_evicted, unless_stopped, wait_emptied, wake, write_now,
};
pub(crate) use std::io::Write as Sink;
#[cfg(feature = "server")]
pub(crate) use std::net::TcpListener;
pub(crate) use std::net::TcpStream;
pub(crate) use std::time::Instant;

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

/// Any stream.
pub(crate) type Stream = Box<dyn Transport>;

impl<T: Transport + ?Sized> Transport for Box<T> {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        (**self).set_deadline(deadline)
    }

    fn close(&mut self) -> io::Result<()> {
        (**self).close()
    }
}

/// A stream that is closed.
struct Closed;

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
    stream: Arc<TcpStream>,
    deadline: Option<Instant>,
}

impl Socket {
    /// Sends what is written at once: a command must not wait for the acknowledgement of the one before.
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: Arc::new(stream), deadline: None })
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
        (&*self.stream).read(buf).map_err(timed_out)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.left()?)?;
        (&*self.stream).write(buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.stream).flush()
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

/// So much later than now; what is beyond all clocks is a day.
pub(crate) fn later(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(24 * 3600))
}

/// The addresses of a host. The operating system has no deadline for that: a thread waits in our place.
pub(crate) fn addresses(host: &str, port: u16, until: Instant) -> io::Result<Vec<SocketAddr>> {
    let (sender, receiver) = mpsc::channel();
    let host = host.to_owned();
    thread::spawn(move || {
        // Nobody may be waiting any more.
        let _ = sender.send((host, port).to_socket_addrs().map(Iterator::collect));
    });
    let waited = receiver.recv_timeout(until.saturating_duration_since(Instant::now()));
    waited.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// A connection to one address.
pub(crate) fn connect(address: SocketAddr, until: Instant) -> io::Result<Stream> {
    stream(TcpStream::connect_timeout(&address, until.saturating_duration_since(Instant::now()))?)
}

/// A connection on which nothing that is written waits for the acknowledgement of what was written before.
pub(crate) fn stream(stream: TcpStream) -> io::Result<Stream> {
    Ok(Box::new(Socket::new(stream)?))
}

/// A stream that is closed.
pub(crate) fn closed() -> Stream {
    Box::new(Closed)
}

/// An interrupted call is made again.
fn again<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Reads once. The end of a TLS stream without its farewell, or of a connection with a reset, is the end all the same: the session
/// knows whether it may end there (H13, Q08).
pub(crate) fn read(stream: &mut Stream, space: &mut [u8], until: Instant) -> io::Result<usize> {
    stream.set_deadline(until)?;
    match again(|| stream.read(space)) {
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Ok(0),
        result => result,
    }
}

/// Writes once.
pub(crate) fn write(stream: &mut Stream, bytes: &[u8], until: Instant) -> io::Result<usize> {
    stream.set_deadline(until)?;
    match again(|| stream.write(bytes))? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        count => Ok(count),
    }
}

/// Has what was written go out.
pub(crate) fn flush(stream: &mut Stream, until: Instant) -> io::Result<()> {
    stream.set_deadline(until)?;
    again(|| stream.flush())
}

/// Tells the peer that nothing more will be written.
pub(crate) fn close(stream: &mut Stream, until: Instant) -> io::Result<()> {
    stream.set_deadline(until)?;
    stream.close()
}

/// Writes all of it to what a message goes to.
pub(crate) fn write_all(sink: &mut (impl Sink + Unpin), bytes: &[u8]) -> io::Result<()> {
    sink.write_all(bytes)
}

/// TLS as a client, the handshake done, and what a login can be bound to.
pub(crate) fn connect_tls(
    mut stream: Stream,
    config: &Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
    until: Instant,
) -> io::Result<(Stream, ChannelBinding)> {
    stream.set_deadline(until)?;
    let connection = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
    let stream = handshake(StreamOwned::new(connection, stream))?;
    let binding = tls::client_binding(&stream.conn);
    Ok((Box::new(stream), binding))
}

fn handshake<C, D, T>(mut stream: StreamOwned<C, T>) -> io::Result<StreamOwned<C, T>>
where
    C: std::ops::DerefMut<Target = rustls::ConnectionCommon<D>>,
    D: rustls::SideData,
    T: Transport,
{
    while stream.conn.is_handshaking() {
        again(|| stream.conn.complete_io(&mut stream.sock))?;
    }
    Ok(stream)
}

#[cfg(feature = "server")]
mod server {
    use pop3_driver::proto::server::ConnectionInfo;
    use pop3_driver::tls::{ServerTls, TlsFailure};
    use pop3_driver::{Seat, SessionLimiter, SessionPermit};
    use pop3_maildrop::{LoginError, Pending};
    use tracing::Span;

    use super::*;

    /// What runs by itself.
    pub(crate) trait Session: FnOnce() + Send + 'static {}

    impl<F: FnOnce() + Send + 'static> Session for F {}

    /// TLS as a server, the handshake done, and what is known of the connection.
    pub(crate) fn accept_tls(mut stream: Stream, tls: &ServerTls, until: Instant) -> io::Result<(Stream, ConnectionInfo)> {
        stream.set_deadline(until)?;
        let connection = rustls::ServerConnection::new(Arc::clone(&tls.config)).map_err(io::Error::other)?;
        let stream = handshake(StreamOwned::new(connection, stream)).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => error,
            _ => TlsFailure::of_client(&error),
        })?;
        let channel = tls::connection_info(&stream.conn, tls)?;
        Ok((Box::new(stream), channel))
    }

    /// The next connection; `None`: the server ends.
    pub(crate) fn accept(listener: &TcpListener, limiter: &SessionLimiter) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        // Who ends the server either sees this listener or is seen here.
        if limiter.is_shutting_down() {
            return Ok(None);
        }
        let accepted = again(|| listener.accept());
        if limiter.is_shutting_down() { Ok(None) } else { accepted.map(Some) }
    }

    /// A connection that reads its end when the server ends.
    pub(crate) fn accepted(stream: TcpStream, place: &SessionPermit) -> io::Result<Stream> {
        let socket = Socket::new(stream)?;
        let stream = Arc::downgrade(&socket.stream);
        place.on_shutdown(move || {
            if let Some(stream) = stream.upgrade() {
                // What is closed already has ended.
                let _ = stream.shutdown(Shutdown::Read);
            }
        });
        Ok(Box::new(socket))
    }

    /// Has listeners look whether the server ends.
    pub(crate) fn wake(listening: &[SocketAddr]) {
        for address in listening {
            let mut address = *address;
            if address.ip().is_unspecified() {
                address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { std::net::Ipv6Addr::LOCALHOST.into() });
            }
            // A listener that is gone needs no waking.
            let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
        }
    }

    /// Reads once; `None`: the server ends.
    pub(crate) fn read_unless_stopped(
        stream: &mut Stream,
        space: &mut [u8],
        until: Instant,
        limiter: &SessionLimiter,
    ) -> io::Result<Option<usize>> {
        if limiter.is_shutting_down() {
            return Ok(None);
        }
        match read(stream, space, until)? {
            0 if limiter.is_shutting_down() => Ok(None),
            count => Ok(Some(count)),
        }
    }

    /// What comes before a session: its stream ends when the server does.
    pub(crate) fn unless_stopped<T>(_: &SessionLimiter, done: io::Result<T>) -> io::Result<T> {
        done
    }

    /// A session: if it has to give way, its stream ends.
    pub(crate) fn unless_evicted(_: &Seat, served: io::Result<()>) -> io::Result<()> {
        served
    }

    /// The outcome of a check, unless the time is over.
    pub(crate) fn outcome(pending: Pending, until: Instant, _: &SessionLimiter) -> Result<(), LoginError> {
        pending.wait(Some(until))
    }

    /// Waits until no session is left; false: some are.
    pub(crate) fn wait_emptied(limiter: &SessionLimiter, until: Instant) -> bool {
        limiter.wait_emptied(until)
    }

    /// Here every write may wait.
    pub(crate) fn write_now(_: &mut Stream, _: &[u8]) -> io::Result<Option<usize>> {
        Ok(None)
    }

    /// Here every flush may wait.
    pub(crate) fn flush_now(_: &mut Stream) -> io::Result<bool> {
        Ok(false)
    }

    /// Here every read may wait.
    pub(crate) fn read_now(_: &mut Stream, _: &mut [u8]) -> io::Result<Option<usize>> {
        Ok(None)
    }

    /// Does what may block: here everything may.
    pub(crate) fn blocking<T>(work: impl FnOnce() -> T) -> io::Result<T> {
        Ok(work())
    }

    /// Lets a session run by itself.
    pub(crate) fn spawn(span: Span, session: impl Session) -> io::Result<()> {
        let session = move || span.in_scope(session);
        thread::Builder::new().name("pop3 session".to_owned()).spawn(session).map(drop)
    }

    /// Does nothing for a while.
    pub(crate) fn pause(time: Duration) {
        thread::sleep(time);
    }

    /// The same, or until the server ends.
    pub(crate) fn pause_unless_stopped(time: Duration, limiter: &SessionLimiter) {
        limiter.wait_stopped(later(time));
    }
}
