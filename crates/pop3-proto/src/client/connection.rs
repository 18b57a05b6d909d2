//! The client machine with its buffers, for drivers of any runtime.

use alloc::boxed::Box;

use bytes::{Buf, BytesMut};
use zeroize::Zeroize;

use super::action::Action;
use super::command_sink::CommandSink;
use super::config::{ClientConfig, Deadline};
use super::error::{Awaiting, RemoteError};
use super::event::{ClientEvent, Tag};
use super::machine::Client;
use super::observer::Observer;
use super::requests::{Request, RequestError};
use crate::codec::{Command, Status};
use crate::read_buffer::ReadBuffer;
use crate::transport::Transport;

/// A client machine with an input buffer and an output buffer. It holds the complete state of a session, and the futures of a
/// driver hold none: a cancelled operation leaves the session consistent, and later replies to that operation are skipped.
pub struct Connection {
    machine: Client,
    input: ReadBuffer,
    output: BytesMut,
    /// The length of the message piece that was consumed last.
    chunk: usize,
    observer: Option<Box<dyn Observer>>,
    /// An abandoned exchange was cancelled.
    cancelled: bool,
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The buffers may hold secrets and mail.
        write!(f, "Connection {{ machine: {:?} }}", self.machine)
    }
}

/// The minimum size of the input buffer, in octets.
const READ_SIZE: usize = 8 * 1024;

/// The minimum size of the input buffer, in octets, after a read has filled it.
const LARGE_READ_SIZE: usize = 128 * 1024;

impl Connection {
    /// Creates a connection in the clear; see [`Client::new`].
    pub fn new(config: ClientConfig) -> Self {
        Self::with_machine(Client::new(config), None)
    }

    /// Creates a connection with TLS from the start; see [`Client::new_encrypted`].
    pub fn new_encrypted(config: ClientConfig) -> Self {
        Self::with_machine(Client::new_encrypted(config), None)
    }

    fn with_machine(machine: Client, observer: Option<Box<dyn Observer>>) -> Self {
        // The longest line must fit, or it would never be complete.
        let capacity = READ_SIZE.max(machine.config().max_line + 1);
        Self {
            machine,
            input: ReadBuffer::eager(capacity, LARGE_READ_SIZE.max(capacity)),
            output: BytesMut::new(),
            chunk: 0,
            observer,
            cancelled: false,
        }
    }

