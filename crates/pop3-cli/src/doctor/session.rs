//! A session as `pop3 fetch` has one: the capabilities, the login, the maildrop and the speed. Nothing is read or deleted.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use pop3_blocking::proto::client::{ClientEvent, LoginFailure, LoginPolicy, Observer, Refusal, RemoteError, RequestError};
use pop3_blocking::proto::codec::{Capabilities, Command, ResponseCode};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::proto::{Secret, State};
use pop3_blocking::{Client, ClientOptions, Error};
use pop3_providers::{Provider, RefusalKind};

use super::finding::{Check, Finding};
use crate::explanation;
use crate::failure::Exit;
use crate::language::{Message, translated};
use crate::server_text::{readable, readable_if_known};
use crate::withhold::withhold;

/// The credentials of a login, and the secret in them, which no finding may contain.
pub struct Login {
    pub credentials: Credentials,
    pub secret: Secret,
    pub policy: LoginPolicy,
}

/// What a session is examined with.
pub struct Session<'a> {
    pub host: &'a str,
    pub port: u16,
    pub options: &'a ClientOptions,
    pub user: Option<&'a str>,
    pub login: Option<&'a Login>,
    pub provider: Option<&'static Provider>,
}

impl Session<'_> {
    /// Returns a client that is connected, with TLS if the options require it.
    ///
    /// # Errors
    /// See [`Client::connect`].
    pub fn connect(&self) -> Result<(Client, Method), Error> {
        let method = Method::default();
        let client = Client::connect_observed(self.host, self.port, self.options, Some(Box::new(method.clone())))?;
        Ok((client, method))
    }

    /// Examines a session, and tells each finding. Ends at the first failure, and returns its exit code.
    pub fn examine(&self, client: &mut Client, method: &Method, tell: &mut dyn FnMut(Finding)) -> Result<(), Exit> {
        let capabilities = match client.capa() {
            Ok(capabilities) => {
                tell(capabilities_finding(&capabilities));
                Some(capabilities)
            }
            Err(error) if error.refusal().is_some() => {
                let found = Finding::note(Check::Pop3, Message::new("doctor-pop3-no-capa"));
                tell(found.means(Message::new("doctor-pop3-no-capa-means")));
                None
            }
            Err(error) => return Err(failed(tell, self.broken(Check::Pop3, error))),
        };
        let Some(login) = self.login else {
            tell(
                Finding::note(Check::Login, Message::new("doctor-login-skipped")).next(Message::new("doctor-login-skipped-next")),
            );
            return Ok(());
        };
        let start = Instant::now();
        match client.login_with(&login.credentials, &login.policy).map_err(|error| withhold(error, &login.secret)) {
            Ok(()) => {
                let found = Message::new("doctor-login").with("user", self.user.unwrap_or("?")).with("method", method.get());
                tell(Finding::good(Check::Login, found).took(start.elapsed()));
            }
            Err(error) => return Err(failed(tell, self.refused(&error).took(start.elapsed()))),
        }
        let start = Instant::now();
        match client.stat() {
            Ok(stat) => {
                let octets = stat.octets.map_or_else(|| "?".to_owned(), |octets| octets.to_string());
                let found = Message::new("doctor-mailbox").with("messages", stat.messages).with("octets", octets);
                tell(Finding::good(Check::Mailbox, found).took(start.elapsed()));
            }
            Err(error) => return Err(failed(tell, self.broken(Check::Mailbox, error))),
        }
        self.rules().into_iter().for_each(&mut *tell);
        let can_pipeline = capabilities.is_some_and(|capabilities| capabilities.pipelining);
        match speed(client, can_pipeline) {
            Ok(finding) => tell(finding),
            // A server without NOOP is as good as others; its speed is not known.
            Err(error) if error.refusal().is_some() => {}
            Err(error) => return Err(failed(tell, self.broken(Check::Speed, error))),
        }
        Ok(())
    }

    fn broken(&self, check: Check, error: Error) -> Finding {
        let error = match self.login {
            Some(login) => withhold(error, &login.secret),
            None => error,
        };
        broken(check, &error)
    }

    /// Returns the finding of a failed login.
    fn refused(&self, error: &Error) -> Finding {
        let Some(failure) = error.login_failure() else { return broken(Check::Login, error) };
        let refusal = error.refusal();
        let is_known = |text: &str| self.provider.is_some_and(|provider| provider.meaning(text).is_some());
        let text = refusal.map(|refusal| readable_if_known(&refusal.text, is_known)).unwrap_or_default();
        let failed = |exit, found: Message| Finding::failed(Check::Login, exit, found.with("text", &text));
        let meaning = self.provider.and_then(|provider| provider.meaning(&text));
        match (failure, refusal.and_then(Refusal::code), meaning) {
            (_, Some(ResponseCode::InUse), _) => failed(Exit::TryLater, Message::new("doctor-login-in-use"))
                .means(Message::new("doctor-login-in-use-means"))
                .next(Message::new("doctor-login-in-use-next")),
            (_, Some(ResponseCode::LoginDelay), _) | (_, _, Some(RefusalKind::TooOften)) => {
                failed(Exit::TryLater, Message::new("doctor-login-delay"))
                    .means(Message::new("doctor-login-delay-means"))
                    .next(Message::new("doctor-login-delay-next"))
            }
            (_, _, Some(RefusalKind::Blocked | RefusalKind::WebLogin)) => {
                self.advised(failed(Exit::Login, Message::new("doctor-login-web")).means(Message::new("doctor-login-web-means")))
            }
            (LoginFailure::SwitchedOff, ..) | (_, _, Some(RefusalKind::PopOff)) => self.advised(
                failed(Exit::Login, Message::new("doctor-login-pop-off"))
                    .means(Message::new("doctor-login-pop-off-means"))
                    .next(Message::new("doctor-login-pop-off-next")),
            ),
            (LoginFailure::OtherPassword, ..) | (_, _, Some(RefusalKind::OtherPassword)) => self.advised(
                failed(Exit::Login, Message::new("doctor-login-other-password"))
                    .means(Message::new("doctor-login-other-password-means"))
                    .next(Message::new("doctor-login-other-password-next")),
            ),
            (LoginFailure::Temporary { .. }, ..) => {
                failed(Exit::TryLater, Message::new("doctor-login-temporary")).next(Message::new("doctor-login-temporary-next"))
            }
            (LoginFailure::NoMechanism, ..) => failed(Exit::Other, Message::new("doctor-login-no-mechanism"))
                .means(Message::new("doctor-login-no-mechanism-means"))
                .next(Message::new("doctor-login-no-mechanism-next")),
            (LoginFailure::WrongCredentials, ..) => self.advised(
                failed(Exit::Login, Message::new("doctor-login-wrong"))
                    .means(Message::new("doctor-login-wrong-means"))
                    .next(Message::new("doctor-login-wrong-next")),
            ),
            _ => failed(Exit::Other, Message::new("doctor-login-other").with("error", explanation::of(error)))
                .next(Message::new("doctor-login-other-next")),
        }
    }

    /// Returns what a user must know of the provider's rules: what becomes of fetched mail, and how often one may log in.
    // Q61, Q63, Q64, Q65, Q66, Q67
    fn rules(&self) -> Vec<Finding> {
        let Some(provider) = self.provider else { return Vec::new() };
        let advice = |text: &str| Message::new("doctor-advice").with("provider", &provider.name).with("text", text);
        let deletion = provider.deletion.as_ref().map(|text| advice(translated(text)));
        let poll = provider
            .poll_minutes
            .map(|minutes| Message::new("guide-poll").with("provider", &provider.name).with("minutes", minutes));
        deletion.into_iter().chain(poll).map(|found| Finding::note(Check::Mailbox, found)).collect()
    }

    /// Adds what the provider says about passwords and POP.
    fn advised(&self, finding: Finding) -> Finding {
        let Some(provider) = self.provider else { return finding };
        let advice = |text: &str| Message::new("doctor-advice").with("provider", &provider.name).with("text", text);
        [&provider.switch_on, &provider.help]
            .into_iter()
            .flatten()
            .fold(finding, |finding, text| finding.next(advice(translated(text))))
    }
}

