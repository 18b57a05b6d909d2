//! `SCRAM-SHA-1`, `SCRAM-SHA-256` and their `-PLUS` forms, both sides (RFC 5802, RFC 7677, RFC 9266).

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::{
    ChannelBinding, ClientMechanism, Mechanism, SaslError, decode_base64, encode_base64, escape_name, prepare, unescape_name,
};
use crate::Secret;

/// Fewer rounds make guessing cheap (RFC 7677 §4); more would only keep the client busy.
const ROUNDS: core::ops::RangeInclusive<u32> = 4096..=1_000_000;

/// The hash of a mechanism.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ScramHash {
    /// SHA-1
    Sha1,
    /// SHA-256
    Sha256,
}

impl ScramHash {
    const fn of(mechanism: Mechanism) -> Option<Self> {
        match mechanism {
            Mechanism::ScramSha1 | Mechanism::ScramSha1Plus => Some(Self::Sha1),
            Mechanism::ScramSha256 | Mechanism::ScramSha256Plus => Some(Self::Sha256),
            _ => None,
        }
    }

    fn digest(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(data).to_vec(),
            Self::Sha256 => Sha256::digest(data).to_vec(),
        }
    }

    fn hmac(self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn mac<M: Mac + hmac::digest::KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
            // A key of any length is a key, so nothing is ever hashed without one.
            <M as hmac::digest::KeyInit>::new_from_slice(key).map_or_else(
                |_| Vec::new(),
                |mut mac| {
                    mac.update(data);
                    mac.finalize().into_bytes().to_vec()
                },
            )
        }
        match self {
            Self::Sha1 => mac::<Hmac<Sha1>>(key, data),
            Self::Sha256 => mac::<Hmac<Sha256>>(key, data),
        }
    }

    /// The password is prepared first (RFC 5802 §2.2); one that cannot be is taken as it is, which both sides do alike.
    fn salted_password(self, password: &[u8], salt: &[u8], rounds: u32) -> Secret {
        let prepared = prepare(password).map(|password| Secret::from(&password[..]));
        let password = prepared.as_ref().map_or(password, Secret::expose);
        match self {
            Self::Sha1 => {
                let mut out = [0; 20];
                pbkdf2::pbkdf2_hmac::<Sha1>(password, salt, rounds, &mut out);
                Secret::from(&out)
            }
            Self::Sha256 => {
                let mut out = [0; 32];
                pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, rounds, &mut out);
                Secret::from(&out)
            }
        }
    }
}

/// What a server keeps of a password: enough to check it, not enough to log in with.
#[derive(Clone, PartialEq, Eq)]
pub struct ScramKeys {
    hash: ScramHash,
    salt: Vec<u8>,
    rounds: u32,
    stored_key: Vec<u8>,
    server_key: Vec<u8>,
}

impl ScramKeys {
    /// Makes them from a password: `rounds` times hashing. A `salt` is for one user and one password.
    pub fn derive(hash: ScramHash, password: &[u8], salt: &[u8], rounds: u32) -> Self {
        let salted = hash.salted_password(password, salt, rounds.max(1));
        let stored_key = hash.digest(&hash.hmac(salted.expose(), b"Client Key"));
        let server_key = hash.hmac(salted.expose(), b"Server Key");
        Self { hash, salt: salt.to_vec(), rounds: rounds.max(1), stored_key, server_key }
    }

    /// Keys that nobody's password fits, for a name that does not exist: the exchange must look the same (H54). The same name
    /// gets the same salt for as long as the server keeps its `secret`.
    pub fn decoy(hash: ScramHash, secret: &[u8], name: &[u8]) -> Self {
        let mut salt = hash.hmac(secret, name);
        salt.truncate(16);
        let stored_key = hash.hmac(secret, &[b"stored", name].concat());
        let server_key = hash.hmac(secret, &[b"server", name].concat());
        Self { hash, salt, rounds: *ROUNDS.start(), stored_key, server_key }
    }
}