    /// Sets the observer of the traffic.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observer = Some(observer);
    }

    /// Returns the machine, which reports the state of the session.
    pub const fn machine(&self) -> &Client {
        &self.machine
    }

    /// Returns the deadline that applies; see [`Client::deadline`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.machine.deadline()
    }

    fn sink(&mut self) -> CommandSink<'_> {
        CommandSink::new(&mut self.machine, &mut self.output).with_observer(self.observer.as_deref_mut())
    }

    /// Runs a request to its end, over a stream whose methods may block.
    ///
    /// # Errors
    /// The session does not allow the request, the server refused it, its reply cannot be parsed, or the session or the stream
    /// failed.
    pub fn run<R: Request, T: Transport>(&mut self, transport: &mut T, mut request: R) -> Result<R::Output, T::Error>
    where
        T::Error: From<RequestError>,
    {
        self.drive(transport, Self::drain_abandoned)?;
        self.start(&mut request)?;
        self.drive(transport, |connection| connection.next_action(&mut request))
    }

    /// Reads and writes, over a stream whose methods may block, until `next` returns a result.
    ///
    /// # Errors
    /// `next` failed, or the session or the stream failed.
    pub fn drive<T: Transport, V>(
        &mut self,
        transport: &mut T,
        mut next: impl FnMut(&mut Self) -> Result<Action<V>, RequestError>,
    ) -> Result<V, T::Error>
    where
        T::Error: From<RequestError>,
    {
        loop {
            match next(self)? {
                Action::Done(value) => return Ok(value),
                Action::Write => {
                    let count = transport.write(self.output())?;
                    self.advance_written(count);
                }
                Action::Read => {
                    let count = transport.read(self.unfilled())?;
                    self.advance_read(count).map_err(RequestError::from)?;
                }
            }
        }
    }

    /// Appends a command to the output and returns its tag, which the events of its reply carry. The next action writes the
    /// output.
    ///
    /// # Errors
    /// The command is not allowed now (see [`Client::send`]), or the session has failed. Nothing is sent.
    pub fn send(&mut self, command: Command<'_>) -> Result<Tag, RequestError> {
        self.check()?;
        Ok(self.sink().send(command)?)
    }

    /// Returns the error of a failed session, which explains more than `LocalError::Closed`.
    fn check(&self) -> Result<(), RemoteError> {
        self.machine.failure().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Resolves abandoned logins, `STLS`, `QUIT` and a full window before the next request.
    ///
    /// # Errors
    /// The session cannot be resumed after an abandoned request, or has failed. It stays unusable.
    pub fn drain_abandoned(&mut self) -> Result<Action<()>, RequestError> {
        // A driver's caller may drop a future in the middle of any request. Most requests leave only replies to skip: their tags
        // are in the machine's queue, `process_events` reads them to their end, and the running request ignores tags that are not
        // its own. Some requests need more:
        //
        // - A login (`USER`, `PASS`, `APOP`, `AUTH`) and `QUIT` change the state. Their replies are read before the next command
        //   is checked against the state.
        // - An exchange that waits for a response is cancelled with `*`. If the server then sends `+OK`, it accepts a login whose
        //   mechanism has not finished, so the server has proven nothing: the session fails. A server that sends another
        //   challenge after `*` could keep the client busy forever: the session fails, too.
        // - After `STLS`, the server waits for a handshake that the abandoned request would have started. The session cannot
        //   continue in the clear and fails.
        // - If the window is full, replies are read until the window has space for a command.
        // - A message is skipped, unless so much of it is left that a new connection is faster: then the session fails, which the request
        //   that follows reports.
        self.machine.abandon_in_flight();
        if self.machine.can_start_request() {
            self.cancelled = false;
            return Ok(Action::Done(()));
        }
        if self.machine.is_challenged() {
            self.cancelled = true;
            self.sink().cancel()?;
        }
        let mut cancelled = self.cancelled;
        let by_exchange = self.machine.is_authenticating();
        let action = self.process_events(|event, sink| {
            match event {
                ClientEvent::Challenge(..) if cancelled => sink.client().fail_abandoned(),
                ClientEvent::Challenge(..) => {
                    cancelled = true;
                    sink.cancel()?;
                }
                ClientEvent::Reply(_, reply) if by_exchange && reply.status == Status::Ok => sink.client().fail_abandoned(),
                ClientEvent::UpgradeTls(_) => sink.client().fail_abandoned(),
                _ => {}
            }
            let client = sink.client();
            Ok((client.can_start_request() || client.failure().is_some()).then_some(()))
        });
        self.cancelled = cancelled && !matches!(action, Ok(Action::Done(())));
        action
    }

    /// Gives up the message that is being received, and the session with it: close the connection.
    pub fn abandon(&mut self) {
        self.machine.fail_message_abandoned();
    }

    /// Starts a request; call [`next_action`](Self::next_action) until it is done.
    ///
    /// # Errors
    /// The session does not allow the request, or has failed. Nothing is sent.
    pub fn start<R: Request>(&mut self, request: &mut R) -> Result<(), RequestError> {
        self.check()?;
        Ok(request.start(&mut self.sink())?)
    }

    /// Continues a request that was started and returns the next action.
    ///
    /// # Errors
    /// The server refused the request, its reply cannot be parsed, or the session failed.
    pub fn next_action<R: Request>(&mut self, request: &mut R) -> Result<Action<R::Output>, RequestError> {
        if let Some(output) = request.immediate_output() {
            return Ok(Action::Done(output));
        }
        self.process_events(|event, sink| request.on_event(event, sink))
    }

    /// Passes events to `on_event` until it returns a result, or until output must be written or input must be read.
    ///
    /// # Errors
    /// `on_event` failed, or the session failed.
    pub fn process_events<T>(
        &mut self,
        mut on_event: impl FnMut(ClientEvent<'_>, &mut CommandSink<'_>) -> Result<Option<T>, RequestError>,
    ) -> Result<Action<T>, RequestError> {
        loop {
            let progress = self.machine.poll(self.input.unread())?;
            let (consumed, event) = (progress.consumed, progress.event);
            match event {
                ClientEvent::Continue => {
                    self.input.consume(consumed);
                    continue;
                }
                ClientEvent::NeedInput if self.output.is_empty() => return Ok(Action::Read),
                ClientEvent::NeedInput => return Ok(Action::Write),
                _ => {}
            }
            if let Some(observer) = &mut self.observer {
                observer.received(self.machine.state(), &event);
            }
            let closed = matches!(event, ClientEvent::Closed);
            let observer = self.observer.as_deref_mut();
            let mut sink = CommandSink::new(&mut self.machine, &mut self.output).with_observer(observer);
            let result = on_event(event, &mut sink);
            self.input.consume(consumed);
            // If the session has failed, its error is the reason why `on_event` could not send. `LocalError::Closed` would hide
            // it.
            if result.is_err() {
                self.check()?;
            }
            match result? {
                Some(value) => return Ok(Action::Done(value)),
                None if closed => return Err(RemoteError::Closed(Awaiting::Nothing).into()),
                None => {}
            }
        }
    }

    /// Advances to the next piece of a message. The result is `true` if there is a piece, which [`chunk`](Self::chunk) then
    /// returns, and `false` at the end of the message. No other piece is kept in memory.
    ///
    /// # Errors
    /// The session failed. The pieces received so far are not a complete message.
    // H13, H33, Q35, Q36
    pub fn next_chunk(&mut self, tag: Tag) -> Result<Action<bool>, RequestError> {
        self.check()?;
        if !self.machine.is_in_flight(tag) {
            self.chunk = 0;
            return Ok(Action::Done(false));
        }
        let action = self.process_events(|event, _| {
            Ok(match event {
                ClientEvent::Body(of, chunk) if of == tag => Some(chunk.len()),
                ClientEvent::End(of) if of == tag => Some(0),
                _ => None,
            })
        })?;
        Ok(action.map(|length| {
            self.chunk = length;
            length > 0
        }))
    }

    /// Returns the piece of a message that the last [`next_chunk`](Self::next_chunk) advanced to. The piece is valid until the
    /// next call that reads or processes events.
    pub fn chunk(&self) -> &[u8] {
        // A chunk is always the end of the consumed bytes.
        self.input.consumed(self.chunk)
    }

    /// Returns the output that is to be written.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Removes the first `count` octets of the output, which were written, and wipes them.
    pub fn advance_written(&mut self, count: usize) {
        let count = count.min(self.output.len());
        // They may have been a password.
        if let Some(written) = self.output.get_mut(..count) {
            written.zeroize();
        }
        self.output.advance(count);
    }

    /// Returns the space to read into.
    pub fn unfilled(&mut self) -> &mut [u8] {
        self.chunk = 0;
        self.input.unfilled()
    }

    /// Reports that `count` octets were read into [`unfilled`](Self::unfilled); 0 at the end of the stream.
    ///
    /// # Errors
    /// The stream ended before the session was closed, or the session failed before.
    pub fn advance_read(&mut self, count: usize) -> Result<(), RemoteError> {
        match count {
            0 => self.machine.eof(),
            _ => {
                self.input.advance_read(count);
                Ok(())
            }
        }
    }

    /// Replaces the machine with a fresh one for the encrypted part of the session; see [`Client::upgraded`]. Call this method
    /// once [`stls`](super::requests::stls) is done and before the handshake, and perform the handshake before anything else.
    ///
    /// # Errors
    /// The server sent data in the clear after its `+OK`, or has not agreed to TLS. The session has failed.
    pub fn upgrade(&mut self) -> Result<(), RemoteError> {
        match self.machine.upgraded(self.input.unread()) {
            Ok(machine) => {
                *self = Self::with_machine(machine, self.observer.take());
                Ok(())
            }
            Err(error) => Err(self.machine.fail(error)),
        }
    }
}
