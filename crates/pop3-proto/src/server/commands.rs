//! What each command does before login, and how what is out of place is refused.

use alloc::borrow::Cow;
use alloc::format;

use bytes::{BufMut, BytesMut};

use super::machine::{Asked, Dialogue, Phase};
use super::phrase::Phrase;
use super::{ApopProof, Denial, Ending, Language, Login, Name, Origin, Proof, Server, ServerEvent, Utf8};
use crate::codec::{Command, MalformedCommand, Status, Text, Username, Verb, Word, put_status};
use crate::sasl::prepare;
use crate::state::State;
use crate::{Progress, Secret};

impl Server {
    pub(super) fn take<'i>(&mut self, command: Command<'i>, out: &mut BytesMut) -> ServerEvent<'i> {
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
                Command::Last => self.refuse_mildly(Phrase::LogInFirst, out),
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
            // There is nothing to remove (S20).
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
            // Whether there is such a name is not told (S24).
            Command::User(name) => match self.prepared_name(name.as_bytes()) {
                Some(name) => {
                    self.phase = Phase::Authorization(Dialogue::User(name));
                    self.say(Status::Ok, None, Phrase::PasswordPlease, out);
                    ServerEvent::NeedInput
                }
                None => self.refuse(Phrase::UserTakes, out),
            },
            Command::Pass(password) => match (dialogue, self.prepared_password(password.expose())) {
                (Dialogue::User(name), Some(password)) => {
                    let proof = Proof::Password(Secret::from(&password[..]));
                    self.login_method = Some("USER");
                    self.ask_login(Login { name, proof })
                }
                // A password that nobody can have is a wrong one (S40).
                (Dialogue::User(_), None) => {
                    self.put_denial(Denial::Credentials, out);
                    ServerEvent::NeedInput
                }
                _ => self.refuse(Phrase::UserFirst, out),
            },
            Command::Apop(name, digest) => match (self.timestamp(), self.prepared_name(name.as_bytes())) {
                (Some(timestamp), Some(name)) => {
                    let proof = Proof::Apop(ApopProof::new(timestamp.as_bytes(), digest));
                    self.login_method = Some("APOP");
                    self.ask_login(Login { name, proof })
                }
                (Some(_), None) => self.refuse(Phrase::ApopTakes, out),
                (None, _) => self.refuse(Phrase::NoApop, out),
            },
            Command::Utf8 if self.config.utf8 == Utf8::No => self.refuse(Phrase::NotHere, out),
            // Messages that need it are shown from now on (S54).
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

    /// The same for a password. One that is no UTF-8, as old ones in Latin-1, is taken byte for byte (Q53).
    fn prepared_password<'p>(&self, password: &'p [u8]) -> Option<Cow<'p, [u8]>> {
        if str::from_utf8(password).is_err() { Some(Cow::Borrowed(password)) } else { self.prepared(password) }
    }

    /// A login of a mechanism.
    pub(super) fn prepared_login(&self, login: Login) -> Option<Login> {
        let name = self.prepared_name(login.name.as_bytes())?;
        let proof = match login.proof {
            Proof::Password(password) => Proof::Password(Secret::from(&self.prepared_password(password.expose())?[..])),
            proof => proof,
        };
        Some(Login { name, proof })
    }

    pub(super) fn prepared_name(&self, name: &[u8]) -> Option<Name> {
        let name = self.prepared(name)?;
        Some(Username::new(&name[..]).ok()?.into())
    }

    /// `LANG` (RFC 6856 §3.2, S55).
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

    /// What old clients try before they do it in another way: not a reason to send them away (Q60).
    pub(super) fn refuse_mildly<'i>(&self, phrase: Phrase, out: &mut BytesMut) -> ServerEvent<'i> {
        self.say(Status::Err, None, phrase, out);
        ServerEvent::NeedInput
    }

    /// Whoever begins like this will never say a command (Q56, Q57).
    pub(super) fn other_protocol<'i>(&mut self, why: Ending, input: &'i [u8], out: &mut BytesMut) -> Progress<ServerEvent<'i>> {
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
}

pub(super) fn explain(malformed: MalformedCommand) -> Phrase {
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
pub(super) fn is_historic(line: &[u8]) -> bool {
    const TRIED: [&[u8]; 7] = [b"XTND", b"RPOP", b"HELP", b"PING", b"XOIP", b"IMPLEMENTATION", b"ID"];
    first_word(line).is_some_and(|word| TRIED.iter().any(|tried| tried.eq_ignore_ascii_case(word)))
}

/// The first line of a web browser, of a mail server, of a shell.
pub(super) fn is_other_protocol(line: &[u8]) -> bool {
    const OTHERS: [&[u8]; 8] = [b"GET", b"POST", b"HEAD", b"OPTIONS", b"CONNECT", b"PRI", b"EHLO", b"HELO"];
    line.starts_with(b"SSH-") || first_word(line).is_some_and(|word| OTHERS.contains(&word))
}

fn first_word(line: &[u8]) -> Option<&[u8]> {
    line.split(|byte| matches!(byte, b' ' | b'\t')).next()
}
