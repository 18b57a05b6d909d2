//! The server side: one exchange, whatever the mechanism.

use alloc::vec::Vec;

use super::{ChannelBinding, Mechanism, SaslError, unescape_name};
use crate::Secret;
use crate::codec::Username;
use crate::server::{Login, Name, Proof};

/// What an exchange wants next.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Send this as a challenge.
    Challenge(Vec<u8>),
    /// Find the keys of this user, and give them to [`Exchange::keys`].
    #[cfg(feature = "scram")]
    FindKeys(super::ScramHash, Name),
    /// Check this, and open the maildrop.
    Authenticate(Login),
    /// Check whether the certificate that the client has shown is this user's; `-`: find out whose it is.
    External(Name),
    /// The credentials are wrong, as the exchange itself has found out.
    Denied,
}

#[derive(Debug)]
enum State {
    Plain,
    LoginName,
    LoginPassword(Vec<u8>),
    Name,
    OauthBearer,
    Xoauth2,
    #[cfg(feature = "cram-md5")]
    CramMd5(Vec<u8>),
    #[cfg(feature = "scram")]
    Scram(alloc::boxed::Box<super::scram::ScramServer>),
}

/// One exchange on the server's side.
#[derive(Debug)]
pub struct Exchange {
    mechanism: Mechanism,
    state: State,
    begun: bool,
}

impl Exchange {
    /// Begins an exchange. `unique`: text that no other exchange has had, without blanks, commas and angle brackets; at least 18
    /// octets of chance in base64. `bound_is_offered`: the bound form of the mechanism is announced.
    ///
    /// `None`: this build does not have the mechanism.
    pub fn new(mechanism: Mechanism, unique: &str, binding: &ChannelBinding, bound_is_offered: bool) -> Option<Self> {
        let state = match mechanism {
            Mechanism::Plain => State::Plain,
            Mechanism::Login => State::LoginName,
            Mechanism::External | Mechanism::Anonymous => State::Name,
            Mechanism::OauthBearer => State::OauthBearer,
            Mechanism::Xoauth2 => State::Xoauth2,
            #[cfg(feature = "cram-md5")]
            Mechanism::CramMd5 => State::CramMd5(alloc::format!("<{unique}@pop3>").into_bytes()),
            #[cfg(feature = "scram")]
            Mechanism::ScramSha1 | Mechanism::ScramSha1Plus | Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => {
                State::Scram(alloc::boxed::Box::new(super::scram::ScramServer::new(
                    mechanism,
                    unique,
                    binding.clone(),
                    bound_is_offered,
                )))
            }
            #[allow(unreachable_patterns)] // Reached in builds without the features.
            _ => return None,
        };
        let _ = (unique, binding, bound_is_offered);
        Some(Self { mechanism, state, begun: false })
    }

    /// The mechanism.
    pub const fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    /// The first challenge, where the client has sent no initial response: empty, but for mechanisms in which the server speaks
    /// first.
    pub fn first_challenge(&mut self) -> Vec<u8> {
        self.begun = true;
        match &self.state {
            State::LoginName => b"Username:".to_vec(),
            #[cfg(feature = "cram-md5")]
            State::CramMd5(challenge) => challenge.clone(),
            _ => Vec::new(),
        }
    }

