//! Functions that `OAUTHBEARER` and `XOAUTH2` share.

use alloc::vec::Vec;

use super::error::SaslError;
use crate::Secret;

/// Stores the server's report about a refused token and returns the response that the mechanism prescribes. A second report is an
/// error.
pub(super) fn acknowledge_failure(failure: &mut Option<Vec<u8>>, challenge: &[u8], answer: &[u8]) -> Result<Secret, SaslError> {
    if failure.replace(challenge.to_vec()).is_some() {
        return Err(SaslError::Malformed);
    }
    Ok(Secret::from(answer))
}

/// Returns the token after `Bearer `.
pub(super) fn strip_bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
