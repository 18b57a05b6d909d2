//! The results of a run, for the user and for scripts.

use indicatif::HumanBytes;
use pop3_fetch::{Problem, RunSummary};

use crate::failure::{Exit, Failure};

/// Returns the results in one line.
pub fn line(summary: &RunSummary) -> String {
    let mut text = match summary.fetched {
        0 => "nothing new".to_owned(),
        1 => format!("1 message ({}) fetched", HumanBytes(summary.octets)),
        count => format!("{count} messages ({}) fetched", HumanBytes(summary.octets)),
    };
    if summary.deleted > 0 {
        text += &format!(", {} deleted on the server", summary.deleted);
    }
    if summary.known > 0 {
        text += &format!(", {} known already", summary.known);
    }
    if summary.kept > 0 {
        text += &format!(", {} still on the server although it confirmed their deletion", summary.kept);
    }
    text
}

/// Returns a failure with all problems if there are any.
pub fn check(summary: RunSummary) -> Result<(), Failure> {
    if summary.problems.is_empty() {
        return Ok(());
    }
    let problems: Vec<String> = summary.problems.into_iter().map(describe).collect();
    Err(Failure::new(Exit::SomeFailed, problems.join("\npop3: ")).hint("Everything else is done. The next run tries again."))
}

fn describe(problem: Problem) -> String {
    match problem {
        Problem::NoUniqueId { .. } => format!("{problem} (--delete fetches such messages)"),
        // The failure contains a hint for the next step.
        Problem::NextSession(error) => format!("the remaining messages wait for the next run: {}", Failure::from(error)),
        _ => problem.to_string(),
    }
}
