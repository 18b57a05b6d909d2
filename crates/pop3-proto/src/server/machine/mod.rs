//! The server machine: syntax, states and login. It does not know the messages.

mod authentication;
mod capabilities;
mod commands;
mod phase;

use alloc::format;
use alloc::sync::Arc;

use bytes::BytesMut;

use super::close_reason::CloseReason;
use super::config::{Deadline, ServerConfig};
use super::connection_info::ConnectionInfo;
use super::error::{LocalError, RemoteError};
use super::extension::{Extension, ExtensionReply, ExtensionRequest};
use super::language::Language;
use super::login::LoginAttempt;
use super::phrase::Phrase;
use super::proxied_client::ProxiedClient;
use crate::Progress;
use crate::codec::{
    Command, LineEndingPolicy, LineScanner, MAX_COMMAND_LINE, MAX_REPLY_LINE, MalformedCommand, OtherCode, ReplyText,
    ResponseCode, Scan, Status, Words, cut_to, encode_status_line, is_foreign_protocol, is_obsolete_command, split_keyword,
};
use crate::state::State;
use phase::{LoginState, PendingQuestion, Phase};

/// An event of the machine. It borrows from the input, never from the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum MachineEvent<'i> {
    /// More input is needed.
    NeedInput,
    /// Input was consumed: poll again.
    Continue,
    /// The output has reached its high-water mark.
    Flush,
    /// The last question is unanswered; no input is consumed.
    AwaitingAnswer,
    Authenticate(LoginAttempt),
    #[cfg(feature = "scram")]
    FindKeys(crate::sasl::ScramHash, crate::codec::OwnedUsername),
    /// A command of the `TRANSACTION` state, for the session to answer.
    Command(Command<'i>),
    Extension(ExtensionRequest),
    /// `QUIT` in the `TRANSACTION` state.
    Quit,
    /// The `+OK` to `STLS` is in the output.
    UpgradeTls,
    Closed,
}

/// The maximum number of octets of one line that are discarded; beyond it the session is closed.
const MAX_DISCARDED: usize = 64 * 1024;

/// The machine of a session. It refuses malformed and misplaced commands and continues. It executes commands in
/// order, however the input is split. It answers `CAPA`, `USER`, `STLS` and the exchanges of `AUTH`, and leaves the
/// other commands to the session.
// H19, H23, Q55, S04, S44
#[derive(Debug)]
pub(super) struct Machine {
    config: Arc<ServerConfig>,
    info: ConnectionInfo,
    /// This machine has sent the greeting.
    greeted: bool,
    phase: Phase,
    pending: PendingQuestion,
    scanner: LineScanner,
    /// No input has been consumed yet.
    fresh: bool,
    /// Octets of an overlong line that were discarded.
    discarded: usize,
    language: Language,
    /// The client has sent `UTF8`.
    utf8: bool,
    proxied_client: Option<ProxiedClient>,
    close_reason: Option<CloseReason>,
    login_method: Option<&'static str>,
    bad_commands: u32,
    failed_logins: u32,
    /// An exchange was bound to this TLS connection, so a second one is refused.
    // S36
    channel_binding_used: bool,
    /// The number of SASL exchanges so far, which makes each challenge unique.
    exchanges: u32,
    /// Replaces the high-water mark of the configuration.
    high_water: Option<usize>,
}

impl Machine {
    /// Begins a session; the greeting goes to `out`.
    pub(super) fn new(config: Arc<ServerConfig>, info: ConnectionInfo, out: &mut BytesMut) -> Self {
        let machine = Self { greeted: true, ..Self::ungreeted(config, info) };
        match machine.timestamp() {
            Some(timestamp) => {
                // Clients look for the first angle bracket, so the greeting's own text must not contain one. It must also leave
                // room for the timestamp on the line.
                let room = MAX_REPLY_LINE - "+OK [XCLIENT]  \r\n".len() - timestamp.len();
                let text = machine.config.greeting.as_str().split(['<', '>']).next().unwrap_or_default();
                let greeting = format!("{} {timestamp}", cut_to(text, room).trim_end());
                let greeting = greeting.trim_start();
                encode_status_line(out, Status::Ok, machine.greeting_code(), ReplyText::new(greeting).unwrap_or_default());
            }
            None => encode_status_line(out, Status::Ok, machine.greeting_code(), machine.config.greeting),
        }
        machine
    }

