//! The client side: the [machine](Client), [requests] over it, and a [`Connection`] that adds the buffers.

mod action;
mod command_sink;
mod config;
mod connection;
mod error;
mod event;
mod machine;
mod observer;
mod renumbering;
pub mod requests;

pub use action::Action;
pub use command_sink::CommandSink;
pub use config::{ClientConfig, Deadline, Timeouts};
pub use connection::Connection;
pub use error::{Awaiting, LocalError, RemoteError, Service};
pub use event::{Challenge, ClientEvent, OwnedGreeting, Tag};
pub use machine::Client;
pub use observer::Observer;
pub use renumbering::Renumbering;
pub use requests::{
    Login, LoginContext, LoginFailure, LoginOutcome, LoginPolicy, Refusal, RefusalMeaning, Request, RequestError,
};

pub use crate::cleartext_login::CleartextLogin;
