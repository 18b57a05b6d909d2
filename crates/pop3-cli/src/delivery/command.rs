//! A command for each message, such as a mail delivery agent.

use std::io;
use std::process::{self, Stdio};

use super::envelope::Envelope;
use super::spool::Spooled;
use super::{Destination, Trouble};

/// The exit code of `sysexits.h` for a failure that passes.
const TEMPORARY: i32 = 75;

/// A shell command that gets the message on its standard input, and has it safely when it ends with 0.
pub struct Command {
    command: String,
    recipient: Option<String>,
}

impl Command {
    pub fn new(command: &str, recipient: Option<&str>) -> Self {
        Self { command: command.to_owned(), recipient: recipient.map(str::to_owned) }
    }
}

impl Destination for Command {
    fn deliver(&mut self, message: &Spooled) -> Result<(), Trouble> {
        let mut command = process::Command::new("sh");
        command.args(["-c", &self.command]).stdin(message.open()?.into_inner()).stdout(Stdio::null());
        // Names that other programs use, too. They are no part of the command, so nothing in a message becomes one.
        command.env("SENDER", Envelope::of(message)?.sender);
        if let Some(recipient) = &self.recipient {
            command.env("RECIPIENT", recipient);
        }
        command.env_remove("POP3_PASSWORD");
        let status = command.status()?;
        match status.code() {
            Some(0) => Ok(()),
            Some(TEMPORARY) => Err(Trouble::Unavailable("the command says that it fails for now (exit code 75)".to_owned())),
            // There is no such command, or it cannot be run.
            Some(code @ (126 | 127)) => Err(io::Error::other(format!("the command cannot be run (exit code {code})")).into()),
            Some(code) => Err(Trouble::Refused(format!("the command ended with exit code {code}"))),
            None => Err(Trouble::Refused(format!("the command was ended: {status}"))),
        }
    }
}
