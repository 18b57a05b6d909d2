//! The client machine: commands out, events in.

mod receive;

use alloc::collections::VecDeque;

use bytes::BytesMut;

use super::config::{ClientConfig, Deadline};
use super::error::{Awaiting, LocalError, RemoteError};
#[cfg(doc)]
use super::event::ClientEvent;
use super::event::{OwnedGreeting, Tag};
use crate::cleartext_login::CleartextLogin;
use crate::codec::{Command, DotDecoder, LineEndingPolicy, LineScanner, MAX_COMMAND_LINE, Verb};
use crate::sasl::{Mechanism, encode_base64};
use crate::state::State;

#[derive(Clone, Copy, Debug)]
struct Pending {
    tag: Tag,
    verb: Verb,
    /// More than one line follows a `+OK`.
    multi_line: bool,
    /// One message was asked for: some servers answer on one line, and some with a listing (Q25).
    one: bool,
}

#[derive(Debug)]
enum ReceiveState {
    /// The first line of a reply. A blank line before it is passed over once (Q42).
    FirstLine {
        blank_seen: bool,
    },
    /// A challenge has come and is not answered.
    Challenged,
    Lines {
        seen: u64,
        octets: u64,
    },
    Body {
        seen: u64,
        /// The last line that has come ends with a dot.
        ends_with_dot: bool,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Session(State),
    Upgrading,
    Closed,
}

/// A POP3 client without I/O.
///
/// The order of calling: [`poll`](Self::poll) until the greeting, then [`send`](Self::send) as often as the window allows and
/// `poll` until each reply has come. Write what `send` appended; read when `poll` says [`ClientEvent::NeedInput`], and call
/// [`eof`](Self::eof) when there is nothing more to read. The crate's first page has an example.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    encrypted: bool,
    phase: Phase,
    scanner: LineScanner,
    /// One for all bodies: its search is prepared once.
    decoder: DotDecoder,
    receiving: ReceiveState,
    in_flight: VecDeque<Pending>,
    next_tag: u64,
    /// Events so far: a deadline that no event has moved is the same deadline.
    events: u64,
    /// Octets of a reply that have come since they last counted as an event.
    trickle: usize,
    /// This machine's own greeting.
    greeting: Option<OwnedGreeting>,
    /// A mechanism was run that is bound to this TLS connection: no second one may be (S36).
    bound: bool,
    /// `UTF8` was said: `STLS` may not be any more (S47).
    utf8: bool,
    /// A mechanism is not finished: a `+OK` to its `AUTH` can only be a challenge (Q07).
    unfinished: bool,
    failed: Option<RemoteError>,
}

impl Client {
    /// A session on a connection in the clear, as on port 110.
    pub fn new(config: ClientConfig) -> Self {
        Self::with_phase(config, false, Phase::Greeting)
    }

    /// A session on a connection on which TLS is active from the start, as on port 995.
    pub fn new_encrypted(config: ClientConfig) -> Self {
        Self::with_phase(config, true, Phase::Greeting)
    }

    fn with_phase(config: ClientConfig, encrypted: bool, phase: Phase) -> Self {
        let scanner = LineScanner::new(LineEndingPolicy::Learn, config.max_line);
        Self {
            config,
            encrypted,
            phase,
            decoder: DotDecoder::new(scanner.ending()),
            scanner,
            receiving: ReceiveState::FirstLine { blank_seen: false },
            in_flight: VecDeque::new(),
            next_tag: 0,
            events: 0,
            trickle: 0,
            greeting: None,
            bound: false,
            utf8: false,
            unfinished: false,
            failed: None,
        }
    }

    /// Returns the state: `Update` once `QUIT` is sent after login; `None` before the greeting, in `STLS`, and at the end.
    pub const fn state(&self) -> Option<State> {
        match self.phase {
            Phase::Session(state) => Some(state),
            Phase::Greeting | Phase::Upgrading | Phase::Closed => None,
        }
    }

    /// Whether TLS is active.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The configuration.
    pub const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// How many more commands may be sent before a reply must be read.
    pub fn window(&self) -> usize {
        self.config.window.max(1).saturating_sub(self.in_flight.len())
    }

    /// Whether anything else can be said. Not while a login, `STLS` or `QUIT` is in flight, or so much that the window is full; that is
    /// so when the requests that sent it were given up.
    pub(super) fn can_start_request(&self) -> bool {
        let settles = |verb: Verb| matches!(verb, Verb::User | Verb::Pass | Verb::Apop | Verb::Auth | Verb::Stls | Verb::Quit);
        // What fills the window has to go, too.
        self.window() > 0 && !self.in_flight.iter().any(|pending| settles(pending.verb))
    }

