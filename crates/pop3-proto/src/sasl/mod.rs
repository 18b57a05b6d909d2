//! SASL mechanisms, both sides, without I/O (RFC 4422, RFC 5034).
//!
//! A mechanism turns challenges into responses, or responses into challenges; the machines carry them. `PLAIN`, `LOGIN`,
//! `EXTERNAL`, `ANONYMOUS`, `OAUTHBEARER` and `XOAUTH2` need no cryptography and are always there; `CRAM-MD5` and the `SCRAM` family
//! are features.
//!
//! ```
//! use pop3_proto::sasl::{Credentials, Mechanism, Offer};
//! // The strongest that both sides have and that the credentials fit.
//! let credentials = Credentials::password("joe", "secret")?;
//! let offered = [&b"PLAIN"[..], b"SCRAM-SHA-256", b"X-NEW"];
//! assert_eq!(credentials.choose(&Offer::new(offered), &Mechanism::ALL, false), Some(Mechanism::ScramSha256));
//! # Ok::<(), pop3_proto::codec::InvalidArgument>(())
//! ```

// Weighed: rsasl has most of these mechanisms, but needs std and has neither CRAM-MD5 nor XOAUTH2; the crates for SCRAM alone are
// not kept or know no channel binding. A mechanism is a page of text over RustCrypto's hashes, which are kept well and need no std.
mod client;
#[cfg(feature = "cram-md5")]
mod cram_md5;
mod credentials;
mod mechanism;
mod oauth;
mod plain;
mod prepare;
#[cfg(feature = "scram")]
mod scram;
mod server;

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

pub use client::{ClientMechanism, client_mechanism};
#[cfg(feature = "cram-md5")]
pub use cram_md5::CramMd5Proof;
pub use credentials::Credentials;
pub use mechanism::{Mechanism, Offer};
pub use prepare::prepare;
#[cfg(feature = "scram")]
pub use scram::{ScramHash, ScramKeys};
pub use server::{Exchange, Next};

/// What binds a login to the TLS connection that it runs over, so that nobody in the middle can pass it on (RFC 9266, RFC 5929).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChannelBinding {
    /// `tls-exporter`: 32 octets from the exporter with the label `EXPORTER-Channel-Binding` and an empty context.
    pub exporter: Option<[u8; 32]>,
    /// `tls-server-end-point`: a hash of the server's certificate.
    pub server_end_point: Option<Vec<u8>>,
}

impl ChannelBinding {
    /// Whether there is anything to bind to.
    pub const fn is_available(&self) -> bool {
        self.exporter.is_some() || self.server_end_point.is_some()
    }

    /// The data for a binding by its name.
    #[cfg(feature = "scram")]
    fn data(&self, name: &[u8]) -> Option<&[u8]> {
        match name {
            b"tls-exporter" => self.exporter.as_ref().map(<[u8; 32]>::as_slice),
            b"tls-server-end-point" => self.server_end_point.as_deref(),
            _ => None,
        }
    }
}

/// Why an exchange cannot go on. The client says `*`, the server `-ERR`; the session lives (H24).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SaslError {
    /// Not base64, or not strictly so (S29).
    #[error("what came is not base64")]
    NotBase64,
    /// The peer's message does not fit the mechanism.
    #[error("what came does not fit the mechanism")]
    Malformed,
    /// The peer's nonce does not begin with ours.
    #[error("the server answers another login than this one")]
    Nonce,
    /// The server asks for too few or too many rounds of hashing.
    #[error("the server asks for {0} rounds of hashing, which is not between 4,096 and 1,000,000")]
    Iterations(u32),
    /// The server does not know the password either: it only pretends to be the server.
    #[error("the server has not proven that it knows the password")]
    ServerNotProven,
    /// The server says inside the exchange that it refuses it: wrong credentials, mostly.
    #[error("the server refuses the proof")]
    Refused,
    /// A login that was bound to this TLS connection was tried already, and a binding is for one (S36).
    #[error("a login was bound to this connection already; connect again to try another")]
    BindingUsed,
    /// An extension of the mechanism that must be understood and is not.
    #[error("the server demands an extension of the mechanism that is not known here")]
    Extension,
    /// Somebody has taken channel binding out of what the other side offered (S35).
    #[error("somebody on the way has removed channel binding from what was offered")]
    Downgrade,
}

/// Base64 of bytes.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Strictly: padding where it belongs and nowhere else, no blanks, no bits left over (S29).
pub(crate) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, SaslError> {
    STANDARD.decode(text).map_err(|_| SaslError::NotBase64)
}

/// A name inside a message whose parts are separated by commas (`saslname`, RFC 5801 §4).
fn escape_name(name: &[u8], out: &mut Vec<u8>) {
    for byte in name {
        match byte {
            b',' => out.extend_from_slice(b"=2C"),
            b'=' => out.extend_from_slice(b"=3D"),
            _ => out.push(*byte),
        }
    }
}

fn unescape_name(name: &[u8]) -> Result<Vec<u8>, SaslError> {
    let mut parts = name.split(|byte| *byte == b'=');
    let mut out = parts.next().unwrap_or_default().to_vec();
    for part in parts {
        let (escaped, rest) = match part {
            [b'2', b'C', rest @ ..] => (b',', rest),
            [b'3', b'D', rest @ ..] => (b'=', rest),
            _ => return Err(SaslError::Malformed),
        };
        out.push(escaped);
        out.extend_from_slice(rest);
    }
    Ok(out)
}

#[cfg(test)]
mod tests;
