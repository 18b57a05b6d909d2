//! How far a session has come.

use alloc::boxed::Box;
use core::mem;

use crate::codec::OwnedUsername;
use crate::sasl::ServerExchange;
use crate::state::State;

/// Where the machine is. It moves as [`State`] says, with the steps of a login and of `STLS` between.
#[derive(Debug)]
pub(super) enum Phase {
    Authorization(LoginState),
    Transaction,
    /// The `+OK` to `STLS` was sent: a handshake is next.
    Upgrading,
    Closed {
        logged_in: bool,
    },
}

/// How far a login has come.
#[derive(Debug)]
pub(super) enum LoginState {
    Nothing,
    /// `USER` was the last command.
    User(OwnedUsername),
    /// A SASL exchange: the next line is a response.
    Sasl(Box<ServerExchange>),
    /// A challenge has told the client why its token is refused. Whatever it responds, the refusal is the reply (S34).
    TokenRefused,
}

/// The question that waits for the caller's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PendingQuestion {
    Nothing,
    Login {
        by_token: bool,
    },
    #[cfg(feature = "scram")]
    Keys,
    Command,
    Quit,
}

impl Phase {
    pub(super) const fn state(&self) -> State {
        match self {
            Self::Transaction => State::Transaction,
            Self::Authorization(_) | Self::Upgrading => State::Authorization,
            Self::Closed { .. } => State::Update,
        }
    }

    pub(super) const fn is_transaction(&self) -> bool {
        matches!(self, Self::Transaction)
    }

    /// Moves to the end of the session.
    pub(super) fn close(&mut self) {
        *self = Self::Closed { logged_in: self.is_transaction() };
    }

    /// Ends a login that is in progress and returns how far it had come.
    pub(super) fn take_login_state(&mut self) -> LoginState {
        match self {
            Self::Authorization(login_state) => mem::replace(login_state, LoginState::Nothing),
            _ => LoginState::Nothing,
        }
    }
}
