//! The trait of all requests.

use super::refusal::RequestError;
use crate::client::command_sink::CommandSink;
use crate::client::error::LocalError;
use crate::client::event::ClientEvent;

/// An operation that sends commands, handles the events of their replies and returns an output.
///
/// A driver runs any request with one loop; see [`Connection::run`](crate::client::Connection::run).
pub trait Request {
    /// The output of the operation.
    type Output;

    /// Sends the first command.
    ///
    /// # Errors
    /// The session does not allow the command now; nothing is sent.
    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError>;

    /// Returns the output if no reply is needed.
    fn immediate_output(&mut self) -> Option<Self::Output> {
        None
    }

    /// Handles an event and returns the output when the operation is complete. Events of other commands are ignored.
    ///
    /// # Errors
    /// The server refused the operation, or its reply cannot be parsed. The operation has ended. The session stays usable, unless
    /// the error is [`RequestError::Sasl`] or [`RequestError::Remote`].
    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<Self::Output>, RequestError>;
}
