//! A POP3 client and server over `std::net`, with TLS.
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
//! [`Client`] has a method for every command, and two for the raw level: [`send`](Client::send) and
//! [`event`](Client::event). [`Server`] serves any [`Store`](pop3_maildrop::Store), a thread a session. In a raw [`Session`] the
//! caller answers. Its twin for tokio has the same names: whatever is said here holds there.

mod client;
mod connect;
mod message;
mod proxy_handshake;
mod runtime;
#[cfg(feature = "server")]
mod server;
#[cfg(feature = "server")]
mod serving;
#[cfg(feature = "server")]
mod session;

pub use client::Client;
pub use message::Message;
pub use pop3_driver::{
    ClientOptions, Error, IpNet, ListenSecurity, Proxy, ProxyKind, Security, ServerOptions, proto, rustls, tls,
};
#[cfg(feature = "server")]
pub use pop3_maildrop as maildrop;
pub use runtime::{Socket, Transport};
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "server")]
pub use session::Session;
