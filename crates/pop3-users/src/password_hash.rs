//! The hashes of passwords.

use argon2::Argon2;
use argon2::password_hash::rand_core::{OsRng, RngCore};
use argon2::password_hash::{PasswordHasher, SaltString};
use pop3_proto::sasl::{ScramHash, ScramKeys};

use crate::hash_pool::Memory;
use crate::preparation::prepared;
use crate::scheme::Scheme;

/// The rounds of new SCRAM keys. The machine's decoys for unknown names have as many, so the number does not reveal which users exist.
// H54
const SCRAM_ROUNDS: u32 = 4096;

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

/// Returns `true` if `password` is the stored password. A malformed or unsupported stored value matches no password.
// H53
pub fn verify(stored: &[u8], password: &[u8], memory: &mut Memory) -> bool {
    Scheme::parse(stored).is_some_and(|scheme| scheme.fits(prepared(password).expose(), memory))
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

/// Returns the SCRAM-SHA-256 keys to store for a password, in Dovecot's form. They allow logins with SCRAM, which does not send the password,
/// but are weaker than an argon2 hash if the file is stolen.
///
/// # Errors
/// Fails if the password is empty, because any client could then log in.
pub fn scram_keys(password: &[u8]) -> Result<String, HashError> {
    if password.is_empty() {
        return Err(HashError::Empty);
    }
    let mut salt = [0; 16];
    OsRng.try_fill_bytes(&mut salt).map_err(|error| HashError::Failed(error.to_string()))?;
    Ok(ScramKeys::derive(ScramHash::Sha256, password, &salt, SCRAM_ROUNDS).stored_form())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::file_format::{FileFormat, parse};
    use crate::scheme::is_usable;
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
            let _ = (parse(&text, FileFormat::Own, true), parse(&text, FileFormat::Dovecot, false));
            if !stored.starts_with(b"{") {
                prop_assert!(!verify(&stored, &password, &mut Memory::default()));
            }
        }
    }
}
