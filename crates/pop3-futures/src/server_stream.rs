//! The streams of a server: in the clear or with TLS.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_lite::io::{AsyncRead, AsyncWrite};
use futures_rustls::TlsStream;

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
