//! A view of the traffic.

use super::event::ClientEvent;
use crate::state::State;

/// Observes traffic, without the client's secrets.
// H56
pub trait Observer: Send {
    /// A command was sent; `line` shows no password.
    fn sent(&mut self, state: Option<State>, line: &str);

    /// An event came in. `state` is the state after it.
    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>);
}
