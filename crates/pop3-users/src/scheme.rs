//! The schemes of stored passwords: those that Dovecot names in braces, and hashes that begin with `$`.

use argon2::password_hash::PasswordHash;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use pop3_proto::sasl::ScramKeys;
use sha_crypt::{Sha256Params, Sha512Params, sha256_crypt_b64, sha512_crypt_b64};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::hash_pool::Memory;
use crate::preparation::prepared;

/// Maximum memory that an argon2 hash may require, in KiB.
const MAX_MEMORY: u32 = 256 * 1024;

/// Limits on the cost of the other hashes, so that a line in the file cannot occupy a thread for minutes.
const MAX_BCRYPT_COST: u32 = 16;
const MAX_ROUNDS: usize = 1_000_000;

/// The time of SHA-crypt grows with the square of the length of the password.
const MAX_SHA_CRYPT_PASSWORD: usize = 512;

/// A stored password.
pub(crate) enum Scheme<'s> {
    /// The password itself.
    Plain(&'s [u8]),
    Argon2(Box<(PasswordHash<'s>, Argon2<'static>)>),
    /// The hash in its own format, as `$2y$10$…`.
    Bcrypt(&'s str),
    Sha256Crypt(ShaCrypt<'s>),
    Sha512Crypt(ShaCrypt<'s>),
    /// A digest of the password and a salt, which may be empty.
    Digest {
        algorithm: Algorithms,
        digest: Vec<u8>,
        salt: Vec<u8>,
    },
    Scram(ScramKeys),
}

/// The parts of a hash of SHA-crypt.
pub(crate) struct ShaCrypt<'s> {
    rounds: usize,
    salt: &'s str,
    hash: &'s str,
}

#[derive(Clone, Copy)]
pub(crate) enum Algorithms {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithms {
    fn digest(self, password: &[u8], salt: &[u8]) -> Vec<u8> {
        fn of<D: Digest>(password: &[u8], salt: &[u8]) -> Vec<u8> {
            D::new().chain_update(password).chain_update(salt).finalize().to_vec()
        }
        match self {
            Self::Sha1 => of::<Sha1>(password, salt),
            Self::Sha256 => of::<Sha256>(password, salt),
            Self::Sha512 => of::<Sha512>(password, salt),
        }
    }
}

/// Returns `true` if some password may fit the stored value.
pub(crate) fn is_usable(stored: &[u8]) -> bool {
    Scheme::parse(stored).is_some()
}

impl<'s> Scheme<'s> {
    /// Parses a stored value. Returns `None` if its scheme or its parameters are not supported, or if the password in it is empty.
    pub(crate) fn parse(stored: &'s [u8]) -> Option<Self> {
        let Some((name, value)) = stored.strip_prefix(b"{").and_then(|rest| {
            let at = rest.iter().position(|byte| *byte == b'}')?;
            Some((rest.get(..at)?, rest.get(at + 1..)?))
        }) else {
            return Self::parse_crypt(str::from_utf8(stored).ok()?);
        };
        let name = name.to_ascii_uppercase();
        if matches!(name.as_slice(), b"PLAIN" | b"CLEARTEXT") {
            return Some(Self::Plain(value)).filter(|_| !value.is_empty());
        }
        let value = str::from_utf8(value).ok()?;
        let crypted = |begin: &str| Self::parse_crypt(value).filter(|_| value.starts_with(begin));
        match name.as_slice() {
            b"CRYPT" => Self::parse_crypt(value),
            b"ARGON2I" | b"ARGON2ID" => crypted("$argon2"),
            b"BLF-CRYPT" => crypted("$2"),
            b"SHA256-CRYPT" => crypted("$5$"),
            b"SHA512-CRYPT" => crypted("$6$"),
            b"SHA" | b"SHA1" => digest(value, Algorithms::Sha1, false),
            b"SHA256" => digest(value, Algorithms::Sha256, false),
            b"SHA512" => digest(value, Algorithms::Sha512, false),
            b"SSHA" => digest(value, Algorithms::Sha1, true),
            b"SSHA256" => digest(value, Algorithms::Sha256, true),
            b"SSHA512" => digest(value, Algorithms::Sha512, true),
            b"SCRAM-SHA-1" | b"SCRAM-SHA-256" => ScramKeys::from_stored_form(str::from_utf8(stored).ok()?).map(Self::Scram),
            _ => None,
        }
    }

    /// Parses a hash that names its algorithm itself.
    fn parse_crypt(hash: &'s str) -> Option<Self> {
        let begins = |with: &[&str]| with.iter().any(|begin| hash.starts_with(begin));
        if begins(&["$2a$", "$2b$", "$2x$", "$2y$"]) {
            let cost: u32 = hash.get(4..6)?.parse().ok()?;
            return Some(Self::Bcrypt(hash)).filter(|_| cost <= MAX_BCRYPT_COST && hash.len() == 60);
        }
        if begins(&["$5$"]) {
            return sha_crypt(hash, 43).map(Self::Sha256Crypt);
        }
        if begins(&["$6$"]) {
            return sha_crypt(hash, 86).map(Self::Sha512Crypt);
        }
        let hash = PasswordHash::new(hash).ok()?;
        let algorithm = Algorithm::try_from(hash.algorithm).ok()?;
        let version = hash.version.map_or(Some(Version::default()), |version| Version::try_from(version).ok())?;
        let params = Params::try_from(&hash).ok().filter(|params| params.m_cost() <= MAX_MEMORY)?;
        hash.hash.and(hash.salt)?;
        Some(Self::Argon2(Box::new((hash, Argon2::new(algorithm, version, params)))))
    }

    /// Returns `true` if the stored value is the password itself, so that a check costs nothing.
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Returns `true` if the prepared password is the stored one.
    pub(crate) fn fits(&self, password: &[u8], memory: &mut Memory) -> bool {
        match self {
            Self::Plain(plain) => bool::from(prepared(plain).expose().ct_eq(password)),
            Self::Argon2(argon2) => fits_argon2(&argon2.0, &argon2.1, password, memory),
            Self::Bcrypt(hash) => bcrypt::verify(password, hash).unwrap_or(false),
            Self::Sha256Crypt(ShaCrypt { rounds, salt, hash }) => {
                let computed = |params| sha256_crypt_b64(password, salt.as_bytes(), &params).ok();
                is_short(password) && equals(Sha256Params::new(*rounds).ok().and_then(computed), hash)
            }
            Self::Sha512Crypt(ShaCrypt { rounds, salt, hash }) => {
                let computed = |params| sha512_crypt_b64(password, salt.as_bytes(), &params).ok();
                is_short(password) && equals(Sha512Params::new(*rounds).ok().and_then(computed), hash)
            }
            Self::Digest { algorithm, digest, salt } => bool::from(algorithm.digest(password, salt).ct_eq(digest)),
            Self::Scram(keys) => keys.fits(password),
        }
    }
}

fn is_short(password: &[u8]) -> bool {
    password.len() <= MAX_SHA_CRYPT_PASSWORD
}

fn equals(computed: Option<String>, hash: &str) -> bool {
    computed.is_some_and(|computed| bool::from(computed.as_bytes().ct_eq(hash.as_bytes())))
}

/// Parses `$6$rounds=5000$SALT$HASH`; the rounds may be absent.
fn sha_crypt(text: &str, length: usize) -> Option<ShaCrypt<'_>> {
    let mut parts = text.get(3..)?.split('$').peekable();
    let rounds = match parts.next_if(|part| part.starts_with("rounds=")) {
        Some(part) => part.get(7..)?.parse().ok()?,
        None => 5000,
    };
    let (salt, hash) = (parts.next()?, parts.next()?);
    let is_supported = (1000..=MAX_ROUNDS).contains(&rounds) && hash.len() == length && parts.next().is_none();
    Some(ShaCrypt { rounds, salt, hash }).filter(|_| is_supported)
}

/// Parses a digest in base64, followed by its salt if it has one.
fn digest(value: &str, algorithm: Algorithms, has_salt: bool) -> Option<Scheme<'static>> {
    let length = match algorithm {
        Algorithms::Sha1 => 20,
        Algorithms::Sha256 => 32,
        Algorithms::Sha512 => 64,
    };
    let mut digest = BASE64_STANDARD.decode(value).ok().filter(|digest| digest.len() >= length)?;
    let salt = digest.split_off(length);
    Some(Scheme::Digest { algorithm, digest, salt }).filter(|scheme| match scheme {
        Scheme::Digest { salt, .. } => has_salt != salt.is_empty(),
        _ => false,
    })
}

fn fits_argon2(hash: &PasswordHash<'_>, argon2: &Argon2<'_>, password: &[u8], memory: &mut Memory) -> bool {
    let (Some(salt), Some(expected)) = (hash.salt, hash.hash) else { return false };
    let mut salt_bytes = [0; 64];
    let Ok(salt) = salt.decode_b64(&mut salt_bytes) else { return false };
    memory.1 = memory.1.saturating_add(1);
    let blocks = argon2.params().block_count();
    if memory.0.len() < blocks {
        memory.0.resize(blocks, Block::default());
    }
    let Some(blocks) = memory.0.get_mut(..blocks) else { return false };
    let mut computed = vec![0; expected.len()];
    argon2.hash_password_into_with_memory(password, salt, &mut computed, blocks).is_ok()
        && bool::from(computed.as_slice().ct_eq(expected.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes of `secret`, made by `doveadm pw`, `openssl passwd` and `htpasswd`.
    const SECRET: [&str; 18] = [
        "{ARGON2I}$argon2i$v=19$m=32768,t=5,p=1$z7h8WeEfXXMedhJ3qYPzLw$y60g58KBPfR/xjnZa5pwGYIj5sJ0oaZsfT3l0CpnOkQ",
        "{BLF-CRYPT}$2y$05$UvP40TTTEbfqKn7xD.w5reII5gpDDadS95hVLqhlvBu6m0PDIFBzm",
        "{SHA512-CRYPT}$6$rounds=1000$IyPzJVofTmIpIq.e$\
         OWYcSpgFa7iRG7r0d6CMXNv.c3UYWNWlC4JLXWoz53y0gTs2j1h7EtdicWt9QTX1louv0RE0YU.aV/u9n3Ae1/",
        "{SHA256-CRYPT}$5$rounds=1000$EH7.pMlImGQsLfI2$.7YCg271Zr8aE/Ampz5jC0yJcFhyRhD/asiORb5gH3B",
        "{SSHA}18sQ2w6NEf7tz+LAQoejF0xesiBsQooW",
        "{SSHA256}cDaL8NiGIX4+t+B4V09lhOqJ/G0SjULNqA92mRf8rbz5iVFZ",
        "{SSHA512}NCdXDC8Ed4kN31ogzsSAlV3cHArfnWeqOa9+oHxHDOryx1YmKv5q2ajzfzFOSCsJeOk+nY/Dwyu2Ko+hS0B21j6Jmdc=",
        "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "{sha1}5en6G6MezRroT3XKqkdPOmY/BfQ=",
        "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols=",
        "{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==",
        "{SCRAM-SHA-256}4096,s1IWEdni8Kzxz0/ynGmOkg==,WXvsaCnK78zxhUsgK3xPnOP2CcIlQResIzweYoOAKJA=,\
         /lnZm7kLRelxQXiysE6jxlKkz7JxY4WK+JHuAOmbcV0=",
        "{SCRAM-SHA-1}4096,1g3cFS9HhuVF34lH5UvXjQ==,5mYc66iQo7Mpx6RY1MsqrL0HKCc=,5VO8qWDC1be6SzkIh1D4KoL1QTo=",
        "{CRYPT}$2y$05$PFHxjuqI2BG0TzuRUXMWC.apbMuQHqUHB7lLxd.ZHHYyQddi2LW0.",
        "$6$NiFbu6IRmG5YtXky$ccFEsoKOEKHYGO/YKPBazCaHePyc8FHfC6OODJxTgatUcyZWmOE/9jopMGLxTt0MW4hzIByJ4o.Ji1VtagXy31",
        "$5$abc$qsg6EHbUzHQzF1POlD7zUwBINSELQxypPaeDcZe6vH0",
        "$2b$04$J3s1N0LKBFsNgEYMj3BqO.Lq/1tbWYGd8GMdRxWqlWXc6YFXJlFc6",
        "{CLEARTEXT}secret",
    ];

    fn fits(stored: &str, password: &str) -> bool {
        Scheme::parse(stored.as_bytes()).is_some_and(|scheme| scheme.fits(password.as_bytes(), &mut Memory::default()))
    }

    #[test]
    fn h53_hashes_of_other_programs_fit_their_password_alone() {
        for stored in SECRET {
            assert!(fits(stored, "secret"), "{stored}");
            for wrong in ["", "Secret", "secret ", "secre", stored] {
                assert!(!fits(stored, wrong), "{stored}: {wrong}");
            }
        }
    }

    #[test]
    fn h53_what_is_damaged_or_costs_too_much_is_not_usable() {
        for stored in SECRET {
            // Some cuts leave a shorter hash, which fits no password.
            let cut = &stored[..stored.len() - 3];
            assert!(!fits(cut, "secret"), "{cut}");
        }
        for unusable in [
            "{PLAIN}",
            "{CLEARTEXT}",
            "{NOSUCH}x",
            "{SHA512-CRYPT}secret",
            "{BLF-CRYPT}$6$rounds=5000$usesomesillystri$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr/36eYDXbTjz.IurqYJYZ2ClkP2hGPWTCDoLsvF9ne3Q1yk4NN/",
            "$6$rounds=99999999$salt$D4IrlXatmP7rx3P3InaxBeoomnAihCKRVQAr/36eYDXbTjz.IurqYJYZ2ClkP2hGPWTCDoLsvF9ne3Q1yk4NN/",
            "$2y$31$abcdefghijklmnopqrstuuABCDEFGHIJKLMNOPQRSTUVWXYZ0123456",
            "{SSHA}",
            "{SSHA256}c2VjcmV0",
            "secret",
            "!",
            "*",
            "{SCRAM-SHA-256}4096,,,",
        ] {
            assert!(!is_usable(unusable.as_bytes()), "{unusable}");
        }
    }
}
