//! What a run has done, for a person and for a script.

use indicatif::HumanBytes;

use crate::failure::{Exit, Failure};

/// What a run has done.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// Messages that were stored, and their octets on the disk.
    pub fetched: u64,
    pub octets: u64,
    pub deleted: u64,
    /// Messages that were stored already.
    pub known: u64,
    /// Messages that the server keeps although it confirmed their deletion.
    pub kept: u64,
    /// What could not be done, for a person.
    pub troubles: Vec<String>,
}

impl RunSummary {
    /// One line for a person.
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

    /// An error if something could not be done.
    pub fn check(&self) -> Result<(), Failure> {
        if self.troubles.is_empty() {
            return Ok(());
        }
        Err(Failure::new(Exit::SomeFailed, self.troubles.join("\npop3: "))
            .hint("Everything else is done. The next run tries the rest again."))
    }
}

/// "1 message", "2 messages".
pub fn messages(count: u64) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}
