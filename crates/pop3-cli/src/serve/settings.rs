//! The settings of a server: options of the command line, then variables of the environment, then keys of a file.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::PathBuf;

use clap::{CommandFactory, FromArgMatches};
use toml::Value;

use crate::accounts::Given;
use crate::arguments::{Arguments, Command, Serve};
use crate::failure::{Exit, Failure};
use crate::keys::{self, Values};
use crate::language::Message;

/// What the names of variables begin with.
const PREFIX: &str = "POP3_SERVE_";

/// Returns the settings. `given` are the options of the command line.
///
/// # Errors
/// The file cannot be read, or a key, a variable or an option is unknown or has a wrong value.
pub fn resolve(given: &Given) -> Result<Serve, Failure> {
    let variables = env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    resolve_with(given, &variables.filter(|(name, _)| name.starts_with(PREFIX)).collect())
}

fn resolve_with(given: &Given, variables: &BTreeMap<String, String>) -> Result<Serve, Failure> {
    let options = Options::of_serve();
    let mut settings: BTreeMap<String, Values> = BTreeMap::new();
    let named = given.get("config").and_then(|values| values.first()).or_else(|| variables.get("POP3_SERVE_CONFIG"));
    let file = named.map(PathBuf::from);
    if let Some(path) = &file {
        let text = fs::read_to_string(path).map_err(|error| Failure::file(path, &error))?;
        let place = path.display().to_string();
        let table: BTreeMap<String, Value> = toml::from_str(&text)
            .map_err(|error| Failure::new(Exit::Usage, format_args!("{place}: {}", error.to_string().trim_end())))?;
        for (key, value) in table {
            // The others are options of the program, and not of the server.
            if matches!(key.as_str(), "config" | "check" | "verbose" | "language" | "help" | "version") {
                return Err(unknown(&key, &place));
            }
            let values = keys::values(&value).ok().filter(|values| options.may_have(&key, values.as_ref()));
            match values {
                Some(Some(values)) => drop(settings.insert(key, values)),
                Some(None) => {}
                None => return Err(keys::wrong(Message::new("config-wrong-type").with("key", key), &place)),
            }
        }
        // Of what is wrong in the file, the file is blamed.
        options.parse(&settings, Some(&place))?;
    }
    for (name, text) in variables {
        let key = name.trim_start_matches(PREFIX).to_ascii_lowercase().replace('_', "-");
        match (options.takes_value(&key), text.as_str()) {
            (None, _) => return Err(unknown(&key, name)),
            (Some(_), _) if key == "check" => return Err(unknown(&key, name)),
            (Some(true), _) => {
                // A list is separated by commas.
                let values = if options.is_list(&key) {
                    text.split(',').map(|part| part.trim().to_owned()).collect()
                } else {
                    vec![text.clone()]
                };
                settings.insert(key, values);
            }
            (Some(false), "true" | "1" | "yes") => drop(settings.insert(key, Values::new())),
            (Some(false), "false" | "0" | "no" | "") => drop(settings.remove(&key)),
            (Some(false), _) => return Err(keys::wrong(Message::new("config-wrong-type").with("key", &key), name)),
        }
        options.parse(&settings, Some(name))?;
    }
    settings.extend(given.clone());
    let place = file.map(|file| file.display().to_string());
    let serve = options.parse(&settings, place.as_deref())?;
    match serve.missing() {
        Some((missing, given)) => {
            Err(Failure::new(Exit::Usage, Message::new("serve-needs").with("option", given).with("other", missing)))
        }
        None => Ok(serve),
    }
}

fn unknown(key: &str, place: &str) -> Failure {
    keys::wrong(Message::new("config-unknown-key").with("key", key), place).and(Message::new("serve-keys"))
}

/// The options of `pop3 serve`.
struct Options(clap::Command);

impl Options {
    fn of_serve() -> Self {
        Self(Arguments::command().find_subcommand("serve").cloned().unwrap_or_default())
    }

    fn option(&self, key: &str) -> Option<&clap::Arg> {
        self.0.get_arguments().find(|argument| argument.get_long() == Some(key))
    }

    /// Returns `true` if an option takes a value; `None` if there is no such option.
    fn takes_value(&self, key: &str) -> Option<bool> {
        self.option(key).map(|option| option.get_action().takes_values())
    }

    fn is_list(&self, key: &str) -> bool {
        self.option(key).is_some_and(|option| matches!(option.get_action(), clap::ArgAction::Append))
    }

    /// Returns `false` if a key has a value although its option takes none, or the reverse. Unknown keys are found later.
    fn may_have(&self, key: &str, values: Option<&Values>) -> bool {
        match (self.takes_value(key), values) {
            (Some(takes_value), Some(values)) => takes_value != values.is_empty(),
            // A list may be empty.
            (Some(true), None) => self.is_list(key),
            _ => true,
        }
    }

