//! The client machine: it sends commands and returns events.

mod receive;

use alloc::boxed::Box;
use alloc::collections::VecDeque;
use core::fmt;

use bytes::BytesMut;

use super::config::{ClientConfig, Deadline};
use super::error::{Awaiting, LocalError, RemoteError};
#[cfg(doc)]
use super::event::ClientEvent;
use super::event::{OwnedGreeting, Tag};
use crate::cleartext_login::CleartextLogin;
use crate::codec::{Capabilities, Command, DotDecoder, LineEndingPolicy, LineScanner, MAX_COMMAND_LINE, ReplyShape, Verb};
use crate::sasl::{Mechanism, encode_base64};
use crate::state::State;

#[derive(Clone, Copy, Debug)]
struct Pending {
    tag: Tag,
    verb: Verb,
    shape: ReplyShape,
}

enum ReceiveState {
    /// The first line of a reply. One blank line before it is skipped.
    // Q42
    FirstLine {
        blank_seen: bool,
    },
    /// A challenge that the client has not answered yet.
    Challenged,
    Lines {
        seen: u64,
        octets: u64,
    },
    Body {
        seen: u64,
        /// The last line so far ends with a dot.
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
/// Call [`poll`](Self::poll) until the greeting arrives. Then call [`send`](Self::send) as often as the window allows, and `poll`
/// until each reply is complete. Write the output that `send` appends. Read when `poll` returns [`ClientEvent::NeedInput`], and
/// call [`eof`](Self::eof) at the end of the stream. The first page of the crate's documentation has an example.
pub struct Client {
    config: ClientConfig,
    encrypted: bool,
    phase: Phase,
    scanner: LineScanner,
    /// The decoder for all message bodies: its search is prepared only once.
    decoder: DotDecoder,
    receiving: ReceiveState,
    in_flight: VecDeque<Pending>,
    next_tag: u64,
    /// The number of events so far. A deadline begins anew when it changes.
    events: u64,
    /// The octets of a reply that have come since the last event that was counted.
    trickle: usize,
    /// The greeting that this machine received.
    greeting: Option<OwnedGreeting>,
    /// The client has started a mechanism that is bound to this TLS connection; it must not start a second one.
    // S36
    bound: bool,
    /// The client has sent `UTF8`; it must not send `STLS` any more.
    // S47
    utf8: bool,
    /// The mechanism is not finished: a `+OK` to its `AUTH` can only be a challenge.
    // Q07
    unfinished: bool,
    failed: Option<RemoteError>,
    capabilities: Option<Box<Capabilities>>,
    /// The size in the last `+OK` to `RETR`.
    announced_octets: Option<u64>,
    /// Commands with smaller tags are abandoned: their replies are skipped.
    first_awaited_tag: u64,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { encrypted, phase, in_flight, failed, .. } = self;
        let failed = if failed.is_some() { ", failed" } else { "" };
        write!(f, "Client {{ {phase:?}, encrypted: {encrypted}, in flight: {}{failed} }}", in_flight.len())
    }
}

impl Client {
    /// Creates a session on a connection in the clear, as on port 110.
    pub fn new(config: ClientConfig) -> Self {
        Self::with_phase(config, false, Phase::Greeting)
    }

    /// Creates a session on a connection with TLS from the start, as on port 995.
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
            capabilities: None,
            announced_octets: None,
            first_awaited_tag: 0,
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

    /// Returns `true` if TLS is active.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// Returns the configuration.
    pub const fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Returns how many more commands may be sent before a reply must be read.
    pub fn window(&self) -> usize {
        self.config.window.max(1).saturating_sub(self.in_flight.len())
    }

    /// Returns `true` unless a login, `STLS` or `QUIT` is in flight or the window is full. Abandoned requests leave commands in
    /// flight.
    pub(super) fn can_start_request(&self) -> bool {
        let settles = |verb: Verb| matches!(verb, Verb::User | Verb::Pass | Verb::Apop | Verb::Auth | Verb::Stls | Verb::Quit);
        // A full window has no space for the commands of a request.
        self.window() > 0 && !self.in_flight.iter().any(|pending| settles(pending.verb))
    }

    /// Returns `true` while a challenge waits for its response.
    pub(super) const fn is_challenged(&self) -> bool {
        matches!(self.receiving, ReceiveState::Challenged)
    }

