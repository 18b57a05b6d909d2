//! The transfer: retrieve, deliver, sync, note, and only then delete (H43).

use std::collections::VecDeque;
use std::fs;
use std::io;
use std::mem;
use std::path::PathBuf;

use indicatif::ProgressBar;
use pop3_blocking::proto::client::{ClientEvent, RemoteError, RequestError, Tag};
use pop3_blocking::proto::codec::{Command, MessageNumber, Status};
use pop3_blocking::{Client, Error};
use pop3_maildrop::{Delivery, Maildir};

use super::journal::Journal;
use super::plan::{Plan, Wanted};
use super::{Done, said};
use crate::failure::{Exit, Failure};

/// Messages that reach the disk together, so that the syncs of folder and journal are few.
const BATCH: usize = 64;

/// A transfer over one session.
pub struct Transfer<'a> {
    client: &'a mut Client,
    maildir: &'a Maildir,
    journal: &'a mut Journal,
    bar: &'a ProgressBar,
    /// Commands that may wait for their replies at once.
    window: usize,
    delete: bool,
    done: &'a mut Done,
    in_flight: VecDeque<(Tag, Job)>,
    to_delete: VecDeque<MessageNumber>,
    /// The message that came last. That it really ended where it seemed to is known when the next reply is one (Q31).
    unconfirmed: Option<Arrived>,
    batch: Vec<Arrived>,
}

#[derive(Debug)]
enum Job {
    Fetch(Wanted),
    Delete,
    Confirm,
}

/// A message that is in the Maildir, but may not survive a power cut yet.
#[derive(Debug)]
struct Arrived {
    wanted: Wanted,
    path: PathBuf,
}

/// How a command ended.
enum Ended {
    Arrived(Delivery),
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
        delete: bool,
        done: &'a mut Done,
    ) -> Self {
        Self {
            client,
            maildir,
            journal,
            bar,
            window,
            delete,
            done,
            in_flight: VecDeque::new(),
            to_delete: VecDeque::new(),
            unconfirmed: None,
            batch: Vec::new(),
        }
    }

    /// Fetches what the plan wants; deletes, where that is asked for, what is home.
    pub fn run(mut self, plan: Plan) -> Result<(), Failure> {
        let nameless = if self.delete { plan.nameless } else { Vec::new() };
        let mut queue: VecDeque<Wanted> = plan.new.into_iter().chain(nameless).collect();
        if self.delete {
            self.to_delete.extend(plan.known);
        }
        match self.work(&mut queue) {
            Ok(()) => Ok(()),
            Err(Trouble::Disk(failure)) => Err(failure),
            Err(Trouble::Session(error)) => {
                self.settle_unconfirmed(&error)?;
                // What has come is home, whatever became of the session.
                self.secure()?;
                Err(error.into())
            }
        }
    }

    fn work(&mut self, queue: &mut VecDeque<Wanted>) -> Result<(), Trouble> {
        loop {
            self.fill_window(queue)?;
            if let Some((tag, job)) = self.in_flight.pop_front() {
                let ended = self.finish(tag, &job)?;
                // A reply where one was due: the message before it did end where it seemed to.
                self.batch.extend(self.unconfirmed.take());
                self.note(job, ended)?;
            } else if self.batch.is_empty() {
                return Ok(());
            }
            let last = queue.is_empty() && self.unconfirmed.is_none() && self.in_flight.is_empty();
            if self.batch.len() >= BATCH || last {
                self.secure()?;
            }
        }
    }

    /// Sends as many commands as may be in flight: deletions first, they are what is safely home.
    fn fill_window(&mut self, queue: &mut VecDeque<Wanted>) -> Result<(), Error> {
        while self.in_flight.len() < self.window {
            let (command, job) = if let Some(number) = self.to_delete.pop_front() {
                (Command::Dele(number), Job::Delete)
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
        if let Job::Fetch(wanted) = job {
            self.bar.set_message(format!("message {}", wanted.number));
        }
        let mut delivery = None;
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
                let written = delivery.as_mut().map_or(Ok(()), |delivery| delivery.write(chunk));
                written.err().map(Ended::DiskFailed)
            }
            ClientEvent::End(of) if of == tag => delivery.take().map(Ended::Arrived),
            _ => None,
        })
    }

    fn note(&mut self, job: Job, ended: Ended) -> Result<(), Trouble> {
        match (job, ended) {
            (_, Ended::DiskFailed(error)) => return Err(disk(self.maildir, &error)),
            (Job::Fetch(wanted), Ended::Arrived(delivery)) => {
                let path = delivery.commit().map_err(|error| disk(self.maildir, &error))?;
                self.unconfirmed = Some(Arrived { wanted, path });
            }
            // One message that cannot be had is no reason to leave the others (Q37).
            (Job::Fetch(wanted), Ended::Refused(text)) => {
                self.done.troubles.push(format!("message {} was not fetched; the server says: {text}", wanted.number));
            }
            (Job::Delete, Ended::Refused(text)) => {
                self.done.troubles.push(format!("a message could not be deleted; the server says: {text}"));
            }
            (Job::Delete, _) => self.done.deleted += 1,
            (Job::Fetch(_) | Job::Confirm, _) => {}
        }
        Ok(())
    }

    /// Makes what has come survive a power cut, notes it, and lets it be deleted on the server. In this order.
    fn secure(&mut self) -> Result<(), Failure> {
        if self.batch.is_empty() {
            return Ok(());
        }
        self.maildir.sync().map_err(|error| Failure::file(self.maildir.path(), &error))?;
        let unique_ids = self.batch.iter().filter_map(|arrived| arrived.wanted.unique_id.as_deref());
        self.journal.add(unique_ids).map_err(|error| Failure::file(self.journal.path(), &error))?;
        for arrived in mem::take(&mut self.batch) {
            self.done.fetched += 1;
            self.done.octets += fs::metadata(&arrived.path).map_or(0, |meta| meta.len());
            if self.delete {
                self.to_delete.push_back(arrived.wanted.number);
            }
        }
        Ok(())
    }

    /// The session broke behind a message. If the connection just ended, the message is whole; if what came is no reply, the
    /// message may have ended too early: it is on the server still, and not to be trusted here (Q31).
    fn settle_unconfirmed(&mut self, error: &Error) -> Result<(), Failure> {
        let Some(arrived) = self.unconfirmed.take() else { return Ok(()) };
        let out_of_step = matches!(
            error,
            Error::Request(RequestError::Remote(
                RemoteError::NotAReply(_) | RemoteError::Unsolicited(_) | RemoteError::LineTooLong { .. }
            ))
        );
        if !out_of_step {
            self.batch.push(arrived);
            return Ok(());
        }
        fs::remove_file(&arrived.path).map_err(|error| Failure::file(&arrived.path, &error))?;
        self.done.troubles.push(format!("message {} does not end where the server says it does", arrived.wanted.number));
        Ok(())
    }
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
