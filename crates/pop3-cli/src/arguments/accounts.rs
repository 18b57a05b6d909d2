//! The arguments of `pop3 accounts`.

use clap::{Args, Subcommand};

use super::Fetch;

/// Manage the accounts that `pop3 fetch` fetches.
///
/// The accounts are in the file ~/.config/pop3/config.toml, or $XDG_CONFIG_HOME/pop3/config.toml.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 accounts add you@126.com
      Ask for the password, log in, and add the account.

  pop3 accounts add pop.example.org --name work --user joe \\
      --password-command 'pass show work' ~/Mail/work
      Add an account whose password a command prints.

  pop3 fetch
      Fetch all accounts, four at once.

  pop3 fetch work
      Fetch one.

The file:
  jobs = 4                       # accounts that are fetched at once

  [defaults]                     # for all accounts
  timeout = 60

  [accounts.work]
  server = \"pop.example.org\"    # or a mail address, or a URL
  maildir = \"~/Mail/work\"
  user = \"joe\"
  password-command = \"pass show work\"
  delete = true

Each option of `pop3 fetch` is a key: --ca-file is ca-file.")]
pub struct Accounts {
    #[command(subcommand)]
    pub command: AccountsCommand,
}

#[derive(Debug, Subcommand)]
pub enum AccountsCommand {
    Add(Box<AccountsAdd>),
    /// Remove an account from the file, and the password that `accounts add` has stored for it. Its mail and what is known of it stay.
    Remove {
        /// Name of the account.
        name: String,
    },
    /// List the accounts: name, server and Maildir.
    List,
    /// Log in to accounts, and say how many messages they have.
    Test {
        /// Names of accounts. By default, all.
        names: Vec<String>,
    },
}

/// Log in to an account, and add it to the file if that succeeds.
///
/// Options of `pop3 fetch` become keys of the account.
#[derive(Args, Debug)]
pub struct AccountsAdd {
    /// Name of the account. Default: the address or the server.
    #[arg(long)]
    pub name: Option<String>,

    #[command(flatten)]
    pub fetch: Fetch,
}
