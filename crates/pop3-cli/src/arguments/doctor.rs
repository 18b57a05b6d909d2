//! The arguments of `pop3 doctor`.

use std::path::PathBuf;

use clap::Args;

use super::account::{Fingerprint, fingerprint};
use super::{AuthMethod, Fetch, PasswordSource, TokenSource};

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

    /// Accept one certificate alone: the one with this SHA-256 fingerprint.
    #[arg(long, value_name = "FINGERPRINT", conflicts_with = "ca_file", value_parser = fingerprint)]
    pub pin: Option<Fingerprint>,

    /// The certificate of the client and its key, of an account of the configuration.
    #[arg(skip)]
    pub client: Option<(PathBuf, PathBuf)>,

    /// The only method of an account of the configuration.
    #[arg(skip)]
    pub auth: Option<AuthMethod>,

    #[command(flatten)]
    pub password: PasswordSource,

    /// Time limit of each wait.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    pub timeout: u64,

    /// Print JSON.
    #[arg(long)]
    pub json: bool,

    /// Examine which statements of the RFCs the server keeps to, in place of what is wrong. More are examined with a login.
    #[arg(long, conflicts_with_all = ["report", "save_certificate"])]
    pub conformance: bool,

    /// Write the findings to this file, without the name of the user.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,

    /// Write the certificate that the server shows to this file, trusted or not.
    #[arg(long, value_name = "FILE")]
    pub save_certificate: Option<PathBuf>,

    #[command(flatten)]
    pub token: TokenSource,
}

impl Doctor {
    /// Takes the settings of an account of the configuration.
    pub fn take_account(&mut self, fetch: Fetch) {
        let account = fetch.account;
        self.server = fetch.server.unwrap_or_default();
        self.stls |= account.stls;
        (self.user, self.host, self.port, self.ca_file) = (account.user, account.host, account.port, account.ca_file);
        (self.pin, self.auth, self.client) = (account.pin, account.auth, account.client_cert.zip(account.client_key));
        (self.password, self.token) = (account.password, account.token);
    }
}
