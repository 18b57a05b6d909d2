//! The sessions of one run. Most runs have one. A run has more if the server ends sessions early, so that deletions are committed
//! in portions, and for messages that broke an earlier session: each of them is tried alone, after all other messages are stored.

use std::collections::HashSet;
use std::mem;

use indicatif::ProgressBar;
use pop3_blocking::proto::codec::Expire;
use pop3_blocking::{Client, Error};
use pop3_maildrop::Maildir;

use super::RunSummary;
use super::journal::{Journal, now};
use super::listing::{Listing, ListingError, list};
use super::notes::Mark;
use super::plan::{MAX_TRIES, Plan, Wanted};
use super::summary::messages;
use super::transfer::{Broken, Transfer, TransferState, Transferred, Trouble};
use super::transfer_options::TransferOptions;
use crate::failure::{Exit, Failure};

/// Maximum number of sessions of one run.
const MAX_SESSIONS: usize = 100;

/// Maximum number of commands of a session that deletes, so that a broken session does not lose the deletions of a complete
/// maildrop.
const PORTION: usize = 2000;

/// Minimum number of commands with which a session makes progress.
const MIN_COMMANDS: usize = 4;

/// One run for one account.
pub struct Run<'a> {
    pub maildir: &'a Maildir,
    pub journal: &'a mut Journal,
    pub options: &'a TransferOptions,
    pub bar: &'a ProgressBar,
    summary: RunSummary,
    /// The keys of messages that this run does not try again: they broke a session, were tried alone, or arrived incomplete.
    tried: HashSet<Box<[u8]>>,
    /// Everything is done except for messages that must be tried alone.
    alone: bool,
}

/// The continuation of a run: its end, or another session.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Done,
    Session,
}

impl<'a> Run<'a> {
    pub fn new(maildir: &'a Maildir, journal: &'a mut Journal, options: &'a TransferOptions, bar: &'a ProgressBar) -> Self {
        Self { maildir, journal, options, bar, summary: RunSummary::default(), tried: HashSet::new(), alone: false }
    }

    /// Fetches new messages in sessions that `connect` opens and logs in, and ends each session.
    ///
    /// # Errors
    /// Fails if the first session cannot be opened, if a session breaks that does not try a message alone, or if the disk does
    /// not accept the mail. Messages stored by then stay stored and recorded.
    pub fn fetch_new(mut self, connect: &mut dyn FnMut() -> Result<Client, Failure>) -> Result<RunSummary, Failure> {
        for session in 0..MAX_SESSIONS {
            let client = match connect() {
                Ok(client) => client,
                Err(failure) if session == 0 => return Err(failure),
                Err(failure) => {
                    self.summary.troubles.push(format!("the rest has to wait for the next run: {failure}"));
                    break;
                }
            };
            if self.session(client, session == 0)? == Next::Done {
                break;
            }
        }
        Ok(self.summary)
    }

