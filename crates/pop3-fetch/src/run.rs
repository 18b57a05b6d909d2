//! The sessions of one run. Most runs have one. A run has more if the server ends sessions early, so that deletions are committed
//! in portions, and for messages that broke an earlier session: each of them is tried alone, after all other messages are stored.

use std::collections::HashSet;
use std::fmt;
use std::mem;
use std::time::Duration;

use pop3_blocking::proto::codec::Expire;
use pop3_blocking::{Client, Error};
use pop3_maildrop::Maildir;

use crate::account_maildir::AccountMaildir;
use crate::entry::EntryKind;
use crate::error::FetchError;
use crate::journal::{Journal, now};
use crate::listing::{Listing, list};
use crate::plan::{Deletable, MAX_TRIES, Plan, PlannedMessage};
use crate::progress::Progress;
use crate::summary::{Problem, RunSummary};
use crate::transfer::{BrokenSession, Transfer, TransferError, TransferState, Transferred};
use crate::transfer_options::{OnIdsChanged, TransferOptions};

/// Maximum number of sessions of one run.
const MAX_SESSIONS: usize = 100;

/// Maximum number of commands of a session that deletes, so that a broken session does not lose the deletions of a complete
/// maildrop.
const PORTION: usize = 2000;

/// Minimum number of commands with which a session makes progress.
const MIN_COMMANDS: usize = 4;

/// One run for one account.
pub struct Run<'a> {
    maildir: &'a Maildir,
    journal: &'a mut Journal,
    options: &'a TransferOptions,
    progress: &'a dyn Progress,
    summary: RunSummary,
    /// The keys of messages that this run does not try again: they broke a session, were tried alone, or arrived incomplete.
    tried: HashSet<Box<[u8]>>,
    /// Everything is done except for messages that must be tried alone.
    alone: bool,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("summary", &self.summary).finish_non_exhaustive()
    }
}

/// The continuation of a run: its end, or another session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Done,
    Session,
}

impl<'a> Run<'a> {
    /// Creates a run. It does nothing until [`fetch_new`](Self::fetch_new) is called.
    pub fn new(account: &'a mut AccountMaildir, options: &'a TransferOptions, progress: &'a dyn Progress) -> Self {
        let AccountMaildir { maildir, journal } = account;
        Self { maildir, journal, options, progress, summary: RunSummary::default(), tried: HashSet::new(), alone: false }
    }

    /// Returns the results so far, also after a failure.
    pub const fn summary(&self) -> &RunSummary {
        &self.summary
    }

    /// Returns the results so far, and ends the run.
    pub fn into_summary(self) -> RunSummary {
        self.summary
    }

    /// Fetches new messages in sessions that `connect` opens and logs in, and ends each session. Most runs call `connect` once.
    /// It is called again if one session is not enough: if the server ends sessions early, or if a message broke a session.
    ///
    /// # Errors
    /// Fails if the first session cannot be opened, if a session breaks that does not try a message alone, or if the disk does
    /// not accept the mail. Messages stored by then stay stored and recorded.
    pub fn fetch_new(&mut self, connect: &mut dyn FnMut() -> Result<Client, Error>) -> Result<(), FetchError> {
        for session in 0..MAX_SESSIONS {
            let client = match connect() {
                Ok(client) => client,
                Err(error) if session == 0 => return Err(error.into()),
                Err(error) => {
                    self.summary.problems.push(Problem::NextSession(error));
                    break;
                }
            };
            if self.session(client, session == 0)? == Next::Done {
                break;
            }
        }
        Ok(())
    }

