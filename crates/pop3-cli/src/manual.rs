//! The subcommands `pop3 completions` and `pop3 man`.

use std::io;

use clap::CommandFactory;

use crate::arguments::{Arguments, Completions, Man};
use crate::failure::{Exit, Failure, say};

pub fn completions(arguments: &Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    clap_complete::generate(arguments.shell, &mut Arguments::command(), "pop3", &mut text);
    say(String::from_utf8_lossy(&text).trim_end())
}

/// Writes a page for the program and one for each subcommand.
pub fn man(arguments: &Man) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::new(Exit::Storage, format_args!("{}: {error}", arguments.folder.display()));
    clap_mangen::generate_to(Arguments::command(), &arguments.folder).map_err(failed)
}
