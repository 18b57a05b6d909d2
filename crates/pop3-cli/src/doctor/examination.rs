//! The examination of a server, from its name to its maildrop.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use pop3_blocking::proto::client::{Service, Timeouts};
use pop3_blocking::rustls::ClientConfig;
use pop3_blocking::{ClientOptions, Error, Security};

use super::certificate::{self, Handshake};
use super::finding::{Check, Finding, Outcome};
use super::network::{self, Reach};
use super::service::{self, Answer, Begins, Kind};
use super::session::{self, Login, Session};
use super::subject::{Endpoint, Subject};
use crate::certificate::Facts;
use crate::failure::Exit;
use crate::language::Message;
use crate::server_text::readable;

/// What an examination needs.
pub struct Examination<'a> {
    pub subject: &'a Subject,
    pub login: Option<&'a Login>,
    /// What a session trusts.
    pub tls: Arc<ClientConfig>,
    /// The time limit of each wait.
    pub limit: Duration,
    /// Where the certificate of the server is to be stored.
    pub save_certificate: Option<&'a Path>,
}

/// How an examination ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Mail can be fetched from this port.
    Works { endpoint: Endpoint, is_logged_in: bool },
    /// Mail cannot be fetched. Holds the exit code of the reason.
    Fails(Exit),
}

/// Where the examination of a port stopped.
enum Stop {
    /// The network, the service or TLS: another port may work.
    Port(Exit),
    /// The login or the maildrop, which are the same at every port.
    Account(Exit),
}