    /// A challenge waits for its answer.
    pub(super) const fn is_challenged(&self) -> bool {
        matches!(self.receiving, ReceiveState::Challenged)
    }

    /// The reply to an exchange is awaited.
    pub(super) fn is_authenticating(&self) -> bool {
        self.in_flight.front().is_some_and(|pending| pending.verb == Verb::Auth)
    }

    /// Whether a command still waits for its reply or the rest of it.
    pub fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// What the server did wrong, if it did.
    pub const fn failure(&self) -> Option<&RemoteError> {
        self.failed.as_ref()
    }

    /// The caller has found something out about the server that ends the session, as that it could not prove who it is.
    pub fn fail_untrusted(&mut self) {
        self.failed.get_or_insert(RemoteError::UntrustedLogin);
    }

    /// What was given up in the middle leaves nothing to go on with.
    pub(super) fn fail_abandoned(&mut self) {
        self.failed.get_or_insert(RemoteError::Abandoned);
    }

    /// The deadline that applies to what is awaited.
    pub fn deadline(&self) -> Option<Deadline> {
        match (self.phase, self.in_flight.front(), &self.receiving) {
            (Phase::Greeting, ..) => Some(Deadline::Greeting),
            (_, None, _) => None,
            (_, Some(_), ReceiveState::Body { .. }) => Some(Deadline::Body),
            (_, Some(pending), _) => Some(match pending.verb {
                Verb::Pass | Verb::Apop | Verb::Auth => Deadline::Login,
                Verb::Quit => Deadline::Quit,
                _ => Deadline::Command,
            }),
        }
    }

