//! The settings that a guide is about.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use pop3_providers::{PasswordKind, Provider, Tls, provider_of, provider_of_host};

use crate::arguments::Guide;
use crate::failure::{Exit, Failure};
use crate::language::{Message, translated};
use crate::server_text::one_line;

/// The settings of an address.
#[derive(Debug)]
pub struct Settings {
    pub address: String,
    pub user: String,
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// The server for outgoing mail, if it is known.
    pub smtp: Option<String>,
    /// The provider, if the host is the provider's.
    pub provider: Option<&'static Provider>,
}

impl Settings {
    /// Determines the settings.
    ///
    /// # Errors
    /// The address has no known provider, or one without POP3, and the arguments name no host.
    pub fn of(arguments: &Guide) -> Result<Self, Failure> {
        let address = arguments.address.clone();
        let domain = address.rsplit_once('@').map_or("", |(_, domain)| domain);
        // The domain becomes part of names of files and hosts.
        let is_domain =
            !domain.starts_with(['.', '-']) && domain.chars().all(|char| char.is_alphanumeric() || ".-".contains(char));
        if !is_domain || domain.is_empty() || address.starts_with('@') || address.chars().any(char::is_control) {
            let found = Message::new("guide-no-address").with("text", one_line(&address));
            return Err(Failure::new(Exit::Usage, found));
        }
        let provider = match &arguments.host {
            None => provider_of(&address),
            Some(host) => provider_of_host(host),
        };
        if let Some((provider, why)) = provider.and_then(|provider| Some((provider, provider.unavailable()?))) {
            let found = Message::new("doctor-settings-no-pop3").with("provider", &provider.name).with("why", translated(why));
            return Err(Failure::new(Exit::Usage, found));
        }
        let pop3 = provider.and_then(Provider::pop3);
        let host = arguments.host.clone().or_else(|| pop3.map(|pop3| pop3.host.clone()));
        let host = host.ok_or_else(|| {
            Failure::new(Exit::Usage, Message::new("doctor-unknown-address").with("address", &address))
                .hint(&Message::new("guide-name-host").to_string())
        })?;
        // Nothing of the command line becomes markup or a command of the terminal.
        let given = [Some(&host), arguments.user.as_ref(), arguments.smtp_host.as_ref()];
        if let Some(text) = given.into_iter().flatten().find(|text| text.chars().any(char::is_control)) {
            return Err(Failure::new(Exit::Usage, Message::new("guide-control").with("text", one_line(text))));
        }
        let is_stls = arguments.stls || arguments.port == Some(110);
        let tls = if is_stls { Tls::Stls } else { pop3.map_or(Tls::Implicit, |pop3| pop3.tls) };
        let usual_port = if tls == Tls::Stls { 110 } else { 995 };
        let port = arguments.port.or_else(|| pop3.filter(|_| !is_stls).map(|pop3| pop3.port)).unwrap_or(usual_port);
        let user = arguments.user.clone();
        let user = user.unwrap_or_else(|| pop3.map_or(address.as_str(), |pop3| pop3.user.of(&address)).to_owned());
        Ok(Self { user, host, port, tls, smtp: arguments.smtp_host.clone(), provider, address })
    }

    /// Returns the settings for people.
    pub fn fields(&self) -> Vec<(String, String)> {
        let security = match self.tls {
            Tls::Implicit => Message::new("guide-security-tls"),
            Tls::Stls => Message::new("guide-security-stls"),
        };
        let fields = [
            (Message::new("guide-field-host"), self.host.clone()),
            (Message::new("guide-field-port"), self.port.to_string()),
            (Message::new("guide-field-security"), security.to_string()),
            (Message::new("guide-field-user"), self.user.clone()),
            (Message::new("guide-field-password"), self.password().to_string()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }

    /// Returns `true` if the provider refuses passwords.
    fn wants_token(&self) -> bool {
        self.provider.and_then(Provider::pop3).is_some_and(|pop3| pop3.password == PasswordKind::Token)
    }

    /// Returns what to type as the password.
    pub fn password(&self) -> Message {
        match self.provider.and_then(Provider::pop3).map(|pop3| pop3.password) {
            None | Some(PasswordKind::Account) => Message::new("guide-password-account"),
            Some(PasswordKind::AppPassword | PasswordKind::AppPasswordOrToken) => Message::new("guide-password-app"),
            Some(PasswordKind::AuthorizationCode) => Message::new("guide-password-code"),
            Some(PasswordKind::Token) => Message::new("guide-password-token"),
        }
    }

    /// Replaces the names of settings in a text of a guide by the settings.
    pub fn fill(&self, text: &str) -> String {
        let smtp = self.smtp.clone().unwrap_or_else(|| Message::new("guide-smtp").to_string());
        let values = [
            ("{address}", self.address.clone()),
            ("{user}", self.user.clone()),
            ("{user-in-url}", utf8_percent_encode(&self.user, NON_ALPHANUMERIC).to_string()),
            ("{host}", self.host.clone()),
            ("{port}", self.port.to_string()),
            ("{password}", self.password().to_string()),
            ("{auth}", if self.wants_token() { "OAuth2" } else { "Normal password" }.to_owned()),
            ("{name}", Message::new("guide-your-name").to_string()),
            ("{smtp}", smtp),
        ];
        // One pass, so that nothing in a value is taken for the name of a setting.
        let mut filled = String::new();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            rest = &rest[at..];
            match values.iter().find(|(name, _)| rest.starts_with(name)) {
                Some((name, value)) => {
                    filled.push_str(value);
                    rest = &rest[name.len()..];
                }
                None => {
                    filled.push('{');
                    rest = &rest[1..];
                }
            }
        }
        filled + rest
    }
}
