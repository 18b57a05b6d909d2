//! The machine with its buffers: all that a driver of any runtime has to feed and to empty.

use alloc::boxed::Box;
use alloc::string::ToString;
use core::mem;

use bytes::{Buf, BytesMut};
use zeroize::Zeroize;

use super::{Client, ClientConfig, ClientEvent, Deadline, LocalError, RemoteError, Request, RequestError, Tag};
use crate::codec::{Command, Status};
use crate::inbox::Inbox;
use crate::state::State;

/// What a driver has to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<T> {
    /// Nothing: here is the result.
    Done(T),
    /// Write [`Connection::output`], tell [`Connection::written`], step again.
    Write,
    /// Read into [`Connection::space`], tell [`Connection::filled`], step again.
    Read,
}

impl<T> Step<T> {
    /// The same with another result.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Step<U> {
        match self {
            Self::Done(value) => Step::Done(f(value)),
            Self::Write => Step::Write,
            Self::Read => Step::Read,
        }
    }
}

/// Is told what goes over the wire, without secrets (H56).
pub trait Observer: Send {
    /// A command was sent; `line` shows no password.
    fn sent(&mut self, state: Option<State>, line: &str);

    /// Something came. `state` is the state behind it.
    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>);
}

/// Where a [`Request`] sends its commands.
pub struct Outbox<'a> {
    client: &'a mut Client,
    output: &'a mut BytesMut,
    observer: &'a mut Option<Box<dyn Observer>>,
}

impl Outbox<'_> {
    /// The greeting has come.
    pub(super) fn is_greeted(&self) -> bool {
        self.client.deadline() != Some(Deadline::Greeting)
    }

    /// TLS is active.
    pub(super) fn is_encrypted(&self) -> bool {
        self.client.is_encrypted()
    }

    /// So much is to be written that nothing should be added: a server that writes and does not read would wait for us, and we for it.
    pub fn is_full(&self) -> bool {
        const ENOUGH: usize = 16 * 1024;
        self.output.len() >= ENOUGH
    }

    /// How many more commands may be sent now.
    pub fn window(&self) -> usize {
        self.client.window()
    }

    /// Whether something still comes for a command.
    pub fn is_in_flight(&self, tag: Tag) -> bool {
        self.client.is_in_flight(tag)
    }

    /// See [`Client::is_bound`].
    pub(super) fn is_bound(&self) -> bool {
        self.client.is_bound()
    }

    /// The timestamp for `APOP`; see [`Client::greeting`].
    pub(super) fn timestamp(&self) -> Option<&[u8]> {
        self.client.greeting()?.timestamp.as_deref()
    }

    /// See [`Client::expect_challenge`].
    pub fn expect_challenge(&mut self, unfinished: bool) {
        self.client.expect_challenge(unfinished);
    }

    /// Answers a challenge; see [`Client::sasl_respond`].
    ///
    /// # Errors
    /// There is none.
    pub fn respond(&mut self, response: &[u8]) -> Result<(), LocalError> {
        let state = self.client.state();
        self.client.sasl_respond(response, self.output)?;
        if let Some(observer) = self.observer {
            observer.sent(state, "[redacted]");
        }
        Ok(())
    }

    /// Ends the session; see [`Client::distrust`].
    pub fn distrust(&mut self) {
        self.client.distrust();
    }

    /// Ends an exchange; see [`Client::sasl_cancel`].
    ///
    /// # Errors
    /// There is no challenge.
    pub fn cancel(&mut self) -> Result<(), LocalError> {
        let state = self.client.state();
        self.client.sasl_cancel(self.output)?;
        if let Some(observer) = self.observer {
            observer.sent(state, "*");
        }
        Ok(())
    }

    /// Appends a command to what will be written.
    ///
    /// # Errors
    /// See [`Client::send`].
    pub fn send(&mut self, command: Command<'_>) -> Result<Tag, LocalError> {
        let state = self.client.state();
        let tag = self.client.send(command, self.output)?;
        if let Some(observer) = self.observer {
            observer.sent(state, &command.to_string());
        }
        Ok(tag)
    }
}

