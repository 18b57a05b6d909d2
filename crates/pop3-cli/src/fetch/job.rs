//! The fetch of one account.

use std::fmt;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use pop3_blocking::Client;
use pop3_fetch::{AccountMaildir, FetchError, Run, TransferOptions};
use pop3_maildrop::Maildir;

use super::place::{create, folder, onward, refuse_other_folder, spool_of};
use super::progress::Bar;
use super::{preview, summary};
use crate::account::{Account, Login};
use crate::arguments::Fetch;
use crate::delivery::{self, Route, Spool};
use crate::failure::{Failure, say};
use crate::language::Message;
use crate::terminal;
use crate::terminal::tell;

/// A fetch whose password is known.
pub struct Job<'a> {
    arguments: &'a Fetch,
    folder: PathBuf,
    /// Where the mail goes from the folder, if that is a spool.
    onward: Option<(Spool, Route)>,
    login: Login,
    /// The time that the server wants between two logins, as its last session said.
    pause: Duration,
    /// Nothing is printed about a run that brings nothing new.
    pub is_repeated: bool,
    /// Standard output is for messages.
    pub is_stdout_taken: bool,
}

impl<'a> Job<'a> {
    /// Determines where the mail comes from and goes to, and asks for the password.
    pub fn of(arguments: &'a Fetch) -> Result<Self, Failure> {
        let server = arguments.server.as_deref().unwrap_or_default();
        let mut account = Account::of(server, &arguments.account)?;
        let onward = onward(arguments, &account)?;
        if onward.is_none()
            && let Some(spool) = spool_of(&account).filter(|spool| spool.count() > 0)
        {
            tell!("pop3: {}", spool.waiting(spool.count()));
        }
        let folder = match &onward {
            Some((spool, _)) => spool.path().to_owned(),
            None => folder(arguments.maildir.as_deref(), account.address())?,
        };
        refuse_other_folder(&folder)?;
        // `QUIT` may be sent while a listing continues without end, so the window has room for two commands.
        account.options.config.window = usize::from(arguments.window).max(2);
        let place = onward.as_ref().map_or_else(|| folder.display().to_string(), |(_, route)| route.names());
        let told = arguments.maildir.is_none().then_some(&place as &dyn fmt::Display);
        let login = account.ask(&arguments.account, told, arguments.quiet).map_err(|failure| match &onward {
            Some((spool, _)) if spool.count() > 0 => failure.and(spool.waiting(spool.count())),
            _ => failure,
        })?;
        let is_stdout_taken = onward.as_ref().is_some_and(|(_, route)| route.uses_stdout());
        Ok(Self { arguments, folder, onward, login, pause: Duration::ZERO, is_repeated: false, is_stdout_taken })
    }