/// Tells a failure, and returns its exit code.
fn failed(tell: &mut dyn FnMut(Finding), finding: Finding) -> Exit {
    let exit = finding.exit;
    tell(finding);
    exit
}

/// Returns the finding of a session that broke, or of a server that breaks the protocol.
pub fn broken(check: Check, error: &Error) -> Finding {
    match error {
        Error::TimedOut { after, .. } => {
            Finding::failed(check, Exit::Connection, Message::new("doctor-session-silent").with("seconds", after.as_secs()))
                .next(Message::new("doctor-session-silent-next"))
        }
        Error::Request(RequestError::Remote(RemoteError::Closed(_))) => {
            Finding::failed(check, Exit::Connection, Message::new("doctor-session-closed"))
                .means(Message::new("doctor-session-closed-means"))
                .next(Message::new("doctor-session-closed-next"))
        }
        Error::Request(RequestError::NoTls(_)) => Finding::failed(check, Exit::Tls, Message::new("doctor-tls-no-stls"))
            .means(Message::new("doctor-tls-no-stls-means"))
            .next(Message::new("doctor-tls-no-stls-next")),
        error => Finding::failed(check, Exit::Connection, Message::new("doctor-session-other").with("error", error)),
    }
}

fn capabilities_finding(capabilities: &Capabilities) -> Finding {
    let mut listed: Vec<String> = [
        ("UIDL", capabilities.uidl),
        ("TOP", capabilities.top),
        ("PIPELINING", capabilities.pipelining),
        ("RESP-CODES", capabilities.resp_codes),
        ("USER", capabilities.user),
    ]
    .into_iter()
    .filter(|(_, offered)| *offered)
    .map(|(name, _)| name.to_owned())
    .collect();
    if !capabilities.mechanisms.is_empty() {
        let names: Vec<_> = capabilities.mechanisms.iter().map(|name| readable(name)).collect();
        listed.push(format!("SASL {}", names.join(" ")));
    }
    let found = Message::new("doctor-pop3").with("capabilities", listed.join(", "));
    match capabilities.uidl {
        true => Finding::good(Check::Pop3, found),
        false => Finding::warning(Check::Pop3, found)
            .means(Message::new("doctor-pop3-no-uidl-means"))
            .next(Message::new("doctor-pop3-no-uidl-next")),
    }
}

