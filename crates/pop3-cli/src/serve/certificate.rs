//! The certificate of a server.

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
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

    /// Logs a warning if this process could not read the files again, as it does when they change.
    pub fn warn_if_unreadable(&self) {
        for file in [&self.cert, &self.key] {
            if let Err(error) = fs::File::open(file) {
                tracing::warn!(file = %file.display(), %error, "a new certificate cannot be loaded: the user of --run-as cannot read it");
            }
        }
    }

    fn stamp(&self) -> Option<Stamp> {
        let stamp = |file: &PathBuf| fs::metadata(file).and_then(|meta| Ok((meta.modified()?, meta.len()))).ok();
        Some([stamp(&self.cert)?, stamp(&self.key)?])
    }
}

/// What changes when one of the files is replaced or written.
type Stamp = [(SystemTime, u64); 2];

/// The certificate that a server shows now.
pub struct Served(Mutex<State>);

struct State {
    files: Certificate,
    facts: Option<Facts>,
    /// The files that are in use.
    loaded: Option<Stamp>,
    /// The files that could not be loaded, which was told.
    complained: Option<Stamp>,
}

impl Served {
    /// Begins with files that were read just now.
    pub fn new(files: Certificate) -> Self {
        let (facts, loaded) = (files.facts().ok(), files.stamp());
        Self(Mutex::new(State { files, facts, loaded, complained: None }))
    }

    /// Loads these files in place of the others. If they cannot be loaded, nothing changes.
    ///
    /// # Errors
    /// See [`Certificate::read`].
    pub fn load(&self, files: Certificate) -> Result<ServerTls, Failure> {
        // The stamp is taken first: what is written meanwhile is another change.
        let stamp = files.stamp();
        let tls = files.read()?;
        let facts = files.facts().ok();
        *self.state() = State { files, facts, loaded: stamp, complained: None };
        Ok(tls)
    }

    /// Returns the new certificate if the files have changed. A failure is returned once for each change, but the files are tried again each
    /// time: they may become readable without another change, and between the writing of the two files they may not belong together.
    pub fn changed(&self) -> Option<Result<ServerTls, Failure>> {
        let (files, loaded) = {
            let state = self.state();
            (state.files.clone(), state.loaded)
        };
        let stamp = files.stamp().filter(|stamp| loaded != Some(*stamp))?;
        match self.load(files) {
            Ok(tls) => Some(Ok(tls)),
            Err(failure) => (self.state().complained.replace(stamp) != Some(stamp)).then_some(Err(failure)),
        }
    }

    /// Returns the end of the certificate, in seconds since 1970, if it is known.
    pub fn ends(&self) -> Option<u64> {
        self.state().facts.as_ref().map(|facts| facts.ends.as_secs())
    }

    /// Logs a warning if the certificate ends soon.
    pub fn warn_if_ending(&self) {
        let state = self.state();
        let Some(facts) = &state.facts else { return };
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = facts.ends.saturating_sub(now);
        if left < SOON {
            let days = left.as_secs() / 86_400;
            tracing::warn!(file = %state.files.cert.display(), until = facts.until, days, "the certificate ends soon: renew it");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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
        let served = Served::new(certificate.clone());
        assert!(served.changed().is_none());
        let ends = served.ends();
        assert!(ends.is_some());
        let (cert, key) = write("another-name.example");
        fs::write(&certificate.cert, cert).unwrap();
        assert!(served.changed().unwrap().is_err(), "the key is the old one");
        assert!(served.changed().is_none(), "it was told");
        // Without another change: the key is readable now.
        let other = Certificate { cert: certificate.cert.clone(), key: folder.path().join("other-key.pem") };
        fs::write(&other.key, &key).unwrap();
        fs::remove_file(&certificate.key).unwrap();
        fs::hard_link(&other.key, &certificate.key).unwrap();
        assert!(served.changed().unwrap().is_ok());
        assert!(served.changed().is_none());
        fs::remove_file(&certificate.cert).unwrap();
        assert!(served.changed().is_none(), "it may be replaced at this moment");
        assert!(served.load(certificate.clone()).is_err());
        assert_eq!(served.ends(), ends, "what is in use counts, not what lies there");
        assert_eq!(certificate.facts().unwrap_err().exit, Exit::Storage);
    }
}
