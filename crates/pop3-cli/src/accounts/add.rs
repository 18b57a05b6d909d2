//! The subcommand `pop3 accounts add`: asks, tests and writes.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::config::{Config, Given, is_path};
use crate::account::{Account, Login};
use crate::arguments::{AccountsAdd, Fetch};
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::terminal::agrees;

/// Logs in to an account, and adds it to the file of accounts if that succeeds.
pub fn add(arguments: &AccountsAdd, given: &Given) -> Result<(), Failure> {
    let path = Config::path().ok_or_else(|| Failure::new(Exit::Usage, Message::new("accounts-no-home")))?;
    // A link leads to the file that is changed.
    let path = path.canonicalize().unwrap_or(path);
    let server = arguments.fetch.server.clone().unwrap_or_default();
    let name = arguments.name.clone().unwrap_or_else(|| match &arguments.fetch.account.user {
        // Two users of one server are two accounts.
        Some(user) if !server.contains('@') => format!("{user}@{server}"),
        _ => server.clone(),
    });
    if arguments.fetch.dry_run {
        return Err(Failure::new(
            Exit::Usage,
            "--dry-run is no setting of an account; pop3 fetch ACCOUNT --dry-run shows what it would do",
        ));
    }
    if name.is_empty() || name.chars().any(char::is_control) {
        return Err(Failure::new(Exit::Usage, Message::new("accounts-wrong-name")));
    }
    let mut keys = keys(arguments, given, &server)?;
    let password_file = password_file(&path, &name);
    if password_file.exists() {
        let found = Message::new("accounts-password-exists").with("file", password_file.display());
        return Err(Failure::new(Exit::Usage, found));
    }
    // The account is tried as it will be fetched: with the keys for all accounts.
    let fetch = Config::parse(&path, &with_account(&path, &name, &keys)?)?.fetch(&name, &Given::new())?;
    let account = Account::of(&server, &fetch.account)?;
    if fetch.maildir.is_none() && fetch.deliver_to.is_empty() && account.address().is_none() {
        return Err(Failure::new(Exit::Usage, Message::new("accounts-no-maildir")));
    }
    let mut login = account.ask(&fetch.account, None, false)?;
    let mut client = login.log_in(false)?;
    let count = client.stat()?.messages;
    client.quit()?;
    // What the login has found need not be looked for again.
    let found = login.found().into_iter().filter(|(key, _)| !given.contains_key(*key));
    keys.extend(found.map(|(key, value)| (key.to_owned(), quoted(&value))));
    if login.is_stls() && !given.contains_key("stls") {
        keys.push(("stls".to_owned(), "true".to_owned()));
    }
    let is_stored = store_password(&login, &password_file, &fetch)?;
    if is_stored {
        keys.push(("password-file".to_owned(), quoted(&password_file.display().to_string())));
    }
    if let Err(failure) = append(&path, &name, &keys) {
        if is_stored {
            // No password stays behind without its account. If it cannot be removed, the first failure says more.
            let _ = fs::remove_file(&password_file);
        }
        return Err(failure);
    }
    say(Message::new("accounts-added").with("account", &name).with("count", count).with("file", path.display()))
}

/// Returns the keys of the account: the server, the Maildir and the options of the command line, in TOML.
fn keys(arguments: &AccountsAdd, given: &Given, server: &str) -> Result<Vec<(String, String)>, Failure> {
    if given.get("proxy").is_some_and(|proxy| proxy.iter().any(|proxy| proxy.contains('@'))) {
        return Err(Failure::new(Exit::Usage, Message::new("accounts-proxy-password")));
    }
    let mut keys = vec![("server".to_owned(), quoted(server))];
    keys.extend(arguments.fetch.maildir.iter().map(|maildir| ("maildir".to_owned(), quoted(&absolute(maildir)))));
    for (option, values) in given.iter().filter(|(option, _)| *option != "name") {
        let value = match &values[..] {
            [] => "true".to_owned(),
            [value] => of_option(option, value),
            values => format!("[{}]", values.iter().map(|value| of_option(option, value)).collect::<Vec<_>>().join(", ")),
        };
        keys.push((option.clone(), value));
    }
    // A path that is not UTF-8 would become another path.
    match keys.iter().any(|(_, value)| value.contains('\u{fffd}')) {
        true => Err(Failure::new(Exit::Usage, Message::new("accounts-not-utf8"))),
        false => Ok(keys),
    }
}

