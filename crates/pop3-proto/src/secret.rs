//! Bytes that nobody may see and that do not stay in memory.

use alloc::vec::Vec;
use core::fmt;

use zeroize::Zeroizing;

/// A secret of one's own: wiped when dropped, `[redacted]` in `Debug`.
///
/// ```
/// let secret = pop3_proto::Secret::from(b"hunter2");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_eq!(secret.expose(), b"hunter2");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// The secret itself.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl<B: AsRef<[u8]> + ?Sized> From<&B> for Secret {
    fn from(bytes: &B) -> Self {
        Self(Zeroizing::new(bytes.as_ref().to_vec()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
