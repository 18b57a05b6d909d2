//! Streams of any kind.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::time::{Instant, timeout, timeout_at};

/// A stream that a session can run over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + ?Sized> Transport for T {}

/// Does `work` within `time`, or gives [`io::ErrorKind::TimedOut`].
pub(crate) async fn within<T>(time: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(time, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// Does `work` before `deadline`, or gives [`io::ErrorKind::TimedOut`].
pub(crate) async fn by<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// So much later than now; what is beyond all clocks is a day.
pub(crate) fn later(after: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(24 * 3600))
}

/// Reads once. The end of a TLS stream without its farewell is the end all the same: the session knows whether it may end
/// there (H13).
pub(crate) async fn read(stream: &mut impl Transport, space: &mut [u8]) -> io::Result<usize> {
    match stream.read(space).await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(0),
        result => result,
    }
}
