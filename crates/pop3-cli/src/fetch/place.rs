//! Where the mail of an account goes.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use pop3_maildrop::Maildir;

use crate::account::Account;
use crate::arguments::Fetch;
use crate::delivery::{Route, Spool};
use crate::failure::{Exit, Failure};
use crate::language::Message;

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
pub fn spool_of(account: &Account) -> Option<Spool> {
    // The user name may be found at the login only, but the address and the server are known before.
    let name = account.address().map_or_else(|| account.name(), |address| format!("{address},{}", account.server()));
    Spool::of(&name)
}

/// Returns the Maildir: the one that the arguments name, or `~/Mail/ADDRESS` for an address that is safe as the name of a folder.
pub fn folder(maildir: Option<&Path>, address: Option<&str>) -> Result<PathBuf, Failure> {
    if let Some(maildir) = maildir {
        return Ok(maildir.to_owned());
    }
    let Some(name) = address else {
        return Err(Failure::new(Exit::Usage, Message::new("place-no-maildir")).and(Message::new("target-no-user-example")));
    };
    let is_safe = !name.starts_with('.') && !name.contains(['/', '\\', '\0']) && !name.chars().any(char::is_control);
    match env::var_os("HOME").filter(|home| !home.is_empty() && is_safe) {
        Some(home) => Ok(PathBuf::from(home).join("Mail").join(name)),
        None => Err(Failure::new(Exit::Usage, Message::new("place-no-default").with("name", format_args!("{name:?}")))
            .and(Message::new("place-name-maildir"))),
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