    /// Returns the response code of the greeting: it informs a trusted proxy that `XCLIENT` is accepted.
    fn greeting_code(&self) -> Option<ResponseCode<'static>> {
        self.info.trusted.then_some(ResponseCode::Other(OtherCode::XCLIENT))
    }

    fn ungreeted(config: Arc<ServerConfig>, info: ConnectionInfo) -> Self {
        let scanner = LineScanner::new(LineEndingPolicy::Either, config.max_line.max(MAX_COMMAND_LINE));
        let proxied_client = info.proxied_client;
        Self {
            language: Language::English,
            config,
            info,
            greeted: false,
            phase: Phase::Authorization(LoginState::Nothing),
            pending: PendingQuestion::Nothing,
            scanner,
            fresh: true,
            discarded: 0,
            utf8: false,
            proxied_client,
            channel_binding_used: false,
            close_reason: None,
            login_method: None,
            bad_commands: 0,
            failed_logins: 0,
            exchanges: 0,
            high_water: None,
        }
    }

    /// Returns the machine for the encrypted part of the session. It keeps nothing that was sent in the clear except the
    /// number of failed logins.
    ///
    /// `residual` is the input that was read and not consumed: it was sent in the clear and must never be executed.
    // H03, H04, H05
    pub(super) fn upgraded(&self, residual: &[u8], info: ConnectionInfo) -> Result<Self, RemoteError> {
        self.check_upgrade(residual)?;
        // Failed logins before TLS count under TLS, too (H40).
        Ok(Self { failed_logins: self.failed_logins, ..Self::ungreeted(Arc::clone(&self.config), info) })
    }

    pub(super) fn check_upgrade(&self, residual: &[u8]) -> Result<(), RemoteError> {
        match self.phase {
            Phase::Upgrading if residual.is_empty() => Ok(()),
            Phase::Upgrading => Err(RemoteError::DataAfterStls),
            _ => Err(RemoteError::TlsNotRequested),
        }
    }

    pub(super) fn config(&self) -> &ServerConfig {
        &self.config
    }

    pub const fn connection_info(&self) -> &ConnectionInfo {
        &self.info
    }

    pub(super) const fn state(&self) -> State {
        self.phase.state()
    }

    pub(super) const fn is_encrypted(&self) -> bool {
        self.info.encrypted
    }

    pub(super) const fn is_trusted(&self) -> bool {
        self.info.trusted
    }

    pub(super) const fn is_utf8(&self) -> bool {
        self.utf8
    }

    pub(super) const fn language(&self) -> Language {
        self.language
    }

    pub(super) const fn proxied_client(&self) -> Option<ProxiedClient> {
        self.proxied_client
    }

    pub(super) const fn login_method(&self) -> Option<&'static str> {
        self.login_method
    }

    pub(super) const fn failed_logins(&self) -> u32 {
        self.failed_logins
    }

    pub(super) const fn close_reason(&self) -> Option<CloseReason> {
        self.close_reason
    }

    pub(super) const fn deadline(&self) -> Deadline {
        match self.phase {
            Phase::Authorization(_) | Phase::Upgrading | Phase::Closed { logged_in: false } => Deadline::Login,
            Phase::Transaction | Phase::Closed { logged_in: true } => Deadline::Idle,
        }
    }

    /// Returns the high-water mark of the output in octets: low before login, and never 0, because a flush needs output to
    /// write.
    // H31
    pub(super) fn high_water(&self) -> usize {
        const BEFORE_LOGIN: usize = 4 * 1024;
        let most = self.high_water.unwrap_or(self.config.output_high_water).max(1);
        if self.phase.is_transaction() { most } else { most.min(BEFORE_LOGIN) }
    }

    pub(super) const fn set_high_water(&mut self, octets: usize) {
        self.high_water = Some(octets);
    }

    /// Returns `true` if the next line answers a challenge.
    pub(super) const fn expects_response(&self) -> bool {
        self.phase.expects_response()
    }

    /// Returns the limit of the next line in octets.
    fn max_line(&self) -> usize {
        if self.expects_response() { self.config.max_sasl_line } else { self.config.max_line.max(MAX_COMMAND_LINE) }
    }

    /// Processes the input received so far. Drop the first `consumed` octets of the input, handle the event, then call again.
    pub(super) fn poll<'i>(&mut self, input: &'i [u8], out: &mut BytesMut) -> Progress<MachineEvent<'i>> {
        let event = match self.phase {
            Phase::Closed { .. } => return Progress { consumed: input.len(), event: MachineEvent::Closed },
            Phase::Upgrading => MachineEvent::UpgradeTls,
            _ if self.pending != PendingQuestion::Nothing => MachineEvent::AwaitingAnswer,
            _ if out.len() >= self.high_water() => MachineEvent::Flush,
            _ => return self.read_line(input, out),
        };
        Progress { consumed: 0, event }
    }

    fn read_line<'i>(&mut self, input: &'i [u8], out: &mut BytesMut) -> Progress<MachineEvent<'i>> {
        if let Some(&first) = input.first()
            && self.fresh
        {
            // A TLS handshake, or another binary protocol, may never send a line end.
            match first {
                0x16 if !self.info.encrypted => return self.close_foreign(CloseReason::Tls, input, out),
                ..=0x08 => return self.close_foreign(CloseReason::OtherProtocol, input, out),
                _ => {}
            }
        }
        self.scanner.set_limit(self.max_line());
        let (scan, consumed) = self.scanner.scan(input);
        self.discarded = if scan == Scan::NeedInput { self.discarded.saturating_add(consumed) } else { 0 };
        if self.discarded > MAX_DISCARDED {
            // A line that never ends must not keep the session until its deadline.
            self.say(Status::Err, None, Phrase::LineTooLong, out);
            self.close(CloseReason::EndlessLine);
            return Progress { consumed: input.len(), event: MachineEvent::Closed };
        }
        let event = match (scan, &self.phase) {
            (Scan::NeedInput, _) if consumed > 0 => MachineEvent::Continue,
            (Scan::NeedInput, _) => MachineEvent::NeedInput,
            (Scan::TooLong, _) => {
                self.phase.take_login_state();
                // The rest of an overlong line is never executed as a command (H20).
                self.refuse(Phrase::LineTooLong, out)
            }
            (Scan::Line(line), _) if self.fresh && is_foreign_protocol(line) => {
                return self.close_foreign(CloseReason::OtherProtocol, input, out);
            }
            (Scan::Line(line), phase) if phase.expects_response() => self.respond(line, out),
            (Scan::Line(line), _) => match Command::parse(line) {
                Ok(command) => self.execute(command, out),
                Err(malformed) => {
                    self.phase.take_login_state();
                    match malformed {
                        MalformedCommand::UnknownKeyword => self.execute_unknown(line, out),
                        _ => self.refuse(Phrase::for_malformed(malformed), out),
                    }
                }
            },
        };
        self.fresh &= consumed == 0;
        Progress { consumed, event }
    }

    /// Returns the extension that a line with an unknown keyword calls, and its arguments.
    fn extension<'i>(&self, line: &'i [u8]) -> Option<(&Extension, Words<'i>)> {
        let (keyword, rest) = split_keyword(line);
        let mut extensions = self.config.extensions.iter();
        let extension = extensions.find(|extension| extension.keyword().as_bytes().eq_ignore_ascii_case(keyword))?;
        Some((extension, Words::new(rest).ok()?))
    }

    /// Asks about an extension, and refuses any other command with an unknown keyword.
    fn execute_unknown<'i>(&mut self, line: &[u8], out: &mut BytesMut) -> MachineEvent<'i> {
        let logged_in = self.phase.is_transaction();
        match self.extension(line) {
            Some((extension, _)) if !logged_in && !extension.is_permitted_before_login() => self.refuse(Phrase::LogInFirst, out),
            Some((extension, arguments)) => {
                let (keyword, arguments) = (extension.keyword().into(), arguments.as_bytes().into());
                self.pending = PendingQuestion::Extension;
                MachineEvent::Extension(ExtensionRequest { keyword, arguments })
            }
            None if is_obsolete_command(line) => self.refuse_uncounted(Phrase::UnknownCommand, out),
            None => self.refuse(Phrase::UnknownCommand, out),
        }
    }

    /// Answers an extension command.
    pub(super) fn reply_to_extension(&mut self, reply: &ExtensionReply, out: &mut BytesMut) -> Result<(), LocalError> {
        self.take_question(PendingQuestion::Extension)?;
        reply.encode(out);
        Ok(())
    }

    /// Closes the session of a client that will never send a command.
    // Q56, Q57
    fn close_foreign<'i>(&mut self, why: CloseReason, input: &'i [u8], out: &mut BytesMut) -> Progress<MachineEvent<'i>> {
        let phrase = if why == CloseReason::Tls { Phrase::TlsComesLater } else { Phrase::NotThisProtocol };
        self.say(Status::Err, None, phrase, out);
        self.close(why);
        Progress { consumed: input.len(), event: MachineEvent::Closed }
    }

    /// Refuses a command and counts it; too many of them end the session.
    // H38
    fn refuse<'i>(&mut self, phrase: Phrase, out: &mut BytesMut) -> MachineEvent<'i> {
        self.say(Status::Err, None, phrase, out);
        self.bad_commands += 1;
        let limits = &self.config.max_bad_commands;
        let limit = if self.phase.is_transaction() { limits.after_login } else { limits.before_login };
        if self.bad_commands < limit {
            return MachineEvent::Continue;
        }
        self.say(Status::Err, None, Phrase::TooManyBadCommands, out);
        self.close(CloseReason::BadCommands);
        MachineEvent::Closed
    }

    /// Refuses a command without counting it. Old clients try such commands before their alternatives, which must not end the
    /// session.
    // Q60
    fn refuse_uncounted<'i>(&self, phrase: Phrase, out: &mut BytesMut) -> MachineEvent<'i> {
        self.say(Status::Err, None, phrase, out);
        MachineEvent::Continue
    }

    fn close(&mut self, why: CloseReason) {
        self.close_reason.get_or_insert(why);
        self.phase.close();
    }

    /// Appends a status line with a text in the session's language.
    fn say(&self, status: Status, code: Option<ResponseCode<'_>>, phrase: Phrase, out: &mut BytesMut) {
        encode_status_line(out, status, code, phrase.text(self.language));
    }

    fn take_question(&mut self, expected: PendingQuestion) -> Result<(), LocalError> {
        if self.pending != expected {
            return Err(LocalError::NotAsked);
        }
        self.pending = PendingQuestion::Nothing;
        Ok(())
    }

    /// Clears the question of [`MachineEvent::Command`]; the session appends the reply.
    pub(super) fn take_command(&mut self) -> Result<(), LocalError> {
        self.take_question(PendingQuestion::Command)
    }

    /// Answers a command with `+OK` and a text.
    pub(super) fn ok(&mut self, text: ReplyText<'_>, out: &mut BytesMut) -> Result<(), LocalError> {
        self.take_command()?;
        encode_status_line(out, Status::Ok, None, text);
        Ok(())
    }

    /// Answers a command with `-ERR`.
    pub(super) fn err(
        &mut self,
        code: Option<ResponseCode<'_>>,
        text: ReplyText<'_>,
        out: &mut BytesMut,
    ) -> Result<(), LocalError> {
        self.take_command()?;
        encode_status_line(out, Status::Err, code, text);
        Ok(())
    }

    /// Answers `QUIT`. `not_removed` is the number of marked messages that could not be removed.
    // S19
    pub(super) fn finish_quit(&mut self, not_removed: usize, out: &mut BytesMut) -> Result<(), LocalError> {
        self.take_question(PendingQuestion::Quit)?;
        self.close(CloseReason::Quit);
        match not_removed {
            0 => self.say(Status::Ok, None, Phrase::Bye, out),
            _ => self.say(Status::Err, Some(ResponseCode::SysTemp), Phrase::NotAllRemoved, out),
        }
        Ok(())
    }

    /// Ends the session without a reply.
    pub(super) fn abort(&mut self) {
        self.close(CloseReason::Aborted);
        self.pending = PendingQuestion::Nothing;
    }
}
