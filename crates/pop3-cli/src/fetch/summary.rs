//! The results of a run, for the user and for scripts.

use indicatif::HumanBytes;
use pop3_fetch::RunSummary;

use super::problem;
use crate::failure::{Exit, Failure};
use crate::language::Message;

/// Returns the results in one line. `passed_on` is the number of messages that went on from a spool.
pub fn line(summary: &RunSummary, passed_on: Option<u64>) -> String {
    let size = HumanBytes(summary.octets);
    let mut parts = vec![match summary.fetched {
        0 => Message::new("fetch-nothing"),
        count => Message::new("fetch-fetched").with("count", count).with("size", size),
    }];
    if let Some(count) = passed_on.filter(|count| *count > 0) {
        parts.push(Message::new("deliver-done").with("count", count));
    }
    if summary.deleted > 0 {
        parts.push(Message::new("fetch-deleted").with("count", summary.deleted));
    }
    if summary.known > 0 {
        parts.push(Message::new("fetch-known").with("count", summary.known));
    }
    if summary.too_large > 0 {
        parts.push(Message::new("fetch-too-large").with("count", summary.too_large));
    }
    if summary.later > 0 {
        parts.push(Message::new("fetch-later").with("count", summary.later));
    }
    if summary.kept > 0 {
        parts.push(Message::new("fetch-kept").with("count", summary.kept));
    }
    parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(&Message::new("fetch-comma").to_string())
}

/// Returns a failure with all problems if there are any.
pub fn check(summary: RunSummary) -> Result<(), Failure> {
    if summary.problems.is_empty() {
        return Ok(());
    }
    let problems: Vec<String> = summary.problems.into_iter().map(problem::describe).collect();
    Err(Failure::new(Exit::SomeFailed, problems.join("\npop3: ")).and(Message::new("fetch-some-failed")))
}
