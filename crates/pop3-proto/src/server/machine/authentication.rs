//! Logins: `USER` and `PASS`, `APOP`, and the exchanges of `AUTH`.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::String;
use core::mem;

use bytes::{BufMut, BytesMut};

use super::phase::{LoginState, PendingQuestion, Phase};
use super::{Machine, MachineEvent};
use crate::Secret;
use crate::cleartext_login::CleartextLogin;
use crate::codec::{ReplyText, ResponseCode, Status, Word, encode_status_line, trim_blanks};
use crate::sasl::{ExchangeEvent, Mechanism, PresentedCredentials, SaslError, ServerExchange, decode_base64, encode_base64};
use crate::server::close_reason::CloseReason;
use crate::server::error::LocalError;
use crate::server::login::{LoginAttempt, LoginDenial};
use crate::server::phrase::Phrase;

impl Machine {
    /// Returns the timestamp of the greeting if `APOP` is configured. After `STLS` there is none: a timestamp sent in the
    /// clear is forgotten.
    // H05, S25
    pub(super) fn timestamp(&self) -> Option<String> {
        (self.config.apop && self.greeted).then(|| format!("<{}@pop3>", encode_base64(&self.info.nonce)))
    }

    /// Returns the mechanisms that can be used now, the strongest first.
    pub(super) fn offered(&self) -> impl Iterator<Item = Mechanism> {
        let usable = |mechanism: &Mechanism| {
            self.config.mechanisms.contains(mechanism)
                && mechanism.is_enabled()
                && self.login_allowed()
                && (self.password_allowed() || !mechanism.exposes_secret())
                && (!mechanism.uses_channel_binding() || self.info.binding.is_available())
                // EXTERNAL requires a verified certificate of the client (S53).
                && (*mechanism != Mechanism::External || self.info.certificate.is_some())
        };
        Mechanism::ALL.into_iter().rev().filter(usable)
    }

