//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pop3_tokio::proto::Secret;
use pop3_tokio::proto::client::LoginPolicy;
use pop3_tokio::proto::sasl::Mechanism;
use pop3_tokio::{IpNet, Proxy, ProxyKind};

use crate::listeners::ListenAddress;

const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  something else went wrong; the message says what
  2  the command line is wrong
  3  no connection, or it broke: try again, nothing is lost
  4  the connection cannot be trusted (TLS)
  5  the server refuses the name or the password
  6  not now: the mailbox is in use, or the server wants a pause
  7  a file or a folder cannot be read or written
  8  done, except for some messages

POP3_LOG=debug (or -v) tells more; no password is ever shown.";

/// Brings mail home over POP3 and loses none, serves a Maildir, and shows how POP3 works.
#[derive(Debug, Parser)]
#[command(name = "pop3", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Say more on standard error.
    #[arg(short, long, global = true)]
    pub verbose: bool,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(Demo),
    Fetch(Fetch),
    Serve(Serve),
    Passwd(Passwd),
}

/// See it work, with no set-up at all.
///
/// Starts a server with TLS on this machine over a small Maildir that it makes for the purpose, fetches the mail with our own
/// client, shows what the two say to each other, and tells how to point your own mail program at it.
#[derive(Args, Debug)]
pub struct Demo {
    /// End when the mail is fetched, even on a terminal. Off a terminal that is what happens anyway.
    #[arg(long)]
    pub once: bool,

    /// Port for POP3 with STLS. 0: any that is free.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Port for POP3 over TLS. 0: any that is free.
    #[arg(long, default_value_t = 0)]
    pub tls_port: u16,
}

/// Bring mail from a POP3 server into a Maildir.
///
/// A message counts as fetched once it has reached the disk; only then is it deleted on the server, if that is asked for. What
/// was fetched is remembered in the Maildir, so nothing comes twice, and an interrupted run goes on where it was.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 fetch pop.example.org --user joe@example.org ~/Maildir
      Fetch what is new over TLS (port 995), leave it on the
      server, ask for the password.

  POP3_PASSWORD=… pop3 fetch pop.example.org --user joe \\
      --delete ~/Maildir
      The same from a script, and delete on the server what is
      safely home.

  pop3 fetch pop.example.org --user joe --stls \\
      --password-file ~/.pop3-password ~/Maildir
      Port 110 with STLS, the password from the first line of a
      file.

  pop3 fetch outlook.office365.com --user joe@example.org \
      --auth xoauth2 --token-command 'get-token joe' ~/Maildir
      Log in with an access token that a command prints.

`pop3 --help` lists the exit codes.")]
pub struct Fetch {
    /// Host of the server.
    pub host: String,

    /// Where the mail goes; made if it is not there.
    pub maildir: PathBuf,

    /// Name of the mailbox.
    #[arg(short, long)]
    pub user: String,

    /// Port; 995, or 110 with --stls and --dangerously-cleartext.
    #[arg(short, long)]
    pub port: Option<u16>,

    /// Delete on the server what is safely home. Otherwise it is kept there.
    #[arg(long, conflicts_with = "keep")]
    pub delete: bool,

    /// Keep the mail on the server. This is the default.
    #[arg(long)]
    pub keep: bool,

    /// Begin in the clear and switch to TLS before the login.
    #[arg(long)]
    pub stls: bool,

    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE", conflicts_with = "dangerously_any_certificate")]
    pub ca_file: Option<PathBuf>,

    /// Take any certificate: anybody on the way can read the password and the mail.
    #[arg(long)]
    pub dangerously_any_certificate: bool,

    /// No TLS at all: everybody on the way can read the password and the mail.
    #[arg(long, conflicts_with_all = ["stls", "ca_file", "dangerously_any_certificate"])]
    pub dangerously_cleartext: bool,

    /// Go through a proxy: socks5://HOST:PORT or http://HOST:PORT, with NAME:PASSWORD@ before the host where it wants them. Set
    /// POP3_PROXY instead if there is a password in it: other users can see the arguments of a program.
    #[arg(long, value_name = "URL")]
    pub proxy: Option<String>,

    /// Log in this way and in no other. (By default, the strongest that both sides have.)
    #[arg(long, value_name = "METHOD", value_enum)]
    pub auth: Option<AuthMethod>,

    #[command(flatten)]
    pub password: PasswordSource,

    #[command(flatten)]
    pub token: TokenSource,

    /// How long to wait for the server each time. (By default 30 seconds for a connection, 60 for the greeting and for a message
    /// that stalls, 120 for other replies, 300 for a login and for QUIT.)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,

