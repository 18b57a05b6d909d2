//! The program `pop3`. Other programs can use its parts `pop3-fetch` and `pop3-users`.
//!
//! ```no_run
//! fn main() -> std::process::ExitCode {
//!     pop3_cli::main()
//! }
//! ```

#![warn(clippy::print_stderr, clippy::print_stdout)]

mod account;
mod accounts;
mod arguments;
mod certificate;
mod date;
mod delivery;
mod demo;
mod discovery;
mod doctor;
mod explanation;
mod failure;
mod fetch;
mod folders;
mod guide;
mod http;
mod keys;
mod language;
mod log;
mod login;
mod manual;
mod mock;
mod netrc;
mod oauth;
mod passwd;
mod password;
mod permissions;
mod place;
mod read;
mod serve;
mod server_text;
mod state;
mod suggestion;
mod terminal;
mod withhold;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use arguments::{Arguments, Command, StateCommand};
use language::{Language, Message};

/// Runs the subcommand that the arguments name, and returns the exit code.
pub fn main() -> ExitCode {
    let parsed = Arguments::command().try_get_matches().and_then(|matches| {
        let arguments = Arguments::from_arg_matches(&matches)?;
        Ok((arguments, matches))
    });
    let (arguments, matches) = match parsed {
        Ok(parsed) => parsed,
        Err(error) => suggestion::explained(error).exit(),
    };
    Language::choose(arguments.language);
    let Some(command) = arguments.command else { return introduce() };
    if !matches!(command, Command::Serve(_)) {
        // What a server logs, and in which form, is in its settings.
        log::begin(arguments.verbose);
    }
    let outcome = match command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Doctor(arguments) => doctor::run(arguments, &accounts::given(&matches, &["doctor"])),
        Command::Fetch(arguments) => fetch::run(&arguments, &accounts::given(&matches, &["fetch"])),
        Command::Accounts(arguments) => accounts::run(&arguments, &accounts::given(&matches, &["accounts", "add"])),
        Command::Login(arguments) => login::run(&arguments, &accounts::given(&matches, &["login"])),
        Command::Guide(arguments) => guide::run(&arguments),
        Command::Serve(_) => serve::run(&accounts::given(&matches, &["serve"]), arguments.verbose),
        Command::Mock(arguments) => mock::run(&arguments),
        Command::Read(arguments) => read::run(&arguments, &accounts::given(&matches, &["read"])),
        Command::State(arguments) => {
            let command = match &arguments.command {
                StateCommand::Import(_) => "import",
                StateCommand::Show(_) => "show",
                StateCommand::Forget(_) => "forget",
            };
            state::run(&arguments, &accounts::given(&matches, &["state", command]))
        }
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
        Command::Passwd(arguments) => passwd::run(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if failure.is_told() {
                return failure.exit.into();
            }
            // If standard error is closed, the exit code still reports the failure.
            let _ = writeln!(io::stderr(), "pop3: {failure}");
            failure.exit.into()
        }
    }
}

/// Prints what the program is for, in place of a missing command.
fn introduce() -> ExitCode {
    match failure::say(Message::new("introduction")) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.exit.into(),
    }
}
