//! The subcommand `pop3 fetch`.

mod job;
mod place;
mod preview;
mod problem;
pub mod progress;
mod repeat;
mod schedule;
mod summary;
mod timer;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use crate::accounts::{self, Given};
use crate::arguments::Fetch;
use crate::failure::{Exit, Failure};
use crate::terminal;
use crate::terminal::tell;
use job::Job;
pub use place::{create, folder, onward, refuse_other_folder};
use progress::{Bar, explain_interrupt};

pub fn run(arguments: &Fetch, given: &Given) -> Result<(), Failure> {
    if arguments.install_timer {
        return timer::install(arguments, given);
    }
    let wake = arguments.every.and_then(|_| repeat::Wake::listen());
    let stored = Arc::default();
    let Some(selected) = accounts::selected(arguments, given)? else {
        let mut job = Job::of(arguments)?;
        explain_interrupt(&stored);
        return match arguments.every {
            Some(every) => repeat::run(vec![repeat::Account::new(None, arguments, Ok(job))], every.0, 1, &stored, wake),
            None => job.run(&Bar::new(&stored), None),
        };
    };
    // Passwords are asked for one after the other, before any bar is drawn.
    let jobs = selected.accounts.iter().map(|(name, arguments)| (name.as_str(), arguments, Job::of(arguments)));
    if let Some(every) = arguments.every {
        let accounts: Vec<_> = jobs.map(|(name, arguments, job)| repeat::Account::new(Some(name), arguments, job)).collect();
        explain_interrupt(&stored);
        return repeat::run(accounts, every.0, selected.jobs, &stored, wake);
    }
    let mut exits = Vec::new();
    let mut ready = VecDeque::new();
    for (name, _, job) in jobs {
        match job {
            Ok(job) => ready.push_back((name, job)),
            Err(failure) => exits.push(told(name, &failure)),
        }
    }
    explain_interrupt(&stored);
    // Nothing but messages goes to standard output, whichever account they come from.
    let is_stdout_taken = ready.iter().any(|(_, job)| job.is_stdout_taken);
    ready.iter_mut().for_each(|(_, job)| job.is_stdout_taken = is_stdout_taken);
    let jobs = ready;
    let (jobs, failed) = (Mutex::new(jobs), Mutex::new(exits));
    thread::scope(|scope| {
        for _ in 0..selected.jobs.min(selected.accounts.len()) {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((name, mut job)) = next else { break };
                    if let Err(failure) = job.run(&Bar::new(&stored), Some(name)) {
                        failed.lock().unwrap_or_else(PoisonError::into_inner).push(told(name, &failure));
                    }
                }
            });
        }
    });
    let exits = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    match exits.first() {
        None => Ok(()),
        // Accounts that fail in different ways have no code in common.
        Some(first) if exits.iter().any(|exit| exit != first) => Err(Failure::told(Exit::Other)),
        Some(first) => Err(Failure::told(*first)),
    }
}

/// Tells the failure of an account of the configuration, and returns its exit code.
fn told(name: &str, failure: &Failure) -> Exit {
    terminal::above_bars(|| tell!("pop3: {name}: {failure}"));
    failure.exit
}
