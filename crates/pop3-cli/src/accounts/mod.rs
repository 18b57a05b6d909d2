//! The accounts of the configuration, and the subcommand `pop3 accounts`.

mod add;
mod config;
mod remove;

use std::env;

use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory};

use crate::account::Account;
use crate::arguments::{Accounts, AccountsCommand, Arguments, Fetch};
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::server_text::one_line;
use crate::terminal::tell;
use config::Config;
pub use config::Given;

/// Accounts to fetch.
#[derive(Debug)]
pub struct Selected {
    /// The names and the arguments.
    pub accounts: Vec<(String, Fetch)>,
    /// How many are fetched at once.
    pub jobs: usize,
}

/// Returns the options of a subcommand, which `path` leads to, that are on the command line.
pub fn given(matches: &ArgMatches, path: &[&str]) -> Given {
    let mut command = Arguments::command();
    let mut matches = matches;
    for name in path {
        let (Some(inner), Some(subcommand)) = (matches.subcommand_matches(name), command.find_subcommand(name).cloned()) else {
            return Given::new();
        };
        (matches, command) = (inner, subcommand);
    }
    let mut given = Given::new();
    for argument in command.get_arguments() {
        let id = argument.get_id().as_str();
        let is_given = matches.value_source(id) == Some(ValueSource::CommandLine);
        let Some(long) = argument.get_long().filter(|_| is_given) else { continue };
        let takes_value = argument.get_action().takes_values();
        let values = matches.get_raw(id).into_iter().flatten().map(|value| value.to_string_lossy().into_owned());
        given.insert(long.to_owned(), if takes_value { values.collect() } else { Vec::new() });
    }
    given
}

/// Returns the accounts that the arguments of `pop3 fetch` name: all without a name. `None` if they name a server or an address instead.
///
/// # Errors
/// The configuration cannot be read, or has no such account.
pub fn selected(arguments: &Fetch, given: &Given) -> Result<Option<Selected>, Failure> {
    let mut names: Vec<String> = arguments.server.iter().cloned().collect();
    names.extend(arguments.maildir.iter().map(|maildir| maildir.to_string_lossy().into_owned()));
    names.extend(arguments.more.iter().cloned());
    let config = match Config::path() {
        Some(path) => Config::read(&path)?,
        None => None,
    };
    let Some(config) = config else {
        return match names.len() {
            0 => Err(no_account()),
            1 | 2 => Ok(None),
            _ => Err(unknown(&names[0])),
        };
    };
    // Without a dot, a colon or an @, a name is no server on the internet.
    let is_server = |name: &str| name.contains(['.', ':', '@']) || given.contains_key("user");
    match names.iter().find(|name| !config.has(name)) {
        // A server that has the name of an account may be fetched into another Maildir.
        Some(_) if names.len() <= 2 && is_server(&names[0]) => return Ok(None),
        Some(name) => return Err(unknown(name)),
        None => {}
    }
    if names.is_empty() {
        names = config.names().map(str::to_owned).collect();
    }
    if names.is_empty() {
        return Err(no_account());
    }
    let account = |name: String| config.fetch(&name, given).map(|fetch| (name, fetch));
    let accounts = names.into_iter().map(account).collect::<Result<Vec<_>, _>>()?;
    if accounts.len() > 1 && given.contains_key("pin") {
        return Err(Failure::new(Exit::Usage, Message::new("accounts-one-pin")));
    }
    let without_password = accounts.iter().filter(|(_, fetch)| !fetch.account.has_secret()).count();
    if without_password > 1 && env::var_os("POP3_PASSWORD").is_some() {
        // No operator of one server gets the password of another.
        return Err(Failure::new(Exit::Usage, Message::new("accounts-one-password")));
    }
    Ok(Some(Selected { accounts, jobs: config.jobs() }))
}

/// Returns the settings of the account that a command names in the place of a server. `None` if there is no such account. Of the command line,
/// only what names an account or its login applies.
///
/// # Errors
/// The configuration cannot be read, or the account has a wrong key.
pub fn named(name: &str, given: &Given) -> Result<Option<Fetch>, Failure> {
    const OPTIONS: [&str; 26] = [
        "user",
        "host",
        "port",
        "stls",
        "ca-file",
        "pin",
        "client-cert",
        "client-key",
        "dangerously-any-certificate",
        "dangerously-cleartext",
        "proxy",
        "auth",
        "password-file",
        "password-command",
        "netrc",
        "credential",
        "token-file",
        "token-command",
        "autoconfig-file",
        "oauth-client-id",
        "oauth-client-secret",
        "oauth-scope",
        "oauth-token-url",
        "oauth-authorize-url",
        "oauth-device-url",
        "oauth-redirect-url",
    ];
    let config = match Config::path() {
        Some(path) => Config::read(&path)?,
        None => None,
    };
    let Some(config) = config.filter(|config| config.has(name)) else { return Ok(None) };
    let given = given.iter().filter(|(option, _)| OPTIONS.contains(&option.as_str()));
    config.fetch(name, &given.map(|(option, values)| (option.clone(), values.clone())).collect()).map(Some)
}

fn unknown(name: &str) -> Failure {
    Failure::new(Exit::Usage, Message::new("accounts-unknown").with("account", name))
}

fn no_account() -> Failure {
    Failure::new(Exit::Usage, Message::new("accounts-none")).hint(&Message::new("accounts-none-next").to_string())
}

pub fn run(arguments: &Accounts, given: &Given) -> Result<(), Failure> {
    match &arguments.command {
        AccountsCommand::Add(add) => add::add(add, given),
        AccountsCommand::Remove { name } => remove::remove(name),
        AccountsCommand::List => list(),
        AccountsCommand::Test { names } => test(names),
    }
}

fn read() -> Result<Config, Failure> {
    let path = Config::path().ok_or_else(no_account)?;
    Config::read(&path)?.ok_or_else(no_account)
}

fn list() -> Result<(), Failure> {
    let config = read()?;
    for name in config.names() {
        let fetch = config.fetch(name, &Given::new())?;
        let server = fetch.server.unwrap_or_default();
        let port = fetch.account.port.map(|port| format!(":{port}")).unwrap_or_default();
        let host = fetch.account.host.map(|host| format!("  {host}{port}")).unwrap_or_default();
        let place = match fetch.maildir {
            Some(maildir) => maildir.display().to_string(),
            None if fetch.deliver_to.is_empty() => format!("~/Mail/{server}"),
            None => fetch.deliver_to.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "),
        };
        say(one_line(&format!("{name}  {server}{host}  {place}")))?;
    }
    Ok(())
}

/// Logs in to accounts, one after the other, and says what is there.
fn test(names: &[String]) -> Result<(), Failure> {
    let config = read()?;
    let all: Vec<String> = config.names().map(str::to_owned).collect();
    let mut failed = None;
    for name in if names.is_empty() { &all } else { names } {
        if !config.has(name) {
            return Err(unknown(name));
        }
        if let Err(failure) = test_one(&config, name) {
            tell!("pop3: {name}: {failure}");
            failed.get_or_insert(failure.exit);
        }
    }
    failed.map_or(Ok(()), |exit| Err(Failure::told(exit)))
}

fn test_one(config: &Config, name: &str) -> Result<(), Failure> {
    let fetch = config.fetch(name, &Given::new())?;
    let account = Account::of(fetch.server.as_deref().unwrap_or_default(), &fetch.account)?;
    let mut client = account.ask(&fetch.account, None, true)?.log_in(true)?;
    let count = client.stat()?.messages;
    client.quit()?;
    say(Message::new("accounts-works").with("account", name).with("count", count))
}
