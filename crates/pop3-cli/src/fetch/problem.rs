//! The problems of a run, in the language of the run.

use pop3_fetch::{Problem, SuspectOutcome};

use crate::explanation;
use crate::failure::Failure;
use crate::language::Message;

/// Returns what happened, and what happens next.
pub fn describe(problem: Problem) -> String {
    let told = match problem {
        Problem::NoUniqueId { messages } => Message::new("problem-no-unique-id").with("count", messages),
        Problem::NotListed { messages } => Message::new("problem-not-listed").with("count", messages),
        Problem::SetAside { number } => Message::new("problem-set-aside").with("number", number),
        Problem::SessionBroke { number, error, set_aside } => {
            let next = if set_aside { Message::new("problem-next-aside") } else { Message::new("problem-next-again") };
            let told = Message::new("problem-session-broke").with("number", number);
            told.with("error", explanation::of(&error)).with("next", next)
        }
        Problem::NotRetrieved { number, text } => {
            Message::new("problem-not-retrieved").with("number", number).with("reply", text)
        }
        Problem::NotDeleted { number, text } => Message::new("problem-not-deleted").with("number", number).with("reply", text),
        Problem::WrongSize { number, octets, announced, outcome } => {
            let next = match outcome {
                SuspectOutcome::TriedAgain => Message::new("problem-next-again"),
                SuspectOutcome::StoredShort => Message::new("problem-next-short"),
                SuspectOutcome::StoredLong => Message::new("problem-next-stored"),
            };
            let told = Message::new("problem-wrong-size").with("number", number);
            told.with("octets", octets).with("announced", announced).with("next", next)
        }
        Problem::NotAllRemoved(error) => Message::new("problem-not-all-removed").with("error", explanation::of(&error)),
        Problem::RemovalUnknown(error) => Message::new("problem-removal-unknown").with("error", explanation::of(&error)),
        // The failure contains a hint for the next step.
        Problem::NextSession(error) => Message::new("problem-next-session").with("error", Failure::from(error)),
        problem => return problem.to_string(),
    };
    told.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_blocking::Error;
    use pop3_blocking::proto::codec::MessageNumber;

    #[test]
    fn in_english_a_problem_is_told_as_the_library_tells_it() {
        let number = MessageNumber::new(7).unwrap();
        let error = || Error::TimedOut { waiting_for: "a command was sent", after: std::time::Duration::from_secs(2) };
        let wrong_size = |outcome| move || Problem::WrongSize { number, octets: 1, announced: 2_000, outcome };
        let cases: [Box<dyn Fn() -> Problem>; 11] = [
            Box::new(|| Problem::NotListed { messages: 1 }),
            Box::new(|| Problem::NotListed { messages: 2 }),
            Box::new(move || Problem::SetAside { number }),
            Box::new(move || Problem::SessionBroke { number, error: error(), set_aside: true }),
            Box::new(move || Problem::SessionBroke { number, error: error(), set_aside: false }),
            Box::new(move || Problem::NotRetrieved { number, text: "no".to_owned() }),
            Box::new(move || Problem::NotDeleted { number, text: "no".to_owned() }),
            Box::new(wrong_size(SuspectOutcome::TriedAgain)),
            Box::new(wrong_size(SuspectOutcome::StoredShort)),
            Box::new(wrong_size(SuspectOutcome::StoredLong)),
            Box::new(move || Problem::RemovalUnknown(error())),
        ];
        for problem in cases {
            assert_eq!(describe(problem()), problem().to_string());
        }
    }
}
