//! The results of a run.

use std::fmt;

use pop3_blocking::Error;
use pop3_blocking::proto::codec::MessageNumber;

/// The results of a run.
#[derive(Debug, Default)]
pub struct RunSummary {
    /// The number of messages that were fetched and stored.
    pub fetched: u64,
    /// The size of these messages on disk, in octets.
    pub octets: u64,
    /// The number of messages that were deleted on the server.
    pub deleted: u64,
    /// The number of messages that were stored already.
    pub known: u64,
    /// The number of messages that the server keeps although it confirmed their deletion.
    pub kept: u64,
    /// The number of messages that stay on the server because they are larger than
    /// [`max_message`](crate::TransferOptions::max_message).
    pub too_large: u64,
    /// The number of messages that wait for a later run, because of [`max_messages`](crate::TransferOptions::max_messages) or
    /// [`max_octets`](crate::TransferOptions::max_octets).
    pub later: u64,
    /// The server has given all messages other unique-ids, so they were compared with stored ones.
    pub ids_changed: bool,
    /// The number of messages that were recognised as stored ones under another unique-id.
    pub recognised: u64,
    /// The failures that did not end the run.
    pub problems: Vec<Problem>,
}

/// A failure that did not end the run. The next run tries again where that is possible.
#[derive(Debug)]
#[non_exhaustive]
pub enum Problem {
    /// Messages have no unique-id. They are fetched only with [`TransferOptions::delete`](crate::TransferOptions::delete).
    NoUniqueId {
        /// The number of such messages.
        messages: u64,
    },
    /// The server counts more messages than it lists.
    NotListed {
        /// The number of messages that it does not list.
        messages: u64,
    },
    /// Several tries to fetch a message have failed, so it is tried only once a day.
    SetAside {
        /// The message.
        number: MessageNumber,
    },
    /// The session broke while a message was retrieved alone.
    SessionBroke {
        /// The message.
        number: MessageNumber,
        /// The failure of the session.
        error: Error,
        /// The message is tried only once a day from now on.
        set_aside: bool,
    },
    /// The server refused to send a message.
    NotRetrieved {
        /// The message.
        number: MessageNumber,
        /// The text of the server, escaped.
        text: String,
    },
    /// The server refused to delete a message.
    NotDeleted {
        /// The message.
        number: MessageNumber,
        /// The text of the server, escaped.
        text: String,
    },
    /// A message does not have the announced size, so it stays on the server.
    WrongSize {
        /// The message.
        number: MessageNumber,
        /// Its size, in octets.
        octets: u64,
        /// The size that the server announced.
        announced: u64,
        /// The handling of the message.
        outcome: SuspectOutcome,
    },
    /// The server reported at `QUIT` that it did not remove all deleted messages (RFC 1939 §6).
    NotAllRemoved(Error),
    /// The session broke at `QUIT`, so it is not known whether the server removed the deleted messages.
    RemovalUnknown(Error),
    /// No further session could be opened.
    NextSession(Error),
}

/// The handling of a message that does not have the announced size.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspectOutcome {
    /// It is too short and was not stored; the next run tries it again.
    TriedAgain,
    /// It is too short and was stored after several tries.
    StoredShort,
    /// It is too long and was stored.
    StoredLong,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUniqueId { messages } => write!(f, "{} not fetched: the server gives no unique-id", count(*messages)),
            Self::NotListed { messages } => {
                write!(f, "{} not fetched: the server counts more messages than it lists", count(*messages))
            }
            Self::SetAside { number } => {
                write!(f, "message {number} is set aside: several tries to fetch it have failed; it is tried again once a day")
            }
            Self::SessionBroke { number, error, set_aside } => {
                let next = if *set_aside { "it is set aside, and tried again once a day" } else { "it is tried again next time" };
                write!(f, "message {number} was not fetched: {error}; {next}")
            }
            Self::NotRetrieved { number, text } => write!(f, "message {number} was not fetched; the server replied: {text}"),
            Self::NotDeleted { number, text } => write!(f, "message {number} could not be deleted; the server replied: {text}"),
            Self::WrongSize { number, octets, announced, outcome } => {
                let outcome = match outcome {
                    SuspectOutcome::TriedAgain => "it is tried again next time",
                    SuspectOutcome::StoredShort => "it was stored as received, and may be incomplete",
                    SuspectOutcome::StoredLong => "it was stored as received",
                };
                write!(
                    f,
                    "message {number} has {octets} octets instead of the {announced} that the server announced, so it stays on \
                     the server; {outcome}"
                )
            }
            Self::NotAllRemoved(error) => write!(f, "the server did not remove all deleted messages: {error}"),
            Self::RemovalUnknown(error) => {
                write!(f, "it is not known whether the server removed the deleted messages: {error}")
            }
            Self::NextSession(error) => write!(f, "the remaining messages wait for the next run: {error}"),
        }
    }
}

fn count(messages: u64) -> String {
    if messages == 1 { "1 message".to_owned() } else { format!("{messages} messages") }
}
