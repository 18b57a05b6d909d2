//! What a certificate says.

use std::time::Duration;

use pop3_blocking::rustls::pki_types::CertificateDer;
use sha2::{Digest, Sha256};
use x509_cert::Certificate;
use x509_cert::der::Decode;
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

use crate::date;
use crate::server_text::readable;

/// A certificate that ends sooner than this is worth a warning: renewal should have happened, and has not.
pub const SOON: Duration = Duration::from_secs(14 * 86_400);

/// The facts of a certificate.
#[derive(Debug)]
pub struct Facts {
    pub names: Vec<String>,
    pub issuer: String,
    /// The date of its end.
    pub until: String,
    /// Its end, since 1970.
    pub ends: Duration,
    /// The SHA-256 hash of the certificate, as `openssl x509 -fingerprint -sha256` writes it.
    pub fingerprint: String,
}

impl Facts {
    /// Reads a certificate; `None` if it cannot be read.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let parsed = Certificate::from_der(certificate).ok()?.tbs_certificate;
        let alternative = parsed.get::<SubjectAltName>().ok().flatten();
        let mut names: Vec<_> = alternative.iter().flat_map(|(_, names)| &names.0).filter_map(name).collect();
        if names.is_empty() {
            names.push(parsed.subject.to_string());
        }
        let digest = Sha256::digest(certificate);
        Some(Self {
            names,
            issuer: readable(parsed.issuer.to_string().as_bytes()),
            until: date::of(parsed.validity.not_after.to_unix_duration()),
            ends: parsed.validity.not_after.to_unix_duration(),
            fingerprint: digest.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":"),
        })
    }
}

fn name(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::DnsName(name) => Some(name.to_string()),
        GeneralName::IpAddress(octets) => match octets.as_bytes() {
            octets if octets.len() == 4 => {
                <[u8; 4]>::try_from(octets).ok().map(|octets| std::net::Ipv4Addr::from(octets).to_string())
            }
            octets => <[u8; 16]>::try_from(octets).ok().map(|octets| std::net::Ipv6Addr::from(octets).to_string()),
        },
        _ => None,
    }
}
