//! The names of mechanisms, and the offer of a server.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// A mechanism that this crate knows. The order is by strength, the weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// `ANONYMOUS` (RFC 4505): no authentication; the client sends only a trace for the log.
    Anonymous,
    /// `LOGIN`: name and password, each in response to a challenge. It was never standardised, but is widely supported.
    Login,
    /// `PLAIN` (RFC 4616): name and password.
    Plain,
    /// `CRAM-MD5` (RFC 2195): a digest instead of the password, but made with MD5, which is broken.
    CramMd5,
    /// `XOAUTH2`: a token in the form that some large providers require.
    Xoauth2,
    /// `OAUTHBEARER` (RFC 7628): a token.
    OauthBearer,
    /// `SCRAM-SHA-1` (RFC 5802).
    ScramSha1,
    /// `SCRAM-SHA-256` (RFC 7677).
    ScramSha256,
    /// `SCRAM-SHA-1-PLUS`: bound to the TLS connection.
    ScramSha1Plus,
    /// `SCRAM-SHA-256-PLUS`: bound to the TLS connection.
    ScramSha256Plus,
    /// `EXTERNAL` (RFC 4422): the client's identity is proven outside the exchange, for example by its certificate.
    External,
}

impl Mechanism {
    /// Every mechanism, the weakest first.
    pub const ALL: [Self; 11] = [
        Self::Anonymous,
        Self::Login,
        Self::Plain,
        Self::CramMd5,
        Self::Xoauth2,
        Self::OauthBearer,
        Self::ScramSha1,
        Self::ScramSha256,
        Self::ScramSha1Plus,
        Self::ScramSha256Plus,
        Self::External,
    ];

    /// Returns the registered name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Anonymous => "ANONYMOUS",
            Self::Login => "LOGIN",
            Self::Plain => "PLAIN",
            Self::CramMd5 => "CRAM-MD5",
            Self::Xoauth2 => "XOAUTH2",
            Self::OauthBearer => "OAUTHBEARER",
            Self::ScramSha1 => "SCRAM-SHA-1",
            Self::ScramSha256 => "SCRAM-SHA-256",
            Self::ScramSha1Plus => "SCRAM-SHA-1-PLUS",
            Self::ScramSha256Plus => "SCRAM-SHA-256-PLUS",
            Self::External => "EXTERNAL",
        }
    }

    /// Returns the mechanism with this name, compared case-insensitively.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Returns `true` if this build has the mechanism: some require a feature of the crate.
    #[allow(clippy::match_like_matches_macro)] // Only in builds without features.
    pub const fn is_enabled(self) -> bool {
        match self {
            Self::CramMd5 => cfg!(feature = "cram-md5"),
            Self::ScramSha1 | Self::ScramSha256 | Self::ScramSha1Plus | Self::ScramSha256Plus => cfg!(feature = "scram"),
            _ => true,
        }
    }

    /// Returns `true` if the mechanism sends the password or token itself.
    pub const fn exposes_secret(self) -> bool {
        matches!(self, Self::Login | Self::Plain | Self::Xoauth2 | Self::OauthBearer)
    }

    /// Returns `true` if the mechanism is bound to the TLS connection; it then requires TLS.
    pub const fn uses_channel_binding(self) -> bool {
        matches!(self, Self::ScramSha1Plus | Self::ScramSha256Plus)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The mechanisms that a server offers, by the names that the server sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedMechanisms(Vec<Box<[u8]>>);

impl OfferedMechanisms {
    /// Returns the offer with these names: the parameters of the capability `SASL`.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(names.into_iter().map(Box::from).collect())
    }

    /// Returns `true` if the server offers the mechanism. Names are compared case-insensitively.
    pub fn has(&self, mechanism: Mechanism) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(mechanism.as_str().as_bytes()))
    }
}
