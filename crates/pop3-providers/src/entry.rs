//! The entries of the table.

use std::fmt;

use serde::Deserialize;

/// A mail provider.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Row")]
#[non_exhaustive]
pub struct Provider {
    /// The name for people.
    pub name: String,
    /// The domains of addresses that this provider serves. Providers that serve domains of their customers may have none here.
    pub domains: Vec<String>,
    /// How people switch POP on and get the password that POP wants, in English.
    pub switch_on: Option<String>,
    /// The provider's own help page.
    pub help: Option<String>,
    /// The shortest interval between two sessions that the provider accepts, in minutes.
    pub poll_minutes: Option<u32>,
    /// What a deletion over POP does, if that is special, in English.
    pub deletion: Option<String>,
    /// How to get an access token, if the provider takes one.
    pub oauth: Option<OAuth>,
    /// Known texts of refused logins.
    pub refusals: Vec<Refusal>,
    /// The page that the facts come from.
    pub source: String,
    /// When the facts were checked: a month or a day.
    pub checked: String,
    pop3: Result<Pop3, String>,
}

impl Provider {
    /// Returns the settings, or `None` if the provider has no POP3.
    pub fn pop3(&self) -> Option<&Pop3> {
        self.pop3.as_ref().ok()
    }

    /// Returns the reason why the provider has no POP3, in English; `None` if it has.
    pub fn unavailable(&self) -> Option<&str> {
        self.pop3.as_ref().err().map(String::as_str)
    }

    /// Returns what the text of a refused login means, if it is known. Upper and lower case are the same.
    pub fn meaning(&self, text: &str) -> Option<RefusalKind> {
        let text = text.to_lowercase();
        let refusal = self.refusals.iter().find(|refusal| text.contains(&refusal.contains.to_lowercase()));
        refusal.map(|refusal| refusal.means)
    }
}

/// The settings for POP3.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Pop3 {
    /// The host name of the server, which its certificate names.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the connection is encrypted.
    pub tls: Tls,
    /// The form of the user name.
    pub user: UserForm,
    /// The kind of password.
    pub password: PasswordKind,
}

/// How a connection is encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tls {
    /// TLS from the first octet, as on port 995.
    Implicit,
    /// `STLS` before the login, as on port 110.
    Stls,
}

/// The form of the user name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UserForm {
    /// The complete address.
    Address,
    /// The part before the `@`.
    LocalPart,
}

impl UserForm {
    /// Returns the user name of an address.
    pub fn of(self, address: &str) -> &str {
        match self {
            Self::Address => address,
            Self::LocalPart => address.rsplit_once('@').map_or(address, |(local_part, _)| local_part),
        }
    }
}

/// The kind of password that a login wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PasswordKind {
    /// The password of the mailbox, with which its owner logs in to the web page.
    Account,
    /// A password that the provider makes for one program.
    AppPassword,
    /// The same under another name, at providers in China.
    AuthorizationCode,
    /// An OAuth access token; passwords are refused.
    Token,
    /// An app password or an OAuth access token.
    AppPasswordOrToken,
}

impl fmt::Display for PasswordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Account => "the password of the mailbox",
            Self::AppPassword => "an app password, which is not the password of the web page",
            Self::AuthorizationCode => "an authorization code, which is not the password of the web page",
            Self::Token => "an access token (OAuth); passwords are refused",
            Self::AppPasswordOrToken => "an app password, which is not the password of the web page, or an access token (OAuth)",
        })
    }
}

/// How to get an access token by OAuth 2.0 (RFC 6749). A program registers itself at the provider, and gets a client id for that.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OAuth {
    /// The page on which the owner of the mailbox agrees.
    pub authorize_url: String,
    /// Where an agreement or a refresh token becomes an access token.
    pub token_url: String,
    /// Where a code for another device is asked for (RFC 8628), if the provider has that for mail.
    pub device_url: Option<String>,
    /// What the program asks to be allowed.
    pub scopes: Vec<String>,
    /// How to register a program, in English.
    pub register: String,
}

/// A known text of a refused login.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refusal {
    /// A part of the text.
    pub contains: String,
    /// What it means.
    pub means: RefusalKind,
}

/// What a refused login means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RefusalKind {
    /// POP is switched off for the mailbox.
    PopOff,
    /// The name or the password is wrong.
    WrongPassword,
    /// Another kind of password is wanted; see [`Pop3::password`].
    OtherPassword,
    /// There were too many logins, or too much was transferred.
    TooOften,
    /// The provider blocks the account.
    Blocked,
    /// The owner must log in to the web page first.
    WebLogin,
}

/// A provider as the table spells it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    name: String,
    domains: Vec<String>,
    host: Option<String>,
    port: Option<u16>,
    tls: Option<Tls>,
    user: Option<UserForm>,
    password: Option<PasswordKind>,
    switch_on: Option<String>,
    help: Option<String>,
    poll_minutes: Option<u32>,
    deletion: Option<String>,
    unavailable: Option<String>,
    source: String,
    checked: String,
    oauth: Option<OAuth>,
    #[serde(default)]
    refusal: Vec<Refusal>,
}

impl TryFrom<Row> for Provider {
    type Error = String;

    fn try_from(row: Row) -> Result<Self, String> {
        let pop3 = match (row.host, row.port, row.tls, row.user, row.password, row.unavailable) {
            (Some(host), Some(port), Some(tls), Some(user), Some(password), None) => Ok(Pop3 { host, port, tls, user, password }),
            (None, None, None, None, None, Some(why)) => Err(why),
            _ => return Err(format!("{}: either all settings or `unavailable`", row.name)),
        };
        Ok(Self {
            name: row.name,
            domains: row.domains,
            switch_on: row.switch_on,
            help: row.help,
            poll_minutes: row.poll_minutes,
            deletion: row.deletion,
            oauth: row.oauth,
            refusals: row.refusal,
            source: row.source,
            checked: row.checked,
            pop3,
        })
    }
}

/// Parses a table.
pub(crate) fn parse(text: &str) -> Result<Vec<Provider>, toml::de::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Table {
        provider: Vec<Provider>,
    }
    toml::from_str(text).map(|table: Table| table.provider)
}
