//! Streams: reads and writes that end at a deadline.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_driver::{Endpoint, Io};

/// A stream that a session can run over.
pub trait Transport: Read + Write + Send {
    /// Sets the moment from which on reads and writes fail with [`io::ErrorKind::TimedOut`].
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

    /// Returns a function that breaks the connection from another thread; `None` if this stream has none.
    fn canceller(&self) -> Option<Canceller> {
        None
    }
}

/// A function that ends the calls of a client from another thread; see [`Client::canceller`](crate::Client::canceller).
pub type Canceller = Box<dyn Fn() + Send + Sync>;

pub(crate) type Stream = Box<dyn Transport>;

/// A stream that is closed has no deadline.
impl Transport for io::Empty {
    fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
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
    /// Makes a stream of a connection, without a delay before small writes (`TCP_NODELAY`).
    ///
    /// # Errors
    /// The operating system refuses.
    pub fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        Ok(Self { stream: Arc::new(stream), deadline: None })
    }

    /// Returns a function that shuts this connection down, as long as it is open.
    pub(crate) fn interrupter(&self, how: Shutdown) -> impl Fn() + Send + Sync + 'static {
        let stream = Arc::downgrade(&self.stream);
        // A connection that is closed already needs no shutdown.
        move || drop(stream.upgrade().map(|stream| stream.shutdown(how)))
    }

    fn time_left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        if left == Some(Duration::ZERO) { Err(io::ErrorKind::TimedOut.into()) } else { Ok(left) }
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

    fn canceller(&self) -> Option<Canceller> {
        Some(Box::new(self.interrupter(Shutdown::Both)))
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(self.time_left()?)?;
        (&*self.stream).read(buf).map_err(timed_out)
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(self.time_left()?)?;
        (&*self.stream).write(buf).map_err(timed_out)
    }

    fn flush(&mut self) -> io::Result<()> {
        (&*self.stream).flush()
    }
}

/// Unix reports the time-out of a socket as `WouldBlock`.
fn timed_out(error: io::Error) -> io::Error {
    if error.kind() == io::ErrorKind::WouldBlock { io::ErrorKind::TimedOut.into() } else { error }
}

/// Performs an action of one end of the connection on the stream. After an interrupted call the end requests the action again.
pub(crate) fn perform(stream: &mut Stream, end: &mut impl Endpoint, io: Io) -> io::Result<()> {
    let (Io::Read(deadline) | Io::Write(deadline) | Io::Flush(deadline)) = io;
    stream.set_deadline(deadline)?;
    let done = match io {
        Io::Read(_) => stream.read(end.unfilled()).map(|count| end.advance_read(count)),
        Io::Write(_) => match stream.write(end.output()) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            written => written.map(|count| end.advance_written(count, Instant::now())),
        },
        Io::Flush(_) => stream.flush().map(|()| end.flushed()),
    };
    match done.map_err(|error| (error.kind(), error)) {
        Err((io::ErrorKind::Interrupted, _)) => Ok(()),
        // A TLS stream without a closure alert and a connection that is reset have ended, too: the session knows whether it may end there
        // (H13, Q08).
        Err((io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset, _)) if matches!(io, Io::Read(_)) => {
            end.advance_read(0);
            Ok(())
        }
        Err((io::ErrorKind::WouldBlock, _)) => {
            Err(io::Error::other("the stream is non-blocking, and this driver needs one that blocks"))
        }
        done => done.map_err(|(_, error)| error),
    }
}
