//! A POP3 client and server over async-std, with TLS: [`pop3_futures`] on this runtime.
//!
//! ```no_run
//! use pop3_async_std::{Client, ClientOptions, Error, Security};
//!
//! #[async_std::main]
//! async fn main() -> Result<(), Error> {
//!     let mut client = Client::connect("pop.example.org", 995, &ClientOptions::new(Security::tls()?)).await?;
//!     client.login("joe", "secret").await?;
//!     for message in client.uidl().await? {
//!         let text = client.retr(message.number).await?.into_vec().await?;
//!         println!("{} has {} octets", message.number, text.len());
//!     }
//!     client.quit().await
//! }
//! ```
//!
//! async-std is discontinued; new programs are better off with `pop3-tokio`, or with `pop3-futures` on smol. The names are the same.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::time::Duration;

use async_std::net::{TcpStream, ToSocketAddrs};
use futures_lite::io::{AsyncRead, AsyncWrite};
use pop3_futures::Runtime;
#[cfg(feature = "server")]
use {async_std::net::TcpListener, pop3_futures::ServerRuntime};

#[cfg(feature = "native-tls")]
pub use pop3_futures::native_tls;
#[cfg(feature = "rustls")]
pub use pop3_futures::rustls;
#[cfg(feature = "server")]
pub use pop3_futures::{AsyncMode, BlockingMode, maildrop};
pub use pop3_futures::{ClientOptions, Error, Proxy, ProxyHandshake, ProxyIo, ProxyKind, Security, proto, tls};
#[cfg(feature = "server")]
pub use pop3_futures::{IpNet, ListenSecurity, ObservedSession, ProxyHeader, ServerOptions, SessionObservers};

/// A session with a POP3 server; see [`pop3_futures::Client`].
pub type Client = pop3_futures::Client<AsyncStd>;

/// A message that is being received; see [`pop3_futures::Message`].
pub type Message<'c> = pop3_futures::Message<'c, AsyncStd>;

/// A message as a stream of octets; see [`pop3_futures::MessageReader`].
pub type MessageReader<C> = pop3_futures::MessageReader<C, AsyncStd>;

/// Serves a store; see [`pop3_futures::Server`].
///
/// ```no_run
/// use std::sync::Arc;
/// use async_std::net::TcpListener;
/// use pop3_async_std::{ListenSecurity, Server, ServerOptions, maildrop::Memory, tls};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let certificate = tls::server(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
/// let server = Arc::new(Server::new(ServerOptions::with_tls(certificate), store));
/// server.serve(&TcpListener::bind("127.0.0.1:1100").await?, ListenSecurity::Cleartext).await?;
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "server")]
pub type Server<S, M = BlockingMode> = pop3_futures::Server<AsyncStd, S, M>;

/// A session of a server, on the low level; see [`pop3_futures::Session`].
#[cfg(feature = "server")]
pub type Session = pop3_futures::Session<AsyncStd>;

/// A stream that a session can run over.
pub trait Transport: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + ?Sized> Transport for T {}

/// The runtime async-std.
#[derive(Clone, Copy, Debug)]
pub struct AsyncStd;

impl Runtime for AsyncStd {
    type TcpStream = TcpStream;
    type Stream = Box<dyn Transport>;
    type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

    fn sleep(time: Duration) -> Self::Sleep {
        Box::pin(async_std::task::sleep(time))
    }

    async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        Ok((host, port).to_socket_addrs().await?.collect())
    }

    async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
        TcpStream::connect(address).await
    }

    fn stream(connection: TcpStream) -> io::Result<Box<dyn Transport>> {
        connection.set_nodelay(true)?;
        Ok(Box::new(connection))
    }
}

#[cfg(feature = "server")]
impl ServerRuntime for AsyncStd {
    type TcpListener = TcpListener;

    async fn accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
        listener.accept().await
    }

    fn peer_address(connection: &TcpStream) -> io::Result<SocketAddr> {
        connection.peer_addr()
    }

    fn spawn(session: impl Future<Output = ()> + Send + 'static) {
        async_std::task::spawn(session);
    }

    async fn spawn_blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
        Ok(async_std::task::spawn_blocking(work).await)
    }
}

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
