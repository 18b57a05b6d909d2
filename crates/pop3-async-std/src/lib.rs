//! A POP3 client and server over async-std, with TLS.
//!
//! ```no_run
//! use pop3_async_std::{Client, ClientOptions, Error, Security};
//!
//! # async fn example() -> Result<(), Error> {
//! let mut client = Client::connect("pop.example.org", 995, &ClientOptions::new(Security::tls()?)).await?;
//! client.login("joe", "secret").await?;
//! for message in client.uidl().await? {
//!     let text = client.retr(message.number).await?.into_vec().await?;
//!     println!("{} has {} octets", message.number, text.len());
//! }
//! client.quit().await
//! # }
//! ```
//!
//! [`Client`] has a method for every command, and two for the raw level: [`send`](Client::send) and
//! [`event`](Client::event). A future that is dropped leaves the session consistent: what still comes for it is passed over by
//! the next call. [`Server`] serves any [`Store`](pop3_maildrop::Store), a task a session. In a raw [`Session`] the
//! caller answers. Its twins for tokio and without a runtime have the same names: whatever is said there holds here.
//!
//! async-std is no longer maintained, and what is its own here is one small file. A [`Client`] and a session of a [`Server`] run over
//! any stream of [`futures-io`](futures_lite::io) and under any executor: `examples/smol.rs` is a client for smol.

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
