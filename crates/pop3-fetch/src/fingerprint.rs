//! Fingerprints of messages, which identify a message where its unique-id cannot.

use std::fmt;

use sha2::{Digest, Sha256};

/// Number of octets of a message that are hashed. They contain Message-ID, Received and Date; the hashed size distinguishes the
/// rest.
const HASHED: usize = 16 * 1024;

/// The first 16 octets of a SHA-256 over the beginning of a message, as it is on the wire, and its size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Fingerprint([u8; 16]);

impl Fingerprint {
    /// Parses the output of [`Display`](fmt::Display). Returns `None` if the text is no fingerprint.
    pub fn parse(text: &str) -> Option<Self> {
        let mut octets = [0; 16];
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        for (octet, digits) in octets.iter_mut().zip(text.as_bytes().chunks(2)) {
            *octet = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(octets))
    }

    /// Returns the fingerprint of a complete message, with line ends as on the wire and byte-stuffing removed.
    pub fn of(message: &[u8]) -> Self {
        let mut hasher = Fingerprinter::default();
        hasher.add(message);
        hasher.finish(message.len() as u64)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

/// A hasher that computes a [`Fingerprint`] from the pieces of a message.
#[derive(Clone, Debug, Default)]
pub struct Fingerprinter {
    hash: Sha256,
    hashed: usize,
}

impl Fingerprinter {
    /// Adds the next piece of the message.
    pub fn add(&mut self, piece: &[u8]) {
        let part = &piece[..piece.len().min(HASHED - self.hashed)];
        self.hash.update(part);
        self.hashed += part.len();
    }

    /// Returns the fingerprint. `octets` is the size of the message on the wire, byte-stuffing not counted.
    pub fn finish(mut self, octets: u64) -> Fingerprint {
        self.hash.update(octets.to_be_bytes());
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&self.hash.finalize()[..16]);
        Fingerprint(fingerprint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fingerprint_does_not_depend_on_the_pieces() {
        let message = [b"Subject: x\r\n\r\n".as_slice(), &b"line\r\n".repeat(5000)].concat();
        let whole = Fingerprint::of(&message);
        for step in [1, 7, 1000] {
            let mut hasher = Fingerprinter::default();
            message.chunks(step).for_each(|piece| hasher.add(piece));
            assert_eq!(hasher.finish(message.len() as u64), whole, "pieces of {step}");
        }
        assert_eq!(Fingerprint::parse(&whole.to_string()), Some(whole));
    }

    #[test]
    fn a_change_at_the_beginning_or_of_the_size_changes_the_fingerprint() {
        let message = b"Subject: x\r\n\r\nbody\r\n";
        let fingerprint = Fingerprint::of(message);
        assert_ne!(fingerprint, Fingerprint::of(b"Subject: y\r\n\r\nbody\r\n"));
        assert_ne!(fingerprint, Fingerprint::of(b"Subject: x\r\n\r\nbodY\r\n"));
        assert_ne!(fingerprint, Fingerprint::of(b"Subject: x\r\n\r\nbody\r\n\r\n"));
        let long = b"x".repeat(2 * HASHED);
        assert_ne!(Fingerprint::of(&long), Fingerprint::of(&long[1..]), "the size is a part of the fingerprint");
    }

    #[test]
    fn malformed_fingerprints_are_refused() {
        for text in ["", "-", "0123", &"g".repeat(32), &"+1".repeat(16), &"0".repeat(33)] {
            assert_eq!(Fingerprint::parse(text), None, "{text}");
        }
    }
}
