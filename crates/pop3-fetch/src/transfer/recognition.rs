//! Recognises retrieved messages that are stored already.

use std::collections::HashMap;

use crate::entry::EntryKind;
use crate::error::FetchError;
use crate::fingerprint::Fingerprint;
use crate::journal::Journal;
use crate::journal_state::{JournalState, MessageState, Record};
use crate::plan::{Plan, PlannedMessage};

/// Compares retrieved messages with stored ones.
#[derive(Default)]
pub struct Recognition {
    /// The number of messages that the server lists under each unique-id.
    listed: HashMap<Box<[u8]>, u32>,
    /// The unique-ids of stored messages by fingerprint, if unique-ids do not identify messages.
    stored_ids: Option<HashMap<Fingerprint, Vec<Box<[u8]>>>>,
    /// The number of recognised messages by unique-id and fingerprint, so that no stored message is matched twice.
    recognised: HashMap<(Box<[u8]>, Fingerprint), usize>,
    /// The number of messages that were found under another unique-id.
    renamed: u64,
}

/// Returns the unique-ids of the stored messages that the server no longer lists, by fingerprint.
fn vanished_ids(plan: &Plan, state: &JournalState) -> HashMap<Fingerprint, Vec<Box<[u8]>>> {
    let mut ids: HashMap<_, Vec<Box<[u8]>>> = HashMap::new();
    for (unique_id, record) in state.vanished(&plan.listed) {
        if let Some(fingerprint) = record.fingerprint {
            ids.entry(fingerprint).or_default().push(unique_id.into());
        }
    }
    ids
}

impl Recognition {
    /// Creates the comparison for one session.
    pub fn new(plan: &Plan, state: &JournalState) -> Self {
        let stored_ids = match (plan.doubtful, plan.ids_changed) {
            (true, _) => Some(state.by_fingerprint()),
            (false, true) => Some(vanished_ids(plan, state)),
            (false, false) => None,
        };
        Self { listed: plan.listed.clone(), stored_ids, recognised: HashMap::new(), renamed: 0 }
    }

    /// Returns the record of the stored message that a retrieved message is equal to, if there is one, and updates its size.
    pub fn recognise(&mut self, state: &mut JournalState, planned: &PlannedMessage, fingerprint: Fingerprint) -> Option<Record> {
        self.follow_renaming(state, planned, fingerprint);
        let mut same = state.records(&planned.unique_id).iter().filter(|record| record.fingerprint == Some(fingerprint));
        let taken = self.recognised.entry((planned.unique_id.clone(), fingerprint)).or_default();
        let record = same.nth(*taken).copied()?;
        *taken += 1;
        state.clear_failures(&planned.failure_key());
        if record.octets != planned.octets {
            state.resize(&planned.unique_id, fingerprint, planned.octets);
        }
        Some(record)
    }

    /// Returns the number of messages that were found under another unique-id.
    pub const fn renamed(&self) -> u64 {
        self.renamed
    }

    /// Counts a message that this session has stored, so that a second one with this unique-id and contents does not match it.
    pub fn add_stored(&mut self, planned: &PlannedMessage, fingerprint: Fingerprint) {
        *self.recognised.entry((planned.unique_id.clone(), fingerprint)).or_default() += 1;
    }

    /// Moves a stored message to its new unique-id. If unique-ids do not identify messages, a message with an equal fingerprint
    /// under another unique-id is the stored message.
    fn follow_renaming(&mut self, state: &mut JournalState, planned: &PlannedMessage, fingerprint: Fingerprint) {
        let is_here = |records: &[Record]| records.iter().any(|record| record.fingerprint == Some(fingerprint));
        let Some(ids) = self.stored_ids.as_mut().and_then(|ids| ids.get_mut(&fingerprint)) else { return };
        if is_here(state.records(&planned.unique_id)) {
            ids.retain(|unique_id| *unique_id != planned.unique_id);
        } else if let Some(old) = ids.pop() {
            state.rename(&old, fingerprint, &planned.unique_id);
            self.renamed += 1;
        }
    }

    /// Records that the unique-id of a new message denoted another message before. Returns `false` if it did not, as far as is
    /// known.
    ///
    /// # Errors
    /// Fails if the disk does not accept the record.
    pub fn record_reuse(&self, journal: &mut Journal, planned: &PlannedMessage) -> Result<bool, FetchError> {
        let records = journal.state().records(&planned.unique_id);
        let is_alone = self.listed.get(&planned.unique_id).is_some_and(|count| *count == 1);
        if records.is_empty() || !is_alone {
            return Ok(false);
        }
        // After a deletion a server may reuse the unique-id (RFC 1939 §7), but not before.
        let illegal = records.iter().all(|record| !matches!(record.state, MessageState::Deleting | MessageState::Deleted));
        // If unique-ids do not identify messages, the stored message may be listed under another unique-id.
        if self.stored_ids.is_none() {
            journal.state_mut().forget(&planned.unique_id);
        }
        if illegal && !journal.state().are_ids_reused() {
            tracing::warn!("the server reuses unique-ids; messages are compared before they are deleted");
            journal.record_property(EntryKind::IdsReused, None)?;
        }
        Ok(true)
    }
}
