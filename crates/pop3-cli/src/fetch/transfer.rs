//! The transfer: retrieve, deliver, sync, note, and only then delete (H43). What has not come to its end has not come (Q38).

use std::collections::VecDeque;
use std::io;
use std::mem;
use std::time::{Duration, Instant};

use indicatif::ProgressBar;
use pop3_blocking::proto::client::{ClientEvent, Tag};
use pop3_blocking::proto::codec::{Command, MessageNumber, Status};
use pop3_blocking::{Client, Error};
use pop3_maildrop::{Delivery, Maildir, Prepared};

use super::journal::Journal;
use super::plan::{Plan, Wanted};
use super::{Done, said};
use crate::failure::{Exit, Failure};

/// What is to be done, and how much at once.
#[derive(Clone, Debug)]
pub struct How {
    /// Whether what is home is deleted on the server.
    pub delete: bool,
    /// Messages that reach the disk together, so that syncs are few: at most so many,
    pub messages: usize,
    /// so many octets,
    pub octets: u64,
    /// and what has come in so long a time.
    pub time: Duration,
}

impl How {
    pub const fn new(delete: bool) -> Self {
        Self { delete, messages: 256, octets: 32 * 1024 * 1024, time: Duration::from_secs(2) }
    }
}

/// A transfer over one session.
pub struct Transfer<'a> {
    client: &'a mut Client,
    maildir: &'a Maildir,
    journal: &'a mut Journal,
    bar: &'a ProgressBar,
    /// Commands that may wait for their replies at once.
    window: usize,
    how: &'a How,
    done: &'a mut Done,
    /// Messages that have begun to come, of so many.
    begun: usize,
    total: usize,
    in_flight: VecDeque<(Tag, Job)>,
    to_delete: VecDeque<(MessageNumber, Option<Box<[u8]>>)>,
    /// The message that came last. That it really ended where it seemed to is known when the next reply is one (Q31); until then
    /// nobody may see it.
    unconfirmed: Option<(Wanted, Delivery)>,
    batch: Batch,
    /// Something of what makes messages secure has failed.
    insecure: bool,
}

/// Messages that wait for the next sync.
#[derive(Default)]
struct Batch {
    messages: Vec<(Wanted, Prepared)>,
    octets: u64,
    /// Since when the first of them waits.
    since: Option<Instant>,
}

impl Batch {
    fn push(&mut self, wanted: Wanted, prepared: Prepared) {
        self.since.get_or_insert_with(Instant::now);
        self.octets += prepared.octets();
        self.messages.push((wanted, prepared));
    }

    fn is_full(&self, how: &How) -> bool {
        self.messages.len() >= how.messages
            || self.octets >= how.octets
            || self.since.is_some_and(|since| since.elapsed() >= how.time)
    }
}

#[derive(Debug)]
enum Job {
    Fetch(Wanted),
    Delete(Option<Box<[u8]>>),
    Confirm,
}

/// How a command ended.
enum Ended {
    Arrived(Delivery),
    /// It is no mail, but what the server keeps about the folder.
    FolderData,
    Ok,
    Refused(String),
    DiskFailed(io::Error),
}

impl<'a> Transfer<'a> {
    pub fn new(
        client: &'a mut Client,
        maildir: &'a Maildir,
        journal: &'a mut Journal,
        bar: &'a ProgressBar,
        window: usize,
        how: &'a How,
        done: &'a mut Done,
    ) -> Self {
        Self {
            client,
            maildir,
            journal,
            bar,
            window,
            how,
            done,
            begun: 0,
            total: 0,
            in_flight: VecDeque::new(),
            to_delete: VecDeque::new(),
            unconfirmed: None,
            batch: Batch::default(),
            insecure: false,
        }
    }

