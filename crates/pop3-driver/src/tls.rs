//! TLS settings: whom a client trusts, and what a server shows.
//!
//! TLS 1.2 and 1.3, by rustls with ring. The provider is named here and nowhere taken from the process, so that another one in
//! the same program does no harm.

use std::io;
use std::sync::Arc;

use pop3_proto::sasl::ChannelBinding;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WantsClientCert, WebPkiServerVerifier, verify_server_name};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{
    CertificateError, ClientConfig, ConfigBuilder, ConnectionCommon, DigitallySignedStruct, ProtocolVersion, RootCertStore,
    ServerConfig, SignatureScheme,
};
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

/// A client that trusts what is in a PEM file and nothing else: certificate authorities, and certificates that a server made for
/// itself. Of the latter the name is checked, and not how long they are valid.
///
/// # Errors
/// There is no certificate in it that can be read.
pub fn verified_by(pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let itself = certificates(pem)?;
    let mut roots = RootCertStore::empty();
    // A server's own certificate vouches for that server and for nobody else.
    for certificate in itself.iter().filter(|certificate| is_authority(certificate)) {
        roots.add(certificate.clone())?;
    }
    let authorities = match roots.is_empty() {
        true => None,
        false => {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            Some(verifier.map_err(|error| Error::Tls(error.to_string()))?)
        }
    };
    let verifier = Arc::new(GivenCertificates { itself, authorities, signatures: Unverified(provider()) });
    Ok(finish(client()?.dangerous().with_custom_certificate_verifier(verifier)))
}

/// Whether a certificate says that it is an authority: the extension `basicConstraints` with `cA` (RFC 5280 §4.2.1.9).
fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    const BASIC_CONSTRAINTS: [u8; 5] = [0x06, 0x03, 0x55, 0x1D, 0x13];
    const TRUE: [u8; 3] = [0x01, 0x01, 0xFF];
    let Some(at) = certificate.windows(5).position(|window| window == BASIC_CONSTRAINTS) else { return false };
    let rest = &certificate[at + 5..];
    // Perhaps critical; then an octet string with a sequence in it, whose first element is the flag.
    let value = rest.strip_prefix(&TRUE).unwrap_or(rest);
    matches!(value, [0x04, _, 0x30, _, flag @ ..] if flag.starts_with(&TRUE))
}

/// Takes the very certificates that were given, and those that they have signed.
#[derive(Debug)]
struct GivenCertificates {
    itself: Vec<CertificateDer<'static>>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    /// Signatures are checked whoever has signed the certificate.
    signatures: Unverified,
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
        self.signatures.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signatures.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signatures.supported_verify_schemes()
    }
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

/// Eighteen octets of chance, for the challenges of one connection.
///
/// # Errors
/// The operating system has none.
pub fn chance() -> io::Result<[u8; 18]> {
    let mut chance = [0; 18];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut chance)
        .map_err(|_| io::Error::other("no random numbers"))?;
    Ok(chance)
}

/// What a login over this connection can be bound to: the exporter of TLS 1.3 (RFC 9266 §3). TLS 1.2 gives none that is safe
/// without an extension that cannot be seen from here.
pub fn channel_binding<D>(connection: &ConnectionCommon<D>) -> ChannelBinding {
    let exporter = (connection.protocol_version() == Some(ProtocolVersion::TLSv1_3))
        .then(|| connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok())
        .flatten();
    ChannelBinding { exporter, server_end_point: None }
}

/// Why TLS came to nothing, for a person.
pub fn explain(error: &io::Error) -> Error {
    use rustls::CertificateError as C;
    let Some(error) = error.get_ref().and_then(|error| error.downcast_ref::<rustls::Error>()) else {
        return Error::Tls(error.to_string());
    };
    Error::Tls(match error {
        rustls::Error::InvalidCertificate(C::UnknownIssuer) => {
            "nobody who is trusted here has signed the server's certificate".to_owned()
        }
        rustls::Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. }) => {
            "the server's certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(C::NotValidYet | C::NotValidYetContext { .. }) => {
            "the server's certificate is not valid yet; is the clock of this machine right?".to_owned()
        }
        rustls::Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => {
            "the server's certificate is for another host".to_owned()
        }
        rustls::Error::InvalidCertificate(other) => format!("the server's certificate is not to be trusted: {other}"),
        rustls::Error::InvalidMessage(_) => "the server does not speak TLS on this port".to_owned(),
        other => other.to_string(),
    })
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
    fn h11_only_an_authority_vouches_for_others() {
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        assert!(!is_authority(own.cert.der()));
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert!(is_authority(authority.der()));
        assert!(verified_by(own.cert.pem().as_bytes()).is_ok() && verified_by(authority.pem().as_bytes()).is_ok());
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
