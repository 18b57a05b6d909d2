//! One SASL exchange (RFC 5034).

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::refusal::{Refusal, RequestError};
use super::refusal_words::RefusalMeaning;
use super::request::Request;
use crate::Secret;
use crate::client::command_sink::CommandSink;
use crate::client::error::{LocalError, RemoteError};
use crate::client::event::{ClientEvent, Tag};
use crate::codec::{Command, MAX_COMMAND_LINE, ResponseCode, Status, Verb, Word};
use crate::sasl::{ClientMechanism, Mechanism, SaslError, encode_base64};

/// `AUTH` with a mechanism (RFC 5034).
///
/// An initial response that would make the line longer than 255 octets waits for the server's empty challenge (S27).
/// `two_lines`: it always does, as some large providers insist on for `XOAUTH2`.
pub fn auth(mechanism: Box<dyn ClientMechanism>, two_lines: bool) -> impl Request<Output = ()> {
    Auth::new(mechanism, two_lines)
}

/// More than any mechanism needs by far.
const MAX_CHALLENGES: u32 = 16;

/// What to try after a mechanism was refused before the credentials were judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// The same mechanism, its initial response on a line of its own.
    WithoutInitialResponse,
    /// Another mechanism, or `USER` and `PASS`.
    NextMechanism,
}

pub(super) struct Auth {
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
    pub(super) fn new(mechanism: Box<dyn ClientMechanism>, two_lines: bool) -> Self {
        Self { mechanism, two_lines, tag: None, held: None, begun: false, challenges: 0, cancelled: None }
    }

    /// Which mechanism it is.
    pub(super) fn mechanism(&self) -> Mechanism {
        self.mechanism.mechanism()
    }

    /// A `+OK` can only be a challenge: the mechanism still has something to say, and in it the server proves nothing (Q07).
    fn takes_ok_for_a_challenge(&self) -> bool {
        self.mechanism().exposes_secret() && (self.held.is_some() || self.mechanism.expects_challenge())
    }

    /// All was said and heard that the mechanism wants.
    fn is_complete(&self) -> bool {
        self.held.is_none() && self.mechanism.failure().is_none() && !self.mechanism.expects_challenge()
    }

    /// The next way to try after a refusal: the server does not have the mechanism although it announces it (Q11), or it has it in
    /// the form of RFC 1734 only, without an initial response. `None`: the credentials were judged, or something in the middle
    /// of the connection may want a weaker way.
    pub(super) fn fallback(&self, refusal: &Refusal) -> Option<Fallback> {
        // Without a binding to TLS, a man in the middle could go on.
        if self.challenges > 0 || self.mechanism().uses_channel_binding() || matches!(refusal.code(), Some(ResponseCode::Auth)) {
            return None;
        }
        match refusal.meaning() {
            Some(RefusalMeaning::UnknownCommand) => {}
            // Some servers refuse without a word.
            None if refusal.code().is_none() => {}
            _ => return None,
        }
        Some(if self.begun_with_secret() { Fallback::WithoutInitialResponse } else { Fallback::NextMechanism })
    }

    /// Whether the server's first challenge made no sense, before anything was proven to it: it does not have the mechanism, either.
    pub(super) fn was_nonsense(&self, error: SaslError) -> bool {
        let nonsense = matches!(error, SaslError::NotBase64 | SaslError::Malformed | SaslError::Extension);
        nonsense && self.challenges == 1 && !self.begun_with_secret() && !self.mechanism().uses_channel_binding()
    }

    fn begun_with_secret(&self) -> bool {
        self.begun && self.mechanism().exposes_secret()
    }

    fn answer(&mut self, challenge: Result<Vec<u8>, SaslError>) -> Result<Secret, SaslError> {
        if let Some(held) = self.held.take() {
            return Ok(held);
        }
        // Servers word the first challenge as they like, and not always in base64 (Q07). Where what it says is answered with a digest,
        // it must be what it should.
        let challenge = match challenge {
            Err(_) if self.challenges == 1 && self.mechanism().exposes_secret() => Vec::new(),
            challenge => challenge?,
        };
        self.mechanism.respond(&challenge)
    }
}

impl Request for Auth {
    type Output = ();

    fn start(&mut self, sink: &mut CommandSink<'_>) -> Result<(), LocalError> {
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
        self.tag = Some(sink.send(Command::Auth(Word::new(name)?, word))?);
        sink.expect_challenge(self.takes_ok_for_a_challenge());
        Ok(())
    }

    fn on_event(&mut self, event: ClientEvent<'_>, sink: &mut CommandSink<'_>) -> Result<Option<()>, RequestError> {
        match event {
            ClientEvent::Challenge(tag, challenge) if self.tag == Some(tag) => {
                self.challenges += 1;
                // No mechanism needs so many, and none goes on behind `*`: such a server only keeps us busy.
                if self.cancelled.is_some() || self.challenges > MAX_CHALLENGES {
                    sink.fail_untrusted();
                    return Err(RequestError::Remote(RemoteError::UntrustedLogin));
                }
                match self.answer(challenge.decode()) {
                    Ok(response) => {
                        sink.respond(response.expose())?;
                        sink.expect_challenge(self.takes_ok_for_a_challenge());
                    }
                    Err(error) => {
                        self.cancelled = Some(error);
                        sink.cancel()?;
                    }
                }
                Ok(None)
            }
            ClientEvent::Reply(tag, reply) if self.tag == Some(tag) => match (reply.status, self.cancelled) {
                // The server has said inside the exchange, too, that it refuses.
                (Status::Err, Some(SaslError::Refused)) => Err(RequestError::Refused(Refusal::new(Some(Verb::Auth), reply))),
                (Status::Err, Some(error)) => Err(RequestError::Sasl(error)),
                (Status::Err, None) => {
                    let mut refusal = Refusal::new(Some(Verb::Auth), reply);
                    refusal.detail = self.mechanism.failure().map(Box::from);
                    Err(RequestError::Refused(refusal))
                }
                (Status::Ok, None) if self.is_complete() => Ok(Some(())),
                // Whoever says so without having asked or proven what the mechanism wants is not the server (S35).
                (Status::Ok, cancelled) => {
                    sink.fail_untrusted();
                    Err(RequestError::Sasl(cancelled.unwrap_or(SaslError::ServerNotProven)))
                }
            },
            _ => Ok(None),
        }
    }
}
