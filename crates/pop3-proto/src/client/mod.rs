//! The client side: the [machine](Client), [requests] over it, and a [`Connection`] that adds the buffers.

mod config;
mod connection;
mod error;
mod event;
mod login;
mod machine;
pub mod requests;

pub use config::{CleartextLogin, ClientConfig, Deadline, Timeouts};
pub use connection::{Connection, Observer, Outbox, Step};
pub use error::{Awaiting, LocalError, RemoteError};
pub use event::{Challenge, ClientEvent, Tag};
pub use login::{LoginContext, LoginPolicy};
pub use machine::Client;
pub use requests::{Refusal, Request, RequestError};
