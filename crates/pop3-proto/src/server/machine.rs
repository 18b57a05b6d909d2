//! The server machine: syntax, states and login. It knows nothing of mail.

use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::format;
use alloc::sync::Arc;
use core::mem;

use bytes::{BufMut, BytesMut};
use thiserror::Error;

use super::phrase::Phrase;
use super::{ApopProof, Deadline, Language, Login, Name, Origin, Proof, ServerConfig, Utf8};
use crate::Progress;
use crate::Secret;
use crate::codec::{
    Command, Discipline, LineScanner, MAX_COMMAND_LINE, MalformedCommand, OtherCode, ResponseCode, Scan, Status, Text, Username,
    Verb, Word, put_status,
};
use crate::sasl::{ChannelBinding, Exchange, prepare};
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
    /// The certificate that the client has shown, in DER, if somebody who is trusted vouches for it: `EXTERNAL` is offered then.
    pub certificate: Option<Arc<[u8]>>,
    /// The peer is a proxy whose word is taken for whom it speaks for (`XCLIENT`).
    pub trusted: bool,
}

impl Channel {
    /// A connection in the clear.
    pub fn clear(chance: [u8; 18]) -> Self {
        Self { chance, ..Self::default() }
    }

    /// A connection over TLS.
    pub fn encrypted(chance: [u8; 18], binding: ChannelBinding) -> Self {
        Self { encrypted: true, chance, binding, ..Self::default() }
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

/// Why a session was ended from this side, for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Ending {
    /// The client said `QUIT`.
    #[error("the client said QUIT")]
    Quit,
    /// Too many commands that are malformed or out of place (H38).
    #[error("too many bad commands")]
    BadCommands,
    /// Too many wrong passwords.
    #[error("too many wrong passwords")]
    FailedLogins,
    /// The client began with TLS where the session begins in the clear (Q56).
    #[error("the client began with TLS on a port that begins in the clear")]
    Tls,
    /// The client speaks another protocol: mostly somebody who tries every port (Q57).
    #[error("the client does not speak POP3")]
    OtherProtocol,
    /// The application gave up.
    #[error("the session was broken off")]
    Aborted,
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
    /// Nothing was said yet.
    fresh: bool,
    pub(super) language: Language,
    /// The client has said `UTF8`.
    utf8: bool,
    origin: Option<Origin>,
    ending: Option<Ending>,
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
                put_status(out, Status::Ok, server.greeting_code(), Text::new(&greeting).unwrap_or_default());
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
        Self {
            language: config.language,
            config,
            channel,
            greeted: false,
            phase,
            asked: Asked::Nothing,
            scanner,
            fresh: true,
            utf8: false,
            origin: None,
            ending: None,
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

    /// The peer is a proxy whose word is taken.
    pub(super) const fn is_trusted(&self) -> bool {
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
        let event = match (scan, &self.phase) {
            (Scan::NeedInput, _) => ServerEvent::NeedInput,
            (Scan::TooLong, _) => {
                self.forget_dialogue();
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

    fn take<'i>(&mut self, command: Command<'i>, out: &mut BytesMut) -> ServerEvent<'i> {
        let state = self.state();
        // Anything between USER and PASS ends the login (S23).
        let dialogue = self.forget_dialogue();
        if !state.permits(command.verb(), self.channel.encrypted) {
            return match command {
                // What clients say in the wrong state, and do not mean badly.
                Command::Utf8 if state == State::Transaction && self.config.utf8_after_login => {
                    self.say(Status::Ok, None, Phrase::Utf8On, out);
                    ServerEvent::NeedInput
                }
                Command::Noop if state == State::Authorization && self.config.noop_before_login => {
                    put_status(out, Status::Ok, None, Text::EMPTY);
                    ServerEvent::NeedInput
                }
                _ => self.refuse(Self::out_of_place(command.verb(), state), out),
            };
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
                self.say(Status::Ok, None, Phrase::Bye, out);
                self.over(Ending::Quit);
                ServerEvent::Closed
            }
            Command::Stls if !self.config.stls => self.refuse(Phrase::NoTls, out),
            Command::Stls if self.utf8 => self.refuse(Phrase::NoTlsAfterUtf8, out),
            Command::Stls => {
                self.say(Status::Ok, None, Phrase::BeginTls, out);
                self.phase = Phase::Upgrading;
                ServerEvent::UpgradeTls
            }
            Command::AuthList => {
                self.say(Status::Ok, None, Phrase::MechanismsFollow, out);
                for mechanism in self.offered() {
                    out.put_slice(mechanism.as_str().as_bytes());
                    out.put_slice(b"\r\n");
                }
                out.put_slice(b".\r\n");
                ServerEvent::NeedInput
            }
            Command::Auth(name, initial) => self.begin_exchange(name, initial, out),
            // The same for every name: it tells nothing about it (S48).
            Command::User(_) | Command::Pass(_) if !self.password_allowed() => self.refuse(Phrase::TlsFirst, out),
            Command::Apop(..) if !self.login_allowed() => self.refuse(Phrase::TlsFirst, out),
            Command::User(name) => match self.prepared_name(name) {
                Some(name) => {
                    self.phase = Phase::Authorization(Dialogue::User(name));
                    self.say(Status::Ok, None, Phrase::PasswordPlease, out);
                    ServerEvent::NeedInput
                }
                None => self.refuse(Phrase::UserTakes, out),
            },
            Command::Pass(password) => match (dialogue, self.prepared(password.expose())) {
                (Dialogue::User(name), Some(password)) => {
                    let proof = Proof::Password(Secret::from(&password[..]));
                    self.ask_login(Login { name, proof })
                }
                (Dialogue::User(_), None) => self.refuse(Phrase::PassTakes, out),
                _ => self.refuse(Phrase::UserFirst, out),
            },
            Command::Apop(name, digest) => match (self.timestamp(), self.prepared_name(name)) {
                (Some(timestamp), Some(name)) => {
                    let proof = Proof::Apop(ApopProof::new(timestamp.as_bytes(), digest));
                    self.ask_login(Login { name, proof })
                }
                (Some(_), None) => self.refuse(Phrase::ApopTakes, out),
                (None, _) => self.refuse(Phrase::NoApop, out),
            },
            Command::Utf8 if self.config.utf8 == Utf8::No => self.refuse(Phrase::NotHere, out),
            Command::Utf8 => {
                self.utf8 = true;
                self.say(Status::Ok, None, Phrase::Utf8On, out);
                ServerEvent::NeedInput
            }
            Command::Lang(range) => self.language(range, out),
            Command::Last if !self.config.last => self.refuse_mildly(Phrase::NotHere, out),
            Command::Xclient(_) if !self.channel.trusted => self.refuse(Phrase::NotTrusted, out),
            Command::Xclient(words) => match Origin::parse(words) {
                Some(origin) => {
                    self.origin = Some(origin);
                    self.say(Status::Ok, None, Phrase::OriginNoted, out);
                    ServerEvent::NeedInput
                }
                None => self.refuse(Phrase::XclientTakes, out),
            },
            _ => {
                self.asked = Asked::Command;
                ServerEvent::Command(command)
            }
        }
    }

    fn out_of_place(verb: Verb, state: State) -> Phrase {
        match (verb, state) {
            (Verb::Stls, State::Authorization) => Phrase::TlsActive,
            (_, State::Authorization) => Phrase::LogInFirst,
            _ => Phrase::LoggedInAlready,
        }
    }

    /// What a client may say as a name or a password, in the form in which it is compared. `None`: nobody can have that.
    fn prepared<'p>(&self, text: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        if self.config.utf8 == Utf8::MessagesAndLogins { prepare(text) } else { Some(Cow::Borrowed(text)) }
    }

    fn prepared_name(&self, name: Username<'_>) -> Option<Name> {
        let name = self.prepared(name.as_bytes())?;
        Some(Username::new(&name[..]).ok()?.into())
    }

    /// `LANG` (RFC 6856 §3.2).
    fn language<'i>(&mut self, range: Option<Word<'_>>, out: &mut BytesMut) -> ServerEvent<'i> {
        if !self.config.lang {
            return self.refuse(Phrase::NotHere, out);
        }
        let chosen = match range.map(Word::into_bytes) {
            None => {
                self.say(Status::Ok, None, Phrase::LanguagesFollow, out);
                for language in Language::ALL {
                    out.put_slice(format!("{language} {}\r\n", language.name()).as_bytes());
                }
                out.put_slice(b".\r\n");
                return ServerEvent::NeedInput;
            }
            Some(b"*") => Some(self.config.language),
            Some(range) => Language::find(range),
        };
        let Some(language) = chosen else { return self.refuse(Phrase::NoSuchLanguage, out) };
        self.language = language;
        let text = format!("{language} {}", Phrase::LanguageChanged.text(language).as_str());
        put_status(out, Status::Ok, None, Text::new(&text).unwrap_or_default());
        ServerEvent::NeedInput
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

