//! The bodies of the fuzz targets, as ordinary functions that panic if they find a fault.

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

/// A target: its name, and the function that receives the fuzzer's bytes.
pub type Target = (&'static str, fn(&[u8]));

/// All targets. The first four test the parsers that see input from the network first.
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
/// Panics if there is no such target, or if the target finds a fault.
pub fn run(name: &str, data: &[u8]) {
    let (_, body) = TARGETS.iter().find(|(known, _)| *known == name).expect("a target");
    body(data);
}
