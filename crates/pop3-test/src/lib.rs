//! A POP3 server for the tests of your software. It listens on a free port of this machine, runs in threads of its own, and ends when
//! it is dropped.
//!
//! ```
//! use pop3_test::{Fault, Server};
//!
//! // One message for the user `joe` with the password `secret`; the second retrieval breaks off after 30 octets.
//! let server = Server::builder()
//!     .user("joe", "secret", [&b"Subject: hello\r\n\r\nHello, world.\r\n"[..]])
//!     .fault(Fault::on("RETR").nth(2).cut_after(30))
//!     .start()?;
//!
//! // Your software connects to 127.0.0.1 and `server.port()`. Here it is the client of this project.
//! use pop3_blocking::proto::codec::MessageNumber;
//! use pop3_blocking::{Client, ClientOptions, Security};
//! let options = ClientOptions::new(Security::DangerousCleartext);
//! let mut client = Client::connect("127.0.0.1", server.port(), &options)?;
//! client.login("joe", "secret")?;
//! assert_eq!(client.retr(MessageNumber::FIRST)?.into_vec()?, b"Subject: hello\r\n\r\nHello, world.\r\n");
//! assert!(client.retr(MessageNumber::FIRST)?.into_vec().is_err());
//!
//! assert_eq!(server.commands(), ["CAPA", "USER joe", "PASS secret", "RETR 1", "RETR 1"]);
//! assert!(server.deleted("joe").is_empty());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! With [`Builder::tls`] the server has a certificate of its own, which [`Server::certificate`] returns in PEM; with
//! [`Builder::stls`] it offers `STLS` on its port in the clear. With the feature `tokio`, `Server::connect` returns a connection in memory,
//! on a clock that a test may stop.

mod builder;
mod dialogue;
mod fault;
#[cfg(feature = "tokio")]
mod memory_stream;
mod server;
mod shared;
mod store;
mod stream;
mod tls;

pub use builder::Builder;
pub use fault::{Fault, Trigger};
pub use server::Server;
pub use tls::TlsFault;

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