impl Examination<'_> {
    /// Examines the subject, and tells each finding as soon as it is there.
    pub fn run(&self, tell: &mut dyn FnMut(Finding)) -> Verdict {
        let mut tell = |finding: Finding| -> Option<Exit> {
            let failed = (finding.outcome == Outcome::Failed).then_some(finding.exit);
            tell(finding);
            failed
        };
        if let Some(exit) = tell(self.subject.settings()) {
            return Verdict::Fails(exit);
        }
        let addresses = match self.subject.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => {
                let found = network::look_up(&self.subject.host, self.limit);
                let provider = self.subject.provider_host().map(|provider| provider.name.as_str());
                if let Some(exit) = tell(network::names(&self.subject.host, &found, provider)) {
                    return Verdict::Fails(exit);
                }
                if let Some(finding) = network::alias(&self.subject.host) {
                    tell(finding);
                }
                found.unwrap_or_default()
            }
        };
        let attempts = self.reach(&addresses);
        let mut first = None;
        for endpoint in &self.subject.endpoints {
            match self.examine_port(*endpoint, &attempts, &mut tell) {
                Ok(()) => return Verdict::Works { endpoint: *endpoint, is_logged_in: self.login.is_some() },
                Err(Stop::Account(exit)) => return Verdict::Fails(exit),
                Err(Stop::Port(exit)) => _ = first.get_or_insert(exit),
            }
        }
        Verdict::Fails(first.unwrap_or(Exit::Other))
    }

    fn reach(&self, addresses: &[IpAddr]) -> Vec<Reach> {
        let ports = self.subject.endpoints.iter().map(|endpoint| endpoint.port);
        let places: Vec<_> =
            ports.flat_map(|port| addresses.iter().map(move |address| SocketAddr::new(*address, port))).collect();
        network::reach(&places, self.limit)
    }

    fn examine_port(
        &self,
        endpoint: Endpoint,
        attempts: &[Reach],
        tell: &mut impl FnMut(Finding) -> Option<Exit>,
    ) -> Result<(), Stop> {
        let attempts: Vec<_> = attempts.iter().filter(|attempt| attempt.address.port() == endpoint.port).collect();
        let mut exit = Exit::Connection;
        for finding in network::connections(&attempts) {
            exit = tell(finding).unwrap_or(exit);
        }
        let Some(reached) = attempts.iter().find(|attempt| attempt.result.is_ok()) else { return Err(Stop::Port(exit)) };
        let host = &self.subject.host;
        let answer = service::identify(reached.address, host, endpoint.begins, self.limit);
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return Err(stop(tell(session::broken(Check::Service, &error)))),
        };
        let is_slow = answer.took > self.limit / 2;
        let greeting = service_finding(&answer, self.subject, endpoint, is_slow);
        if let Some(exit) = tell(greeting.took(answer.took)) {
            return Err(Stop::Port(exit));
        }
        let handshake = match endpoint.begins {
            Begins::WithTls => answer.tls,
            Begins::InClear => self.before_tls(endpoint, reached.address, tell)?,
        };
        if let Some(finding) = self.save(handshake.as_ref()) {
            return Err(stop(tell(finding)));
        }
        self.session(endpoint, handshake.as_ref(), tell)
    }

    /// Looks for `STLS` before TLS, and does the handshake.
    fn before_tls(
        &self,
        endpoint: Endpoint,
        address: SocketAddr,
        tell: &mut impl FnMut(Finding) -> Option<Exit>,
    ) -> Result<Option<Handshake>, Stop> {
        match service::stls_handshake(address, &self.subject.host, self.limit) {
            Ok(Some(Ok(handshake))) => Ok(Some(handshake)),
            Ok(Some(Err(failure))) => {
                Err(stop(tell(certificate::untrusted(&failure, &self.subject.host, None, &certificate::today()))))
            }
            Ok(None) => Err(stop(tell(no_stls(endpoint)))),
            Err(error) => Err(stop(tell(session::broken(Check::Tls, &error)))),
        }
    }

    fn session(
        &self,
        endpoint: Endpoint,
        handshake: Option<&Handshake>,
        tell: &mut impl FnMut(Finding) -> Option<Exit>,
    ) -> Result<(), Stop> {
        let security = match endpoint.begins {
            Begins::WithTls => Security::Tls(self.tls.clone()),
            Begins::InClear => Security::Stls(self.tls.clone()),
        };
        let mut options = ClientOptions::new(security);
        let limit = self.limit;
        options.timeouts = Timeouts {
            connect: limit,
            greeting: limit,
            login: limit.max(Duration::from_secs(30)),
            command: limit,
            body: limit,
            quit: limit,
        };
        let session = Session {
            host: &self.subject.host,
            port: endpoint.port,
            options: &options,
            user: self.subject.user.as_deref(),
            login: self.login,
            provider: self.subject.provider,
        };
        let (mut client, method) = match session.connect() {
            Ok(connected) => connected,
            Err(Error::Tls(failure)) => {
                let facts: Option<Facts> = handshake.and_then(Handshake::certificate);
                let finding = certificate::untrusted(&failure, &self.subject.host, facts.as_ref(), &certificate::today());
                return Err(stop(tell(finding)));
            }
            Err(error) => return Err(stop(tell(session::broken(Check::Tls, &error)))),
        };
        if let Some(handshake) = handshake {
            tell(certificate::trusted(handshake, SystemTime::now()));
        }
        let examined = session.examine(&mut client, &method, &mut |finding| _ = tell(finding));
        // Whatever the server says to QUIT, nothing was changed.
        let _ = client.quit();
        examined.map_err(Stop::Account)
    }

    /// Stores the server's certificate where the caller wants it. Returns a finding if that fails.
    fn save(&self, handshake: Option<&Handshake>) -> Option<Finding> {
        let (file, pem) = (self.save_certificate?, handshake.and_then(Handshake::pem)?);
        let error = std::fs::write(file, pem).err()?;
        let found = Message::new("doctor-save-failed").with("file", file.display()).with("error", error);
        Some(Finding::failed(Check::Tls, Exit::Storage, found))
    }
}

/// Returns the stop of a port after a finding that was told.
fn stop(told: Option<Exit>) -> Stop {
    Stop::Port(told.unwrap_or(Exit::Other))
}

fn no_stls(endpoint: Endpoint) -> Finding {
    Finding::failed(Check::Tls, Exit::Tls, Message::new("doctor-tls-no-stls").with("port", endpoint.port.to_string()))
        .means(Message::new("doctor-tls-no-stls-means"))
        .next(Message::new("doctor-tls-no-stls-next"))
}

