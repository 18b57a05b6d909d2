//! The server side of the `SCRAM` family.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use super::attribute::attribute;
use super::keys::{ScramHash, ScramKeys};
use crate::sasl::channel_binding::ChannelBinding;
use crate::sasl::encoding::{decode_base64, encode_base64, unescape_name};
use crate::sasl::error::SaslError;
use crate::sasl::exchange::{ExchangeEvent, ServerMechanism, authenticate, owned_username};
use crate::sasl::mechanism::Mechanism;
use crate::sasl::presented::PresentedCredentials;

enum ServerStage {
    /// The exchange has failed: further responses are refused, and no client is authenticated.
    Dead,
    First,
    /// The client's first message was read; the user's keys are awaited.
    Keys,
    Final {
        keys: ScramKeys,
        server_first: Vec<u8>,
    },
    /// The proof was right; the client's empty response to the server's signature is awaited.
    Proven,
}

/// The server side of a `SCRAM` exchange.
pub(crate) struct ScramServer {
    mechanism: Mechanism,
    hash: ScramHash,
    binding: ChannelBinding,
    /// The `-PLUS` form is offered. A client that supports it but reports no offer received a manipulated offer.
    plus_is_offered: bool,
    nonce: String,
    name: Vec<u8>,
    header: Vec<u8>,
    binding_name: Vec<u8>,
    first_bare: Vec<u8>,
    stage: ServerStage,
}

impl fmt::Debug for ScramServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramServer").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl ScramServer {
    /// Begins an exchange. Returns `None` for a mechanism of another family.
    pub(crate) fn new(mechanism: Mechanism, nonce: &str, binding: ChannelBinding, plus_is_offered: bool) -> Option<Self> {
        Some(Self {
            mechanism,
            hash: ScramHash::of(mechanism)?,
            binding,
            plus_is_offered,
            nonce: nonce.into(),
            name: Vec::new(),
            header: Vec::new(),
            binding_name: Vec::new(),
            first_bare: Vec::new(),
            stage: ServerStage::First,
        })
    }

    fn first(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        self.read_first(response)?;
        self.stage = ServerStage::Keys;
        Ok(ExchangeEvent::FindKeys(self.hash, owned_username(&self.name)?))
    }

    fn read_first(&mut self, first: &[u8]) -> Result<(), SaslError> {
        let mut parts = first.splitn(3, |byte| *byte == b',');
        let flag = parts.next().unwrap_or_default();
        let authorization = parts.next().ok_or(SaslError::Malformed)?;
        let bare = parts.next().ok_or(SaslError::Malformed)?;
        match (flag, self.mechanism.uses_channel_binding()) {
            ([b'p', b'=', name @ ..], true) if self.binding.data(name).is_some() => self.binding_name = name.to_vec(),
            (b"n", false) => {}
            (b"y", false) if !self.plus_is_offered => {}
            (b"y", _) => return Err(SaslError::Downgrade),
            _ => return Err(SaslError::Malformed),
        }
        let mut attributes = bare.split(|byte| *byte == b',');
        self.name = unescape_name(attribute(attributes.next(), b"n=")?)?;
        let nonce = attribute(attributes.next(), b"r=")?;
        // Acting as another user is not supported, so a different authorization identity is refused.
        if !authorization.is_empty() && unescape_name(attribute(Some(authorization), b"a=")?)? != self.name {
            return Err(SaslError::Malformed);
        }
        if nonce.is_empty() || !nonce.iter().all(u8::is_ascii_graphic) {
            return Err(SaslError::Malformed);
        }
        let mut whole = nonce.to_vec();
        whole.extend_from_slice(self.nonce.as_bytes());
        self.nonce = String::from_utf8(whole).map_err(|_| SaslError::Malformed)?;
        self.header = first.get(..first.len() - bare.len()).unwrap_or_default().to_vec();
        self.first_bare = bare.to_vec();
        Ok(())
    }

    fn check(&mut self, keys: &ScramKeys, server_first: &[u8], last: &[u8]) -> Result<ExchangeEvent, SaslError> {
        let mut parts = last.split(|byte| *byte == b',');
        let bound = decode_base64(attribute(parts.next(), b"c=")?)?;
        let nonce = attribute(parts.next(), b"r=")?;
        let proof_part = parts.next_back();
        let proof = decode_base64(attribute(proof_part, b"p=")?)?;
        let data = self.binding.data(&self.binding_name).unwrap_or_default();
        let expected = [self.header.as_slice(), data].concat();
        if !bool::from(bound.ct_eq(&expected)) {
            return Ok(ExchangeEvent::Denied);
        }
        if nonce != self.nonce.as_bytes() {
            return Err(SaslError::Nonce);
        }
        let without_proof = last.get(..last.len() - proof_part.unwrap_or_default().len() - 1).unwrap_or_default();
        let signed = [self.first_bare.as_slice(), server_first, without_proof].join(&b","[..]);
        let signature = keys.hash.hmac(&keys.stored_key, &signed);
        let client_key: Vec<u8> = proof.iter().zip(&signature).map(|(proof, signature)| proof ^ signature).collect();
        let right = proof.len() == signature.len() && bool::from(keys.hash.digest(&client_key).ct_eq(&keys.stored_key));
        if !right {
            return Ok(ExchangeEvent::Denied);
        }
        self.stage = ServerStage::Proven;
        let server_signature = encode_base64(&keys.hash.hmac(&keys.server_key, &signed));
        Ok(ExchangeEvent::Challenge(format!("v={server_signature}").into_bytes()))
    }
}

impl ServerMechanism for ScramServer {
    fn respond(&mut self, response: &[u8]) -> Result<ExchangeEvent, SaslError> {
        match core::mem::replace(&mut self.stage, ServerStage::Dead) {
            ServerStage::First => self.first(response),
            ServerStage::Final { keys, server_first } => self.check(&keys, &server_first, response),
            ServerStage::Proven if response.is_empty() => authenticate(&self.name, PresentedCredentials::Verified),
            ServerStage::Proven | ServerStage::Keys | ServerStage::Dead => Err(SaslError::Malformed),
        }
    }

    /// Returns the server's first message.
    fn provide_keys(&mut self, keys: ScramKeys) -> Result<Vec<u8>, SaslError> {
        if !matches!(self.stage, ServerStage::Keys) || self.hash != keys.hash {
            return Err(SaslError::Malformed);
        }
        let first = format!("r={},s={},i={}", self.nonce, encode_base64(&keys.salt), keys.rounds).into_bytes();
        self.stage = ServerStage::Final { keys, server_first: first.clone() };
        Ok(first)
    }
}