    fn session(&mut self, mut client: Client, is_first: bool) -> Result<Next, FetchError> {
        // A server without `CAPA` has no extensions (S43).
        let capabilities = optional(client.capa())?.unwrap_or_default();
        let expires_at_once = capabilities.expire == Some(Expire::Days(0)) && !self.options.deletes_all();
        if expires_at_once {
            // Some servers announce this but do not delete (Q13).
            tracing::info!("the server announces that it may delete messages after retrieval");
        }
        if let Some(Expire::Days(days @ 1..)) = capabilities.expire
            && is_first
            && self.options.delete
            && self.options.delete_after > Duration::from_secs(days.saturating_mul(24 * 3600))
        {
            tracing::warn!(
                "the server announces that it deletes messages itself after {days} days, before their time has come here"
            );
        }
        let listing = list(&mut client, capabilities.uidl || !self.journal.state().is_empty())?;
        if !listing.has_unique_ids && !self.options.deletes_all() {
            return Err(FetchError::NoUniqueIds);
        }
        let mut plan = Plan::new(&listing, self.journal.state(), self.options, now());
        if plan.ids_changed {
            let is_new = !self.journal.state().are_ids_changed();
            if is_new && self.options.on_ids_changed == OnIdsChanged::Stop {
                return Err(FetchError::IdsChanged);
            }
            self.summary.ids_changed |= is_new;
            // Neither an interrupted run nor one that comes late may take the rest for new mail.
            if is_new || plan.to_retrieve.iter().any(|planned| planned.compare) {
                self.journal.record_property(EntryKind::IdsChanged, None)?;
            }
        }
        if is_first {
            self.report_plan(&plan, &listing);
        }
        plan.last.retain(|planned| !self.tried.contains(&planned.failure_key()));
        let last = mem::take(&mut plan.last);
        // A second login would violate the pause that the server requires between logins.
        let one_session = capabilities.login_delay.is_some_and(|seconds| seconds > 0);
        if is_first {
            self.summary.known += plan.known;
            self.summary.kept += plan.kept;
            self.summary.too_large += plan.too_large.len() as u64;
            self.summary.later += plan.later.len() as u64;
            self.alone = plan.to_retrieve.is_empty() && plan.to_delete.is_empty();
        }
        let alone = self.alone;
        let others = last.len() - usize::from(alone && !last.is_empty());
        if alone {
            plan.to_retrieve = last.into_iter().take(1).collect();
            plan.to_delete = Vec::new();
            self.tried.extend(plan.to_retrieve.iter().map(PlannedMessage::failure_key));
        }
        let pipelined = capabilities.pipelining && !self.journal.state().is_pipelining_broken() && !alone;
        let listed = plan.listed.clone();
        // The options allow no more in this run.
        let is_full = !plan.later.is_empty();
        self.progress.session_planned(plan.octets());
        let budget = self.budget();
        let before = self.progress_made();
        let transfer = Transfer {
            client: &mut client,
            maildir: self.maildir,
            journal: self.journal,
            progress: self.progress,
            options: self.options,
            summary: &mut self.summary,
            window: if pipelined { self.options.window.max(1) } else { 1 },
            budget,
            state: TransferState::default(),
        };
        let Transferred { mut deleted, more, answered, requested_in_vain, failed } = match transfer.run(plan) {
            Ok(transferred) => transferred,
            Err(TransferError::Disk(error)) => return Err(error),
            Err(TransferError::Session(broken)) => {
                self.record_break(&broken)?;
                if !alone {
                    return Err(broken.error.into());
                }
                self.report_broken(*broken);
                return Ok(if others > 0 && !one_session { Next::Session } else { Next::Done });
            }
        };
        if expires_at_once {
            // Some servers mark retrieved messages for removal; `RSET` clears these marks if the server supports that (Q40).
            // It clears those of our own deletions, too.
            if optional(client.rset())?.is_some() {
                self.delete_again(&mut client, &mut deleted)?;
            }
        }
        self.journal.state_mut().keep_listed(&listed, listing.complete, now());
        let is_done = self.quit(client, deleted.is_empty())?;
        if !is_done && requested_in_vain {
            // An earlier deletion had no effect, either: sessions may be too long to reach their `QUIT`.
            self.lower_command_limit(answered)?;
        }
        if is_done {
            for message in &deleted {
                self.journal.state_mut().confirm_deletion(&message.unique_id, message.fingerprint, message.again);
            }
        }
        self.journal.save()?;
        self.tried.extend(failed);
        // After a session without progress, another session would make no progress, either.
        let progress = self.progress_made() != before;
        let more = more && progress;
        self.alone |= !more;
        let unfinished = is_done && !is_full && (more || others > 0);
        if unfinished && one_session {
            tracing::info!("the remaining messages wait for the next run: the server requires a pause between logins");
        }
        Ok(if unfinished && !one_session { Next::Session } else { Next::Done })
    }

