//! The server and the user of an account, from the arguments and from what is known of providers.

use std::env;
use std::fmt;
use std::io::{self, IsTerminal};

use pop3_blocking::proto::client::Refusal;
use pop3_providers::{PasswordKind, Pop3, Provider, RefusalKind, Tls, provider_of, provider_of_host};

use crate::arguments::{AccountArguments, AuthMethod};
use crate::discovery::{self, Found, Source};
use crate::failure::{Exit, Failure};
use crate::language::{Message, translated};
use crate::place::{Place, Scheme};
use crate::server_text::readable_if_known;
use crate::terminal::tell;

/// The server and the user.
#[derive(Debug)]
pub struct Target {
    pub host: String,
    /// The port, if the arguments or the provider name one.
    pub port: Option<u16>,
    pub user: String,
    /// The mail address, if one was given, in one spelling.
    pub address: Option<String>,
    /// The provider, or the URL of the server, wants `STLS`.
    pub stls: bool,
    /// The one login method that may be used.
    pub auth: Option<AuthMethod>,
    /// What named the server, if it had to be looked for.
    origin: Option<Origin>,
    /// The user name is the address, because nothing says what it is.
    is_user_unknown: bool,
    provider: Option<&'static Provider>,
}

/// What named a server that had to be looked for.
#[derive(Clone, Debug)]
pub struct Origin {
    pub source: Source,
    /// The day on which an earlier run found it; `None` if this run has.
    pub kept_since: Option<String>,
}

/// Looks for the server of an address.
type Find<'f> = &'f dyn Fn(&str) -> Result<Option<(Found, Origin)>, Failure>;

impl Target {
    /// Determines the target. With a mail address, the provider's settings apply as far as the arguments name nothing else. `find` looks for
    /// the server of an address that no provider is known for.
    pub fn of(given: &str, arguments: &AccountArguments, find: Find<'_>) -> Result<Self, Failure> {
        match given.contains('@') && !given.contains("://") {
            true => Self::of_address(given, arguments, find),
            false => Self::of_host(given, arguments),
        }
    }

    fn of_host(text: &str, arguments: &AccountArguments) -> Result<Self, Failure> {
        let place = Place::parse(text)?;
        if arguments.autoconfig_file.is_some() {
            return Err(Failure::new(Exit::Usage, Message::new("target-no-settings")));
        }
        if arguments.host.is_some() {
            return Err(Failure::new(Exit::Usage, Message::new("target-no-host")));
        }
        let is_twice = (place.port.is_some() && arguments.port.is_some())
            || (place.user.is_some() && arguments.user.is_some())
            || (place.auth.is_some() && arguments.auth.is_some())
            || (place.security == Some(Scheme::Pops) && (arguments.stls || arguments.dangerously_cleartext));
        if is_twice {
            return Err(Failure::new(Exit::Usage, Message::new("target-twice").with("text", text)));
        }
        let Some(user) = arguments.user.clone().or(place.user) else {
            return Err(Failure::new(Exit::Usage, Message::new("target-no-user"))
                .and(Message::new("target-no-user-example"))
                .and(Message::new("target-address-enough")));
        };
        Ok(Self {
            host: place.host,
            port: arguments.port.or(place.port),
            user,
            address: None,
            stls: place.security == Some(Scheme::Pop),
            auth: arguments.auth.or(place.auth),
            origin: None,
            is_user_unknown: false,
            provider: None,
        })
    }

