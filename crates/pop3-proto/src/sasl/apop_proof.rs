//! The server side of `APOP` (RFC 1939 §7), which is a command of its own and no SASL mechanism.

use smallvec::SmallVec;

use crate::codec::ApopDigest;

/// The digest that a client sent with `APOP`. It is verified with the password itself (RFC 1939 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApopProof {
    timestamp: SmallVec<[u8; 64]>,
    digest: ApopDigest,
}

impl ApopProof {
    pub(crate) fn new(timestamp: &[u8], digest: ApopDigest) -> Self {
        Self { timestamp: SmallVec::from_slice(timestamp), digest }
    }

    /// Returns `true` if the digest was made with this password. The comparison takes constant time.
    #[cfg(feature = "apop")]
    pub fn verify(&self, password: &[u8]) -> bool {
        use subtle::ConstantTimeEq;
        // H55
        ApopDigest::of(&self.timestamp, password).expose().ct_eq(self.digest.expose()).into()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(feature = "apop")]
    fn s25_the_example_of_rfc_1939() {
        use super::*;
        let digest = ApopDigest::parse(b"c4c9334bac560ecc979e58001b3e22fb").unwrap();
        let proof = ApopProof::new(b"<1896.697170952@dbc.mtview.ca.us>", digest);
        assert!(proof.verify(b"tanstaaf") && !proof.verify(b"tanstaff"));
    }
}
