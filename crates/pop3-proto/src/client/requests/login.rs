//! Login, from the greeting on: TLS, the capabilities, and the strongest mechanism that both sides support.

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

/// The methods that a login may use. [`ClientConfig`](crate::client::ClientConfig) decides whether it may happen in the clear.
#[derive(Clone, Debug)]
pub struct LoginPolicy {
    /// On a connection in the clear, `STLS` comes first, and the login fails without it. A driver that is not set to use `STLS`
    /// ignores this field.
    // H07
    pub stls: bool,
    /// The mechanisms that are allowed for `AUTH`. The login uses the strongest one that the server supports.
    pub mechanisms: Vec<Mechanism>,
    /// The mechanisms that the server supports without announcing them.
    // Q11
    pub assumed: Vec<Mechanism>,
    /// `APOP` is allowed instead of a method that sends the password, if the greeting has a timestamp. Its digest is MD5: an
    /// attacker on the network path can test passwords against it.
    pub apop: bool,
    /// `USER` and `PASS` are allowed if no mechanism fits.
    pub user_pass: bool,
    /// The initial response of `XOAUTH2` is sent on a separate line.
    pub two_lines: bool,
    /// `UTF8` is sent before the login if the server announces it. If a client does not send it, some servers wrap messages with
    /// headers in UTF-8, and some refuse to send them (RFC 6856 §2.1).
    pub utf8: bool,
    /// The capabilities are requested. Use `false` for a server that closes the connection after `CAPA`.
    // Q09
    pub capa: bool,
}

impl Default for LoginPolicy {
    /// Requires `STLS`; allows all mechanisms but `ANONYMOUS`, and `USER`/`PASS`, not `APOP`.
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

/// The properties of the connection that a login uses.
#[derive(Clone, Debug)]
pub struct LoginContext<'a> {
    /// The host that the user named.
    pub host: &'a str,
    /// The port.
    pub port: u16,
    /// Eighteen random octets, never used before.
    pub nonce: [u8; 18],
    /// The channel bindings of the TLS connection.
    pub binding: ChannelBinding,
}

/// The outcome of one run of [`login`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The server is ready for TLS: call [`Connection::upgrade`](crate::client::Connection::upgrade), perform the handshake, pass
    /// the channel bindings to [`Login::bind`], and start the same request again.
    UpgradeTls,
    /// The client is logged in.
    Done,
}

/// A request that is part of the login.
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
    /// The login cannot continue.
    Ended(RequestError),
}

/// Logs in with one request, at any point of the session before login. The request waits for the greeting, starts TLS if the
/// policy requires it, requests the capabilities and uses the strongest mechanism that both sides support. It tries a weaker
/// method only if the server refuses the mechanism itself. It does not try wrong credentials again with another method, and sends
/// nothing in the clear that the policy and the configuration forbid.
///
/// [`RequestError::login_failure`] returns the meaning of an error.
// H07, H08
pub fn login<'a>(credentials: &'a Credentials, policy: &'a LoginPolicy, context: LoginContext<'a>) -> Login<'a> {
    Login::new(credentials, policy, context)
}

/// The request that [`login`] returns.
pub struct Login<'a> {
    credentials: &'a Credentials,
    policy: &'a LoginPolicy,
    context: LoginContext<'a>,
    step: LoginStep<'a>,
    offer: OfferedMechanisms,
    /// The minimum time between two logins, if the server announced it.
    delay: Option<Duration>,
    /// The mechanisms that the server announces but does not support.
    refused: Vec<Mechanism>,
    /// The mechanisms whose initial response the server refuses.
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

    /// Sets the channel bindings, once TLS is active.
    pub fn bind(&mut self, binding: ChannelBinding) {
        self.context.binding = binding;
    }

    /// Continues after the greeting: sends `STLS` or `CAPA`, or starts the first method without them.
    fn begin(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        // Capabilities in the clear would not be trusted (H06), so they are not requested. An attacker on the network path cannot
        // use the reply, or suppress it, to change the login under TLS.
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

    /// Returns the mechanisms that the server announces and those that the policy assumes.
    fn offered(&self, announced: &[Box<[u8]>]) -> OfferedMechanisms {
        let assumed = self.policy.assumed.iter().map(|mechanism| mechanism.as_str().as_bytes());
        OfferedMechanisms::new(announced.iter().map(AsRef::as_ref).chain(assumed))
    }

    /// Starts the next login method; leaves the step `Start` if there is none.
    fn next(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        self.step = LoginStep::Start;
        let LoginContext { host, port, mut nonce, ref binding } = self.context;
        // Each attempt has its own nonce.
        if let (Some(last), Ok(attempt)) =
            (nonce.last_mut(), u8::try_from(self.refused.len() + self.without_initial_response.len()))
        {
            *last ^= attempt;
        }
        let allowed = self.policy.mechanisms.iter().copied().filter(|mechanism| !self.refused.contains(mechanism));
        let allowed: Vec<Mechanism> = allowed.collect();
        let chosen = self.credentials.choose(&self.offer, &allowed, binding.is_available());
        if chosen.is_some_and(Mechanism::uses_channel_binding) && sink.channel_binding_used() {
            // An attacker on the network path would want the login to continue without channel binding.
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

    /// Returns the request for `APOP`, if the policy allows it, the greeting has a timestamp, and the other method would send the
    /// password.
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
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // It has the signature of the function above.
    fn apop(&self, _: Option<&[u8]>, _: Option<Mechanism>) -> Result<Option<Boxed<'a, ()>>, LocalError> {
        Ok(None)
    }

    fn other(&mut self, mut request: Boxed<'a, ()>, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
        request.start(sink)?;
        self.step = LoginStep::Other(request);
        Ok(())
    }

    /// Adds the announced login delay to a refusal with `[LOGIN-DELAY]`.
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
                    // A server without `CAPA` has no mechanisms (S43), except those that the policy assumes.
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
                    // Everything that was learnt in the clear is discarded (H06).
                    (self.step, self.offer, self.delay) = (LoginStep::Start, OfferedMechanisms::default(), None);
                    return Ok(Some(LoginOutcome::UpgradeTls));
                }
                Err(RequestError::Refused(refusal)) => return Err(RequestError::NoTls(refusal)),
                Err(error) => return Err(error),
            },
            LoginStep::Utf8(request) => match request.on_event(event, sink) {
                Ok(None) => return Ok(None),
                Ok(Some(())) => self.next(sink)?,
                // `UTF8` is optional, so the login continues without it.
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
                // If no other method is left, this refusal is the reason.
                if matches!(self.step, LoginStep::Start) {
                    return Err(error);
                }
            }
            LoginStep::Other(request) => return Ok(request.on_event(event, sink)?.map(|()| LoginOutcome::Done)),
        }
        // The next step has started, or no login method is left.
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
