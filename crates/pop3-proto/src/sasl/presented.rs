//! The credentials that a client presents.

use alloc::sync::Arc;

use super::apop_proof::ApopProof;
#[cfg(feature = "cram-md5")]
use super::cram_md5_proof::CramMd5Proof;
use crate::Secret;

/// The credentials that a client presents to prove that it is the named user. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PresentedCredentials {
    /// The password itself: `USER` and `PASS`, `PLAIN`, `LOGIN`.
    Password(Secret),
    /// A digest over the greeting's timestamp and the password.
    Apop(ApopProof),
    /// A digest over a challenge and the password.
    #[cfg(feature = "cram-md5")]
    CramMd5(CramMd5Proof),
    /// Verified credentials: the exchange has verified the client with the provided keys (`SCRAM`), or the store has already
    /// checked the password. Only the maildrop remains to be opened.
    Verified,
    /// An access token (`OAUTHBEARER`, `XOAUTH2`).
    Token(Secret),
    /// The client's TLS certificate (`EXTERNAL`), in DER. With the name `-`, the certificate alone identifies the user.
    External(Arc<[u8]>),
    /// No credentials (`ANONYMOUS`); the name is a trace for the log.
    Anonymous,
}
