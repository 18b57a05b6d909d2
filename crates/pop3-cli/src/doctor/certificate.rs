//! The TLS of a session and the certificate of its server.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pop3_blocking::rustls::ClientConnection;
use pop3_blocking::rustls::pki_types::CertificateDer;
use pop3_blocking::tls::TlsFailure;

use super::finding::{Check, Finding};
use crate::certificate::{Facts, SOON};
use crate::date;
use crate::failure::Exit;
use crate::language::Message;
use crate::server_text::readable;

/// A finished handshake.
#[derive(Debug)]
pub struct Handshake {
    version: String,
    cipher: String,
    chain: Vec<CertificateDer<'static>>,
}

impl Handshake {
    pub fn of(connection: &ClientConnection) -> Self {
        let version = connection.protocol_version().and_then(|version| version.as_str().map(str::to_owned)).unwrap_or_default();
        let cipher = connection.negotiated_cipher_suite().and_then(|suite| suite.suite().as_str()).unwrap_or_default();
        Self {
            // rustls writes `TLSv1_3`.
            version: version.replace("TLSv", "TLS ").replace('_', "."),
            cipher: cipher.to_owned(),
            chain: connection.peer_certificates().unwrap_or_default().to_vec(),
        }
    }

    /// Returns the facts of the server's own certificate; `None` if it cannot be read.
    pub fn certificate(&self) -> Option<Facts> {
        Facts::of(self.chain.first()?)
    }

    /// Returns the server's own certificate in PEM.
    pub fn pem(&self) -> Option<String> {
        let text = STANDARD.encode(self.chain.first()?);
        let mut pem = "-----BEGIN CERTIFICATE-----\n".to_owned();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            // Lines of 64 characters (RFC 7468 §2).
            let (line, more) = rest.split_at(rest.len().min(64));
            pem += line;
            pem.push('\n');
            rest = more;
        }
        Some(pem + "-----END CERTIFICATE-----\n")
    }
}

/// Returns the date of this machine, as `2026-11-26`.
pub fn today() -> String {
    date::of(SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default())
}

/// Returns the finding of a handshake whose certificate is trusted.
pub fn trusted(handshake: &Handshake, now: SystemTime) -> Finding {
    let tls = |message: Message| message.with("version", &handshake.version).with("cipher", &handshake.cipher);
    let Some(facts) = handshake.certificate() else {
        return Finding::good(Check::Tls, tls(Message::new("doctor-tls-plain")));
    };
    let certificate =
        |message| tls(message).with("names", listed(&facts.names)).with("issuer", &facts.issuer).with("until", &facts.until);
    let left = facts.ends.saturating_sub(now.duration_since(UNIX_EPOCH).unwrap_or_default());
    match left < SOON {
        true => Finding::warning(Check::Tls, certificate(Message::new("doctor-tls")))
            .means(Message::new("doctor-tls-soon-means").with("days", left.as_secs() / 86_400))
            .next(Message::new("doctor-tls-soon-next")),
        false => Finding::good(Check::Tls, certificate(Message::new("doctor-tls"))),
    }
}

fn listed(names: &[String]) -> String {
    const MOST: usize = 4;
    let more = if names.len() > MOST { ", …" } else { "" };
    names.iter().take(MOST).map(|name| readable(name.as_bytes())).collect::<Vec<_>>().join(", ") + more
}

/// Returns the finding of a certificate that is not trusted, or of a failed handshake. `today` is the date of this machine.
pub fn untrusted(failure: &TlsFailure, host: &str, certificate: Option<&Facts>, today: &str) -> Finding {
    let failed = |found: Message| Finding::failed(Check::Tls, Exit::Tls, found.with("host", host));
    let until = certificate.map_or("?", |facts| &facts.until);
    match failure {
        TlsFailure::Expired(_) => failed(Message::new("doctor-tls-expired").with("until", until))
            .means(Message::new("doctor-tls-expired-means").with("today", today))
            .next(Message::new("doctor-tls-expired-next")),
        TlsFailure::NotValidYet(_) => failed(Message::new("doctor-tls-not-yet"))
            .means(Message::new("doctor-tls-not-yet-means").with("today", today))
            .next(Message::new("doctor-tls-not-yet-next")),
        TlsFailure::WrongName(_) => {
            let names = certificate.map_or_else(|| "?".to_owned(), |facts| listed(&facts.names));
            failed(Message::new("doctor-tls-wrong-name").with("names", names))
                .means(Message::new("doctor-tls-wrong-name-means"))
                .next(Message::new("doctor-tls-wrong-name-next"))
        }
        TlsFailure::SelfSigned => own(failed(Message::new("doctor-tls-self-signed")), certificate),
        TlsFailure::UnknownIssuer => {
            let issuer = certificate.map_or("?", |facts| &facts.issuer);
            own(failed(Message::new("doctor-tls-unknown-issuer").with("issuer", issuer)), certificate)
        }
        TlsFailure::NothingInCommon(_) => failed(Message::new("doctor-tls-too-old"))
            .means(Message::new("doctor-tls-too-old-means"))
            .next(Message::new("doctor-tls-too-old-next")),
        other => failed(Message::new("doctor-tls-other").with("error", other)).next(Message::new("doctor-tls-other-next")),
    }
}

/// Adds how one trusts the certificate of one's own server.
fn own(finding: Finding, certificate: Option<&Facts>) -> Finding {
    let fingerprint = certificate.map_or("?", |facts| &facts.fingerprint);
    finding
        .means(Message::new("doctor-tls-own-means"))
        .next(Message::new("doctor-tls-own-next").with("fingerprint", fingerprint))
        .next(Message::new("doctor-tls-own-save"))
}
