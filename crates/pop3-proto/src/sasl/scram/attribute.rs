//! The attributes of a `SCRAM` message (RFC 5802 §5.1).

use crate::sasl::error::SaslError;

/// Returns the value of an attribute `x=value` of a comma-separated message.
pub(super) fn attribute<'a>(part: Option<&'a [u8]>, name: &[u8; 2]) -> Result<&'a [u8], SaslError> {
    let part = part.ok_or(SaslError::Malformed)?;
    if part.starts_with(b"m=") {
        return Err(SaslError::Extension);
    }
    part.strip_prefix(name.as_slice()).ok_or(SaslError::Malformed)
}
