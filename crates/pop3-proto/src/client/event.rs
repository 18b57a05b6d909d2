//! What a client machine tells.

use alloc::boxed::Box;
use alloc::vec::Vec;

#[cfg(doc)]
use super::machine::Client;
use crate::codec::{Greeting, Reply};
use crate::sasl::{SaslError, decode_base64};

/// Names a command in flight, so that what comes back can be told apart. Later commands have larger tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(super) u64);

/// What happened. Borrows from the input, never from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent<'i> {
    /// More input is needed: write the output, then read.
    NeedInput,
    /// Progress was made: poll again.
    Continue,
    /// The greeting. Behind one with `-ERR` the session is over (Q03).
    Greeting(Greeting<'i>),
    /// The first line of the reply to a command. `+OK` to a command with more to come is followed by lines or a body.
    Reply(Tag, Reply<'i>),
    /// A challenge of a SASL exchange: answer with [`Client::sasl_respond`] or [`Client::sasl_cancel`].
    Challenge(Tag, Challenge<'i>),
    /// A line of a listing or of the capabilities, without its end and its stuffing.
    Line(Tag, &'i [u8]),
    /// A piece of a message, always the last bytes of what was consumed.
    Body(Tag, &'i [u8]),
    /// The end of a listing or a message. Only now is a message complete (H13).
    End(Tag),
    /// The server is ready for TLS: do the handshake and continue with [`Client::upgraded`].
    UpgradeTls(Tag),
    /// The session is over; close the connection.
    Closed,
}

/// The greeting, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedGreeting {
    /// What the server says.
    pub text: Box<[u8]>,
    /// The timestamp for APOP, angle brackets included.
    pub timestamp: Option<Box<[u8]>>,
}

/// What stands behind the `+` of a challenge: base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'i>(pub(super) &'i [u8]);

impl Challenge<'_> {
    /// The octets.
    ///
    /// # Errors
    /// It is not base64.
    pub fn decode(&self) -> Result<Vec<u8>, SaslError> {
        decode_base64(self.0)
    }
}
