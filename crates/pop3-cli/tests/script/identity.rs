//! Certificates of every kind, and servers that show them.

use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use pop3_blocking::maildrop::Memory;
use pop3_blocking::rustls::crypto::ring;
use pop3_blocking::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use pop3_blocking::rustls::server::{ClientHello, ResolvesServerCert};
use pop3_blocking::rustls::sign::CertifiedKey;
use pop3_blocking::rustls::{self, ServerConfig};
use pop3_blocking::{ListenSecurity, Server, ServerOptions};
use rcgen::{Certificate, CertificateParams, DnType, Issuer, KeyPair};

/// A certificate, its key, and who has signed it.
pub struct Identity {
    pub certificate: Certificate,
    pub key: KeyPair,
}

pub fn parameters(name: &str) -> CertificateParams {
    let mut parameters = CertificateParams::new([name.to_owned()]).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, name);
    parameters
}

pub fn self_signed(parameters: &CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    Identity { certificate: parameters.self_signed(&key).unwrap(), key }
}

pub fn signed_by(parameters: &CertificateParams, issuer: &Identity, issuer_parameters: &CertificateParams) -> Identity {
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(issuer_parameters, &issuer.key);
    Identity { certificate: parameters.signed_by(&key, &issuer).unwrap(), key }
}

/// Shows one certificate, and signs with any key.
#[derive(Debug)]
struct Shown(Arc<CertifiedKey>);

impl ResolvesServerCert for Shown {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0))
    }
}

/// A server that shows `certificate` and has `key`, over one version of TLS.
pub fn serve(certificate: &CertificateDer<'static>, key: &KeyPair, tls: &'static rustls::SupportedProtocolVersion) -> u16 {
    pop3_contract::limit_test();
    let provider = Arc::new(ring::default_provider());
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    let shown = Shown(Arc::new(CertifiedKey::new(vec![certificate.clone()], key)));
    let config = ServerConfig::builder_with_provider(provider).with_protocol_versions(&[tls]).unwrap();
    let config = Arc::new(config.with_no_client_auth().with_cert_resolver(Arc::new(shown)));
    let store = Memory::new().with_user("joe", "secret", [b"Subject: x\n\ny\n".to_vec()]);
    let server = Arc::new(Server::new(ServerOptions::with_tls(config), store));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || server.serve(&listener, ListenSecurity::ImplicitTls));
    port
}