    fn of_address(address: &str, arguments: &AccountArguments, find: Find<'_>) -> Result<Self, Failure> {
        let provider = provider_of(address).or_else(|| provider_of_host(arguments.host.as_deref()?));
        let provider = provider.filter(|_| arguments.autoconfig_file.is_none());
        // One mailbox has one journal and one folder, however its owner spells the address.
        let address = match (address.rsplit_once('@'), provider) {
            (Some((local_part, domain)), None) => format!("{local_part}@{}", domain.to_lowercase()),
            _ => address.to_lowercase(),
        };
        let address = address.as_str();
        let pop3 = provider.and_then(Provider::pop3);
        let (found, origin) = match &arguments.autoconfig_file {
            Some(file) => (Some(discovery::from_file(file, address)?), None),
            None if provider.is_none() && arguments.host.is_none() => {
                find(address)?.map_or((None, None), |(found, origin)| (Some(found), Some(origin)))
            }
            None => (None, None),
        };
        let server = found.as_ref().map(|found| &found.server);
        let found_user = found.as_ref().and_then(|found| found.user.clone());
        let known = server.map(|server| &server.host).or_else(|| pop3.map(|pop3| &pop3.host));
        let Some(host) = arguments.host.clone().or_else(|| known.cloned()) else {
            return Err(unknown(address, provider));
        };
        let has_own_security = arguments.stls || arguments.dangerously_cleartext;
        // The provider's port and TLS belong to the provider's host.
        let settings = pop3.filter(|pop3| pop3.host.eq_ignore_ascii_case(&host) && !has_own_security);
        Ok(Self {
            host,
            port: arguments.port.or_else(|| settings.map(|pop3| pop3.port)).or_else(|| server.map(|server| server.port)),
            is_user_unknown: arguments.user.is_none() && found_user.is_none() && pop3.is_none(),
            user: arguments
                .user
                .clone()
                .or(found_user)
                .unwrap_or_else(|| pop3.map_or(address, |pop3| pop3.user.of(address)).to_owned()),
            address: Some(address.to_owned()),
            stls: settings.is_some_and(|pop3| pop3.tls == Tls::Stls) || server.is_some_and(|server| server.stls),
            origin,
            auth: arguments.auth,
            provider,
        })
    }

    /// Returns the name of the account in the journal.
    pub fn account(&self, port: u16) -> String {
        format!("{}@{}", self.user, self.server(port))
    }

    /// Returns the server of the account.
    pub fn server(&self, port: u16) -> String {
        let host = self.host.to_lowercase();
        // Ports 110 and 995 lead to one maildrop; any other port may be another server, whose unique-ids denote other messages.
        match port {
            110 | 995 => host,
            _ => format!("{host}:{port}"),
        }
    }

    /// Returns the user name to try if the server refuses the address: the part before the `@` (RFC 6186 §4). `None` if the user name is known.
    pub fn other_user(&self) -> Option<String> {
        let local_part = self.user.rsplit_once('@').map(|(local_part, _)| local_part.to_owned());
        local_part.filter(|_| self.is_user_unknown)
    }

    /// Returns what named the server, if it had to be looked for.
    pub const fn origin(&self) -> Option<&Origin> {
        self.origin.as_ref()
    }

    fn pop3(&self) -> Option<(&'static Provider, &'static Pop3)> {
        self.provider.and_then(|provider| Some((provider, provider.pop3()?)))
    }

