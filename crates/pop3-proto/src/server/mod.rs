//! The server side: the [machine](Server), the [`Session`] that answers over a snapshot of the maildrop, and a
//! [`Connection`] that adds the buffers.

mod authentication;
mod capabilities;
mod config;
mod connection;
mod login;
mod machine;
mod marks;
mod session;
mod snapshot;

pub use config::{CleartextLogin, Deadline, ExpirePolicy, LoginDelay, ServerConfig, Timeouts};
pub use connection::{Ask, Connection, Step};
pub use login::{ApopProof, Denial, Login, Name, Proof};
pub use machine::{Channel, NotAsked, Server, ServerEvent};
pub use session::{BodyWants, Event, Session};
pub use snapshot::{Snapshot, SnapshotFull};
