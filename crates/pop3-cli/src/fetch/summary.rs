//! The result of a run, for the user and for scripts.

use indicatif::HumanBytes;

use crate::failure::{Exit, Failure};

/// The result of a run.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// The number of messages that were fetched and stored.
    pub fetched: u64,
    /// The size of these messages on disk, in octets.
    pub octets: u64,
    pub deleted: u64,
    /// The number of messages that were stored already.
    pub known: u64,
    /// The number of messages that the server keeps although it confirmed their deletion.
    pub kept: u64,
    /// Descriptions of all failures, for the user.
    pub troubles: Vec<String>,
}

impl RunSummary {
    /// Returns a summary in one line, for the user.
    pub fn line(&self) -> String {
        let mut text = match self.fetched {
            0 => "nothing new".to_owned(),
            count => format!("{} ({}) fetched", messages(count), HumanBytes(self.octets)),
        };
        if self.deleted > 0 {
            text += &format!(", {} deleted on the server", self.deleted);
        }
        if self.known > 0 {
            text += &format!(", {} known already", self.known);
        }
        if self.kept > 0 {
            text += &format!(", {} still on the server although it said that they were deleted", self.kept);
        }
        text
    }

    /// Returns a failure with all troubles if there are any.
    pub fn check(&self) -> Result<(), Failure> {
        if self.troubles.is_empty() {
            return Ok(());
        }
        Err(Failure::new(Exit::SomeFailed, self.troubles.join("\npop3: "))
            .hint("Everything else is done. The next run tries the rest again."))
    }
}

/// Returns text such as "1 message" or "2 messages".
pub fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