    fn session(&mut self, mut client: Client, is_first: bool) -> Result<Next, Failure> {
        let delete = self.options.delete;
        // A server without `CAPA` has no extensions (S43).
        let capabilities = optional(client.capa())?.unwrap_or_default();
        let expires_at_once = capabilities.expire == Some(Expire::Days(0)) && !delete;
        if expires_at_once {
            // Some servers announce this but do not delete (Q13).
            tracing::info!("the server says that it may delete messages once they are fetched");
        }
        let listing = list(&mut client, capabilities.uidl || !self.journal.notes().is_empty()).map_err(explain)?;
        if !listing.has_unique_ids && !delete {
            return Err(Failure::new(
                Exit::Other,
                "the server has no UIDL, so what was fetched once cannot be told from what was not",
            )
            .hint("Use --delete: then everything that is there is new."));
        }
        let mut plan = Plan::new(&listing, self.journal.notes(), self.options, now());
        if is_first {
            self.tell(&plan, &listing);
        }
        plan.last.retain(|wanted| !self.tried.contains(&wanted.failure_key()));
        let last = mem::take(&mut plan.last);
        // A second login would violate the pause that the server demands between logins.
        let one_session = capabilities.login_delay.is_some_and(|seconds| seconds > 0);
        if is_first {
            self.summary.known += plan.known;
            self.summary.kept += plan.kept;
            self.alone = plan.wanted.is_empty() && plan.to_delete.is_empty();
        }
        let alone = self.alone;
        let others = last.len() - usize::from(alone && !last.is_empty());
        if alone {
            plan.wanted = last.into_iter().take(1).collect();
            plan.to_delete = Vec::new();
            self.tried.extend(plan.wanted.iter().map(Wanted::failure_key));
        }
        let pipelined = capabilities.pipelining && !self.journal.notes().is_pipelining_broken() && !alone;
        let listed = plan.listed.clone();
        self.bar.set_length(plan.octets());
        let budget = self.budget();
        let before = (self.summary.fetched, self.summary.deleted);
        let transfer = Transfer {
            client: &mut client,
            maildir: self.maildir,
            journal: self.journal,
            bar: self.bar,
            options: self.options,
            summary: &mut self.summary,
            window: if pipelined { self.options.window.max(1) } else { 1 },
            budget,
            state: TransferState::default(),
        };
        let Transferred { deleted, more, answered, requested_in_vain, failed } = match transfer.run(plan) {
            Ok(transferred) => transferred,
            Err(Trouble::Disk(failure)) => return Err(failure),
            Err(Trouble::Session(broken)) => {
                self.learn(&broken)?;
                if !alone {
                    return Err(self.session_failure(broken.error));
                }
                self.tell_failed(&broken);
                return Ok(if others > 0 && !one_session { Next::Session } else { Next::Done });
            }
        };
        if expires_at_once {
            // Some servers mark retrieved messages for removal; `RSET` clears these marks if the server supports that (Q40).
            optional(client.rset())?;
        }
        self.journal.notes_mut().keep_listed(&listed, listing.complete, now());
        let is_done = self.quit(client, deleted.is_empty())?;
        if !is_done && requested_in_vain {
            // An earlier deletion was in vain, too: the session may be too long to reach its `QUIT`.
            self.learn_limit(answered)?;
        }
        if is_done {
            for message in &deleted {
                self.journal.notes_mut().confirm_deletion(&message.unique_id, message.fingerprint, message.again);
            }
        }
        self.journal.save().map_err(|error| Failure::file(self.journal.path(), &error))?;
        self.tried.extend(failed);
        // A session without progress is not followed by another one like it.
        let progress = (self.summary.fetched, self.summary.deleted) != before;
        let more = more && progress;
        self.alone |= !more;
        let unfinished = is_done && (more || others > 0);
        if unfinished && one_session {
            tracing::info!("the rest is left to the next run, as the server demands a pause between logins");
        }
        Ok(if unfinished && !one_session { Next::Session } else { Next::Done })
    }

    /// Returns the maximum number of commands of one session.
    fn budget(&self) -> usize {
        match self.journal.notes().command_limit() {
            Some(limit) => (limit as usize).max(MIN_COMMANDS),
            None if self.options.delete => PORTION,
            None => usize::MAX,
        }
    }

    fn tell(&mut self, plan: &Plan, listing: &Listing) {
        let troubles = &mut self.summary.troubles;
        if plan.nameless > 0 {
            let count = messages(plan.nameless as u64);
            troubles.push(format!("{count} not fetched: the server gives no unique-id (--delete fetches such messages)"));
        }
        if listing.missing > 0 {
            troubles
                .push(format!("{} not fetched: the server counts more messages than it lists", messages(listing.missing as u64)));
        }
        for number in &plan.set_aside {
            troubles.push(format!(
                "message {number} is set aside: {MAX_TRIES} tries to fetch it have failed; it is tried again once a day"
            ));
        }
    }