impl fmt::Debug for ScramKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ScramKeys([redacted])")
    }
}

/// One attribute, `x=value`, of a comma-separated message.
fn attribute<'a>(part: Option<&'a [u8]>, name: &[u8; 2]) -> Result<&'a [u8], SaslError> {
    let part = part.ok_or(SaslError::Malformed)?;
    if part.starts_with(b"m=") {
        return Err(SaslError::Extension);
    }
    part.strip_prefix(name.as_slice()).ok_or(SaslError::Malformed)
}

fn nonce_text(nonce: &[u8; 18]) -> String {
    // Base64 has no comma, and eighteen octets need no padding.
    encode_base64(nonce)
}

enum ClientStage {
    /// Something went wrong: nothing more is said.
    Dead,
    First,
    Final,
    Verify {
        server_signature: Vec<u8>,
    },
    Done,
}

/// The client's side.
pub(super) struct ScramClient {
    mechanism: Mechanism,
    hash: ScramHash,
    password: Secret,
    /// `gs2-header`: whether and how the exchange is bound.
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
    pub(super) fn new(
        mechanism: Mechanism,
        name: &[u8],
        password: &Secret,
        nonce: [u8; 18],
        binding: &ChannelBinding,
        offered_bound: bool,
    ) -> Option<Self> {
        Self::with_nonce(mechanism, name, password, nonce_text(&nonce), binding, offered_bound)
    }

    pub(super) fn with_nonce(
        mechanism: Mechanism,
        name: &[u8],
        password: &Secret,
        nonce: String,
        binding: &ChannelBinding,
        offered_bound: bool,
    ) -> Option<Self> {
        let hash = ScramHash::of(mechanism)?;
        let (header, data): (&[u8], &[u8]) = if mechanism.is_bound() {
            match (&binding.exporter, &binding.server_end_point) {
                (Some(exporter), _) => (b"p=tls-exporter,,", exporter),
                (None, Some(hash)) => (b"p=tls-server-end-point,,", hash),
                (None, None) => return None,
            }
        } else if binding.is_available() && !offered_bound {
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

    /// Answers the server's first message with the proof, and works out what the server must prove in turn.
    fn prove(&mut self, server_first: &[u8]) -> Result<Secret, SaslError> {
        let mut parts = server_first.split(|byte| *byte == b',');
        let nonce = attribute(parts.next(), b"r=")?;
        let salt = decode_base64(attribute(parts.next(), b"s=")?)?;
        let rounds = attribute(parts.next(), b"i=")?;
        let rounds = crate::codec::decimal(rounds).and_then(|rounds| u32::try_from(rounds).ok()).ok_or(SaslError::Malformed)?;
        if !nonce.starts_with(self.nonce.as_bytes()) || nonce.len() == self.nonce.len() {
            return Err(SaslError::Nonce);
        }
        if !ROUNDS.contains(&rounds) {
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
                // The server sends nothing with its success (S32): the last response is empty.
                Ok(Secret::from(b""))
            }
            ClientStage::First | ClientStage::Done | ClientStage::Dead => Err(SaslError::Malformed),
        }
    }

    fn expects_challenge(&self) -> bool {
        !matches!(self.stage, ClientStage::Done)
    }
}

enum ServerStage {
    /// Something went wrong: nothing more is taken, and nobody is proven.
    Dead,
    First,
    /// The client's first message was read; its user's keys are awaited.
    Keys,
    Final {
        keys: ScramKeys,
        server_first: Vec<u8>,
    },
    /// The proof was right; the client's empty answer to ours is awaited.
    Proven,
}

/// The server's side.
pub(super) struct ScramServer {
    mechanism: Mechanism,
    binding: ChannelBinding,
    /// The bound form is on offer: a client that says it would have liked it was deceived.
    bound_is_offered: bool,
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

/// What the server's side does next.
pub(super) enum ScramNext {
    /// Find the keys of [`ScramServer::name`], then [`ScramServer::challenge`].
    FindKeys(ScramHash),
    /// Say this; the client is proven once its empty answer has come.
    Challenge(Vec<u8>),
    Proven,
    Refused,
}

impl ScramServer {
    pub(super) fn new(mechanism: Mechanism, nonce: &str, binding: ChannelBinding, bound_is_offered: bool) -> Self {
        Self {
            mechanism,
            binding,
            bound_is_offered,
            nonce: nonce.into(),
            name: Vec::new(),
            header: Vec::new(),
            binding_name: Vec::new(),
            first_bare: Vec::new(),
            stage: ServerStage::First,
        }
    }

