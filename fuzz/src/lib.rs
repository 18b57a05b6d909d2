//! The bodies of the fuzz targets, as ordinary functions: they panic where something is wrong.

mod both;
mod choices;
mod client;
mod codec;
pub mod corpus;
mod dot;
mod files;
mod sasl;
mod server;
mod split;

pub use choices::Choices;

/// A target: what it is called, and what it does with the bytes that the fuzzer has made.
pub type Target = (&'static str, fn(&[u8]));

/// All of them. The first four read what comes over the network before anything else does.
pub const TARGETS: [Target; 16] = [
    ("command", codec::command),
    ("reply", codec::reply),
    ("listing", codec::listing),
    ("unstuff", dot::unstuff),
    ("capability", codec::capability),
    ("stuff", dot::stuff),
    ("round_trip", codec::round_trip),
    ("client", client::client),
    ("server", server::server),
    ("split", split::split),
    ("both", both::both),
    ("sasl_server", sasl::server),
    ("sasl_client", sasl::client),
    ("users", files::users),
    ("journal", files::journal),
    ("maildir", files::maildir),
];

/// Runs a target by its name.
///
/// # Panics
/// There is no such target, or it has found something.
pub fn run(name: &str, data: &[u8]) {
    let (_, body) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    body(data);
}
