//! The transfer of one session. Messages are retrieved, delivered, synced and recorded, and only then deleted. A message that
//! arrives incomplete counts as not retrieved.
// H43, Q38

use std::collections::{HashMap, VecDeque};
use std::io;
use std::mem;
use std::time::Instant;

use indicatif::ProgressBar;
use pop3_blocking::proto::client::{ClientEvent, RemoteError, RequestError, Tag};
use pop3_blocking::proto::codec::{Command, Escaped, MessageNumber, Status, Verb};
use pop3_blocking::{Client, Error};
use pop3_maildrop::{Delivery, Maildir, Prepared};

use super::RunSummary;
use super::fingerprint::Fingerprint;
use super::journal::{Journal, Stored};
use super::notes::{Mark, Record, State};
use super::plan::{Deletable, MAX_TRIES, Plan, Wanted};
use super::soundness::{Inspector, Soundness};
use super::transfer_options::TransferOptions;
use crate::failure::{Exit, Failure};

/// The failure of a broken session.
pub struct Broken {
    pub error: Error,
    /// The message that probably caused the failure, if there is one.
    pub culprit: Option<Wanted>,
    /// The number of commands that were answered.
    pub answered: usize,
    /// Several commands were waiting for their replies.
    pub pipelined: bool,
    /// A reply arrived that did not fit its command.
    pub out_of_step: bool,
}

/// The reason why a transfer ended early.
pub enum Trouble {
    Disk(Failure),
    Session(Box<Broken>),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Disk(failure)
    }
}

/// A transfer over one session.
pub struct Transfer<'a> {
    pub client: &'a mut Client,
    pub maildir: &'a Maildir,
    pub journal: &'a mut Journal,
    pub bar: &'a ProgressBar,
    pub options: &'a TransferOptions,
    pub summary: &'a mut RunSummary,
    /// Maximum number of commands that wait for their replies at once.
    pub window: usize,
    /// The number of commands that this session may still send.
    pub budget: usize,
    pub state: TransferState,
}

/// The progress of a transfer.
#[derive(Default)]
pub struct TransferState {
    /// The number of messages whose retrieval has begun.
    begun: usize,
    /// The number of messages to be retrieved.
    total: usize,
    queue: VecDeque<Wanted>,
    if_probe_differs: Vec<Wanted>,
    probe: Option<MessageNumber>,
    listed: HashMap<Box<[u8]>, u32>,
    /// The unique-ids under which messages are stored, if unique-ids prove nothing.
    stored_ids: Option<HashMap<Fingerprint, Vec<Box<[u8]>>>>,
    in_flight: VecDeque<(Tag, Job)>,
    /// The message of the retrieval whose reply is being read, if it is one.
    current: Option<Wanted>,
    answered: usize,
    to_delete: VecDeque<Deletion>,
    /// Deletions that the server accepted.
    deleted: Vec<Deletable>,
    requested_in_vain: bool,
    /// Keys of messages that arrived incomplete.
    failed: Vec<Box<[u8]>>,
    /// The message that arrived last. Its end is confirmed only by a valid next reply (Q31); until then the message must not
    /// become visible.
    unconfirmed: Option<Arrived>,
    batch: Batch,
    /// The number of recognised messages by unique-id and fingerprint, so that no stored message is matched twice.
    recognised: HashMap<(Box<[u8]>, Fingerprint), usize>,
    /// A step of committing a batch failed.
    commit_failed: bool,
}

/// A message that arrived.
struct Arrived {
    wanted: Wanted,
    delivery: Delivery,
    fingerprint: Fingerprint,
    soundness: Soundness,
}

struct Deletion {
    message: Deletable,
    /// The journal has recorded the request.
    noted: bool,
}

/// Messages that wait for the next sync.
#[derive(Default)]
struct Batch {
    messages: Vec<Waiting>,
    octets: u64,
    /// The time since which the first of them has been waiting.
    since: Option<Instant>,
}

struct Waiting {
    wanted: Wanted,
    prepared: Prepared,
    fingerprint: Fingerprint,
    suspect: bool,
}

impl Batch {
    fn push(&mut self, waiting: Waiting) {
        self.since.get_or_insert_with(Instant::now);
        self.octets += waiting.prepared.octets();
        self.messages.push(waiting);
    }

