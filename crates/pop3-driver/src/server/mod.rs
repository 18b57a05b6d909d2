//! The server of a driver, without I/O.

mod arrival;
mod session;
mod session_log;
mod shared;
mod statistics;
mod store_mode;
mod store_session;

pub use arrival::Arrival;
pub use session::{ServerAction, ServerSession};
pub use session_log::SessionLog;
pub use shared::ServerShared;
pub use statistics::ServerStatistics;
pub use store_mode::{AsyncMode, BlockingMode, StoreMode};
pub use store_session::{RunBlocking, StoreAction, StoreSession};
