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

/// Logs in with a SASL mechanism (`AUTH`, RFC 5034).
///
/// An initial response that would make the line longer than 255 octets is sent after the server's empty challenge (RFC 5034 §4).
/// `two_lines`: it is always sent there, as some large providers require for `XOAUTH2`.
// S27
pub fn auth(mechanism: Box<dyn ClientMechanism>, two_lines: bool) -> impl Request<Output = ()> {
    Auth::new(mechanism, two_lines)
}

/// The maximum number of challenges; mechanisms need far fewer.
const MAX_CHALLENGES: u32 = 16;

/// The next attempt after the server refused a mechanism before it judged the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fallback {
    /// The same mechanism, with its initial response on a separate line.
    WithoutInitialResponse,
    /// Another mechanism, or `USER` and `PASS`.
    NextMechanism,
}

pub(super) struct Auth {
    mechanism: Box<dyn ClientMechanism>,
    two_lines: bool,
    tag: Option<Tag>,
    /// The initial response, if it waits for the server's challenge.
    held: Option<Secret>,
    /// The initial response was sent with `AUTH`.
    begun: bool,
    /// The number of challenges so far. After the first one, a refusal is about the credentials and not the mechanism.
    challenges: u32,
    /// The reason why the exchange was cancelled.
    cancelled: Option<SaslError>,
}

impl Auth {
    pub(super) fn new(mechanism: Box<dyn ClientMechanism>, two_lines: bool) -> Self {
        Self { mechanism, two_lines, tag: None, held: None, begun: false, challenges: 0, cancelled: None }
    }

    /// Returns the mechanism.
    pub(super) fn mechanism(&self) -> Mechanism {
        self.mechanism.mechanism()
    }

    /// Returns `true` if a `+OK` can only be a challenge: the mechanism has more to send, and the server proves nothing in it.
    // Q07
    fn takes_ok_for_a_challenge(&self) -> bool {
        self.mechanism().exposes_secret() && (self.held.is_some() || self.mechanism.expects_challenge())
    }

    /// Returns `true` if the mechanism has sent and received everything that it requires, and has not failed.
    fn is_complete(&self) -> bool {
        self.held.is_none() && self.mechanism.failure().is_none() && !self.mechanism.expects_challenge()
    }

    /// Returns the next attempt after a refusal: the server announces the mechanism but does not support it, or supports it
    /// only in the form of RFC 1734, without an initial response. Returns `None` if the server judged the credentials, or if an
    /// attacker on the network path may have caused the refusal to get a weaker mechanism.
    // Q11
    pub(super) fn fallback(&self, refusal: &Refusal) -> Option<Fallback> {
        // After a fallback to a mechanism without channel binding, an attacker on the network path could continue.
        if self.challenges > 0 || self.mechanism().uses_channel_binding() || matches!(refusal.code(), Some(ResponseCode::Auth)) {
            return None;
        }
        match refusal.meaning() {
            Some(RefusalMeaning::UnknownCommand) => {}
            // Some servers refuse without giving a reason.
            None if refusal.code().is_none() => {}
            _ => return None,
        }
        Some(if self.begun_with_secret() { Fallback::WithoutInitialResponse } else { Fallback::NextMechanism })
    }

    /// Returns `true` if the server's first challenge was invalid and no secret was sent before it: the server does not support
    /// the mechanism.
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
        // Some servers send a first challenge that is not base64 (Q07). A mechanism that sends the secret itself ignores its
        // content; a mechanism that computes its response from the challenge needs the right one.
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
                // No mechanism needs that many challenges, and none continues after `*`: such a server only keeps the client
                // busy.
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
                // The server has refused inside the exchange, too.
                (Status::Err, Some(SaslError::Refused)) => Err(RequestError::Refused(Refusal::new(Some(Verb::Auth), reply))),
                (Status::Err, Some(error)) => Err(RequestError::Sasl(error)),
                (Status::Err, None) => {
                    let mut refusal = Refusal::new(Some(Verb::Auth), reply);
                    refusal.detail = self.mechanism.failure().map(Box::from);
                    Err(RequestError::Refused(refusal))
                }
                (Status::Ok, None) if self.is_complete() => Ok(Some(())),
                // The server skipped a step of the mechanism, so its success is not trusted (S35).
                (Status::Ok, cancelled) => {
                    sink.fail_untrusted();
                    Err(RequestError::Sasl(cancelled.unwrap_or(SaslError::ServerNotProven)))
                }
            },
            _ => Ok(None),
        }
    }
}
