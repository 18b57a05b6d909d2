//! POP3 without I/O: bytes in, events out. No sockets, no clock, no runtime, no `std`.
//!
//! A client and a server, connected in memory:
//!
//! ```
//! use pop3_proto::client::{self, ClientConfig, RequestError, requests};
//! use pop3_proto::codec::{MessageNumber, Password, UniqueId, Username};
//! use pop3_proto::server::{self, Action, ConnectionInfo, Question, ServerConfig, Snapshot};
//! use pop3_proto::Transport;
//!
//! /// The server, as the client's stream: what the client writes, the server reads.
//! struct Far(server::Connection);
//!
//! impl Transport for Far {
//!     type Error = RequestError;
//!
//!     fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
//!         self.0.unfilled()[..bytes.len()].copy_from_slice(bytes);
//!         self.0.advance_read(bytes.len());
//!         Ok(bytes.len())
//!     }
//!
//!     fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
//!         while let Action::Answer(question) = self.0.next_action() {
//!             answer(&mut self.0, question).expect("the session has asked");
//!         }
//!         let count = self.0.output().len();
//!         buffer[..count].copy_from_slice(self.0.output());
//!         self.0.advance_written(count);
//!         Ok(count)
//!     }
//! }
//!
//! /// What an application answers.
//! fn answer(session: &mut server::Connection, question: Question) -> Result<(), server::LocalError> {
//!     match question {
//!         Question::Authenticate(_login) => {
//!             let mut snapshot = Snapshot::default();
//!             snapshot.push(7, UniqueId::new("first").unwrap()).unwrap();
//!             session.answer().accept(snapshot)
//!         }
//!         Question::Retrieve { .. } => {
//!             session.answer().begin_message()?;
//!             session.answer().body(b"hello\n")?;
//!             session.answer().end_message()
//!         }
//!         _ => session.answer().finish_commit(0),
//!     }
//! }
//!
//! let tls = ConnectionInfo { encrypted: true, ..ConnectionInfo::default() };
//! let mut far = Far(server::Connection::new(ServerConfig::default().into(), tls));
//! let mut client = client::Connection::new_encrypted(ClientConfig::default());
//! client.run(&mut far, requests::greet())?;
//! client.run(&mut far, requests::user_pass(Username::new("joe")?, Password::new("secret")?))?;
//! assert_eq!(client.run(&mut far, requests::stat())?.messages, 1);
//! let body = client.run(&mut far, requests::retr(MessageNumber::FIRST))?;
//! while client.drive(&mut far, |client| client.next_chunk(body))? {
//!     print!("{}", String::from_utf8_lossy(client.chunk()));
//! }
//! client.run(&mut far, requests::quit())?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What you can rely on
//!
//! - **The caller owns the bytes.** A machine reports how many it has consumed and borrows events from them. It allocates nothing
//!   because of a size that a peer announces. A `Connection` adds two buffers for callers that want them.
//! - **No event is lost or repeated** however input is split; only body chunks differ.
//! - **Errors of the peer are final** (`RemoteError`): the machine returns the same error from then on. **Errors of the caller change
//!   nothing** (`LocalError`).
//! - **Nothing that a peer sends can cause a panic**, and no argument with CR, LF or NUL in it can be constructed.
//! - **No secret is shown** by `Debug` or `Display` of anything in this crate.
//!
//! # Modules
//!
//! [`codec`] turns bytes into values and back. [`client`] has the machine and requests over it; [`server`] has the session over a
//! snapshot of the maildrop. Each has a `Connection` that adds the buffers. [`sasl`] has the mechanisms, both sides of each. [`State`]
//! is the table of what is allowed when, and of what leads from one state to the next.

#![no_std]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod cleartext_login;
pub mod client;
pub mod codec;
mod read_buffer;
pub mod sasl;
mod secret;
pub mod server;
mod state;
mod transcript;
mod transport;

pub use secret::Secret;
pub use state::State;
pub use transcript::Transcript;
pub use transport::Transport;

/// How many bytes of the input were consumed, and what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<E> {
    /// The number of bytes to drop from the beginning of the input.
    pub consumed: usize,
    /// What happened.
    pub event: E,
}

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
