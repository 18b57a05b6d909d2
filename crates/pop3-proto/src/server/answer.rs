//! The answers to a session's questions.

use core::fmt;

use bytes::{BufMut, BytesMut};

use super::error::LocalError;
use super::extension::ExtensionReply;
use super::login::LoginDenial;
use super::observer::Observation;
use super::phrase::Phrase;
use super::session::{Sending, Session};
use super::snapshot::Snapshot;
use crate::codec::{DotEncoder, MessageNumber, ReplyText, ResponseCode, TopLimit, put_decimal};

/// The reason why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MessageRefusal {
    /// Another process has removed the message since the session began.
    Gone,
    /// The message cannot be read now.
    Temporary,
}

/// The session's demand for more of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyWants {
    /// The session needs the next piece, or the end of the message.
    More,
    /// `TOP` has all its lines; end the message.
    Enough,
}

/// Answers the [`Question`](super::Question) of a session. Replies are appended to its output.
///
/// ```
/// # use pop3_proto::server::{Answer, LocalError, LoginDenial};
/// fn refuse_everyone(mut answer: Answer<'_>) -> Result<(), LocalError> {
///     answer.deny(LoginDenial::Credentials)
/// }
/// ```
pub struct Answer<'s> {
    session: &'s mut Session,
    out: &'s mut BytesMut,
    observation: Option<&'s mut Observation>,
}

impl fmt::Debug for Answer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The output may hold mail.
        write!(f, "Answer {{ session: {:?} }}", self.session)
    }
}

impl Session {
    /// Returns the interface that answers the session's question; replies are appended to `out`.
    pub const fn answer<'s>(&'s mut self, out: &'s mut BytesMut) -> Answer<'s> {
        Answer { session: self, out, observation: None }
    }
}

impl<'s> Answer<'s> {
    /// Passes the replies on to an observer, too.
    pub(super) const fn observed(self, observation: &'s mut Observation) -> Self {
        Self { observation: Some(observation), ..self }
    }

    /// Does what appends a reply, and passes the reply on to the observer.
    fn reply(&mut self, append: impl FnOnce(&mut Session, &mut BytesMut) -> Result<(), LocalError>) -> Result<(), LocalError> {
        let before = self.out.len();
        append(self.session, self.out)?;
        if let Some(observation) = &mut self.observation {
            observation.replied(self.out.get(before..).unwrap_or_default());
        }
        Ok(())
    }

    /// Accepts a login. `snapshot` lists the messages of the maildrop for the rest of the session.
    ///
    /// # Errors
    /// No login waits for an answer. Nothing is sent, and the session is unchanged.
    pub fn accept(&mut self, snapshot: Snapshot) -> Result<(), LocalError> {
        self.reply(|session, out| session.machine.accept(Phrase::Ready.text(session.machine.language()), out))?;
        let session = &mut *self.session;
        let numbers = (0..snapshot.len()).filter_map(MessageNumber::from_index);
        let octets = numbers.filter_map(|number| snapshot.octets(number));
        session.total =
            octets.fold((0, 0), |(count, sum): (u32, u64), octets| (count.saturating_add(1), sum.saturating_add(octets)));
        session.unmarked = session.total;
        session.snapshot = snapshot;
        Ok(())
    }

    /// Denies a login, or reports that its keys cannot be found. The client may try again.
    ///
    /// # Errors
    /// Neither a login nor a request for keys waits for an answer. Nothing is sent, and the session is unchanged.
    pub fn deny(&mut self, denial: LoginDenial) -> Result<(), LocalError> {
        self.reply(|session, out| session.machine.deny(denial, out))
    }

    /// Denies a login with a response code and a text of the caller's own, such as where to get an app password. It counts as a
    /// failed login, unless the code says that the credentials are right or could not be judged. Use ASCII unless the client has
    /// sent `UTF8` (RFC 6856 §2).
    ///
    /// ```
    /// # use pop3_proto::codec::{ReplyText, ResponseCode};
    /// # use pop3_proto::server::{Answer, LocalError};
    /// fn ask_for_an_app_password(mut answer: Answer<'_>) -> Result<(), LocalError> {
    ///     let text = const { ReplyText::literal("use an app password: https://example.org/app-passwords") };
    ///     answer.deny_with(Some(ResponseCode::Auth), text)
    /// }
    /// ```
    ///
    /// # Errors
    /// Neither a login nor a request for keys waits for an answer. Nothing is sent, and the session is unchanged.
    pub fn deny_with(&mut self, code: Option<ResponseCode<'_>>, text: ReplyText<'_>) -> Result<(), LocalError> {
        self.reply(|session, out| session.machine.deny_with(code, text, out))
    }

