//! The file of accounts. Its keys are the options of `pop3 fetch`, so that each option has its key and is checked in one place.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, FromArgMatches};
use serde::Deserialize;
use toml::Value;

use crate::arguments::{Arguments, Command, Fetch};
use crate::failure::{Exit, Failure};
use crate::folders;
use crate::keys;
use crate::language::Message;
use crate::place::Place;

/// The number of accounts that are fetched at once, unless the file says otherwise.
const JOBS: usize = 4;

/// The file of accounts.
#[derive(Debug)]
pub struct Config {
    path: PathBuf,
    file: File,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// The number of accounts that are fetched at once.
    jobs: Option<usize>,
    /// Keys for all accounts.
    #[serde(default)]
    defaults: BTreeMap<String, Value>,
    #[serde(default)]
    accounts: BTreeMap<String, BTreeMap<String, Value>>,
}

/// Options of the command line, by their long names. They come before the keys of the file.
pub type Given = BTreeMap<String, Vec<String>>;

impl Config {
    /// Returns the path of the file: `$XDG_CONFIG_HOME/pop3/config.toml`, or `~/.config/pop3/config.toml`.
    pub fn path() -> Option<PathBuf> {
        Some(folders::config()?.join("config.toml"))
    }

    /// Reads a file. `None` if there is none.
    ///
    /// # Errors
    /// The file cannot be read, or is not what it should be.
    pub fn read(path: &Path) -> Result<Option<Self>, Failure> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            text => text.map_err(|error| Failure::file(path, &error))?,
        };
        Self::parse(path, &text).map(Some)
    }

    /// Parses the text of a file.
    ///
    /// # Errors
    /// It is not what it should be.
    pub fn parse(path: &Path, text: &str) -> Result<Self, Failure> {
        let file: File = toml::from_str(text)
            .map_err(|error| Failure::new(Exit::Usage, format_args!("{}: {}", path.display(), error.to_string().trim_end())))?;
        Ok(Self { path: path.to_owned(), file })
    }

    /// Returns the number of accounts that are fetched at once.
    pub fn jobs(&self) -> usize {
        self.file.jobs.unwrap_or(JOBS).max(1)
    }

    /// Returns the names of all accounts.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.file.accounts.keys().map(String::as_str)
    }

    /// Returns the file of the password that the keys of an account itself name.
    pub fn own_password_file(&self, name: &str) -> Option<PathBuf> {
        let text = self.file.accounts.get(name)?.get("password-file")?.as_str()?;
        Some(PathBuf::from(expanded("password-file", text)))
    }

    /// Returns `true` if another configuration is this one without an account.
    pub fn is_without(&self, name: &str, left: &Self) -> bool {
        let mut accounts = self.file.accounts.clone();
        accounts.remove(name);
        (self.file.jobs, &self.file.defaults, &accounts) == (left.file.jobs, &left.file.defaults, &left.file.accounts)
    }

    /// Returns `true` if there is an account of this name.
    pub fn has(&self, name: &str) -> bool {
        self.file.accounts.contains_key(name)
    }

    /// Returns the arguments of `pop3 fetch` for an account.
    ///
    /// # Errors
    /// A key is unknown or has a wrong value. The failure names the file, the account and the key.
    pub fn fetch(&self, name: &str, given: &Given) -> Result<Fetch, Failure> {
        let own = self.file.accounts.get(name).cloned().unwrap_or_default();
        if self.file.defaults.contains_key("pin") {
            // Whoever has the key of one server must not pass for the servers of other accounts (RFC 8314 §5.4).
            return Err(keys::wrong(Message::new("config-own-key").with("key", "pin"), &self.path.display().to_string()));
        }
        let mut keys = self.file.defaults.clone();
        // What is nearer replaces what it excludes: the account's keys those of all accounts, and the command line's options both.
        let named = own.get("server").and_then(Value::as_str).map(named_by).unwrap_or_default();
        keys.retain(|key, _| !own.keys().any(|own| excludes(own, key)) && !named.contains(&key.as_str()));
        let own_keys: Vec<String> = own.keys().cloned().collect();
        let is_own = |key: &str| own_keys.iter().any(|own| own == key);
        keys.extend(own);
        keys.retain(|key, _| !given.keys().any(|given| given == key || excludes(given, key)));
        // A key for all accounts that belongs to another one has no meaning for an account without that.
        let belongs = |key: &str| belongs_to(key).is_none_or(|other| keys_of(&keys, given).any(|key| key == other));
        let lonely: Vec<String> = keys.keys().filter(|key| !is_own(key) && !belongs(key)).cloned().collect();
        keys.retain(|key, _| !lonely.contains(key));
        let mut line = vec!["pop3".to_owned(), "fetch".to_owned()];
        let place = Message::new("accounts-place").with("file", self.path.display()).with("account", name).to_string();
        let no_server = || keys::wrong(Message::new("accounts-no-server"), &place);
        for (key, value) in &keys {
            if key == "server" || key == "maildir" {
                continue;
            }
            if matches!(key.as_str(), "dry-run" | "every" | "install-timer") {
                // An account that never fetches would look as if it did.
                return Err(keys::wrong(Message::new("config-unknown-key").with("key", key), &place));
            }
            let wrong_type = |_| keys::wrong(Message::new("config-wrong-type").with("key", key), &place);
            if let Some(values) = keys::values(value).map_err(wrong_type)? {
                let values: Vec<String> = values.iter().map(|text| expanded(key, text)).collect();
                keys::push(&mut line, key, &values);
            }
        }
        for (option, values) in given {
            keys::push(&mut line, option, values);
        }
        line.push("--".to_owned());
        for key in ["server", "maildir"] {
            match keys.get(key) {
                Some(Value::String(text)) => line.push(expanded(key, text)),
                Some(_) => return Err(keys::wrong(Message::new("config-wrong-type").with("key", key), &place)),
                None if key == "server" => return Err(no_server()),
                None => {}
            }
        }
        let parsed = Arguments::command().try_get_matches_from(line).and_then(|matches| Arguments::from_arg_matches(&matches));
        match parsed.map(|arguments| arguments.command) {
            Ok(Some(Command::Fetch(fetch))) => Ok(fetch),
            Ok(_) => Err(no_server()),
            Err(error) => Err(keys::explained(&error, &place, &Message::new("accounts-keys"))),
        }
    }
}

