//! What a list and a message are read from.

use super::table::Row;
use crate::failure::{Exit, Failure};
use crate::language::Message;

/// The octets of a header that a list looks at: more than any needs.
pub const LONGEST_HEADER: usize = 256 * 1024;

/// Messages in the order of their numbers, which count from 1.
pub trait Mailbox {
    /// Returns the numbers of all messages.
    fn numbers(&mut self) -> Result<Vec<u32>, Failure>;

    /// Returns what a list says of these messages.
    fn rows(&mut self, numbers: &[u32]) -> Result<Vec<Row>, Failure>;

    /// Returns a message.
    fn message(&mut self, number: u32) -> Result<Vec<u8>, Failure>;
}

/// Returns the failure of a number that no message has.
pub fn no_message(number: u32) -> Failure {
    Failure::new(Exit::Usage, Message::new("read-no-message").with("number", number))
}
