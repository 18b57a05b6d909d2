//! What is async-std's own: TCP, deadlines, tasks. All else is the same in every driver.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_std::future::timeout;
use async_std::net::ToSocketAddrs;
use futures_lite::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures_rustls::TlsConnector;
use pop3_driver::proto::sasl::ChannelBinding;
use pop3_driver::rustls::{self, pki_types::ServerName};
use pop3_driver::tls;

#[cfg(feature = "server")]
pub(crate) use async_std::net::TcpListener;
pub(crate) use async_std::net::TcpStream;
pub(crate) use futures_lite::io::AsyncWrite as Sink;
#[cfg(feature = "server")]
pub(crate) use server::{
    accept, accept_tls, accepted, blocking, flush_now, outcome, pause, pause_unless_stopped, read_now, read_unless_stopped,
    spawn, unless_evicted, unless_stopped, wait_emptied, wake, write_now,
};
pub(crate) use std::time::Instant;

/// A stream that a session can run over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + ?Sized> Transport for T {}

/// Any stream.
pub(crate) type Stream = Box<dyn Transport>;

/// So much later than now; what is beyond all clocks is a day.
pub(crate) fn later(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(24 * 3600))
}

/// Does `work` before `until`, or gives [`io::ErrorKind::TimedOut`].
async fn by<T>(until: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let left = until.saturating_duration_since(Instant::now());
    // Work that is always ready at once would never be asked for the time (H35).
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    timeout(left, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The addresses of a host.
pub(crate) async fn addresses(host: &str, port: u16, until: Instant) -> io::Result<Vec<SocketAddr>> {
    by(until, async { Ok((host, port).to_socket_addrs().await?.collect()) }).await
}

/// A connection to one address.
pub(crate) async fn connect(address: SocketAddr, until: Instant) -> io::Result<Stream> {
    stream(by(until, TcpStream::connect(address)).await?)
}

/// A connection on which nothing that is written waits for the acknowledgement of what was written before.
pub(crate) fn stream(stream: TcpStream) -> io::Result<Stream> {
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// A stream that is closed.
pub(crate) fn closed() -> Stream {
    Box::new(futures_lite::io::Cursor::new(Vec::new()))
}

/// Reads once. The end of a TLS stream without its farewell, or of a connection with a reset, is the end all the same: the session
/// knows whether it may end there (H13, Q08).
pub(crate) async fn read(stream: &mut Stream, space: &mut [u8], until: Instant) -> io::Result<usize> {
    match by(until, stream.read(space)).await {
        Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Ok(0),
        result => result,
    }
}

/// Writes once.
pub(crate) async fn write(stream: &mut Stream, bytes: &[u8], until: Instant) -> io::Result<usize> {
    match by(until, stream.write(bytes)).await? {
        0 => Err(io::ErrorKind::WriteZero.into()),
        count => Ok(count),
    }
}

/// Has what was written go out.
pub(crate) async fn flush(stream: &mut Stream, until: Instant) -> io::Result<()> {
    by(until, stream.flush()).await
}

/// Tells the peer that nothing more will be written.
pub(crate) async fn close(stream: &mut Stream, until: Instant) -> io::Result<()> {
    by(until, stream.close()).await
}

/// Writes all of it to what a message goes to.
pub(crate) async fn write_all(sink: &mut (impl Sink + Unpin), bytes: &[u8]) -> io::Result<()> {
    sink.write_all(bytes).await
}

/// TLS as a client, the handshake done, and what a login can be bound to.
pub(crate) async fn connect_tls(
    stream: Stream,
    config: &Arc<rustls::ClientConfig>,
    name: ServerName<'static>,
    until: Instant,
) -> io::Result<(Stream, ChannelBinding)> {
    let stream = by(until, TlsConnector::from(Arc::clone(config)).connect(name, stream)).await?;
    let binding = tls::client_binding(stream.get_ref().1);
    Ok((Box::new(stream), binding))
}

#[cfg(feature = "server")]
mod server {
    use futures_lite::future::or;
    use futures_rustls::TlsAcceptor;
    use pop3_driver::proto::server::ConnectionInfo;
    use pop3_driver::tls::{ServerTls, TlsFailure};
    use pop3_driver::{Seat, SessionLimiter, SessionPermit};
    use pop3_maildrop::{LoginError, Pending};
    use std::pin::Pin;
    use std::task::{Context, Poll, Waker};
    use tracing::{Instrument, Span};

    use super::*;

    /// What runs by itself.
    pub(crate) trait Session: Future<Output = ()> + Send + 'static {}

    impl<F: Future<Output = ()> + Send + 'static> Session for F {}

    /// TLS as a server, the handshake done, and what is known of the connection.
    pub(crate) async fn accept_tls(stream: Stream, tls: &ServerTls, until: Instant) -> io::Result<(Stream, ConnectionInfo)> {
        // In a box: the state of a handshake is large, and most of its life a session has none.
        let accepted = Box::pin(by(until, TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream))).await;
        let stream = accepted.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => error,
            _ => TlsFailure::of_client(&error),
        })?;
        let channel = tls::connection_info(stream.get_ref().1, tls)?;
        Ok((Box::new(stream), channel))
    }

    /// The next connection; `None`: the server ends.
    pub(crate) async fn accept(listener: &TcpListener, limiter: &SessionLimiter) -> io::Result<Option<(TcpStream, SocketAddr)>> {
        let stopped = async {
            limiter.shutdown_begun().await;
            Ok(None)
        };
        or(stopped, async { listener.accept().await.map(Some) }).await
    }

    /// A connection that is waited for together with the end of the server.
    pub(crate) fn accepted(connection: TcpStream, _: &SessionPermit) -> io::Result<Stream> {
        stream(connection)
    }

    /// Listeners here wake by themselves.
    pub(crate) async fn wake(_: &[SocketAddr]) {}

    /// Reads once; `None`: the server ends.
    pub(crate) async fn read_unless_stopped(
        stream: &mut Stream,
        space: &mut [u8],
        until: Instant,
        limiter: &SessionLimiter,
    ) -> io::Result<Option<usize>> {
        let stopped = async {
            limiter.shutdown_begun().await;
            Ok(None)
        };
        or(stopped, async { read(stream, space, until).await.map(Some) }).await
    }

    /// What comes before a session, unless the server ends meanwhile.
    pub(crate) async fn unless_stopped<T>(limiter: &SessionLimiter, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let stopped = async {
            limiter.shutdown_begun().await;
            Err(io::ErrorKind::ConnectionAborted.into())
        };
        or(stopped, work).await
    }

    /// A session, unless it has to give way to another one before its client has logged in.
    pub(crate) async fn unless_evicted(seat: &Seat, session: impl Future<Output = io::Result<()>>) -> io::Result<()> {
        let evicted = async {
            seat.evicted().await;
            Err(io::Error::other("the session gave way to another one"))
        };
        or(evicted, session).await
    }

    /// The outcome of a check, unless the server ends or the time is over.
    pub(crate) async fn outcome(pending: Pending, until: Instant, limiter: &SessionLimiter) -> Result<(), LoginError> {
        let stopped = async {
            limiter.shutdown_begun().await;
            Err(LoginError::Io(io::ErrorKind::ConnectionAborted.into()))
        };
        let known = timeout(until.saturating_duration_since(Instant::now()), pending.outcome());
        or(stopped, async { known.await.unwrap_or_else(|_| Err(LoginError::Io(io::ErrorKind::TimedOut.into()))) }).await
    }

    /// Waits until no session is left; false: some are.
    pub(crate) async fn wait_emptied(limiter: &SessionLimiter, until: Instant) -> bool {
        timeout(until.saturating_duration_since(Instant::now()), limiter.drained()).await.is_ok()
    }

    /// What is ready now; `None`: nothing is. Whoever waits later asks again.
    fn now<T>(ask: impl FnOnce(&mut Context<'_>) -> Poll<io::Result<T>>) -> io::Result<Option<T>> {
        match ask(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result.map(Some),
            Poll::Pending => Ok(None),
        }
    }

    /// Writes once if that needs no wait.
    pub(crate) fn write_now(stream: &mut Stream, bytes: &[u8]) -> io::Result<Option<usize>> {
        match now(|context| Pin::new(stream).poll_write(context, bytes))? {
            Some(0) => Err(io::ErrorKind::WriteZero.into()),
            count => Ok(count),
        }
    }

    /// Has what was written go out, as far as that needs no wait; whether all of it went.
    pub(crate) fn flush_now(stream: &mut Stream) -> io::Result<bool> {
        Ok(now(|context| Pin::new(stream).poll_flush(context))?.is_some())
    }

    /// Reads once if that needs no wait. An end of any kind is for [`read`](super::read) to see.
    pub(crate) fn read_now(stream: &mut Stream, space: &mut [u8]) -> io::Result<Option<usize>> {
        match now(|context| Pin::new(stream).poll_read(context, space)) {
            Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => Ok(None),
            read => read,
        }
    }

    /// Does what may block where it stops nobody else.
    pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        let span = Span::current();
        Ok(async_std::task::spawn_blocking(move || span.in_scope(work)).await)
    }

    /// Lets a session run by itself.
    pub(crate) fn spawn(span: Span, session: impl Session) -> io::Result<()> {
        async_std::task::spawn(session.instrument(span));
        Ok(())
    }

    /// Does nothing for a while.
    pub(crate) async fn pause(time: Duration) {
        async_std::task::sleep(time).await;
    }

    /// The same, or until the server ends.
    pub(crate) async fn pause_unless_stopped(time: Duration, limiter: &SessionLimiter) {
        // Whichever it was, there is nothing to be done about it here.
        let _ = unless_stopped(limiter, async {
            pause(time).await;
            Ok(())
        })
        .await;
    }
}