/// Returns the finding about what answers. `is_slow`: the answer took long, for the time limit that applies.
fn service_finding(answer: &Answer, subject: &Subject, endpoint: Endpoint, is_slow: bool) -> Finding {
    let with = |message: Message| message.with("port", endpoint.port.to_string());
    let failed = |exit, message| Finding::failed(Check::Service, exit, with(message));
    let is_as_expected = answer.tls.is_some() == (endpoint.begins == Begins::WithTls);
    match &answer.kind {
        Kind::Pop3(text) if is_as_expected => {
            let found = match endpoint.begins {
                Begins::WithTls => Message::new("doctor-service-tls"),
                Begins::InClear => Message::new("doctor-service-clear"),
            };
            let found = with(found).with("text", readable(text));
            match is_slow {
                true => Finding::warning(Check::Service, found).means(Message::new("doctor-service-slow-means")),
                false => Finding::good(Check::Service, found),
            }
        }
        Kind::Pop3(_) | Kind::Refuses(_) if !is_as_expected && answer.tls.is_some() => {
            failed(Exit::Connection, Message::new("doctor-service-has-tls"))
                .next(with(Message::new("doctor-service-has-tls-next")))
        }
        Kind::Pop3(_) if !is_as_expected => {
            failed(Exit::Tls, Message::new("doctor-service-no-tls")).next(with(Message::new("doctor-service-no-tls-next")))
        }
        Kind::Refuses(text) | Kind::Pop3(text) => {
            failed(Exit::TryLater, Message::new("doctor-service-refuses").with("text", readable(text)))
                .means(Message::new("doctor-service-refuses-means"))
                .next(Message::new("doctor-service-refuses-next"))
        }
        Kind::Other(Service::Imap) => failed(Exit::Connection, Message::new("doctor-service-imap")).next(usual_ports()),
        Kind::Other(Service::SmtpOrFtp) => failed(Exit::Connection, Message::new("doctor-service-smtp")).next(usual_ports()),
        Kind::Other(Service::Ssh) => failed(Exit::Connection, Message::new("doctor-service-ssh")).next(usual_ports()),
        Kind::Other(Service::Web) => {
            let finding = failed(Exit::Connection, Message::new("doctor-service-http"));
            match subject.provider_host().is_some() {
                true => {
                    finding.means(Message::new("doctor-service-portal-means")).next(Message::new("doctor-service-portal-next"))
                }
                false => finding.next(usual_ports()),
            }
        }
        Kind::Other(_) | Kind::Unknown(_) => {
            let text = if let Kind::Unknown(text) = &answer.kind { readable(text) } else { String::new() };
            failed(Exit::Connection, Message::new("doctor-service-unknown").with("text", text)).next(usual_ports())
        }
        Kind::Silent => failed(Exit::Connection, Message::new("doctor-service-silent"))
            .means(Message::new("doctor-service-silent-means"))
            .next(Message::new("doctor-service-silent-next")),
        Kind::Closed => failed(Exit::Connection, Message::new("doctor-service-closed"))
            .means(Message::new("doctor-service-closed-means"))
            .next(Message::new("doctor-service-closed-next")),
        Kind::TlsFails(failure) => certificate::untrusted(failure, &subject.host, None, &certificate::today()),
    }
}

fn usual_ports() -> Message {
    Message::new("doctor-service-usual-ports")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_web_server_in_the_place_of_a_provider_is_a_portal() {
        let endpoint = Endpoint { port: 995, begins: Begins::WithTls };
        let provider = pop3_providers::provider_of("joe@163.com");
        let mut subject = Subject {
            given: "joe@163.com".to_owned(),
            host: "pop.163.com".to_owned(),
            endpoints: vec![endpoint],
            user: None,
            provider,
            source: None,
        };
        let answer = Answer { kind: Kind::Other(Service::Web), tls: None, took: Duration::ZERO };
        let means = |subject: &Subject| service_finding(&answer, subject, endpoint, false).means.map(|means| means.id());
        assert_eq!(means(&subject), Some("doctor-service-portal-means"));
        // A host that was named may be anything.
        subject.host = "www.example.org".to_owned();
        assert_eq!(means(&subject), None);
    }
}