/// Measures some commands one after another and, if the server can, in a pipeline.
fn speed(client: &mut Client, can_pipeline: bool) -> Result<Finding, Error> {
    const COMMANDS: u32 = 8;
    let start = Instant::now();
    for _ in 0..COMMANDS {
        client.noop()?;
    }
    let apart = start.elapsed();
    let milliseconds = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1000.0);
    let one = milliseconds(apart / COMMANDS);
    if !can_pipeline {
        let found = Message::new("doctor-speed").with("milliseconds", one);
        return Ok(Finding::note(Check::Speed, found).means(Message::new("doctor-speed-no-pipeline")));
    }
    let start = Instant::now();
    client.batch(COMMANDS as usize, (0..COMMANDS).map(|_| Command::Noop), |_, _: ClientEvent<'_>| {})?;
    let together = start.elapsed();
    let found = Message::new("doctor-speed-pipeline")
        .with("milliseconds", one)
        .with("count", COMMANDS)
        .with("apart", milliseconds(apart))
        .with("together", milliseconds(together));
    Ok(Finding::good(Check::Speed, found))
}

/// The login method that a session uses.
#[derive(Clone, Debug, Default)]
pub struct Method(Arc<Mutex<String>>);

impl Method {
    fn get(&self) -> String {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Observer for Method {
    fn sent(&mut self, _: Option<State>, line: &str) {
        let mut words = line.split(' ');
        let method = match (words.next(), words.next()) {
            (Some("AUTH"), Some(mechanism)) => format!("AUTH {mechanism}"),
            (Some("USER"), _) => "USER/PASS".to_owned(),
            (Some("APOP"), _) => "APOP".to_owned(),
            _ => return,
        };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = method;
    }

    fn received(&mut self, _: Option<State>, _: &ClientEvent<'_>) {}
}
