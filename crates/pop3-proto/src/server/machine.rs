//! The server machine: syntax, states and login. It knows nothing of mail.

use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use core::mem;

use bytes::{BufMut, BytesMut};
use thiserror::Error;

use super::{ApopProof, Deadline, Login, Name, Proof, ServerConfig};
use crate::Progress;
use crate::Secret;
use crate::codec::{
    Command, Discipline, LineScanner, MAX_COMMAND_LINE, MalformedCommand, ResponseCode, Scan, Status, Text, Verb, put_status,
};
use crate::sasl::{ChannelBinding, Exchange};
use crate::state::State;

/// What a driver knows of a connection.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// TLS is active.
    pub encrypted: bool,
    /// Eighteen octets of chance that no other connection has had: challenges and timestamps are made of them.
    pub chance: [u8; 18],
    /// What a login can be bound to.
    pub binding: ChannelBinding,
}

impl Channel {
    /// A connection in the clear.
    pub fn clear(chance: [u8; 18]) -> Self {
        Self { encrypted: false, chance, binding: ChannelBinding::default() }
    }

    /// A connection over TLS.
    pub const fn encrypted(chance: [u8; 18], binding: ChannelBinding) -> Self {
        Self { encrypted: true, chance, binding }
    }
}

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

/// A POP3 server without I/O and without mail: it refuses what is malformed or out of place, answers `CAPA`, `USER` and
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
    pub(super) bad_commands: u32,
    pub(super) failed_logins: u32,
    /// SASL exchanges so far, so that each has a challenge of its own.
    pub(super) exchanges: u32,
}

impl Server {
    /// A session; the greeting goes to `out`.
    pub fn new(config: Arc<ServerConfig>, channel: Channel, out: &mut BytesMut) -> Self {
        let server = Self { greeted: true, ..Self::silent(config, channel) };
        match server.timestamp() {
            Some(timestamp) => {
                let greeting = format!("{} {timestamp}", server.config.greeting.as_str());
                put_status(out, Status::Ok, None, Text::new(&greeting).unwrap_or_default());
            }
            None => put_status(out, Status::Ok, None, server.config.greeting),
        }
        server
    }

    fn silent(config: Arc<ServerConfig>, channel: Channel) -> Self {
        let scanner = LineScanner::new(Discipline::Either, config.max_line.max(MAX_COMMAND_LINE));
        let phase = Phase::Authorization(Dialogue::Nothing);
        Self {
            config,
            channel,
            greeted: false,
            phase,
            asked: Asked::Nothing,
            scanner,
            bad_commands: 0,
            failed_logins: 0,
            exchanges: 0,
        }
    }

    /// The configuration.
    pub fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether TLS is active.
    pub const fn is_encrypted(&self) -> bool {
        self.channel.encrypted
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
        self.scanner.set_limit(self.max_line());
        let (scan, consumed) = self.scanner.scan(input);
        let event = match (scan, &self.phase) {
            (Scan::NeedInput, _) => ServerEvent::NeedInput,
            (Scan::TooLong, _) => {
                self.forget_dialogue();
                self.refuse(Text::literal("the line is too long"), out)
            }
            (Scan::Line(line), Phase::Authorization(Dialogue::Sasl(_) | Dialogue::TokenRefused)) => self.respond(line, out),
            (Scan::Line(line), _) => match Command::parse(line) {
                Ok(command) => self.take(command, out),
                Err(malformed) => {
                    self.forget_dialogue();
                    self.refuse(explain(malformed), out)
                }
            },
        };
        Progress { consumed, event }
    }

    pub(super) fn state(&self) -> State {
        match self.phase {
            Phase::Transaction => State::Transaction,
            Phase::Authorization(_) | Phase::Upgrading => State::Authorization,
            Phase::Over { .. } => State::Update,
        }
    }

