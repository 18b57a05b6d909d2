//! The subcommand `pop3 login`: logs in by OAuth, and keeps the access.

use crate::account::Account;
use crate::accounts::{self, Given};
use crate::arguments::Login;
use crate::failure::{Failure, say};
use crate::language::Message;

pub fn run(arguments: &Login, given: &Given) -> Result<(), Failure> {
    let named = accounts::named(&arguments.server, given)?;
    let (server, account) = match &named {
        Some(fetch) => (fetch.server.as_deref().unwrap_or_default(), &fetch.account),
        None => (arguments.server.as_str(), &arguments.account),
    };
    let mut client = Account::of(server, account)?.log_in_by_oauth(account)?.log_in(false)?;
    let count = client.stat()?.messages;
    client.quit()?;
    say(Message::new("accounts-works").with("account", &arguments.server).with("count", count))
}
