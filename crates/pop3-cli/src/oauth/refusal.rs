//! What is said when a provider gives no access.

use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::server_text::one_line;

/// Returns the failure of a login that the provider refuses.
pub fn trouble(text: &str) -> Failure {
    Failure::new(Exit::Login, Message::new("oauth-refused").with("text", one_line(text)))
}
