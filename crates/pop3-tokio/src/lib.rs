//! A POP3 client and server over tokio, with TLS.
//!
//! ```no_run
//! use pop3_tokio::{Client, ClientOptions, Error, Security};
//!
//! #[tokio::main(flavor = "current_thread")]
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
//! [`Client`] has a method for every command, and two for the raw level: [`send`](Client::send) and
//! [`event`](Client::event). A future that is dropped leaves the session consistent: what still comes for it is passed over by
//! the next call. [`Server`] serves any [`Store`](pop3_maildrop::Store), a task a session. In a raw [`Session`] the
//! caller answers. Its twin without a runtime has the same names: whatever is said there holds here.

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
pub use runtime::Transport;
#[cfg(feature = "server")]
pub use server::Server;
#[cfg(feature = "server")]
pub use session::Session;
