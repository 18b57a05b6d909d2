//! The transfer of one session. Messages are retrieved, delivered, synced and recorded, and only then deleted. A message that
//! arrives incomplete counts as not retrieved.
// H43, Q38

mod batch;
mod recognition;

use std::collections::VecDeque;
use std::io;
use std::mem;

use pop3_blocking::proto::client::{ClientEvent, RemoteError, RequestError, Tag};
use pop3_blocking::proto::codec::{Command, Escaped, MessageNumber, Status, Verb};
use pop3_blocking::{Client, Error};
use pop3_maildrop::{Delivery, Maildir};

use crate::error::FetchError;
use crate::fingerprint::Fingerprint;
use crate::journal::{Journal, now};
use crate::journal_state::MessageState;
use crate::plan::{Deletable, MAX_TRIES, Plan, PlannedMessage, is_deletion_due};
use crate::progress::Progress;
use crate::soundness::{Inspector, Soundness};
use crate::summary::{Problem, RunSummary, SuspectOutcome};
use crate::transfer_options::TransferOptions;
use batch::{Batch, WaitingMessage};
use recognition::Recognition;

/// The failure of a broken session.
pub struct BrokenSession {
    pub error: Error,
    /// The message that probably caused the failure, if there is one.
    pub culprit: Option<PlannedMessage>,
    /// The number of commands that were answered.
    pub answered: usize,
    /// Several commands were waiting for their replies.
    pub pipelined: bool,
    /// A reply arrived that did not fit its command.
    pub out_of_step: bool,
}

/// The reason why a transfer ended early.
pub enum TransferError {
    Disk(FetchError),
    Session(Box<BrokenSession>),
}

impl From<FetchError> for TransferError {
    fn from(error: FetchError) -> Self {
        Self::Disk(error)
    }
}

/// A transfer over one session.
pub struct Transfer<'a> {
    pub client: &'a mut Client,
    pub maildir: &'a Maildir,
    pub journal: &'a mut Journal,
    pub progress: &'a dyn Progress,
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
    queue: VecDeque<PlannedMessage>,
    if_probe_differs: Vec<PlannedMessage>,
    probe: Option<MessageNumber>,
    recognition: Recognition,
    in_flight: VecDeque<(Tag, Job)>,
    /// The message whose reply is being read, if the current command is a retrieval.
    current: Option<PlannedMessage>,
    answered: usize,
    to_delete: VecDeque<Deletion>,
    /// Deletions that the server accepted.
    deleted: Vec<Deletable>,
    requested_in_vain: bool,
    /// Keys of messages that arrived incomplete.
    failed: Vec<Box<[u8]>>,
    /// The message that arrived last. Its end is confirmed only by a valid next reply; until then the message must not become
    /// visible.
    // Q31
    unconfirmed: Option<Arrived>,
    batch: Batch,
    /// A step of committing a batch failed.
    commit_failed: bool,
}

/// A message that arrived.
struct Arrived {
    planned: PlannedMessage,
    delivery: Delivery,
    fingerprint: Fingerprint,
    soundness: Soundness,
}

struct Deletion {
    message: Deletable,
    /// The journal has recorded the request.
    recorded: bool,
}

enum Job {
    Fetch(PlannedMessage),
    Delete(Deletable),
    Confirm,
}

/// The result of a command.
enum Ended {
    Arrived(Box<(Delivery, Inspector)>),
    /// The message is not mail: it contains the server's own data about the folder.
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
    /// [Keys](crate::journal_state::failure_key) of messages that are left to the next run.
    pub failed: Vec<Box<[u8]>>,
}

