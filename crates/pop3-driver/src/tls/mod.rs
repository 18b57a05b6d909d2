//! TLS settings: whom a client trusts, and what a server shows.
//!
//! TLS 1.2 and 1.3, by rustls with ring. The provider is named here and nowhere taken from the process, so that another one in
//! the same program does no harm.

mod certificate;
mod failure;
mod verify;

use std::io;
use std::sync::Arc;

use pop3_proto::sasl::ChannelBinding;
use pop3_proto::server::ConnectionInfo;
use rustls::client::{WantsClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ConfigBuilder, ConnectionCommon, ProtocolVersion, RootCertStore, ServerConfig};

use crate::Error;
pub use failure::{Moment, TlsFailure};
use verify::{AnyCertificate, Explained, GivenCertificates, Signatures};

fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}

fn client_builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    Ok(ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?)
}

fn finish(builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> Arc<ClientConfig> {
    Arc::new(builder.with_no_client_auth())
}

/// A client that verifies certificates and names as the operating system does (H11).
///
/// # Errors
/// The operating system has no root certificates.
pub fn client() -> Result<Arc<ClientConfig>, Error> {
    let verifier = rustls_platform_verifier::Verifier::new(provider())?;
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(Arc::new(Explained(verifier)))))
}

/// A client that trusts what is in a PEM file and nothing else: certificate authorities, and certificates that a server made for
/// itself. Of the latter the name is checked, and whether they are valid now.
///
/// # Errors
/// There is no certificate in it that can be read.
pub fn client_trusting(pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let itself = certificates(pem)?;
    let mut roots = RootCertStore::empty();
    // A server's own certificate vouches for that server and for nobody else.
    for certificate in itself.iter().filter(|certificate| certificate::is_authority(certificate)) {
        roots.add(certificate.clone())?;
    }
    let authorities = match roots.is_empty() {
        true => None,
        false => {
            let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider()).build();
            Some(verifier.map_err(|error| unreadable(&error))?)
        }
    };
    let verifier = Explained(GivenCertificates { itself, authorities, signatures: Signatures(provider()) });
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(Arc::new(verifier))))
}

/// A client that accepts any certificate, a malformed one, too: an attacker on the network path can pretend to be the server.
///
/// # Errors
/// None that is known.
pub fn dangerous_unverified_client() -> Result<Arc<ClientConfig>, Error> {
    let verifier = Arc::new(AnyCertificate(provider()));
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(verifier)))
}

/// The same client, showing a certificate of its own to servers that ask for one: `EXTERNAL` logs in by it.
///
/// # Errors
/// The certificate or its key cannot be read.
pub fn with_certificate(client: &ClientConfig, certificates_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let chain = certificates(certificates_pem)?;
    let key = CertifiedKey::from_der(chain, private_key(key_pem)?, client.crypto_provider())?;
    let mut client = client.clone();
    client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(key));
    Ok(Arc::new(client))
}

/// TLS of a server.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// For the handshake.
    pub config: Arc<ServerConfig>,
    /// What logins can be bound to by the server's certificate (RFC 5929 §4.1).
    pub server_end_point: Option<Vec<u8>>,
    /// Clients are asked for a certificate, so `EXTERNAL` is offered to those that show one (S53).
    pub requests_client_certificate: bool,
}

impl From<Arc<ServerConfig>> for ServerTls {
    /// A configuration of the caller's own.
    fn from(config: Arc<ServerConfig>) -> Self {
        Self { config, server_end_point: None, requests_client_certificate: false }
    }
}

/// A server with a certificate chain and its private key, both in PEM.
///
/// # Errors
/// They cannot be read, or do not fit together.
pub fn server(certificates_pem: &[u8], key_pem: &[u8]) -> Result<ServerTls, Error> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let (key, chain) = (private_key(key_pem)?, certificates(certificates_pem)?);
    let server_end_point = chain.first().and_then(certificate::server_end_point);
    let config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    Ok(ServerTls { config: Arc::new(config), server_end_point, requests_client_certificate: false })
}

/// The same for a server that asks clients for a certificate by one of these authorities, in PEM, and takes those without, too.
///
/// # Errors
/// Something cannot be read, or does not fit together.
pub fn server_with_client_auth(certificates_pem: &[u8], key_pem: &[u8], authorities_pem: &[u8]) -> Result<ServerTls, Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authorities_pem)? {
        roots.add(authority)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()).allow_unauthenticated().build();
    let verifier = verifier.map_err(|error| unreadable(&error))?;
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let (key, chain) = (private_key(key_pem)?, certificates(certificates_pem)?);
    let server_end_point = chain.first().and_then(certificate::server_end_point);
    let config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    Ok(ServerTls { config: Arc::new(config), server_end_point, requests_client_certificate: true })
}

