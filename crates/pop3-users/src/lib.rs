//! The users of a POP3 server in a file: a name and a hashed password on each line.
//!
//! ```
//! use pop3_proto::Secret;
//! use pop3_users::{Memory, Users, UsersOptions, set_password};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let file = folder.path().join("users");
//! set_password(&file, "joe", &Secret::from("tanstaaf"))?;
//! let users = Users::load(&file, UsersOptions::default())?;
//! let mut memory = Memory::default();
//! assert!(users.check(b"joe", &Secret::from("tanstaaf"), &mut memory).is_ok());
//! assert!(users.check(b"joe", &Secret::from("wrong"), &mut memory).is_err());
//! # Ok(())
//! # }
//! ```
//!
//! A server checks passwords on the threads of a [`HashPool`], so guesses neither use up its memory nor delay its sessions.
//!
//! # The file
//!
//! Each line is `NAME:PASSWORD`. Empty lines and lines that begin with `#` are ignored. A name has at most 255 octets and can be used as
//! the name of a folder; see [`is_safe_name`]. [`FileFormat::Dovecot`] reads Dovecot's passwd-file.
//!
//! The password is an argon2 hash in the PHC format, as [`hash`] makes it, a bcrypt hash (`$2y$…`), a SHA-crypt hash (`$5$…`, `$6$…`), or one
//! of Dovecot's schemes: `{ARGON2ID}`, `{ARGON2I}`, `{BLF-CRYPT}`, `{SHA256-CRYPT}`, `{SHA512-CRYPT}`, `{CRYPT}` with one of these,
//! `{SSHA}`, `{SSHA256}`, `{SSHA512}`, `{SHA}`, `{SHA256}`, `{SHA512}`, `{SCRAM-SHA-256}`, `{SCRAM-SHA-1}`, and `{PLAIN}`, which is followed
//! by the password itself.

mod file_format;
mod hash_pool;
mod password_hash;
mod preparation;
mod scheme;
mod set_password;
mod users;
mod verified_logins;

pub use file_format::{FileFormat, Stored, StoredUser, is_safe_name, parse};
pub use hash_pool::{HashPool, Memory};
pub use password_hash::{HashError, hash, scram_keys, verify};
pub use set_password::{SetPasswordError, set_password, set_stored};
pub use users::{Users, UsersOptions};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
