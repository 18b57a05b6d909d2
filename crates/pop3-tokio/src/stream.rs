//! Streams: reads, writes and handshakes that end at a deadline.

use std::io;
use std::time::Instant;

use pop3_driver::{Endpoint, Io};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout_at;

/// A stream that a session can run over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + ?Sized> Transport for T {}

pub(crate) type Stream = Box<dyn Transport>;

/// Returns the time of tokio's clock, which tests may stop.
pub(crate) fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}

/// Does `work` before the deadline, or fails with [`io::ErrorKind::TimedOut`].
pub(crate) async fn before<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    // Work that is always ready would never be interrupted (H35).
    if now() >= deadline {
        return Err(io::ErrorKind::TimedOut.into());
    }
    timeout_at(deadline.into(), work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Makes a stream of a connection, without a delay before small writes (`TCP_NODELAY`).
pub(crate) fn tcp(stream: TcpStream) -> io::Result<Stream> {
    stream.set_nodelay(true)?;
    Ok(Box::new(stream))
}

/// Performs an action of one end of the connection on the stream.
pub(crate) async fn perform(stream: &mut Stream, end: &mut impl Endpoint, io: Io) -> io::Result<()> {
    match io {
        Io::Read(deadline) => {
            let count = match before(deadline, stream.read(end.unfilled())).await {
                // A TLS stream without a closure alert and a connection that is reset have ended, too: the session knows whether it may
                // end there (H13, Q08).
                Err(error) if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset) => 0,
                read => read?,
            };
            end.advance_read(count);
        }
        Io::Write(deadline) => match before(deadline, stream.write(end.output())).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            count => end.advance_written(count, now()),
        },
        Io::Flush(deadline) => {
            before(deadline, stream.flush()).await?;
            end.flushed();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::Pin;
    use std::task::{Context, Poll};
    use std::time::Duration;
    use tokio::io::ReadBuf;

    /// A stream whose reads fail like this.
    struct Failing(io::ErrorKind);

    impl AsyncRead for Failing {
        fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Err(self.0.into()))
        }
    }

    impl AsyncWrite for Failing {
        fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, _: &[u8]) -> Poll<io::Result<usize>> {
            Poll::Ready(Err(self.0.into()))
        }

        fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    /// An end that reads only the end of the stream.
    struct End;

    impl Endpoint for End {
        fn output(&self) -> &[u8] {
            b""
        }

        fn advance_written(&mut self, _: usize, _: Instant) {}

        fn flushed(&mut self) {}

        fn unfilled(&mut self) -> &mut [u8] {
            &mut []
        }

        fn advance_read(&mut self, count: usize) {
            assert_eq!(count, 0);
        }
    }

    #[tokio::test]
    async fn h13_q08_a_reset_is_an_end_and_no_other_error_is() {
        for (kind, is_end) in [
            (io::ErrorKind::UnexpectedEof, true),
            (io::ErrorKind::ConnectionReset, true),
            (io::ErrorKind::BrokenPipe, false),
            (io::ErrorKind::TimedOut, false),
        ] {
            let mut stream: Stream = Box::new(Failing(kind));
            let read = perform(&mut stream, &mut End, Io::Read(now() + Duration::from_secs(60))).await;
            assert_eq!(read.is_ok(), is_end, "{kind}");
        }
    }
}
