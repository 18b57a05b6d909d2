//! What `OAUTHBEARER` and `XOAUTH2` have in common.

use alloc::vec::Vec;

use super::error::SaslError;
use crate::Secret;

/// Keeps what the server says about a refused token, once, and returns the response that the mechanism prescribes.
pub(super) fn acknowledge_failure(failure: &mut Option<Vec<u8>>, challenge: &[u8], answer: &[u8]) -> Result<Secret, SaslError> {
    if failure.replace(challenge.to_vec()).is_some() {
        return Err(SaslError::Malformed);
    }
    Ok(Secret::from(answer))
}

/// Returns the token behind `Bearer `.
pub(super) fn strip_bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
