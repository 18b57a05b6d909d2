//! The execution of commands, and the refusal of commands that are out of place.

use alloc::borrow::Cow;
use alloc::format;

use bytes::{BufMut, BytesMut};

use super::phase::{LoginState, PendingQuestion, Phase};
use super::{Machine, MachineEvent};
use crate::Secret;
use crate::codec::{Command, OwnedUsername, ReplyText, Status, Username, Verb, Word, encode_status_line};
use crate::sasl::{ApopProof, PresentedCredentials, prepare};
use crate::server::close_reason::CloseReason;
use crate::server::config::Utf8;
use crate::server::language::Language;
use crate::server::login::{LoginAttempt, LoginDenial};
use crate::server::phrase::Phrase;
use crate::server::proxied_client::ProxiedClient;
use crate::state::State;

impl Machine {
    pub(super) fn execute<'i>(&mut self, command: Command<'i>, out: &mut BytesMut) -> MachineEvent<'i> {
        let state = self.phase.state();
        // Anything between USER and PASS ends the login (S23).
        let login_state = self.phase.take_login_state();
        if !state.permits(command.verb(), self.info.encrypted) {
            return match command {
                // Some clients send these commands in the wrong state, without bad intent.
                Command::Utf8 if state == State::Transaction && self.config.utf8_after_login => {
                    self.say(Status::Ok, None, Phrase::Utf8On, out);
                    MachineEvent::Continue
                }
                Command::Noop if state == State::Authorization && self.config.noop_before_login => {
                    encode_status_line(out, Status::Ok, None, ReplyText::EMPTY);
                    MachineEvent::Continue
                }
                Command::Last => self.refuse_uncounted(Phrase::LogInFirst, out),
                _ => self.refuse(Self::out_of_place(command.verb(), state), out),
            };
        }
        match command {
            Command::Capa => {
                self.capabilities(out);
                MachineEvent::Continue
            }
            Command::Quit if state == State::Transaction => {
                self.pending = PendingQuestion::Quit;
                MachineEvent::Quit
            }
            // Before login there is nothing to remove (S20).
            Command::Quit => {
                self.say(Status::Ok, None, Phrase::Bye, out);
                self.close(CloseReason::Quit);
                MachineEvent::Closed
            }
            Command::Stls if !self.config.stls => self.refuse(Phrase::NoTls, out),
            Command::Stls if self.utf8 => self.refuse(Phrase::NoTlsAfterUtf8, out),
            Command::Stls => {
                self.say(Status::Ok, None, Phrase::BeginTls, out);
                self.phase = Phase::Upgrading;
                MachineEvent::UpgradeTls
            }
            Command::AuthList => {
                self.say(Status::Ok, None, Phrase::MechanismsFollow, out);
                for mechanism in self.offered() {
                    out.put_slice(mechanism.as_str().as_bytes());
                    out.put_slice(b"\r\n");
                }
                out.put_slice(b".\r\n");
                MachineEvent::Continue
            }
            Command::Auth(name, initial) => self.begin_exchange(name, initial, out),
            // The reply is equal for every name, so it reveals nothing about the name (S48).
            Command::User(_) | Command::Pass(_) if !self.password_allowed() => self.refuse(Phrase::TlsFirst, out),
            Command::Apop(..) if !self.login_allowed() => self.refuse(Phrase::TlsFirst, out),
            // The reply does not reveal whether the name exists (S24).
            Command::User(name) => match self.prepared_name(name.as_bytes()) {
                Some(name) => {
                    self.phase = Phase::Authorization(LoginState::User(name));
                    self.say(Status::Ok, None, Phrase::PasswordPlease, out);
                    MachineEvent::Continue
                }
                None => self.refuse(Phrase::UserTakes, out),
            },
            Command::Pass(password) => match (login_state, self.prepared_password(password.expose())) {
                (LoginState::User(name), Some(password)) => {
                    let credentials = PresentedCredentials::Password(Secret::from(&password[..]));
                    self.login_method = Some("USER");
                    self.ask_login(LoginAttempt { name, credentials })
                }
                // No user can have this password, so it is a wrong one (S40).
                (LoginState::User(_), None) => {
                    self.put_denial(LoginDenial::Credentials, out);
                    MachineEvent::Continue
                }
                _ => self.refuse(Phrase::UserFirst, out),
            },
            Command::Apop(name, digest) => match (self.timestamp(), self.prepared_name(name.as_bytes())) {
                (Some(timestamp), Some(name)) => {
                    let credentials = PresentedCredentials::Apop(ApopProof::new(timestamp.as_bytes(), digest));
                    self.login_method = Some("APOP");
                    self.ask_login(LoginAttempt { name, credentials })
                }
                (Some(_), None) => self.refuse(Phrase::ApopTakes, out),
                (None, _) => self.refuse(Phrase::NoApop, out),
            },
            Command::Utf8 if self.config.utf8 == Utf8::No => self.refuse(Phrase::NotHere, out),
            // Messages that require UTF8 are shown from now on (S54).
            Command::Utf8 => {
                self.utf8 = true;
                self.say(Status::Ok, None, Phrase::Utf8On, out);
                MachineEvent::Continue
            }
            Command::Lang(range) => self.set_language(range, out),
            Command::Last if !self.config.last => self.refuse_uncounted(Phrase::NotHere, out),
            Command::Xclient(_) if !self.info.trusted => self.refuse(Phrase::NotTrusted, out),
            Command::Xclient(words) => match ProxiedClient::parse(words) {
                Some(proxied_client) => {
                    self.proxied_client = Some(proxied_client);
                    self.say(Status::Ok, None, Phrase::OriginNoted, out);
                    MachineEvent::Continue
                }
                None => self.refuse(Phrase::XclientTakes, out),
            },
            _ => {
                self.pending = PendingQuestion::Command;
                MachineEvent::Command(command)
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

    /// Returns a name or a password in the form in which it is compared, or `None` if no user can have it.
    fn prepared<'p>(&self, text: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        if self.config.utf8 == Utf8::MessagesAndLogins { prepare(text) } else { Some(Cow::Borrowed(text)) }
    }

    /// Returns a password in the form in which it is compared, or `None` if no user can have it. A password that is not UTF-8,
    /// such as an old one in Latin-1, stays unchanged.
    // Q53
    fn prepared_password<'p>(&self, password: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        if str::from_utf8(password).is_err() { Some(Cow::Borrowed(password)) } else { self.prepared(password) }
    }

    /// Returns the login attempt of a mechanism with its name and password prepared, or `None` if no user can have them.
    pub(super) fn prepared_login(&self, login: LoginAttempt) -> Option<LoginAttempt> {
        let name = self.prepared_name(login.name.as_bytes())?;
        let credentials = match login.credentials {
            PresentedCredentials::Password(password) => {
                PresentedCredentials::Password(Secret::from(&self.prepared_password(password.expose())?[..]))
            }
            credentials => credentials,
        };
        Some(LoginAttempt { name, credentials })
    }

    pub(super) fn prepared_name(&self, name: &[u8]) -> Option<OwnedUsername> {
        let name = self.prepared(name)?;
        Some(Username::new(&name[..]).ok()?.into())
    }

    /// Executes `LANG` (RFC 6856 §3.2).
    // S55
    fn set_language<'i>(&mut self, range: Option<Word<'_>>, out: &mut BytesMut) -> MachineEvent<'i> {
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
                return MachineEvent::Continue;
            }
            Some(b"*") => Some(self.config.language),
            Some(range) => Language::find(range),
        };
        let Some(language) = chosen else { return self.refuse(Phrase::NoSuchLanguage, out) };
        self.language = language;
        let text = format!("{language} {}", Phrase::LanguageChanged.text(language).as_str());
        encode_status_line(out, Status::Ok, None, ReplyText::new(&text).unwrap_or_default());
        MachineEvent::Continue
    }
}