    /// Takes a response of the client, decoded; the first may be an initial response.
    ///
    /// # Errors
    /// It does not fit the mechanism: the exchange is over.
    pub fn step(&mut self, response: &[u8]) -> Result<Next, SaslError> {
        // What the server begins cannot be begun by the client (S30); LOGIN is older than that rule.
        if !core::mem::replace(&mut self.begun, true) && self.mechanism == Mechanism::CramMd5 {
            return Err(SaslError::Malformed);
        }
        match &mut self.state {
            State::Plain => plain(response),
            State::LoginName => {
                self.state = State::LoginPassword(response.to_vec());
                Ok(Next::Challenge(b"Password:".to_vec()))
            }
            State::LoginPassword(name) => login(name, Proof::Password(Secret::from(response))),
            State::Name => {
                // EXTERNAL may leave the name to the server, ANONYMOUS its trace to nobody.
                let name = if response.is_empty() { b"-" } else { response };
                match self.mechanism {
                    Mechanism::External => Ok(Next::External(Username::new(name).map_err(|_| SaslError::Malformed)?.into())),
                    _ => login(name, Proof::Anonymous),
                }
            }
            State::OauthBearer => bearer(response),
            State::Xoauth2 => xoauth2(response),
            #[cfg(feature = "cram-md5")]
            State::CramMd5(challenge) => {
                let (name, proof) =
                    super::CramMd5Proof::parse(core::mem::take(challenge), response).ok_or(SaslError::Malformed)?;
                login(name, Proof::CramMd5(proof))
            }
            #[cfg(feature = "scram")]
            State::Scram(scram) => {
                use super::scram::ScramNext;
                match scram.step(response)? {
                    ScramNext::FindKeys(hash) => {
                        let name = Username::new(scram.name()).map_err(|_| SaslError::Malformed)?;
                        Ok(Next::FindKeys(hash, name.into()))
                    }
                    ScramNext::Challenge(text) => Ok(Next::Challenge(text)),
                    ScramNext::Proven => login(scram.name(), Proof::Proven),
                    ScramNext::Refused => Ok(Next::Denied),
                }
            }
        }
    }

    /// The keys that were asked for; for a user that there is not, [a decoy](super::ScramKeys::decoy).
    ///
    /// # Errors
    /// Nothing was asked for, or the keys are for another hash.
    #[cfg(feature = "scram")]
    pub fn keys(&mut self, keys: super::ScramKeys) -> Result<Vec<u8>, SaslError> {
        match &mut self.state {
            State::Scram(scram) => scram.challenge(keys),
            _ => Err(SaslError::Malformed),
        }
    }
}

fn login(name: &[u8], proof: Proof) -> Result<Next, SaslError> {
    let name = Username::new(name).map_err(|_| SaslError::Malformed)?;
    Ok(Next::Authenticate(Login { name: name.into(), proof }))
}

/// Whom to act as, who it is, the password (RFC 4616 §2); each up to 255 octets (S33).
fn plain(response: &[u8]) -> Result<Next, SaslError> {
    let mut parts = response.split(|byte| *byte == 0);
    let (authorization, name, password) = (parts.next(), parts.next(), parts.next());
    let (Some(authorization), Some(name), Some(password), None) = (authorization, name, password, parts.next()) else {
        return Err(SaslError::Malformed);
    };
    // To act as somebody else is not possible here.
    if !(authorization.is_empty() || authorization == name) || password.len() > 255 {
        return Err(SaslError::Malformed);
    }
    login(name, Proof::Password(Secret::from(password)))
}

/// `n,a=NAME,` and key-value pairs, each ended by an octet of 1 (RFC 7628 §3.1).
fn bearer(response: &[u8]) -> Result<Next, SaslError> {
    let mut parts = response.split(|byte| *byte == 1);
    let header = parts.next().and_then(|header| header.strip_prefix(b"n,")).ok_or(SaslError::Malformed)?;
    let name = header.strip_suffix(b",").and_then(|header| header.strip_prefix(b"a=")).ok_or(SaslError::Malformed)?;
    let name = unescape_name(name)?;
    let token = parts.find_map(|part| part.strip_prefix(b"auth=")).and_then(strip_bearer).ok_or(SaslError::Malformed)?;
    login(&name, Proof::Token(Secret::from(token)))
}

fn xoauth2(response: &[u8]) -> Result<Next, SaslError> {
    let mut parts = response.split(|byte| *byte == 1);
    let name = parts.next().and_then(|part| part.strip_prefix(b"user=")).ok_or(SaslError::Malformed)?;
    let token = parts.next().and_then(|part| part.strip_prefix(b"auth=")).and_then(strip_bearer).ok_or(SaslError::Malformed)?;
    login(name, Proof::Token(Secret::from(token)))
}

fn strip_bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = value.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token)
}
