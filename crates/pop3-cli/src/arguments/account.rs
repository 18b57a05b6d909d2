//! The arguments that name an account, and how to log in to it.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pop3_tokio::proto::Secret;
use pop3_tokio::proto::client::LoginPolicy;
use pop3_tokio::proto::sasl::Mechanism;
use pop3_tokio::{Proxy, ProxyKind};

use super::OAuthArguments;

/// The account of a command beside its server: the user, and how to connect.
#[derive(Args, Debug)]
pub struct AccountArguments {
    /// User name of the mailbox. Default with a mail address: what its provider wants, usually the address.
    #[arg(short, long)]
    pub user: Option<String>,

    /// Host name or address of the server for a mail address, in place of its provider's.
    #[arg(long)]
    pub host: Option<String>,

    /// Take server and user of a mail address from this file in Mozilla's autoconfig format, as Thunderbird reads it.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["host", "port", "stls", "dangerously_cleartext"])]
    pub autoconfig_file: Option<PathBuf>,

    /// Port of the server. Default: 995, or 110 with --stls or --dangerously-cleartext.
    #[arg(short, long)]
    pub port: Option<u16>,

    /// Connect without TLS, and switch to TLS with STLS before the login.
    #[arg(long)]
    pub stls: bool,

    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE", conflicts_with = "dangerously_any_certificate")]
    pub ca_file: Option<PathBuf>,

    /// Accept one certificate alone, for any name and with any signature: the one with this SHA-256 fingerprint, as
    /// `openssl x509 -noout -fingerprint -sha256` shows it, and `pop3 doctor` if no authority has signed the certificate. Compare it with what the operator of the server says. A renewed certificate needs a
    /// new fingerprint.
    #[arg(long, value_name = "FINGERPRINT", conflicts_with_all = ["ca_file", "dangerously_any_certificate"], value_parser = fingerprint)]
    pub pin: Option<Fingerprint>,

    /// PEM file with a certificate that this client shows to the server, for servers that require one. `--auth external` logs in with it.
    #[arg(long, value_name = "FILE", requires = "client_key", conflicts_with = "dangerously_cleartext")]
    pub client_cert: Option<PathBuf>,

    /// PEM file with the private key of this certificate.
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub client_key: Option<PathBuf>,

    /// Accept any certificate: an attacker on the network path can read the password and the mail.
    #[arg(long)]
    pub dangerously_any_certificate: bool,

    /// Use no TLS: an attacker on the network path can read the password and the mail.
    #[arg(long, conflicts_with_all = ["stls", "ca_file", "pin", "dangerously_any_certificate"])]
    pub dangerously_cleartext: bool,

    /// Connect through a proxy: socks5://HOST:PORT or http://HOST:PORT, with NAME:PASSWORD@ before the host if the proxy requires
    /// a login. If the URL contains a password, set POP3_PROXY to it instead: other users can see the arguments of a program.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Log in with this method only. (Default: the strongest method that both sides support.)
    #[arg(long, value_name = "METHOD", value_enum)]
    pub auth: Option<AuthMethod>,

    #[command(flatten)]
    pub password: PasswordSource,

    /// Time limit of each wait for the server. (Default: 30 seconds for a connection, 60 for the greeting and for a message that
    /// stalls, 120 for other replies, 300 for a login and for QUIT.)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,

    #[command(flatten)]
    pub token: TokenSource,
}

impl AccountArguments {
    /// Returns `true` if the arguments name where the password or the token comes from, or want none.
    pub const fn has_secret(&self) -> bool {
        self.password.is_named() || self.token.is_named() || matches!(self.auth, Some(AuthMethod::External))
    }
}

/// The source of the password: these options, `POP3_PASSWORD`, or a prompt on the terminal, in this order.
#[derive(Args, Debug)]
pub struct PasswordSource {
    /// Read the password from the first line of this file. (Default: POP3_PASSWORD, or a prompt on the terminal.)
    #[arg(long, value_name = "FILE", conflicts_with = "password_command")]
    pub password_file: Option<PathBuf>,

    /// Run this shell command, and read the password from the first line of its output.
    #[arg(long, value_name = "COMMAND")]
    pub password_command: Option<String>,

    /// Take the password for this host and user from ~/.netrc, or from the file that NETRC names.
    #[arg(long, conflicts_with_all = ["password_file", "password_command"])]
    pub netrc: bool,

    /// Take the password from this credential of a systemd service (LoadCredentialEncrypted=NAME).
    #[arg(long, value_name = "NAME", conflicts_with_all = ["password_file", "password_command", "netrc"])]
    pub credential: Option<String>,
}

impl PasswordSource {
    /// Returns `true` if the arguments name where the password comes from.
    pub const fn is_named(&self) -> bool {
        self.password_file.is_some() || self.password_command.is_some() || self.netrc || self.credential.is_some()
    }
}

/// The source of an access token, for servers that require one instead of a password.
#[derive(Args, Debug)]
pub struct TokenSource {
    /// Log in with an access token (OAuth) from the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_command", "password_file", "password_command", "netrc", "credential"])]
    pub token_file: Option<PathBuf>,

    /// Log in with an access token (OAuth) from the first line of this shell command's output.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["password_file", "password_command", "netrc", "credential"])]
    pub token_command: Option<String>,