/// Returns the text of the file with the account.
///
/// # Errors
/// The file cannot be read, or has an account of this name.
fn with_account(path: &Path, name: &str, keys: &[(String, String)]) -> Result<String, Failure> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        text => text.map_err(|error| Failure::file(path, &error))?,
    };
    if Config::parse(path, &text)?.has(name) {
        let found = Message::new("accounts-exists").with("account", name).with("file", path.display());
        return Err(Failure::new(Exit::Usage, found).and(Message::new("accounts-exists-next")));
    }
    let keys: String = keys.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
    let gap = match text.as_str() {
        "" => "",
        text if text.ends_with("\n\n") => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    Ok(format!("{text}{gap}[accounts.{}]\n{keys}", quoted(name)))
}

/// Returns the path of the file for the password of an account.
pub(super) fn password_file(config: &Path, name: &str) -> PathBuf {
    let safe = |char: char| if char.is_alphanumeric() || "@.-_+".contains(char) { char } else { '_' };
    config.with_file_name(format!("{}.password", name.chars().map(safe).collect::<String>()))
}

/// Stores a password that was typed, if its owner agrees, in a file that only they can read. Returns whether it is stored.
fn store_password(login: &Login, file: &Path, fetch: &Fetch) -> Result<bool, Failure> {
    let source = &fetch.account.password;
    let is_named = source.is_named();
    let (Some(password), true) = (login.password().filter(|_| !is_named), io::stdin().is_terminal()) else { return Ok(false) };
    if env::var_os("POP3_PASSWORD").is_some() {
        return Ok(false);
    }
    if !agrees(&Message::new("accounts-store").with("file", file.display()), true)? {
        return Ok(false);
    }
    let failed = |error: io::Error| Failure::file(file, &error);
    make_folder(file)?;
    let mut options = OpenOptions::new();
    // A file that is there already may be someone's who reads along.
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut stored = options.open(file).map_err(failed)?;
    let written = stored.write_all(password.expose()).and_then(|()| stored.write_all(b"\n")).and_then(|()| stored.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(file);
    }
    written.map_err(failed)?;
    Ok(true)
}

/// Appends an account to the file. What is in it stays as it is.
fn append(path: &Path, name: &str, keys: &[(String, String)]) -> Result<(), Failure> {
    make_folder(path)?;
    change(path, || {
        let text = with_account(path, name, keys)?;
        Config::parse(path, &text)?;
        Ok(text)
    })
}

/// Writes the file with the text that `text` returns, in the place of the old one. Its permissions stay.
pub(super) fn change(path: &Path, text: impl FnOnce() -> Result<String, Failure>) -> Result<(), Failure> {
    let failed = |error: io::Error| Failure::file(path, &error);
    // Runs that change it at the same time wait for each other, and then see what the other has changed.
    let lock = OpenOptions::new().create(true).write(true).truncate(false).open(path.with_extension("lock")).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let text = text()?;
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

/// Returns a value of the command line in TOML, as a string, so that a user name of digits stays what it is. Files are named from the root,
/// since the program runs elsewhere next time.
fn of_option(option: &str, value: &str) -> String {
    match is_path(option) {
        true => quoted(&absolute(Path::new(value))),
        false => quoted(value),
    }
}

fn absolute(path: &Path) -> String {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned()).display().to_string()
}

/// Returns a basic string of TOML, whose escapes are those of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
