//! Where a password comes from. None of it is ever printed.

use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::Path;
use std::process::{Command, Stdio};

use pop3_blocking::proto::Secret;

use crate::arguments::PasswordSource;
use crate::failure::{Exit, Failure};

impl PasswordSource {
    /// The password for `account`.
    pub fn read(&self, account: &str) -> Result<Secret, Failure> {
        if let Some(file) = &self.password_file {
            return from_file(file);
        }
        if let Some(command) = &self.password_command {
            return from_command(command);
        }
        if let Some(password) = env::var_os("POP3_PASSWORD") {
            return Ok(Secret::from(password.as_encoded_bytes()));
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::new(Exit::Other, "there is no password and no terminal to ask on")
                .hint("Set POP3_PASSWORD, or use --password-file or --password-command."));
        }
        prompt(&format!("Password for {account}: "))
    }
}

pub fn prompt(question: &str) -> Result<Secret, Failure> {
    let password = rpassword::prompt_password(question).map_err(|error| Failure::new(Exit::Other, error))?;
    Ok(Secret::from(&password))
}

fn from_file(file: &Path) -> Result<Secret, Failure> {
    let text = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
            eprintln!("pop3: warning: others can read {}; chmod 600 it", file.display());
        }
    }
    first_line(&text).ok_or_else(|| Failure::new(Exit::Storage, format_args!("{}: the first line is empty", file.display())))
}

fn from_command(command: &str) -> Result<Secret, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::new(Exit::Other, format_args!("the password command failed: {what}"));
    let output = Command::new("sh").args(["-c", command]).stdin(Stdio::inherit()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(&error))?;
    if !output.status.success() {
        return Err(failed(&output.status));
    }
    first_line(&output.stdout).ok_or_else(|| failed(&"it printed no password"))
}

/// The first line of standard input, for scripts.
pub fn from_stdin() -> Result<Secret, Failure> {
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line).map_err(|error| Failure::new(Exit::Other, error))?;
    first_line(&line).ok_or_else(|| Failure::new(Exit::Other, "there is no password on standard input"))
}

fn first_line(text: &[u8]) -> Option<Secret> {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty()).then(|| Secret::from(line))
}
