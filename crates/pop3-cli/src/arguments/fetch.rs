//! The arguments of `pop3 fetch`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use pop3_fetch::OnIdsChanged;

use super::AccountArguments;
use super::destination::{Destination, destination, recipient};
use super::quantity::{Age, Size};

/// Fetch mail from a POP3 server into a Maildir.
///
/// A message counts as fetched when it is safely on disk. Only then is it deleted on the server, if --delete is given. A journal
/// in the Maildir records fetched messages, so no message is stored twice, and after an interruption the next run continues.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 fetch you@126.com
      Fetch new messages into ~/Mail/you@126.com. Host, port and TLS
      of many providers are known, and which password they want.

  pop3 fetch pop.example.org --user joe@example.org ~/Maildir
      Fetch new messages over TLS (port 995), keep them on the
      server, and ask for the password.

  POP3_PASSWORD=… pop3 fetch pop.example.org --user joe \\
      --delete ~/Maildir
      Fetch new messages in a script, and delete them on the
      server when they are safely on disk.

  pop3 fetch you@126.com --delete-after 7d
      Fetch new messages, and delete them on the server a week
      later.

  pop3 fetch pop.example.org --user joe --stls \\
      --password-file ~/.pop3-password ~/Maildir
      Use port 110 with STLS, and read the password from the
      first line of a file.

  pop3 fetch you@126.com --deliver-to 'command:procmail -f - -d you'
      Pass each message on to a mail delivery agent.

  pop3 fetch
      Fetch all accounts of the configuration; see
      `pop3 accounts --help`.

  pop3 fetch --every 10m
      Fetch them again and again.

  pop3 fetch outlook.office365.com --user joe@example.org \\
      --auth xoauth2 --token-command 'get-token joe' ~/Maildir
      Log in with an access token that a command prints.

`pop3 --help` lists the exit codes.")]
pub struct Fetch {
    /// Mail address, a server (pop.example.org, pop.example.org:995, or a URL such as pops://joe@pop.example.org), or the name of an
    /// account of the configuration. Without it, all accounts of the configuration are fetched.
    #[arg(value_name = "ADDRESS|HOST|ACCOUNT")]
    pub server: Option<String>,

    /// Maildir to store the mail in; created if it does not exist. Default with a mail address: ~/Mail/ADDRESS.
    pub maildir: Option<PathBuf>,

    /// More accounts of the configuration.
    #[arg(value_name = "ACCOUNT")]
    pub more: Vec<String>,

    /// Pass the mail on instead of keeping it in a Maildir: mbox:FILE, eml:FOLDER, maildir:FOLDER, command:COMMAND (the message is on
    /// its standard input), lmtp:SOCKET, lmtp://localhost, smtp://localhost (a mail server on this machine) or stdout. May be given several times; mail
    /// that a destination does not take waits for the next run, in a folder below ~/.local/state/pop3/spool.
    #[arg(long, value_name = "DESTINATION", value_parser = destination)]
    pub deliver_to: Vec<Destination>,

    /// The address for which lmtp: and smtp: take the mail; commands find it in RECIPIENT. Default: the mail address of the account.
    #[arg(long, value_name = "ADDRESS", requires = "deliver_to", value_parser = recipient)]
    pub recipient: Option<String>,

    /// Delete messages on the server when they are safely on disk. By default, they are kept.
    #[arg(long, conflicts_with = "keep")]
    pub delete: bool,

    /// Keep messages on the server. This is the default.
    #[arg(long, conflicts_with_all = ["delete_after", "keep_newest"])]
    pub keep: bool,

    /// Delete messages on the server when they have been safely on disk for this long, such as 7d: days, or s, m, h or w for seconds,
    /// minutes, hours or weeks.
    #[arg(long, value_name = "TIME")]
    pub delete_after: Option<Age>,

    /// Delete messages on the server when they are safely on disk, except this many of the newest. With --delete-after, a message
    /// stays if either option keeps it.
    #[arg(long, value_name = "NUMBER")]
    pub keep_newest: Option<u32>,

    /// Leave messages larger than this on the server: octets, or a number with K, M or G. A later run without this option fetches
    /// them.
    #[arg(long, value_name = "SIZE")]
    pub max_size: Option<Size>,

    /// Fetch at most this many messages in a run, the oldest first.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub max_messages: Option<u32>,

    /// Fetch at most this much in a run: octets, or a number with K, M or G. One message is always fetched.
    #[arg(long, value_name = "SIZE")]
    pub max_total: Option<Size>,

    /// What to do when the server has given all messages other unique-ids, as after a move to another server: compare them with
    /// what is stored, so that nothing is stored twice; fetch them all as new mail; or stop.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_uid_change: OnUidChange,

    /// Show what would be fetched and deleted, and do nothing.
    #[arg(long)]
    pub dry_run: bool,

    /// Maximum number of commands that wait for their replies at once, if the server announces PIPELINING. With 1, each command
    /// is sent after the reply to the previous one.
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub window: u16,

    /// Fetch again and again, each account this long after its last run began, such as 10m: later after failures, and never before the
    /// server allows it. SIGUSR1 fetches at once. Only what is new is printed, and each failure once.
    #[arg(long, value_name = "TIME", conflicts_with = "dry_run", value_parser = interval)]
    pub every: Option<Age>,

    /// Run this shell command when there is new mail. POP3_ACCOUNT and POP3_NEW are set: the name of the account, and the number of
    /// new messages.
    #[arg(long, value_name = "COMMAND")]
    pub on_new: Option<String>,

    /// Write a timer of systemd for this user that fetches all accounts of the configuration every 10 minutes, or as --every says; or
    /// print a line for cron where there is no systemd.
    #[arg(long)]
    pub install_timer: bool,

    /// Print no summary, only warnings and errors.
    #[arg(short, long)]
    pub quiet: bool,

    #[command(flatten)]
    pub account: AccountArguments,
}

/// What to do when all unique-ids have changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnUidChange {
    #[default]
    Compare,
    Fetch,
    Stop,
}

impl From<OnUidChange> for OnIdsChanged {
    fn from(what: OnUidChange) -> Self {
        match what {
            OnUidChange::Compare => Self::Compare,
            OnUidChange::Fetch => Self::Fetch,
            OnUidChange::Stop => Self::Stop,
        }
    }
}

/// Parses the time between two runs.
fn interval(text: &str) -> Result<Age, String> {
    match text.parse()? {
        Age(Duration::ZERO) => Err("must be at least 1s".to_owned()),
        age => Ok(age),
    }
}

impl Fetch {
    /// Returns `true` if messages are deleted on the server, sooner or later.
    pub const fn deletes(&self) -> bool {
        self.delete || self.delete_after.is_some() || self.keep_newest.is_some()
    }
}