    /// Returns `true` while the next awaited reply belongs to an `AUTH`.
    pub(super) fn is_authenticating(&self) -> bool {
        self.in_flight.front().is_some_and(|pending| pending.verb == Verb::Auth)
    }

    /// Returns `true` while the reply to a command, or the rest of it, is awaited.
    pub fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// Returns the error of the session, if the session has failed.
    pub const fn failure(&self) -> Option<&RemoteError> {
        self.failed.as_ref()
    }

    /// Fails the session: the server's replies to a login cannot be trusted.
    pub fn fail_untrusted(&mut self) {
        self.failed.get_or_insert(RemoteError::UntrustedLogin);
    }

    /// Fails the session: an abandoned login or `STLS` cannot be resumed.
    pub(super) fn fail_abandoned(&mut self) {
        self.failed.get_or_insert(RemoteError::Abandoned);
    }

    /// Returns the size of the message that is being received, as the `+OK` to its `RETR` announced it. It may be wrong.
    pub const fn announced_octets(&self) -> Option<u64> {
        self.announced_octets
    }

    /// Abandons all commands in flight. Fails the session if a message is being received of which more is left than may be skipped.
    pub(super) fn abandon_in_flight(&mut self) {
        self.first_awaited_tag = self.next_tag;
        if let ReceiveState::Body { seen, .. } = self.receiving
            && self.is_too_much_left(seen)
        {
            self.failed.get_or_insert(RemoteError::MessageAbandoned);
        }
    }

    /// Returns `true` if more is left of the message than may be skipped, after `seen` octets of it.
    fn is_too_much_left(&self, seen: u64) -> bool {
        let sizes = self.announced_octets.zip(self.config.max_skipped);
        sizes.is_some_and(|(octets, limit)| octets.saturating_sub(seen) > limit)
    }

    /// Fails the session: its caller gives up a message.
    pub(super) fn fail_message_abandoned(&mut self) {
        self.failed.get_or_insert(RemoteError::MessageAbandoned);
    }

    /// Returns the deadline of the awaited input; `None` if no input is awaited.
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

    /// Returns the wait in words that complete "the server was silent while …".
    pub fn waiting_for(&self) -> &'static str {
        // If a server omits the line end before the terminating dot (Q30), this is the only trace: the dot is then the end of the
        // last line.
        match (&self.receiving, self.deadline()) {
            (ReceiveState::Body { ends_with_dot: true, .. }, _) => {
                "a message was being received whose last line ends with a dot, which may have been meant as its end"
            }
            (_, deadline) => deadline.map_or("nothing was awaited", Deadline::waiting_for),
        }
    }

    /// Returns `true` if the client has started a mechanism that is bound to this TLS connection; it must not start a second one
    /// (RFC 9266 §4.1).
    // S36
    pub const fn channel_binding_used(&self) -> bool {
        self.bound
    }

    /// Returns the server's answer to the last `CAPA` on this connection, which a login sends, too. `None` if there was none, if it was
    /// refused, or since `STLS`: what was said in the clear is not trusted (RFC 2595 §4).
    // H06
    pub fn capabilities(&self) -> Option<&Capabilities> {
        self.capabilities.as_deref()
    }

    pub(super) fn set_capabilities(&mut self, capabilities: Option<Capabilities>) {
        self.capabilities = capabilities.map(Box::new);
    }

    /// Returns `true` if the session can be used: it has not failed, `QUIT` was not sent, and the server has not closed it as far as is
    /// known. A connection that breaks while no command runs is noticed by the next command.
    pub const fn is_alive(&self) -> bool {
        self.failed.is_none() && matches!(self.phase, Phase::Greeting | Phase::Session(State::Authorization | State::Transaction))
    }

    /// Returns the greeting once it has arrived. After `STLS` it is `None`: a greeting in the clear is discarded.
    // H06
    pub const fn greeting(&self) -> Option<&OwnedGreeting> {
        self.greeting.as_ref()
    }

    /// Returns a counter that grows with each command sent, with each event other than a line or a message piece, and with each
    /// 16 KiB of lines and pieces. A deadline begins anew when this counter or [`deadline`](Self::deadline) changes, and not with
    /// each byte or line: a server that sends slowly must not hold a client forever.
    pub const fn activity(&self) -> u64 {
        self.events + self.next_tag
    }

    /// Returns `true` while the reply to the command with this tag, or the rest of it, is awaited.
    pub fn is_in_flight(&self, tag: Tag) -> bool {
        self.in_flight.iter().any(|pending| pending.tag == tag)
    }

