//! The client side: the [machine](Client), [requests] over it, and a [`Connection`] that adds the buffers.

mod auth;
mod batch;
mod config;
mod connection;
mod error;
mod event;
mod login;
mod machine;
mod one;
mod reading;
mod refusal;
mod refusal_words;
pub mod requests;

pub use config::{CleartextLogin, ClientConfig, Deadline, Timeouts};
pub use connection::{Connection, Observer, Outbox, Step};
pub use error::{Awaiting, LocalError, RemoteError, Service};
pub use event::{Challenge, ClientEvent, OwnedGreeting, Tag};
pub use login::{Login, LoginContext, LoginPolicy, LoginStep};
pub use machine::Client;
pub use refusal_words::RefusalMeaning;
pub use requests::{LoginFailure, Refusal, Request, RequestError};