    /// How many commands may wait for their replies at once, where the server announces PIPELINING. 1: none is sent before the
    /// reply to the one before.
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub window: u16,

    /// Say nothing when all is well.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Where the password comes from: these options, `POP3_PASSWORD`, a question on the terminal, in this order.
#[derive(Args, Debug)]
pub struct PasswordSource {
    /// Read the password from the first line of a file. (Else: POP3_PASSWORD, or a question on the terminal.)
    #[arg(long, value_name = "FILE", conflicts_with = "password_command")]
    pub password_file: Option<PathBuf>,

    /// Run this and read the password from the first line of what it prints.
    #[arg(long, value_name = "COMMAND")]
    pub password_command: Option<String>,
}

/// Where an access token comes from, for servers that want one instead of a password.
#[derive(Args, Debug)]
pub struct TokenSource {
    /// Log in with an access token (OAuth), read from the first line of a file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_command", "password_file", "password_command"])]
    pub token_file: Option<PathBuf>,

    /// Log in with an access token, from the first line of what this command prints.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["password_file", "password_command"])]
    pub token_command: Option<String>,
}

/// A way to log in.
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
}

impl AuthMethod {
    /// The policy that allows this way alone, whether or not the server announces it.
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

/// What `--proxy` names. No error repeats it: there may be a password in it.
pub fn proxy(text: &str) -> Result<Proxy, String> {
    let wrong = || "not like socks5://proxy.example.org:1080 or http://name:password@proxy.example.org:3128".to_owned();
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

/// An address alone is a network, too.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| "neither an address nor a network like 192.0.2.0/24".to_owned())
}

/// Serve Maildirs over POP3.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 passwd users joe
      Ask for a password and write it, hashed, to the file `users`.

  pop3 serve --users users --mail '/home/%u/Maildir' \\
      --cert cert.pem --key key.pem \\
      --listen 0.0.0.0:110 --listen-tls 0.0.0.0:995
      Serve everybody in it, with STLS on port 110
      and TLS on port 995.

The file of users has a line for each: NAME:HASH, where HASH is
what `pop3 passwd` writes, or {PLAIN} followed by the password
itself; lines that begin with # are comments. It is read again
when it has changed. Each user's Maildir must be there.

Logins, failed logins and the ends of sessions are logged to
standard error, with user, address, method and TLS.

SIGHUP reloads the certificate. SIGTERM and Ctrl-C let sessions
finish their commands, for up to 30 s.")]
pub struct Serve {
    /// File of users.
    #[arg(long, value_name = "FILE")]
    pub users: PathBuf,

    /// Where the Maildir of a user is; %u stands for the name. Symbolic links behind the last fixed folder are followed if they
    /// belong to root or to the user that runs the server.
    #[arg(long, value_name = "PATH")]
    pub mail: String,

    /// Upper and lower case of user names are one; %u stands for the name in lower case.
    #[arg(long)]
    pub ignore_case: bool,

    /// Address and port for POP3, in the clear until STLS; a port alone means every address. May be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Vec<ListenAddress>,

    /// Address and port for POP3 over TLS; a port alone means every address. May be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "cert")]
    pub listen_tls: Vec<ListenAddress>,

    /// Certificate chain, PEM.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,

    /// Private key of the certificate, PEM.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Take passwords in the clear: everybody on the way can read them and the mail.
    #[arg(long)]
    pub dangerously_cleartext: bool,

    /// How long a user must wait between two logins.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub login_delay: u64,

    /// Remove messages that were delivered so many days ago, when their user logs in. Otherwise they are kept for ever.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub expire: Option<u32>,

    /// Proxies that may say whom they speak for (XCLIENT), as an address or a network. May be given more than once.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub trust_proxy: Vec<IpNet>,

    /// Connections of these proxies begin with the PROXY protocol, version 1 or 2.
    #[arg(long, requires = "trust_proxy")]
    pub proxy_protocol: bool,

    /// Sessions at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub max_sessions: usize,

    /// The same from one source: an IPv4 address, or an IPv6 network of 64 bits.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub max_sessions_per_source: usize,
}

/// Set the password of a user for `pop3 serve`.
///
/// The password is asked for twice on a terminal, or read from the first line of standard input.
#[derive(Args, Debug)]
pub struct Passwd {
    /// File of users; made, for its owner alone, if it is not there.
    pub users: PathBuf,

    /// The user.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_urls() {
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
            assert!(!error.contains("me@"), "nothing secret is repeated");
        }
    }

    #[test]
    fn an_address_is_a_network() {
        assert_eq!(network("192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        assert_eq!(network("2001:db8::/32").unwrap().to_string(), "2001:db8::/32");
        assert!(network("example.org").is_err());
    }
}
