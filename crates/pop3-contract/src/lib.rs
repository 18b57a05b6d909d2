//! The contract for `pop3-proto` and all its drivers: dialogues as data, in `transcripts`, and the code that replays them.
//!
//! The tests of the core feed the machines directly; those of a driver put a [`Feed`] in place of the network. Both replay the
//! same files with the input complete, byte by byte, split in two at every place, and split at random.
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