    fn tell_failed(&mut self, broken: &Broken) {
        let Some(wanted) = &broken.culprit else { return };
        let tries = self.journal.notes().failures(&wanted.failure_key()).map_or(1, |failures| failures.tries);
        let next = if tries < MAX_TRIES { "it is tried again next time" } else { "it is set aside, and tried again once a day" };
        self.summary.troubles.push(format!("message {} was not fetched: {}; {next}", wanted.number, broken.error));
    }

    /// Records what a broken session reveals about the message and about the server.
    fn learn(&mut self, broken: &Broken) -> Result<(), Failure> {
        let journal = &mut *self.journal;
        let mut noted = Ok(());
        if let Some(wanted) = &broken.culprit {
            self.tried.insert(wanted.failure_key());
            noted = journal.record_failure(&wanted.failure_key()).map(drop);
        }
        let limited = journal.notes().command_limit();
        if broken.pipelined && (broken.out_of_step || limited.is_some()) {
            tracing::warn!("the server seems to mix up pipelined commands, so they are sent one at a time from now on");
            noted = noted.and_then(|()| journal.record_learnt(Mark::PipeliningBroken, b"", None));
        }
        noted.map_err(|error| Failure::file(self.journal.path(), &error))?;
        if broken.error.is_disconnect() && broken.answered >= MIN_COMMANDS {
            self.learn_limit(broken.answered)?;
        }
        Ok(())
    }

    /// Records a lower limit on commands per session, because some servers end a session after a number of commands or minutes.
    fn learn_limit(&mut self, answered: usize) -> Result<(), Failure> {
        let half = (answered / 2).max(MIN_COMMANDS);
        let limit = self.journal.notes().command_limit().map_or(half, |limit| half.min(limit as usize));
        let noted = self.journal.record_learnt(Mark::CommandLimit, b"", Some(limit as u64));
        noted.map_err(|error| Failure::file(self.journal.path(), &error))
    }

    fn session_failure(&self, error: Error) -> Failure {
        let failure = Failure::from(error);
        match self.summary.fetched {
            0 => failure,
            1 => failure.and("1 message is safely stored. Run it again for the rest."),
            count => failure.and(format_args!("{count} messages are safely stored. Run it again for the rest.")),
        }
    }

    /// Ends the session. There are three results: removed, not all removed (Q44), unknown (Q43, H48). After the last two nothing
    /// is assumed: messages that the next run still finds are compared, and deleted then. Returns `true` if all messages are
    /// removed.
    fn quit(&mut self, client: Client, nothing_deleted: bool) -> Result<bool, Failure> {
        match client.quit() {
            Ok(()) => Ok(true),
            Err(error) if error.refusal().is_some() => {
                self.summary.troubles.push(format!("the server did not remove all that was deleted: {error}"));
                self.summary.deleted = 0;
                Ok(false)
            }
            Err(error) if error.is_disconnect() && nothing_deleted => {
                tracing::debug!(%error, "the server closed the connection without a farewell");
                Ok(true)
            }
            Err(error) if error.is_disconnect() => {
                self.summary.troubles.push(format!("it is not known whether the server removed what was deleted: {error}"));
                self.summary.deleted = 0;
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }
}

fn explain(error: ListingError) -> Failure {
    match error {
        ListingError::Session(error) => error.into(),
        ListingError::NoUniqueIds => {
            Failure::new(Exit::TryLater, "the server does not list its unique-ids now").hint("Try again later.")
        }
        ListingError::NamedTwice => {
            Failure::new(Exit::Connection, "the server's listing names a message twice, so it cannot be trusted")
        }
        ListingError::Endless => Failure::new(
            Exit::Connection,
            "the server's listing names far more messages than the server counts, so it cannot be trusted",
        ),
    }
}

/// Returns the result of a command that a server need not support, or `None` if the server refuses it permanently.
fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.refusal().is_some_and(|refusal| !refusal.is_transient()) => Ok(None),
        Err(error) => Err(error),
    }
}
