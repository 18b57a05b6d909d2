//! The command line of the program `pop3`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use pop3_tokio::proto::Secret;
use pop3_tokio::proto::client::LoginPolicy;
use pop3_tokio::proto::sasl::Mechanism;
use pop3_tokio::{IpNet, Proxy, ProxyKind};

use crate::language::Language;
use crate::listeners::ListenAddress;

const EXIT_CODES: &str = "\
Exit codes:
  0  success
  1  any other failure; the message explains it
  2  the command line is wrong
  3  the connection failed or broke: try again, no mail is lost
  4  the connection cannot be trusted (TLS)
  5  the server refuses the user name or the password
  6  try again later: the mailbox is in use, or the server
     requires a pause
  7  a file or a folder cannot be read or written
  8  success, except for some messages
  130  interrupted (Ctrl-C); what is stored stays stored

POP3_LOG=debug (or -v) logs more; passwords are never shown.";

/// Fetches mail over POP3 without losing a message, serves Maildirs, and shows how POP3 works.
#[derive(Debug, Parser)]
#[command(name = "pop3", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Log more to standard error.
    #[arg(short, long, global = true)]
    pub verbose: bool,

    /// Language of texts for people. (Default: what LC_ALL, LC_MESSAGES or LANG says; the help is English.)
    #[arg(long, global = true, value_name = "LANGUAGE", value_enum)]
    pub language: Option<Language>,

    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Demo(Demo),
    Doctor(Doctor),
    Fetch(Fetch),
    Guide(Guide),
    Serve(Serve),
    Passwd(Passwd),
    Mock(Mock),
}

/// Show how POP3 works, without any set-up.
///
/// Starts a server with TLS on this machine, with a small temporary Maildir, fetches the mail from it, prints the dialogue of
/// client and server, and explains how to connect your own mail program to the server.
#[derive(Args, Debug)]
pub struct Demo {
    /// End when the mail is fetched, even on a terminal. Without a terminal, the program always ends then.
    #[arg(long)]
    pub once: bool,

    /// Port for POP3 with STLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Port for POP3 over TLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub tls_port: u16,
}

/// Serve files to the tests of your software, with faults.
///
/// The server listens on this machine only, without and with TLS, and each file is a message. The first line of output is JSON with
/// the ports and the certificate; after it, each line that a client sends is a line of JSON. Deletions are forgotten at the end.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 mock mail/
      Serve the files of a folder to joe, whose password is secret.

  pop3 mock --faults faults.toml --until-eof welcome.eml
      Serve one message with the faults of a file, and end with the
      test that has started this program.

A file of faults:
  [[fault]]
  on = \"RETR\"        # a command, \"greeting\", or \"*\" for any command
  nth = 2            # only the second one; without nth, each
  cut_after = 100    # close the connection after 100 octets

  [[fault]]
  on = \"PASS\"
  refuse = \"[LOGIN-DELAY] wait a minute\"

Other faults are reply = \"bytes\\r\\n\", stall_after = octets,
drip = milliseconds and close = true. At the top of the file,
capabilities = [\"TOP\"] replaces the reply to CAPA, mechanisms =
[\"PLAIN\"] offers mechanisms, and certificate = \"expired\",
\"not-yet-valid\" or \"wrong-name\" presents such a certificate.")]
pub struct Mock {
    /// Messages: files, or folders such as Maildirs whose files are messages.
    pub mail: Vec<PathBuf>,

    /// User name of the mailbox.
    #[arg(short, long, default_value = "joe")]
    pub user: String,

    /// Password of the user. It is for tests, and is printed.
    #[arg(long, default_value = "secret")]
    pub password: String,

    /// Port for POP3 in the clear and with STLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub port: u16,

    /// Port for POP3 over TLS. 0 selects a free port.
    #[arg(long, default_value_t = 0)]
    pub tls_port: u16,

    /// File of faults, in TOML.
    #[arg(long, value_name = "FILE")]
    pub faults: Option<PathBuf>,

    /// End when standard input ends, so that a test that dies takes the server with it.
    #[arg(long)]
    pub until_eof: bool,
}

/// Fetch mail from a POP3 server into a Maildir.
///
/// A message counts as fetched when it is safely on disk. Only then is it deleted on the server, if --delete is given. A journal
/// in the Maildir records fetched messages, so no message is stored twice, and after an interruption the next run continues.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 fetch you@126.com
      Fetch new messages into ~/Mail/you@126.com. Host, port and TLS
      of many providers are known, and which password they want.

  pop3 fetch pop.example.org --user joe@example.org ~/Maildir
      Fetch new messages over TLS (port 995), keep them on the
      server, and ask for the password.

  POP3_PASSWORD=… pop3 fetch pop.example.org --user joe \\
      --delete ~/Maildir
      Fetch new messages in a script, and delete them on the
      server when they are safely on disk.

  pop3 fetch pop.example.org --user joe --stls \\
      --password-file ~/.pop3-password ~/Maildir
      Use port 110 with STLS, and read the password from the
      first line of a file.

  pop3 fetch outlook.office365.com --user joe@example.org \\
      --auth xoauth2 --token-command 'get-token joe' ~/Maildir
      Log in with an access token that a command prints.

