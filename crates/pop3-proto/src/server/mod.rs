//! The server side: the [machine](Server), the [`Session`] that answers over a snapshot of the maildrop, and a
//! [`Connection`] that adds the buffers.

mod authentication;
mod capabilities;
mod channel;
mod commands;
mod config;
mod connection;
mod language;
mod login;
mod machine;
mod marks;
mod origin;
mod phrase;
mod session;
mod snapshot;

pub use channel::{Channel, Ending};
pub use config::{CleartextLogin, Deadline, ExpirePolicy, LoginDelay, ServerConfig, Timeouts, Utf8};
pub use connection::{Ask, Connection, Step};
pub use language::Language;
pub use login::{ApopProof, Denial, Login, Name, Proof};
pub use machine::{NotAsked, Server, ServerEvent};
pub use origin::Origin;
pub use session::{BodyWants, Event, Session, Unavailable};
pub use snapshot::{Snapshot, SnapshotFull};
