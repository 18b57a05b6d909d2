//! Typed operations over the machine's events, which every driver can run.
//!
//! ```
//! use pop3_proto::Transport;
//! use pop3_proto::client::{ClientConfig, Connection, RequestError, requests};
//!
//! /// A server whose replies are known in advance.
//! struct Scripted(Vec<&'static [u8]>);
//!
//! impl Transport for Scripted {
//!     type Error = RequestError;
//!
//!     fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
//!         let reply = self.0.remove(0);
//!         buffer[..reply.len()].copy_from_slice(reply);
//!         Ok(reply.len())
//!     }
//!
//!     fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
//!         assert_eq!(bytes, b"CAPA\r\n");
//!         Ok(bytes.len())
//!     }
//! }
//!
//! let mut server = Scripted(vec![b"+OK ready\r\n", b"+OK\r\nUIDL\r\n.\r\n"]);
//! let mut connection = Connection::new_encrypted(ClientConfig::default());
//! connection.run(&mut server, requests::greet())?;
//! assert!(connection.run(&mut server, requests::capa())?.uidl);
//! # Ok::<(), RequestError>(())
//! ```

mod auth;
mod batch;
mod commands;
mod listing_one;
mod login;
mod many;
mod refusal;
mod refusal_words;
mod request;
mod unique_id_entry;

pub use auth::auth;
pub use batch::batch;
#[cfg(feature = "apop")]
pub use commands::apop;
pub use commands::{
    PartialListing, capa, dele, extension_line, extension_lines, extension_message, greet, lang, languages, list, list_readable,
    noop, quit, retr, rset, stat, stls, top, uidl, uidl_readable, user_pass, utf8,
};
pub use listing_one::{list_one, uidl_one};
pub use login::{Login, LoginContext, LoginOutcome, LoginPolicy, login};
pub use many::{deles, retrs, tops};
pub use refusal::{LoginFailure, Refusal, RequestError};
pub use refusal_words::RefusalMeaning;
pub use request::Request;
pub use unique_id_entry::UniqueIdEntry;
