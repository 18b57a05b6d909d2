//! Logging in, from the greeting on: the capabilities, TLS, the strongest way that both sides have.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::auth::{Auth, Fallback};
use super::commands::{capa, greet, stls, user_pass, utf8};
use super::refusal::RequestError;
use super::request::Request;
use crate::client::command_sink::CommandSink;
use crate::client::error::LocalError;
use crate::client::event::{ClientEvent, OwnedGreeting};
use crate::codec::{Capabilities, Password, ResponseCode, Username};
use crate::sasl::{ChannelBinding, Credentials, ExchangeContext, Mechanism, OfferedMechanisms, SaslError, client_mechanism};

/// How a login may be done. Whether one may be done in the clear is said in [`ClientConfig`](crate::client::ClientConfig).
#[derive(Clone, Debug)]
pub struct LoginPolicy {
    /// On a connection in the clear `STLS` comes first, and nothing is done without it (H07). A driver that was told not
    /// to use TLS passes it over.
    pub stls: bool,
    /// The mechanisms for `AUTH` that may be used; the strongest that the server has is.
    pub mechanisms: Vec<Mechanism>,
    /// Mechanisms that the server has though it does not say so (Q11).
    pub assumed: Vec<Mechanism>,
    /// `APOP` may be used rather than a way that sends the password, where the greeting has a timestamp. Its digest is of MD5: who
    /// listens can try passwords against it.
    pub apop: bool,
    /// `USER` and `PASS` may be used where no mechanism fits.
    pub user_pass: bool,
    /// Send the initial response of `XOAUTH2` on a line of its own.
    pub two_lines: bool,
    /// Send `UTF8` before the login where the server announces it: some servers wrap messages with headers in UTF-8 for clients that
    /// do not, and some refuse them (RFC 6856 §2.1).
    pub utf8: bool,
    /// Ask for the capabilities. Some servers close the connection when they hear `CAPA` (Q09): for these, no.
    pub capa: bool,
}

impl Default for LoginPolicy {
    /// Everything that tells who one is, but `APOP`; the machine sees to it that nothing is said in the clear.
    fn default() -> Self {
        let mechanisms = Mechanism::ALL.into_iter().filter(|mechanism| *mechanism != Mechanism::Anonymous);
        Self {
            stls: true,
            mechanisms: mechanisms.collect(),
            assumed: Vec::new(),
            apop: false,
            user_pass: true,
            two_lines: false,
            utf8: false,
            capa: true,
        }
    }
}

/// What a login must know of the connection.
#[derive(Clone, Debug)]
pub struct LoginContext<'a> {
    /// The host that the user named.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Eighteen octets of chance, never used before.
    pub nonce: [u8; 18],
    /// What a login can be bound to.
    pub binding: ChannelBinding,
}

/// How far a [`login`] has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The server is ready for TLS: hand the connection to [`Connection::upgrade`](crate::client::Connection::upgrade), do the
    /// handshake, tell [`Login::bind`] what the login can be bound to, and start the same request again.
    UpgradeTls,
    /// Logged in.
    Done,
}

/// A request in a request.
type Boxed<'a, T> = Box<dyn Request<Output = T> + Send + 'a>;

