//! Which command is allowed when: the one table that both machines use.

use crate::codec::Verb;

/// The states of a session (RFC 1939 §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// The client has not said who it is.
    Authorization,
    /// The client is logged in; messages can be read and marked.
    Transaction,
    /// `QUIT` was said in `TRANSACTION`: what is marked is being removed.
    Update,
}

impl State {
    /// Whether a command may be given in this state. `encrypted`: TLS is active.
    ///
    /// ```
    /// use pop3_proto::{State, codec::Verb};
    /// assert!(State::Authorization.permits(Verb::Stls, false));
    /// assert!(!State::Authorization.permits(Verb::Stls, true));
    /// assert!(!State::Transaction.permits(Verb::Pass, true));
    /// ```
    pub const fn permits(self, verb: Verb, encrypted: bool) -> bool {
        match verb {
            //                                               AUTHORIZATION  TRANSACTION  UPDATE
            Verb::Capa | Verb::Quit =>
            /*                    */
            {
                self.is(true, true)
            }
            Verb::Apop | Verb::Pass | Verb::User =>
            /*       */
            {
                self.is(true, false)
            }
            Verb::Stls =>
            /*                                 */
            {
                self.is(!encrypted, false)
            }
            Verb::Dele | Verb::List | Verb::Noop | Verb::Retr | Verb::Rset | Verb::Stat | Verb::Top | Verb::Uidl =>
            /*                               */
            {
                self.is(false, true)
            }
        }
    }

    /// In `UPDATE` nothing is allowed any more.
    const fn is(self, authorization: bool, transaction: bool) -> bool {
        match self {
            Self::Authorization => authorization,
            Self::Transaction => transaction,
            Self::Update => false,
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
