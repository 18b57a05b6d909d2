//! The server side: the [machine](Server), the [`Session`] that answers over a snapshot of the maildrop, and a
//! [`Connection`] that adds the buffers.

mod config;
mod connection;
mod machine;
mod marks;
mod session;
mod snapshot;

pub use config::{CleartextLogin, Deadline, ServerConfig, Timeouts};
pub use connection::{Ask, Connection, Login, Proof, Step};
pub use machine::{Credentials, Denial, Name, NotAsked, Server, ServerEvent};
pub use session::{BodyWants, Event, Session};
pub use snapshot::{Snapshot, SnapshotFull};