    /// Appends a command to `out` and returns its tag.
    ///
    /// # Errors
    /// The command is not allowed now, or its line is too long. Nothing is appended, and the session is unchanged.
    pub fn send(&mut self, command: Command<'_>, out: &mut BytesMut) -> Result<Tag, LocalError> {
        let verb = command.verb();
        self.check(verb)?;
        let start = out.len();
        command.encode(out);
        if out.len() - start > MAX_COMMAND_LINE {
            out.truncate(start);
            return Err(LocalError::LineTooLong);
        }
        let tag = Tag(self.next_tag);
        self.next_tag += 1;
        self.in_flight.push_back(Pending { tag, verb, shape: command.reply_shape() });
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

    /// Sets whether the mechanism of the `AUTH` in flight is unfinished. While it is, a `+OK` counts as an empty challenge, as
    /// some servers send it. The setting lasts until the next call or the next `AUTH`. Do not use it for mechanisms in which the
    /// server proves its knowledge of a secret.
    // Q07
    pub fn expect_challenge(&mut self, unfinished: bool) {
        self.unfinished = unfinished;
    }

    /// Appends the response to a challenge to `out`. The line may have any length (RFC 5034 §4).
    ///
    /// # Errors
    /// No challenge is pending, or the session has failed. Nothing is appended.
    // S27
    pub fn sasl_respond(&mut self, response: &[u8], out: &mut BytesMut) -> Result<(), LocalError> {
        self.answer_challenge(encode_base64(response).as_bytes(), out)
    }

    /// Cancels an exchange that cannot continue; the server answers `-ERR` (RFC 5034 §4).
    ///
    /// # Errors
    /// No challenge is pending, or the session has failed; nothing is appended.
    // S29
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

    /// Reports the end of the stream.
    ///
    /// # Errors
    /// The stream ended before the session was closed, or the session failed before. If the reply to `QUIT` is missing, it is
    /// unknown whether the server removed the marked messages.
    // Q43
    pub fn eof(&mut self) -> Result<(), RemoteError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        if self.phase == Phase::Closed {
            return Ok(());
        }
        Err(self.fail(RemoteError::Closed(self.awaiting())))
    }

    /// Returns the input that is awaited, or that was awaited when the session failed.
    pub fn awaiting(&self) -> Awaiting {
        match (self.phase, self.in_flight.front(), &self.receiving) {
            (Phase::Greeting, ..) => Awaiting::Greeting,
            (_, None, _) => Awaiting::Nothing,
            (_, Some(pending), ReceiveState::FirstLine { .. } | ReceiveState::Challenged) => Awaiting::Reply(pending.verb),
            (_, Some(pending), _) => Awaiting::Rest(pending.verb),
        }
    }

    // STLS changes who is on the other end. Until the handshake has verified the certificate, every byte may come from an attacker
    // on the network path, and three attacks are known:
    //
    // - Injection (CVE-2011-0411 and its many relatives): the attacker sends `+OK` to STLS together with replies in the clear, and a
    //   client that keeps its read buffer over the handshake takes them for replies of the encrypted session. So bytes after the
    //   `+OK` fail the session twice: in `poll`, if they came with it, and here, if they are still in the caller's buffer
    //   (`residual`). A server has the mirror of this check, for commands behind `STLS`.
    // - Stale knowledge: capabilities in the clear may be forged, for example without the strong mechanisms. So the machine for the
    //   encrypted part is a new one: greeting, timestamp, capabilities and the memory of used channel bindings are gone, and a login
    //   asks for the capabilities again (RFC 2595 §4).
    // - Stripping: the attacker removes `STLS` from the capabilities. The machine cannot see that; `Login` sends no credential
    //   without TLS unless its policy allows it, and the drivers' `Security::Stls` fails if the server refuses.
    //
    // While the handshake is due, the phase is `Upgrading`: no command can be sent and no input parsed, so nothing that belongs to
    // one side of the handshake can be taken for the other side. An abandoned `STLS` fails the session for the same reason.

    /// Returns the machine for the encrypted part of the session. Everything learnt in the clear is discarded; ask for the
    /// capabilities again (RFC 2595 §4).
    ///
    /// `residual` contains all bytes that were read and not consumed: no data in the clear may follow the `+OK` to `STLS`.
    ///
    /// # Errors
    /// Data followed in the clear, the server has not agreed to TLS, or the session has failed.
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