    fn is_full(&self, options: &TransferOptions) -> bool {
        self.messages.len() >= options.messages
            || self.octets >= options.octets
            || self.since.is_some_and(|since| since.elapsed() >= options.time)
    }
}

enum Job {
    Fetch(Wanted),
    Delete(Deletable),
    Confirm,
}

/// The result of a command.
enum Ended {
    Arrived(Box<(Delivery, Inspector)>),
    /// The message is no mail, but the server's data about the folder.
    FolderData,
    /// The message continues far beyond its announced size.
    Endless,
    Ok,
    Refused(String),
    DiskFailed(io::Error),
}

/// The result of a session, in addition to the summary.
pub struct Transferred {
    /// Deletions that the server accepted; `QUIT` carries them out.
    pub deleted: Vec<Deletable>,
    /// The session has used its budget, and work is left for another session.
    pub more: bool,
    /// The number of commands that were answered.
    pub answered: usize,
    /// A message whose deletion was requested by an earlier session is still on the server.
    pub requested_in_vain: bool,
    /// [Keys](super::notes::failure_key) of messages that are left to the next run.
    pub failed: Vec<Box<[u8]>>,
}

impl Transfer<'_> {
    /// Retrieves the messages of the plan, and deletes stored messages if the options ask for it.
    ///
    /// # Errors
    /// Fails if the disk does not accept a message or a record, or if the session breaks. Messages stored by then stay stored and
    /// recorded.
    pub fn run(mut self, plan: Plan) -> Result<Transferred, Trouble> {
        self.state.queue = plan.wanted.into();
        self.state.total = self.state.queue.len();
        self.state.if_probe_differs = plan.if_probe_differs;
        self.state.probe = plan.probe;
        self.state.listed = plan.listed;
        self.state.stored_ids = plan.doubtful.then(|| self.journal.notes().by_fingerprint());
        self.state.to_delete = plan.to_delete.into_iter().map(|message| Deletion { message, noted: false }).collect();
        let Err(trouble) = self.work() else {
            let more = !self.state.queue.is_empty() || !self.state.to_delete.is_empty();
            let TransferState { deleted, answered, requested_in_vain, failed, .. } = self.state;
            return Ok(Transferred { deleted, more, answered, requested_in_vain, failed });
        };
        // Confirmed messages are stored in spite of the failure. The last message is stored, too, if it has exactly the size that
        // the server announced; otherwise it may have ended too early (Q31), and it is fetched again.
        let last = self.state.unconfirmed.take();
        let is_exact = |arrived: &Arrived| Some(arrived.delivery.wire_octets()) == arrived.wanted.octets;
        if let Some(arrived) = last
            && is_exact(&arrived)
        {
            self.accept(arrived)?;
        }
        self.commit_batch()?;
        if matches!(trouble, Trouble::Session(_)) {
            self.cancel_deletions()?;
        }
        Err(trouble)
    }

    /// Cancels all deletions. A session that ends without `QUIT` deletes nothing (RFC 1939 §6), so unique-ids keep their meaning.
    fn cancel_deletions(&mut self) -> Result<(), Failure> {
        let state = &self.state;
        let in_flight = state.in_flight.iter().filter_map(|(_, job)| match job {
            Job::Delete(message) => Some(message),
            Job::Fetch(_) | Job::Confirm => None,
        });
        let waiting = state.to_delete.iter().filter(|deletion| deletion.noted).map(|deletion| &deletion.message);
        let unsent = in_flight.chain(waiting).map(|message| (&*message.unique_id, message.fingerprint));
        let sent = state.deleted.iter().map(|message| (&*message.unique_id, message.fingerprint));
        self.journal.notes_mut().cancel_deletions(unsent.chain(sent));
        self.journal.save().map_err(|error| Failure::file(self.journal.path(), &error))
    }

    fn work(&mut self) -> Result<(), Trouble> {
        loop {
            self.fill_window()?;
            if let Some((tag, job)) = self.state.in_flight.pop_front() {
                self.state.current = match &job {
                    Job::Fetch(wanted) => Some(wanted.clone()),
                    Job::Delete(_) | Job::Confirm => None,
                };
                let ended = self.finish(tag, &job).map_err(|error| self.broken(error, false))?;
                self.state.answered += 1;
                // A valid reply has arrived, so the message before it ended where it seemed to.
                if let Some(arrived) = self.state.unconfirmed.take() {
                    self.accept(arrived)?;
                }
                self.conclude(job, ended)?;
                self.state.current = None;
            } else if self.state.batch.messages.is_empty() {
                return Ok(());
            }
            let idle = self.state.unconfirmed.is_none() && self.state.in_flight.is_empty();
            if self.state.batch.is_full(self.options) || (idle && !self.can_fetch()) {
                self.commit_batch()?;
            }
        }
    }

    fn broken(&self, error: Error, out_of_step: bool) -> Trouble {
        // If the last message did not end where it seemed to, the data after it cannot be parsed.
        let understood = !matches!(&error, Error::Request(RequestError::Remote(remote)) if is_nonsense(remote));
        let unconfirmed = self.state.unconfirmed.as_ref().map(|arrived| arrived.wanted.clone());
        let current = self.state.current.clone();
        Trouble::Session(Box::new(Broken {
            out_of_step: out_of_step || !understood,
            error,
            culprit: if understood { current.or(unconfirmed) } else { unconfirmed.or(current) },
            answered: self.state.answered,
            pipelined: !self.state.in_flight.is_empty(),
        }))
    }

    /// Returns the number of commands for one message: its retrieval and, if requested, its deletion.
    const fn cost(&self) -> usize {
        if self.options.delete { 2 } else { 1 }
    }

    fn can_fetch(&self) -> bool {
        !self.state.queue.is_empty() && self.budget >= self.cost()
    }

    /// Sends as many commands as may be in flight. New messages come first: if the session breaks, the next one deletes old
    /// messages.
    fn fill_window(&mut self) -> Result<(), Trouble> {
        while self.state.in_flight.len() < self.window {
            let (command, job) = if self.can_fetch()
                && let Some(wanted) = self.state.queue.pop_front()
            {
                self.budget -= self.cost();
                (Command::Retr(wanted.number), Job::Fetch(wanted))
            } else if let Some(message) = self.next_deletion()? {
                (Command::Dele(message.number), Job::Delete(message))
            } else if self.state.unconfirmed.is_some() && self.state.in_flight.is_empty() {
                (Command::Noop, Job::Confirm)
            } else {
                return Ok(());
            };
            let tag = self.client.send(command).map_err(|error| self.broken(error, false))?;
            self.state.in_flight.push_back((tag, job));
        }
        Ok(())
    }

    fn next_deletion(&mut self) -> Result<Option<Deletable>, Failure> {
        if self.state.to_delete.front().is_some_and(|deletion| !deletion.noted) {
            self.note_deletions()?;
        }
        if self.state.to_delete.front().is_none_or(|deletion| !deletion.noted) {
            return Ok(None);
        }
        Ok(self.state.to_delete.pop_front().map(|deletion| deletion.message))
    }

    /// Records as many of the waiting deletions as the budget allows. From the request on, a unique-id may denote another
    /// message; the journal must contain that first, in case the run ends in between.
    fn note_deletions(&mut self) -> Result<(), Failure> {
        let mut waiting = Vec::new();
        for deletion in self.state.to_delete.iter_mut().filter(|deletion| !deletion.noted).take(self.budget) {
            deletion.noted = true;
            waiting.push(deletion.message.clone());
        }
        self.budget -= waiting.len();
        let noted = self.journal.record_deleting(waiting.iter().map(|message| (&*message.unique_id, message.fingerprint)));
        noted.map_err(|error| Failure::file(self.journal.path(), &error))
    }

    /// Reads until a command is answered. A message is written to disk piece by piece.
    fn finish(&mut self, tag: Tag, job: &Job) -> Result<Ended, Error> {
        let wanted = match job {
            Job::Fetch(wanted) => Some(wanted),
            Job::Delete(_) | Job::Confirm => None,
        };
        if wanted.is_some() {
            self.state.begun += 1;
            self.bar.set_message(format!("message {} of {}", self.state.begun, self.state.total));
        }
        let is_first = wanted.is_some_and(|wanted| wanted.number == MessageNumber::FIRST);
        let limit = wanted.and_then(|wanted| wanted.octets).map_or(u64::MAX, longest_for);
        let (mut delivery, mut head) = (None, Vec::new());
        let mut inspector = Inspector::default();
        let (maildir, bar) = (self.maildir, self.bar);
        self.client.next_event(|event| match event {
            ClientEvent::Reply(of, reply) if of == tag => match reply.status {
                Status::Err => Some(Ended::Refused(Escaped(reply.text).to_string())),
                Status::Ok if wanted.is_none() => Some(Ended::Ok),
                Status::Ok => match maildir.deliver() {
                    Ok(begun) => {
                        delivery = Some(begun);
                        None
                    }
                    Err(error) => Some(Ended::DiskFailed(error)),
                },
            },
            ClientEvent::Body(of, chunk) if of == tag => {
                bar.inc(chunk.len() as u64);
                if is_first && head.len() < FOLDER_DATA_HEAD {
                    head.extend_from_slice(&chunk[..chunk.len().min(FOLDER_DATA_HEAD)]);
                }
                inspector.add(chunk);
                if inspector.octets() > limit {
                    return Some(Ended::Endless);
                }
                let written = delivery.as_mut().map_or(Ok(()), |delivery| delivery.write(chunk));
                written.err().map(Ended::DiskFailed)
            }
            ClientEvent::End(of) if of == tag && is_folder_data(&head) => Some(Ended::FolderData),
            ClientEvent::End(of) if of == tag => {
                delivery.take().map(|delivery| Ended::Arrived(Box::new((delivery, mem::take(&mut inspector)))))
            }
            _ => None,
        })
    }

    fn conclude(&mut self, job: Job, ended: Ended) -> Result<(), Trouble> {
        match (job, ended) {
            (_, Ended::DiskFailed(error)) => return Err(Trouble::Disk(disk_failure(self.maildir, &error))),
            (_, Ended::Endless) => {
                let announced = self.state.current.as_ref().and_then(|wanted| wanted.octets).unwrap_or(0);
                let error = RemoteError::ReplyTooLarge { verb: Verb::Retr, limit: longest_for(announced) };
                return Err(self.broken(error.into(), false));
            }
            (Job::Fetch(wanted), Ended::Arrived(arrived)) => {
                let (delivery, inspector) = *arrived;
                let soundness = inspector.judge(wanted.octets);
                if soundness == Soundness::OutOfStep {
                    let error = RemoteError::Unsolicited(b"the reply to another command, inside a message".as_slice().into());
                    return Err(self.broken(error.into(), true));
                }
                let fingerprint = inspector.fingerprint();
                self.state.unconfirmed = Some(Arrived { wanted, delivery, fingerprint, soundness });
            }
            // A message that cannot be retrieved is skipped, and the others are still retrieved (Q37).
            (Job::Fetch(wanted), Ended::Refused(text)) => {
                self.summary.troubles.push(format!("message {} was not fetched; the server says: {text}", wanted.number));
            }
            (Job::Delete(message), Ended::Refused(text)) => {
                let number = message.number;
                self.summary.troubles.push(format!("message {number} could not be deleted; the server says: {text}"));
            }
            (Job::Delete(message), _) => {
                self.summary.deleted += 1;
                self.state.deleted.push(message);
            }
            (Job::Fetch(wanted), Ended::FolderData) => {
                tracing::info!(number = %wanted.number, "the server's own data about its folder stay where they are");
            }
            (Job::Fetch(_) | Job::Confirm, _) => {}
        }
        Ok(())
    }

    /// Processes an arrived message: skips it if it is stored already or must be tried again, otherwise adds it to the batch.
    fn accept(&mut self, arrived: Arrived) -> Result<(), Trouble> {
        let Arrived { wanted, delivery, fingerprint, soundness } = arrived;
        if wanted.compare && self.recognise(&wanted, fingerprint) {
            return Ok(());
        }
        let number = wanted.number;
        let suspect = soundness != Soundness::Sound;
        if suspect {
            let (octets, announced) = (delivery.wire_octets(), wanted.octets.unwrap_or(0));
            tracing::warn!(%number, octets, announced, "a message does not have the size that the server announced");
            let tries = match soundness {
                Soundness::TooShort => self.note_failure(&wanted)?,
                _ => MAX_TRIES,
            };
            let what = format!(
                "message {number} has {octets} octets instead of the {announced} that the server announced, so it stays on the server"
            );
            self.summary.troubles.push(match (soundness, tries < MAX_TRIES) {
                (Soundness::TooShort, true) => format!("{what}; it is tried again next time"),
                (Soundness::TooShort, false) => format!("{what}; it was stored as it came, and may be incomplete"),
                _ => format!("{what}; it was stored as it came"),
            });
            if soundness == Soundness::TooShort && tries < MAX_TRIES {
                return Ok(());
            }
        }
        if wanted.compare && !wanted.unique_id.is_empty() {
            self.note_reuse(&wanted)?;
        }
        let prepared = delivery.prepare().map_err(|error| disk_failure(self.maildir, &error))?;
        self.state.batch.push(Waiting { wanted, prepared, fingerprint, suspect });
        Ok(())
    }

    /// Returns `true` if a message is stored already, and then treats it as known.
    fn recognise(&mut self, wanted: &Wanted, fingerprint: Fingerprint) -> bool {
        self.follow_renaming(wanted, fingerprint);
        let records = self.journal.notes().records(&wanted.unique_id);
        let mut same = records.iter().filter(|record| record.fingerprint == Some(fingerprint));
        let taken = self.state.recognised.entry((wanted.unique_id.clone(), fingerprint)).or_default();
        let Some(record) = same.nth(*taken).copied() else { return false };
        *taken += 1;
        self.summary.known += 1;
        self.journal.notes_mut().clear_failures(&wanted.failure_key());
        if record.octets != wanted.octets {
            self.journal.notes_mut().resize(&wanted.unique_id, fingerprint, wanted.octets);
        }
        self.state.requested_in_vain |= record.state == State::Deleting;
        match record.state {
            State::Kept => self.summary.kept += 1,
            State::Suspect => {}
            State::Stored | State::Deleting | State::Deleted if self.options.delete => {
                let (number, unique_id) = (wanted.number, wanted.unique_id.clone());
                // It may be a copy with an equal unique-id. Otherwise the server kept a message whose deletion it had confirmed.
                let again = record.state == State::Deleted;
                let message = Deletable { number, unique_id, fingerprint: Some(fingerprint), again };
                // The retrieval has reserved one command for the deletion.
                self.budget += 1;
                self.state.to_delete.push_back(Deletion { message, noted: false });
            }
            State::Stored | State::Deleting | State::Deleted => {}
        }
        true
    }

    /// Moves a stored message to its new unique-id. Where unique-ids prove nothing, a message with an equal fingerprint under
    /// another unique-id is the stored message.
    fn follow_renaming(&mut self, wanted: &Wanted, fingerprint: Fingerprint) {
        let is_here = |records: &[Record]| records.iter().any(|record| record.fingerprint == Some(fingerprint));
        let Some(ids) = self.state.stored_ids.as_mut().and_then(|ids| ids.get_mut(&fingerprint)) else { return };
        if is_here(self.journal.notes().records(&wanted.unique_id)) {
            ids.retain(|unique_id| *unique_id != wanted.unique_id);
        } else if let Some(old) = ids.pop() {
            self.journal.notes_mut().rename(&old, fingerprint, &wanted.unique_id);
        }
    }

    /// Records that a known unique-id denotes another message now.
    fn note_reuse(&mut self, wanted: &Wanted) -> Result<(), Failure> {
        let records = self.journal.notes().records(&wanted.unique_id);
        let is_alone = self.state.listed.get(&wanted.unique_id).is_some_and(|count| *count == 1);
        if records.is_empty() || !is_alone {
            return Ok(());
        }
        // After a deletion a server may reuse the unique-id (RFC 1939 §7), but not before.
        let illegal = records.iter().all(|record| !matches!(record.state, State::Deleting | State::Deleted));
        // Where unique-ids prove nothing, the stored message may be listed under another unique-id.
        if self.state.stored_ids.is_none() {
            self.journal.notes_mut().forget(&wanted.unique_id);
        }
        if illegal && !self.journal.notes().are_ids_reused() {
            tracing::warn!("the server uses unique-ids again for other messages; messages are compared before they are deleted");
            let noted = self.journal.record_learnt(Mark::IdsReused, b"", None);
            noted.map_err(|error| Failure::file(self.journal.path(), &error))?;
        }
        if self.state.probe.take_if(|probe| *probe == wanted.number).is_some() {
            let others = mem::take(&mut self.state.if_probe_differs);
            self.summary.known -= others.len() as u64;
            self.state.total += others.len();
            self.state.queue.extend(others);
        }
        Ok(())
    }

    fn note_failure(&mut self, wanted: &Wanted) -> Result<u32, Failure> {
        self.state.failed.push(wanted.failure_key());
        let noted = self.journal.record_failure(&wanted.failure_key());
        noted.map_err(|error| Failure::file(self.journal.path(), &error))
    }

    /// Syncs the messages of the batch to disk, makes them visible, records them, and allows their deletion on the server, in
    /// this order. If a crash interrupts these steps, the next run completes them.
    fn commit_batch(&mut self) -> Result<(), Failure> {
        // After a failed step nothing more is committed, because a repeated sync may seem to succeed (H45).
        let batch = mem::take(&mut self.state.batch).messages;
        if batch.is_empty() || mem::replace(&mut self.state.commit_failed, true) {
            return Ok(());
        }
        let disk = |error: io::Error| Failure::file(self.maildir.path(), &error);
        self.maildir.sync_tmp().map_err(disk)?;
        let noted = self.journal.record_intended(batch.iter().map(|waiting| waiting.stored(waiting.prepared.name())));
        noted.map_err(|error| Failure::file(self.journal.path(), &error))?;
        let mut named = Vec::new();
        for waiting in batch {
            let Waiting { wanted, prepared, fingerprint, suspect } = waiting;
            self.summary.octets += prepared.octets();
            let name = prepared.name().to_owned();
            prepared.commit().map_err(disk)?;
            named.push((wanted, name, fingerprint, suspect));
        }
        self.maildir.sync().map_err(disk)?;
        let stored = named.iter().map(|(wanted, name, fingerprint, suspect)| stored(wanted, name, *fingerprint, *suspect));
        let noted = self.journal.record_stored(stored, self.options.delete);
        noted.map_err(|error| Failure::file(self.journal.path(), &error))?;
        self.state.commit_failed = false;
        self.summary.fetched += named.len() as u64;
        for (wanted, _, fingerprint, suspect) in named {
            // Count the message as recognised, so that a second one with this unique-id and contents does not match it.
            *self.state.recognised.entry((wanted.unique_id.clone(), fingerprint)).or_default() += 1;
            if self.options.delete && !suspect {
                let message = Deletable {
                    number: wanted.number,
                    unique_id: wanted.unique_id,
                    fingerprint: Some(fingerprint),
                    again: false,
                };
                self.state.to_delete.push_front(Deletion { message, noted: true });
            }
        }
        Ok(())
    }
}

