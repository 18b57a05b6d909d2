//! A POP3 client and server over blocking streams, with TLS. No runtime.
//!
//! ```no_run
//! use pop3_blocking::{Client, ClientOptions, Error, Security};
//!
//! fn main() -> Result<(), Error> {
//!     let mut client = Client::connect("pop.example.org", 995, &ClientOptions::new(Security::tls()?))?;
//!     client.login("joe", "secret")?;
//!     for message in client.uidl()? {
//!         let text = client.retr(message.number)?.into_vec()?;
//!         println!("{} has {} octets", message.number, text.len());
//!     }
//!     client.quit()
//! }
//! ```
//!
//! [`Client`] has a method for every command, and two for the low level: [`send`](Client::send) and
//! [`next_event`](Client::next_event). [`Server`] serves any [`Store`](pop3_maildrop::Store), each session in a thread of its own. In a raw
//! [`Session`] the caller answers. The drivers for runtimes have the same names.

mod client;
#[cfg(feature = "server")]
mod mode;
#[cfg(feature = "rustls")]
mod rustls_stream;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod session;
mod stream;

pub use client::{Client, Message, MessageReader};
#[cfg(feature = "native-tls")]
pub use pop3_driver::native_tls;
#[cfg(feature = "rustls")]
pub use pop3_driver::rustls;
#[cfg(feature = "server")]
pub use pop3_driver::server::ServerStatistics;
pub use pop3_driver::{ClientOptions, Error, Proxy, ProxyHandshake, ProxyIo, ProxyKind, Security, proto, tls};
#[cfg(feature = "server")]
pub use pop3_driver::{IpNet, ListenSecurity, ObservedSession, ProxyHeader, ServerOptions, SessionObservers};
#[cfg(feature = "server")]
pub use pop3_maildrop as maildrop;
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "server")]
pub use session::Session;
pub use stream::{Canceller, Socket, Transport};

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
