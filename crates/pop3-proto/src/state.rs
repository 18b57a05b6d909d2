//! Which command is allowed when: the one table that both machines use (S31, S45, H09).

use crate::codec::Verb;

/// The states of a session (RFC 1939 §3), and what may be said in each:
///
#[doc = include_str!("state.md")]
///
/// In `UPDATE` nothing may be said any more. What follows from more than the state, as that `PASS` stands directly behind `USER`,
/// that nothing is said in the middle of an exchange, and that `STLS` does not stand behind `UTF8`, the machines know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The client has not said who it is.
    Authorization,
    /// The client is logged in; messages can be read and marked.
    Transaction,
    /// `QUIT` was said in `TRANSACTION`: what is marked is being removed. Nothing may be said any more.
    Update,
}

/// When a command is allowed in a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Allowed {
    Yes,
    No,
    /// As long as TLS is not active.
    BeforeTls,
}

use Allowed::{BeforeTls, No, Yes};

/// In the order of [`Verb::ALL`].
#[rustfmt::skip]
const TABLE: [(Verb, Allowed, Allowed); Verb::ALL.len()] = [
    // command     AUTHORIZATION  TRANSACTION
    (Verb::Apop,   Yes,           No),
    (Verb::Auth,   Yes,           No),
    (Verb::Capa,   Yes,           Yes),
    (Verb::Dele,   No,            Yes),
    (Verb::Lang,   Yes,           Yes),
    (Verb::Last,   No,            Yes),
    (Verb::List,   No,            Yes),
    (Verb::Noop,   No,            Yes),
    (Verb::Pass,   Yes,           No),
    (Verb::Quit,   Yes,           Yes),
    (Verb::Retr,   No,            Yes),
    (Verb::Rset,   No,            Yes),
    (Verb::Stat,   No,            Yes),
    (Verb::Stls,   BeforeTls,     No),
    (Verb::Top,    No,            Yes),
    (Verb::Uidl,   No,            Yes),
    (Verb::User,   Yes,           No),
    (Verb::Utf8,   Yes,           No),
    (Verb::Xclient, Yes,          No),
];

impl State {
    /// Whether a command may be given in this state. `encrypted`: TLS is active.
    ///
    /// ```
    /// use pop3_proto::{State, codec::Verb};
    /// assert!(State::Authorization.permits(Verb::Stls, false));
    /// assert!(!State::Authorization.permits(Verb::Stls, true));
    /// assert!(!State::Transaction.permits(Verb::Pass, true));
    /// ```
    pub fn permits(self, verb: Verb, encrypted: bool) -> bool {
        let allowed = match (TABLE.get(verb as usize), self) {
            (Some((_, allowed, _)), Self::Authorization) | (Some((_, _, allowed)), Self::Transaction) => *allowed,
            (_, Self::Update) | (None, _) => No,
        };
        match allowed {
            Yes => true,
            No => false,
            BeforeTls => !encrypted,
        }
    }

    /// The name that the RFC gives it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Authorization => "AUTHORIZATION",
            Self::Transaction => "TRANSACTION",
            Self::Update => "UPDATE",
        }
    }
}

impl core::fmt::Display for State {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_where_they_are_looked_for() {
        for (at, verb) in Verb::ALL.into_iter().enumerate() {
            assert_eq!((verb as usize, TABLE[at].0), (at, verb));
        }
    }

    #[test]
    fn the_documentation_shows_the_table() {
        let mut shown = alloc::string::String::from("| command | `AUTHORIZATION` | `TRANSACTION` |\n| --- | --- | --- |\n");
        for (verb, before, after) in TABLE {
            let [before, after] = [before, after].map(|allowed| match allowed {
                Yes => "yes",
                No => "",
                BeforeTls => "before TLS",
            });
            shown += &alloc::format!("| `{verb}` | {before} | {after} |\n");
        }
        assert_eq!(shown, include_str!("state.md"));
    }

    #[test]
    fn h09_every_command_in_every_state() {
        let allowed = |state: State, encrypted| {
            let verbs = Verb::ALL.into_iter().filter(|verb| state.permits(*verb, encrypted)).map(Verb::as_str);
            verbs.collect::<alloc::vec::Vec<_>>().join(" ")
        };
        assert_eq!(allowed(State::Authorization, false), "APOP AUTH CAPA LANG PASS QUIT STLS USER UTF8 XCLIENT");
        assert_eq!(allowed(State::Authorization, true), "APOP AUTH CAPA LANG PASS QUIT USER UTF8 XCLIENT");
        for encrypted in [false, true] {
            assert_eq!(allowed(State::Transaction, encrypted), "CAPA DELE LANG LAST LIST NOOP QUIT RETR RSET STAT TOP UIDL");
            assert_eq!(allowed(State::Update, encrypted), "");
        }
    }
}
