//! What is examined: the host, its ports and the user, from the arguments and from what is known of providers.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::rustls::ClientConfig;
use pop3_providers::{Provider, Tls, provider_of, provider_of_host};

use super::finding::{Check, Finding};
use super::network::look_up;
use super::service::Begins;
use crate::arguments::Doctor;
use crate::discovery::{self, Search, Source};
use crate::failure::{Exit, Failure};
use crate::language::{Message, translated};
use crate::place::{Place, Scheme};

/// A port, and how its sessions are to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Endpoint {
    pub port: u16,
    pub begins: Begins,
}

/// What is examined.
#[derive(Debug)]
pub struct Subject {
    /// The address or the host as the user gave it.
    pub given: String,
    pub host: String,
    /// The ports, the one that is to be used first.
    pub endpoints: Vec<Endpoint>,
    pub user: Option<String>,
    pub provider: Option<&'static Provider>,
    /// What named the host, if it had to be looked for.
    pub source: Option<Source>,
}

impl Subject {
    /// Determines the subject. `tls` is what a guessed server must be trusted by.
    ///
    /// # Errors
    /// The arguments name no host, and none is known.
    pub fn of(arguments: &Doctor, tls: &Arc<ClientConfig>) -> Result<Self, Failure> {
        let given = arguments.server.clone();
        let is_address = given.contains('@') && !given.contains("://");
        let place = if is_address { Place::default() } else { Place::parse(&given)? };
        let provider =
            if is_address { provider_of(&given).or_else(|| provider_of_host(arguments.host.as_deref()?)) } else { None };
        let is_own = |host: &String| arguments.host.as_ref().is_none_or(|given| given.eq_ignore_ascii_case(host));
        let pop3 = provider.and_then(Provider::pop3).filter(|pop3| is_own(&pop3.host));
        let is_unknown = is_address && provider.is_none() && arguments.host.is_none();
        let found = if is_unknown { Some(found(&given, arguments, tls)?) } else { None };
        let host = match (&arguments.host, pop3) {
            (Some(host), _) => host.clone(),
            (None, Some(pop3)) => pop3.host.clone(),
            // The provider has no POP3, which the examination says.
            (None, None) if provider.is_some() => String::new(),
            (None, None) => found.as_ref().map_or(place.host, |found| found.host.clone()),
        };
        let found_user = found.as_ref().and_then(|found| found.user.clone());
        let user = arguments.user.clone().or(place.user).or(found_user).or_else(|| {
            let form = provider.and_then(Provider::pop3).map(|pop3| pop3.user);
            is_address.then(|| form.map_or(given.as_str(), |form| form.of(&given)).to_owned())
        });
        let preferred = pop3.map(|pop3| (pop3.port, pop3.tls)).or(found.as_ref().and_then(|found| found.port));
        let port = arguments.port.or(place.port).or((place.security == Some(Scheme::Pops)).then_some(995));
        let stls = arguments.stls || place.security == Some(Scheme::Pop);
        Ok(Self {
            endpoints: endpoints(port, stls, preferred),
            given,
            host,
            user,
            provider,
            source: found.map(|found| found.source),
        })
    }

    /// Returns the provider if the host is the provider's own.
    pub fn provider_host(&self) -> Option<&'static Provider> {
        self.provider.filter(|provider| provider.pop3().is_some_and(|pop3| pop3.host == self.host))
    }

    /// Returns the finding about the settings themselves.
    pub fn settings(&self) -> Finding {
        if let (true, Some(provider)) = (self.host.is_empty(), self.provider) {
            let why = provider.unavailable().unwrap_or_default();
            let found = Message::new("doctor-settings-no-pop3").with("provider", &provider.name).with("why", translated(why));
            let finding = Finding::failed(Check::Settings, Exit::Usage, found);
            let help = |help| Message::new("doctor-advice").with("provider", &provider.name).with("text", help);
            return provider.help.as_ref().into_iter().map(help).fold(finding, Finding::next);
        }
        let ports: Vec<_> = self.endpoints.iter().map(|endpoint| endpoint.port.to_string()).collect();
        let settings = |message: Message| message.with("host", &self.host).with("ports", ports.join("/"));
        match (self.provider, self.provider.and_then(Provider::pop3), &self.user) {
            (Some(provider), Some(pop3), Some(user)) => {
                let found =
                    settings(Message::new("doctor-settings-provider")).with("provider", &provider.name).with("user", user);
                let password = password_kind(pop3.password);
                Finding::good(Check::Settings, found).means(password)
            }
            (_, _, Some(user)) => {
                let of_user = |text: Message| settings(text).with("user", user);
                match self.source {
                    None => Finding::good(Check::Settings, of_user(Message::new("doctor-settings-user"))),
                    Some(Source::Srv) => Finding::good(Check::Settings, of_user(Message::new("doctor-settings-srv"))),
                    Some(Source::Autoconfig) => {
                        Finding::good(Check::Settings, of_user(Message::new("doctor-settings-autoconfig")))
                    }
                    Some(Source::Guess) => Finding::note(Check::Settings, of_user(Message::new("doctor-settings-guess")))
                        .means(Message::new("doctor-settings-guess-means")),
                }
            }
            _ => Finding::good(Check::Settings, settings(Message::new("doctor-settings"))),
        }
    }
}

