//! Clients that trust certificates that the caller gives or names by a fingerprint.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::verify::Explained;
use super::{certificate, certificates, client_builder, finish, provider, unreadable};
use crate::Error;

/// Returns the settings of a client that trusts only the certificates of a PEM file: certificate authorities, and the
/// certificates of single servers. The client accepts a server's own certificate only for a host name in it and during its
/// validity.
///
/// # Errors
/// Fails if the file contains no certificate, or one that cannot be read.
pub fn client_trusting(pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let itself = certificates(pem)?;
    let mut roots = RootCertStore::empty();
    // A server's own certificate must not sign others, so only the certificates of authorities become roots.
    for certificate in itself.iter().filter(|certificate| certificate::is_authority(certificate)) {
        roots.add(certificate.clone())?;
    }
    let authorities = match roots.is_empty() {
        true => None,
        false => {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()?).build();
            Some(verifier.map_err(|error| unreadable(&error))?)
        }
    };
    let algorithms = provider()?.signature_verification_algorithms;
    let verifier = Explained(GivenCertificates { itself, authorities, pinned: None, algorithms });
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier))))
}

/// Returns the settings of a client that accepts one certificate alone: the one with this SHA-256 fingerprint, for any name, with any signature,
/// and also when it has ended (RFC 8314 §5.4). Let a person choose it for one account, when the account is set up.
///
/// # Errors
/// No failure is known.
// S51
pub fn client_pinned(fingerprint: [u8; 32]) -> Result<Arc<ClientConfig>, Error> {
    let algorithms = provider()?.signature_verification_algorithms;
    let verifier = GivenCertificates { itself: Vec::new(), authorities: None, pinned: Some(fingerprint), algorithms };
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier))))
}

/// The error for another certificate than the pinned one.
#[derive(Clone, Debug, Error)]
#[error("it is not the pinned one; its SHA-256 fingerprint is {}", colons(.0))]
pub(super) struct AnotherFingerprint([u8; 32]);

/// Returns octets in the form in which tools show fingerprints.
fn colons(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

/// A verifier that accepts exactly the given certificates, certificates signed by the given authorities, and the pinned certificate.
#[derive(Debug)]
struct GivenCertificates {
    itself: Vec<CertificateDer<'static>>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// The SHA-256 fingerprint of the only certificate that is accepted.
    pinned: Option<[u8; 32]>,
    /// The algorithms of handshake signatures, which prove that the peer holds the private key of its certificate: a given one, or one that
    /// an authority has signed.
    algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for GivenCertificates {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if let Some(pinned) = self.pinned {
            let fingerprint: [u8; 32] = Sha256::digest(certificate).into();
            return match fingerprint == pinned {
                true => Ok(ServerCertVerified::assertion()),
                false => Err(CertificateError::Other(OtherError(Arc::new(AnotherFingerprint(fingerprint)))).into()),
            };
        }
        if self.itself.iter().any(|given| given == certificate) {
            verify_server_name(&ParsedCertificate::try_from(certificate)?, name)?;
            certificate::check_validity(certificate, now)?;
            return Ok(ServerCertVerified::assertion());
        }
        match &self.authorities {
            Some(authorities) => authorities.verify_server_cert(certificate, chain, name, ocsp, now),
            None => Err(CertificateError::UnknownIssuer.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, DnType, KeyPair, SanType};

    /// Returns `true` if a certificate with these names is accepted for `host`.
    fn is_for(names: &[SanType], common_name: &str, host: &str) -> bool {
        let mut parameters = CertificateParams::default();
        parameters.subject_alt_names = names.to_vec();
        parameters.distinguished_name.push(DnType::CommonName, common_name);
        let certificate = parameters.self_signed(&KeyPair::generate().unwrap()).unwrap();
        let algorithms = provider().unwrap().signature_verification_algorithms;
        let verifier = GivenCertificates { itself: vec![certificate.der().clone()], authorities: None, pinned: None, algorithms };
        let host = ServerName::try_from(host).unwrap();
        verifier.verify_server_cert(certificate.der(), &[], &host, &[], UnixTime::now()).is_ok()
    }

    #[test]
    fn s50_the_name_is_the_one_that_was_typed_and_nothing_else() {
        let dns = |name: &str| vec![SanType::DnsName(name.try_into().unwrap())];
        assert!(is_for(&dns("pop.example.org"), "", "pop.example.org"));
        assert!(is_for(&dns("pop.example.org"), "", "POP.example.ORG"));
        assert!(!is_for(&dns("pop.example.org"), "", "example.org"));
        // `*` must be the complete left-most label.
        assert!(is_for(&dns("*.example.org"), "", "pop.example.org"));
        for host in ["example.org", "a.pop.example.org", "pop.example.com"] {
            assert!(!is_for(&dns("*.example.org"), "", host), "{host}");
        }
        assert!(!is_for(&dns("p*.example.org"), "", "pop.example.org"));
        // Neither the common name nor a URI counts as a host name.
        assert!(!is_for(&[], "pop.example.org", "pop.example.org"));
        let uri = SanType::URI("pop://pop.example.org".try_into().unwrap());
        assert!(!is_for(&[uri], "pop.example.org", "pop.example.org"));
        assert!(is_for(&[SanType::IpAddress("192.0.2.1".parse().unwrap())], "", "192.0.2.1"));
        assert!(!is_for(&dns("192.0.2.1"), "", "192.0.2.1"), "an address is no name");
    }
}
