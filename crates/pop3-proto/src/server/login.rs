//! Who wants to log in, and why not.

use alloc::sync::Arc;
use core::fmt;

use smallvec::SmallVec;

use crate::Secret;
use crate::codec::{ApopDigest, Escaped, Username};

/// A user name that a client sent: 1 to 255 octets without CR, LF and NUL. Never a path (H29, H57).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(SmallVec<[u8; 32]>);

impl Name {
    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Username<'_>> for Name {
    fn from(name: Username<'_>) -> Self {
        Self(SmallVec::from_slice(name.as_bytes()))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", Escaped(&self.0))
    }
}

/// Somebody wants to log in. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Login {
    /// Who it is.
    pub name: Name,
    /// What proves it.
    pub proof: Proof,
}

/// How a login is proven.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Proof {
    /// The password itself: `USER` and `PASS`, `PLAIN`, `LOGIN`.
    Password(Secret),
    /// A digest over the greeting's timestamp and the password.
    Apop(ApopProof),
    /// A digest over a challenge and the password.
    #[cfg(feature = "cram-md5")]
    CramMd5(crate::sasl::CramMd5Proof),
    /// The exchange has proven it already, by the keys that were given to it (`SCRAM`): only the maildrop is to be opened.
    Proven,
    /// An access token (`OAUTHBEARER`, `XOAUTH2`).
    Token(Secret),
    /// The certificate that the client has shown in TLS (`EXTERNAL`), in DER; the name `-` leaves it to that.
    External(Arc<[u8]>),
    /// Nothing (`ANONYMOUS`); the name is a trace.
    Anonymous,
}

/// What a client has sent with `APOP`; whoever has the password can check it (RFC 1939 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApopProof {
    timestamp: SmallVec<[u8; 64]>,
    digest: ApopDigest,
}

impl ApopProof {
    pub(super) fn new(timestamp: &[u8], digest: ApopDigest) -> Self {
        Self { timestamp: SmallVec::from_slice(timestamp), digest }
    }

    /// Whether it was made with this password; takes the same time whether or not (H55).
    #[cfg(feature = "apop")]
    pub fn verify(&self, password: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        ApopDigest::of(&self.timestamp, password).expose().ct_eq(self.digest.expose()).into()
    }
}

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Wrong name or password; the client does not learn which (S40).
    Credentials,
    /// They are right, and another session holds the maildrop (S22).
    InUse,
    /// They are right, and the last login was too short a time ago (S41).
    LoginDelay,
    /// Something on this side that is likely to pass.
    Temporary,
    /// Something on this side that needs a person.
    Permanent,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h56_a_name_is_shown_harmless() {
        assert_eq!(std::format!("{:?}", Name::from(Username::new("joe\u{1b}").unwrap())), "Name(joe\\u{1b})");
    }

    #[test]
    #[cfg(feature = "apop")]
    fn s25_the_example_of_rfc_1939() {
        let digest = ApopDigest::parse(b"c4c9334bac560ecc979e58001b3e22fb").unwrap();
        let proof = ApopProof::new(b"<1896.697170952@dbc.mtview.ca.us>", digest);
        assert!(proof.verify(b"tanstaaf") && !proof.verify(b"tanstaff"));
    }
}
