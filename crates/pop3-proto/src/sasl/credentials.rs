//! The credentials of a client.

use alloc::vec::Vec;

use super::mechanism::{Mechanism, OfferedMechanisms};
use crate::Secret;
use crate::codec::{InvalidArgument, Password, Username};

/// The credentials with which a client logs in. `Debug` shows no secret.
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
    /// The identity that TLS has proven, for `EXTERNAL`. The name may be empty: the server knows it from TLS.
    External {
        /// The name to act as.
        name: Vec<u8>,
    },
    /// An anonymous login, for `ANONYMOUS`.
    Anonymous {
        /// A trace of the user for the server's log.
        trace: Vec<u8>,
    },
}

impl Credentials {
    /// Returns credentials of a name and a password. The password may contain octets that are not UTF-8, as old passwords in
    /// Latin-1 do.
    ///
    /// # Errors
    /// The name or the password contains CR, LF or NUL or is longer than 255 octets, or the name is empty or has a blank at an
    /// end.
    pub fn password(name: &str, password: &(impl AsRef<[u8]> + ?Sized)) -> Result<Self, InvalidArgument> {
        let (name, password) = (Username::new(name)?, Password::new(password.as_ref())?);
        Ok(Self::Password { name: name.as_bytes().to_vec(), password: Secret::from(password.expose()) })
    }

    /// Returns credentials of a name and an access token.
    ///
    /// # Errors
    /// The name or the token contains CR, LF, NUL or the octet 1, or the name is empty, longer than 255 octets, or has a blank at
    /// an end.
    pub fn token(name: &str, token: &str) -> Result<Self, InvalidArgument> {
        crate::codec::refuse_line_breaks(token.as_bytes())?;
        for text in [name, token] {
            if let Some(at) = text.bytes().position(|byte| byte == 1) {
                return Err(InvalidArgument::Forbidden { byte: 1, at });
            }
        }
        Ok(Self::Token { name: Username::new(name)?.as_bytes().to_vec(), token: Secret::from(token) })
    }

    /// Returns `true` if the credentials contain none of the octets that a mechanism uses as separators.
    // H15
    pub(super) fn can_be_sent(&self) -> bool {
        let clean = |text: &[u8]| !text.iter().any(|byte| matches!(byte, 0 | b'\r' | b'\n'));
        let without_1 = |text: &[u8]| clean(text) && !text.contains(&1);
        match self {
            Self::Password { name, password } => clean(name) && clean(password.expose()),
            Self::Token { name, token } => without_1(name) && without_1(token.expose()),
            Self::External { name } | Self::Anonymous { trace: name } => clean(name),
        }
    }

    /// Returns `true` if the mechanism can carry these credentials.
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

    /// Returns the strongest mechanism that the server offers, the caller allows, this build has and these credentials fit. A
    /// `-PLUS` form is chosen only if `bound` is `true`: the connection has a channel binding.
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
