//! Settings of rustls for clients and servers.

#[cfg(feature = "certificates")]
mod certificate;
mod connection;
mod error;
#[cfg(feature = "certificates")]
mod given;
#[cfg(feature = "server")]
mod server;
mod verify;

use std::sync::Arc;

use pop3_proto::sasl::ChannelBinding;
use rustls::client::WantsClientCert;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ConfigBuilder, ConnectionCommon, ProtocolVersion};

use super::TlsFailure;
use crate::Error;
#[cfg(feature = "certificates")]
pub use given::{client_pinned, client_trusting};
#[cfg(feature = "server")]
pub use server::{ServerTls, connection_info, server, server_with_client_auth};
use verify::{AnyCertificate, Explained};

/// Returns the protocol version of a connection, such as `TLSv1.3`.
fn version<Data>(connection: &ConnectionCommon<Data>) -> String {
    connection.protocol_version().and_then(|version| version.as_str()).unwrap_or("TLS").replace('_', ".")
}

/// Returns the name of a connection's cipher suite.
fn cipher_suite<Data>(connection: &ConnectionCommon<Data>) -> &'static str {
    connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or("unknown")
}

/// Returns the crypto provider: that of the build, or else the one that the program has installed.
fn provider() -> Result<Arc<CryptoProvider>, Error> {
    #[cfg(feature = "aws-lc-rs")]
    return Ok(Arc::new(rustls::crypto::aws_lc_rs::default_provider()));
    #[cfg(all(feature = "ring", not(feature = "aws-lc-rs")))]
    return Ok(Arc::new(rustls::crypto::ring::default_provider()));
    #[cfg(not(any(feature = "ring", feature = "aws-lc-rs")))]
    CryptoProvider::get_default().cloned().ok_or_else(|| {
        unreadable(&"rustls has no crypto provider: choose the feature ring or aws-lc-rs, or install a provider first")
    })
}

fn client_builder() -> Result<ConfigBuilder<ClientConfig, rustls::WantsVerifier>, Error> {
    Ok(ClientConfig::builder_with_provider(provider()?).with_safe_default_protocol_versions()?)
}

fn finish(builder: ConfigBuilder<ClientConfig, WantsClientCert>) -> Arc<ClientConfig> {
    Arc::new(builder.with_no_client_auth())
}

/// Returns the settings of a client that verifies certificates and host names as the operating system does.
///
/// # Errors
/// Fails if the operating system has no root certificates.
// H11
pub fn client() -> Result<Arc<ClientConfig>, Error> {
    let verifier = rustls_platform_verifier::Verifier::new(provider()?)?;
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(Arc::new(Explained(verifier)))))
}

/// Returns the settings of a client that accepts any certificate, even a malformed one: an attacker on the network path can
/// pretend to be the server.
///
/// # Errors
/// No failure is known.
pub fn dangerous_unverified_client() -> Result<Arc<ClientConfig>, Error> {
    let verifier = Arc::new(AnyCertificate(provider()?));
    Ok(finish(client_builder()?.dangerous().with_custom_certificate_verifier(verifier)))
}

/// Returns a copy of a client's settings with a certificate that the client presents to servers that request one. The mechanism
/// `EXTERNAL` logs in with it.
///
/// # Errors
/// Fails if the certificate or its key cannot be read, or if they do not match.
pub fn with_certificate(client: &ClientConfig, certificates_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ClientConfig>, Error> {
    let chain = certificates(certificates_pem)?;
    let key = CertifiedKey::from_der(chain, private_key(key_pem)?, client.crypto_provider())?;
    let mut client = client.clone();
    client.client_auth_cert_resolver = Arc::new(SingleCertAndKey::from(key));
    Ok(Arc::new(client))
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

/// Returns the channel bindings of a client's connection: the exporter of TLS 1.3 (RFC 9266 §3), and the server's certificate.
/// The exporter of TLS 1.2 is left out: it is safe only with an extension whose use rustls does not report.
pub fn client_binding(connection: &rustls::ClientConnection) -> ChannelBinding {
    #[cfg(feature = "scram")]
    let server_end_point = connection.peer_certificates().and_then(<[_]>::first).and_then(certificate::server_end_point);
    #[cfg(not(feature = "scram"))]
    let server_end_point = None;
    ChannelBinding { exporter: exporter(connection), server_end_point }
}

fn exporter<D>(connection: &ConnectionCommon<D>) -> Option<[u8; 32]> {
    (connection.protocol_version() == Some(ProtocolVersion::TLSv1_3))
        .then(|| connection.export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(b"")).ok())
        .flatten()
}

/// Returns the name that the server's certificate must contain: the host as the user typed it, never the result of a look-up
/// (RFC 7817 §3).
///
/// # Errors
/// Fails if `host` is neither a host name nor an IP address.
// S50
pub fn server_name(host: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(host.to_owned()).map_err(|_| Error::HostName(host.to_owned()))
}

#[cfg(all(test, feature = "server"))]
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

    /// Performs a handshake in memory, and returns the channel bindings of the client and of the server.
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
