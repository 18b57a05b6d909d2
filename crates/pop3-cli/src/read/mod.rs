//! The subcommand `pop3 read`: looks at the mail on a server or in a Maildir.

mod folder;
mod mailbox;
mod message;
mod server;
mod table;

use std::collections::BTreeSet;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use crate::account::Account;
use crate::accounts::{self, Given};
use crate::arguments::Read;
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::terminal::{self, agrees};
use folder::Folder;
use mailbox::Mailbox;
use server::Server;

/// The number of messages in a list without `--all`.
const NEWEST: usize = 50;

pub fn run(arguments: &Read, given: &Given) -> Result<(), Failure> {
    let folder = Path::new(&arguments.server);
    if folder.is_dir() {
        if !arguments.delete.is_empty() {
            return Err(Failure::new(Exit::Usage, Message::new("read-delete-local")));
        }
        return look(&mut Folder::open(folder)?, arguments);
    }
    let configured = accounts::named(&arguments.server, given)?;
    let (server, login) = match &configured {
        Some(fetch) => (fetch.server.as_deref().unwrap_or_default(), &fetch.account),
        None => (arguments.server.as_str(), &arguments.account),
    };
    let mut account = Account::of(server, login)?;
    account.options.config.max_message = Some(server::LONGEST);
    let client = account.ask(login, None, false)?.log_in(false)?;
    let mut server = Server::new(client)?;
    if arguments.delete.is_empty() {
        look(&mut server, arguments)?;
        return server.quit();
    }
    let deleted = delete(&mut server, arguments)?;
    server.quit()?;
    match deleted {
        0 => say(Message::new("read-nothing-deleted")),
        deleted => say(Message::new("read-deleted").with("count", deleted)),
    }
}

fn look(mailbox: &mut impl Mailbox, arguments: &Read) -> Result<(), Failure> {
    let Some(number) = arguments.number else { return list(mailbox, arguments.all) };
    let message = mailbox.message(number)?;
    if !arguments.raw {
        return say(message::text(&message, terminal::width()).trim_end());
    }
    if io::stdout().is_terminal() {
        return say(message::safe(&String::from_utf8_lossy(&message)).trim_end());
    }
    match io::stdout().write_all(&message) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::new(Exit::Storage, error)),
        _ => Ok(()),
    }
}

fn list(mailbox: &mut impl Mailbox, all: bool) -> Result<(), Failure> {
    let numbers = mailbox.numbers()?;
    if numbers.is_empty() {
        return say(Message::new("read-empty"));
    }
    let newest = if all { &numbers[..] } else { &numbers[numbers.len().saturating_sub(NEWEST)..] };
    for row in mailbox.rows(newest)? {
        say(row.line(terminal::width()))?;
    }
    if newest.len() < numbers.len() {
        say(Message::new("read-newest").with("shown", newest.len()).with("count", numbers.len()))?;
    }
    Ok(())
}

/// Marks messages as deleted on the server, after it has shown which and asked. Returns how many there are.
fn delete(server: &mut Server, arguments: &Read) -> Result<usize, Failure> {
    let numbers: BTreeSet<u32> = arguments.delete.iter().copied().collect();
    let numbers: Vec<u32> = numbers.into_iter().collect();
    for row in server.rows(&numbers)? {
        say(row.line(terminal::width()))?;
    }
    match arguments.yes || is_confirmed(numbers.len())? {
        true => server.delete(&numbers),
        false => Ok(0),
    }
}

fn is_confirmed(count: usize) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Err(Failure::new(Exit::Usage, Message::new("read-no-terminal")));
    }
    agrees(&Message::new("read-ask").with("count", count), false)
}