    /// Says which settings apply, unless the run is to be quiet, and which password is wanted if a person is going to be asked for it.
    /// `place` is where the mail goes, if that is to be said. Fails if a password cannot help.
    pub fn introduce(
        &self,
        port: u16,
        place: Option<&dyn fmt::Display>,
        quiet: bool,
        arguments: &AccountArguments,
    ) -> Result<(), Failure> {
        if let Some(origin) = self.origin.as_ref().filter(|origin| origin.kept_since.is_none() && !quiet) {
            let told = match origin.source {
                Source::Srv => Message::new("fetch-found-srv"),
                Source::Autoconfig => Message::new("fetch-found-autoconfig"),
                Source::Guess => Message::new("fetch-guessed"),
            };
            tell!("pop3: {}", told.with("host", &self.host));
        }
        if let Some(place) = place.filter(|_| !quiet) {
            let told = Message::new("fetch-settings").with("host", &self.host).with("port", port.to_string());
            tell!("pop3: {}", told.with("user", &self.user).with("folder", place));
        }
        let Some((provider, pop3)) = self.pop3() else { return Ok(()) };
        if pop3.password == PasswordKind::Token && !arguments.token.is_named() && pop3.host.eq_ignore_ascii_case(&self.host) {
            let mut failure = Failure::new(Exit::Login, wants(provider, pop3.password));
            if let Some(oauth) = &provider.oauth {
                failure = failure.and(Message::new("advice-oauth").with("account", &self.user)).and(translated(&oauth.register));
            }
            let failure = failure.and(Message::new("advice-token"));
            return Err(match &provider.switch_on {
                Some(text) => failure.and(translated(text)),
                None => failure,
            });
        }
        let is_asked = !arguments.has_secret() && env::var_os("POP3_PASSWORD").is_none() && io::stdin().is_terminal();
        if is_asked {
            tell!("pop3: {}. {}", wants(provider, pop3.password), advice(provider));
        }
        Ok(())
    }

    /// Adds the provider's advice to the failure of a refused login.
    pub fn advise(&self, failure: Failure, refusal: Option<&Refusal>) -> Failure {
        // A refused greeting says nothing of the login, and a fault that passes needs no other password.
        let refusal = refusal.filter(|refusal| refusal.verb.is_some());
        let (Some((provider, pop3)), Some(refusal)) = (self.pop3(), refusal) else { return failure };
        let name = &provider.name;
        let meaning = provider.meaning(&readable_if_known(&refusal.text, |text| provider.meaning(text).is_some()));
        if meaning.is_none() && refusal.is_transient() {
            return failure;
        }
        let said = |message: Message| message.with("provider", name);
        let advised = match meaning {
            Some(RefusalKind::PopOff) => failure.and(said(Message::new("advice-provider-pop-off"))),
            Some(RefusalKind::TooOften) => return failure.and(said(Message::new("advice-provider-too-often"))),
            Some(RefusalKind::Blocked) => failure.and(said(Message::new("advice-provider-blocked"))),
            Some(RefusalKind::WebLogin) => failure.and(said(Message::new("advice-provider-web-login"))),
            _ => failure.and(format_args!("{}.", wants(provider, pop3.password))),
        };
        match advice(provider) {
            advice if advice.is_empty() => advised,
            advice => advised.and(advice),
        }
    }
}

/// Returns the words about the kind of password that a provider wants.
fn wants(provider: &Provider, kind: PasswordKind) -> Message {
    let wants = match kind {
        PasswordKind::Account => Message::new("wants-account"),
        PasswordKind::AppPassword => Message::new("wants-app"),
        PasswordKind::AuthorizationCode => Message::new("wants-code"),
        PasswordKind::Token => Message::new("wants-token"),
        PasswordKind::AppPasswordOrToken => Message::new("wants-app-or-token"),
    };
    wants.with("provider", &provider.name)
}

/// Returns how to switch POP on, and where the provider's help is.
fn advice(provider: &Provider) -> String {
    [provider.switch_on.as_deref(), provider.help.as_deref()].into_iter().flatten().map(translated).collect::<Vec<_>>().join(" ")
}

fn unknown(address: &str, provider: Option<&Provider>) -> Failure {
    if let Some((provider, why)) = provider.and_then(|provider| Some((provider, provider.unavailable()?))) {
        let told = Message::new("fetch-no-pop3").with("address", address).with("why", translated(why));
        let failure = Failure::new(Exit::Usage, told);
        return if let Some(help) = &provider.help { failure.hint(help) } else { failure };
    }
    let domain = address.rsplit_once('@').map_or(address, |(_, domain)| domain);
    Failure::new(Exit::Usage, Message::new("doctor-unknown-address").with("address", address))
        .and(Message::new("fetch-no-guess").with("domain", domain))
        .and(Message::new("fetch-name-host"))
}
