//! What a client logs in with.

use alloc::vec::Vec;

use super::mechanism::{Mechanism, OfferedMechanisms};
use crate::Secret;
use crate::codec::{InvalidArgument, Password, Username};

/// Who logs in, and what proves it. `Debug` shows no secret.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Credentials {
    /// A name and a password, for `USER`, `PLAIN`, `LOGIN`, `CRAM-MD5`, `SCRAM` and `APOP`.
    Password {
        /// The name.
        name: Vec<u8>,
        /// The password.
        password: Secret,
    },
    /// A name and an access token, for `OAUTHBEARER` and `XOAUTH2`.
    Token {
        /// The name.
        name: Vec<u8>,
        /// The token.
        token: Secret,
    },
    /// What TLS has proven, for `EXTERNAL`. The name may be empty: the server knows it.
    External {
        /// The name to act as.
        name: Vec<u8>,
    },
    /// Nobody in particular, for `ANONYMOUS`.
    Anonymous {
        /// Who it is, for the server's log.
        trace: Vec<u8>,
    },
}

impl Credentials {
    /// A name and a password. A password may have any bytes that can be sent, as old ones in Latin-1 have.
    ///
    /// # Errors
    /// One of them cannot be sent: CR, LF or NUL in it, longer than 255 octets.
    pub fn password(name: &str, password: &(impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        let (name, password) = (Username::new(name)?, Password::new(password.as_ref())?);
        Ok(Self::Password { name: name.as_bytes().to_vec(), password: Secret::from(password.expose()) })
    }

    /// A name and an access token.
    ///
    /// # Errors
    /// One of them cannot be sent.
    pub fn token(name: &str, token: &str) -> Result<Self, InvalidArgument> {
        crate::codec::refuse_line_breaks(token.as_bytes())?;
        for text in [name, token] {
            if let Some(at) = text.bytes().position(|byte| byte == 1) {
                return Err(InvalidArgument::Forbidden { byte: 1, at });
            }
        }
        Ok(Self::Token { name: Username::new(name)?.as_bytes().to_vec(), token: Secret::from(token) })
    }

    /// Nothing in them is what a mechanism puts between its parts (H15).
    pub(super) fn can_be_sent(&self) -> bool {
        let clean = |text: &[u8]| !text.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
        let without_1 = |text: &[u8]| clean(text) && !text.contains(&1);
        match self {
            Self::Password { name, password } => clean(name) && clean(password.expose()),
            Self::Token { name, token } => without_1(name) && without_1(token.expose()),
            Self::External { name } | Self::Anonymous { trace: name } => clean(name),
        }
    }

    /// Whether a mechanism can carry them.
    pub const fn fit(&self, mechanism: Mechanism) -> bool {
        match self {
            Self::Password { .. } => {
                !matches!(mechanism, Mechanism::Xoauth2 | Mechanism::OauthBearer | Mechanism::External | Mechanism::Anonymous)
            }
            Self::Token { .. } => matches!(mechanism, Mechanism::Xoauth2 | Mechanism::OauthBearer),
            Self::External { .. } => matches!(mechanism, Mechanism::External),
            Self::Anonymous { .. } => matches!(mechanism, Mechanism::Anonymous),
        }
    }

    /// The strongest mechanism that the server offers, the caller allows, this build has and these credentials fit. `bound`: there
    /// is a channel to bind to.
    pub fn choose(&self, offer: &OfferedMechanisms, allowed: &[Mechanism], bound: bool) -> Option<Mechanism> {
        let possible = |mechanism: &Mechanism| {
            mechanism.is_enabled()
                && self.fit(*mechanism)
                && offer.has(*mechanism)
                && (bound || !mechanism.uses_channel_binding())
        };
        allowed.iter().copied().filter(possible).max()
    }
}
