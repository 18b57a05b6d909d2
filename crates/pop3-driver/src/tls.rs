//! TLS settings: whom a client trusts, and what a server shows.
//!
//! TLS 1.2 and 1.3, by rustls with ring. The provider is named here and nowhere taken from the process, so that another one in
//! the same program does no harm.

use std::sync::Arc;

use rustls::client::WantsClientCert;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, ConfigBuilder, DigitallySignedStruct, RootCertStore, ServerConfig, SignatureScheme};
use rustls_platform_verifier::BuilderVerifierExt;

use crate::Error;

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn client() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    Ok(ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?)
}

fn finish(builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> Arc<ClientConfig> {
    Arc::new(builder.with_no_client_auth())
}

/// A client that verifies certificates and names as the operating system does (H11).
///
/// # Errors
/// The operating system has no root certificates.
pub fn verified() -> Result<Arc<ClientConfig>, Error> {
    Ok(finish(client()?.with_platform_verifier()?))
}

/// A client that trusts the certificate authorities in a PEM file and no others.
///
/// # Errors
/// There is no certificate in it that can be read.
pub fn verified_by(pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(pem)? {
        roots.add(certificate)?;
    }
    Ok(finish(client()?.with_root_certificates(roots)))
}

/// A client that takes any certificate: anybody on the way can pretend to be the server.
///
/// # Errors
/// None that is known.
pub fn dangerous_unverified() -> Result<Arc<ClientConfig>, Error> {
    let verifier = Arc::new(Unverified(provider()));
    Ok(finish(client()?.dangerous().with_custom_certificate_verifier(verifier)))
}

/// A server with a certificate chain and its private key, both in PEM.
///
/// # Errors
/// They cannot be read, or do not fit together.
pub fn server(certificates_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ServerConfig>, Error> {
    let key =
        PrivateKeyDer::from_pem_slice(key_pem).map_err(|error| Error::Tls(format!("the private key cannot be read: {error}")))?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_no_client_auth().with_single_cert(certificates(certificates_pem)?, key)?))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let unreadable = |error| Error::Tls(format!("a certificate cannot be read: {error}"));
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(unreadable)?;
    if all.is_empty() {
        return Err(Error::Tls("there is no certificate in PEM format".to_owned()));
    }
    Ok(all)
}

/// The name that the certificate must bear: what the user typed, and nothing that was looked up (S50).
///
/// # Errors
/// It is neither a host name nor an address.
pub fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.to_owned()).map_err(|_| Error::HostName(host.to_owned()))
}

/// Takes every certificate, but still checks that the peer holds its key.
#[derive(Debug)]
struct Unverified(Arc<CryptoProvider>);

impl ServerCertVerifier for Unverified {
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
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_without_a_certificate_says_so() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert!(server(b"", key.as_bytes()).unwrap_err().to_string().contains("no certificate"));
        assert!(server(b"x", b"y").unwrap_err().to_string().contains("private key"));
        assert!(verified_by(key.as_bytes()).is_err());
    }

    #[test]
    fn hosts_are_names_or_addresses() {
        for good in ["pop.example.org", "127.0.0.1", "::1"] {
            assert!(server_name(good).is_ok(), "{good}");
        }
        for bad in ["", "two words", "a/b"] {
            assert!(server_name(bad).is_err(), "{bad}");
        }
    }
}
