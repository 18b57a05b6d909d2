//! Complete small programs over the crates of this workspace. Each is one file in `src/bin` that starts the peers that it needs:
//! `cargo run -p pop3-examples --bin proxy`.

/// Tests the programs of the guides.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/guides/testing.md")]
struct Testing;