    /// Parses the settings as a command line. `place` is blamed for what is wrong; without one, the command line.
    fn parse(&self, settings: &BTreeMap<String, Values>, place: Option<&str>) -> Result<Serve, Failure> {
        let mut line = vec!["pop3".to_owned(), "serve".to_owned()];
        for (key, values) in settings {
            keys::push(&mut line, key, values);
        }
        let parsed = Arguments::command().try_get_matches_from(line).and_then(|matches| Arguments::from_arg_matches(&matches));
        match (parsed, place) {
            (Ok(Arguments { command: Some(Command::Serve(serve)), .. }), _) => Ok(serve),
            (Err(error), Some(place)) => Err(keys::explained(&error, place, &Message::new("serve-keys"))),
            (Err(error), None) => Err(Failure::new(Exit::Usage, error)),
            (Ok(_), _) => Err(Failure::new(Exit::Usage, Message::new("serve-nowhere"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(file: &str, variables: &[(&str, &str)], options: &[(&str, &[&str])]) -> Result<Serve, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("server.toml");
        fs::write(&path, file).unwrap();
        let owned = |values: &[&str]| values.iter().map(|value| (*value).to_owned()).collect::<Values>();
        let mut given: Given = options.iter().map(|(key, values)| ((*key).to_owned(), owned(values))).collect();
        given.insert("config".to_owned(), vec![path.to_str().unwrap().to_owned()]);
        let variables = variables.iter().map(|(name, value)| (format!("{PREFIX}{name}"), (*value).to_owned()));
        let told = |failure: Failure| failure.to_string().replace(path.to_str().unwrap(), "FILE");
        resolve_with(&given, &variables.collect()).map_err(told)
    }

    #[test]
    fn options_precede_variables_and_variables_precede_the_file() {
        let file = "users = '/etc/users'\nmax-sessions = 7\nmax-sessions-per-source = 5\nlogin-delay = 3\nlisten = ['110', '[::1]:111']\n\
            ignore-case = true\ndangerously-cleartext = false\ntrust-proxy = []\n";
        let variables =
            [("MAX_SESSIONS_PER_SOURCE", "6"), ("LOGIN_DELAY", "4"), ("LISTEN", "112, 113"), ("IGNORE_CASE", "false")];
        let serve = resolved(file, &variables, &[("login-delay", &["5"]), ("expire", &["30"])]).unwrap();
        assert_eq!(serve.users, Some(PathBuf::from("/etc/users")));
        assert_eq!((serve.max_sessions, serve.max_sessions_per_source, serve.login_delay, serve.expire), (7, 6, 5, Some(30)));
        assert_eq!(serve.listen.iter().map(ToString::to_string).collect::<Vec<_>>(), ["112", "113"]);
        assert!(!serve.ignore_case && !serve.dangerously_cleartext);
        // What belongs together may come from several places.
        let parts = [("CERT", "/c"), ("KEY", "/k"), ("PROXY_PROTOCOL", "1"), ("TRUST_PROXY", "192.0.2.1")];
        let serve = resolved("listen-tls = ['995']\n", &parts, &[]).unwrap();
        assert!(serve.proxy_protocol && serve.cert.is_some() && serve.key.is_some());
        let serve = resolved(file, &[], &[]).unwrap();
        assert!(serve.ignore_case && serve.listen.len() == 2);
    }

    #[test]
    fn each_mistake_names_its_place() {
        for (file, variables, told) in [
            ("max-session = 7\n", &[][..], "FILE: there is no key max-session\n      A similar key exists: max-sessions"),
            ("quux = 7\n", &[], "FILE: there is no key quux"),
            ("config = '/x'\n", &[], "FILE: there is no key config"),
            ("check = true\n", &[], "FILE: there is no key check"),
            ("max-sessions = 'many'\n", &[], "FILE: invalid value 'many' for '--max-sessions"),
            ("max-sessions = true\n", &[], "FILE: the value of max-sessions is of the wrong kind"),
            ("max-sessions = 1.5\n", &[], "FILE: the value of max-sessions is of the wrong kind"),
            ("ignore-case = 'yes'\n", &[], "FILE: the value of ignore-case is of the wrong kind"),
            ("cert = '/c'\n", &[], "cert needs key as well"),
            ("proxy-protocol = true\n", &[], "proxy-protocol needs trust-proxy as well"),
            ("verbose = true\n", &[], "FILE: there is no key verbose"),
            ("max-sessions = 7\nmax-sessions = 8\n", &[], "FILE: TOML parse error"),
            ("", &[("MAX_SESION", "7")], "POP3_SERVE_MAX_SESION: there is no key max-sesion"),
            ("", &[("CHECK", "1")], "POP3_SERVE_CHECK: there is no key check"),
            ("", &[("MAX_SESSIONS", "x")], "POP3_SERVE_MAX_SESSIONS: invalid value 'x'"),
            ("", &[("IGNORE_CASE", "maybe")], "POP3_SERVE_IGNORE_CASE: the value of ignore-case is of the wrong kind"),
        ] {
            let failure = resolved(file, variables, &[]).unwrap_err();
            assert!(failure.starts_with(told), "{file} {variables:?}: {failure}");
        }
    }
}
