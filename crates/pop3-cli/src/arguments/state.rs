//! The arguments of `pop3 state`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AccountArguments;
use crate::state::import::Program;

/// Show or forget which messages of an account are known, and take over the list of another program.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 state import fetchmail ~/.fetchids pop.example.org ~/Maildir \\
      --user joe
      Do not fetch what fetchmail has fetched.

  pop3 state show pop.example.org ~/Maildir --user joe
      Show how many messages are known, and how.")]
pub struct State {
    #[command(subcommand)]
    pub command: StateCommand,
}

#[derive(Debug, Subcommand)]
pub enum StateCommand {
    Import(Box<StateImport>),
    Show(Box<StateShow>),
    Forget(Box<StateForget>),
}

/// Take over which messages another program has fetched, so that `pop3 fetch` does not fetch them again.
///
/// It never deletes these messages on the server, because it has not stored them itself.
#[derive(Args, Debug)]
pub struct StateImport {
    /// The program.
    pub program: Program,

    /// Its list of fetched messages.
    pub file: PathBuf,

    #[command(flatten)]
    pub place: StatePlace,
}

/// Show how many messages of an account are known, and how.
#[derive(Args, Debug)]
pub struct StateShow {
    #[command(flatten)]
    pub place: StatePlace,
}

/// Forget which messages of an account were fetched, so that the next run fetches all that are on the server once more.
#[derive(Args, Debug)]
pub struct StateForget {
    /// Do not ask.
    #[arg(long)]
    pub yes: bool,

    #[command(flatten)]
    pub place: StatePlace,
}

/// The account and its Maildir, as `pop3 fetch` takes them.
#[derive(Args, Debug)]
pub struct StatePlace {
    /// Mail address, a server, or the name of an account of the configuration.
    #[arg(value_name = "ADDRESS|HOST|ACCOUNT")]
    pub server: String,

    /// Maildir of the account. Default with a mail address: ~/Mail/ADDRESS.
    pub maildir: Option<PathBuf>,

    #[command(flatten)]
    pub account: AccountArguments,
}
