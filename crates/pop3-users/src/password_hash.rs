//! The hashes of passwords.

use argon2::password_hash::{PasswordHash, PasswordHasher, SaltString, rand_core::OsRng};
use argon2::{Algorithm, Argon2, Block, Params, Version};
use pop3_proto::Secret;
use pop3_proto::sasl::prepare;
use subtle::ConstantTimeEq;

use crate::hash_pool::Memory;

/// Prefix of a stored password that is not hashed.
pub(crate) const PLAIN: &[u8] = b"{PLAIN}";

/// Maximum memory that a stored hash may require, in KiB.
const MAX_MEMORY: u32 = 256 * 1024;

/// The reason why a password is not hashed.
#[derive(Debug, thiserror::Error)]
pub enum HashError {
    /// The password is empty. With it, a client could log in without knowing a password.
    #[error("the password is empty, so every client could log in")]
    Empty,
    /// The hash could not be computed.
    #[error("the password cannot be hashed: {0}")]
    Failed(String),
}

/// Returns `true` if a stored value is an argon2 hash with supported parameters, or a password that is not empty.
pub(crate) fn is_usable(stored: &[u8]) -> bool {
    match stored.strip_prefix(PLAIN) {
        Some(plain) => !plain.is_empty(),
        None => parse_hash(stored).is_some(),
    }
}

/// Parses a hash in the PHC format. Returns it with the settings that compute it again, or `None` if they are not supported.
fn parse_hash(stored: &[u8]) -> Option<(PasswordHash<'_>, Argon2<'static>)> {
    let hash = PasswordHash::new(str::from_utf8(stored).ok()?).ok()?;
    let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
    let version = hash.version.map_or(Some(Version::default()), |version| Version::try_from(version).ok())?;
    let params = Params::try_from(&hash).ok().filter(|params| params.m_cost() <= MAX_MEMORY)?;
    hash.hash.and(hash.salt)?;
    Some((hash, Argon2::new(algorithm, version, params)))
}

/// Returns `true` if `password` is the stored password. A malformed stored hash matches no password.
// H53
pub fn verify(stored: &[u8], password: &[u8], memory: &mut Memory) -> bool {
    let password = prepared(password);
    let password = password.expose();
    if let Some(plain) = stored.strip_prefix(PLAIN) {
        // An empty stored password matches no password.
        return !plain.is_empty() && bool::from(prepared(plain).expose().ct_eq(password));
    }
    let Some((hash, argon2)) = parse_hash(stored) else { return false };
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return false };
    let mut salt_bytes = [0; 64];
    let Ok(salt) = salt.decode_b64(&mut salt_bytes) else { return false };
    let blocks = argon2.params().block_count();
    if memory.0.len() < blocks {
        memory.0.resize(blocks, Block::default());
    }
    let Some(blocks) = memory.0.get_mut(..blocks) else { return false };
    let mut computed = vec![0; expected.len()];
    argon2.hash_password_into_with_memory(password, salt, &mut computed, blocks).is_ok()
        && bool::from(computed.as_slice().ct_eq(expected.as_bytes()))
}

/// Returns a password in the form that is compared and hashed: different encodings of one letter become equal.
fn prepared(password: &[u8]) -> Secret {
    Secret::from(prepare(password).as_deref().unwrap_or(password))
}

/// Returns the hash to store for a password.
///
/// # Errors
/// Fails if the password is empty, because any client could then log in.
pub fn hash(password: &[u8]) -> Result<String, HashError> {
    if password.is_empty() {
        return Err(HashError::Empty);
    }
    let password = prepared(password);
    let salt = SaltString::generate(&mut OsRng);
    let hash = Argon2::default().hash_password(password.expose(), &salt).map_err(|error| HashError::Failed(error.to_string()))?;
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_format::parse;
    use proptest::prelude::*;

    #[test]
    fn h53_an_empty_password_is_not_stored() {
        assert!(matches!(hash(b""), Err(HashError::Empty)));
        assert!(hash(b" ").is_ok());
    }

    #[test]
    fn h53_only_argon2_hashes_with_supported_parameters_are_usable() {
        let hash = hash(b"x").unwrap();
        assert!(is_usable(hash.as_bytes()));
        for unusable in [
            "$scrypt$ln=16,r=8,p=1$aM15713r3Xsvxbi31lqr1Q$nFNh2CVHVjNldFVKDHDlm4CbdRSCdEBsjjJxD+iCs5E".to_owned(),
            hash.replace("m=19456", "m=999999999"),
            hash.replace("argon2id", "argon2x"),
            hash.rsplit_once('$').unwrap().0.to_owned(),
            String::new(),
        ] {
            assert!(!is_usable(unusable.as_bytes()), "{unusable}");
        }
    }

    proptest! {
        #[test]
        fn any_file_and_any_hash_deny_without_a_panic(text: Vec<u8>, stored: Vec<u8>, password: Vec<u8>) {
            let _ = parse(&text);
            if !stored.starts_with(PLAIN) {
                prop_assert!(!verify(&stored, &password, &mut Memory::default()));
            }
        }
    }
}
