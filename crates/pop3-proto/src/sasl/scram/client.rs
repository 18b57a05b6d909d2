//! The client side of the `SCRAM` family.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use subtle::ConstantTimeEq;

use super::attribute::attribute;
use super::keys::{ITERATION_RANGE, ScramHash};
use crate::Secret;
use crate::sasl::channel_binding::ChannelBinding;
use crate::sasl::context::ExchangeContext;
use crate::sasl::encoding::{decode_base64, encode_base64, escape_name};
use crate::sasl::error::SaslError;
use crate::sasl::exchange::ClientMechanism;
use crate::sasl::mechanism::Mechanism;
use crate::sasl::prepare::prepare;

#[cfg_attr(test, derive(Clone))]
enum ClientStage {
    /// The exchange has failed: the client sends nothing more.
    Dead,
    First,
    Final,
    Verify {
        server_signature: Vec<u8>,
    },
    Done,
}

/// The client side of a `SCRAM` exchange.
#[cfg_attr(test, derive(Clone))]
pub(crate) struct ScramClient {
    mechanism: Mechanism,
    hash: ScramHash,
    password: Secret,
    /// `gs2-header`: names the channel binding, or states that there is none.
    header: Vec<u8>,
    binding: Vec<u8>,
    nonce: String,
    first_bare: Vec<u8>,
    stage: ClientStage,
}

impl fmt::Debug for ScramClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScramClient").field("mechanism", &self.mechanism).finish_non_exhaustive()
    }
}

impl ScramClient {
    /// Begins an exchange. Returns `None` for a mechanism of another family, and for a `-PLUS` form without a binding.
    pub(crate) fn new(mechanism: Mechanism, name: &[u8], password: &Secret, context: &ExchangeContext<'_>) -> Option<Self> {
        // Base64 contains no comma, and eighteen octets need no padding.
        let nonce = encode_base64(&context.nonce);
        Self::with_nonce(mechanism, name, password, nonce, context.binding, context.plus_is_offered)
    }

    pub(crate) fn with_nonce(
        mechanism: Mechanism,
        name: &[u8],
        password: &Secret,
        nonce: String,
        binding: &ChannelBinding,
        plus_is_offered: bool,
    ) -> Option<Self> {
        let hash = ScramHash::of(mechanism)?;
        let (header, data): (&[u8], &[u8]) = if mechanism.uses_channel_binding() {
            match (&binding.exporter, &binding.server_end_point) {
                (Some(exporter), _) => (b"p=tls-exporter,,", exporter),
                (None, Some(hash)) => (b"p=tls-server-end-point,,", hash),
                (None, None) => return None,
            }
        } else if binding.is_available() && !plus_is_offered {
            (b"y,,", b"")
        } else {
            (b"n,,", b"")
        };
        let mut first_bare = b"n=".to_vec();
        escape_name(prepare(name).as_deref().unwrap_or(name), &mut first_bare);
        first_bare.extend_from_slice(b",r=");
        first_bare.extend_from_slice(nonce.as_bytes());
        Some(Self {
            mechanism,
            hash,
            password: password.clone(),
            header: header.to_vec(),
            binding: data.to_vec(),
            nonce,
            first_bare,
            stage: ClientStage::First,
        })
    }

    /// Returns the proof in answer to the server's first message, and computes the signature that the server must send in turn.
    fn prove(&mut self, server_first: &[u8]) -> Result<Secret, SaslError> {
        let mut parts = server_first.split(|byte| *byte == b',');
        let nonce = attribute(parts.next(), b"r=")?;
        let salt = decode_base64(attribute(parts.next(), b"s=")?)?;
        let rounds = attribute(parts.next(), b"i=")?;
        let rounds = crate::codec::decimal(rounds).and_then(|rounds| u32::try_from(rounds).ok()).ok_or(SaslError::Malformed)?;
        if !nonce.starts_with(self.nonce.as_bytes()) || nonce.len() == self.nonce.len() {
            return Err(SaslError::Nonce);
        }
        if !ITERATION_RANGE.contains(&rounds) {
            return Err(SaslError::Iterations(rounds));
        }
        let keys = self.hash.salted_password(self.password.expose(), &salt, rounds);
        let client_key = self.hash.hmac(keys.expose(), b"Client Key");
        let stored_key = self.hash.digest(&client_key);
        let server_key = self.hash.hmac(keys.expose(), b"Server Key");
        let bound = encode_base64(&[self.header.as_slice(), &self.binding].concat());
        let mut response = format!("c={bound},r=").into_bytes();
        response.extend_from_slice(nonce);
        let signed = [self.first_bare.as_slice(), server_first, &response].join(&b","[..]);
        let signature = self.hash.hmac(&stored_key, &signed);
        let proof: Vec<u8> = client_key.iter().zip(&signature).map(|(key, signature)| key ^ signature).collect();
        response.extend_from_slice(b",p=");
        response.extend_from_slice(encode_base64(&proof).as_bytes());
        self.stage = ClientStage::Verify { server_signature: self.hash.hmac(&server_key, &signed) };
        Ok(Secret::from(&response))
    }
}

impl ClientMechanism for ScramClient {
    fn mechanism(&self) -> Mechanism {
        self.mechanism
    }

    fn initial_response(&mut self) -> Option<Secret> {
        self.stage = ClientStage::Final;
        Some(Secret::from(&[self.header.as_slice(), &self.first_bare].concat()))
    }

    fn respond(&mut self, challenge: &[u8]) -> Result<Secret, SaslError> {
        match core::mem::replace(&mut self.stage, ClientStage::Dead) {
            ClientStage::Final => self.prove(challenge),
            ClientStage::Verify { server_signature } => {
                if challenge.starts_with(b"e=") {
                    return Err(SaslError::Refused);
                }
                let text = challenge.strip_prefix(b"v=").ok_or(SaslError::ServerNotProven)?;
                if !bool::from(decode_base64(text)?.ct_eq(&server_signature)) {
                    return Err(SaslError::ServerNotProven);
                }
                self.stage = ClientStage::Done;
                // A success reply carries no data (S32), so the server's signature arrives as a challenge, and the last response
                // is empty.
                Ok(Secret::from(b""))
            }
            ClientStage::First | ClientStage::Done | ClientStage::Dead => Err(SaslError::Malformed),
        }
    }

    fn expects_challenge(&self) -> bool {
        !matches!(self.stage, ClientStage::Done)
    }
}