fn unreadable(what: &dyn std::fmt::Display) -> Error {
    Error::Tls(TlsFailure::Unreadable(what.to_string()))
}

fn private_key(pem: &[u8]) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| unreadable(&format_args!("the private key cannot be read: {error}")))
}

fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Error> {
    let failed = |error| unreadable(&format_args!("a certificate cannot be read: {error}"));
    let all: Vec<_> = CertificateDer::pem_slice_iter(pem).collect::<Result<_, _>>().map_err(failed)?;
    if all.is_empty() {
        return Err(unreadable(&"there is no certificate in PEM format"));
    }
    Ok(all)
}

/// Eighteen octets of chance, for the challenges of one connection.
///
/// # Errors
/// The operating system has none.
pub fn random() -> io::Result<[u8; 18]> {
    let mut chance = [0; 18];
    rustls::crypto::ring::default_provider()
        .secure_random
        .fill(&mut chance)
        .map_err(|_| io::Error::other("no random numbers"))?;
    Ok(chance)
}

/// What a login over a client's connection can be bound to: the exporter of TLS 1.3 (RFC 9266 §3), and the server's certificate.
/// Of TLS 1.2 the exporter is not safe without an extension that cannot be seen from here.
pub fn client_binding(connection: &rustls::ClientConnection) -> ChannelBinding {
    let server_end_point = connection.peer_certificates().and_then(<[_]>::first).and_then(certificate::server_end_point);
    ChannelBinding { exporter: exporter(connection), server_end_point }
}

/// What a server knows of a connection with TLS.
///
/// # Errors
/// The operating system has no random numbers.
pub fn connection_info(connection: &rustls::ServerConnection, tls: &ServerTls) -> io::Result<ConnectionInfo> {
    let binding = ChannelBinding { exporter: exporter(connection), server_end_point: tls.server_end_point.clone() };
    let certificate = connection.peer_certificates().and_then(<[_]>::first).map(|certificate| certificate.as_ref().into());
    Ok(ConnectionInfo { certificate, ..ConnectionInfo::encrypted(random()?, binding) })
}

fn exporter<D>(connection: &ConnectionCommon<D>) -> Option<[u8; 32]> {
    (connection.protocol_version() == Some(ProtocolVersion::TLSv1_3))
        .then(|| connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok())
        .flatten()
}

/// The name that the certificate must bear: what the user typed, and nothing that was looked up (S50).
///
/// # Errors
/// It is neither a host name nor an address.
pub fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.to_owned()).map_err(|_| Error::HostName(host.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_without_a_certificate_says_so() {
        let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert!(server(b"", key.as_bytes()).unwrap_err().to_string().contains("no certificate"));
        assert!(server(b"x", b"y").unwrap_err().to_string().contains("private key"));
        assert!(client_trusting(key.as_bytes()).is_err());
    }

    #[test]
    fn h11_only_an_authority_vouches_for_others() {
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        assert!(!certificate::is_authority(own.cert.der()));
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = parameters.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap();
        assert!(certificate::is_authority(authority.der()));
        assert!(client_trusting(own.cert.pem().as_bytes()).is_ok() && client_trusting(authority.pem().as_bytes()).is_ok());
    }

    /// A handshake in memory; what logins over it can be bound to, as both ends see it.
    fn bindings(tls: &ServerTls, certificate: &str) -> [ChannelBinding; 2] {
        let client = client_trusting(certificate.as_bytes()).unwrap();
        let mut client = rustls::ClientConnection::new(client, server_name("a.example").unwrap()).unwrap();
        let mut server = rustls::ServerConnection::new(Arc::clone(&tls.config)).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets().unwrap();
            wire.clear();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets().unwrap();
        }
        [client_binding(&client), connection_info(&server, tls).unwrap().binding]
    }

    #[test]
    fn s36_both_ends_are_bound_to_one_connection_and_to_no_other() {
        let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
        let tls = server(own.cert.pem().as_bytes(), own.signing_key.serialize_pem().as_bytes()).unwrap();
        let [client, server] = bindings(&tls, &own.cert.pem());
        assert!(client.exporter.is_some() && client.server_end_point.is_some());
        assert_eq!((client.exporter, &client.server_end_point), (server.exporter, &server.server_end_point));
        let [other, _] = bindings(&tls, &own.cert.pem());
        assert_ne!(client.exporter, other.exporter, "another connection");
        assert_eq!(client.server_end_point, other.server_end_point, "the same certificate");
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