    /// Requests deletions once more, and removes those that the server refuses from `deleted`.
    fn delete_again(&mut self, client: &mut Client, deleted: &mut Vec<Deletable>) -> Result<(), FetchError> {
        for (number, result) in client.deles(deleted.iter().map(|message| message.number))? {
            if let Err(refusal) = result {
                deleted.retain(|message| message.number != number);
                self.summary.deleted -= 1;
                self.summary.problems.push(Problem::NotDeleted { number, text: refusal.to_string() });
            }
        }
        Ok(())
    }

    /// Returns the maximum number of commands of one session.
    fn budget(&self) -> usize {
        match self.journal.state().command_limit() {
            Some(limit) => (limit as usize).max(MIN_COMMANDS),
            None if self.options.delete => PORTION,
            None => usize::MAX,
        }
    }

    /// Returns what the next session need not do again.
    const fn progress_made(&self) -> (u64, u64, u64) {
        (self.summary.fetched, self.summary.deleted, self.summary.recognised)
    }

    fn report_plan(&mut self, plan: &Plan, listing: &Listing) {
        let problems = &mut self.summary.problems;
        if !plan.nameless.is_empty() {
            problems.push(Problem::NoUniqueId { messages: plan.nameless.len() as u64 });
        }
        if listing.missing > 0 {
            problems.push(Problem::NotListed { messages: listing.missing as u64 });
        }
        problems.extend(plan.set_aside.iter().map(|number| Problem::SetAside { number: *number }));
    }

    fn report_broken(&mut self, broken: BrokenSession) {
        let Some(planned) = broken.culprit else { return };
        let tries = self.journal.state().failures(&planned.failure_key()).map_or(1, |failures| failures.tries);
        let set_aside = tries >= MAX_TRIES;
        self.summary.problems.push(Problem::SessionBroke { number: planned.number, error: broken.error, set_aside });
    }

    /// Records what a broken session reveals about the message and about the server.
    fn record_break(&mut self, broken: &BrokenSession) -> Result<(), FetchError> {
        let mut recorded = Ok(());
        if let Some(planned) = &broken.culprit {
            self.tried.insert(planned.failure_key());
            recorded = self.journal.record_failure(&planned.failure_key()).map(drop);
        }
        let limited = self.journal.state().command_limit();
        if broken.pipelined && (broken.out_of_step || limited.is_some()) {
            tracing::warn!("the server seems to mix up pipelined commands; from now on they are sent one at a time");
            recorded = recorded.and_then(|()| self.journal.record_property(EntryKind::PipeliningBroken, None));
        }
        recorded?;
        if broken.error.is_disconnect() && broken.answered >= MIN_COMMANDS {
            self.lower_command_limit(broken.answered)?;
        }
        Ok(())
    }

    /// Records a lower limit on commands per session, because some servers end a session after a number of commands or minutes.
    fn lower_command_limit(&mut self, answered: usize) -> Result<(), FetchError> {
        let half = (answered / 2).max(MIN_COMMANDS);
        let limit = self.journal.state().command_limit().map_or(half, |limit| half.min(limit as usize));
        self.journal.record_property(EntryKind::CommandLimit, Some(limit as u64))
    }

    /// Ends the session. Returns `true` if all deleted messages are removed, and `false` if not all are removed or the result is
    /// unknown. In the last two cases, the next run compares the messages that the server still lists, and deletes them then.
    // Q43, Q44, H48
    fn quit(&mut self, client: Client, nothing_deleted: bool) -> Result<bool, FetchError> {
        match client.quit() {
            Ok(()) => Ok(true),
            Err(error) if error.refusal().is_some() => {
                self.summary.problems.push(Problem::NotAllRemoved(error));
                self.summary.deleted = 0;
                Ok(false)
            }
            Err(error) if error.is_disconnect() && nothing_deleted => {
                tracing::debug!(%error, "the server closed the connection before its reply to QUIT");
                Ok(true)
            }
            Err(error) if error.is_disconnect() => {
                self.summary.problems.push(Problem::RemovalUnknown(error));
                self.summary.deleted = 0;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Returns the result of an optional command, or `None` if the server refuses the command permanently.
fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.refusal().is_some_and(|refusal| !refusal.is_transient()) => Ok(None),
        Err(error) => Err(error),
    }
}
