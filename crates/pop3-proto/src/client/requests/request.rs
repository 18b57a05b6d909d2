//! What a request is.

use super::refusal::RequestError;
use crate::client::command_sink::CommandSink;
use crate::client::error::LocalError;
use crate::client::event::ClientEvent;

/// An operation: it sends commands, takes the events that come for them, and returns an output in the end.
///
/// A driver runs any request with one loop; see [`Connection::run`](crate::client::Connection::run).
pub trait Request {
    /// What the operation returns.
    type Output;

    /// Sends the first command.
    ///
    /// # Errors
    /// The session does not allow it now.
    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError>;

    /// Returns the output if no reply is needed.
    fn immediate_output(&mut self) -> Option<Self::Output> {
        None
    }

    /// Takes an event and returns the output when the operation is complete. Events of other commands are ignored.
    ///
    /// # Errors
    /// The server refused, or its answer cannot be read. The operation has ended; the session stays usable.
    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<Self::Output>, RequestError>;
}
