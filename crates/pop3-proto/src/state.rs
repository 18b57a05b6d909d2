//! Which command is allowed in which state, and what leads from one state to the next: tables that both machines use.
// S31, S45, H09

use crate::codec::{Status, Verb};

/// The states of a session (RFC 1939 §3). A session begins in `AUTHORIZATION`, after the greeting:
///
/// ```text
///             greeting                    +OK to PASS, APOP or AUTH
/// (connect) ───────────▶ AUTHORIZATION ─────────────────────────────▶ TRANSACTION
///                          │   │   ▲                                       │
///                          │   └───┘                                       │ QUIT
///                     QUIT │  +OK to STLS: TLS handshake,                  ▼
///                          │  everything before it is forgotten         UPDATE: marked messages are removed
///                          ▼                                               │
///                       (closed) ◀─────────────────────────────────────────┘ reply to QUIT
/// ```
///
/// As a table:
///
#[doc = include_str!("transitions.md")]
///
/// Commands that are allowed in each state:
///
#[doc = include_str!("state.md")]
///
/// In `UPDATE` no command is allowed. The machines know what follows from more than the state: `PASS` must directly follow `USER`, no
/// command is allowed inside an exchange, and `STLS` must not follow `UTF8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The client has not logged in.
    Authorization,
    /// The client is logged in; messages can be read and marked.
    Transaction,
    /// `QUIT` was sent in `TRANSACTION`: marked messages are being removed.
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

/// What moves a session to another state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trigger {
    /// The command itself.
    Command,
    /// A `+OK` to the command.
    Ok,
    /// A reply to the command, whatever its status.
    Reply,
}

/// From, command, trigger, to; `None`: the session is closed.
const TRANSITIONS: [(State, Verb, Trigger, Option<State>); 7] = [
    (State::Authorization, Verb::Apop, Trigger::Ok, Some(State::Transaction)),
    (State::Authorization, Verb::Auth, Trigger::Ok, Some(State::Transaction)),
    (State::Authorization, Verb::Pass, Trigger::Ok, Some(State::Transaction)),
    (State::Authorization, Verb::Stls, Trigger::Ok, Some(State::Authorization)),
    (State::Authorization, Verb::Quit, Trigger::Reply, None),
    (State::Transaction, Verb::Quit, Trigger::Command, Some(State::Update)),
    (State::Update, Verb::Quit, Trigger::Reply, None),
];

impl State {
    /// Returns the state after a command was sent.
    pub(crate) fn after_command(self, verb: Verb) -> Self {
        self.after(verb, |trigger| trigger == Trigger::Command).flatten().unwrap_or(self)
    }

    /// Returns the state after a reply; `None` if the session is closed.
    pub(crate) fn after_reply(self, verb: Verb, status: Status) -> Option<Self> {
        self.after(verb, |trigger| trigger == Trigger::Reply || (trigger == Trigger::Ok && status == Status::Ok))
            .unwrap_or(Some(self))
    }

    fn after(self, verb: Verb, happens: impl Fn(Trigger) -> bool) -> Option<Option<Self>> {
        let row = TRANSITIONS.iter().find(|(from, of, trigger, _)| *from == self && *of == verb && happens(*trigger));
        row.map(|(.., to)| *to)
    }

    /// Returns `true` if a command is allowed in this state. `encrypted`: TLS is active.
    ///
    /// ```
    /// use pop3_proto::{State, codec::Verb};
    /// assert!(State::Authorization.permits(Verb::Stls, false));
    /// assert!(!State::Authorization.permits(Verb::Stls, true));
    /// assert!(!State::Transaction.permits(Verb::Pass, true));
    /// ```
    pub fn permits(self, verb: Verb, encrypted: bool) -> bool {
        if verb == Verb::Extension {
            return self != Self::Update;
        }
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

    /// Returns the name that the RFC gives the state.
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
    fn each_row_is_at_the_index_of_its_verb() {
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
        assert!(shown == include_str!("state.md"), "state.md must be:\n{shown}");
    }

    #[test]
    fn the_documentation_shows_the_transitions() {
        let mut shown = alloc::string::String::from("| from | by | to |\n| --- | --- | --- |\n");
        for (from, verb, trigger, to) in TRANSITIONS {
            let by = match trigger {
                Trigger::Command => alloc::format!("`{verb}`"),
                Trigger::Ok => alloc::format!("`+OK` to `{verb}`"),
                Trigger::Reply => alloc::format!("the reply to `{verb}`"),
            };
            let to = to.map_or_else(|| "closed".into(), |to| alloc::format!("`{to}`"));
            shown += &alloc::format!("| `{from}` | {by} | {to} |\n");
        }
        assert!(shown == include_str!("transitions.md"), "transitions.md must be:\n{shown}");
    }

    #[test]
    fn s31_every_transition_is_permitted_and_no_other_reply_moves_a_session() {
        for state in [State::Authorization, State::Transaction, State::Update] {
            for verb in Verb::ALL {
                for status in [Status::Ok, Status::Err] {
                    let to = state.after_reply(verb, status);
                    let logs_in = state == State::Authorization && matches!(verb, Verb::Apop | Verb::Auth | Verb::Pass);
                    let expected = match (verb, status) {
                        (Verb::Quit, _) if state != State::Transaction => None,
                        (_, Status::Ok) if logs_in => Some(State::Transaction),
                        _ => Some(state),
                    };
                    assert_eq!(to, expected, "{state} {verb} {status:?}");
                }
                let quits = state == State::Transaction && verb == Verb::Quit;
                assert_eq!(state.after_command(verb), if quits { State::Update } else { state });
            }
        }
        for (from, verb, trigger, _) in TRANSITIONS {
            // The reply to QUIT comes in UPDATE, where no command is allowed.
            assert!(from.permits(verb, false) || (from == State::Update && trigger == Trigger::Reply));
        }
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
