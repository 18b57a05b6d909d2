//! The subcommand `pop3 fetch`.

pub mod progress;
mod summary;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use pop3_fetch::{AccountMaildir, FetchError, Run, TransferOptions};
use pop3_maildrop::Maildir;

use crate::account::Account;
use crate::arguments::Fetch;
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use progress::Bar;

pub fn run(arguments: &Fetch) -> Result<(), Failure> {
    let mut account = Account::of(&arguments.account)?;
    let folder = folder(arguments, account.address())?;
    refuse_other_folder(&folder)?;
    // `QUIT` may be sent while a listing continues without end, so the window has room for two commands.
    account.options.config.window = usize::from(arguments.window).max(2);
    // No folder is created before the login has succeeded.
    let is_default = arguments.maildir.is_none();
    let (account, client) = account.log_in(&arguments.account, is_default.then_some(&folder), arguments.quiet)?;
    let mut home = AccountMaildir::open(create(&folder, is_default)?, &account.name())?;
    let bar = Bar::new();
    bar.explain_interrupt();
    let transfer = TransferOptions { window: arguments.window.into(), ..TransferOptions::new(arguments.delete) };
    let mut run = Run::new(&mut home, &transfer, &bar);
    let mut first = Some(client);
    let result = run.fetch_new(&mut || first.take().map_or_else(|| account.connect(), Ok));
    bar.clear();
    let summary = run.into_summary();
    result.map_err(|error| run_failure(error, summary.fetched))?;
    if !arguments.quiet {
        say(format_args!("{}: {}", account.name(), summary::line(&summary)))?;
    }
    summary::check(summary)
}

/// Returns the Maildir: the one that the arguments name, or `~/Mail/ADDRESS` for an address that is safe as the name of a folder.
fn folder(arguments: &Fetch, address: Option<&str>) -> Result<PathBuf, Failure> {
    if let Some(maildir) = &arguments.maildir {
        return Ok(maildir.clone());
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
fn refuse_other_folder(maildir: &Path) -> Result<(), Failure> {
    let is_maildir = ["cur", "new", "tmp"].iter().any(|sub| maildir.join(sub).is_dir());
    let has_entries = fs::read_dir(maildir).is_ok_and(|mut entries| entries.next().is_some());
    match has_entries && !is_maildir {
        true => Err(Failure::new(Exit::Usage, Message::new("fetch-no-maildir").with("folder", maildir.display()))
            .hint(&Message::new("fetch-no-maildir-next").to_string())),
        false => Ok(()),
    }
}

/// Opens a Maildir, or creates it. The folder above the default one belongs to the default.
fn create(maildir: &Path, is_default: bool) -> Result<Maildir, Failure> {
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
        return failure.hint("Only messages safely on disk were deleted from the server. Fix the disk and run it again.");
    }
    match fetched {
        1 if is_session => failure.and("1 message is safely stored. Run the command again to fetch the rest."),
        2.. if is_session => {
            failure.and(format_args!("{fetched} messages are safely stored. Run the command again to fetch the rest."))
        }
        _ => failure,
    }
}