    /// What old clients try before they do it in another way: not a reason to send them away (Q60).
    fn refuse_mildly<'i>(&self, phrase: Phrase, out: &mut BytesMut) -> ServerEvent<'i> {
        self.say(Status::Err, None, phrase, out);
        ServerEvent::NeedInput
    }

    /// Whoever begins like this will never say a command (Q56, Q57).
    fn other_protocol<'i>(&mut self, why: Ending, input: &'i [u8], out: &mut BytesMut) -> Progress<ServerEvent<'i>> {
        let phrase = if why == Ending::Tls { Phrase::TlsComesLater } else { Phrase::NotThisProtocol };
        self.say(Status::Err, None, phrase, out);
        self.over(why);
        Progress { consumed: input.len(), event: ServerEvent::Closed }
    }

    pub(super) fn refuse<'i>(&mut self, phrase: Phrase, out: &mut BytesMut) -> ServerEvent<'i> {
        self.say(Status::Err, None, phrase, out);
        self.bad_commands += 1;
        let (before_login, after) = self.config.max_bad_commands;
        let limit = if matches!(self.phase, Phase::Transaction) { after } else { before_login };
        if self.bad_commands < limit {
            return ServerEvent::NeedInput;
        }
        self.say(Status::Err, None, Phrase::TooManyBadCommands, out);
        self.over(Ending::BadCommands);
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

fn explain(malformed: MalformedCommand) -> Phrase {
    let MalformedCommand::Arguments { verb } = malformed else { return Phrase::UnknownCommand };
    match verb {
        Verb::Capa | Verb::Last | Verb::Noop | Verb::Quit | Verb::Rset | Verb::Stat | Verb::Stls | Verb::Utf8 => {
            Phrase::TakesNothing
        }
        Verb::Dele | Verb::Retr => Phrase::TakesNumber,
        Verb::List | Verb::Uidl => Phrase::MayTakeNumber,
        Verb::Top => Phrase::TopTakes,
        Verb::User => Phrase::UserTakes,
        Verb::Pass => Phrase::PassTakes,
        Verb::Apop => Phrase::ApopTakes,
        Verb::Auth => Phrase::AuthTakes,
        Verb::Lang => Phrase::LangTakes,
        Verb::Xclient => Phrase::XclientTakes,
    }
}

/// Commands of old drafts and of single programs, which clients try now and then (Q60).
fn is_historic(line: &[u8]) -> bool {
    const TRIED: [&[u8]; 7] = [b"XTND", b"RPOP", b"HELP", b"PING", b"XOIP", b"IMPLEMENTATION", b"ID"];
    first_word(line).is_some_and(|word| TRIED.iter().any(|tried| tried.eq_ignore_ascii_case(word)))
}

/// The first line of a web browser, of a mail server, of a shell.
fn is_other_protocol(line: &[u8]) -> bool {
    const OTHERS: [&[u8]; 8] = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"PRI", b"EHLO", b"HELO"];
    line.starts_with(b"SSH-") || first_word(line).is_some_and(|word| OTHERS.contains(&word))
}

fn first_word(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).next()
}
