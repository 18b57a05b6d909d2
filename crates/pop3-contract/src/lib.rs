//! What every driver of `pop3-proto` must do, and the core itself: dialogues as data, in `transcripts`, and what replays them.
//!
//! The tests of the core feed the machines directly; those of a driver put a [`Feed`] in the place of the network. Both compare
//! with the same files, whole, byte by byte, cut in two at every place, and cut by chance.
//!
//! ```
//! use pop3_contract::{Cut, transcript};
//! let all = transcript::load("client");
//! assert!(all.iter().any(|transcript| transcript.name == "rfc1939_example"));
//! assert_eq!(Cut::EveryByte.pieces(b"ab"), [b"a", b"b"]);
//! ```

pub mod client;
mod feed;
mod limit;
pub mod model;
pub mod oracle;
pub mod server;
pub mod starttls;
pub mod transcript;

pub use feed::{Feed, is_drained};
pub use limit::limit_test;
pub use transcript::{Cut, Transcript};