impl Transfer<'_> {
    /// Retrieves the messages of the plan, and deletes stored messages if the options ask for it.
    ///
    /// # Errors
    /// Fails if the disk does not accept a message or a record, or if the session breaks. Messages stored by then stay stored and
    /// recorded.
    pub fn run(mut self, plan: Plan) -> Result<Transferred, TransferError> {
        self.state.recognition = Recognition::new(&plan, self.journal.state());
        self.state.queue = plan.to_retrieve.into();
        self.state.total = self.state.queue.len();
        self.state.if_probe_differs = plan.if_probe_differs;
        self.state.probe = plan.probe;
        self.state.to_delete = plan.to_delete.into_iter().map(|message| Deletion { message, recorded: false }).collect();
        let Err(error) = self.work() else {
            let more = !self.state.queue.is_empty() || !self.state.to_delete.is_empty();
            let TransferState { deleted, answered, requested_in_vain, failed, .. } = self.state;
            return Ok(Transferred { deleted, more, answered, requested_in_vain, failed });
        };
        // Confirmed messages are stored in spite of the failure. The last message is stored, too, if it has exactly the size that
        // the server announced; otherwise it may have ended too early (Q31), and it is fetched again.
        let last = self.state.unconfirmed.take();
        let is_exact = |arrived: &Arrived| Some(arrived.delivery.wire_octets()) == arrived.planned.octets;
        if let Some(arrived) = last
            && is_exact(&arrived)
        {
            self.accept(arrived)?;
        }
        self.commit_batch()?;
        if matches!(error, TransferError::Session(_)) {
            self.cancel_deletions()?;
        }
        Err(error)
    }

    /// Cancels all deletions. A session that ends without `QUIT` deletes nothing (RFC 1939 §6), so unique-ids keep their meaning.
    fn cancel_deletions(&mut self) -> Result<(), FetchError> {
        let state = &self.state;
        let in_flight = state.in_flight.iter().filter_map(|(_, job)| match job {
            Job::Delete(message) => Some(message),
            Job::Fetch(_) | Job::Confirm => None,
        });
        let waiting = state.to_delete.iter().filter(|deletion| deletion.recorded).map(|deletion| &deletion.message);
        let unsent = in_flight.chain(waiting).map(|message| (&*message.unique_id, message.fingerprint));
        let sent = state.deleted.iter().map(|message| (&*message.unique_id, message.fingerprint));
        self.journal.state_mut().cancel_deletions(unsent.chain(sent));
        self.journal.save()
    }

    fn work(&mut self) -> Result<(), TransferError> {
        loop {
            self.fill_window()?;
            if let Some((tag, job)) = self.state.in_flight.pop_front() {
                self.state.current = match &job {
                    Job::Fetch(planned) => Some(planned.clone()),
                    Job::Delete(_) | Job::Confirm => None,
                };
                let ended = self.finish(tag, &job).map_err(|error| self.broken(error, false))?;
                self.state.answered += 1;
                // A valid reply has arrived, so the end of the message before it was parsed correctly.
                if let Some(arrived) = self.state.unconfirmed.take() {
                    self.accept(arrived)?;
                }
                self.conclude(job, ended)?;
                self.state.current = None;
            } else if self.state.batch.is_empty() {
                return Ok(());
            }
            let idle = self.state.unconfirmed.is_none() && self.state.in_flight.is_empty();
            if self.state.batch.is_full(self.options) || (idle && !self.can_fetch()) {
                self.commit_batch()?;
            }
        }
    }

    fn broken(&self, error: Error, out_of_step: bool) -> TransferError {
        // If the last message ended later than its parsed end, the data after that end are no reply.
        let understood = !matches!(&error, Error::Request(RequestError::Remote(remote)) if is_nonsense(remote));
        let unconfirmed = self.state.unconfirmed.as_ref().map(|arrived| arrived.planned.clone());
        let current = self.state.current.clone();
        TransferError::Session(Box::new(BrokenSession {
            out_of_step: out_of_step || !understood,
            error,
            culprit: if understood { current.or(unconfirmed) } else { unconfirmed.or(current) },
            answered: self.state.answered,
            pipelined: !self.state.in_flight.is_empty(),
        }))
    }

    /// Returns the number of commands for one message: its retrieval and, if it may be requested then, its deletion.
    const fn cost(&self, planned: &PlannedMessage) -> usize {
        let may_delete = self.options.deletes_new(planned.stays) || (self.options.delete && planned.compare);
        if may_delete { 2 } else { 1 }
    }

    fn can_fetch(&self) -> bool {
        self.state.queue.front().is_some_and(|planned| self.budget >= self.cost(planned))
    }

    /// Sends as many commands as may be in flight. New messages come first: if the session breaks, the next one deletes old
    /// messages.
    fn fill_window(&mut self) -> Result<(), TransferError> {
        while self.state.in_flight.len() < self.window {
            let (command, job) = if self.can_fetch()
                && let Some(planned) = self.state.queue.pop_front()
            {
                self.budget -= self.cost(&planned);
                (Command::Retr(planned.number), Job::Fetch(planned))
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

    fn next_deletion(&mut self) -> Result<Option<Deletable>, FetchError> {
        if self.state.to_delete.front().is_some_and(|deletion| !deletion.recorded) {
            self.record_deletions()?;
        }
        if self.state.to_delete.front().is_none_or(|deletion| !deletion.recorded) {
            return Ok(None);
        }
        Ok(self.state.to_delete.pop_front().map(|deletion| deletion.message))
    }

    /// Records as many of the waiting deletions as the budget allows. From the request on, a unique-id may denote another
    /// message; the journal must contain that first, in case the run ends in between.
    fn record_deletions(&mut self) -> Result<(), FetchError> {
        let mut waiting = Vec::new();
        for deletion in self.state.to_delete.iter_mut().filter(|deletion| !deletion.recorded).take(self.budget) {
            deletion.recorded = true;
            waiting.push(deletion.message.clone());
        }
        self.budget -= waiting.len();
        self.journal.record_deleting(waiting.iter().map(|message| (&*message.unique_id, message.fingerprint)))
    }

    /// Records that a message cannot be had, if the room in a session is limited: it must not take that from others in each run.
    fn make_room(&mut self, planned: &PlannedMessage) -> Result<(), FetchError> {
        match self.options.max_messages.is_some() || self.options.max_octets.is_some() {
            true => self.journal.record_failure(&planned.failure_key()).map(drop),
            false => Ok(()),
        }
    }

    /// Reads until a command is answered. A message is written to disk piece by piece.
    fn finish(&mut self, tag: Tag, job: &Job) -> Result<Ended, Error> {
        let planned = match job {
            Job::Fetch(planned) => Some(planned),
            Job::Delete(_) | Job::Confirm => None,
        };
        if planned.is_some() {
            self.state.begun += 1;
            self.progress.message_started(self.state.begun, self.state.total);
        }
        let is_first = planned.is_some_and(|planned| planned.number == MessageNumber::FIRST);
        let limit = planned.and_then(|planned| planned.octets).map_or(u64::MAX, longest_for);
        let (mut delivery, mut head) = (None, Vec::new());
        let mut inspector = Inspector::default();
        let (maildir, progress) = (self.maildir, self.progress);
        self.client.next_event(|event| match event {
            ClientEvent::Reply(of, reply) if of == tag => match reply.status {
                Status::Err => Some(Ended::Refused(Escaped(reply.text).to_string())),
                Status::Ok if planned.is_none() => Some(Ended::Ok),
                Status::Ok => match maildir.deliver() {
                    Ok(begun) => {
                        delivery = Some(begun);
                        None
                    }
                    Err(error) => Some(Ended::DiskFailed(error)),
                },
            },
            ClientEvent::Body(of, chunk) if of == tag => {
                progress.octets_received(chunk.len() as u64);
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

    fn conclude(&mut self, job: Job, ended: Ended) -> Result<(), TransferError> {
        match (job, ended) {
            (_, Ended::DiskFailed(error)) => return Err(FetchError::disk(self.maildir.path(), error).into()),
            (_, Ended::Endless) => {
                let announced = self.state.current.as_ref().and_then(|planned| planned.octets).unwrap_or(0);
                let error = RemoteError::ReplyTooLarge { verb: Verb::Retr, limit: longest_for(announced) };
                return Err(self.broken(error.into(), false));
            }
            (Job::Fetch(planned), Ended::Arrived(arrived)) => {
                let (delivery, inspector) = *arrived;
                let soundness = inspector.judge(planned.octets);
                if soundness == Soundness::OutOfStep {
                    let error = RemoteError::Unsolicited(b"the reply to another command, inside a message".as_slice().into());
                    return Err(self.broken(error.into(), true));
                }
                let fingerprint = inspector.fingerprint();
                self.state.unconfirmed = Some(Arrived { planned, delivery, fingerprint, soundness });
            }
            // A message that cannot be retrieved is skipped, and the others are still retrieved (Q37).
            (Job::Fetch(planned), Ended::Refused(text)) => {
                self.make_room(&planned)?;
                self.summary.problems.push(Problem::NotRetrieved { number: planned.number, text });
            }
            (Job::Delete(message), Ended::Refused(text)) => {
                self.summary.problems.push(Problem::NotDeleted { number: message.number, text });
            }
            (Job::Delete(message), _) => {
                self.summary.deleted += 1;
                self.state.deleted.push(message);
            }
            (Job::Fetch(planned), Ended::FolderData) => {
                self.make_room(&planned)?;
                tracing::info!(number = %planned.number, "folder data of the server skipped");
            }
            (Job::Fetch(_) | Job::Confirm, _) => {}
        }
        Ok(())
    }

    /// Processes an arrived message: skips it if it is stored already or must be tried again, otherwise adds it to the batch.
    fn accept(&mut self, arrived: Arrived) -> Result<(), TransferError> {
        let Arrived { planned, delivery, fingerprint, soundness } = arrived;
        if planned.compare && self.recognise(&planned, fingerprint) {
            return Ok(());
        }
        let suspect = soundness != Soundness::Sound;
        if suspect {
            let (number, octets, announced) = (planned.number, delivery.wire_octets(), planned.octets.unwrap_or(0));
            tracing::warn!(%number, octets, announced, "a message does not have the size that the server announced");
            let outcome = match soundness {
                Soundness::TooShort if self.record_failure(&planned)? < MAX_TRIES => SuspectOutcome::TriedAgain,
                Soundness::TooShort => SuspectOutcome::StoredShort,
                _ => SuspectOutcome::StoredLong,
            };
            self.summary.problems.push(Problem::WrongSize { number, octets, announced, outcome });
            if outcome == SuspectOutcome::TriedAgain {
                return Ok(());
            }
        }
        if planned.compare && !planned.unique_id.is_empty() && self.state.recognition.record_reuse(self.journal, &planned)? {
            self.retrieve_others_if_probe(planned.number);
        }
        let prepared = delivery.prepare().map_err(|error| FetchError::disk(self.maildir.path(), error))?;
        // A message that may be incomplete is never deleted.
        let delete = self.options.deletes_new(planned.stays) && !suspect;
        self.state.batch.push(WaitingMessage { planned, prepared, fingerprint, suspect, delete });
        Ok(())
    }

    /// Returns `true` if a message is stored already, and then treats it as known.
    fn recognise(&mut self, planned: &PlannedMessage, fingerprint: Fingerprint) -> bool {
        let renamed = self.state.recognition.renamed();
        let Some(record) = self.state.recognition.recognise(self.journal.state_mut(), planned, fingerprint) else { return false };
        self.summary.known += 1;
        self.summary.recognised += self.state.recognition.renamed() - renamed;
        self.state.requested_in_vain |= record.state == MessageState::Deleting;
        self.summary.kept += u64::from(record.state == MessageState::Kept);
        if is_deletion_due(&record, planned.stays, self.options, now()) {
            let (number, unique_id) = (planned.number, planned.unique_id.clone());
            // It may be a copy with an equal unique-id. Otherwise the server kept a message whose deletion it had confirmed.
            let again = record.state == MessageState::Deleted;
            let message = Deletable { number, unique_id, fingerprint: Some(fingerprint), again };
            // The retrieval has reserved one command for the deletion.
            self.budget += 1;
            self.state.to_delete.push_back(Deletion { message, recorded: false });
        }
        true
    }

    /// If this message is the probe, which has changed, adds the messages that depend on the probe to the queue.
    fn retrieve_others_if_probe(&mut self, number: MessageNumber) {
        if self.state.probe.take_if(|probe| *probe == number).is_some() {
            let others = mem::take(&mut self.state.if_probe_differs);
            self.summary.known -= others.len() as u64;
            self.state.total += others.len();
            self.state.queue.extend(others);
        }
    }

    fn record_failure(&mut self, planned: &PlannedMessage) -> Result<u32, FetchError> {
        self.state.failed.push(planned.failure_key());
        self.journal.record_failure(&planned.failure_key())
    }

    /// Stores the messages of the batch durably, and then allows their deletion on the server.
    fn commit_batch(&mut self) -> Result<(), FetchError> {
        // After a failed step nothing more is committed, because a repeated sync may seem to succeed (H45).
        let batch = mem::take(&mut self.state.batch);
        if batch.is_empty() || mem::replace(&mut self.state.commit_failed, true) {
            return Ok(());
        }
        let stored = batch.commit(self.maildir, self.journal)?;
        self.state.commit_failed = false;
        for message in stored {
            self.summary.fetched += 1;
            self.summary.octets += message.octets;
            self.progress.message_stored(message.octets);
            self.state.recognition.add_stored(&message.planned, message.fingerprint);
            if message.delete {
                let PlannedMessage { number, unique_id, .. } = message.planned;
                let message = Deletable { number, unique_id, fingerprint: Some(message.fingerprint), again: false };
                self.state.to_delete.push_front(Deletion { message, recorded: true });
            }
        }
        Ok(())
    }
}

/// Number of octets at the beginning of a message that are searched for the marks of folder data.
const FOLDER_DATA_HEAD: usize = 2048;

/// Returns `true` for folder data: a message of the server's own, which some servers list first. It must not be fetched or
/// deleted.
// Q49
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
