//! Verifiers of server certificates.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};
use thiserror::Error;

use super::certificate;

/// A verifier that accepts exactly the given certificates, and certificates signed by the given authorities.
#[derive(Debug)]
pub(super) struct GivenCertificates {
    pub(super) itself: Vec<CertificateDer<'static>>,
    pub(super) authorities: Option<Arc<WebPkiServerVerifier>>,
    /// The verifier of handshake signatures, for given certificates and for certificates signed by an authority.
    pub(super) signatures: Signatures,
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
        self.signatures.verify_tls12(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signatures.verify_tls13(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.0.signature_verification_algorithms.supported_schemes()
    }
}

/// A verifier of handshake signatures, which prove that the peer holds the private key of its certificate.
#[derive(Debug)]
pub(super) struct Signatures(pub(super) Arc<CryptoProvider>);

impl Signatures {
    fn verify_tls12(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }
}

/// A verifier that accepts every certificate. It does not verify that the peer holds the private key, because an attacker can
/// present a certificate of their own anyway.
#[derive(Debug)]
pub(super) struct AnyCertificate(pub(super) Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

/// The error for a certificate that is signed by its own key.
#[derive(Clone, Copy, Debug, Error)]
#[error("the certificate is signed by itself")]
pub(super) struct SelfSigned;

/// A verifier that wraps another one, and reports self-signed certificates with an error of their own.
#[derive(Debug)]
pub(super) struct Explained<V>(pub(super) V);

impl<V: ServerCertVerifier> ServerCertVerifier for Explained<V> {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        use CertificateError as C;
        self.0.verify_server_cert(certificate, chain, name, ocsp, now).map_err(|error| match error {
            // These errors are more specific than `SelfSigned`.
            rustls::Error::InvalidCertificate(
                C::Expired
                | C::ExpiredContext { .. }
                | C::NotValidYet
                | C::NotValidYetContext { .. }
                | C::NotValidForName
                | C::NotValidForNameContext { .. }
                | C::Revoked,
            ) => error,
            rustls::Error::InvalidCertificate(_) if certificate::is_self_signed(certificate) => {
                C::Other(OtherError(Arc::new(SelfSigned))).into()
            }
            other => other,
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
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
        let signatures = Signatures(Arc::new(rustls::crypto::ring::default_provider()));
        let verifier = GivenCertificates { itself: vec![certificate.der().clone()], authorities: None, signatures };
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
