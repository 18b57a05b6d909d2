//! Observation of a session's traffic.

use super::event::ClientEvent;
use crate::state::State;

/// Observes traffic, without the client's secrets.
// H56
pub trait Observer: Send {
    /// Receives a command that was sent. `line` contains no secret; `state` is the state before the command.
    fn sent(&mut self, state: Option<State>, line: &str);

    /// Receives an event. `state` is the state after it.
    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>);
}
