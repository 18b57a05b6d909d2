//! Reads and writes that end at a deadline.

use std::io;
use std::time::Instant;

use futures_lite::future::or;
use futures_lite::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use pop3_driver::{Endpoint, Io};

use crate::Runtime;

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
pub(crate) async fn perform<R: Runtime>(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    end: &mut impl Endpoint,
    io: Io,
) -> io::Result<()> {
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
