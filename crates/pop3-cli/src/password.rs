//! Sources of passwords and access tokens, which are never printed.

use std::env;
use std::fs;
use std::io::{self, BufRead, IsTerminal};
use std::path::{Component, Path, PathBuf};
use std::process::{Command, Stdio};

use pop3_blocking::proto::Secret;

use crate::arguments::{PasswordSource, TokenSource};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::netrc;
use crate::terminal::tell;

impl PasswordSource {
    /// Reads the password of a user from the file, the command, `.netrc` or the credential that the arguments name, or else from
    /// `POP3_PASSWORD` or the terminal.
    pub fn read(&self, user: &str, host: &str) -> Result<Secret, Failure> {
        if let Some(file) = &self.password_file {
            return from_file(file);
        }
        if let Some(command) = &self.password_command {
            return from_command(command, &Message::new("password-command-failed"));
        }
        if self.netrc {
            return from_netrc(user, host);
        }
        if let Some(name) = &self.credential {
            return from_credential(name);
        }
        if let Some(password) = env::var_os("POP3_PASSWORD") {
            return Ok(Secret::from(password.as_encoded_bytes()));
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::new(Exit::Other, Message::new("password-none")).and(Message::new("password-none-next")));
        }
        prompt(&Message::new("password-prompt").with("account", format!("{user} ({host})")).to_string())
    }
}

impl TokenSource {
    /// Reads the access token. Returns `None` if the arguments name no source.
    pub fn read(&self) -> Result<Option<Secret>, Failure> {
        if let Some(file) = &self.token_file {
            return from_file(file).map(Some);
        }
        self.token_command.as_deref().map(|command| from_command(command, &Message::new("token-command-failed"))).transpose()
    }
}

pub fn prompt(question: &str) -> Result<Secret, Failure> {
    let password = rpassword::prompt_password(question).map_err(|error| Failure::new(Exit::Other, error))?;
    Ok(Secret::from(&password))
}

fn from_file(file: &Path) -> Result<Secret, Failure> {
    secret_in(file, &secrets(file)?)
}

/// Returns the secret in the text of a file: its first line.
fn secret_in(file: &Path, text: &[u8]) -> Result<Secret, Failure> {
    first_line(text).ok_or_else(|| Failure::new(Exit::Storage, Message::new("password-empty-file").with("file", file.display())))
}

fn from_netrc(user: &str, host: &str) -> Result<Secret, Failure> {
    let file = env::var_os("NETRC").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".netrc")));
    let file = file.ok_or_else(|| Failure::new(Exit::Storage, Message::new("password-netrc-home")))?;
    let text = secrets(&file)?;
    let password = netrc::password(&String::from_utf8_lossy(&text), host, user);
    password.map(|password| Secret::from(password.as_str())).ok_or_else(|| {
        let of = |text: Message| text.with("user", user).with("host", host);
        let none = of(Message::new("password-netrc-none")).with("file", file.display());
        Failure::new(Exit::Storage, none).and(of(Message::new("password-netrc-next")))
    })
}

/// Reads a credential that systemd has given to this service.
fn from_credential(name: &str) -> Result<Secret, Failure> {
    let Some(folder) = env::var_os("CREDENTIALS_DIRECTORY") else {
        return Err(Failure::new(Exit::Storage, Message::new("password-no-credentials"))
            .and(Message::new("password-no-credentials-next")));
    };
    // A credential is a file in that folder, and never one elsewhere.
    let parts: Vec<_> = Path::new(name).components().collect();
    if !matches!(parts[..], [Component::Normal(_)]) {
        return Err(Failure::new(Exit::Usage, Message::new("password-credential-name").with("name", format_args!("{name:?}"))));
    }
    let file = PathBuf::from(folder).join(name);
    // systemd protects the folder, and chooses the mode of the files.
    secret_in(&file, &fs::read(&file).map_err(|error| Failure::file(&file, &error))?)
}

/// Reads a file with secrets, and warns if others can read it, too.
fn secrets(file: &Path) -> Result<Vec<u8>, Failure> {
    let text = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0) {
            tell!("pop3: {}", Message::new("password-readable").with("file", file.display()));
        }
    }
    Ok(text)
}

/// Returns the first line that a command prints. `failed` is what is said if it fails.
fn from_command(command: &str, failed: &Message) -> Result<Secret, Failure> {
    let failed = |what: &dyn std::fmt::Display| Failure::new(Exit::Other, failed.clone().with("error", what));
    let output = Command::new("sh").args(["-c", command]).stdin(Stdio::inherit()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|error| failed(&error))?;
    if !output.status.success() {
        return Err(failed(&output.status));
    }
    first_line(&output.stdout).ok_or_else(|| failed(&Message::new("password-command-silent")))
}

/// Reads the first line of standard input, for scripts.
pub fn from_stdin() -> Result<Secret, Failure> {
    let mut line = Vec::new();
    io::stdin().lock().read_until(b'\n', &mut line).map_err(|error| Failure::new(Exit::Other, error))?;
    first_line(&line).ok_or_else(|| Failure::new(Exit::Other, Message::new("stdin-no-password")))
}

fn first_line(text: &[u8]) -> Option<Secret> {
    // Some editors write a byte order mark at the beginning.
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    (!line.is_empty()).then(|| Secret::from(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn q53_a_password_is_the_first_line_byte_for_byte() {
        let cases: [(&[u8], Option<&[u8]>); 8] = [
            (b"secret\n", Some(b"secret")),
            (b"secret\r\nmore\n", Some(b"secret")),
            (b"secret", Some(b"secret")),
            (b" sec ret \n", Some(b" sec ret ")),
            (b"\xEF\xBB\xBFsecret\n", Some(b"secret")),
            (b"s\xe9cret\n", Some(b"s\xe9cret")),
            (b"\nsecret\n", None),
            (b"", None),
        ];
        for (text, expected) in cases {
            let read = first_line(text);
            assert_eq!(read.as_ref().map(Secret::expose), expected, "{}", text.escape_ascii());
        }
    }
}
