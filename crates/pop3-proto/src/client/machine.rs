//! The client machine: commands out, events in.

use alloc::boxed::Box;
use alloc::collections::VecDeque;

use bytes::BytesMut;

use super::{Awaiting, Challenge, CleartextLogin, ClientConfig, ClientEvent, Deadline, LocalError, RemoteError, Tag};
use crate::Progress;
use crate::codec::{
    Command, Discipline, DotDecoder, Greeting, LineScanner, MAX_COMMAND_LINE, Reply, Scan, Status, Unstuffed, Verb, trim_blanks,
};
use crate::sasl::encode_base64;
use crate::state::State;

#[derive(Clone, Copy, Debug)]
struct Pending {
    tag: Tag,
    verb: Verb,
    /// More than one line follows a `+OK`.
    multi_line: bool,
}

#[derive(Debug)]
enum Reading {
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
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Greeting,
    Session(State),
    Upgrading,
    Over,
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
    reading: Reading,
    in_flight: VecDeque<Pending>,
    next_tag: u64,
    /// Events so far: a deadline that no event has moved is the same deadline.
    events: u64,
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
        let scanner = LineScanner::new(Discipline::Learn, config.max_line);
        Self {
            config,
            encrypted,
            phase,
            decoder: DotDecoder::new(scanner.ending()),
            scanner,
            reading: Reading::FirstLine { blank_seen: false },
            in_flight: VecDeque::new(),
            next_tag: 0,
            events: 0,
            failed: None,
        }
    }

    /// The state of the session as far as replies have told. `None` before the greeting, during `STLS` and at the end.
    pub const fn state(&self) -> Option<State> {
        match self.phase {
            Phase::Session(state) => Some(state),
            Phase::Greeting | Phase::Upgrading | Phase::Over => None,
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

    /// Whether a command still waits for its reply or the rest of it.
    pub fn is_waiting(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// What the server did wrong, if it did.
    pub const fn failure(&self) -> Option<&RemoteError> {
        self.failed.as_ref()
    }

    /// The caller has found something out about the server that ends the session, as that it could not prove who it is.
    pub fn distrust(&mut self) {
        self.failed.get_or_insert(RemoteError::LoginNotBelieved);
    }

    /// The deadline that applies to what is awaited.
    pub fn deadline(&self) -> Option<Deadline> {
        match (self.phase, self.in_flight.front(), &self.reading) {
            (Phase::Greeting, ..) => Some(Deadline::Greeting),
            (_, None, _) => None,
            (_, Some(_), Reading::Body { .. }) => Some(Deadline::Body),
            (_, Some(pending), _) => Some(match pending.verb {
                Verb::Pass | Verb::Apop | Verb::Auth => Deadline::Login,
                Verb::Quit => Deadline::Quit,
                _ => Deadline::Command,
            }),
        }
    }

    /// How far the session has come: a larger number when something has happened since. A deadline begins anew when this or
    /// [`deadline`](Self::deadline) changes, and not with every byte: a server that drips must not hold a client for ever.
    pub const fn moves(&self) -> u64 {
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
            Command::AuthList | Command::Capa | Command::List(None) | Command::Uidl(None) | Command::Retr(_) | Command::Top(..)
        );
        let tag = Tag(self.next_tag);
        self.next_tag += 1;
        self.in_flight.push_back(Pending { tag, verb, multi_line });
        if verb == Verb::Quit && self.phase == Phase::Session(State::Transaction) {
            self.phase = Phase::Session(State::Update);
        }
        Ok(tag)
    }

    fn check(&self, verb: Verb) -> Result<(), LocalError> {
        if self.failed.is_some() {
            return Err(LocalError::Over);
        }
        let state = match self.phase {
            Phase::Greeting => return Err(LocalError::NotGreeted),
            Phase::Upgrading => return Err(LocalError::MustWait),
            Phase::Over => return Err(LocalError::Over),
            Phase::Session(state) => state,
        };
        if !state.permits(verb, self.encrypted) {
            return Err(LocalError::WrongState { verb, state, encrypted: self.encrypted });
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

    /// Looks at the input that has come so far and says what it is. Drop `consumed` bytes, then call again.
    ///
    /// # Errors
    /// The server broke the protocol. The error stays.
    pub fn poll<'i>(&mut self, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let progress = self.advance(input).map_err(|error| self.fail(error))?;
        self.events += u64::from(progress.event != ClientEvent::NeedInput);
        // What stands behind the last awaited reply was sent before its command (H02). The event is good; all else is not.
        let behind = input.get(progress.consumed..).unwrap_or_default();
        // A blank line may be the delay of the next reply (Q42), so it is nothing yet.
        if self.in_flight.is_empty() && !matches!(behind, [] | b"\r" | b"\n" | b"\r\n") {
            self.failed = match self.phase {
                Phase::Upgrading => Some(RemoteError::BytesBehindStls),
                Phase::Session(_) => Some(RemoteError::Unsolicited(beginning(behind))),
                // A greeting is awaited, or nothing matters any more.
                Phase::Greeting | Phase::Over => None,
            };
        }
        Ok(progress)
    }

    fn fail(&mut self, error: RemoteError) -> RemoteError {
        self.failed = Some(error.clone());
        error
    }

    fn advance<'i>(&mut self, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        match (self.phase, self.in_flight.front().copied()) {
            (Phase::Over, _) => Ok(Progress { consumed: input.len(), event: ClientEvent::Closed }),
            (Phase::Greeting, _) => self.read_greeting(input),
            (Phase::Session(_), None) if matches!(input, b"\r" | b"\n" | b"\r\n") => {
                Ok(Progress { consumed: 0, event: ClientEvent::NeedInput })
            }
            (Phase::Session(_) | Phase::Upgrading, None) => match input {
                [] => Ok(Progress { consumed: 0, event: ClientEvent::NeedInput }),
                _ if self.phase == Phase::Upgrading => Err(RemoteError::BytesBehindStls),
                _ => Err(RemoteError::Unsolicited(beginning(input))),
            },
            (Phase::Session(_) | Phase::Upgrading, Some(pending)) => match self.reading {
                Reading::FirstLine { .. } => self.read_first_line(pending, input),
                Reading::Challenged if input.is_empty() => Ok(Progress { consumed: 0, event: ClientEvent::NeedInput }),
                Reading::Challenged => Err(RemoteError::Unsolicited(beginning(input))),
                Reading::Lines { .. } => self.read_line(pending, input),
                Reading::Body { .. } => self.read_body(pending, input),
            },
        }
    }

    /// A line, or `None` and how many bytes of an over-long one may be dropped.
    fn scan<'i>(&mut self, input: &'i [u8]) -> Result<(Option<&'i [u8]>, usize), RemoteError> {
        match self.scanner.scan(input) {
            (Scan::NeedInput, 0) => Ok((None, 0)),
            (Scan::Line(line), consumed) => Ok((Some(line), consumed)),
            // The scanner drops bytes only of a line that is too long already.
            (Scan::NeedInput | Scan::TooLong, _) => Err(RemoteError::LineTooLong { limit: self.config.max_line }),
        }
    }

    fn read_greeting<'i>(&mut self, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        // A TLS alert has no line end to wait for.
        if input.starts_with(b"\x15\x03") {
            return Err(RemoteError::NotAReply(beginning(input)));
        }
        let (Some(line), consumed) = self.scan(input)? else {
            return Ok(Progress { consumed: 0, event: ClientEvent::NeedInput });
        };
        let greeting = Greeting::parse(line).map_err(|_| RemoteError::NotAReply(beginning(line)))?;
        self.phase = match greeting.reply.status {
            Status::Ok => Phase::Session(State::Authorization),
            Status::Err => Phase::Over,
        };
        Ok(Progress { consumed, event: ClientEvent::Greeting(greeting) })
    }

    fn read_first_line<'i>(&mut self, pending: Pending, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        let (Some(line), consumed) = self.scan(input)? else {
            return Ok(Progress { consumed: 0, event: ClientEvent::NeedInput });
        };
        if trim_blanks(line).is_empty() && matches!(self.reading, Reading::FirstLine { blank_seen: false }) {
            self.reading = Reading::FirstLine { blank_seen: true };
            return Ok(Progress { consumed, event: ClientEvent::NeedInput });
        }
        if pending.verb == Verb::Auth
            && let Some(challenge) = challenge(line)
        {
            self.reading = Reading::Challenged;
            return Ok(Progress { consumed, event: ClientEvent::Challenge(pending.tag, Challenge(challenge)) });
        }
        let reply = Reply::parse(line).map_err(|_| RemoteError::NotAReply(beginning(line)))?;
        self.reading = Reading::FirstLine { blank_seen: false };
        match (reply.status, pending.verb) {
            (Status::Ok, Verb::Retr | Verb::Top) => {
                // The first line of the session has told how its lines end.
                if self.decoder.ending() != self.scanner.ending() {
                    self.decoder = DotDecoder::new(self.scanner.ending());
                }
                self.reading = Reading::Body { seen: 0 };
            }
            (Status::Ok, _) if pending.multi_line => self.reading = Reading::Lines { seen: 0, octets: 0 },
            (Status::Ok, Verb::Stls) => {
                self.in_flight.clear();
                self.phase = Phase::Upgrading;
                return Ok(Progress { consumed, event: ClientEvent::UpgradeTls(pending.tag) });
            }
            (status, verb) => {
                self.in_flight.pop_front();
                self.phase = phase_after(self.phase, verb, status);
            }
        }
        Ok(Progress { consumed, event: ClientEvent::Reply(pending.tag, reply) })
    }

    fn read_line<'i>(&mut self, pending: Pending, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        let (Some(line), consumed) = self.scan(input)? else {
            return Ok(Progress { consumed: 0, event: ClientEvent::NeedInput });
        };
        if line == b"." {
            return Ok(self.end(pending, consumed));
        }
        let (limit, octets_limit) = match pending.verb {
            Verb::Capa => (self.config.max_capabilities, self.config.max_capabilities_octets),
            _ => (self.config.max_listing, self.config.max_listing_octets),
        };
        if let Reading::Lines { seen, octets } = &mut self.reading {
            *seen += 1;
            *octets += line.len() as u64;
            if *seen > limit || *octets > octets_limit {
                let limit = if *seen > limit { limit } else { octets_limit };
                return Err(RemoteError::ReplyTooLarge { verb: pending.verb, limit });
            }
        }
        let line = line.strip_prefix(b".").unwrap_or(line);
        Ok(Progress { consumed, event: ClientEvent::Line(pending.tag, line) })
    }

    fn read_body<'i>(&mut self, pending: Pending, input: &'i [u8]) -> Result<Progress<ClientEvent<'i>>, RemoteError> {
        let (found, consumed) = self.decoder.decode(input);
        let event = match found {
            Unstuffed::NeedInput => ClientEvent::NeedInput,
            Unstuffed::End => return Ok(self.end(pending, consumed)),
            Unstuffed::Chunk(chunk) => {
                if let Reading::Body { seen } = &mut self.reading {
                    *seen += chunk.len() as u64;
                    if let Some(limit) = self.config.max_message.filter(|limit| *seen > *limit) {
                        return Err(RemoteError::ReplyTooLarge { verb: pending.verb, limit });
                    }
                }
                ClientEvent::Body(pending.tag, chunk)
            }
        };
        Ok(Progress { consumed, event })
    }

    fn end<'i>(&mut self, pending: Pending, consumed: usize) -> Progress<ClientEvent<'i>> {
        self.in_flight.pop_front();
        self.reading = Reading::FirstLine { blank_seen: false };
        Progress { consumed, event: ClientEvent::End(pending.tag) }
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
            return Err(LocalError::Over);
        }
        if !matches!(self.reading, Reading::Challenged) {
            return Err(LocalError::NotChallenged);
        }
        self.reading = Reading::FirstLine { blank_seen: false };
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
        let awaiting = match (self.phase, self.in_flight.front(), &self.reading) {
            (Phase::Over, ..) => return Ok(()),
            (Phase::Greeting, ..) => Awaiting::Greeting,
            (_, None, _) => Awaiting::Nothing,
            (_, Some(pending), Reading::FirstLine { .. } | Reading::Challenged) => Awaiting::Reply(pending.verb),
            (_, Some(pending), _) => Awaiting::Rest(pending.verb),
        };
        Err(self.fail(RemoteError::Closed(awaiting)))
    }

    /// The machine for the encrypted part of the session. Everything learnt in the clear is forgotten (H06); ask for the
    /// capabilities again.
    ///
    /// `residual` is everything that was read and not consumed: behind the `+OK` to `STLS` nothing may stand.
    ///
    /// # Errors
    /// Something stands there (H01), or the server did not agree to TLS.
    pub fn into_upgraded(self, residual: &[u8]) -> Result<Self, RemoteError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if self.phase != Phase::Upgrading {
            return Err(RemoteError::TlsNotAgreed);
        }
        if !residual.is_empty() {
            return Err(RemoteError::BytesBehindStls);
        }
        Ok(Self::with_phase(self.config, true, Phase::Session(State::Authorization)))
    }
}

const fn phase_after(phase: Phase, verb: Verb, status: Status) -> Phase {
    match (verb, status) {
        (Verb::Pass | Verb::Apop | Verb::Auth, Status::Ok) => Phase::Session(State::Transaction),
        // Refused or not: behind the reply to QUIT the server closes (S19).
        (Verb::Quit, _) => Phase::Over,
        _ => phase,
    }
}

/// What stands behind the `+` of a continuation; servers forget the blank (Q07). `None`: the line is a reply.
fn challenge(line: &[u8]) -> Option<&[u8]> {
    match line.strip_prefix(b"+")? {
        b"OK" => None,
        [b'O', b'K', b' ' | b'\t', ..] => None,
        rest => Some(trim_blanks(rest)),
    }
}

/// So much of a peer's bytes goes into an error.
fn beginning(line: &[u8]) -> Box<[u8]> {
    const ENOUGH: usize = 80;
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    line.get(..ENOUGH).unwrap_or(line).into()
}
