//! What `--dry-run` shows.

use indicatif::HumanBytes;
use pop3_fetch::{Intention, PreviewedMessage};

use crate::language::Message;

/// Returns the table of what a run would do, and its sum in one line. Messages that are stored already are only counted.
pub fn table(messages: &[PreviewedMessage]) -> String {
    let size = |octets: Option<u64>| octets.map_or_else(|| "?".to_owned(), |octets| HumanBytes(octets).to_string());
    let mut lines: Vec<String> = messages
        .iter()
        .filter(|message| message.intention != Intention::Known)
        .map(|message| format!("{:>7} {:>11}  {}", message.number, size(message.octets), words(message.intention)))
        .collect();
    let count = |wanted: &[Intention]| messages.iter().filter(|message| wanted.contains(&message.intention)).count();
    let is_fetched = |message: &&PreviewedMessage| {
        use Intention::{Compare, CompareAndDelete, Fetch, FetchAndDelete};
        matches!(message.intention, Fetch | FetchAndDelete | Compare | CompareAndDelete)
    };
    let octets = messages.iter().filter(is_fetched).fold(0_u64, |sum, message| sum.saturating_add(message.octets.unwrap_or(0)));
    let sum = Message::new("fetch-plan")
        .with("fetch", messages.iter().filter(is_fetched).count())
        .with("size", HumanBytes(octets))
        .with("delete", count(&[Intention::Delete, Intention::FetchAndDelete, Intention::CompareAndDelete]))
        .with("known", count(&[Intention::Known, Intention::Delete]));
    lines.push(sum.to_string());
    lines.join("\n")
}

fn words(intention: Intention) -> Message {
    match intention {
        Intention::Fetch => Message::new("fetch-plan-fetch"),
        Intention::FetchAndDelete => Message::new("fetch-plan-fetch-and-delete"),
        Intention::Compare => Message::new("fetch-plan-compare"),
        Intention::CompareAndDelete => Message::new("fetch-plan-compare-and-delete"),
        Intention::Delete => Message::new("fetch-plan-delete"),
        Intention::TooLarge => Message::new("fetch-plan-too-large"),
        Intention::Later => Message::new("fetch-plan-later"),
        Intention::SetAside => Message::new("fetch-plan-set-aside"),
        Intention::NoUniqueId => Message::new("fetch-plan-no-unique-id"),
        _ => Message::new("fetch-plan-known"),
    }
}
