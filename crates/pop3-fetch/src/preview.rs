//! What a run would do.

use std::collections::HashMap;
use std::path::Path;

use pop3_blocking::Client;
use pop3_blocking::proto::codec::MessageNumber;

use crate::error::FetchError;
use crate::journal::{self, now};
use crate::journal_state::JournalState;
use crate::listing::{Listed, Listing, list};
use crate::plan::{Plan, is_deletion_due};
use crate::transfer_options::{OnIdsChanged, TransferOptions};

/// What a run would do with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intention {
    /// Fetch it.
    Fetch,
    /// Fetch it, and delete it on the server when it is stored.
    FetchAndDelete,
    /// Fetch it to compare it with a stored message, because its unique-id proves nothing.
    Compare,
    /// As `Compare`, and delete it on the server when it is known to be stored.
    CompareAndDelete,
    /// Delete it on the server: it is stored.
    Delete,
    /// Nothing: it is stored.
    Known,
    /// Leave it on the server: it is larger than the options allow.
    TooLarge,
    /// Leave it to a later run: the options allow no more in one.
    Later,
    /// Leave it on the server for now: several tries to fetch it have failed.
    SetAside,
    /// Leave it on the server: it has no unique-id, so each run would fetch it again.
    NoUniqueId,
}

/// A message of the server's listing, and what a run would do with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviewedMessage {
    /// The number of the message in this session.
    pub number: MessageNumber,
    /// The size that the server announces, in octets.
    pub octets: Option<u64>,
    /// What a run would do.
    pub intention: Intention,
}

/// Returns what a run would do now, in the order of the listing. Nothing is retrieved, stored or deleted, and the Maildir need not exist.
///
/// # Errors
/// The server does not list its messages, or the journal cannot be read.
pub fn preview(
    client: &mut Client,
    maildir: &Path,
    account: &str,
    options: &TransferOptions,
) -> Result<Vec<PreviewedMessage>, FetchError> {
    let state = journal::read(maildir, account)?;
    let has_uidl = client.capabilities().is_some_and(|capabilities| capabilities.uidl);
    let listing = list(client, has_uidl || !state.is_empty())?;
    if !listing.has_unique_ids && !options.deletes_all() {
        return Err(FetchError::NoUniqueIds);
    }
    intentions(&listing, &state, options, now())
}

fn intentions(
    listing: &Listing,
    state: &JournalState,
    options: &TransferOptions,
    now: u64,
) -> Result<Vec<PreviewedMessage>, FetchError> {
    let plan = Plan::new(listing, state, options, now);
    if plan.ids_changed && !state.are_ids_changed() && options.on_ids_changed == OnIdsChanged::Stop {
        return Err(FetchError::IdsChanged);
    }
    let vanished: Vec<_> = if plan.ids_changed { state.vanished(&plan.listed).collect() } else { Vec::new() };
    let mut intentions = HashMap::new();
    for planned in plan.to_retrieve.iter().chain(&plan.last) {
        let deletes_new = options.deletes_new(planned.stays);
        let records = state.records(&planned.unique_id);
        // The stored message may be recorded under the unique-id that it had before.
        let may_be = vanished.iter().map(|(_, record)| *record).filter(|record| record.octets == planned.octets);
        let is_due = |record| is_deletion_due(record, planned.stays, options, now);
        let deletes = deletes_new || records.iter().chain(may_be).any(is_due);
        // Without stored messages there is nothing to compare with.
        let intention = match planned.compare && !state.is_empty() {
            true if deletes => Intention::CompareAndDelete,
            true => Intention::Compare,
            false if deletes_new => Intention::FetchAndDelete,
            false => Intention::Fetch,
        };
        intentions.insert(planned.number, intention);
    }
    intentions.extend(plan.to_delete.iter().map(|message| (message.number, Intention::Delete)));
    intentions.extend(plan.too_large.iter().map(|number| (*number, Intention::TooLarge)));
    intentions.extend(plan.later.iter().map(|number| (*number, Intention::Later)));
    intentions.extend(plan.set_aside.iter().map(|number| (*number, Intention::SetAside)));
    intentions.extend(plan.nameless.iter().map(|number| (*number, Intention::NoUniqueId)));
    let intention = |number| intentions.get(&number).copied().unwrap_or(Intention::Known);
    let messages = listing.messages.iter();
    let previewed =
        |listed: &Listed| PreviewedMessage { number: listed.number, octets: listed.octets, intention: intention(listed.number) };
    Ok(messages.map(previewed).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry::{Entry, EntryKind};
    use crate::fingerprint::Fingerprint;
    use crate::journal_state::failure_key;

    #[test]
    fn each_message_has_the_intention_of_the_plan() {
        let mut state = JournalState::default();
        for unique_id in ["known", "changed"] {
            let fingerprint = Some(Fingerprint::of(unique_id.as_bytes()));
            state.add(Entry { octets: Some(10), fingerprint, ..Entry::new(EntryKind::Stored, unique_id.as_bytes()) });
        }
        state.add(Entry { octets: Some(3), ..Entry::new(EntryKind::Failed, &failure_key(b"bad", Some(10))) });
        let messages = [("known", 10), ("changed", 11), ("large", 99), ("bad", 10), ("", 10), ("new", 10)];
        let listed = |(at, (unique_id, octets)): (usize, (&str, u64))| Listed {
            number: MessageNumber::new(at as u32 + 1).unwrap(),
            unique_id: unique_id.as_bytes().into(),
            octets: Some(octets),
        };
        let messages = messages.into_iter().enumerate().map(listed).collect();
        let listing = Listing { messages, has_unique_ids: true, complete: true, missing: 0 };
        let intended = |options: TransferOptions| {
            let options = TransferOptions { max_message: Some(50), ..options };
            intentions(&listing, &state, &options, 0).unwrap().iter().map(|message| message.intention).collect::<Vec<_>>()
        };
        use Intention::*;
        assert_eq!(intended(TransferOptions::new(false)), [Known, Compare, TooLarge, SetAside, NoUniqueId, Fetch]);
        assert_eq!(
            intended(TransferOptions::new(true)),
            [Delete, CompareAndDelete, TooLarge, SetAside, CompareAndDelete, FetchAndDelete]
        );
        let newest = TransferOptions { keep_newest: 1, ..TransferOptions::new(true) };
        assert_eq!(intended(newest), [Delete, CompareAndDelete, TooLarge, SetAside, NoUniqueId, Fetch]);
    }
}
