//! The subcommand `pop3 fetch`.

mod job;
mod preview;
pub mod progress;
mod repeat;
mod schedule;
mod summary;
mod timer;

use std::collections::VecDeque;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use pop3_maildrop::Maildir;

use crate::account::Account;
use crate::accounts::{self, Given};
use crate::arguments::Fetch;
use crate::delivery::{Route, Spool};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::terminal;
use crate::terminal::tell;
use job::Job;
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

/// Returns the spool of an account and where its mail goes from there. `None` if the mail goes into a Maildir and stays there.
pub fn onward(arguments: &Fetch, account: &Account) -> Result<Option<(Spool, Route)>, Failure> {
    if arguments.deliver_to.is_empty() {
        return Ok(None);
    }
    if arguments.maildir.is_some() {
        return Err(Failure::new(Exit::Usage, Message::new("deliver-and-maildir")));
    }
    let spool = spool_of(account).ok_or_else(|| Failure::new(Exit::Usage, Message::new("deliver-no-home")))?;
    let recipient = arguments.recipient.as_deref().or(account.address());
    Ok(Some((spool, Route::new(&arguments.deliver_to, recipient, account.host())?)))
}

/// Returns the spool of an account. `None` without a home.
fn spool_of(account: &Account) -> Option<Spool> {
    // The user name may be found at the login only, but the address and the server are known before.
    let name = account.address().map_or_else(|| account.name(), |address| format!("{address},{}", account.server()));
    Spool::of(&name)
}

/// Tells the failure of an account of the configuration, and returns its exit code.
fn told(name: &str, failure: &Failure) -> Exit {
    terminal::above_bars(|| tell!("pop3: {name}: {failure}"));
    failure.exit
}

/// Returns the Maildir: the one that the arguments name, or `~/Mail/ADDRESS` for an address that is safe as the name of a folder.
pub fn folder(maildir: Option<&Path>, address: Option<&str>) -> Result<PathBuf, Failure> {
    if let Some(maildir) = maildir {
        return Ok(maildir.to_owned());
    }
    let Some(name) = address else {
        return Err(Failure::new(Exit::Usage, "a host name needs a Maildir, too")
            .hint("For example: pop3 fetch pop.example.org --user joe ~/Maildir"));
    };
    let is_safe = !name.starts_with('.') && !name.contains(['/', '\\', '\0']) && !name.chars().any(char::is_control);
    match env::var_os("HOME").filter(|home| !home.is_empty() && is_safe) {
        Some(home) => Ok(PathBuf::from(home).join("Mail").join(name)),
        None => Err(Failure::new(Exit::Usage, format_args!("there is no default folder for {name:?}"))
            .hint("Name a Maildir: pop3 fetch ADDRESS MAILDIR")),
    }
}

/// Returns a failure for a folder with something else than a Maildir in it, which mail would be mixed with.
pub fn refuse_other_folder(maildir: &Path) -> Result<(), Failure> {
    let is_maildir = ["cur", "new", "tmp"].iter().any(|sub| maildir.join(sub).is_dir());
    let has_entries = fs::read_dir(maildir).is_ok_and(|mut entries| entries.next().is_some());
    match has_entries && !is_maildir {
        true => Err(Failure::new(Exit::Usage, Message::new("fetch-no-maildir").with("folder", maildir.display()))
            .hint(&Message::new("fetch-no-maildir-next").to_string())),
        false => Ok(()),
    }
}

/// Opens a Maildir, or creates it. The folder above the default one belongs to the default.
pub fn create(maildir: &Path, is_default: bool) -> Result<Maildir, Failure> {
    if let Some(parent) = maildir.parent().filter(|_| is_default) {
        fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
    }
    Maildir::create(maildir).map_err(|error| Failure::file(maildir, &error))
}
