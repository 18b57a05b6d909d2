//! The subcommand `pop3 fetch`.

mod preview;
pub mod progress;
mod summary;

use std::collections::VecDeque;
use std::env;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use pop3_blocking::Client;
use pop3_fetch::{AccountMaildir, FetchError, Run, TransferOptions};
use pop3_maildrop::Maildir;

use crate::account::{Account, Login};
use crate::accounts::{self, Given};
use crate::arguments::Fetch;
use crate::delivery::{self, Route, Spool};
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::terminal;
use crate::terminal::tell;
use progress::{Bar, explain_interrupt};

pub fn run(arguments: &Fetch, given: &Given) -> Result<(), Failure> {
    let stored = Arc::default();
    let Some(selected) = accounts::selected(arguments, given)? else {
        let job = Job::of(arguments)?;
        explain_interrupt(&stored);
        return job.run(&Bar::new(&stored), None);
    };
    // Passwords are asked for one after the other, before any bar is drawn.
    let mut exits = Vec::new();
    let mut jobs = VecDeque::new();
    for (name, arguments) in &selected.accounts {
        match Job::of(arguments) {
            Ok(job) => jobs.push_back((name.as_str(), job)),
            Err(failure) => exits.push(told(name, &failure)),
        }
    }
    explain_interrupt(&stored);
    let (jobs, failed) = (Mutex::new(jobs), Mutex::new(exits));
    thread::scope(|scope| {
        for _ in 0..selected.jobs.min(selected.accounts.len()) {
            scope.spawn(|| {
                loop {
                    let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                    let Some((name, job)) = next else { break };
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
    // The user name may be found at the login only, and each account has one spool.
    let name = account.address().map_or_else(|| account.name(), str::to_owned);
    let spool = Spool::of(&name).ok_or_else(|| Failure::new(Exit::Usage, Message::new("deliver-no-home")))?;
    let recipient = arguments.recipient.as_deref().or(account.address());
    Ok(Some((spool, Route::new(&arguments.deliver_to, recipient, account.host())?)))
}

/// Tells the failure of an account of the configuration, and returns its exit code.
fn told(name: &str, failure: &Failure) -> Exit {
    terminal::above_bars(|| tell!("pop3: {name}: {failure}"));
    failure.exit
}

/// A fetch whose password is known.
struct Job<'a> {
    arguments: &'a Fetch,
    folder: PathBuf,
    /// Where the mail goes from the folder, if that is a spool.
    onward: Option<(Spool, Route)>,
    login: Login,
}

impl<'a> Job<'a> {
    /// Determines where the mail comes from and goes to, and asks for the password.
    fn of(arguments: &'a Fetch) -> Result<Self, Failure> {
        let server = arguments.server.as_deref().unwrap_or_default();
        let mut account = Account::of(server, &arguments.account)?;
        let onward = onward(arguments, &account)?;
        let folder = match &onward {
            Some((spool, _)) => spool.path().to_owned(),
            None => folder(arguments.maildir.as_deref(), account.address())?,
        };
        refuse_other_folder(&folder)?;
        // `QUIT` may be sent while a listing continues without end, so the window has room for two commands.
        account.options.config.window = usize::from(arguments.window).max(2);
        let place = onward.as_ref().map_or_else(|| folder.display().to_string(), |(_, route)| route.names());
        let told = arguments.maildir.is_none().then_some(&place as &dyn fmt::Display);
        let login = account.ask(&arguments.account, told, arguments.quiet)?;
        Ok(Self { arguments, folder, onward, login })
    }

    /// Fetches, and prints the results under `name`, or else under the user and the host.
    fn run(self, bar: &Bar, name: Option<&str>) -> Result<(), Failure> {
        let Self { arguments, folder, onward, login } = self;
        // No folder is created before the login has succeeded.
        let (mut login, client) = login.log_in(arguments.quiet)?;
        let account = login.name();
        let transfer = TransferOptions {
            window: arguments.window.into(),
            max_message: arguments.max_size.map(|size| size.0),
            delete_after: arguments.delete_after.map_or(Duration::ZERO, |age| age.0),
            keep_newest: arguments.keep_newest.map_or(0, |number| number as usize),
            ..TransferOptions::new(arguments.deletes())
        };
        if arguments.dry_run {
            return preview(client, &folder, &account, &transfer, name);
        }
        let mut home = AccountMaildir::open(create(&folder, arguments.maildir.is_none())?, &account)?;
        let mut run = Run::new(&mut home, &transfer, bar);
        let mut first = Some(client);
        let result = run.fetch_new(&mut || first.take().map_or_else(|| login.connect(), Ok));
        bar.clear();
        let summary = run.into_summary();
        // What is in the spool goes on, whether or not more could be fetched. After a failure of the disk it stays: a message that the journal
        // does not know to be stored must be there when the next run completes the journal, or it is fetched once more.
        let is_recorded = !matches!(result, Err(FetchError::Disk { .. }));
        let onward_now = onward.as_ref().filter(|_| is_recorded);
        let delivered = onward_now.map(|(spool, route)| delivery::deliver(spool, route)).transpose();
        result.map_err(|error| run_failure(error, summary.fetched))?;
        let delivered = delivered?;
        if !arguments.quiet {
            let passed_on = delivered.as_ref().map(|outcome| outcome.delivered);
            let line = format!("{}: {}", name.unwrap_or(&account), summary::line(&summary, passed_on));
            terminal::above_bars(|| match onward.as_ref().is_some_and(|(_, route)| route.uses_stdout()) {
                true => {
                    tell!("{line}");
                    Ok(())
                }
                false => say(line),
            })?;
        }
        let checked = summary::check(summary);
        match (delivered, onward) {
            (Some(outcome), Some((spool, _))) => outcome.check(&spool).and(checked),
            _ => checked,
        }
    }
}

/// Prints what a run would do with the messages of the server.
fn preview(
    mut client: Client,
    folder: &Path,
    account: &str,
    options: &TransferOptions,
    name: Option<&str>,
) -> Result<(), Failure> {
    let table = preview::table(&pop3_fetch::preview(&mut client, folder, account, options)?);
    // Nothing was changed, so nothing depends on how the session ends.
    let _ = client.quit();
    terminal::above_bars(|| match name {
        Some(name) => say(format!("{name}:\n{table}")),
        None => say(table),
    })
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

/// Returns the failure of an interrupted run, with the number of stored messages in its hint.
fn run_failure(error: FetchError, fetched: u64) -> Failure {
    let is_session = matches!(error, FetchError::Session(_));
    let is_disk = matches!(error, FetchError::Disk { .. });
    let failure = Failure::from(error);
    if is_disk {
        return failure.and(Message::new("advice-disk"));
    }
    match fetched {
        1.. if is_session => failure.and(Message::new("fetch-stored").with("count", fetched)),
        _ => failure,
    }
}
