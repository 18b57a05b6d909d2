//! TLS settings of servers.

use std::io;
use std::sync::Arc;

use pop3_proto::sasl::ChannelBinding;
use pop3_proto::server::{ConnectionInfo, TlsInfo};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};

use super::{certificate, certificates, cipher_suite, exporter, private_key, provider, unreadable, version};
use crate::Error;
use crate::tls::random;

/// The TLS settings of a server.
#[derive(Clone, Debug)]
pub struct ServerTls {
    /// The settings of the handshake.
    pub config: Arc<ServerConfig>,
    /// The data for the channel binding `tls-server-end-point` (RFC 5929 §4.1), if the server's certificate defines it.
    pub server_end_point: Option<Vec<u8>>,
    /// The server requests a certificate from clients, and offers `EXTERNAL` to clients that present one (RFC 8314 §4.2).
    // S53
    pub requests_client_certificate: bool,
}

impl From<Arc<ServerConfig>> for ServerTls {
    /// Wraps the caller's own configuration, without `tls-server-end-point` and `EXTERNAL`.
    fn from(config: Arc<ServerConfig>) -> Self {
        Self { config, server_end_point: None, requests_client_certificate: false }
    }
}

/// Returns the settings of a server with a certificate chain and its private key, both in PEM.
///
/// # Errors
/// Fails if the chain or the key cannot be read, or if they do not match.
pub fn server(certificates_pem: &[u8], key_pem: &[u8]) -> Result<ServerTls, Error> {
    let builder = ServerConfig::builder_with_provider(provider()?).with_safe_default_protocol_versions()?;
    let (key, chain) = (private_key(key_pem)?, certificates(certificates_pem)?);
    let server_end_point = chain.first().and_then(certificate::server_end_point);
    let config = builder.with_no_client_auth().with_single_cert(chain, key)?;
    Ok(ServerTls { config: Arc::new(config), server_end_point, requests_client_certificate: false })
}

/// Returns the settings of a server that requests client certificates signed by one of the given authorities, in PEM. Clients
/// without a certificate are accepted, too.
///
/// # Errors
/// Fails if a certificate or the key cannot be read, or if the chain and the key do not match.
pub fn server_with_client_auth(certificates_pem: &[u8], key_pem: &[u8], authorities_pem: &[u8]) -> Result<ServerTls, Error> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(authorities_pem)? {
        roots.add(authority)?;
    }
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider()?).allow_unauthenticated().build();
    let verifier = verifier.map_err(|error| unreadable(&error))?;
    let builder = ServerConfig::builder_with_provider(provider()?).with_safe_default_protocol_versions()?;
    let (key, chain) = (private_key(key_pem)?, certificates(certificates_pem)?);
    let server_end_point = chain.first().and_then(certificate::server_end_point);
    let config = builder.with_client_cert_verifier(verifier).with_single_cert(chain, key)?;
    Ok(ServerTls { config: Arc::new(config), server_end_point, requests_client_certificate: true })
}

/// Returns the information about a server's TLS connection: its channel bindings, the client's certificate and a new nonce.
///
/// # Errors
/// Fails if the operating system provides no random numbers.
pub fn connection_info(connection: &rustls::ServerConnection, tls: &ServerTls) -> io::Result<ConnectionInfo> {
    let binding = ChannelBinding { exporter: exporter(connection), server_end_point: tls.server_end_point.clone() };
    let certificate = connection.peer_certificates().and_then(<[_]>::first).map(|certificate| certificate.as_ref().into());
    let mut info = TlsInfo::new(version(connection), cipher_suite(connection));
    info.server_name = connection.server_name().map(Box::from);
    info.protocol = connection.alpn_protocol().map(Box::from);
    Ok(ConnectionInfo { certificate, tls: Some(Arc::new(info)), ..ConnectionInfo::encrypted(random()?, binding) })
}
