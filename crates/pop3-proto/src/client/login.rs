//! Logging in, from the greeting on: the capabilities, TLS, the strongest way that both sides have.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::mem;
use core::time::Duration;

use super::auth::{Auth, Fallback};
use super::connection::Outbox;
use super::requests::{capa, greet, stls, user_pass, utf8};
use super::{ClientEvent, LocalError, OwnedGreeting, Request, RequestError};
use crate::codec::{Capabilities, Password, ResponseCode, Username};
use crate::sasl::{ChannelBinding, Credentials, Mechanism, Offer, SaslError, client_mechanism};

/// How a login may be done. Whether one may be done in the clear is said in [`ClientConfig`](super::ClientConfig).
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

/// How far a [`login`](super::requests::login) has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LoginStep {
    /// The server is ready for TLS: hand the connection to [`Connection::upgrade`](super::Connection::upgrade), do the
    /// handshake, tell [`Login::bind`] what the login can be bound to, and start the same request again.
    UpgradeTls,
    /// Logged in.
    Done,
}

/// A request in a request.
type Boxed<'a, T> = Box<dyn Request<Output = T> + Send + 'a>;

enum Step<'a> {
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

/// The request that [`login`](super::requests::login) makes.
pub struct Login<'a> {
    credentials: &'a Credentials,
    policy: &'a LoginPolicy,
    context: LoginContext<'a>,
    step: Step<'a>,
    offer: Offer,
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
            step: Step::Start,
            offer: Offer::default(),
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
    fn begin(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        // Nothing is asked in the clear that is not believed anyway (H06): nobody can use the answer, or break it off, to have
        // something else done under TLS.
        if !outbox.is_encrypted() && self.policy.stls {
            let mut request: Boxed<'a, ()> = Box::new(stls());
            request.start(outbox)?;
            self.step = Step::Stls(request);
            return Ok(());
        }
        if !self.policy.capa {
            self.offer = self.offered(&[]);
            return self.next(outbox);
        }
        let mut request: Boxed<'a, Capabilities> = Box::new(capa());
        request.start(outbox)?;
        self.step = Step::Capabilities(request);
        Ok(())
    }

    /// What the server says that it has, and what the caller knows that it has.
    fn offered(&self, announced: &[Box<[u8]>]) -> Offer {
        let assumed = self.policy.assumed.iter().map(|mechanism| mechanism.as_str().as_bytes());
        Offer::new(announced.iter().map(AsRef::as_ref).chain(assumed))
    }

    /// Begins the next way to log in; leaves `Start` where there is none.
    fn next(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        self.step = Step::Start;
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
        if chosen.is_some_and(Mechanism::is_bound) && outbox.is_bound() {
            // To go on unbound is what somebody in the middle would want.
            self.step = Step::Ended(RequestError::Sasl(SaslError::BindingUsed));
            return Ok(());
        }
        if let Some(request) = self.apop(outbox.timestamp(), chosen)? {
            return self.other(request, outbox);
        }
        if let Some(mechanism) = chosen {
            let bound_offered = Mechanism::ALL.into_iter().any(|other| other.is_bound() && self.offer.has(other));
            if let Some(client) = client_mechanism(mechanism, self.credentials, host, port, nonce, binding, bound_offered) {
                let two_lines = self.policy.two_lines && mechanism == Mechanism::Xoauth2;
                let mut auth = Auth::new(client, two_lines || self.without_initial_response.contains(&mechanism));
                auth.start(outbox)?;
                self.step = Step::Auth(auth);
                return Ok(());
            }
        }
        match self.credentials {
            Credentials::Password { name, password } if self.policy.user_pass => {
                let request = user_pass(Username::new(name)?, Password::new(password.expose())?);
                self.other(Box::new(request), outbox)
            }
            _ => Ok(()),
        }
    }

    /// `APOP`, where it was asked for, is possible, and the other way would send the password.
    #[cfg(feature = "apop")]
    fn apop(&self, timestamp: Option<&[u8]>, chosen: Option<Mechanism>) -> Result<Option<Boxed<'a, ()>>, LocalError> {
        let sends_password = chosen.is_none_or(Mechanism::reveals_the_secret);
        match (self.credentials, timestamp) {
            (Credentials::Password { name, password }, Some(timestamp)) if self.policy.apop && sends_password => {
                Ok(Some(Box::new(super::requests::apop(Username::new(name)?, password.expose(), timestamp))))
            }
            _ => Ok(None),
        }
    }

    #[cfg(not(feature = "apop"))]
    #[allow(clippy::unused_self, clippy::unnecessary_wraps)] // The twin of the one above.
    fn apop(&self, _: Option<&[u8]>, _: Option<Mechanism>) -> Result<Option<Boxed<'a, ()>>, LocalError> {
        Ok(None)
    }

    fn other(&mut self, mut request: Boxed<'a, ()>, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        request.start(outbox)?;
        self.step = Step::Other(request);
        Ok(())
    }

    /// Says how long to wait, where the server has announced it.
    fn explain(&self, mut error: RequestError) -> RequestError {
        if let RequestError::Refused(refusal) = &mut error
            && refusal.code() == Some(ResponseCode::LoginDelay)
        {
            refusal.retry_after = self.delay;
        }
        error
    }

    fn take(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<LoginStep>, RequestError> {
        match &mut self.step {
            Step::Start | Step::Ended(_) => return Ok(None),
            Step::Greeting(greeting) => match greeting.on_event(event, outbox)? {
                Some(_) => self.begin(outbox)?,
                None => return Ok(None),
            },
            Step::Capabilities(capa) => {
                match capa.on_event(event, outbox) {
                    Ok(None) => return Ok(None),
                    Ok(Some(capabilities)) => {
                        self.offer = self.offered(&capabilities.mechanisms);
                        self.delay = capabilities.login_delay.map(Duration::from_secs);
                        if self.policy.utf8 && capabilities.utf8.is_some() {
                            let mut request: Boxed<'a, ()> = Box::new(utf8());
                            request.start(outbox)?;
                            self.step = Step::Utf8(request);
                            return Ok(None);
                        }
                    }
                    // A server without CAPA is one without mechanisms (S43), but for those that the caller knows.
                    Err(RequestError::Refused(refusal)) if !refusal.is_transient() => {
                        self.offer = self.offered(&[]);
                    }
                    Err(error) => return Err(error),
                }
                self.next(outbox)?;
            }
            Step::Stls(stls) => match stls.on_event(event, outbox) {
                Ok(None) => return Ok(None),
                Ok(Some(())) => {
                    // Nothing that was learnt in the clear is used (H06).
                    (self.step, self.offer, self.delay) = (Step::Start, Offer::default(), None);
                    return Ok(Some(LoginStep::UpgradeTls));
                }
                Err(RequestError::Refused(refusal)) => return Err(RequestError::NoTls(refusal)),
                Err(error) => return Err(error),
            },
            Step::Utf8(request) => match request.on_event(event, outbox) {
                Ok(None) => return Ok(None),
                Ok(Some(())) => self.next(outbox)?,
                // It was only asked for.
                Err(RequestError::Refused(refusal)) if !refusal.is_transient() => self.next(outbox)?,
                Err(error) => return Err(error),
            },
            Step::Auth(auth) => {
                let error = match auth.on_event(event, outbox) {
                    Ok(done) => return Ok(done.map(|()| LoginStep::Done)),
                    Err(error) => error,
                };
                let (mechanism, fallback) = (auth.mechanism(), fallback_after(auth, &error));
                match fallback {
                    None => return Err(error),
                    Some(Fallback::WithoutInitialResponse) => self.without_initial_response.push(mechanism),
                    Some(Fallback::NextMechanism) => self.refused.push(mechanism),
                }
                self.next(outbox)?;
                // Where there is no other way, this is why.
                if matches!(self.step, Step::Start) {
                    return Err(error);
                }
            }
            Step::Other(request) => return Ok(request.on_event(event, outbox)?.map(|()| LoginStep::Done)),
        }
        // There was a next step to take, or there is no way at all.
        match mem::replace(&mut self.step, Step::Start) {
            Step::Start => Err(RequestError::NoMechanism),
            Step::Ended(error) => Err(error),
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
    type Output = LoginStep;

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        if outbox.is_greeted() {
            return self.begin(outbox);
        }
        let mut request: Boxed<'_, OwnedGreeting> = Box::new(greet());
        request.start(outbox)?;
        self.step = Step::Greeting(request);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<LoginStep>, RequestError> {
        self.take(event, outbox).map_err(|error| self.explain(error))
    }
}
