//! The form in which passwords are compared.

use pop3_proto::Secret;
use pop3_proto::sasl::prepare;

/// Returns a password in the form that is compared and hashed: different encodings of one letter become equal.
pub(crate) fn prepared(password: &[u8]) -> Secret {
    Secret::from(prepare(password).as_deref().unwrap_or(password))
}