    fn take<'i>(&mut self, command: Command<'i>, out: &mut BytesMut) -> ServerEvent<'i> {
        let state = self.state();
        // Anything between USER and PASS ends the login (S23).
        let dialogue = self.forget_dialogue();
        if !state.permits(command.verb(), self.channel.encrypted) {
            return self.refuse(Self::out_of_place(command.verb(), state), out);
        }
        match command {
            Command::Capa => {
                self.capabilities(out);
                ServerEvent::NeedInput
            }
            Command::Quit if state == State::Transaction => {
                self.asked = Asked::Quit;
                ServerEvent::Quit
            }
            Command::Quit => {
                put_status(out, Status::Ok, None, Text::literal("bye"));
                self.over();
                ServerEvent::Closed
            }
            Command::Stls if !self.config.stls => self.refuse(Text::literal("there is no TLS here"), out),
            Command::Stls => {
                put_status(out, Status::Ok, None, Text::literal("begin TLS"));
                self.phase = Phase::Upgrading;
                ServerEvent::UpgradeTls
            }
            Command::AuthList => {
                put_status(out, Status::Ok, None, Text::literal("mechanisms follow"));
                for mechanism in self.offered() {
                    out.put_slice(mechanism.as_str().as_bytes());
                    out.put_slice(b"\r\n");
                }
                out.put_slice(b".\r\n");
                ServerEvent::NeedInput
            }
            Command::Auth(name, initial) => self.begin_exchange(name, initial, out),
            Command::User(_) | Command::Pass(_) | Command::Apop(..) if !self.login_allowed() => {
                // The same for every name: it tells nothing about it (S48).
                self.refuse(Text::literal("log in under TLS only: say STLS first"), out)
            }
            Command::User(name) => {
                self.phase = Phase::Authorization(Dialogue::User(name.into()));
                put_status(out, Status::Ok, None, Text::literal("the password, please"));
                ServerEvent::NeedInput
            }
            Command::Pass(password) => match dialogue {
                Dialogue::User(name) => self.ask_login(Login { name, proof: Proof::Password(Secret::from(password.expose())) }),
                _ => self.refuse(Text::literal("say USER first"), out),
            },
            Command::Apop(name, digest) => match self.timestamp() {
                Some(timestamp) => {
                    let proof = Proof::Apop(ApopProof::new(timestamp.as_bytes(), digest));
                    self.ask_login(Login { name: name.into(), proof })
                }
                None => self.refuse(Text::literal("APOP is not available"), out),
            },
            _ => {
                self.asked = Asked::Command;
                ServerEvent::Command(command)
            }
        }
    }

    fn out_of_place(verb: Verb, state: State) -> Text<'static> {
        match (verb, state) {
            (Verb::Stls, State::Authorization) => Text::literal("TLS is active already"),
            (_, State::Authorization) => Text::literal("log in first"),
            _ => Text::literal("you are logged in already"),
        }
    }

    pub(super) fn forget_dialogue(&mut self) -> Dialogue {
        match &mut self.phase {
            Phase::Authorization(dialogue) => mem::replace(dialogue, Dialogue::Nothing),
            _ => Dialogue::Nothing,
        }
    }

    pub(super) fn over(&mut self) {
        self.phase = Phase::Over { logged_in: matches!(self.phase, Phase::Transaction) };
    }

    pub(super) fn refuse<'i>(&mut self, text: Text<'_>, out: &mut BytesMut) -> ServerEvent<'i> {
        put_status(out, Status::Err, None, text);
        self.bad_commands += 1;
        let (before_login, after) = self.config.max_bad_commands;
        let limit = if matches!(self.phase, Phase::Transaction) { after } else { before_login };
        if self.bad_commands < limit {
            return ServerEvent::NeedInput;
        }
        put_status(out, Status::Err, None, Text::literal("too many bad commands"));
        self.over();
        ServerEvent::Closed
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
        self.over();
        match not_removed {
            0 => put_status(out, Status::Ok, None, Text::literal("bye")),
            _ => put_status(out, Status::Err, Some(ResponseCode::SysTemp), Text::literal("some deleted messages not removed")),
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
        self.over();
        self.asked = Asked::Nothing;
    }

    /// The machine for the encrypted part of the session. Everything said before is forgotten (H05).
    ///
    /// `residual` is everything that was read and not consumed: it was sent in the clear and must never be executed, so it
    /// ends the session (H03).
    ///
    /// # Errors
    /// Something was read behind `STLS`, or `STLS` was not the last command: close the connection.
    pub fn into_upgraded(mut self, residual: &[u8], channel: Channel) -> Result<Self, NotAsked> {
        match mem::replace(&mut self.phase, Phase::Over { logged_in: false }) {
            Phase::Upgrading if residual.is_empty() => Ok(Self::silent(self.config, channel)),
            _ => Err(NotAsked),
        }
    }
}

fn explain(malformed: MalformedCommand) -> Text<'static> {
    let MalformedCommand::Arguments { verb } = malformed else { return Text::literal("unknown command") };
    match verb {
        Verb::Capa | Verb::Noop | Verb::Quit | Verb::Rset | Verb::Stat | Verb::Stls => {
            Text::literal("this command takes no argument")
        }
        Verb::Dele | Verb::Retr => Text::literal("this command takes a message number"),
        Verb::List | Verb::Uidl => Text::literal("this command takes nothing or a message number"),
        Verb::Top => Text::literal("TOP takes a message number and a number of lines"),
        Verb::User => Text::literal("USER takes a name"),
        Verb::Pass => Text::literal("this is no password that can be checked"),
        Verb::Apop => Text::literal("APOP takes a name and a digest"),
        Verb::Auth => Text::literal("AUTH takes a mechanism and perhaps an initial response"),
    }
}
