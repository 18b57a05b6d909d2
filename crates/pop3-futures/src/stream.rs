//! Streams: reads, writes and handshakes that end at a deadline.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use futures_lite::future::or;
use futures_lite::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use futures_rustls::TlsStream;
use pop3_driver::{Endpoint, Io};

use crate::Runtime;

/// A stream in the clear or with TLS.
pub enum Stream<T> {
    Clear(T),
    Tls(Box<TlsStream<Self>>),
    /// In the place of a stream whose handshake failed.
    Closed,
}

impl<T> From<T> for Stream<T> {
    fn from(stream: T) -> Self {
        Self::Clear(stream)
    }
}

pub(crate) const fn closed<T>() -> Stream<T> {
    Stream::Closed
}

/// Calls a method of the stream that there is.
macro_rules! delegate {
    ($stream:ident.$method:ident($($argument:ident),*), $closed:expr) => {
        match &mut *$stream {
            Self::Clear(stream) => Pin::new(stream).$method($($argument),*),
            Self::Tls(stream) => Pin::new(stream).$method($($argument),*),
            Self::Closed => Poll::Ready($closed),
        }
    };
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, space: &mut [u8]) -> Poll<io::Result<usize>> {
        delegate!(self.poll_read(context, space), Ok(0))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        delegate!(self.poll_write(context, bytes), Err(io::ErrorKind::BrokenPipe.into()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.poll_flush(context), Ok(()))
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        delegate!(self.poll_close(context), Ok(()))
    }
}

/// Does `work` before the deadline, or fails with [`io::ErrorKind::TimedOut`].
pub(crate) async fn before<R: Runtime, T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let left = deadline.saturating_duration_since(Instant::now());
    // Work that is always ready would never be interrupted (H35).
    if left.is_zero() {
        return Err(io::ErrorKind::TimedOut.into());
    }
    let timed_out = async {
        R::sleep(left).await;
        Err(io::ErrorKind::TimedOut.into())
    };
    or(work, timed_out).await
}

/// Performs an action of one end of the connection on the stream.
pub(crate) async fn perform<R: Runtime>(stream: &mut Stream<R::Stream>, end: &mut impl Endpoint, io: Io) -> io::Result<()> {
    match io {
        Io::Read(deadline) => {
            let count = match before::<R, _>(deadline, stream.read(end.unfilled())).await {
                // A TLS stream without a closure alert and a connection that is reset have ended, too: the session knows whether it may
                // end there (H13, Q08).
                Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => 0,
                read => read?,
            };
            end.advance_read(count);
        }
        Io::Write(deadline) => match before::<R, _>(deadline, stream.write(end.output())).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => end.advance_written(count, Instant::now()),
        },
        Io::Flush(deadline) => {
            before::<R, _>(deadline, stream.flush()).await?;
            end.flushed();
        }
    }
    Ok(())
}