    /// Fetches what the plan wants; deletes, where that is asked for, what is home.
    pub fn run(mut self, plan: Plan) -> Result<(), Failure> {
        let nameless = if self.how.delete { plan.nameless } else { Vec::new() };
        let mut queue: VecDeque<Wanted> = plan.new.into_iter().chain(nameless).collect();
        self.total = queue.len();
        if self.how.delete {
            self.to_delete.extend(plan.known.into_iter().map(|(number, unique_id)| (number, Some(unique_id))));
        }
        let Err(trouble) = self.work(&mut queue) else { return Ok(()) };
        // What was confirmed is home, whatever became of the session and of later messages. One that was not is home if it weighs
        // what the server had announced, and fetched again if not: it may have ended too early (Q31).
        let whole = self.unconfirmed.take().filter(|(wanted, delivery)| delivery.wire_octets() == wanted.octets);
        if let Some((wanted, delivery)) = whole
            && let Ok(prepared) = delivery.prepare()
        {
            self.batch.push(wanted, prepared);
        }
        let secured = self.secure();
        match trouble {
            Trouble::Disk(failure) => Err(failure),
            Trouble::Session(error) => {
                secured?;
                let failure = Failure::from(error);
                Err(match self.done.fetched {
                    0 => failure,
                    count => failure.and(format_args!("{count} messages are safely home. Run it again for the rest.")),
                })
            }
        }
    }

    fn work(&mut self, queue: &mut VecDeque<Wanted>) -> Result<(), Trouble> {
        loop {
            self.fill_window(queue)?;
            if let Some((tag, job)) = self.in_flight.pop_front() {
                let ended = self.finish(tag, &job)?;
                // A reply where one was due: the message before it did end where it seemed to.
                if let Some((wanted, delivery)) = self.unconfirmed.take() {
                    let prepared = delivery.prepare().map_err(|error| disk(self.maildir, &error))?;
                    self.batch.push(wanted, prepared);
                }
                self.note(job, ended)?;
            } else if self.batch.messages.is_empty() {
                return Ok(());
            }
            let last = queue.is_empty() && self.unconfirmed.is_none() && self.in_flight.is_empty();
            if self.batch.is_full(self.how) || last {
                self.secure()?;
            }
        }
    }

    /// Sends as many commands as may be in flight: deletions first, they are what is safely home.
    fn fill_window(&mut self, queue: &mut VecDeque<Wanted>) -> Result<(), Error> {
        while self.in_flight.len() < self.window {
            let (command, job) = if let Some((number, unique_id)) = self.to_delete.pop_front() {
                (Command::Dele(number), Job::Delete(unique_id))
            } else if let Some(wanted) = queue.pop_front() {
                (Command::Retr(wanted.number), Job::Fetch(wanted))
            } else if self.unconfirmed.is_some() && self.in_flight.is_empty() {
                (Command::Noop, Job::Confirm)
            } else {
                return Ok(());
            };
            let tag = self.client.send(command)?;
            self.in_flight.push_back((tag, job));
        }
        Ok(())
    }

    /// Reads until a command is done with. A message goes to the disk piece by piece.
    fn finish(&mut self, tag: Tag, job: &Job) -> Result<Ended, Error> {
        let fetching = matches!(job, Job::Fetch(_));
        if fetching {
            self.begun += 1;
            self.bar.set_message(format!("message {} of {}", self.begun, self.total));
        }
        let first = matches!(job, Job::Fetch(Wanted { number: MessageNumber::FIRST, .. }));
        let (mut delivery, mut head) = (None, Vec::new());
        let (maildir, bar) = (self.maildir, self.bar);
        self.client.event(|event| match event {
            ClientEvent::Reply(of, reply) if of == tag => match reply.status {
                Status::Err => Some(Ended::Refused(said(reply.text))),
                Status::Ok if !fetching => Some(Ended::Ok),
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
                if first && head.len() < FOLDER_DATA_HEAD {
                    head.extend_from_slice(&chunk[..chunk.len().min(FOLDER_DATA_HEAD)]);
                }
                let written = delivery.as_mut().map_or(Ok(()), |delivery| delivery.write(chunk));
                written.err().map(Ended::DiskFailed)
            }
            ClientEvent::End(of) if of == tag && is_folder_data(&head) => Some(Ended::FolderData),
            ClientEvent::End(of) if of == tag => delivery.take().map(Ended::Arrived),
            _ => None,
        })
    }

