//! Logging in: one SASL exchange, and the whole of it.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::connection::Outbox;
use super::requests::{Refusal, capa, user_pass};
use super::{ClientEvent, LocalError, RemoteError, Request, RequestError, Tag};
use crate::Secret;
use crate::codec::{Capabilities, Command, MAX_COMMAND_LINE, Password, Status, Username, Verb, Word};
use crate::sasl::{ChannelBinding, ClientMechanism, Credentials, Mechanism, Offer, SaslError, client_mechanism, encode_base64};

/// `AUTH` with a mechanism (RFC 5034).
///
/// An initial response that would make the line longer than 255 octets waits for the server's empty challenge (S27).
/// `two_lines`: it always does, as some large providers insist on for `XOAUTH2`.
pub fn auth(mechanism: Box<dyn ClientMechanism>, two_lines: bool) -> impl Request<Output = ()> {
    Auth::new(mechanism, two_lines)
}

/// More than any mechanism needs by far.
const MAX_CHALLENGES: u32 = 16;

struct Auth {
    mechanism: Box<dyn ClientMechanism>,
    two_lines: bool,
    tag: Option<Tag>,
    /// An initial response that the server has to ask for.
    held: Option<Secret>,
    /// An initial response was sent.
    begun: bool,
    /// Challenges so far. Once there was one, what is refused are the credentials and not the mechanism.
    challenges: u32,
    /// Why the exchange was cancelled.
    cancelled: Option<SaslError>,
}

impl Auth {
    fn new(mechanism: Box<dyn ClientMechanism>, two_lines: bool) -> Self {
        Self { mechanism, two_lines, tag: None, held: None, begun: false, challenges: 0, cancelled: None }
    }

    /// All was said and heard that the mechanism wants.
    fn is_complete(&self) -> bool {
        self.held.is_none() && self.mechanism.failure().is_none() && !self.mechanism.expects_challenge()
    }

    /// Refused at once, without a word about credentials, and nothing was sent that proves them: the mechanism is not there (Q11).
    fn is_missing(&self, refusal: &Refusal) -> bool {
        let revealed = self.begun && self.mechanism.mechanism().reveals_the_secret();
        self.challenges == 0 && refusal.code().is_none() && !revealed
    }

    fn answer(&mut self, challenge: Result<Vec<u8>, SaslError>) -> Result<Secret, SaslError> {
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        // Servers word the first challenge as they like, and not always in base64 (Q07).
        let challenge = match challenge {
            Err(_) if self.challenges == 1 => Vec::new(),
            challenge => challenge?,
        };
        self.mechanism.respond(&challenge)
    }
}

impl Request for Auth {
    type Output = ();

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        let name = self.mechanism.mechanism().as_str();
        let initial = self.mechanism.initial_response();
        let text = match &initial {
            Some(response) if response.expose().is_empty() => Secret::from("="),
            Some(response) => Secret::from(&encode_base64(response.expose())),
            None => Secret::from(""),
        };
        let length = "AUTH  \r\n".len() + name.len() + text.expose().len();
        let fits = length <= MAX_COMMAND_LINE && !self.two_lines && initial.is_some();
        self.begun = fits;
        if !fits {
            self.held = initial;
        }
        let word = if fits { Some(Word::new(text.expose())?) } else { None };
        self.tag = Some(outbox.send(Command::Auth(Word::new(name)?, word))?);
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<()>, RequestError> {
        match event {
            ClientEvent::Challenge(tag, challenge) if self.tag == Some(tag) => {
                self.challenges += 1;
                // No mechanism needs so many, and none goes on behind `*`: such a server only keeps us busy.
                if self.cancelled.is_some() || self.challenges > MAX_CHALLENGES {
                    outbox.distrust();
                    return Err(RequestError::Remote(RemoteError::LoginNotBelieved));
                }
                match self.answer(challenge.decode()) {
                    Ok(response) => outbox.respond(response.expose())?,
                    Err(error) => {
                        self.cancelled = Some(error);
                        outbox.cancel()?;
                    }
                }
                Ok(None)
            }
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => match (reply.status, self.cancelled) {
                (Status::Err, Some(error)) => Err(RequestError::Sasl(error)),
                (Status::Err, None) => Err(RequestError::Refused(Refusal::new(Some(Verb::Auth), reply))),
                (Status::Ok, None) if self.is_complete() => Ok(Some(())),
                // Whoever says so without having asked or proven what the mechanism wants is not the server (S35).
                (Status::Ok, cancelled) => {
                    outbox.distrust();
                    Err(RequestError::Sasl(cancelled.unwrap_or(SaslError::ServerNotProven)))
                }
            },
            _ => Ok(None),
        }
    }
}

