//! What is known of a connection, and why one ends.

use alloc::sync::Arc;

use thiserror::Error;

use super::Origin;
use crate::sasl::ChannelBinding;

/// What a driver knows of a connection.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    /// TLS is active.
    pub encrypted: bool,
    /// Eighteen octets of chance that no other connection has had: challenges and timestamps are made of them.
    pub chance: [u8; 18],
    /// What a login can be bound to.
    pub binding: ChannelBinding,
    /// The certificate that the client has shown, in DER, if somebody who is trusted vouches for it: `EXTERNAL` is offered then.
    pub certificate: Option<Arc<[u8]>>,
    /// Whom the peer speaks for, where it has said so before the session.
    pub origin: Option<Origin>,
    /// The peer is a proxy whose word is taken for whom it speaks for (`XCLIENT`).
    pub trusted: bool,
}

impl Channel {
    /// A connection in the clear.
    pub fn clear(chance: [u8; 18]) -> Self {
        Self { chance, ..Self::default() }
    }

    /// A connection over TLS.
    pub fn encrypted(chance: [u8; 18], binding: ChannelBinding) -> Self {
        Self { encrypted: true, chance, binding, ..Self::default() }
    }
}

/// Why a session was ended from this side, for a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Ending {
    /// The client said `QUIT`.
    #[error("the client said QUIT")]
    Quit,
    /// Too many commands that are malformed or out of place (H38).
    #[error("too many bad commands")]
    BadCommands,
    /// Too many wrong passwords.
    #[error("too many wrong passwords")]
    FailedLogins,
    /// The client began with TLS where the session begins in the clear (Q56).
    #[error("the client began with TLS on a port that begins in the clear")]
    Tls,
    /// The client speaks another protocol: mostly somebody who tries every port (Q57).
    #[error("the client does not speak POP3")]
    OtherProtocol,
    /// The client sent a line far beyond the limit.
    #[error("the client sent an endless line")]
    EndlessLine,
    /// The application gave up.
    #[error("the session was broken off")]
    Aborted,
}
