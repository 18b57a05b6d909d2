//! The subcommand `pop3 accounts add`: asks, tests and writes.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::config::{Config, Given};
use crate::account::{Account, Login};
use crate::arguments::AccountsAdd;
use crate::failure::{Exit, Failure, say};
use crate::language::Message;

/// Logs in to an account, and adds it to the file of accounts if that succeeds.
pub fn add(arguments: &AccountsAdd, given: &Given) -> Result<(), Failure> {
    let path = Config::path().ok_or_else(|| Failure::new(Exit::Usage, Message::new("accounts-no-home")))?;
    let server = arguments.fetch.server.clone().unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(|| server.clone());
    if Config::read(&path)?.is_some_and(|config| config.has(&name)) {
        return Err(Failure::new(
            Exit::Usage,
            Message::new("accounts-exists").with("account", &name).with("file", path.display()),
        ));
    }
    let account = Account::of(&server, &arguments.fetch.account)?;
    if arguments.fetch.maildir.is_none() && account.address().is_none() {
        return Err(Failure::new(Exit::Usage, Message::new("accounts-no-maildir")));
    }
    let (login, mut client) = account.ask(&arguments.fetch.account, None, false)?.log_in(false)?;
    let count = client.stat()?.messages;
    client.quit()?;
    let mut keys = vec![("server".to_owned(), quoted(&server))];
    keys.extend(arguments.fetch.maildir.iter().map(|maildir| ("maildir".to_owned(), quoted(&absolute(maildir)))));
    for (option, values) in given.iter().filter(|(option, _)| *option != "name") {
        let value = values.first().map_or_else(|| "true".to_owned(), |value| of_option(option, value));
        keys.push((option.clone(), value));
    }
    let password = store_password(&login, &path, &name, arguments)?;
    keys.extend(password.map(|file| ("password-file".to_owned(), quoted(&file.display().to_string()))));
    append(&path, &name, &keys)?;
    say(Message::new("accounts-added").with("account", &name).with("count", count).with("file", path.display()))
}

/// Stores a password that was typed, if its owner agrees, in a file that only they can read.
fn store_password(login: &Login, config: &Path, name: &str, arguments: &AccountsAdd) -> Result<Option<PathBuf>, Failure> {
    let source = &arguments.fetch.account.password;
    let is_named = source.password_file.is_some() || source.password_command.is_some();
    let (Some(password), true) = (login.password().filter(|_| !is_named), io::stdin().is_terminal()) else { return Ok(None) };
    if env::var_os("POP3_PASSWORD").is_some() {
        return Ok(None);
    }
    let safe: String =
        name.chars().map(|char| if char.is_alphanumeric() || "@.-_+".contains(char) { char } else { '_' }).collect();
    let file = config.with_file_name(format!("{safe}.password"));
    eprint!("{} ", Message::new("accounts-store").with("file", file.display()));
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).map_err(|error| Failure::new(Exit::Other, error))?;
    let yes = Message::new("read-yes").to_string();
    let agrees = answer.trim().is_empty() || yes.split(' ').any(|yes| yes.eq_ignore_ascii_case(answer.trim()));
    if !agrees {
        return Ok(None);
    }
    let failed = |error: io::Error| Failure::file(&file, &error);
    make_folder(&file)?;
    let mut options = OpenOptions::new();
    // A file that is there already may be someone's who reads along.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut stored = options.open(&file).map_err(failed)?;
    stored
        .write_all(password.expose())
        .and_then(|()| stored.write_all(b"\n"))
        .and_then(|()| stored.sync_all())
        .map_err(failed)?;
    Ok(Some(file))
}

/// Appends an account to the file. What is in it stays as it is.
fn append(path: &Path, name: &str, keys: &[(String, String)]) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    make_folder(path)?;
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text.map_err(failed)?,
    };
    let keys: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let gap = if text.is_empty() || text.ends_with("\n\n") { "" } else { "\n" };
    let text = format!("{text}{gap}[accounts.{}]\n{keys}", quoted(name));
    // A new file in the place of the old one, so that a crash leaves one of them.
    let mut new = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(Path::new("."))).map_err(failed)?;
    new.write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(failed)?;
    if let Ok(metadata) = File::open(path).and_then(|file| file.metadata()) {
        fs::set_permissions(new.path(), metadata.permissions()).map_err(failed)?;
    }
    new.persist(path).map(drop).map_err(|error| failed(error.error))
}

fn make_folder(file: &Path) -> Result<(), Failure> {
    let folder = file.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))
}

/// Returns a value of the command line in TOML. Files are named from the root, since the program runs elsewhere next time.
fn of_option(option: &str, value: &str) -> String {
    match value.parse::<u64>() {
        Ok(number) => number.to_string(),
        Err(_) if option.ends_with("-file") => quoted(&absolute(Path::new(value))),
        Err(_) => quoted(value),
    }
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Returns a basic string of TOML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
