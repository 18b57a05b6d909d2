//! A command for each message, such as a mail delivery agent.

use std::io;
use std::process::{self, Child, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::destination::{Destination, Trouble, without_secrets};
use super::envelope::Envelope;
use super::spool::Spooled;
use crate::language::Message;

/// The exit code of `sysexits.h` for a failure that passes.
const TEMPORARY: i32 = 75;

/// A command that takes longer is ended: it would hold up all other mail.
const LIMIT: Duration = Duration::from_secs(3600);

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
        without_secrets(&mut command);
        let status = end_in_time(command.spawn()?)?;
        match status.code() {
            Some(0) => Ok(()),
            Some(TEMPORARY) => Err(Trouble::Refused(Message::new("deliver-command-later").to_string())),
            // There is no such command, or it cannot be run.
            Some(code @ (126 | 127)) => {
                Err(Trouble::Unavailable(Message::new("deliver-command-none").with("code", code).to_string()))
            }
            Some(code) => Err(Trouble::Refused(Message::new("deliver-command-code").with("code", code).to_string())),
            None => Err(Trouble::Refused(Message::new("deliver-command-ended").with("status", status).to_string())),
        }
    }
}

/// Waits for a command, and ends it if it takes too long.
///
/// # Errors
/// It cannot be waited for.
pub fn end_in_time(child: Child) -> io::Result<ExitStatus> {
    end_within(child, LIMIT)
}

/// Waits for a child, and kills it after the limit.
fn end_within(mut child: Child, limit: Duration) -> io::Result<ExitStatus> {
    let (done, ended) = mpsc::channel::<()>();
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let watch = thread::spawn(move || {
        if let (Err(mpsc::RecvTimeoutError::Timeout), Some(id)) = (ended.recv_timeout(limit), id) {
            // The child is not waited for yet, so the number is still its own.
            let _ = kill_process(id, Signal::KILL);
        }
    });
    let status = child.wait();
    drop(done);
    // The thread does not panic.
    let _ = watch.join();
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_that_never_ends_is_ended() {
        let child = process::Command::new("sh").args(["-c", "exec sleep 1000"]).spawn().unwrap();
        assert_eq!(end_within(child, Duration::from_millis(10)).unwrap().code(), None);
        let child = process::Command::new("sh").args(["-c", "exit 7"]).spawn().unwrap();
        assert_eq!(end_within(child, Duration::from_secs(3600)).unwrap().code(), Some(7));
    }
}
