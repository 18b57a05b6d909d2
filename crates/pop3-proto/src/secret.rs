//! Secret bytes: redacted in `Debug`, wiped on drop.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// An owned secret: wiped when it is dropped, `[redacted]` in `Debug`.
///
/// ```
/// let secret = pop3_proto::Secret::from(b"hunter2");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), b"hunter2");
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Joins parts to one secret. No copy of them is left behind.
    pub fn from_parts(parts: &[&[u8]]) -> Self {
        let mut bytes = Vec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(part);
        }
        Self(Zeroizing::new(bytes))
    }

    /// Returns the secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl<B: AsRef<[u8]> + ?Sized> From<&B> for Secret {
    fn from(bytes: &B) -> Self {
        Self(Zeroizing::new(bytes.as_ref().to_vec()))
    }
}

/// The comparison takes the same time for all secrets of one length.
// H55
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        let differ = self.0.iter().zip(other.0.iter()).fold(0, |differ, (a, b)| core::hint::black_box(differ | (a ^ b)));
        self.0.len() == other.0.len() && differ == 0
    }
}

impl Eq for Secret {}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h56_secrets_are_compared_whole_and_not_shown() {
        let secret = Secret::from("secret");
        assert_eq!(secret, Secret::from("secret"));
        for other in ["", "s", "secre", "secrets", "Secret", "secreT", "sfcrft"] {
            assert_ne!(secret, Secret::from(other), "{other}");
        }
        assert_eq!(alloc::format!("{secret:?}"), "[redacted]");
    }
}
