//! The program `pop3`.

mod arguments;
mod demo;
mod failure;
mod fetch;
mod password;
mod serve;
mod users;

use std::io;
use std::process::ExitCode;

use clap::Parser;
use tracing_subscriber::EnvFilter;

use arguments::{Arguments, Command};

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let level = if arguments.verbose { "debug" } else { "warn" };
    let filter = EnvFilter::try_from_env("POP3_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr).init();
    let outcome = match arguments.command {
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Fetch(arguments) => fetch::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Passwd(arguments) => users::passwd(&arguments),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("pop3: {failure}");
            failure.exit.into()
        }
    }
}
