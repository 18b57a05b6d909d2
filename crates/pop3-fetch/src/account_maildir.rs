//! A Maildir with the journal of one account.

use std::path::Path;

use pop3_maildrop::Maildir;

use crate::error::FetchError;
use crate::journal::{self, Journal};
use crate::journal_state::JournalState;
use crate::leftovers;

/// A Maildir and the journal of one account in it. The journal is locked as long as this value exists, so two runs never fetch
/// one account at the same time.
#[derive(Debug)]
pub struct AccountMaildir {
    pub(crate) maildir: Maildir,
    pub(crate) journal: Journal,
}

impl AccountMaildir {
    /// Opens the journal of `account`, or creates it, and completes the deliveries that were interrupted in an earlier run. Old
    /// files of interrupted deliveries in `tmp` are removed.
    ///
    /// The account is any text that names one maildrop, such as `joe@pop.example.org`. Use the same text in each run for one
    /// account, and different texts for different accounts.
    ///
    /// # Errors
    /// Fails with [`FetchError::Locked`] if another run holds the journal, and with [`FetchError::Disk`] if the Maildir or the
    /// journal cannot be read or written.
    pub fn open(maildir: Maildir, account: &str) -> Result<Self, FetchError> {
        let mut journal = Journal::open(maildir.disk(), maildir.path(), account)?;
        journal.complete_interrupted(&maildir)?;
        // Leftovers are removed after the completion, which may need them.
        leftovers::remove(maildir.path());
        Ok(Self { maildir, journal })
    }

    /// Records the unique-ids of messages that another program has fetched, and returns how many of them were not recorded already. A run
    /// does not fetch these messages, and never deletes them on the server, because it cannot know whether they are safe.
    ///
    /// # Errors
    /// Fails with [`FetchError::Disk`] if the journal cannot be written.
    pub fn import<'a>(&mut self, unique_ids: impl IntoIterator<Item = &'a [u8]>) -> Result<usize, FetchError> {
        self.journal.record_imported(unique_ids)
    }

    /// Forgets which messages were fetched: the next run fetches all that the server has, also those that are stored.
    ///
    /// # Errors
    /// Fails with [`FetchError::Disk`] if the journal cannot be written; then nothing is forgotten.
    pub fn forget(mut self) -> Result<(), FetchError> {
        self.journal.forget()
    }

    /// Returns the contents of an account's journal in a folder, without a lock and without any change.
    ///
    /// # Errors
    /// Fails with [`FetchError::Disk`] if the journal cannot be read.
    pub fn read_state(folder: &Path, account: &str) -> Result<JournalState, FetchError> {
        journal::read(folder, account)
    }

    /// Returns the journal's contents: the messages that are stored.
    pub const fn state(&self) -> &JournalState {
        self.journal.state()
    }
}
