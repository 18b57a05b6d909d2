//! Keys of files of settings: each is an option of a subcommand, so that it is checked in one place.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use toml::Value;

use crate::failure::{Exit, Failure};
use crate::language::Message;

/// The values of an option on a command line: none for an option that takes none.
pub type Values = Vec<String>;

/// Returns the values of a key. `Ok(None)` if the option is switched off, and an error if the value is of a wrong kind.
pub fn values(value: &Value) -> Result<Option<Values>, WrongKind> {
    Ok(Some(match value {
        Value::Boolean(true) => Vec::new(),
        Value::Boolean(false) => return Ok(None),
        Value::String(text) => vec![text.clone()],
        Value::Integer(number) => vec![number.to_string()],
        Value::Array(values) => {
            let texts = values.iter().map(|value| value.as_str().map(str::to_owned).ok_or(WrongKind));
            let texts = texts.collect::<Result<Values, _>>()?;
            return Ok(Some(texts).filter(|texts| !texts.is_empty()));
        }
        _ => return Err(WrongKind),
    }))
}

/// The value of a key is neither text, nor a number, nor a list of texts, nor `true` or `false`.
#[derive(Debug)]
pub struct WrongKind;

/// Adds an option to a command line.
pub fn push(line: &mut Vec<String>, option: &str, values: &[String]) {
    match values {
        [] => line.push(format!("--{option}")),
        values => line.extend(values.iter().map(|value| format!("--{option}={value}"))),
    }
}

/// Returns a failure in a file of settings. `place` names the file.
pub fn wrong(what: Message, place: &str) -> Failure {
    Failure::new(Exit::Usage, what.with("place", place))
}

/// Explains an error of clap as one of the file: its options are keys there. `all` says where all keys are listed.
pub fn explained(error: &clap::Error, place: &str, all: &Message) -> Failure {
    let text = |kind: ContextKind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.trim_start_matches('-').to_owned()),
        Some(ContextValue::Strings(texts)) => texts.first().map(|text| text.trim_start_matches('-').to_owned()),
        _ => None,
    };
    let argument = text(ContextKind::InvalidArg).unwrap_or_default();
    let key = argument.split([' ', '=']).next().unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument => {
            let failure = wrong(Message::new("config-unknown-key").with("key", key), place);
            match text(ContextKind::SuggestedArg) {
                Some(similar) => failure.and(Message::new("config-similar-key").with("key", similar)),
                None => failure.and(all),
            }
        }
        ErrorKind::MissingRequiredArgument => wrong(Message::new("config-missing-key").with("key", key), place),
        // The value of an option that takes none, or none of one that takes one.
        ErrorKind::TooManyValues | ErrorKind::NoEquals => wrong(Message::new("config-wrong-type").with("key", key), place),
        _ => {
            let text = error.render().to_string();
            let first = text.lines().next().unwrap_or_default();
            wrong(Message::new("config-wrong-key").with("error", first.trim_start_matches("error: ")), place)
        }
    }
}
