//! The server machine: syntax, states and login. It knows nothing of mail.

use core::mem;

use bytes::{BufMut, BytesMut};
use smallvec::SmallVec;
use thiserror::Error;

use super::{CleartextLogin, Deadline, ServerConfig};
use crate::Progress;
use crate::codec::{
    ApopDigest, Capability, Command, Discipline, Escaped, Expire, LineScanner, MAX_COMMAND_LINE, MalformedCommand, Password,
    ResponseCode, Scan, Status, Text, Username, Verb, Words, put_status,
};
use crate::state::State;

/// A user name that a client sent: 1 to 255 octets without CR, LF and NUL. Never a path (H29, H57).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(SmallVec<[u8; 32]>);

impl Name {
    /// The octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Username<'_>> for Name {
    fn from(name: Username<'_>) -> Self {
        Self(SmallVec::from_slice(name.as_bytes()))
    }
}

impl core::fmt::Debug for Name {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Name({})", Escaped(&self.0))
    }
}

/// Who wants to log in, and how it is proven. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials<'i> {
    /// `USER` and `PASS`.
    Password {
        /// The name.
        name: Name,
        /// The password.
        password: Password<'i>,
    },
    /// `APOP`. Only asked if the greeting has a timestamp, which it has not yet.
    Apop {
        /// The name.
        name: Name,
        /// The digest.
        digest: ApopDigest,
    },
}