/// How a login may be done.
#[derive(Clone, Debug)]
pub struct LoginPolicy {
    /// The mechanisms for `AUTH` that may be used; the strongest that the server has is.
    pub mechanisms: Vec<Mechanism>,
    /// `USER` and `PASS` may be used where no mechanism fits.
    pub user_pass: bool,
    /// Send the initial response of `XOAUTH2` on a line of its own.
    pub two_lines: bool,
}

impl Default for LoginPolicy {
    /// Everything that tells who one is; the machine sees to it that nothing is said in the clear.
    fn default() -> Self {
        let mechanisms = Mechanism::ALL.into_iter().filter(|mechanism| *mechanism != Mechanism::Anonymous);
        Self { mechanisms: mechanisms.collect(), user_pass: true, two_lines: false }
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

/// Logs in: asks for the capabilities, takes the strongest mechanism that both sides have, and goes down from there only if the
/// server refuses the mechanism itself; wrong credentials are not tried again in another way.
pub fn login<'a>(
    credentials: &'a Credentials,
    policy: &'a LoginPolicy,
    context: &'a LoginContext<'a>,
) -> impl Request<Output = ()> {
    Login {
        credentials,
        policy,
        context,
        step: Step::Capabilities(Box::new(capa())),
        offer: Offer::default(),
        refused: Vec::new(),
    }
}

/// A request in a request.
type Boxed<'a, T> = Box<dyn Request<Output = T> + 'a>;

enum Step<'a> {
    Capabilities(Boxed<'a, Capabilities>),
    Auth(Auth),
    UserPass(Boxed<'a, ()>),
}

struct Login<'a> {
    credentials: &'a Credentials,
    policy: &'a LoginPolicy,
    context: &'a LoginContext<'a>,
    step: Step<'a>,
    offer: Offer,
    /// Mechanisms that the server announces and does not have.
    refused: Vec<Mechanism>,
}

impl Login<'_> {
    /// Begins the next way to log in.
    fn next(&mut self, outbox: &mut Outbox<'_>) -> Result<Option<()>, RequestError> {
        let LoginContext { host, port, mut nonce, binding } = self.context.clone();
        // No nonce is used twice.
        if let (Some(last), Ok(attempt)) = (nonce.last_mut(), u8::try_from(self.refused.len())) {
            *last ^= attempt;
        }
        let allowed: Vec<Mechanism> =
            self.policy.mechanisms.iter().copied().filter(|mechanism| !self.refused.contains(mechanism)).collect();
        if let Some(mechanism) = self.credentials.choose(&self.offer, &allowed, binding.is_available()) {
            let bound_offered = Mechanism::ALL.into_iter().any(|other| other.is_bound() && self.offer.has(other));
            if let Some(client) = client_mechanism(mechanism, self.credentials, host, port, nonce, &binding, bound_offered) {
                let mut auth = Auth::new(client, self.policy.two_lines && mechanism == Mechanism::Xoauth2);
                auth.start(outbox)?;
                self.step = Step::Auth(auth);
                return Ok(None);
            }
        }
        let Credentials::Password { name, password } = self.credentials else { return Err(RequestError::NoMechanism) };
        if !self.policy.user_pass {
            return Err(RequestError::NoMechanism);
        }
        let (name, password) = (Username::new(name), Password::new(password.expose()));
        let mut request: Boxed<'_, ()> =
            Box::new(user_pass(name.map_err(LocalError::from)?, password.map_err(LocalError::from)?));
        request.start(outbox)?;
        self.step = Step::UserPass(request);
        Ok(None)
    }
}

impl Request for Login<'_> {
    type Output = ();

    fn start(&mut self, outbox: &mut Outbox<'_>) -> Result<(), LocalError> {
        match &mut self.step {
            Step::Capabilities(capa) => capa.start(outbox),
            Step::Auth(_) | Step::UserPass(_) => Err(LocalError::MustWait),
        }
    }

    fn on_event(&mut self, event: ClientEvent<'_>, outbox: &mut Outbox<'_>) -> Result<Option<()>, RequestError> {
        match &mut self.step {
            Step::Capabilities(capa) => match capa.on_event(event, outbox) {
                Ok(None) => Ok(None),
                Ok(Some(capabilities)) => {
                    self.offer = Offer::new(capabilities.mechanisms.iter().map(AsRef::as_ref));
                    self.next(outbox)
                }
                // A server without CAPA is one without mechanisms (S43).
                Err(RequestError::Refused(refusal)) if !refusal.is_transient() => self.next(outbox),
                Err(error) => Err(error),
            },
            Step::Auth(auth) => match auth.on_event(event, outbox) {
                Err(RequestError::Refused(refusal)) if auth.is_missing(&refusal) => {
                    self.refused.push(auth.mechanism.mechanism());
                    self.next(outbox)
                }
                result => result,
            },
            Step::UserPass(request) => request.on_event(event, outbox),
        }
    }
}
