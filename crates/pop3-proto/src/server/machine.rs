//! The server machine: syntax, states and login. It knows nothing of mail.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use core::mem;

use bytes::BytesMut;
use thiserror::Error;

use super::commands::{explain, is_historic, is_other_protocol};
use super::phrase::Phrase;
use super::{Channel, Deadline, Ending, Language, Login, Name, Origin, ServerConfig};
use crate::Progress;
use crate::codec::{
    Command, Discipline, LineScanner, MAX_COMMAND_LINE, MAX_REPLY_LINE, MalformedCommand, OtherCode, ResponseCode, Scan, Status,
    Text, cut_to, put_status,
};
use crate::sasl::Exchange;
use crate::state::State;

/// The machine was answered something that it had not asked. Nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the session has not asked for this answer")]
pub struct NotAsked;

/// What happened. Borrows from the input, never from the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ServerEvent<'i> {
    /// Call again with what was not consumed; if nothing was consumed, read more first.
    NeedInput,
    /// There is much output: write it, then poll again.
    Flush,
    /// The question before waits for its answer; no input is consumed.
    AwaitingReply,
    /// Answer with [`Server::accept`] or [`Server::deny`].
    Authenticate(Login),
    /// A user logs in by `SCRAM`: answer with [`Server::keys`]. For a user that there is not, with a decoy.
    #[cfg(feature = "scram")]
    FindKeys(crate::sasl::ScramHash, Name),
    /// A command of the `TRANSACTION` state: answer with [`Server::ok`], [`Server::err`] or a multi-line reply.
    Command(Command<'i>),
    /// `QUIT` in the `TRANSACTION` state: remove what is marked, then answer with [`Server::end`].
    Quit,
    /// The `+OK` to `STLS` is in the output: write it, then hand the machine to [`Server::into_upgraded`].
    UpgradeTls,
    /// The session is over: write the output and close.
    Closed,
}

#[derive(Debug)]
pub(super) enum Phase {
    Authorization(Dialogue),
    Transaction,
    Upgrading,
    Over { logged_in: bool },
}

/// What a login has come to.
#[derive(Debug)]
pub(super) enum Dialogue {
    Nothing,
    /// A `USER` directly before.
    User(Name),
    /// A SASL exchange: the next line is a response.
    Sasl(Box<Exchange>),
    /// The client was told by a challenge why its token is refused; whatever it says to that is answered with the refusal (S34).
    TokenRefused,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Login {
        by_token: bool,
    },
    #[cfg(feature = "scram")]
    Keys,
    Command,
    Quit,
}

/// Octets of one line after which the session is closed.
const MAX_DISCARDED: usize = 64 * 1024;

/// A POP3 server without I/O and without mail: it refuses what is malformed or out of place and goes on (S04, H19, H23), takes
/// commands in their order however they were cut and whatever stands behind them (S44, Q55), answers `CAPA`, `USER` and
/// `STLS`, and asks for the rest. [`Session`](super::Session) answers most of that.
#[derive(Debug)]
pub struct Server {
    pub(super) config: Arc<ServerConfig>,
    pub(super) channel: Channel,
    /// The greeting was this machine's.
    pub(super) greeted: bool,
    pub(super) phase: Phase,
    pub(super) asked: Asked,
    scanner: LineScanner,
    /// Nothing was said yet.
    fresh: bool,
    /// Octets of a line over the limit that were thrown away.
    discarded: usize,
    pub(super) language: Language,
    /// The client has said `UTF8`.
    pub(super) utf8: bool,
    pub(super) origin: Option<Origin>,
    ending: Option<Ending>,
    pub(super) login_method: Option<&'static str>,
    pub(super) bad_commands: u32,
    pub(super) failed_logins: u32,
    /// An exchange was bound to this TLS connection: no second one may be (S36).
    pub(super) bound: bool,
    /// SASL exchanges so far, so that each has a challenge of its own.
    pub(super) exchanges: u32,
}

impl Server {
    /// A session; the greeting goes to `out`.
    pub fn new(config: Arc<ServerConfig>, channel: Channel, out: &mut BytesMut) -> Self {
        let server = Self { greeted: true, ..Self::silent(config, channel) };
        match server.timestamp() {
            Some(timestamp) => {
                // Nothing may come between the timestamp and who looks for it: no other angle bracket, and no end of the line.
                let room = MAX_REPLY_LINE - "+OK [XCLIENT]  \r\n".len() - timestamp.len();
                let text = server.config.greeting.as_str().split(['<', '>']).next().unwrap_or_default();
                let greeting = format!("{} {timestamp}", cut_to(text, room).trim_end());
                let greeting = greeting.trim_start();
                put_status(out, Status::Ok, server.greeting_code(), Text::new(greeting).unwrap_or_default());
            }
            None => put_status(out, Status::Ok, server.greeting_code(), server.config.greeting),
        }
        server
    }

