//! A POP3 client and server over the traits of futures-io, for any runtime: smol, async-std, glommio (the client), or one of your own. A
//! runtime is a type that implements [`Runtime`]: a timer, and TCP connections.
//!
//! ```no_run
//! use std::io;
//! use std::net::SocketAddr;
//! use std::pin::Pin;
//! use std::time::Duration;
//!
//! use pop3_futures::{Client, ClientOptions, Error, Runtime, Security};
//! use smol::net::TcpStream;
//!
//! struct Smol;
//!
//! impl Runtime for Smol {
//!     type TcpStream = TcpStream;
//!     type Stream = TcpStream;
//!     type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;
//!
//!     fn sleep(time: Duration) -> Self::Sleep {
//!         Box::pin(async move {
//!             smol::Timer::after(time).await;
//!         })
//!     }
//!
//!     async fn resolve(host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
//!         smol::net::resolve((host, port)).await
//!     }
//!
//!     async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
//!         TcpStream::connect(address).await
//!     }
//!
//!     fn stream(connection: TcpStream) -> io::Result<TcpStream> {
//!         connection.set_nodelay(true)?;
//!         Ok(connection)
//!     }
//! }
//!
//! fn main() -> Result<(), Error> {
//!     smol::block_on(async {
//!         let options = ClientOptions::new(Security::tls()?);
//!         let mut client = Client::<Smol>::connect("pop.example.org", 995, &options).await?;
//!         client.login("joe", "secret").await?;
//!         println!("{} messages", client.stat().await?.messages);
//!         client.quit().await
//!     })
//! }
//! ```
//!
//! [`Client`] has a method for every command, and two for the low level: [`send`](Client::send) and
//! [`next_event`](Client::next_event). [`Server`] serves any [`Store`](pop3_driver::store::Store) on a [`ServerRuntime`], each session in a
//! task of its own. In a raw [`Session`] the caller answers. The other drivers have the same names.

mod client;
#[cfg(feature = "server")]
mod mode;
mod runtime;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod server_stream;
#[cfg(feature = "server")]
mod session;
mod stream;

pub use client::{Client, Message, MessageReader};
#[cfg(feature = "server")]
pub use mode::Mode;
#[cfg(feature = "native-tls")]
pub use pop3_driver::native_tls;
#[cfg(feature = "rustls")]
pub use pop3_driver::rustls;
#[cfg(feature = "server")]
pub use pop3_driver::server::{AsyncMode, BlockingMode, ServerStatistics};
#[cfg(feature = "server")]
pub use pop3_driver::store as maildrop;
pub use pop3_driver::{ClientOptions, Error, Proxy, ProxyHandshake, ProxyIo, ProxyKind, Security, proto, tls};
#[cfg(feature = "server")]
pub use pop3_driver::{IpNet, ListenSecurity, ObservedSession, ProxyHeader, ServerOptions, SessionObservers};
pub use runtime::Runtime;
#[cfg(feature = "server")]
pub use runtime::ServerRuntime;
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "server")]
pub use session::Session;

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
