//! The server's certificate.

use std::io;

use pop3_driver::tls::{self, ServerTls};
use rcgen::{CertificateParams, KeyPair, date_time_ymd};

/// A fault of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TlsFault {
    /// The certificate has expired.
    Expired,
    /// The certificate is not valid yet.
    NotYetValid,
    /// The certificate is for another host.
    WrongName,
}

/// A self-signed certificate for `localhost` and 127.0.0.1, and its settings.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub(crate) pem: String,
    pub(crate) tls: ServerTls,
}

impl Certificate {
    pub(crate) fn new(fault: Option<TlsFault>) -> io::Result<Self> {
        let names = match fault {
            Some(TlsFault::WrongName) => vec!["elsewhere.example.org".to_owned()],
            _ => vec!["localhost".to_owned(), "127.0.0.1".to_owned()],
        };
        let mut parameters = CertificateParams::new(names).map_err(io::Error::other)?;
        match fault {
            Some(TlsFault::Expired) => parameters.not_after = date_time_ymd(2001, 1, 1),
            Some(TlsFault::NotYetValid) => parameters.not_before = date_time_ymd(4000, 1, 1),
            _ => {}
        }
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let pem = parameters.self_signed(&key).map_err(io::Error::other)?.pem();
        let tls = tls::server(pem.as_bytes(), key.serialize_pem().as_bytes()).map_err(io::Error::other)?;
        Ok(Self { pem, tls })
    }
}
