//! SASL mechanisms, both sides, without I/O (RFC 4422, RFC 5034).
//!
//! A mechanism turns challenges into responses on the client side, and responses into challenges on the server side. The client
//! and server machines transport them. `PLAIN`, `LOGIN`, `EXTERNAL`, `ANONYMOUS`, `OAUTHBEARER` and `XOAUTH2` need no
//! cryptography and are always available; `CRAM-MD5` and the `SCRAM` family are features of the crate.
//!
//! ```
//! use pop3_proto::sasl::{Credentials, Mechanism, OfferedMechanisms};
//! // The strongest that both sides have and that the credentials fit.
//! let credentials = Credentials::password("joe", "secret")?;
//! let offered = [&b"PLAIN"[..], b"SCRAM-SHA-256", b"X-NEW"];
//! assert_eq!(credentials.choose(&OfferedMechanisms::new(offered), &Mechanism::ALL, false), Some(Mechanism::ScramSha256));
//! # Ok::<(), pop3_proto::codec::InvalidArgument>(())
//! ```

// Alternatives considered: rsasl has most of these mechanisms, but needs std and has neither CRAM-MD5 nor XOAUTH2; the crates for
// SCRAM alone are unmaintained or lack channel binding. A mechanism is about a page of code on top of RustCrypto's hashes, which
// are maintained and need no std.
mod apop_proof;
mod bearer;
mod channel_binding;
mod client;
mod context;
#[cfg(feature = "cram-md5")]
mod cram_md5;
#[cfg(feature = "cram-md5")]
mod cram_md5_proof;
mod credentials;
mod encoding;
mod error;
mod exchange;
mod login;
mod mechanism;
mod name_only;
mod oauthbearer;
mod plain;
mod prepare;
mod presented;
#[cfg(feature = "scram")]
mod scram;
mod server;
mod xoauth2;

pub use apop_proof::ApopProof;
pub use channel_binding::ChannelBinding;
pub use client::client_mechanism;
pub use context::ExchangeContext;
#[cfg(feature = "cram-md5")]
pub use cram_md5_proof::CramMd5Proof;
pub use credentials::Credentials;
pub(crate) use encoding::{decode_base64, encode_base64};
pub use error::SaslError;
pub use exchange::{ClientMechanism, ExchangeEvent};
pub use mechanism::{Mechanism, OfferedMechanisms};
pub use prepare::prepare;
pub use presented::PresentedCredentials;
#[cfg(feature = "scram")]
pub use scram::{ScramHash, ScramKeys};
pub use server::ServerExchange;

#[cfg(test)]
mod tests;
