//! Reads X.509 certificates.

use std::time::Duration;

use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, UnixTime};
#[cfg(feature = "scram")]
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::der::Decode;
use x509_cert::ext::pkix::BasicConstraints;
use x509_cert::{Certificate, der};

fn parse(certificate: &CertificateDer<'_>) -> der::Result<Certificate> {
    Certificate::from_der(certificate)
}

/// Returns `true` if the basic constraints of a certificate mark it as a certificate authority's (RFC 5280 §4.2.1.9).
pub(super) fn is_authority(certificate: &CertificateDer<'_>) -> bool {
    let constraints = parse(certificate).and_then(|parsed| parsed.tbs_certificate.get::<BasicConstraints>());
    matches!(constraints, Ok(Some((_, BasicConstraints { ca: true, .. }))))
}

/// Returns `true` if the issuer of a certificate is its own subject.
pub(super) fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    parse(certificate).is_ok_and(|parsed| parsed.tbs_certificate.issuer == parsed.tbs_certificate.subject)
}

/// Checks that a certificate is valid at the time `now`.
///
/// # Errors
/// Fails if the certificate is not valid yet, has expired, or cannot be parsed.
pub(super) fn check_validity(certificate: &CertificateDer<'_>, now: UnixTime) -> Result<(), CertificateError> {
    let validity = parse(certificate).map_err(|_| CertificateError::BadEncoding)?.tbs_certificate.validity;
    let seconds = |time: x509_cert::time::Time| time.to_unix_duration().as_secs();
    let at = |time| UnixTime::since_unix_epoch(Duration::from_secs(seconds(time)));
    match now.as_secs() {
        early if early < seconds(validity.not_before) => {
            Err(CertificateError::NotValidYetContext { time: now, not_before: at(validity.not_before) })
        }
        late if late > seconds(validity.not_after) => {
            Err(CertificateError::ExpiredContext { time: now, not_after: at(validity.not_after) })
        }
        _ => Ok(()),
    }
}

/// Returns the data for the channel binding `tls-server-end-point`: the hash of the certificate, with the hash function of its
/// signature, or with SHA-256 if that function is MD5 or SHA-1 (RFC 5929 §4.1). Returns `None` if the signature has no single
/// hash function, so that the binding is undefined, or if the certificate cannot be parsed.
#[cfg(feature = "scram")]
pub(super) fn server_end_point(certificate: &CertificateDer<'_>) -> Option<Vec<u8>> {
    let parsed = parse(certificate).ok()?;
    Some(match parsed.signature_algorithm.oid.to_string().as_str() {
        // RSA with MD5, SHA-1, SHA-256; ECDSA with SHA-1, SHA-256.
        "1.2.840.113549.1.1.4"
        | "1.2.840.113549.1.1.5"
        | "1.2.840.113549.1.1.11"
        | "1.2.840.10045.4.1"
        | "1.2.840.10045.4.3.2" => Sha256::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.12" | "1.2.840.10045.4.3.3" => Sha384::digest(certificate).to_vec(),
        "1.2.840.113549.1.1.13" | "1.2.840.10045.4.3.4" => Sha512::digest(certificate).to_vec(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn certificate(algorithm: &'static rcgen::SignatureAlgorithm) -> CertificateDer<'static> {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let mut parameters = rcgen::CertificateParams::new(["a.example".to_owned()]).unwrap();
        (parameters.not_before, parameters.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
        parameters.self_signed(&key).unwrap().der().clone()
    }

    #[cfg(feature = "scram")]
    #[test]
    fn s36_the_end_point_is_hashed_as_the_certificate_is_signed() {
        let sha256 = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        assert_eq!(server_end_point(&sha256), Some(Sha256::digest(&sha256).to_vec()));
        let sha384 = certificate(&rcgen::PKCS_ECDSA_P384_SHA384);
        assert_eq!(server_end_point(&sha384), Some(Sha384::digest(&sha384).to_vec()));
        assert_eq!(server_end_point(&certificate(&rcgen::PKCS_ED25519)), None, "Ed25519 has no hash of its own");
        assert_eq!(server_end_point(&CertificateDer::from(vec![0x30])), None);
    }

    #[test]
    fn h11_a_certificate_has_its_time() {
        let certificate = certificate(&rcgen::PKCS_ECDSA_P256_SHA256);
        let at = |year: u64| UnixTime::since_unix_epoch(Duration::from_secs((year - 1970) * 31_556_952));
        let early = check_validity(&certificate, at(2019));
        assert!(matches!(early, Err(CertificateError::NotValidYetContext { .. })), "{early:?}");
        assert!(check_validity(&certificate, UnixTime::since_unix_epoch(Duration::from_secs(1_590_000_000))).is_ok());
        let late = check_validity(&certificate, at(2022));
        let Err(CertificateError::ExpiredContext { not_after, .. }) = late else { panic!("{late:?}") };
        assert_eq!(not_after.as_secs(), 1_609_459_200, "1 January 2021");
    }
}
