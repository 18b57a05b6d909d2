//! The arguments of `pop3 serve`.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use pop3_maildrop::UniqueIds;
use pop3_tokio::IpNet;
use pop3_users::FileFormat;

use super::listen_address::ListenAddress;

/// Parses a network, or an address, which is a network of one host.
fn network(text: &str) -> Result<IpNet, String> {
    let address = text.parse::<IpAddr>().map(IpNet::from);
    address.or_else(|_| text.parse()).map_err(|_| "neither an address nor a network like 192.0.2.0/24".to_owned())
}

/// Serve Maildirs over POP3.
#[derive(Args, Clone, Debug)]
#[command(after_help = "\
Examples:
  pop3 passwd users joe
      Ask for a password, and store its hash in the file `users`.

  pop3 serve --users users --mail '/home/%u/Maildir' \\
      --cert cert.pem --key key.pem \\
      --listen 0.0.0.0:110 --listen-tls 0.0.0.0:995
      Serve all users in this file, with STLS on port 110
      and TLS on port 995.

  pop3 serve --config /etc/pop3/server.toml --check
      Say what these settings mean, and what is wrong with them.

Each option is a key of the file of --config, without the dashes:
  users = \"/etc/pop3/users\"
  mail = \"/srv/mail/%d/%n\"
  listen-tls = [\"995\"]
It can also be a variable such as POP3_SERVE_MAX_SESSIONS. Options
take precedence over variables, and variables over the file.

Each line of the file of users is NAME:PASSWORD. The password is
hashed by `pop3 passwd` or in one of Dovecot's schemes, or it is
{PLAIN} followed by the password itself. Lines that begin with #
are comments. The file is read again when it has changed. A user
whose Maildir does not exist yet finds no messages.

Logins, failed logins and the ends of sessions are logged to
standard error, with user, address, method and TLS.

SIGHUP reloads the certificate, the limits on sessions, and the log
level. SIGTERM and Ctrl-C let sessions finish their commands, for
up to 30 s.")]
pub struct Serve {
    /// File with settings, in TOML.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Check the settings, say what they mean, and end.
    #[arg(long)]
    pub check: bool,

    /// File of users, with a name and a password hash on each line.
    #[arg(long, value_name = "FILE")]
    pub users: Option<PathBuf>,

    /// Format of the file of users: lines of NAME:HASH, or Dovecot's passwd-file.
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t)]
    pub users_format: UsersFormat,

    /// Time for which a verified login is remembered, so that a client that polls does not cost a password hash each time; 0
    /// remembers nothing.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub login_cache: u64,

    /// Path of each user's Maildir. %u stands for the user name, %n for its part before the @, %d for the part after it, and %h,
    /// at the beginning, for the home in a passwd-file. In the part of the path from the first folder with one of these on, a
    /// symbolic link is followed only if it belongs to root or to the user that runs the server.
    #[arg(long, value_name = "PATH")]
    pub mail: Option<String>,

    /// Source of the unique-ids, by which clients know messages again. For Maildirs that Dovecot has served, `dovecot` gives the
    /// ids of its default format, and adds new messages to its file dovecot-uidlist.
    #[arg(long, value_name = "SOURCE", value_enum, default_value_t)]
    pub unique_ids: UniqueIdSource,

    /// Ignore the case of ASCII letters in user names; %u stands for the name in lower case.
    #[arg(long)]
    pub ignore_case: bool,

    /// User of the system, or USER:GROUP, that the server becomes when its ports are open. The Maildirs and the file of users must
    /// be accessible to it.
    #[arg(long, value_name = "USER")]
    pub run_as: Option<String>,

    /// Access each Maildir with the rights of its owner: the system's user of that name, or the uid and gid in a passwd-file. The
    /// server stays root, but has no right of root on mail.
    #[arg(long, conflicts_with = "run_as")]
    pub per_user: bool,

    /// Address and port for POP3 without TLS until STLS; a port alone means all addresses; `fd:0` is the first socket that systemd
    /// passes on. May be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen: Vec<ListenAddress>,

    /// Address and port for POP3 over TLS; a port alone means all addresses. May be given more than once.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub listen_tls: Vec<ListenAddress>,

    /// PEM file with the certificate chain.
    #[arg(long, value_name = "FILE")]
    pub cert: Option<PathBuf>,

    /// PEM file with the private key of the certificate.
    #[arg(long, value_name = "FILE")]
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
    #[arg(long)]
    pub proxy_protocol: bool,

    /// Maximum number of sessions at once.
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub max_sessions: usize,

    /// Maximum number of sessions at once from one source: an IPv4 address, or an IPv6 network of 64 bits.
    #[arg(long, value_name = "NUMBER", default_value_t = 100)]
    pub max_sessions_per_source: usize,

    /// Address and port for metrics (/metrics, for Prometheus) and a check of health (/health), over HTTP. Whoever can reach it can
    /// read them.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub metrics: Option<ListenAddress>,

    /// What happens to messages that a client deletes, when it ends its session.
    #[arg(long, value_name = "WHAT", value_enum, default_value_t)]
    pub on_delete: OnDelete,

    /// What is logged: at `info`, logins and the ends of sessions; at `warn`, refused logins and faults.
    #[arg(long, value_name = "LEVEL", value_enum, default_value_t)]
    pub log_level: LogLevel,

    /// Form of the lines of the log.
    #[arg(long, value_name = "FORM", value_enum, default_value_t)]
    pub log_format: LogFormat,
}

