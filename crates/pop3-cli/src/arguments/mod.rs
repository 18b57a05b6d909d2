//! The command line of the program `pop3`.

mod account;
mod accounts;
mod destination;
mod doctor;
mod fetch;
mod guide;
mod listen_address;
mod login;
mod mock;
mod oauth;
mod quantity;
mod read;
mod serve;
mod state;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use account::{AccountArguments, AuthMethod, PasswordSource, TokenSource, proxy};
pub use accounts::{Accounts, AccountsAdd, AccountsCommand};
pub use destination::{Destination, Peer};
pub use doctor::Doctor;
pub use fetch::Fetch;
pub use guide::{Guide, GuideFormat};
pub use listen_address::{ListenAddress, ListenPlace};
pub use login::Login;
pub use mock::Mock;
pub use oauth::OAuthArguments;
pub use read::Read;
pub use serve::{LogFormat, LogLevel, OnDelete, Serve, UsersFormat};
pub use state::{State, StateCommand, StatePlace};

use crate::language::Language;

const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  any other failure; the message explains it
  2  the command line is wrong
  3  the connection failed or broke: try again, no mail is lost
  4  the connection cannot be trusted (TLS)
  5  the server refuses the user name or the password
  6  try again later: the mailbox is in use, or the server
     requires a pause
  7  a file or a folder cannot be read or written
  8  success, except for some messages
  130  interrupted (Ctrl-C); what is stored stays stored

POP3_LOG=debug (or -v) logs more; passwords are never shown.";

/// Fetches mail over POP3 without losing a message, serves Maildirs, and shows how POP3 works.
#[derive(Debug, Parser)]
#[command(name = "pop3", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Log more to standard error: the dialogue with the server, without secrets. Twice: what libraries do, too.
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,

    /// Language of texts for people. (Default: what LC_ALL, LC_MESSAGES or LANG says; the help is English.)
    #[arg(long, global = true, value_name = "LANGUAGE", value_enum)]
    pub language: Option<Language>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(Demo),
    Doctor(Doctor),
    Fetch(Fetch),
    Accounts(Accounts),
    Login(Login),
    Guide(Guide),
    Serve(Serve),
    Read(Read),
    State(State),
    Passwd(Passwd),
    Mock(Mock),
    Completions(Completions),
    Man(Man),
}

/// Show how POP3 works, without any set-up.
///
/// Starts a server with TLS on this machine, with a small temporary Maildir, fetches the mail from it, prints the dialogue of
/// client and server, and explains how to connect your own mail program to the server.
#[derive(Args, Debug)]
pub struct Demo {
    /// End when the mail is fetched, even on a terminal. Without a terminal, the program always ends then.
    #[arg(long)]
    pub once: bool,

    /// Port for POP3 with STLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Port for POP3 over TLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub tls_port: u16,
}

/// Set the password of a user for `pop3 serve`.
///
/// On a terminal, asks for the password twice. Otherwise reads it from the first line of standard input.
#[derive(Args, Debug)]
pub struct Passwd {
    /// File of users; created, accessible only to its owner, if it does not exist.
    pub users: PathBuf,

    /// Name of the user.
    pub name: String,

    /// Format of the file, as for `pop3 serve`. Other fields of the user's line in a passwd-file stay.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub users_format: UsersFormat,

    /// Store SCRAM keys in place of an argon2 hash. If all users have them, the server offers SCRAM-SHA-256, which does not send
    /// the password; but someone who has the file can guess passwords faster.
    #[arg(long)]
    pub scram: bool,
}

/// Print the completions of a shell.
///
/// For example: pop3 completions bash > /etc/bash_completion.d/pop3
#[derive(Args, Debug)]
pub struct Completions {
    /// The shell.
    pub shell: clap_complete::Shell,
}

/// Write the manual pages into a folder.
///
/// For example: pop3 man /usr/local/share/man/man1
#[derive(Args, Debug)]
pub struct Man {
    /// The folder, which must exist.
    pub folder: PathBuf,
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Returns the words of a line of a shell, with simple quotes.
    fn words(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut is_quoted = false;
        for char in line.chars() {
            match char {
                '\'' => is_quoted = !is_quoted,
                ' ' if !is_quoted => words.push(String::new()),
                char => words.last_mut().unwrap().push(char),
            }
        }
        words.retain(|word| !word.is_empty());
        words
    }

    #[test]
    fn every_command_in_the_guides_can_be_parsed() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        if !docs.join("docs/guide").is_dir() {
            // A published package has no guides beside it.
            return;
        }
        let pages = fs::read_dir(docs.join("docs/guide")).unwrap().map(|entry| entry.unwrap().path());
        let pages: Vec<PathBuf> = pages.chain([docs.join("README.md")]).collect();
        let mut count = 0;
        for page in &pages {
            let text = fs::read_to_string(page).unwrap().replace("\\\n", " ");
            let blocks = text.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
            for line in blocks.flat_map(str::lines) {
                let words = words(line);
                let Some(at) = words.iter().position(|word| word == "pop3").filter(|at| *at < 2) else { continue };
                let parsed = Arguments::try_parse_from(&words[at..]);
                assert!(parsed.is_ok(), "{}: {line}: {}", page.display(), parsed.unwrap_err());
                count += 1;
            }
        }
        assert!(count > 30, "{count}");
    }
}