/// A server that was looked for.
struct Found {
    host: String,
    /// The port that is known to work, and how it begins.
    port: Option<(u16, Tls)>,
    user: Option<String>,
    source: Source,
}

/// Looks for the server of an address: one that a session can be begun with, or else one that exists, so that it can be examined.
fn found(address: &str, arguments: &Doctor, tls: &Arc<ClientConfig>) -> Result<Found, Failure> {
    let unknown = || {
        Failure::new(Exit::Usage, Message::new("doctor-unknown-address").with("address", address))
            .hint(&Message::new("doctor-unknown-address-next").to_string())
    };
    let (local_part, domain) = address.rsplit_once('@').ok_or_else(unknown)?;
    let domain = domain.to_lowercase();
    let ca_pem =
        arguments.ca_file.as_ref().map(|file| fs::read(file).map_err(|error| Failure::file(file, &error))).transpose()?;
    let search = Search { tls, ca_pem: ca_pem.as_deref(), proxy: None, port: arguments.port, stls: arguments.stls };
    if let Some((found, source)) = search.find(&format!("{local_part}@{domain}"))? {
        let port = (found.server.port, if found.server.stls { Tls::Stls } else { Tls::Implicit });
        // Both usual ports of a guess are examined.
        let port = Some(port).filter(|_| source != Source::Guess);
        return Ok(Found { host: found.server.host, port, user: found.user, source });
    }
    let limit = Duration::from_secs(arguments.timeout);
    let host = discovery::hosts(&domain).into_iter().find(|host| look_up(host, limit).is_ok()).ok_or_else(unknown)?;
    Ok(Found { host, port: None, user: None, source: Source::Guess })
}

/// Returns the sentence about the kind of password that a provider wants.
fn password_kind(kind: pop3_providers::PasswordKind) -> Message {
    use pop3_providers::PasswordKind as Kind;
    match kind {
        Kind::Account => Message::new("password-account"),
        Kind::AppPassword => Message::new("password-app"),
        Kind::AuthorizationCode => Message::new("password-code"),
        Kind::Token => Message::new("password-token"),
        Kind::AppPasswordOrToken => Message::new("password-app-or-token"),
    }
}

/// Returns the ports to examine. `preferred` are the provider's.
fn endpoints(port: Option<u16>, stls: bool, preferred: Option<(u16, Tls)>) -> Vec<Endpoint> {
    let implicit = Endpoint { port: 995, begins: Begins::WithTls };
    let clear = Endpoint { port: 110, begins: Begins::InClear };
    match (port, preferred) {
        (Some(110), _) => vec![clear],
        (Some(port), _) => vec![Endpoint { port, begins: if stls { Begins::InClear } else { Begins::WithTls } }],
        (None, Some((port, tls))) if !stls => {
            vec![Endpoint { port, begins: if tls == Tls::Stls { Begins::InClear } else { Begins::WithTls } }]
        }
        (None, _) if stls => vec![clear],
        (None, _) => vec![implicit, clear],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_arguments_come_before_the_provider_and_the_usual_ports_last() {
        let ports =
            |port, stls, preferred| endpoints(port, stls, preferred).iter().map(|end| (end.port, end.begins)).collect::<Vec<_>>();
        let (tls, clear) = (Begins::WithTls, Begins::InClear);
        assert_eq!(ports(None, false, None), [(995, tls), (110, clear)]);
        assert_eq!(ports(None, true, None), [(110, clear)]);
        assert_eq!(ports(Some(110), false, None), [(110, clear)]);
        assert_eq!(ports(Some(1995), false, None), [(1995, tls)]);
        assert_eq!(ports(Some(1110), true, Some((995, Tls::Implicit))), [(1110, clear)]);
        assert_eq!(ports(None, false, Some((995, Tls::Implicit))), [(995, tls)]);
        assert_eq!(ports(None, false, Some((110, Tls::Stls))), [(110, clear)]);
    }
}