impl Waiting {
    fn stored<'a>(&'a self, name: &'a str) -> Stored<'a> {
        stored(&self.wanted, name, self.fingerprint, self.suspect)
    }
}

fn stored<'a>(wanted: &'a Wanted, name: &'a str, fingerprint: Fingerprint, suspect: bool) -> Stored<'a> {
    Stored { unique_id: &wanted.unique_id, name, octets: wanted.octets, fingerprint, suspect }
}

/// Number of octets at the beginning of a message that are searched for the marks of folder data.
const FOLDER_DATA_HEAD: usize = 2048;

/// Returns `true` for folder data, a message of the server's own that some servers list first and that must not be fetched or
/// deleted (Q49).
fn is_folder_data(head: &[u8]) -> bool {
    let has = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    has(b"DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA") && has(b"\nX-IMAP: ")
}

/// Returns the maximum number of octets of a message with this announced size; a longer one counts as endless.
const fn longest_for(announced: u64) -> u64 {
    announced.saturating_mul(4).saturating_add(64 * 1024 * 1024)
}

/// Returns `true` if the server sent something that is no reply to a command.
const fn is_nonsense(error: &RemoteError) -> bool {
    matches!(error, RemoteError::NotAReply(_) | RemoteError::Unsolicited(_) | RemoteError::LineTooLong { .. })
}

fn disk_failure(maildir: &Maildir, error: &io::Error) -> Failure {
    let failure = Failure::new(Exit::Storage, format_args!("{}: {error}", maildir.path().display()));
    failure.hint("Only messages safely on disk were deleted from the server. Fix the disk and run it again.")
}