enum LoginStep<'a> {
    Start,
    Greeting(Boxed<'a, OwnedGreeting>),
    Capabilities(Boxed<'a, Capabilities>),
    Stls(Boxed<'a, ()>),
    Utf8(Boxed<'a, ()>),
    Auth(Auth),
    /// `USER` and `PASS`, or `APOP`.
    Other(Boxed<'a, ()>),
    /// There is no way from here.
    Ended(RequestError),
}

/// Logs in, from wherever the session is before login, in one request: waits for the greeting, asks for the capabilities, has the
/// connection switched to TLS where the policy demands it, asks again, takes the strongest mechanism that both sides have, and goes
/// down from there only if the server refuses the mechanism itself. Wrong credentials are not tried again in another way, and
/// nothing goes over the wire in the clear that should not (H07, H08).
///
/// [`RequestError::login_failure`] tells what an error means.
pub fn login<'a>(credentials: &'a Credentials, policy: &'a LoginPolicy, context: LoginContext<'a>) -> Login<'a> {
    Login::new(credentials, policy, context)
}

/// The request that [`login`] makes.
pub struct Login<'a> {
    credentials: &'a Credentials,
    policy: &'a LoginPolicy,
    context: LoginContext<'a>,
    step: LoginStep<'a>,
    offer: OfferedMechanisms,
    /// What the server wants between two logins.
    delay: Option<Duration>,
    /// Mechanisms that the server announces and does not have.
    refused: Vec<Mechanism>,
    /// Mechanisms whose initial response the server refuses.
    without_initial_response: Vec<Mechanism>,
}

impl<'a> Login<'a> {
    pub(super) fn new(credentials: &'a Credentials, policy: &'a LoginPolicy, context: LoginContext<'a>) -> Self {
        Self {
            credentials,
            policy,
            context,
            step: LoginStep::Start,
            offer: OfferedMechanisms::default(),
            delay: None,
            refused: Vec::new(),
            without_initial_response: Vec::new(),
        }
    }

    /// What the login can be bound to, now that TLS is active.
    pub fn bind(&mut self, binding: ChannelBinding) {
        self.context.binding = binding;
    }

    /// Greeted: what can the server do?
    fn begin(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        // Nothing is asked in the clear that is not believed anyway (H06): nobody can use the answer, or break it off, to have
        // something else done under TLS.
        if !sink.is_encrypted() && self.policy.stls {
            let mut request: Boxed<'a, ()> = Box::new(stls());
            request.start(sink)?;
            self.step = LoginStep::Stls(request);
            return Ok(());
        }
        if !self.policy.capa {
            self.offer = self.offered(&[]);
            return self.next(sink);
        }
        let mut request: Boxed<'a, Capabilities> = Box::new(capa());
        request.start(sink)?;
        self.step = LoginStep::Capabilities(request);
        Ok(())
    }

    /// What the server says that it has, and what the caller knows that it has.
    fn offered(&self, announced: &[Box<[u8]>]) -> OfferedMechanisms {
        let assumed = self.policy.assumed.iter().map(|mechanism| mechanism.as_str().as_bytes());
        OfferedMechanisms::new(announced.iter().map(AsRef::as_ref).chain(assumed))
    }

    /// Begins the next way to log in; leaves `Start` where there is none.
    fn next(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.step = LoginStep::Start;
        let LoginContext { host, port, mut nonce, ref binding } = self.context;
        // No nonce is used twice.
        if let (Some(last), Ok(attempt)) =
            (nonce.last_mut(), u8::try_from(self.refused.len() + self.without_initial_response.len()))
        {
            *last ^= attempt;
        }
        let allowed = self.policy.mechanisms.iter().copied().filter(|mechanism| !self.refused.contains(mechanism));
        let allowed: Vec<Mechanism> = allowed.collect();
        let chosen = self.credentials.choose(&self.offer, &allowed, binding.is_available());
        if chosen.is_some_and(Mechanism::uses_channel_binding) && sink.channel_binding_used() {
            // To go on unbound is what somebody in the middle would want.
            self.step = LoginStep::Ended(RequestError::Sasl(SaslError::BindingUsed));
            return Ok(());
        }
        if let Some(request) = self.apop(sink.timestamp(), chosen)? {
            return self.other(request, sink);
        }
        if let Some(mechanism) = chosen {
            let plus_is_offered = Mechanism::ALL.into_iter().any(|other| other.uses_channel_binding() && self.offer.has(other));
            let exchange = ExchangeContext { host, port, nonce, binding, plus_is_offered };
            if let Some(client) = client_mechanism(mechanism, self.credentials, &exchange) {
                let two_lines = self.policy.two_lines && mechanism == Mechanism::Xoauth2;
                let mut auth = Auth::new(client, two_lines || self.without_initial_response.contains(&mechanism));
                auth.start(sink)?;
                self.step = LoginStep::Auth(auth);
                return Ok(());
            }
        }
        match self.credentials {
            Credentials::Password { name, password } if self.policy.user_pass => {
                let request = user_pass(Username::new(name)?, Password::new(password.expose())?);
                self.other(Box::new(request), sink)
            }
            _ => Ok(()),
        }
    }

    /// `APOP`, where it was asked for, is possible, and the other way would send the password.
    #[cfg(feature = "apop")]
    fn apop(&self, timestamp: Option<&[u8]>, chosen: Option<Mechanism>) -> Result<Option<Boxed<'a, ()>>, LocalError> {
        let sends_password = chosen.is_none_or(Mechanism::exposes_secret);
        match (self.credentials, timestamp) {
            (Credentials::Password { name, password }, Some(timestamp)) if self.policy.apop && sends_password => {
                Ok(Some(Box::new(super::commands::apop(Username::new(name)?, password.expose(), timestamp))))
            }
            _ => Ok(None),
        }
    }

    #[cfg(not(feature = "apop"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // The twin of the one above.
    fn apop(&self, _: Option<&[u8]>, _: Option<Mechanism>) -> Result<Option<Boxed<'a, ()>>, LocalError> {
        Ok(None)
    }

    fn other(&mut self, mut request: Boxed<'a, ()>, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        request.start(sink)?;
        self.step = LoginStep::Other(request);
        Ok(())
    }

    /// Says how long to wait, where the server has announced it.
    fn with_retry_after(&self, mut error: RequestError) -> RequestError {
        if let RequestError::Refused(refusal) = &mut error
            && refusal.code() == Some(ResponseCode::LoginDelay)
        {
            refusal.retry_after = self.delay;
        }
        error
    }

    fn take(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<LoginOutcome>, RequestError> {
        match &mut self.step {
            LoginStep::Start | LoginStep::Ended(_) => return Ok(None),
            LoginStep::Greeting(greeting) => match greeting.on_event(event, sink)? {
                Some(_) => self.begin(sink)?,
                None => return Ok(None),
            },
            LoginStep::Capabilities(capa) => {
                match capa.on_event(event, sink) {
                    Ok(None) => return Ok(None),
                    Ok(Some(capabilities)) => {
                        self.offer = self.offered(&capabilities.mechanisms);
                        self.delay = capabilities.login_delay.map(Duration::from_secs);
                        if self.policy.utf8 && capabilities.utf8.is_some() {
                            let mut request: Boxed<'a, ()> = Box::new(utf8());
                            request.start(sink)?;
                            self.step = LoginStep::Utf8(request);
                            return Ok(None);
                        }
                    }
                    // A server without CAPA is one without mechanisms (S43), but for those that the caller knows.
                    Err(RequestError::Refused(refusal)) if !refusal.is_transient() => {
                        self.offer = self.offered(&[]);
                    }
                    Err(error) => return Err(error),
                }
                self.next(sink)?;
            }
            LoginStep::Stls(stls) => match stls.on_event(event, sink) {
                Ok(None) => return Ok(None),
                Ok(Some(())) => {
                    // Nothing that was learnt in the clear is used (H06).
                    (self.step, self.offer, self.delay) = (LoginStep::Start, OfferedMechanisms::default(), None);
                    return Ok(Some(LoginOutcome::UpgradeTls));
                }
                Err(RequestError::Refused(refusal)) => return Err(RequestError::NoTls(refusal)),
                Err(error) => return Err(error),
            },
            LoginStep::Utf8(request) => match request.on_event(event, sink) {
                Ok(None) => return Ok(None),
                Ok(Some(())) => self.next(sink)?,
                // It was only asked for.
                Err(RequestError::Refused(refusal)) if !refusal.is_transient() => self.next(sink)?,
                Err(error) => return Err(error),
            },
            LoginStep::Auth(auth) => {
                let error = match auth.on_event(event, sink) {
                    Ok(done) => return Ok(done.map(|()| LoginOutcome::Done)),
                    Err(error) => error,
                };
                let (mechanism, fallback) = (auth.mechanism(), fallback_after(auth, &error));
                match fallback {
                    None => return Err(error),
                    Some(Fallback::WithoutInitialResponse) => self.without_initial_response.push(mechanism),
                    Some(Fallback::NextMechanism) => self.refused.push(mechanism),
                }
                self.next(sink)?;
                // Where there is no other way, this is why.
                if matches!(self.step, LoginStep::Start) {
                    return Err(error);
                }
            }
            LoginStep::Other(request) => return Ok(request.on_event(event, sink)?.map(|()| LoginOutcome::Done)),
        }
        // There was a next step to take, or there is no way at all.
        match mem::replace(&mut self.step, LoginStep::Start) {
            LoginStep::Start => Err(RequestError::NoMechanism),
            LoginStep::Ended(error) => Err(error),
            step => {
                self.step = step;
                Ok(None)
            }
        }
    }
}

fn fallback_after(auth: &Auth, error: &RequestError) -> Option<Fallback> {
    match error {
        RequestError::Refused(refusal) => auth.fallback(refusal),
        RequestError::Sasl(error) if auth.was_nonsense(*error) => Some(Fallback::NextMechanism),
        _ => None,
    }
}

impl Request for Login<'_> {
    type Output = LoginOutcome;

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        if sink.is_greeted() {
            return self.begin(sink);
        }
        let mut request: Boxed<'_, OwnedGreeting> = Box::new(greet());
        request.start(sink)?;
        self.step = LoginStep::Greeting(request);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<LoginOutcome>, RequestError> {
        self.take(event, sink).map_err(|error| self.with_retry_after(error))
    }
}
