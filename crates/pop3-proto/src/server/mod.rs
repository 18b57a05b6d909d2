//! The server side: a [`Session`] that works on a snapshot of the maildrop, and a [`Connection`] that adds the buffers.
//!
//! A session replies by itself if the protocol determines the reply. For the rest it asks a [`Question`]: the check of a login,
//! the content of a message, the removal of messages. [`Answer`] answers it.

mod answer;
mod close_reason;
mod config;
mod connection;
mod connection_info;
mod error;
mod event;
mod extension;
mod language;
mod login;
mod machine;
mod marks;
mod observer;
mod phrase;
mod proxied_client;
mod session;
mod snapshot;

pub use answer::{Answer, BodyWants, MessageRefusal};
pub use close_reason::CloseReason;
pub use config::{BadCommandLimits, Deadline, ExpirePolicy, LoginDelay, ServerConfig, Timeouts, Utf8};
pub use connection::{Action, Connection};
pub use connection_info::{ConnectionInfo, TlsInfo};
pub use error::{LocalError, RemoteError};
pub use event::{Event, Question};
pub use extension::{Extension, ExtensionReply, ExtensionRequest};
pub use language::Language;
pub use login::{LoginAttempt, LoginDenial};
pub use observer::{Observer, SessionEnd};
pub use proxied_client::ProxiedClient;
pub use session::Session;
pub use snapshot::{Snapshot, SnapshotFull};

pub use crate::cleartext_login::CleartextLogin;
