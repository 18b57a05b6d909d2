//! Base64, and names inside comma-separated messages.

use alloc::string::String;
use alloc::vec::Vec;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::error::SaslError;

/// Encodes octets in base64.
pub(crate) fn encode_base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// Decodes strict base64: correct padding, no blanks, no leftover bits.
// S29
pub(crate) fn decode_base64(text: &[u8]) -> Result<Vec<u8>, SaslError> {
    STANDARD.decode(text).map_err(|_| SaslError::NotBase64)
}

/// Appends a name to a message whose parts are separated by commas (`saslname`, RFC 5801 §4).
pub(super) fn escape_name(name: &[u8], out: &mut Vec<u8>) {
    for byte in name {
        match byte {
            b',' => out.extend_from_slice(b"=2C"),
            b'=' => out.extend_from_slice(b"=3D"),
            _ => out.push(*byte),
        }
    }
}

pub(super) fn unescape_name(name: &[u8]) -> Result<Vec<u8>, SaslError> {
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
