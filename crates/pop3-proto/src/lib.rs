//! POP3 without I/O: bytes in, events out. No sockets, no clock, no runtime, no `std`.
//!
//! Both ends in memory, from the greeting to the last byte of a message:
//!
//! ```
//! use pop3_proto::client::{self, ClientConfig, RequestError, requests};
//! use pop3_proto::codec::{MessageNumber, Password, UniqueId, Username};
//! use pop3_proto::server::{self, Ask, Channel, ServerConfig, Snapshot};
//!
//! const MESSAGE: &[u8] = b"Subject: hello\n\n.a line that begins with a dot\n";
//!
//! // The server's side: what an application answers. (Under TLS, so that a password may be sent.)
//! fn serve(server: &mut server::Connection) -> Result<(), server::NotAsked> {
//!     while let server::Step::Ask(ask) = server.step() {
//!         match ask {
//!             Ask::Authenticate(_) => {
//!                 let mut snapshot = Snapshot::default();
//!                 snapshot.push(50, UniqueId::new("first").unwrap()).unwrap();
//!                 server.accept(snapshot)?;
//!             }
//!             Ask::Retrieve(_) => {
//!                 server.begin_message()?;
//!                 server.body(MESSAGE)?;
//!                 server.end_message()?;
//!             }
//!             Ask::Commit => server.committed(0)?,
//!             _ => break,
//!         }
//!     }
//!     Ok(())
//! }
//!
//! // In place of two sockets: what one side has written is what the other one reads.
//! fn exchange(client: &mut client::Connection, server: &mut server::Connection) -> Result<(), RequestError> {
//!     let sent = client.output().to_vec();
//!     server.space()[..sent.len()].copy_from_slice(&sent);
//!     server.filled(sent.len());
//!     client.written(sent.len());
//!     serve(server).expect("the session asked");
//!     let sent = server.output().to_vec();
//!     client.space()[..sent.len()].copy_from_slice(&sent);
//!     server.written(sent.len());
//!     Ok(client.filled(sent.len())?)
//! }
//!
//! let mut client = client::Connection::new_encrypted(ClientConfig::default());
//! let mut server = server::Connection::new(ServerConfig::default().into(), Channel { encrypted: true, ..Channel::default() });
//!
//! /// Runs one request: the only loop that a driver needs.
//! macro_rules! run {
//!     ($request:expr) => {{
//!         let mut request = $request;
//!         client.start(&mut request)?;
//!         loop {
//!             match client.run(&mut request)? {
//!                 client::Step::Done(output) => break output,
//!                 client::Step::Read | client::Step::Write => exchange(&mut client, &mut server)?,
//!             }
//!         }
//!     }};
//! }
//!
//! run!(requests::greet());
//! run!(requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap()));
//! assert_eq!(run!(requests::stat()).messages, 1);
//! let body = run!(requests::retr(MessageNumber::FIRST));
//! let mut message = Vec::new();
//! while client.next_chunk(body)? == client::Step::Done(true) {
//!     message.extend_from_slice(client.chunk());
//! }
//! assert_eq!(message, b"Subject: hello\r\n\r\n.a line that begins with a dot\r\n");
//! run!(requests::dele(MessageNumber::FIRST));
//! run!(requests::quit());
//! # Ok::<(), RequestError>(())
//! ```
//!
//! # What to rely on
//!
//! - **The caller owns the bytes.** A machine says how many it is done with and borrows events from them. It allocates nothing
//!   from what a peer announces.
//! - **Nothing is told twice or lost** by how the input was cut: every cut gives the same events.
//! - **Errors of the peer are final**, and stay. Errors of the caller change nothing.
//! - **Nothing a peer sends can panic**, and no argument with CR, LF or NUL in it can be constructed.
//! - **No secret is shown** by `Debug` or `Display` of anything in here.
//!
//! # The rooms
//!
//! [`codec`] turns bytes into values and back. [`client`] and [`server`] each have a machine (states and syntax), a layer of
//! meaning over it (requests; the session), and a `Connection` that adds the buffers. [`sasl`] has the mechanisms. [`State`] is the table of what is allowed
//! when.

#![no_std]
#![cfg_attr(
    not(test),
    deny(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unreachable)
)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod client;
pub mod codec;
mod inbox;
pub mod sasl;
mod secret;
pub mod server;
mod state;

pub use secret::Secret;
pub use state::State;

/// How many bytes of the input are done with, and what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<E> {
    /// Drop so many bytes from the beginning of the input.
    pub consumed: usize,
    /// What they were.
    pub event: E,
}