    fn note(&mut self, job: Job, ended: Ended) -> Result<(), Trouble> {
        match (job, ended) {
            (_, Ended::DiskFailed(error)) => return Err(disk(self.maildir, &error)),
            (Job::Fetch(wanted), Ended::Arrived(delivery)) => {
                let (octets, announced) = (delivery.wire_octets(), wanted.octets);
                if octets < announced / 10 * 9 {
                    // Sizes are often a little wrong (Q29); so wrong they are where a server cuts messages short (Q39).
                    tracing::warn!(number = %wanted.number, octets, announced, "a message is much smaller than the server says");
                }
                self.unconfirmed = Some((wanted, delivery));
            }
            // One message that cannot be had is no reason to leave the others (Q37).
            (Job::Fetch(wanted), Ended::Refused(text)) => {
                self.done.troubles.push(format!("message {} was not fetched; the server says: {text}", wanted.number));
            }
            (Job::Delete(_), Ended::Refused(text)) => {
                self.done.troubles.push(format!("a message could not be deleted; the server says: {text}"));
            }
            (Job::Delete(unique_id), _) => {
                self.done.deleted += 1;
                self.done.deleted_ids.extend(unique_id);
            }
            (Job::Fetch(wanted), Ended::FolderData) => {
                tracing::info!(number = %wanted.number, "what the server keeps about its folder is left where it is");
            }
            (Job::Fetch(_) | Job::Confirm, _) => {}
        }
        Ok(())
    }

    /// Makes what has come survive a power cut, shows it, notes it, and lets it be deleted on the server. In this order; what a
    /// crash leaves in between is completed by the next run.
    fn secure(&mut self) -> Result<(), Failure> {
        // Whatever fails here fails for good, and nothing is done behind it: a sync that is tried again may seem to succeed (H45).
        let batch = mem::take(&mut self.batch).messages;
        if batch.is_empty() || mem::replace(&mut self.insecure, true) {
            return Ok(());
        }
        let disk = |error: io::Error| Failure::file(self.maildir.path(), &error);
        self.maildir.sync_tmp().map_err(disk)?;
        let named = batch.iter().filter_map(|(wanted, prepared)| Some((wanted.unique_id.as_deref()?, prepared.name())));
        let noted = self.journal.intend(named);
        noted.map_err(|error| Failure::file(self.journal.path(), &error))?;
        let mut home = Vec::new();
        for (wanted, prepared) in batch {
            self.done.octets += prepared.octets();
            let name = prepared.name().to_owned();
            prepared.commit().map_err(disk)?;
            home.push((wanted, name));
        }
        self.maildir.sync().map_err(disk)?;
        let noted =
            self.journal.home(home.iter().filter_map(|(wanted, name)| Some((wanted.unique_id.as_deref()?, name.as_str()))));
        noted.map_err(|error| Failure::file(self.journal.path(), &error))?;
        self.insecure = false;
        self.done.fetched += home.len() as u64;
        if self.how.delete {
            self.to_delete.extend(home.into_iter().map(|(wanted, _)| (wanted.number, wanted.unique_id)));
        }
        Ok(())
    }
}

/// Octets of a message's beginning in which its kind shows.
const FOLDER_DATA_HEAD: usize = 2048;

/// Servers of one family show a message of their own first, which must stay where it is (Q49).
fn is_folder_data(head: &[u8]) -> bool {
    let has = |text: &[u8]| head.windows(text.len()).any(|window| window == text);
    has(b"DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA") && has(b"\nX-IMAP: ")
}

enum Trouble {
    Disk(Failure),
    Session(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Session(error)
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Disk(failure)
    }
}

fn disk(maildir: &Maildir, error: &io::Error) -> Trouble {
    let failure = Failure::new(Exit::Storage, format_args!("{}: {error}", maildir.path().display()));
    Trouble::Disk(failure.hint("Nothing that is not safely home was deleted on the server. Mend the disk and run it again."))
}
