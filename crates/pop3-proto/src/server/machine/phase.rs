//! The phases of a session.

use alloc::boxed::Box;
use core::mem;

use crate::codec::OwnedUsername;
use crate::sasl::ServerExchange;
use crate::state::State;

/// The phase of a session: a [`State`], or a step of a login or of `STLS` in between.
#[derive(Debug)]
pub(super) enum Phase {
    Authorization(LoginState),
    Transaction,
    /// The `+OK` to `STLS` was sent: the handshake is next.
    Upgrading,
    Closed {
        logged_in: bool,
    },
}

/// The progress of a login.
#[derive(Debug)]
pub(super) enum LoginState {
    Nothing,
    /// `USER` was the last command.
    User(OwnedUsername),
    /// A SASL exchange: the next line is a response.
    Sasl(Box<ServerExchange>),
    /// A challenge has reported why the token is refused. Any response is answered with the refusal.
    // S34
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
    Extension,
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

    /// Returns `true` if the next line answers a challenge.
    pub(super) const fn expects_response(&self) -> bool {
        matches!(self, Self::Authorization(LoginState::Sasl(_) | LoginState::TokenRefused))
    }

    pub(super) const fn is_transaction(&self) -> bool {
        matches!(self, Self::Transaction)
    }

    /// Moves to the end of the session.
    pub(super) fn close(&mut self) {
        *self = Self::Closed { logged_in: self.is_transaction() };
    }

    /// Ends a login in progress and returns its progress.
    pub(super) fn take_login_state(&mut self) -> LoginState {
        match self {
            Self::Authorization(login_state) => mem::replace(login_state, LoginState::Nothing),
            _ => LoginState::Nothing,
        }
    }
}