impl Serve {
    /// Returns an option without which another one that is given has no meaning, and that other one. The options may come from several places,
    /// so they are checked together.
    pub fn missing(&self) -> Option<(&'static str, &'static str)> {
        let needs = [
            ("key", "cert", self.cert.is_some() && self.key.is_none()),
            ("cert", "key", self.key.is_some() && self.cert.is_none()),
            ("cert", "listen-tls", !self.listen_tls.is_empty() && self.cert.is_none()),
            ("trust-proxy", "proxy-protocol", self.proxy_protocol && self.trust_proxy.is_empty()),
        ];
        needs.into_iter().find(|(_, _, is_missing)| *is_missing).map(|(missing, given, _)| (missing, given))
    }

    /// Returns what a running server cannot change, in a form that can be compared.
    pub fn fixed(&self) -> String {
        let mut fixed = self.clone();
        (fixed.max_sessions, fixed.max_sessions_per_source, fixed.log_level) = (0, 0, LogLevel::default());
        (fixed.cert, fixed.key) = (fixed.cert.map(|_| PathBuf::new()), fixed.key.map(|_| PathBuf::new()));
        format!("{fixed:?}")
    }
}

/// The format of a file of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum UsersFormat {
    /// NAME:HASH; the hash may contain colons.
    #[default]
    Plain,
    /// Dovecot's passwd-file: NAME:HASH:UID:GID:GECOS:HOME:SHELL:EXTRA.
    Dovecot,
}

/// What happens to deleted messages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum OnDelete {
    /// They are removed.
    #[default]
    Remove,
    /// They move to the folder .Trash of the Maildir, which other programs show, and which the operator empties.
    Trash,
}

/// The source of unique-ids.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum UniqueIdSource {
    /// The names of the files, as with qmail-pop3d and Courier.
    #[default]
    Names,
    /// The file dovecot-uidlist.
    Dovecot,
}

impl From<UniqueIdSource> for UniqueIds {
    fn from(source: UniqueIdSource) -> Self {
        match source {
            UniqueIdSource::Names => Self::Names,
            UniqueIdSource::Dovecot => Self::DovecotUidlist,
        }
    }
}

impl From<UsersFormat> for FileFormat {
    fn from(format: UsersFormat) -> Self {
        match format {
            UsersFormat::Plain => Self::Own,
            UsersFormat::Dovecot => Self::Dovecot,
        }
    }
}

/// The least important lines that are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
}

/// The form of the lines of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people and for fail2ban.
    #[default]
    Text,
    /// An object in JSON on each line.
    Json,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_networks_are_parsed() {
        assert_eq!(network("192.0.2.1").unwrap().to_string(), "192.0.2.1/32");
        assert_eq!(network("2001:db8::/32").unwrap().to_string(), "2001:db8::/32");
        assert!(network("example.org").is_err());
    }
}
