//! Passes mail on to other destinations than the Maildir of the run.
//!
//! A run fetches into a Maildir of its own, the spool, by the same steps as into any other. From there each message goes to every destination,
//! and is removed when all of them have it safely. So a destination that fails loses nothing: the message waits in the spool, and the next run
//! tries again. A note on the disk before each step that cannot be repeated tells the next run how far this one came.
// H43

mod command;
mod destination;
mod envelope;
mod file;
mod lmtp;
mod mbox;
mod progress;
mod spool;

use std::io;

use crate::arguments::Destination as Wanted;
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::server_text::one_line;
pub use command::end_in_time;
pub use destination::without_secrets;
use destination::{Destination, Trouble};
use progress::Progress;
pub use spool::Spool;
use spool::Spooled;

/// No more reasons are told than this.
const MOST_TROUBLES: usize = 5;

/// The number of refusals in a row after which a destination is not asked again in this run.
const MOST_FAILURES: u32 = 20;

/// What became of the messages in the spool.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The number of messages that all destinations have.
    pub delivered: u64,
    /// The number of messages that wait in the spool.
    pub waiting: u64,
    /// What was in the way: the first reasons, each once.
    troubles: Vec<String>,
}

impl Outcome {
    /// Returns a failure if messages wait.
    ///
    /// # Errors
    /// Messages wait.
    pub fn check(&self, spool: &Spool) -> Result<(), Failure> {
        match self.waiting {
            0 => Ok(()),
            count => Err(Failure::new(Exit::SomeFailed, self.troubles.join("\npop3: ")).and(spool.waiting(count))),
        }
    }

    /// Adds to a failure of the run what waits.
    pub fn explain(&self, failure: Failure, spool: &Spool) -> Failure {
        let failure = match self.delivered {
            0 => failure,
            count => failure.and(Message::new("deliver-done").with("count", count)),
        };
        match self.check(spool) {
            Ok(()) => failure,
            Err(waiting) => failure.and(waiting),
        }
    }

    fn add(&mut self, place: &str, trouble: &str) {
        let told = Message::new("deliver-failed").with("destination", place).with("error", one_line(trouble)).to_string();
        if !self.troubles.contains(&told) && self.troubles.len() < MOST_TROUBLES {
            self.troubles.push(told);
        }
    }
}

/// Where the messages of one account go.
#[derive(Clone, Debug)]
pub struct Route {
    destinations: Vec<Wanted>,
    /// The address to which the messages are passed on.
    recipient: Option<String>,
    /// The server that the messages come from.
    source: String,
}

impl Route {
    /// Returns the route to some destinations.
    ///
    /// # Errors
    /// A destination needs a recipient, and there is none.
    pub fn new(destinations: &[Wanted], recipient: Option<&str>, source: &str) -> Result<Self, Failure> {
        let needs_recipient = |wanted: &&Wanted| matches!(wanted, Wanted::Lmtp(_) | Wanted::Smtp(_));
        match destinations.iter().find(needs_recipient) {
            Some(wanted) if recipient.is_none() => {
                Err(Failure::new(Exit::Usage, Message::new("deliver-no-recipient").with("destination", wanted)))
            }
            _ => Ok(Self {
                destinations: destinations.to_vec(),
                recipient: recipient.map(str::to_owned),
                source: source.to_owned(),
            }),
        }
    }

    /// Returns the names of the destinations.
    pub fn names(&self) -> String {
        self.destinations.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
    }

    /// Returns `true` if messages go to standard output, where nothing else may be.
    pub fn uses_stdout(&self) -> bool {
        self.destinations.contains(&Wanted::Stdout)
    }
}

/// A destination of a run.
struct Place {
    name: String,
    /// `None` once it takes nothing more in this run.
    destination: Option<Box<dyn Destination>>,
    /// The number of messages in a row that it has not taken.
    failures: u32,
}

/// Delivers all messages of the spool. The caller holds its lock and the journal of the account, so no other run does the same.
///
/// # Errors
/// The spool cannot be read or changed.
pub fn deliver(spool: &Spool, route: &Route) -> Result<Outcome, Failure> {
    let mut outcome = Outcome::default();
    let failed = |error: io::Error| Failure::file(spool.path(), &error);
    let mut progress = Progress::open(spool).map_err(failed)?;
    let mut places = Vec::new();
    for wanted in &route.destinations {
        let name = wanted.to_string();
        // A destination that cannot be opened stops no other.
        let destination = open(wanted, route, spool).map_err(|error| outcome.add(&name, &error.to_string())).ok();
        places.push(Place { name, destination, failures: 0 });
    }
    for message in spool.messages().map_err(failed)? {
        let mut has_all = true;
        let last = places.len() - 1;
        for (at, place) in places.iter_mut().enumerate() {
            if progress.has(&message, &place.name) {
                continue;
            }
            has_all &= match place.deliver(&message, &mut outcome) {
                // The removal of the message says that the last destination has it.
                true if at == last && has_all => true,
                true => {
                    progress.note(&message, &place.name).map_err(failed)?;
                    true
                }
                false => false,
            };
        }
        match has_all {
            true => {
                spool.remove(&message).map_err(failed)?;
                outcome.delivered += 1;
            }
            false => outcome.waiting += 1,
        }
    }
    progress.close(outcome.waiting == 0).map_err(failed)?;
    Ok(outcome)
}

impl Place {
    /// Delivers a message. Returns `true` if the destination has it safely.
    fn deliver(&mut self, message: &Spooled, outcome: &mut Outcome) -> bool {
        let Some(destination) = &mut self.destination else { return false };
        match destination.deliver(message) {
            Ok(()) => {
                self.failures = 0;
                return true;
            }
            Err(Trouble::Refused(text)) => {
                outcome.add(&self.name, &text);
                self.failures += 1;
            }
            Err(Trouble::Unavailable(text)) => {
                outcome.add(&self.name, &text);
                self.failures = MOST_FAILURES;
            }
        }
        if self.failures >= MOST_FAILURES {
            self.destination = None;
        }
        false
    }
}

fn open(wanted: &Wanted, route: &Route, spool: &Spool) -> io::Result<Box<dyn Destination>> {
    // A route without a recipient has no destination that needs one.
    let server =
        |protocol, peer| lmtp::Server::new(protocol, peer, route.recipient.as_deref().unwrap_or_default(), &route.source);
    Ok(match wanted {
        Wanted::Mbox(path) => Box::new(mbox::Mbox::new(path, spool)),
        Wanted::Stdout => Box::new(mbox::Output),
        Wanted::Eml(path) => Box::new(file::Files::eml(path)?),
        Wanted::Maildir(path) => Box::new(file::Files::maildir(path)?),
        Wanted::Command(command) => Box::new(command::Command::new(command, route.recipient.as_deref())),
        Wanted::Lmtp(peer) => Box::new(server(lmtp::Protocol::Lmtp, peer)),
        Wanted::Smtp(peer) => Box::new(server(lmtp::Protocol::Smtp, peer)),
    })
}
