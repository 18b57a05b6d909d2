//! What a session reports, and what it asks.

use super::login::LoginAttempt;
use crate::codec::MessageNumber;
#[cfg(feature = "scram")]
use crate::codec::OwnedUsername;
#[cfg(feature = "scram")]
use crate::sasl::ScramHash;

/// What a session asks. It reads no further command until it is answered, by [`Answer`](super::Answer).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question {
    /// May this client log in? Answer with [`accept`](super::Answer::accept) or [`deny`](super::Answer::deny).
    Authenticate(LoginAttempt),
    /// Which keys does this user have? A user logs in by `SCRAM`. Answer with [`provide_keys`](super::Answer::provide_keys); for a user
    /// that does not exist, with [a decoy](crate::sasl::ScramKeys::decoy).
    #[cfg(feature = "scram")]
    FindKeys(ScramHash, OwnedUsername),
    /// Send this message: [`begin_message`](super::Answer::begin_message), [`body`](super::Answer::body) as often as needed,
    /// [`end_message`](super::Answer::end_message); or [`refuse_message`](super::Answer::refuse_message). For `TOP` too: the session cuts
    /// the message itself.
    Retrieve(MessageNumber),
    /// Remove the messages that [`Session::marked`](super::Session::marked) names, release the maildrop, then answer with
    /// [`finish_commit`](super::Answer::finish_commit).
    Commit,
}

/// What [`Session::poll`](super::Session::poll) found.
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
    /// The session asks.
    Question(Question),
    /// The `+OK` to `STLS` is in the output: write it, do the handshake, then go on with [`Session::upgraded`](super::Session::upgraded).
    UpgradeTls,
    /// The session has ended: write the output and close the connection. Without a [`Question::Commit`] nothing may be removed.
    Closed,
}