/// Why a login is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Wrong name or password; the client does not learn which (S40).
    Credentials,
    /// They are right, and another session holds the maildrop (S22).
    InUse,
    /// Something on this side that is likely to pass.
    Temporary,
    /// Something on this side that needs a person.
    Permanent,
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
    Authenticate(Credentials<'i>),
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
enum Phase {
    /// `user`: the name of a `USER` directly before.
    Authorization {
        user: Option<Name>,
    },
    Transaction,
    Upgrading,
    Over,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    Nothing,
    Login,
    Command,
    Quit,
}

/// A POP3 server without I/O and without mail: it refuses what is malformed or out of place, answers `CAPA`, `USER` and
/// `STLS`, and asks for the rest. [`Session`](super::Session) answers most of that.
#[derive(Debug)]
pub struct Server {
    config: ServerConfig,
    encrypted: bool,
    phase: Phase,
    asked: Asked,
    scanner: LineScanner,
    bad_commands: u32,
}

impl Server {
    /// A session on a connection in the clear; the greeting goes to `out`.
    pub fn new(config: ServerConfig, out: &mut BytesMut) -> Self {
        Self::greeting(config, false, out)
    }

    /// A session on a connection with TLS from the start; the greeting goes to `out`.
    pub fn new_encrypted(config: ServerConfig, out: &mut BytesMut) -> Self {
        Self::greeting(config, true, out)
    }

    fn greeting(config: ServerConfig, encrypted: bool, out: &mut BytesMut) -> Self {
        put_status(out, Status::Ok, None, config.greeting);
        Self::fresh(config, encrypted)
    }

    fn fresh(config: ServerConfig, encrypted: bool) -> Self {
        let scanner = LineScanner::new(Discipline::Either, config.max_line.max(MAX_COMMAND_LINE));
        Self { config, encrypted, phase: Phase::Authorization { user: None }, asked: Asked::Nothing, scanner, bad_commands: 0 }
    }

    /// The configuration.
    pub const fn config(&self) -> &ServerConfig {
        &self.config
    }

    /// Whether TLS is active.
    pub const fn is_encrypted(&self) -> bool {
        self.encrypted
    }

    /// The deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        match self.phase {
            Phase::Authorization { .. } | Phase::Upgrading => Deadline::Login,
            Phase::Transaction | Phase::Over => Deadline::Idle,
        }
    }

    /// Looks at the input that has come so far. Drop `consumed` bytes, do what the event asks, then call again.
    pub fn poll<'i>(&mut self, input: &'i [u8], out: &mut BytesMut) -> Progress<ServerEvent<'i>> {
        let event = match self.phase {
            Phase::Over => return Progress { consumed: input.len(), event: ServerEvent::Closed },
            Phase::Upgrading => ServerEvent::UpgradeTls,
            _ if self.asked != Asked::Nothing => ServerEvent::AwaitingReply,
            _ if out.len() >= self.config.output_high_water => ServerEvent::Flush,
            _ => return self.read_command(input, out),
        };
        Progress { consumed: 0, event }
    }

    fn read_command<'i>(&mut self, input: &'i [u8], out: &mut BytesMut) -> Progress<ServerEvent<'i>> {
        let (scan, consumed) = self.scanner.scan(input);
        let event = match scan {
            Scan::NeedInput => ServerEvent::NeedInput,
            Scan::TooLong => self.refuse(Text::literal("the command line is too long"), out),
            Scan::Line(line) => match Command::parse(line) {
                Ok(command) => self.take(command, out),
                Err(malformed) => {
                    self.forget_user();
                    self.refuse(explain(malformed), out)
                }
            },
        };
        Progress { consumed, event }
    }

    fn state(&self) -> State {
        match self.phase {
            Phase::Transaction => State::Transaction,
            Phase::Authorization { .. } | Phase::Upgrading => State::Authorization,
            Phase::Over => State::Update,
        }
    }

    fn take<'i>(&mut self, command: Command<'i>, out: &mut BytesMut) -> ServerEvent<'i> {
        let state = self.state();
        // Anything between USER and PASS ends the login (S23).
        let user = self.forget_user();
        if !state.permits(command.verb(), self.encrypted) {
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
                self.phase = Phase::Over;
                ServerEvent::Closed
            }
            Command::Stls if !self.config.stls => self.refuse(Text::literal("there is no TLS here"), out),
            Command::Stls => {
                put_status(out, Status::Ok, None, Text::literal("begin TLS"));
                self.phase = Phase::Upgrading;
                ServerEvent::UpgradeTls
            }
            Command::User(_) | Command::Pass(_) | Command::Apop(..) if !self.login_allowed() => {
                // The same for every name: it tells nothing about it (S48).
                self.refuse(Text::literal("log in under TLS only: say STLS first"), out)
            }
            Command::User(name) => {
                self.phase = Phase::Authorization { user: Some(name.into()) };
                put_status(out, Status::Ok, None, Text::literal("the password, please"));
                ServerEvent::NeedInput
            }
            Command::Pass(password) => match user {
                Some(name) => self.ask_login(Credentials::Password { name, password }),
                None => self.refuse(Text::literal("say USER first"), out),
            },
            Command::Apop(..) => self.refuse(Text::literal("APOP is not available"), out),
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

    fn ask_login<'i>(&mut self, credentials: Credentials<'i>) -> ServerEvent<'i> {
        self.asked = Asked::Login;
        ServerEvent::Authenticate(credentials)
    }

    fn login_allowed(&self) -> bool {
        self.encrypted || self.config.cleartext_login == CleartextLogin::DangerouslyAllow
    }

    fn forget_user(&mut self) -> Option<Name> {
        match &mut self.phase {
            Phase::Authorization { user } => user.take(),
            _ => None,
        }
    }

    fn refuse<'i>(&mut self, text: Text<'_>, out: &mut BytesMut) -> ServerEvent<'i> {
        put_status(out, Status::Err, None, text);
        self.bad_commands += 1;
        let (before_login, after) = self.config.max_bad_commands;
        let limit = if matches!(self.phase, Phase::Transaction) { after } else { before_login };
        if self.bad_commands < limit {
            return ServerEvent::NeedInput;
        }
        put_status(out, Status::Err, None, Text::literal("too many bad commands"));
        self.phase = Phase::Over;
        ServerEvent::Closed
    }

    fn capabilities(&self, out: &mut BytesMut) {
        put_status(out, Status::Ok, None, Text::literal("capability list follows"));
        let mut put = |capability: Capability<'_>| {
            capability.encode(out);
            out.put_slice(b"\r\n");
        };
        put(Capability::Top);
        put(Capability::Uidl);
        put(Capability::RespCodes);
        put(Capability::AuthRespCode);
        put(Capability::Pipelining);
        put(Capability::Expire { after: Expire::Never, per_user: false });
        // USER is announced where it works (RFC 2449 §6.3); what is announced before login stays announced (S37).
        if self.login_allowed() {
            put(Capability::User);
        }
        // STLS says that the command is permitted now (RFC 2595 §4).
        if self.config.stls && self.state().permits(Verb::Stls, self.encrypted) {
            put(Capability::Stls);
        }
        if let Ok(words) = Words::new(self.config.implementation.as_str())
            && !words.as_bytes().is_empty()
        {
            put(Capability::Implementation(words));
        }
        out.put_slice(b".\r\n");
    }

    fn answer(&mut self, to: Asked) -> Result<(), NotAsked> {
        if self.asked != to {
            return Err(NotAsked);
        }
        self.asked = Asked::Nothing;
        Ok(())
    }

    /// The credentials are right and the maildrop is ready: `TRANSACTION` begins.
    ///
    /// # Errors
    /// No login is waiting.
    pub fn accept(&mut self, text: Text<'_>, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.answer(Asked::Login)?;
        self.phase = Phase::Transaction;
        self.bad_commands = 0;
        put_status(out, Status::Ok, None, text);
        Ok(())
    }

    /// The login is refused; the client may try again.
    ///
    /// # Errors
    /// No login is waiting.
    pub fn deny(&mut self, denial: Denial, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.answer(Asked::Login)?;
        let (code, text) = match denial {
            Denial::Credentials => (ResponseCode::Auth, Text::literal("wrong name or password")),
            Denial::InUse => (ResponseCode::InUse, Text::literal("another session holds this maildrop")),
            Denial::Temporary => (ResponseCode::SysTemp, Text::literal("the maildrop cannot be opened now; try again later")),
            Denial::Permanent => {
                (ResponseCode::SysPerm, Text::literal("the maildrop cannot be opened; ask whoever runs this server"))
            }
        };
        put_status(out, Status::Err, Some(code), text);
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
        self.phase = Phase::Over;
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
        self.phase = Phase::Over;
        self.asked = Asked::Nothing;
    }

    /// The machine for the encrypted part of the session. Everything said before is forgotten (H05).
    ///
    /// `residual` is everything that was read and not consumed: it was sent in the clear and must never be executed, so it
    /// ends the session (H03).
    ///
    /// # Errors
    /// Something was read behind `STLS`, or `STLS` was not the last command: close the connection.
    pub fn into_upgraded(mut self, residual: &[u8]) -> Result<Self, NotAsked> {
        match mem::replace(&mut self.phase, Phase::Over) {
            Phase::Upgrading if residual.is_empty() => Ok(Self::fresh(self.config, true)),
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
    }
}