/// Returns the keys that a server's own name stands for, such as the port in `pop.example.org:995`.
fn named_by(server: &str) -> Vec<&'static str> {
    let is_address = server.contains('@') && !server.contains("://");
    let Some(place) = Place::parse(server).ok().filter(|_| !is_address) else { return Vec::new() };
    let keys = [
        ("port", place.port.is_some()),
        ("user", place.user.is_some()),
        ("auth", place.auth.is_some()),
        ("stls", place.security.is_some()),
        ("dangerously-cleartext", place.security.is_some()),
    ];
    keys.into_iter().filter(|(_, is_named)| *is_named).map(|(key, _)| key).collect()
}

fn keys_of<'k>(keys: &'k BTreeMap<String, Value>, given: &'k Given) -> impl Iterator<Item = &'k str> {
    keys.keys().chain(given.keys()).map(String::as_str)
}

/// Returns the key without which another one has no meaning.
fn belongs_to(key: &str) -> Option<&'static str> {
    match key {
        "recipient" => Some("deliver-to"),
        "client-key" => Some("client-cert"),
        key if key.starts_with("oauth-") && key != "oauth-client-id" => Some("oauth-client-id"),
        _ => None,
    }
}

/// Returns `true` if the two options exclude each other.
fn excludes(one: &str, other: &str) -> bool {
    const GROUPS: [&[&str]; 14] = [
        &["password-file", "password-command", "netrc", "credential", "token-file", "token-command", "oauth-client-id"],
        &["oauth-redirect-url", "oauth-device-url"],
        &["maildir", "deliver-to"],
        &["keep", "delete"],
        &["keep", "delete-after"],
        &["keep", "keep-newest"],
        &["dangerously-cleartext", "dangerously-any-certificate", "ca-file", "pin"],
        &["dangerously-cleartext", "client-cert"],
        &["dangerously-cleartext", "client-key"],
        &["dangerously-cleartext", "stls"],
        &["autoconfig-file", "host"],
        &["autoconfig-file", "port"],
        &["autoconfig-file", "stls"],
        &["autoconfig-file", "dangerously-cleartext"],
    ];
    one != other && GROUPS.iter().any(|group| group.contains(&one) && group.contains(&other))
}

/// Returns `true` if a key names a file or a folder.
pub fn is_path(key: &str) -> bool {
    key.ends_with("-file") || matches!(key, "maildir" | "client-cert" | "client-key")
}

/// Returns a value of the file with `~/` replaced by the home, for keys that name a file or a folder.
fn expanded(key: &str, text: &str) -> String {
    match (text.strip_prefix("~/"), env::var("HOME")) {
        (Some(rest), Ok(home)) if is_path(key) => format!("{}/{rest}", home.trim_end_matches('/')),
        _ => text.to_owned(),
    }
}