    pub(super) fn begin_exchange<'i>(
        &mut self,
        name: Word<'_>,
        initial: Option<Word<'_>>,
        out: &mut BytesMut,
    ) -> MachineEvent<'i> {
        let Some(mechanism) =
            Mechanism::from_name(name.as_bytes()).filter(|wanted| self.offered().any(|offered| offered == *wanted))
        else {
            return self.refuse(Phrase::NoMechanism, out);
        };
        self.login_method = Some(mechanism.as_str());
        self.exchanges += 1;
        let unique = format!("{}{}", encode_base64(&self.info.nonce), self.exchanges);
        let plus_is_offered = self.offered().any(Mechanism::uses_channel_binding);
        // A binding is for one exchange (S36). The mechanism stays announced: capabilities do not disappear (S37), and a client
        // that received a manipulated offer must still be detected (S35).
        if mechanism.uses_channel_binding() && mem::replace(&mut self.channel_binding_used, true) {
            return self.refuse(Phrase::BoundOnce, out);
        }
        let Some(mut exchange) = ServerExchange::new(mechanism, &unique, &self.info.binding, plus_is_offered) else {
            return self.refuse(Phrase::NoMechanism, out);
        };
        match initial.map(Word::into_bytes) {
            None => {
                put_challenge(out, &exchange.first_challenge());
                self.phase = Phase::Authorization(LoginState::Sasl(Box::new(exchange)));
                MachineEvent::Continue
            }
            // An empty response, as opposed to none (S28).
            Some(b"=") => self.step(Box::new(exchange), b"", out),
            Some(text) => match decode_base64(text) {
                Ok(response) => self.step(Box::new(exchange), &response, out),
                Err(error) => self.refuse(explain_sasl(error), out),
            },
        }
    }

    /// Processes a line of an exchange.
    pub(super) fn respond<'i>(&mut self, line: &[u8], out: &mut BytesMut) -> MachineEvent<'i> {
        let exchange = match self.phase.take_login_state() {
            LoginState::Sasl(exchange) => exchange,
            _ => {
                // The failed login was counted when the challenge reported it.
                self.say_denial(LoginDenial::Credentials, out);
                return MachineEvent::Continue;
            }
        };
        let line = trim_blanks(line);
        if line == b"*" {
            return self.refuse(Phrase::Cancelled, out);
        }
        match decode_base64(line) {
            Ok(response) => {
                let response = Secret::from(&response);
                self.step(exchange, response.expose(), out)
            }
            Err(error) => self.refuse(explain_sasl(error), out),
        }
    }

    fn step<'i>(&mut self, mut exchange: Box<ServerExchange>, response: &[u8], out: &mut BytesMut) -> MachineEvent<'i> {
        match exchange.step(response) {
            Ok(ExchangeEvent::Challenge(challenge)) => {
                put_challenge(out, &challenge);
                self.phase = Phase::Authorization(LoginState::Sasl(exchange));
                MachineEvent::Continue
            }
            #[cfg(feature = "scram")]
            Ok(ExchangeEvent::FindKeys(hash, name)) => {
                let Some(name) = self.prepared_name(name.as_bytes()) else { return self.refuse(Phrase::DoesNotFit, out) };
                self.phase = Phase::Authorization(LoginState::Sasl(exchange));
                self.pending = PendingQuestion::Keys;
                MachineEvent::FindKeys(hash, name)
            }
            Ok(ExchangeEvent::Authenticate(name, credentials)) => match self.prepared_login(LoginAttempt { name, credentials }) {
                Some(login) => self.ask_login(login),
                None => self.refuse(Phrase::DoesNotFit, out),
            },
            Ok(ExchangeEvent::External(name)) => {
                let certificate = self.info.certificate.clone().unwrap_or_default();
                match self.prepared_login(LoginAttempt { name, credentials: PresentedCredentials::External(certificate) }) {
                    Some(login) => self.ask_login(login),
                    None => self.refuse(Phrase::DoesNotFit, out),
                }
            }
            Ok(ExchangeEvent::Denied) => {
                self.put_denial(LoginDenial::Credentials, out);
                MachineEvent::Continue
            }
            Err(error) => self.refuse(explain_sasl(error), out),
        }
    }

    /// Accepts the keys for [`MachineEvent::FindKeys`].
    ///
    /// # Errors
    /// No keys were requested.
    #[cfg(feature = "scram")]
    pub fn provide_keys(&mut self, keys: crate::sasl::ScramKeys, out: &mut BytesMut) -> Result<(), LocalError> {
        self.take_question(PendingQuestion::Keys)?;
        if let LoginState::Sasl(mut exchange) = self.phase.take_login_state() {
            match exchange.provide_keys(keys) {
                Ok(challenge) => {
                    put_challenge(out, &challenge);
                    self.phase = Phase::Authorization(LoginState::Sasl(exchange));
                }
                Err(error) => self.say(Status::Err, None, explain_sasl(error), out),
            }
        }
        Ok(())
    }

    pub(super) fn ask_login<'i>(&mut self, login: LoginAttempt) -> MachineEvent<'i> {
        self.pending = PendingQuestion::Login { by_token: matches!(login.credentials, PresentedCredentials::Token(_)) };
        MachineEvent::Authenticate(login)
    }

    pub(super) fn login_allowed(&self) -> bool {
        self.info.encrypted || self.config.cleartext_login == CleartextLogin::DangerouslyAllow
    }

    /// Returns `true` if the client may send the password itself. If `APOP` is offered, this requires TLS.
    // S26
    pub(super) fn password_allowed(&self) -> bool {
        self.login_allowed() && (self.info.encrypted || !self.config.apop)
    }

    /// Appends the reply to a denied login, and counts wrong credentials.
    pub(super) fn put_denial(&mut self, denial: LoginDenial, out: &mut BytesMut) {
        self.failed_logins += u32::from(denial == LoginDenial::Credentials);
        self.say_denial(denial, out);
    }

    fn say_denial(&mut self, denial: LoginDenial, out: &mut BytesMut) {
        let (code, phrase) = match denial {
            LoginDenial::Credentials => (ResponseCode::Auth, Phrase::WrongCredentials),
            LoginDenial::InUse => (ResponseCode::InUse, Phrase::InUse),
            LoginDenial::LoginDelay => (ResponseCode::LoginDelay, Phrase::TooSoon),
            LoginDenial::Temporary => (ResponseCode::SysTemp, Phrase::NotNow),
            LoginDenial::Permanent => (ResponseCode::SysPerm, Phrase::NotEver),
        };
        self.say(Status::Err, Some(code), phrase, out);
        self.close_if_guessing();
    }

    /// Closes the session after too many failed logins.
    // H38
    fn close_if_guessing(&mut self) {
        if self.failed_logins >= self.config.max_failed_logins.max(1) {
            self.close(CloseReason::FailedLogins);
        }
    }

    /// Clears the question of a login. Returns `true` if the login was by a token.
    fn answer_login(&mut self) -> Result<bool, LocalError> {
        let PendingQuestion::Login { by_token } = self.pending else { return Err(LocalError::NotAsked) };
        self.pending = PendingQuestion::Nothing;
        Ok(by_token)
    }

    /// Ends the exchange if it waits for keys. Returns `true` if it did.
    #[cfg(feature = "scram")]
    fn is_without_keys(&mut self) -> bool {
        let asked = self.take_question(PendingQuestion::Keys).is_ok();
        if asked {
            self.phase.take_login_state();
        }
        asked
    }

    #[cfg(not(feature = "scram"))]
    #[allow(clippy::unused_self)] // The counterpart with `scram` uses `self`.
    const fn is_without_keys(&self) -> bool {
        false
    }

    /// Accepts the login: the session enters the `TRANSACTION` state.
    ///
    /// # Errors
    /// No login waits for an answer.
    pub fn accept(&mut self, text: ReplyText<'_>, out: &mut BytesMut) -> Result<(), LocalError> {
        self.answer_login()?;
        self.phase = Phase::Transaction;
        self.bad_commands = 0;
        encode_status_line(out, Status::Ok, None, text);
        Ok(())
    }

    /// Denies the login, or reports that its keys cannot be found. The client may try again.
    ///
    /// # Errors
    /// Neither a login nor a request for keys waits for an answer.
    pub fn deny(&mut self, denial: LoginDenial, out: &mut BytesMut) -> Result<(), LocalError> {
        if self.is_without_keys() {
            self.put_denial(denial, out);
            return Ok(());
        }
        if self.answer_login()? && denial == LoginDenial::Credentials {
            // The server first reports in a challenge why the token is refused (RFC 7628 §3.2.3).
            self.failed_logins += 1;
            put_challenge(out, br#"{"status":"invalid_token"}"#);
            self.phase = Phase::Authorization(LoginState::TokenRefused);
        } else {
            self.put_denial(denial, out);
        }
        Ok(())
    }

    /// Denies the login, or a request for its keys, with a code and a text of the caller's own.
    ///
    /// # Errors
    /// Neither a login nor a request for keys waits for an answer.
    pub fn deny_with(
        &mut self,
        code: Option<ResponseCode<'_>>,
        text: ReplyText<'_>,
        out: &mut BytesMut,
    ) -> Result<(), LocalError> {
        if !self.is_without_keys() {
            self.answer_login()?;
        }
        let is_guess = match code {
            Some(ResponseCode::InUse | ResponseCode::LoginDelay | ResponseCode::SysTemp | ResponseCode::SysPerm) => false,
            None | Some(ResponseCode::Auth | ResponseCode::Utf8 | ResponseCode::Other(_)) => true,
        };
        self.failed_logins += u32::from(is_guess);
        encode_status_line(out, Status::Err, code, text);
        self.close_if_guessing();
        Ok(())
    }
}

/// Appends a challenge: `+`, a blank and base64. The blank is required before an empty challenge, too.
// S28
fn put_challenge(out: &mut BytesMut, challenge: &[u8]) {
    out.put_slice(b"+ ");
    out.put_slice(encode_base64(challenge).as_bytes());
    out.put_slice(b"\r\n");
}

/// Returns the text for a failed exchange. Such a failure does not count as wrong credentials.
const fn explain_sasl(error: SaslError) -> Phrase {
    match error {
        SaslError::NotBase64 => Phrase::NotBase64,
        SaslError::Downgrade => Phrase::Downgraded,
        _ => Phrase::DoesNotFit,
    }
}
