//! Events of the client machine.

use alloc::boxed::Box;
use alloc::vec::Vec;

#[cfg(doc)]
use super::machine::Client;
use crate::codec::{Greeting, Reply};
use crate::sasl::{SaslError, decode_base64};

/// The identifier of a command: each event carries the tag of its command. Later commands have larger tags. A tag is never sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Tag(pub(super) u64);

/// An event of the client machine. It borrows from the input, never from the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientEvent<'i> {
    /// More input is needed: write the output, then read.
    NeedInput,
    /// Progress was made: poll again.
    Continue,
    /// The greeting. After one with `-ERR` the session is closed.
    // Q03
    Greeting(Greeting<'i>),
    /// The first line of the reply to a command. If the reply is a multi-line response, lines or a body follow a `+OK`.
    Reply(Tag, Reply<'i>),
    /// A challenge of a SASL exchange: answer it with [`Client::sasl_respond`] or [`Client::sasl_cancel`].
    Challenge(Tag, Challenge<'i>),
    /// A line of a listing or of the capabilities, without its line end and its byte-stuffing.
    Line(Tag, &'i [u8]),
    /// A piece of a message. It is always the end of the consumed bytes.
    Body(Tag, &'i [u8]),
    /// The end of a multi-line response. A message is complete only after this event.
    // H13
    End(Tag),
    /// The server is ready for TLS: perform the handshake and continue with [`Client::upgraded`].
    UpgradeTls(Tag),
    /// The session has ended; close the connection.
    Closed,
}

/// A greeting that owns its octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedGreeting {
    /// The human-readable text of the server.
    pub text: Box<[u8]>,
    /// The timestamp for `APOP`, angle brackets included.
    pub timestamp: Option<Box<[u8]>>,
}

/// The base64 text after the `+` of a challenge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'i>(pub(super) &'i [u8]);

impl Challenge<'_> {
    /// Decodes the challenge.
    ///
    /// # Errors
    /// The text is not base64.
    pub fn decode(&self) -> Result<Vec<u8>, SaslError> {
        decode_base64(self.0)
    }
}
