//! What a client presents to log in.

use alloc::sync::Arc;

use super::apop::ApopProof;
#[cfg(feature = "cram-md5")]
use super::cram_md5::CramMd5Proof;
use crate::Secret;

/// What a client presents to prove that it is the user it names. `Debug` shows no secret.
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
    /// Nothing is left to check: the exchange has verified the client with the keys that it was given (`SCRAM`), or the store has
    /// checked the password already. Only the maildrop is to be opened.
    Verified,
    /// An access token (`OAUTHBEARER`, `XOAUTH2`).
    Token(Secret),
    /// The client's TLS certificate (`EXTERNAL`), in DER; with the name `-` the certificate alone says who the user is.
    External(Arc<[u8]>),
    /// Nothing (`ANONYMOUS`); the name is a trace.
    Anonymous,
}
