//! Attempts to log in, and why they are refused.

use crate::codec::OwnedUsername;
use crate::sasl::PresentedCredentials;

/// A client's attempt to log in. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// The user that the client names.
    pub name: OwnedUsername,
    /// What it presents to prove that it is that user.
    pub credentials: PresentedCredentials,
}

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginDenial {
    /// The name or the password is wrong; the client does not learn which.
    // S40
    Credentials,
    /// The credentials are right, and another session holds the maildrop (RFC 2449 §8.1.1).
    // S22
    InUse,
    /// The credentials are right, and the last login was too recent (RFC 2449 §8.1.1).
    // S41
    LoginDelay,
    /// A problem of the server that is likely to pass (RFC 3206 §4).
    Temporary,
    /// A problem of the server that a person has to solve (RFC 3206 §4).
    Permanent,
}
