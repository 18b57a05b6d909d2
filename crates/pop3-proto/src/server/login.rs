//! Login attempts, and the reasons for their denial.

use crate::codec::OwnedUsername;
use crate::sasl::PresentedCredentials;

/// A client's attempt to log in. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginAttempt {
    /// The user that the client names.
    pub name: OwnedUsername,
    /// The credentials that prove the client's identity.
    pub credentials: PresentedCredentials,
}

/// The reason why a login is denied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginDenial {
    /// The name or the password is wrong; the client does not learn which.
    // S40
    Credentials,
    /// The credentials are right, but another session holds the maildrop (RFC 2449 §8.1.2).
    // S22
    InUse,
    /// The credentials are right, but the last login was too recent (RFC 2449 §8.1.1).
    // S41
    LoginDelay,
    /// A problem of the server that is likely to pass (RFC 3206 §4).
    Temporary,
    /// A problem of the server that a person has to solve (RFC 3206 §4).
    Permanent,
}
