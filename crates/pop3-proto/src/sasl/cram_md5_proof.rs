//! What a client proves with `CRAM-MD5` (RFC 2195).

use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, Mac};
use md5::Md5;

use crate::codec::ApopDigest;

pub(super) fn keyed(password: &[u8], challenge: &[u8]) -> Option<Hmac<Md5>> {
    // HMAC accepts a key of any length; the error exists for other constructions.
    let mut mac = Hmac::<Md5>::new_from_slice(password).ok()?;
    mac.update(challenge);
    Some(mac)
}

/// The digest that a client sent to prove that it knows the password. It is verified with the password itself.
#[derive(Clone, PartialEq, Eq)]
pub struct CramMd5Proof {
    challenge: Vec<u8>,
    digest: [u8; 16],
}

impl CramMd5Proof {
    /// Parses a response: name, blank, digest in hexadecimal.
    pub(super) fn parse(challenge: Vec<u8>, response: &[u8]) -> Option<(&[u8], Self)> {
        let blank = response.iter().rposition(|byte| *byte == b' ')?;
        let (name, digest) = response.split_at_checked(blank)?;
        let digest = ApopDigest::parse(digest.get(1..)?)?;
        Some((name, Self { challenge, digest: *digest.expose() }))
    }

    /// Returns `true` if the digest was made with this password. The comparison takes constant time.
    pub fn verify(&self, password: &[u8]) -> bool {
        keyed(password, &self.challenge).is_some_and(|mac| mac.verify_slice(&self.digest).is_ok())
    }
}

impl fmt::Debug for CramMd5Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CramMd5Proof([redacted])")
    }
}
