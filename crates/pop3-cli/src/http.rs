//! HTTP over TLS, for settings that domains publish and for access tokens.

use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::rustls::crypto::ring;
use pop3_blocking::rustls::pki_types::CertificateDer;
use pop3_blocking::rustls::pki_types::pem::PemObject;
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use crate::failure::{Exit, Failure};

/// Returns a client that verifies servers by the certificates in `ca_pem`, or else as the operating system does. Each request has `limit` to
/// end, and follows at most `redirects` redirects. Nothing is sent without TLS, and no proxy of the environment is used.
///
/// # Errors
/// `ca_pem` is not PEM.
pub fn agent(ca_pem: Option<&[u8]>, proxy: Option<ureq::Proxy>, limit: Duration, redirects: u32) -> Result<Agent, Failure> {
    let roots = match ca_pem {
        None => RootCerts::PlatformVerifier,
        Some(pem) => {
            let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
            let certificates = certificates.map_err(|error| Failure::new(Exit::Storage, error))?;
            RootCerts::from(certificates.iter().map(|der| Certificate::from_der(der).to_owned()).collect::<Vec<_>>())
        }
    };
    let tls = TlsConfig::builder().root_certs(roots).unversioned_rustls_crypto_provider(Arc::new(ring::default_provider()));
    let config = Agent::config_builder().tls_config(tls.build()).timeout_global(Some(limit));
    let config = config.https_only(true).proxy(proxy).max_redirects(redirects).http_status_as_error(false);
    Ok(config.user_agent(concat!("pop3/", env!("CARGO_PKG_VERSION"))).build().new_agent())
}
