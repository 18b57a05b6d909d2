//! What the tests need of tokio: streams, a peer on loopback, tasks. All else is the same for every driver.
#![allow(dead_code)] // Not every test needs all of it.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pop3_contract::Feed;
use pop3_tokio::rustls::{ClientConfig, pki_types::ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
pub use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
pub use tokio_rustls::client::TlsStream;

/// A stream over a feed.
pub struct Stream(pub Feed);

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let mut space = vec![0; buf.remaining()];
        let count = self.0.read(&mut space)?;
        buf.put_slice(&space[..count]);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(self.0.write(buf)))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub trait Duplex: AsyncRead + AsyncWrite + Unpin {}

impl<T: AsyncRead + AsyncWrite + Unpin> Duplex for T {}

/// A listener on a free port.
pub async fn listen() -> (TcpListener, SocketAddr) {
    pop3_contract::limit_test();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub async fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().await.unwrap().0
}

pub async fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub async fn handshake(config: &Arc<ClientConfig>, stream: TcpStream) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await.unwrap()
}

pub async fn write(stream: &mut impl Duplex, bytes: &[u8]) {
    stream.write_all(bytes).await.unwrap();
    stream.flush().await.unwrap();
}

pub async fn read(stream: &mut impl Duplex, space: &mut [u8]) -> io::Result<usize> {
    stream.read(space).await
}

/// The next line.
pub async fn heard(stream: &mut impl Duplex) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).await.unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

/// Says a line, and hears one.
pub async fn say(stream: &mut impl Duplex, line: &str) -> String {
    write(stream, format!("{line}\r\n").as_bytes()).await;
    heard(stream).await
}

/// Something that runs beside the test.
pub struct Task<T>(tokio::task::JoinHandle<T>);

impl<T> Task<T> {
    pub async fn result(self) -> T {
        self.0.await.unwrap()
    }
}

pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> Task<T> {
    Task(tokio::spawn(work))
}

/// A connection that gives little at a time, and now and then nothing yet.
pub struct Moody {
    stream: TcpStream,
    mood: u64,
}

impl Moody {
    pub fn new(stream: TcpStream, mood: u64) -> Self {
        Self { stream, mood }
    }

    /// How much now; `None`: nothing yet.
    fn much(&mut self, context: &Context<'_>) -> Option<usize> {
        self.mood ^= self.mood << 13;
        self.mood ^= self.mood >> 7;
        self.mood ^= self.mood << 17;
        if self.mood & 3 == 0 {
            context.waker().wake_by_ref();
            return None;
        }
        Some(1 + (self.mood >> 32) as usize % 300)
    }
}

impl AsyncRead for Moody {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let Some(much) = self.much(context) else { return Poll::Pending };
        let mut space = vec![0; much.min(buf.remaining())];
        let mut some = ReadBuf::new(&mut space);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(context, &mut some))?;
        buf.put_slice(some.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Moody {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Some(much) = self.much(context) else { return Poll::Pending };
        Pin::new(&mut self.stream).poll_write(context, &bytes[..much.min(bytes.len())])
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.much(context) {
            Some(_) => Pin::new(&mut self.stream).poll_flush(context),
            None => Poll::Pending,
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// Does what blocks.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work).await.unwrap()
}

/// Says this to a peer that may have left.
pub async fn try_write(stream: &mut impl Duplex, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes).await?;
    stream.flush().await
}

/// A connection of which only so much is read: then it ends, or nothing comes any more.
pub struct Short {
    pub stream: TcpStream,
    pub left: usize,
    pub ends: bool,
}

impl AsyncRead for Short {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.left == 0 {
            return if self.ends { Poll::Ready(Ok(())) } else { Poll::Pending };
        }
        let mut space = vec![0; self.left.min(buf.remaining())];
        let mut some = ReadBuf::new(&mut space);
        std::task::ready!(Pin::new(&mut self.stream).poll_read(context, &mut some))?;
        self.left -= some.filled().len();
        buf.put_slice(some.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Short {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