    pub(super) fn name(&self) -> &[u8] {
        &self.name
    }

    pub(super) fn step(&mut self, response: &[u8]) -> Result<ScramNext, SaslError> {
        match core::mem::replace(&mut self.stage, ServerStage::Dead) {
            ServerStage::First => {
                self.read_first(response)?;
                self.stage = ServerStage::Keys;
                ScramHash::of(self.mechanism).map(ScramNext::FindKeys).ok_or(SaslError::Malformed)
            }
            ServerStage::Final { keys, server_first } => self.check(&keys, &server_first, response),
            ServerStage::Proven if response.is_empty() => Ok(ScramNext::Proven),
            ServerStage::Proven | ServerStage::Keys | ServerStage::Dead => Err(SaslError::Malformed),
        }
    }

    fn read_first(&mut self, first: &[u8]) -> Result<(), SaslError> {
        let mut parts = first.splitn(3, |byte| *byte == b',');
        let flag = parts.next().unwrap_or_default();
        let authorization = parts.next().ok_or(SaslError::Malformed)?;
        let bare = parts.next().ok_or(SaslError::Malformed)?;
        match (flag, self.mechanism.is_bound()) {
            ([b'p', b'=', name @ ..], true) if self.binding.data(name).is_some() => self.binding_name = name.to_vec(),
            (b"n", false) => {}
            (b"y", false) if !self.bound_is_offered => {}
            (b"y", _) => return Err(SaslError::Downgrade),
            _ => return Err(SaslError::Malformed),
        }
        let mut attributes = bare.split(|byte| *byte == b',');
        self.name = unescape_name(attribute(attributes.next(), b"n=")?)?;
        let nonce = attribute(attributes.next(), b"r=")?;
        // To act as somebody else is not possible here: a name that is another's is refused.
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

    /// The server's first message, once the keys are found.
    pub(super) fn challenge(&mut self, keys: ScramKeys) -> Result<Vec<u8>, SaslError> {
        if !matches!(self.stage, ServerStage::Keys) || ScramHash::of(self.mechanism) != Some(keys.hash) {
            return Err(SaslError::Malformed);
        }
        let first = format!("r={},s={},i={}", self.nonce, encode_base64(&keys.salt), keys.rounds).into_bytes();
        self.stage = ServerStage::Final { keys, server_first: first.clone() };
        Ok(first)
    }

    fn check(&mut self, keys: &ScramKeys, server_first: &[u8], last: &[u8]) -> Result<ScramNext, SaslError> {
        let mut parts = last.split(|byte| *byte == b',');
        let bound = decode_base64(attribute(parts.next(), b"c=")?)?;
        let nonce = attribute(parts.next(), b"r=")?;
        let proof_part = parts.next_back();
        let proof = decode_base64(attribute(proof_part, b"p=")?)?;
        let data = self.binding.data(&self.binding_name).unwrap_or_default();
        let expected = [self.header.as_slice(), data].concat();
        if !bool::from(bound.ct_eq(&expected)) {
            return Ok(ScramNext::Refused);
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
            return Ok(ScramNext::Refused);
        }
        self.stage = ServerStage::Proven;
        let server_signature = encode_base64(&keys.hash.hmac(&keys.server_key, &signed));
        Ok(ScramNext::Challenge(format!("v={server_signature}").into_bytes()))
    }
}