    /// What is awaited, for "the server was silent while …".
    pub fn waiting_for(&self) -> &'static str {
        // The one trace of a server that forgets the line end before the dot (Q30): that dot reads as the end of the last line.
        match (&self.receiving, self.deadline()) {
            (ReceiveState::Body { ends_with_dot: true, .. }, _) => {
                "a message was being received whose last line ends with a dot, which may have been meant as its end"
            }
            (_, deadline) => deadline.map_or("nothing was awaited", Deadline::waiting_for),
        }
    }

    /// A mechanism was run that is bound to this TLS connection: no second one may be (RFC 9266 §4.1, S36).
    pub const fn channel_binding_used(&self) -> bool {
        self.bound
    }

    /// The greeting, once it has come. What was greeted in the clear is forgotten under TLS (H06).
    pub const fn greeting(&self) -> Option<&OwnedGreeting> {
        self.greeting.as_ref()
    }

    /// How far the session has come: a larger number when a reply has come since, a command was sent, or 16 KiB of a long reply have
    /// come. A deadline begins anew when this or [`deadline`](Self::deadline) changes, and not with every byte or line: a server that
    /// drips must not hold a client for ever.
    pub const fn activity(&self) -> u64 {
        self.events + self.next_tag
    }

    /// Whether what was sent with this tag is still awaited, or the rest of it.
    pub fn is_in_flight(&self, tag: Tag) -> bool {
        self.in_flight.iter().any(|pending| pending.tag == tag)
    }

    /// Appends a command to `out`.
    ///
    /// # Errors
    /// The command is not allowed now; nothing was appended and nothing has changed.
    pub fn send(&mut self, command: Command<'_>, out: &mut BytesMut) -> Result<Tag, LocalError> {
        let verb = command.verb();
        self.check(verb)?;
        let start = out.len();
        command.encode(out);
        if out.len() - start > MAX_COMMAND_LINE {
            out.truncate(start);
            return Err(LocalError::LineTooLong);
        }
        let multi_line = matches!(
            command,
            Command::AuthList
                | Command::Capa
                | Command::Lang(None)
                | Command::List(None)
                | Command::Uidl(None)
                | Command::Retr(_)
                | Command::Top(..)
        );
        let one = matches!(command, Command::List(Some(_)) | Command::Uidl(Some(_)));
        let tag = Tag(self.next_tag);
        self.next_tag += 1;
        self.in_flight.push_back(Pending { tag, verb, multi_line, one });
        self.utf8 |= verb == Verb::Utf8;
        self.bound |= matches!(command, Command::Auth(name, _) if Mechanism::from_name(name.as_bytes()).is_some_and(Mechanism::uses_channel_binding));
        self.unfinished &= verb != Verb::Auth;
        if let Phase::Session(state) = &mut self.phase {
            *state = state.after_command(verb);
        }
        Ok(tag)
    }

    fn check(&self, verb: Verb) -> Result<(), LocalError> {
        if self.failed.is_some() {
            return Err(LocalError::Closed);
        }
        let state = match self.phase {
            Phase::Greeting => return Err(LocalError::NotGreeted),
            Phase::Upgrading => return Err(LocalError::MustWait),
            Phase::Closed => return Err(LocalError::Closed),
            Phase::Session(state) => state,
        };
        if !state.permits(verb, self.encrypted) {
            return Err(LocalError::WrongState { verb, state, encrypted: self.encrypted });
        }
        if verb == Verb::Stls && self.utf8 {
            return Err(LocalError::StlsAfterUtf8);
        }
        if self.in_flight.back().is_some_and(|last| matches!(last.verb, Verb::Auth | Verb::Stls | Verb::Quit)) {
            return Err(LocalError::MustWait);
        }
        if matches!(verb, Verb::Auth | Verb::Stls) && self.is_waiting() {
            return Err(LocalError::MustWait);
        }
        if self.window() == 0 {
            return Err(LocalError::WindowFull);
        }
        let credentials = matches!(verb, Verb::User | Verb::Pass | Verb::Apop | Verb::Auth);
        if credentials && !self.encrypted && self.config.cleartext_login == CleartextLogin::Refuse {
            return Err(LocalError::CleartextLogin);
        }
        Ok(())
    }

    /// Tells that the mechanism of the `AUTH` in flight is not finished: until the next call, or the next `AUTH`, a `+OK` is a
    /// challenge without content. Some servers word challenges like that (Q07). Not for mechanisms in which the server proves
    /// something.
    pub fn expect_challenge(&mut self, unfinished: bool) {
        self.unfinished = unfinished;
    }

    /// Answers a challenge. The line may have any length (S27).
    ///
    /// # Errors
    /// There is none.
    pub fn sasl_respond(&mut self, response: &[u8], out: &mut BytesMut) -> Result<(), LocalError> {
        self.answer_challenge(encode_base64(response).as_bytes(), out)
    }

    /// Ends an exchange that cannot go on; the server answers `-ERR` (S29).
    ///
    /// # Errors
    /// There is no challenge.
    pub fn sasl_cancel(&mut self, out: &mut BytesMut) -> Result<(), LocalError> {
        self.answer_challenge(b"*", out)
    }

    fn answer_challenge(&mut self, line: &[u8], out: &mut BytesMut) -> Result<(), LocalError> {
        if self.failed.is_some() {
            return Err(LocalError::Closed);
        }
        if !matches!(self.receiving, ReceiveState::Challenged) {
            return Err(LocalError::NotChallenged);
        }
        self.receiving = ReceiveState::FirstLine { blank_seen: false };
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        Ok(())
    }

    /// The stream ended.
    ///
    /// # Errors
    /// Something was still awaited. After `QUIT` that means: whether messages were removed is not known (Q43).
    pub fn eof(&mut self) -> Result<(), RemoteError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.phase == Phase::Closed {
            return Ok(());
        }
        Err(self.fail(RemoteError::Closed(self.awaiting())))
    }

    /// What comes next from the server, or was to come when the session broke.
    pub fn awaiting(&self) -> Awaiting {
        match (self.phase, self.in_flight.front(), &self.receiving) {
            (Phase::Greeting, ..) => Awaiting::Greeting,
            (_, None, _) => Awaiting::Nothing,
            (_, Some(pending), ReceiveState::FirstLine { .. } | ReceiveState::Challenged) => Awaiting::Reply(pending.verb),
            (_, Some(pending), _) => Awaiting::Rest(pending.verb),
        }
    }

    /// Returns the machine for the encrypted part of the session. Everything learnt in the clear is forgotten; ask for the capabilities
    /// again (RFC 2595 §4).
    ///
    /// `residual` is everything that was read and not consumed: after the `+OK` to `STLS` nothing may follow in the clear.
    ///
    /// # Errors
    /// Data followed, the server has not agreed to TLS, or the session has failed.
    // H01, H06
    pub fn upgraded(&self, residual: &[u8]) -> Result<Self, RemoteError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.phase != Phase::Upgrading {
            return Err(RemoteError::TlsNotAgreed);
        }
        if !residual.is_empty() {
            return Err(RemoteError::DataAfterStls);
        }
        Ok(Self::with_phase(self.config.clone(), true, Phase::Session(State::Authorization)))
    }
}
