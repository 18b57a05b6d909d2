//! Complete small programs over the crates of this workspace. Each is one file in `src/bin` that starts the peers that it needs:
//! `cargo run -p pop3-examples --bin proxy`.
