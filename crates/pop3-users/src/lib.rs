//! The users of a POP3 server in a file: a name and an argon2 hash on each line.
//!
//! ```
//! use pop3_proto::Secret;
//! use pop3_users::{Memory, Users, set_password};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! let file = folder.path().join("users");
//! set_password(&file, "joe", &Secret::from("tanstaaf"))?;
//! let users = Users::load(&file, false)?;
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
//! Each line is `NAME:HASH`. `HASH` is an argon2 hash in the PHC format, or `{PLAIN}` followed by the password itself. Empty
//! lines and lines that begin with `#` are ignored. A name has at most 255 octets and can be used as the name of a folder; see
//! [`is_safe_name`].

mod file_format;
mod hash_pool;
mod password_hash;
mod set_password;
mod users;

pub use file_format::{Stored, is_safe_name, parse};
pub use hash_pool::{HashPool, Memory};
pub use password_hash::{HashError, hash, verify};
pub use set_password::{SetPasswordError, set_password};
pub use users::Users;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
