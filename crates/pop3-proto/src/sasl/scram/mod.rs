//! `SCRAM-SHA-1`, `SCRAM-SHA-256` and their `-PLUS` forms (RFC 5802, RFC 7677, RFC 9266).

mod attribute;
mod client;
mod keys;
mod server;

pub(super) use client::ScramClient;
pub use keys::{ScramHash, ScramKeys};
pub(super) use server::ScramServer;
