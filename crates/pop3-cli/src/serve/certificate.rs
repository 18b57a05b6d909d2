//! The certificate of a server.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use pop3_blocking::rustls::pki_types::CertificateDer;
use pop3_blocking::rustls::pki_types::pem::PemObject;
use pop3_tokio::tls::{self, ServerTls};

use crate::arguments::Serve;
use crate::certificate::{Facts, SOON};
use crate::failure::{Exit, Failure};
use crate::permissions::warn_if_readable;

/// The files of the certificate chain and its private key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    pub cert: PathBuf,
    pub key: PathBuf,
}

impl Certificate {
    /// Returns the files that the settings name.
    pub fn of(settings: &Serve) -> Option<Self> {
        settings.cert.clone().zip(settings.key.clone()).map(|(cert, key)| Self { cert, key })
    }

    /// Reads both files.
    ///
    /// # Errors
    /// A file cannot be read, or they do not belong together.
    pub fn read(&self) -> Result<ServerTls, Failure> {
        let Self { cert, key } = self;
        let chain = fs::read(cert).map_err(|error| Failure::file(cert, &error))?;
        let private = fs::read(key).map_err(|error| Failure::file(key, &error))?;
        let unusable = |error| Failure::new(Exit::Storage, format_args!("{} and {}: {error}", cert.display(), key.display()));
        warn_if_readable(key, "the private key");
        tls::server(&chain, &private).map_err(unusable)
    }

    /// Returns what the server's own certificate says.
    ///
    /// # Errors
    /// The file cannot be read, or is no certificate.
    pub fn facts(&self) -> Result<Facts, Failure> {
        let chain = fs::read(&self.cert).map_err(|error| Failure::file(&self.cert, &error))?;
        let own = CertificateDer::from_pem_slice(&chain).ok();
        own.and_then(|own| Facts::of(&own)).ok_or_else(|| Failure::file(&self.cert, &ErrorKind::InvalidData.into()))
    }

    /// Logs a warning if the certificate ends soon.
    pub fn warn_if_ending(&self) {
        let Ok(facts) = self.facts() else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = facts.ends.saturating_sub(now);
        if left < SOON {
            let days = left.as_secs() / 86_400;
            tracing::warn!(file = %self.cert.display(), until = facts.until, days, "the certificate ends soon: renew it");
        }
    }

    /// Logs a warning if this process could not read the files again, as it does when they change.
    pub fn warn_if_unreadable(&self) {
        for file in [&self.cert, &self.key] {
            if let Err(error) = fs::File::open(file) {
                tracing::warn!(file = %file.display(), %error, "a new certificate cannot be loaded: the user of --run-as cannot read it");
            }
        }
    }

    /// Returns what changes when one of the files is replaced or written.
    fn stamp(&self) -> Option<[(SystemTime, u64); 2]> {
        let stamp = |file: &PathBuf| fs::metadata(file).and_then(|meta| Ok((meta.modified()?, meta.len()))).ok();
        Some([stamp(&self.cert)?, stamp(&self.key)?])
    }
}

/// Notices when the files of a certificate have changed.
pub struct Watch {
    certificate: Certificate,
    seen: Option<[(SystemTime, u64); 2]>,
}

impl Watch {
    pub fn new(certificate: Certificate) -> Self {
        Self { seen: certificate.stamp(), certificate }
    }

    /// Returns the new certificate, once for each change. Between the writing of the two files they may not belong together; the change of the
    /// second one is another change.
    pub fn changed(&mut self) -> Option<Result<ServerTls, Failure>> {
        let stamp = self.certificate.stamp()?;
        (self.seen.replace(stamp) != Some(stamp)).then(|| self.certificate.read())
    }

    pub const fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_certificate_is_loaded_once_and_half_a_change_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let certificate = Certificate { cert: folder.path().join("cert.pem"), key: folder.path().join("key.pem") };
        let write = |name: &str| {
            let new = rcgen::generate_simple_self_signed([name.to_owned()]).unwrap();
            (new.cert.pem(), new.signing_key.serialize_pem())
        };
        let (cert, key) = write("a.example");
        fs::write(&certificate.cert, cert).unwrap();
        fs::write(&certificate.key, key).unwrap();
        let mut watch = Watch::new(certificate.clone());
        assert!(watch.changed().is_none());
        let (cert, key) = write("another-name.example");
        fs::write(&certificate.cert, cert).unwrap();
        assert!(watch.changed().unwrap().is_err(), "the key is the old one");
        fs::write(&certificate.key, key + "\n").unwrap();
        assert!(watch.changed().unwrap().is_ok());
        assert!(watch.changed().is_none());
        fs::remove_file(&certificate.cert).unwrap();
        assert!(watch.changed().is_none(), "it may be replaced at this moment");
        assert_eq!(certificate.facts().unwrap_err().exit, Exit::Storage);
    }
}