`pop3 --help` lists the exit codes.")]
pub struct Fetch {
    /// Mail address, or a server: pop.example.org, pop.example.org:995, or a URL such as pops://joe@pop.example.org.
    #[arg(value_name = "ADDRESS|HOST")]
    pub server: String,

    /// Maildir to store the mail in; created if it does not exist. Default with a mail address: ~/Mail/ADDRESS.
    pub maildir: Option<PathBuf>,

    /// User name of the mailbox. Default with a mail address: what its provider wants, usually the address.
    #[arg(short, long)]
    pub user: Option<String>,

    /// Host name or address of the server for a mail address, in place of its provider's.
    #[arg(long)]
    pub host: Option<String>,

    /// Port of the server. Default: 995, or 110 with --stls or --dangerously-cleartext.
    #[arg(short, long)]
    pub port: Option<u16>,

    /// Delete messages on the server when they are safely on disk. By default, they are kept.
    #[arg(long, conflicts_with = "keep")]
    pub delete: bool,

    /// Keep messages on the server. This is the default.
    #[arg(long)]
    pub keep: bool,

    /// Connect without TLS, and switch to TLS with STLS before the login.
    #[arg(long)]
    pub stls: bool,

    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE", conflicts_with = "dangerously_any_certificate")]
    pub ca_file: Option<PathBuf>,

    /// Accept any certificate: an attacker on the network path can read the password and the mail.
    #[arg(long)]
    pub dangerously_any_certificate: bool,

    /// Use no TLS: an attacker on the network path can read the password and the mail.
    #[arg(long, conflicts_with_all = ["stls", "ca_file", "dangerously_any_certificate"])]
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

    #[command(flatten)]
    pub token: TokenSource,

    /// Time limit of each wait for the server. (Default: 30 seconds for a connection, 60 for the greeting and for a message that
    /// stalls, 120 for other replies, 300 for a login and for QUIT.)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub timeout: Option<u64>,

    /// Maximum number of commands that wait for their replies at once, if the server announces PIPELINING. With 1, each command
    /// is sent after the reply to the previous one.
    #[arg(long, value_name = "NUMBER", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub window: u16,

    /// Print no summary, only warnings and errors.
    #[arg(short, long)]
    pub quiet: bool,
}

/// Find out why mail cannot be fetched.
///
/// Looks the host up, connects to its addresses, listens for what answers there, examines TLS, the certificate and the
/// capabilities, and logs in if a password is given. Says of each step what was found, what it means and what to do next. Reads and
/// deletes no mail. Ends with exit code 0 if mail can be fetched.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 doctor you@126.com
      Examine the server of the address, and ask for the password.

  pop3 doctor pop.example.org
      Examine ports 995 and 110 of a server, without a login.

  POP3_PASSWORD=… pop3 doctor pop.example.org --user joe --json
      Examine in a script.

  pop3 doctor you@126.com --report report.txt
      Write a report that can be shared: the user is not named.")]
pub struct Doctor {
    /// Mail address, or a server: pop.example.org, pop.example.org:995, or a URL such as pops://joe@pop.example.org.
    #[arg(value_name = "ADDRESS|HOST")]
    pub server: String,

    /// User name of the mailbox. Default with a mail address: what its provider wants, usually the address.
    #[arg(short, long)]
    pub user: Option<String>,

    /// Host name or address of the server for a mail address, in place of its provider's.
    #[arg(long)]
    pub host: Option<String>,

    /// Examine only this port. By default, the provider's, or 995 and then 110.
    #[arg(short, long)]
    pub port: Option<u16>,

    /// The port begins without TLS, and STLS switches to TLS.
    #[arg(long)]
    pub stls: bool,

    /// Trust the certificates in this PEM file, and no others.
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    #[command(flatten)]
    pub password: PasswordSource,

    #[command(flatten)]
    pub token: TokenSource,

    /// Time limit of each wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,

    /// Write the findings to this file, without the name of the user.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write the certificate that the server shows to this file, trusted or not.
    #[arg(long, value_name = "FILE")]
    pub save_certificate: Option<PathBuf>,
}

/// Show how to set up a mail program for an address.
///
/// Without --client, shows the settings of the address and what its provider wants. With it, the fields of that program's dialogs in
/// their order, with the values to type.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 guide you@126.com --client thunderbird
      Show the steps for Thunderbird.

  pop3 guide joe@example.org --host pop.example.org \\
      --client outlook --format html --output outlook.html
      Write a page for the users of your own server.

  pop3 guide joe@example.org --host pop.example.org \\
      --autoconfig web
      Write the files with which mail programs set themselves up,
      and say where they belong.

Clients:
  thunderbird, outlook, new-outlook, apple-mail, foxmail, gmail-app,
  k9, fairemail, evolution, mutt, outlook-express, outlook-2003,
  foxmail-5, netscape")]
pub struct Guide {
    /// Mail address.
    pub address: String,

