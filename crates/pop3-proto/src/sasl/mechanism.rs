//! The names of mechanisms, and what a server offers.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// A mechanism that this crate knows. Later ones in the order of the type are stronger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Mechanism {
    /// `ANONYMOUS` (RFC 4505): no login at all, a trace of who it is.
    Anonymous,
    /// `LOGIN`: name and password, each asked for. Never standardised, widely spoken.
    Login,
    /// `PLAIN` (RFC 4616): name and password.
    Plain,
    /// `CRAM-MD5` (RFC 2195): the password does not cross the wire; broken hashing all the same.
    CramMd5,
    /// `XOAUTH2`: a token, as some large providers want it.
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
    /// `EXTERNAL` (RFC 4422): who the client is was proven outside, as by its certificate.
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

    /// The registered name.
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

    /// Finds a mechanism by its name in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::ALL.into_iter().find(|mechanism| mechanism.as_str().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether this build has it: some are features.
    #[allow(clippy::match_like_matches_macro)] // Only in builds without features.
    pub const fn is_enabled(self) -> bool {
        match self {
            Self::CramMd5 => cfg!(feature = "cram-md5"),
            Self::ScramSha1 | Self::ScramSha256 | Self::ScramSha1Plus | Self::ScramSha256Plus => cfg!(feature = "scram"),
            _ => true,
        }
    }

    /// Whoever reads the wire could log in with what they read.
    pub const fn exposes_secret(self) -> bool {
        matches!(self, Self::Login | Self::Plain | Self::Xoauth2 | Self::OauthBearer)
    }

    /// Runs only under TLS, bound to it.
    pub const fn uses_channel_binding(self) -> bool {
        matches!(self, Self::ScramSha1Plus | Self::ScramSha256Plus)
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The mechanisms that a server offers, as it names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferedMechanisms(Vec<Box<[u8]>>);

impl OfferedMechanisms {
    /// The names behind `SASL` in the capabilities.
    pub fn new<'a>(names: impl IntoIterator<Item = &'a [u8]>) -> Self {
        Self(names.into_iter().map(Box::from).collect())
    }

    /// Whether the mechanism is among them.
    pub fn has(&self, mechanism: Mechanism) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(mechanism.as_str().as_bytes()))
    }
}