    /// Fetches, and prints the results under `name`, or else under the user and the host.
    ///
    /// # Errors
    /// The run failed, or messages could not be fetched or passed on.
    pub fn run(&mut self, bar: &Bar, name: Option<&str>) -> Result<(), Failure> {
        let Self { arguments, folder, onward, login, .. } = self;
        // No folder is created before the login has succeeded.
        let client = login.log_in(arguments.quiet).map_err(|failure| match onward {
            Some((spool, route)) if spool.count() > 0 && !arguments.dry_run => {
                pass_on_alone(failure, spool, route, &login.name())
            }
            _ => failure,
        })?;
        let delay = client.capabilities().and_then(|capabilities| capabilities.login_delay).unwrap_or(0);
        self.pause = Duration::from_secs(delay);
        let account = login.name();
        let transfer = TransferOptions {
            window: arguments.window.into(),
            max_message: arguments.max_size.map(|size| size.0),
            max_messages: arguments.max_messages.map(|number| number as usize),
            max_octets: arguments.max_total.map(|size| size.0),
            delete_after: arguments.delete_after.map_or(Duration::ZERO, |age| age.0),
            on_ids_changed: arguments.on_uid_change.into(),
            keep_newest: arguments.keep_newest.map_or(0, |number| number as usize),
            ..TransferOptions::new(arguments.deletes())
        };
        if arguments.dry_run {
            return show_plan(client, folder, &account, &transfer, name);
        }
        let mut home = AccountMaildir::open(create(folder, arguments.maildir.is_none())?, &account)?;
        let lock = onward.as_ref().map(|(spool, _)| locked(spool, &account)).transpose()?;
        let mut run = Run::new(&mut home, &transfer, bar);
        let mut first = Some(client);
        let result = run.fetch_new(&mut || first.take().map_or_else(|| login.connect(), Ok));
        bar.clear();
        let summary = run.into_summary();
        if summary.ids_changed {
            let told = Message::new("fetch-ids-changed").with("account", name.unwrap_or(&account));
            terminal::above_bars(|| tell!("pop3: {}", told.with("count", summary.recognised)));
        }
        // What is in the spool goes on, whether or not more could be fetched. After a failure of the disk it stays: a message that the journal
        // does not know to be stored must be there when the next run completes the journal, or it is fetched once more.
        let is_recorded = !matches!(result, Err(FetchError::Disk { .. }));
        let onward_now = onward.as_ref().filter(|_| is_recorded);
        let delivered = onward_now.map(|(spool, route)| delivery::deliver(spool, route)).transpose();
        drop((lock, home));
        // New mail is there, however the run has ended.
        let fetched = summary.fetched;
        let announce = || {
            if let Some(command) = arguments.on_new.as_ref().filter(|_| fetched > 0) {
                tell_command(command, name.unwrap_or(&account), fetched);
            }
        };
        if let Err(error) = result {
            announce();
            let failure = run_failure(error, summary.fetched);
            return Err(match (delivered, onward) {
                (Ok(Some(outcome)), Some((spool, _))) => outcome.explain(failure, spool),
                (Err(other), _) => failure.and(other),
                _ => failure,
            });
        }
        let delivered = delivered.inspect_err(|_| announce())?;
        let is_news = summary.fetched + summary.deleted > 0 || delivered.as_ref().is_some_and(|outcome| outcome.delivered > 0);
        if !arguments.quiet && (is_news || !self.is_repeated) {
            let passed_on = delivered.as_ref().map(|outcome| outcome.delivered);
            let line = format!("{}: {}", name.unwrap_or(&account), summary::line(&summary, passed_on));
            terminal::above_bars(|| match self.is_stdout_taken {
                true => {
                    tell!("{line}");
                    Ok(())
                }
                false => say(line),
            })?;
        }
        announce();
        let checked = summary::check(summary);
        match (delivered, onward) {
            (Some(outcome), Some((spool, _))) => outcome.check(spool).and(checked),
            _ => checked,
        }
    }

    /// Returns the time that the server wants between two logins.
    pub const fn pause(&self) -> Duration {
        self.pause
    }
}

/// Takes the lock of a spool.
fn locked(spool: &Spool, account: &str) -> Result<File, Failure> {
    let lock = spool.lock().map_err(|error| Failure::file(spool.path(), &error))?;
    lock.ok_or_else(|| FetchError::Locked { account: account.to_owned() }.into())
}

/// Passes on what waits, although nothing could be fetched. Returns the failure of the fetch, with what waits then.
fn pass_on_alone(failure: Failure, spool: &Spool, route: &Route, account: &str) -> Failure {
    let passed_on = || {
        // The journal is completed first, as by each run.
        let _home =
            AccountMaildir::open(Maildir::open(spool.path()).map_err(|error| Failure::file(spool.path(), &error))?, account)?;
        let _lock = locked(spool, account)?;
        delivery::deliver(spool, route)
    };
    match passed_on() {
        Ok(outcome) => outcome.explain(failure, spool),
        Err(other) => failure.and(other),
    }
}

/// Runs the command of `--on-new`. The mail is safe whatever becomes of it.
fn tell_command(command: &str, account: &str, count: u64) {
    let mut shell = Command::new("sh");
    // Standard output may be for messages.
    shell.args(["-c", command]).stdin(Stdio::null()).stdout(io::stderr());
    delivery::without_secrets(&mut shell);
    shell.env("POP3_ACCOUNT", account).env("POP3_NEW", count.to_string());
    match shell.spawn().and_then(delivery::end_in_time) {
        Ok(status) if status.success() => {}
        Ok(status) => tracing::warn!("the command of --on-new failed: {status}"),
        Err(error) => tracing::warn!("the command of --on-new cannot be run: {error}"),
    }
}

/// Prints what a run would do with the messages of the server.
fn show_plan(
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