/// A client machine with an input buffer and an output buffer. All that is known about a session is in here and nothing in
/// the futures of a driver: a cancelled operation leaves it consistent, and what still comes for it is passed over.
pub struct Connection {
    machine: Client,
    inbox: Inbox,
    output: BytesMut,
    /// Length of the piece of a message that was consumed last.
    chunk: usize,
    observer: Option<Box<dyn Observer>>,
    /// An exchange that was given up was cancelled.
    cancelled: bool,
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The buffers may hold secrets and mail.
        f.debug_struct("Connection").field("machine", &self.machine).finish_non_exhaustive()
    }
}

/// Octets that are read at once, at least.
const READ_SIZE: usize = 8 * 1024;

/// Octets that are read at once while a message comes as fast as it can be read.
const LARGE_READ_SIZE: usize = 128 * 1024;

impl Connection {
    /// For a connection in the clear; see [`Client::new`].
    pub fn new(config: ClientConfig) -> Self {
        Self::with_machine(Client::new(config), None)
    }

    /// For a connection with TLS from the start; see [`Client::new_encrypted`].
    pub fn new_encrypted(config: ClientConfig) -> Self {
        Self::with_machine(Client::new_encrypted(config), None)
    }

    fn with_machine(machine: Client, observer: Option<Box<dyn Observer>>) -> Self {
        // The longest line must fit, or a line could never be seen whole.
        let capacity = READ_SIZE.max(machine.config().max_line + 1);
        Self {
            machine,
            inbox: Inbox::eager(capacity, LARGE_READ_SIZE.max(capacity)),
            output: BytesMut::new(),
            chunk: 0,
            observer,
            cancelled: false,
        }
    }

