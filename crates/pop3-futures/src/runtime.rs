//! What a runtime provides.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_lite::io::{AsyncRead, AsyncWrite};

/// A runtime over the traits of futures-io. A client or a server has its runtime as a type parameter and holds no value of it.
///
/// The example `smol_client` of this crate implements it for smol.
pub trait Runtime: 'static {
    /// A TCP connection of the runtime.
    type TcpStream;

    /// The streams of sessions: the caller's, and what [`stream`](Self::stream) makes of TCP connections.
    type Stream: AsyncRead + AsyncWrite + Unpin;

    /// A timer.
    type Sleep: Future<Output = ()>;

    /// Waits for this time.
    fn sleep(time: Duration) -> Self::Sleep;

    /// Returns the addresses of a host.
    fn resolve(host: &str, port: u16) -> impl Future<Output = io::Result<Vec<SocketAddr>>>;

    /// Connects to an address.
    fn connect(address: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>>;

    /// Makes a stream of a connection and sets `TCP_NODELAY`, so that small writes are not delayed.
    ///
    /// # Errors
    /// The operating system refuses.
    fn stream(connection: Self::TcpStream) -> io::Result<Self::Stream>;
}

/// A runtime that a server can run on.
#[cfg(feature = "server")]
pub trait ServerRuntime: Runtime<Stream: Send, Sleep: Send, TcpStream: Send> {
    /// A TCP listener of the runtime.
    type TcpListener;

    /// Accepts a connection, and returns it with the address of its peer.
    fn accept(listener: &Self::TcpListener) -> impl Future<Output = io::Result<(Self::TcpStream, SocketAddr)>>;

    /// Returns the address of the peer of a connection.
    ///
    /// # Errors
    /// The operating system refuses.
    fn peer_address(connection: &Self::TcpStream) -> io::Result<SocketAddr>;

    /// Runs a session by itself.
    fn spawn(session: impl Future<Output = ()> + Send + 'static);

    /// Runs `work`, which may block, where it stops no other session.
    fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static)
    -> impl Future<Output = io::Result<T>> + Send;
}
