//! A batch of messages, and the steps that store it durably.

use std::time::Instant;

use pop3_maildrop::{Maildir, PreparedMessage};

use crate::error::FetchError;
use crate::fingerprint::Fingerprint;
use crate::journal::{Journal, Stored};
use crate::plan::PlannedMessage;
use crate::transfer_options::TransferOptions;

/// Messages that wait for the next sync.
#[derive(Default)]
pub struct Batch {
    messages: Vec<WaitingMessage>,
    octets: u64,
    /// The time at which the first of them was added.
    since: Option<Instant>,
}

/// A message whose file is written, but neither synced nor visible.
pub struct WaitingMessage {
    pub planned: PlannedMessage,
    pub prepared: PreparedMessage,
    pub fingerprint: Fingerprint,
    pub suspect: bool,
    /// The deletion on the server is requested as soon as the message is stored.
    pub delete: bool,
}

/// A message that is stored durably.
pub struct StoredMessage {
    pub planned: PlannedMessage,
    pub fingerprint: Fingerprint,
    pub delete: bool,
    suspect: bool,
    /// The size of its file, in octets.
    pub octets: u64,
    name: String,
}

impl Batch {
    /// Adds a message.
    pub fn push(&mut self, message: WaitingMessage) {
        self.since.get_or_insert_with(Instant::now);
        self.octets += message.prepared.octets();
        self.messages.push(message);
    }

    /// Returns `true` if the batch contains no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// Returns `true` if the batch must be committed before more messages are added.
    pub fn is_full(&self, options: &TransferOptions) -> bool {
        self.messages.len() >= options.messages
            || self.octets >= options.octets
            || self.since.is_some_and(|since| since.elapsed() >= options.time)
    }

    /// Syncs the messages to disk, makes them visible and records them, in this order. If a crash interrupts these steps, the
    /// next run completes them.
    ///
    /// # Errors
    /// Fails if the disk does not accept a step. Then no further batch may be committed, because a repeated sync may seem to
    /// succeed.
    // H43, H45
    pub fn commit(self, maildir: &Maildir, journal: &mut Journal) -> Result<Vec<StoredMessage>, FetchError> {
        let disk = |error| FetchError::disk(maildir.path(), error);
        maildir.sync_tmp().map_err(disk)?;
        journal.record_intended(self.messages.iter().map(WaitingMessage::as_stored))?;
        let mut stored = Vec::new();
        for message in self.messages {
            let WaitingMessage { planned, prepared, fingerprint, suspect, delete } = message;
            let (name, octets) = (prepared.name().to_owned(), prepared.octets());
            prepared.commit().map_err(disk)?;
            stored.push(StoredMessage { planned, fingerprint, suspect, delete, octets, name });
        }
        maildir.sync_new().map_err(disk)?;
        journal.record_stored(stored.iter().map(StoredMessage::as_stored))?;
        Ok(stored)
    }
}

impl WaitingMessage {
    fn as_stored(&self) -> Stored<'_> {
        let Self { planned, prepared, fingerprint, suspect, delete } = self;
        let (unique_id, octets, name) = (&*planned.unique_id, planned.octets, prepared.name());
        Stored { unique_id, name, octets, fingerprint: *fingerprint, suspect: *suspect, deleting: *delete }
    }
}

impl StoredMessage {
    fn as_stored(&self) -> Stored<'_> {
        let Self { planned, name, fingerprint, suspect, delete, .. } = self;
        let (unique_id, octets) = (&*planned.unique_id, planned.octets);
        Stored { unique_id, name, octets, fingerprint: *fingerprint, suspect: *suspect, deleting: *delete }
    }
}