    /// Provides the keys for [`Question::FindKeys`](super::Question::FindKeys).
    ///
    /// # Errors
    /// No keys were requested. Nothing is sent, and the session is unchanged.
    #[cfg(feature = "scram")]
    pub fn provide_keys(&mut self, keys: crate::sasl::ScramKeys) -> Result<(), LocalError> {
        self.reply(|session, out| session.machine.provide_keys(keys, out))
    }

    /// Begins a message; append its pieces with [`body`](Self::body).
    ///
    /// # Errors
    /// No message was requested. Nothing is sent, and the session is unchanged.
    pub fn begin_message(&mut self) -> Result<(), LocalError> {
        let Sending::Requested { number, top } = self.session.sending else { return Err(LocalError::NotAsked) };
        match (top, self.session.snapshot.octets(number)) {
            (None, Some(octets)) => self.reply(|session, out| {
                session.machine.take_command()?;
                out.put_slice(b"+OK ");
                put_decimal(out, octets);
                out.put_u8(b' ');
                out.put_slice(Phrase::Octets.text(session.machine.language()).as_str().as_bytes());
                out.put_slice(b"\r\n");
                session.last = session.last.max(number.get());
                Ok(())
            })?,
            _ => self.reply(|session, out| session.ok(Phrase::TopFollows, out))?,
        }
        self.session.sending = Sending::Message { number, encoder: DotEncoder::new(), top: top.map(TopLimit::new) };
        Ok(())
    }

    /// Appends a piece of the message, byte-stuffed. Its lines may end in CR LF or in LF.
    ///
    /// # Errors
    /// No message was begun. Nothing is sent, and the session is unchanged.
    pub fn body(&mut self, data: &[u8]) -> Result<BodyWants, LocalError> {
        let Sending::Message { encoder, top, .. } = &mut self.session.sending else { return Err(LocalError::NoMessageBegun) };
        let (data, wants) = match top {
            Some(top) => (top.take(data), if top.is_done() { BodyWants::Enough } else { BodyWants::More }),
            None => (data, BodyWants::More),
        };
        encoder.encode_into(data, self.out);
        Ok(wants)
    }

    /// Ends the message. If a message cannot be sent completely, [`abort`](Session::abort) the session instead.
    ///
    /// # Errors
    /// No message was begun. Nothing is sent, and the session is unchanged.
    pub fn end_message(&mut self) -> Result<(), LocalError> {
        match core::mem::replace(&mut self.session.sending, Sending::Nothing) {
            Sending::Message { number, encoder, top } => {
                if top.is_none() {
                    self.session.retrieved.insert(number);
                }
                self.out.put_slice(encoder.finish());
                Ok(())
            }
            other => {
                self.session.sending = other;
                Err(LocalError::NoMessageBegun)
            }
        }
    }

    /// Refuses the message that was requested.
    ///
    /// # Errors
    /// No message was requested, or it was begun already. Nothing is sent, and the session is unchanged.
    pub fn refuse_message(&mut self, why: MessageRefusal) -> Result<(), LocalError> {
        let Sending::Requested { .. } = self.session.sending else { return Err(LocalError::NotAsked) };
        let phrase = match why {
            MessageRefusal::Gone => Phrase::MessageGone,
            MessageRefusal::Temporary => Phrase::MessageUnreadable,
        };
        self.reply(|session, out| session.refuse(Some(ResponseCode::SysTemp), phrase, out))?;
        self.session.sending = Sending::Nothing;
        Ok(())
    }

    /// Replies to an extension command.
    ///
    /// # Errors
    /// No extension command waits for a reply. Nothing is sent, and the session is unchanged.
    pub fn reply_to_extension(&mut self, reply: &ExtensionReply) -> Result<(), LocalError> {
        self.reply(|session, out| session.machine.reply_to_extension(reply, out))
    }

    /// Finishes a commit after removing the marked messages. `not_removed` is the number of marked messages that could not be
    /// removed (RFC 1939 §6).
    ///
    /// # Errors
    /// No commit was requested. Nothing is sent, and the session is unchanged.
    pub fn finish_commit(&mut self, not_removed: usize) -> Result<(), LocalError> {
        self.reply(|session, out| session.machine.finish_quit(not_removed, out))
    }
}