    /// Has somebody told what goes over the wire.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observer = Some(observer);
    }

    /// The machine, for what it can tell.
    pub const fn machine(&self) -> &Client {
        &self.machine
    }

    /// The deadline that applies; see [`Client::deadline`].
    pub fn deadline(&self) -> Option<Deadline> {
        self.machine.deadline()
    }

    fn outbox(&mut self) -> Outbox<'_> {
        Outbox { client: &mut self.machine, output: &mut self.output, observer: &mut self.observer }
    }

    /// Sends a command; what comes for it bears the tag. The raw level: nothing is written before the next step.
    ///
    /// # Errors
    /// See [`Client::send`]; a session that is broken says how.
    pub fn send(&mut self, command: Command<'_>) -> Result<Tag, RequestError> {
        self.check()?;
        Ok(self.outbox().send(command)?)
    }

    /// A session that has failed says so, rather than that it is over.
    fn check(&self) -> Result<(), RemoteError> {
        self.machine.failure().map_or(Ok(()), |error| Err(error.clone()))
    }

    /// Has what a request has left that was given up come to its end, before another one is started: the reply to a login is read,
    /// an exchange is cancelled. A login by an exchange that was given up and comes to a `+OK` all the same cannot be believed, and a
    /// session whose server waits for the handshake cannot go on in the clear: both are over.
    ///
    /// # Errors
    /// The session is over.
    pub fn settle(&mut self) -> Result<Step<()>, RequestError> {
        if self.machine.is_settled() {
            self.cancelled = false;
            return Ok(Step::Done(()));
        }
        if self.machine.is_challenged() {
            self.cancelled = true;
            self.outbox().cancel()?;
        }
        let mut cancelled = self.cancelled;
        let by_exchange = self.machine.is_authenticating();
        let step = self.step(|event, outbox| {
            match event {
                // Nobody goes on behind `*`: such a server only keeps us busy.
                ClientEvent::Challenge(..) if cancelled => outbox.client.give_up(),
                ClientEvent::Challenge(..) => {
                    cancelled = true;
                    outbox.cancel()?;
                }
                ClientEvent::Reply(_, reply) if by_exchange && reply.status == Status::Ok => outbox.client.give_up(),
                ClientEvent::UpgradeTls(_) => outbox.client.give_up(),
                _ => {}
            }
            Ok((outbox.client.is_settled() || outbox.client.failure().is_some()).then_some(()))
        });
        self.cancelled = cancelled && !matches!(step, Ok(Step::Done(())));
        step
    }

    /// Begins a request; [`run`](Self::run) it until it is done.
    ///
    /// # Errors
    /// The session does not allow it, or has failed.
    pub fn start<R: Request>(&mut self, request: &mut R) -> Result<(), RequestError> {
        self.check()?;
        Ok(request.start(&mut self.outbox())?)
    }

    /// Goes on with a request that was started.
    ///
    /// # Errors
    /// The server refused, its answer cannot be read, or the session broke.
    pub fn run<R: Request>(&mut self, request: &mut R) -> Result<Step<R::Output>, RequestError> {
        if let Some(output) = request.at_once() {
            return Ok(Step::Done(output));
        }
        self.step(|event, outbox| request.on_event(event, outbox))
    }

    /// Gives events to `on_event` until it has a result or more bytes are needed.
    ///
    /// # Errors
    /// What `on_event` gives, or the session broke.
    pub fn step<T, E: From<RemoteError>>(
        &mut self,
        mut on_event: impl FnMut(ClientEvent<'_>, &mut Outbox<'_>) -> Result<Option<T>, E>,
    ) -> Result<Step<T>, E> {
        loop {
            let progress = self.machine.poll(self.inbox.unread())?;
            let (consumed, event) = (progress.consumed, progress.event);
            if matches!(event, ClientEvent::NeedInput) {
                self.inbox.consume(consumed);
                match (consumed, self.output.is_empty()) {
                    (0, true) => return Ok(Step::Read),
                    (0, false) => return Ok(Step::Write),
                    _ => continue,
                }
            }
            if let Some(observer) = &mut self.observer {
                observer.received(self.machine.state(), &event);
            }
            let over = matches!(event, ClientEvent::Closed);
            let mut outbox = Outbox { client: &mut self.machine, output: &mut self.output, observer: &mut self.observer };
            let result = on_event(event, &mut outbox);
            self.inbox.consume(consumed);
            // A reply that nobody asked for is the reason why nothing more can be sent, and not that the session is over.
            if result.is_err() {
                self.check()?;
            }
            match result? {
                Some(value) => return Ok(Step::Done(value)),
                None if over => return Err(RemoteError::Closed(super::Awaiting::Nothing).into()),
                None => {}
            }
        }
    }

    /// Goes on to the next piece of a message, of which nothing else is kept (H33), whatever stands in it (Q35, Q36): `true`, and [`chunk`](Self::chunk) is that piece; `false` at its end.
    ///
    /// # Errors
    /// The session broke; what came of the message is not a message (H13).
    pub fn next_chunk(&mut self, tag: Tag) -> Result<Step<bool>, RemoteError> {
        self.check()?;
        if !self.machine.is_in_flight(tag) {
            self.chunk = 0;
            return Ok(Step::Done(false));
        }
        let step = self.step(|event, _| {
            Ok::<_, RemoteError>(match event {
                ClientEvent::Body(of, chunk) if of == tag => Some(chunk.len()),
                ClientEvent::End(of) if of == tag => Some(0),
                _ => None,
            })
        })?;
        Ok(step.map(|length| {
            self.chunk = length;
            length > 0
        }))
    }

    /// The piece of a message that the last [`next_chunk`](Self::next_chunk) came to. Valid until the next call that reads.
    pub fn chunk(&self) -> &[u8] {
        // A chunk is always the last bytes that were consumed.
        self.inbox.consumed(self.chunk)
    }

    /// What is to be written.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// So many bytes of the output were written.
    pub fn written(&mut self, count: usize) {
        let count = count.min(self.output.len());
        // It may have been a password.
        if let Some(written) = self.output.get_mut(..count) {
            written.zeroize();
        }
        self.output.advance(count);
    }

    /// Where to read to.
    pub fn space(&mut self) -> &mut [u8] {
        self.chunk = 0;
        self.inbox.space()
    }

    /// So many bytes were read. 0: the stream has ended.
    ///
    /// # Errors
    /// The stream ended where something was awaited.
    pub fn filled(&mut self, count: usize) -> Result<(), RemoteError> {
        match count {
            0 => self.machine.eof(),
            _ => {
                self.inbox.filled(count);
                Ok(())
            }
        }
    }

    /// Goes on with a fresh machine for the encrypted part, once [`stls`](super::requests::stls) is done; see
    /// [`Client::into_upgraded`]. Do the handshake before anything else.
    ///
    /// # Errors
    /// Something stood in the clear behind the `+OK`. The session is over.
    pub fn upgrade(&mut self) -> Result<(), RemoteError> {
        let fresh = Client::new(self.machine.config().clone());
        match mem::replace(&mut self.machine, fresh).into_upgraded(self.inbox.unread()) {
            Ok(machine) => {
                *self = Self::with_machine(machine, self.observer.take());
                Ok(())
            }
            Err(error) => Err(self.machine.fail(error)),
        }
    }
}
