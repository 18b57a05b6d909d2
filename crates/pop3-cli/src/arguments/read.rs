//! The arguments of `pop3 read`.

use clap::Args;

use super::AccountArguments;

/// Look at the mail on a server, or in a Maildir.
///
/// Without a number, lists the messages: number, date, sender, subject and size. With one, shows that message as text. HTML is shown as
/// its text, nothing is loaded from elsewhere, and attachments are named only. Nothing is fetched into a Maildir.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 read you@126.com
      List the newest 50 messages on the server.

  pop3 read you@126.com 3
      Show message 3.

  pop3 read pop.example.org --user joe --delete 3 --delete 5
      Delete two messages on the server, after asking.

  pop3 read ~/Mail/you@126.com
      List the messages of a Maildir.")]
pub struct Read {
    /// Mail address, a server (pop.example.org, pop.example.org:995, or a URL such as pops://joe@pop.example.org), or a Maildir.
    #[arg(value_name = "ADDRESS|HOST|MAILDIR")]
    pub server: String,

    /// Number of the message to show.
    #[arg(conflicts_with = "delete", value_parser = clap::value_parser!(u32).range(1..))]
    pub number: Option<u32>,

    /// List all messages. By default, the newest 50.
    #[arg(long)]
    pub all: bool,

    /// Show the message as it is, with its whole header. Control characters are replaced on a terminal only.
    #[arg(long, requires = "number")]
    pub raw: bool,

    /// Delete this message on the server, after asking. May be given more than once.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    pub delete: Vec<u32>,

    /// Delete without asking.
    #[arg(long, requires = "delete")]
    pub yes: bool,

    #[command(flatten)]
    pub account: AccountArguments,
}