    /// So proxies that know `XCLIENT` see that it is taken from them.
    fn greeting_code(&self) -> Option<ResponseCode<'static>> {
        self.channel.trusted.then_some(ResponseCode::Other(OtherCode::XCLIENT))
    }

    fn silent(config: Arc<ServerConfig>, channel: Channel) -> Self {
        let scanner = LineScanner::new(Discipline::Either, config.max_line.max(MAX_COMMAND_LINE));
        let phase = Phase::Authorization(Dialogue::Nothing);
        let origin = channel.origin;
        Self {
            language: Language::English,
            config,
            channel,
            greeted: false,
            phase,
            asked: Asked::Nothing,
            scanner,
            fresh: true,
            discarded: 0,
            utf8: false,
            origin,
            bound: false,
            ending: None,
            login_method: None,
            bad_commands: 0,
            failed_logins: 0,
            exchanges: 0,
        }
    }

    /// One like this that is over.
    pub(super) fn over_already(&self) -> Self {
        let phase = Phase::Over { logged_in: matches!(self.phase, Phase::Transaction) };
        Self { phase, ..Self::silent(Arc::clone(&self.config), self.channel.clone()) }
    }

    /// The configuration.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether TLS is active.
    pub const fn is_encrypted(&self) -> bool {
        self.channel.encrypted
    }

    /// The peer is a proxy whose word is taken.
    pub const fn is_trusted(&self) -> bool {
        self.channel.trusted
    }

    /// The client has said `UTF8`: it takes messages in UTF-8.
    pub const fn is_utf8(&self) -> bool {
        self.utf8
    }

    /// Whom a trusted proxy speaks for, once it has said so.
    pub const fn origin(&self) -> Option<Origin> {
        self.origin
    }

    /// How the client logs in, or has: `USER`, `APOP`, or the name of a mechanism. `None`: it has not tried yet.
    pub const fn login_method(&self) -> Option<&'static str> {
        self.login_method
    }

    /// How many logins were refused because of their credentials.
    pub const fn failed_logins(&self) -> u32 {
        self.failed_logins
    }

    /// Why the session was ended, where this side has ended it.
    pub const fn ending(&self) -> Option<Ending> {
        self.ending
    }

    /// The deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        match self.phase {
            Phase::Authorization(_) | Phase::Upgrading | Phase::Over { logged_in: false } => Deadline::Login,
            Phase::Transaction | Phase::Over { logged_in: true } => Deadline::Idle,
        }
    }

    /// How much output may gather: little before login (H31), and never nothing, or there would be nothing to write.
    pub(super) fn high_water(&self) -> usize {
        const BEFORE_LOGIN: usize = 4 * 1024;
        let most = self.config.output_high_water.max(1);
        if matches!(self.phase, Phase::Transaction) { most } else { most.min(BEFORE_LOGIN) }
    }

    /// The largest line that may come now.
    pub(super) fn max_line(&self) -> usize {
        match &self.phase {
            Phase::Authorization(Dialogue::Sasl(_) | Dialogue::TokenRefused) => self.config.max_sasl_line,
            _ => self.config.max_line.max(MAX_COMMAND_LINE),
        }
    }

    /// Looks at the input that has come so far. Drop `consumed` bytes, do what the event asks, then call again.
    pub fn poll<'i>(&mut self, input: &'i [u8], out: &mut BytesMut) -> Progress<ServerEvent<'i>> {
        let event = match self.phase {
            Phase::Over { .. } => return Progress { consumed: input.len(), event: ServerEvent::Closed },
            Phase::Upgrading => ServerEvent::UpgradeTls,
            _ if self.asked != Asked::Nothing => ServerEvent::AwaitingReply,
            _ if out.len() >= self.high_water() => ServerEvent::Flush,
            _ => return self.read_command(input, out),
        };
        Progress { consumed: 0, event }
    }

    fn read_command<'i>(&mut self, input: &'i [u8], out: &mut BytesMut) -> Progress<ServerEvent<'i>> {
        if let Some(&first) = input.first()
            && self.fresh
        {
            // A handshake of TLS, or another protocol of binary records, has no line end to wait for.
            match first {
                0x16 if !self.channel.encrypted => return self.other_protocol(Ending::Tls, input, out),
                ..=0x08 => return self.other_protocol(Ending::OtherProtocol, input, out),
                _ => {}
            }
        }
        self.scanner.set_limit(self.max_line());
        let (scan, consumed) = self.scanner.scan(input);
        self.discarded = if scan == Scan::NeedInput { self.discarded.saturating_add(consumed) } else { 0 };
        if self.discarded > MAX_DISCARDED {
            // A line that never ends must not keep the session until its deadline.
            self.say(Status::Err, None, Phrase::LineTooLong, out);
            self.over(Ending::EndlessLine);
            return Progress { consumed: input.len(), event: ServerEvent::Closed };
        }
        let event = match (scan, &self.phase) {
            (Scan::NeedInput, _) => ServerEvent::NeedInput,
            (Scan::TooLong, _) => {
                self.forget_dialogue();
                // The tail of it was never a command, and is none now (H20).
                self.refuse(Phrase::LineTooLong, out)
            }
            (Scan::Line(line), _) if self.fresh && is_other_protocol(line) => {
                return self.other_protocol(Ending::OtherProtocol, input, out);
            }
            (Scan::Line(line), Phase::Authorization(Dialogue::Sasl(_) | Dialogue::TokenRefused)) => self.respond(line, out),
            (Scan::Line(line), _) => match Command::parse(line) {
                Ok(command) => self.take(command, out),
                Err(malformed) => {
                    self.forget_dialogue();
                    match malformed {
                        MalformedCommand::UnknownKeyword if is_historic(line) => self.refuse_mildly(Phrase::UnknownCommand, out),
                        _ => self.refuse(explain(malformed), out),
                    }
                }
            },
        };
        self.fresh &= consumed == 0;
        Progress { consumed, event }
    }

    pub(super) fn state(&self) -> State {
        match self.phase {
            Phase::Transaction => State::Transaction,
            Phase::Authorization(_) | Phase::Upgrading => State::Authorization,
            Phase::Over { .. } => State::Update,
        }
    }

    pub(super) fn forget_dialogue(&mut self) -> Dialogue {
        match &mut self.phase {
            Phase::Authorization(dialogue) => mem::replace(dialogue, Dialogue::Nothing),
            _ => Dialogue::Nothing,
        }
    }

    pub(super) fn over(&mut self, why: Ending) {
        self.ending.get_or_insert(why);
        self.phase = Phase::Over { logged_in: matches!(self.phase, Phase::Transaction) };
    }

    /// Says something to a person, in the language of the session.
    pub(super) fn say(&self, status: Status, code: Option<ResponseCode<'_>>, phrase: Phrase, out: &mut BytesMut) {
        put_status(out, status, code, phrase.text(self.language));
    }

    pub(super) fn answer(&mut self, to: Asked) -> Result<(), NotAsked> {
        if self.asked != to {
            return Err(NotAsked);
        }
        self.asked = Asked::Nothing;
        Ok(())
    }

    /// Answers a command with `+OK`. For a multi-line reply, append lines and the dot behind it.
    ///
    /// # Errors
    /// No command is waiting.
    pub fn ok(&mut self, text: Text<'_>, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.answer(Asked::Command)?;
        put_status(out, Status::Ok, None, text);
        Ok(())
    }

    /// Answers a command with `-ERR`.
    ///
    /// # Errors
    /// No command is waiting.
    pub fn err(&mut self, code: Option<ResponseCode<'_>>, text: Text<'_>, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.answer(Asked::Command)?;
        put_status(out, Status::Err, code, text);
        Ok(())
    }

    /// Answers `QUIT`: `not_removed` messages that were marked are still there (S19). The session is over.
    ///
    /// # Errors
    /// No `QUIT` is waiting.
    pub fn end(&mut self, not_removed: usize, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.answer(Asked::Quit)?;
        self.over(Ending::Quit);
        match not_removed {
            0 => self.say(Status::Ok, None, Phrase::Bye, out),
            _ => self.say(Status::Err, Some(ResponseCode::SysTemp), Phrase::NotAllRemoved, out),
        }
        Ok(())
    }

    /// Answers a command by letting the caller write its own `+OK` line; see [`Session`](super::Session).
    pub(super) fn answered_by_session(&mut self) -> Result<(), NotAsked> {
        self.answer(Asked::Command)
    }

    /// Ends the session without a word, as when a message cannot be sent to its end: the client must not take what it has
    /// for a whole message.
    pub fn abort(&mut self) {
        self.over(Ending::Aborted);
        self.asked = Asked::Nothing;
    }

    /// The machine for the encrypted part of the session. Everything said before is forgotten (H05).
    ///
    /// `residual` is everything that was read and not consumed: it was sent in the clear and must never be executed, so it
    /// ends the session, a half line too (H03, H04).
    ///
    /// # Errors
    /// Something was read behind `STLS`, or `STLS` was not the last command: close the connection.
    pub fn into_upgraded(mut self, residual: &[u8], channel: Channel) -> Result<Self, NotAsked> {
        match mem::replace(&mut self.phase, Phase::Over { logged_in: false }) {
            // Who has guessed in the clear has guessed (H40).
            Phase::Upgrading if residual.is_empty() => {
                Ok(Self { failed_logins: self.failed_logins, ..Self::silent(self.config, channel) })
            }
            _ => Err(NotAsked),
        }
    }
}