    /// Mail program.
    #[arg(long, value_name = "NAME")]
    pub client: Option<String>,

    /// Host name of your own server. By default, the server of the address's provider.
    #[arg(long)]
    pub host: Option<String>,

    /// Port of the server. Default: the provider's; otherwise 995, or 110 with --stls.
    #[arg(short, long)]
    pub port: Option<u16>,

    /// The server uses STLS (STARTTLS).
    #[arg(long)]
    pub stls: bool,

    /// User name. Default: what the provider wants; otherwise the address.
    #[arg(short, long)]
    pub user: Option<String>,

    /// Host name of the server for outgoing mail.
    #[arg(long, value_name = "HOST")]
    pub smtp_host: Option<String>,

    /// Format of the guide.
    #[arg(long, value_enum, default_value = "text")]
    pub format: GuideFormat,

    /// Write the guide to this file.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// Write the files with which Thunderbird, Outlook and Apple Mail set themselves up, under this folder.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["client", "output"])]
    pub autoconfig: Option<PathBuf>,
}

/// The format of a guide.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum GuideFormat {
    Text,
    Markdown,
    /// A page that can be printed.
    Html,
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
}

/// The source of an access token, for servers that require one instead of a password.
#[derive(Args, Debug)]
pub struct TokenSource {
    /// Log in with an access token (OAuth) from the first line of this file.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["token_command", "password_file", "password_command"])]
    pub token_file: Option<PathBuf>,

    /// Log in with an access token (OAuth) from the first line of this shell command's output.
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["password_file", "password_command"])]
    pub token_command: Option<String>,
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

/// Parses a network, or an address, which is a network of one host.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| "neither an address nor a network like 192.0.2.0/24".to_owned())
}

/// Serve Maildirs over POP3.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  pop3 passwd users joe
      Ask for a password, and store its hash in the file `users`.

  pop3 serve --users users --mail '/home/%u/Maildir' \\
      --cert cert.pem --key key.pem \\
      --listen 0.0.0.0:110 --listen-tls 0.0.0.0:995
      Serve all users in this file, with STLS on port 110
      and TLS on port 995.

Each line of the file of users is NAME:HASH. HASH is a hash that
`pop3 passwd` writes, or {PLAIN} followed by the password itself.
Lines that begin with # are comments. The file is read again when
it has changed. The Maildir of each user must exist.

Logins, failed logins and the ends of sessions are logged to
standard error, with user, address, method and TLS.

SIGHUP reloads the certificate. SIGTERM and Ctrl-C let sessions
finish their commands, for up to 30 s.")]
pub struct Serve {
    /// File of users, with a name and a password hash on each line.
    #[arg(long, value_name = "FILE")]
    pub users: PathBuf,

    /// Path of each user's Maildir; %u stands for the user name. In the part of the path from the first folder with %u on, a
    /// symbolic link is followed only if it belongs to root or to the user that runs the server.
    #[arg(long, value_name = "PATH")]
    pub mail: String,

    /// Ignore the case of ASCII letters in user names; %u stands for the name in lower case.
    #[arg(long)]
    pub ignore_case: bool,

    /// Address and port for POP3 without TLS until STLS; a port alone means all addresses. May be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Vec<ListenAddress>,

    /// Address and port for POP3 over TLS; a port alone means all addresses. May be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT", requires = "cert")]
    pub listen_tls: Vec<ListenAddress>,

    /// PEM file with the certificate chain.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,

    /// PEM file with the private key of the certificate.
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,

    /// Accept passwords without TLS: an attacker on the network path can read them and the mail.
    #[arg(long)]
    pub dangerously_cleartext: bool,

    /// Minimum time between two logins of a user.
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub login_delay: u64,

    /// At a login, remove the user's messages that are older than this number of days. By default, messages are kept forever.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub expire: Option<u32>,

    /// Address or network of proxies that may report the address of their client (XCLIENT). May be given more than once.
    #[arg(long, value_name = "NETWORK", value_parser = network)]
    pub trust_proxy: Vec<IpNet>,

    /// Expect a PROXY protocol header, version 1 or 2, at the beginning of each connection from a trusted proxy.
    #[arg(long, requires = "trust_proxy")]
    pub proxy_protocol: bool,

    /// Maximum number of sessions at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub max_sessions: usize,

    /// Maximum number of sessions at once from one source: an IPv4 address, or an IPv6 network of 64 bits.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub max_sessions_per_source: usize,
}

/// Set the password of a user for `pop3 serve`.
///
/// On a terminal, asks for the password twice. Otherwise reads it from the first line of standard input.
#[derive(Args, Debug)]
pub struct Passwd {
    /// File of users; created, accessible only to its owner, if it does not exist.
    pub users: PathBuf,

    /// Name of the user.
    pub name: String,
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn addresses_and_networks_are_parsed() {
        assert_eq!(network("192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        assert_eq!(network("2001:db8::/32").unwrap().to_string(), "2001:db8::/32");
        assert!(network("example.org").is_err());
    }
}
