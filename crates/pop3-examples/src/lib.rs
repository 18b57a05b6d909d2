//! Complete small programs over the crates of this workspace. Each is one file in `src/bin` that starts the peers that it needs:
//! `cargo run -p pop3-examples --bin proxy`.

/// Tests the programs of the guides.
#[cfg(doctest)]
mod guides {
    #[doc = include_str!("../../../docs/guides/embed.md")]
    struct Embed;

    #[doc = include_str!("../../../docs/guides/migrate.md")]
    struct Migrate;

    #[doc = include_str!("../../../docs/guides/proxy.md")]
    struct Proxy;

    #[doc = include_str!("../../../docs/guides/server.md")]
    struct Server;

    #[doc = include_str!("../../../docs/guides/testing.md")]
    struct Testing;
}