    #[command(flatten)]
    pub oauth: OAuthArguments,
}

impl TokenSource {
    /// Returns `true` if the arguments name where the token comes from.
    pub const fn is_named(&self) -> bool {
        self.token_file.is_some() || self.token_command.is_some() || self.oauth.oauth_client_id.is_some()
    }
}

/// A login method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum AuthMethod {
    /// USER and PASS.
    User,
    Apop,
    Plain,
    Login,
    CramMd5,
    #[value(name = "scram-sha-1")]
    ScramSha1,
    #[value(name = "scram-sha-256")]
    ScramSha256,
    #[value(name = "scram-sha-1-plus")]
    ScramSha1Plus,
    #[value(name = "scram-sha-256-plus")]
    ScramSha256Plus,
    Xoauth2,
    Oauthbearer,
    /// The certificate of --client-cert, without a password.
    External,
}

/// The SHA-256 fingerprint of a certificate.
pub type Fingerprint = [u8; 32];

/// Parses 64 hexadecimal digits, with or without colons between them.
pub fn fingerprint(text: &str) -> Result<Fingerprint, String> {
    let wrong = || "must be 64 hexadecimal digits, such as the SHA-256 fingerprint of a certificate".to_owned();
    let digits = text.replace(':', "");
    if digits.len() != 64 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(wrong());
    }
    let mut octets = [0; 32];
    for (octet, pair) in octets.iter_mut().zip(digits.as_bytes().chunks(2)) {
        *octet = str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok()).ok_or_else(wrong)?;
    }
    Ok(octets)
}

impl AuthMethod {
    /// Returns the policy that allows only this method, whether or not the server announces it.
    pub fn policy(self) -> LoginPolicy {
        let mechanism = match self {
            Self::User | Self::Apop => None,
            Self::Plain => Some(Mechanism::Plain),
            Self::Login => Some(Mechanism::Login),
            Self::CramMd5 => Some(Mechanism::CramMd5),
            Self::ScramSha1 => Some(Mechanism::ScramSha1),
            Self::ScramSha256 => Some(Mechanism::ScramSha256),
            Self::ScramSha1Plus => Some(Mechanism::ScramSha1Plus),
            Self::ScramSha256Plus => Some(Mechanism::ScramSha256Plus),
            Self::Xoauth2 => Some(Mechanism::Xoauth2),
            Self::Oauthbearer => Some(Mechanism::OauthBearer),
            Self::External => Some(Mechanism::External),
        };
        LoginPolicy {
            mechanisms: mechanism.into_iter().collect(),
            assumed: mechanism.into_iter().collect(),
            apop: self == Self::Apop,
            user_pass: self == Self::User,
            ..LoginPolicy::default()
        }
    }
}

/// Parses the URL of a proxy. No error repeats the URL, because it may contain a password.
pub fn proxy(text: &str) -> Result<Proxy, String> {
    let wrong = || "must be like socks5://proxy.example.org:1080 or http://name:password@proxy.example.org:3128".to_owned();
    let (scheme, rest) = text.split_once("://").ok_or_else(wrong)?;
    let kind = match scheme {
        "socks5" => ProxyKind::Socks5,
        "http" => ProxyKind::HttpConnect,
        _ => return Err(wrong()),
    };
    let (login, place) = match rest.rsplit_once('@') {
        Some((login, place)) => (Some(login.split_once(':').ok_or_else(wrong)?), place),
        None => (None, rest),
    };
    let (host, port) = place.trim_end_matches('/').rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_matches(['[', ']']);
    if host.is_empty() {
        return Err(wrong());
    }
    Ok(Proxy {
        kind,
        host: host.to_owned(),
        port: port.parse().map_err(|_| wrong())?,
        login: login.map(|(name, password)| (name.to_owned(), Secret::from(password))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_parsed() {
        let octets: [u8; 32] = std::array::from_fn(|at| u8::try_from(at * 8).unwrap());
        let plain: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let colons = octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":");
        assert_eq!((fingerprint(&plain), fingerprint(&colons)), (Ok(octets), Ok(octets)));
        for bad in ["", &plain[1..], &format!("{plain}0"), &plain.replace('8', "x"), "é"] {
            assert!(fingerprint(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn proxy_urls_are_parsed() {
        let read = proxy("socks5://proxy.example.org:1080").unwrap();
        assert_eq!((read.kind, read.host.as_str(), read.port), (ProxyKind::Socks5, "proxy.example.org", 1080));
        let read = proxy("http://me:p@ss:word@[::1]:3128/").unwrap();
        assert_eq!((read.kind, read.host.as_str(), read.port), (ProxyKind::HttpConnect, "::1", 3128));
        assert_eq!(
            read.login.map(|(name, password)| (name, password.expose().to_vec())),
            Some(("me".into(), b"p@ss:word".to_vec()))
        );
        for bad in ["proxy:1080", "ftp://proxy:1", "socks5://proxy", "socks5://:1", "http://me@proxy:1", "http://proxy:99999"] {
            let error = proxy(bad).unwrap_err();
            assert!(!error.contains("me@"), "the error repeats no secret");
        }
    }
}
