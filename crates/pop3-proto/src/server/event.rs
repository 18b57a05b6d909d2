//! The events and the questions of a session.

use super::extension::ExtensionRequest;
use super::login::LoginAttempt;
use crate::codec::MessageNumber;
#[cfg(feature = "scram")]
use crate::codec::OwnedUsername;
#[cfg(feature = "scram")]
use crate::sasl::ScramHash;

/// A question of a session. The session reads no further command until [`Answer`](super::Answer) has answered the question.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// A login attempt to check. Answer with [`accept`](super::Answer::accept) or [`deny`](super::Answer::deny).
    Authenticate(LoginAttempt),
    /// A request for the keys of this user, for a login by `SCRAM`. Answer with [`provide_keys`](super::Answer::provide_keys);
    /// for a user that does not exist, provide [decoy keys](crate::sasl::ScramKeys::decoy).
    #[cfg(feature = "scram")]
    FindKeys(ScramHash, OwnedUsername),
    /// A request for a message. Answer with [`begin_message`](super::Answer::begin_message), [`body`](super::Answer::body) for
    /// each piece and [`end_message`](super::Answer::end_message), or with [`refuse_message`](super::Answer::refuse_message).
    Retrieve {
        /// The message.
        number: MessageNumber,
        /// `None` for `RETR`; for `TOP` the number of body lines. The session shortens the message itself, so the complete message
        /// is a right answer to both.
        top: Option<u64>,
    },
    /// An [extension](super::ServerConfig::extensions) command. Answer with
    /// [`reply_to_extension`](super::Answer::reply_to_extension).
    Extension(ExtensionRequest),
    /// A request to remove the messages of [`Session::marked`](super::Session::marked) and to release the maildrop. Answer with
    /// [`finish_commit`](super::Answer::finish_commit) afterwards.
    Commit,
}

/// An event that [`Session::poll`](super::Session::poll) reports.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// More input is needed: write the output, then read.
    NeedInput,
    /// Progress was made: poll again.
    Continue,
    /// The output has reached its high-water mark: write it, then poll again.
    Flush,
    /// The last question is unanswered; no input is consumed.
    AwaitingAnswer,
    /// A question that the caller must answer.
    Question(Question),
    /// The `+OK` to `STLS` is in the output: write it, perform the handshake, then continue with
    /// [`Session::upgraded`](super::Session::upgraded).
    UpgradeTls,
    /// The session has ended: write the output and close the connection. Without a preceding [`Question::Commit`], no message may
    /// be removed.
    Closed,
}
