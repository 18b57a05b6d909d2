//! The subcommand `pop3 fetch`.

pub mod fingerprint;
pub mod journal;
mod leftovers;
pub mod listing;
pub mod notes;
pub mod plan;
pub mod sessions;
pub mod soundness;
pub mod summary;
pub mod transfer;
pub mod transfer_options;
mod withhold;

use std::env;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use pop3_blocking::proto::State;
use pop3_blocking::proto::client::{Awaiting, ClientEvent, LoginPolicy, Observer, RemoteError, RequestError, Timeouts};
use pop3_blocking::proto::codec::Escaped;
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Error, Security, rustls, tls};
use pop3_maildrop::Maildir;

use crate::arguments::{AuthMethod, Fetch, proxy};
use crate::failure::{Exit, Failure, say};
use journal::Journal;
use sessions::Run;
pub use summary::RunSummary;
use transfer_options::TransferOptions;
use withhold::withhold;

pub fn run(arguments: &Fetch) -> Result<(), Failure> {
    if arguments.host.contains("://") || arguments.host.matches(':').count() == 1 {
        return Err(Failure::new(Exit::Usage, format_args!("{:?} is not the name of a host", arguments.host))
            .hint("Give the host alone, and the port with --port."));
    }
    let options = options(arguments)?;
    let port = arguments.port.unwrap_or_else(|| options.security.default_port());
    // Ports 110 and 995 lead to one maildrop; any other port may be another server, whose unique-ids denote other messages.
    let account = match port {
        110 | 995 => format!("{}@{}", arguments.user, arguments.host.to_lowercase()),
        _ => format!("{}@{}:{port}", arguments.user, arguments.host.to_lowercase()),
    };
    let credentials = credentials(arguments, &account)?;
    let mut connect = || connect_and_login(arguments, port, &options, &credentials);
    // No folder is created before the login has succeeded.
    let mut first = Some(connect()?);
    let maildir = Maildir::create(&arguments.maildir).map_err(|error| Failure::file(&arguments.maildir, &error))?;
    let mut journal = open_journal(&maildir, &account)?;
    journal.complete_interrupted(&maildir).map_err(|error| Failure::file(journal.path(), &error))?;
    // Leftovers are removed after the completion, which may need them.
    leftovers::remove(maildir.path());
    let bar = progress_bar();
    let transfer = TransferOptions { window: arguments.window.into(), ..TransferOptions::new(arguments.delete) };
    let run = Run::new(&maildir, &mut journal, &transfer, &bar);
    let summary = run.fetch_new(&mut || first.take().map_or_else(&mut connect, Ok));
    bar.finish_and_clear();
    let summary = summary?;
    if !arguments.quiet {
        say(format_args!("{account}: {}", summary.line()))?;
    }
    summary.check()
}

fn options(arguments: &Fetch) -> Result<ClientOptions, Failure> {
    let mut options = ClientOptions::new(security(arguments)?);
    // `QUIT` may have to follow a listing that never ends, so the window has room for two commands.
    options.config.window = usize::from(arguments.window).max(2);
    let from_environment = env::var("POP3_PROXY").ok().filter(|_| arguments.proxy.is_none());
    if let Some(text) = arguments.proxy.as_ref().or(from_environment.as_ref()) {
        let proxy = proxy(text).map_err(|wrong| Failure::new(Exit::Usage, format_args!("what --proxy names is {wrong}")))?;
        if from_environment.is_none() && proxy.login.is_some() {
            tracing::warn!("other users can see the password of the proxy; set POP3_PROXY instead of --proxy");
        }
        options.proxy = Some(proxy);
    }
    if let Some(seconds) = arguments.timeout {
        let time = Duration::from_secs(seconds);
        options.timeouts = Timeouts { connect: time, greeting: time, login: time, command: time, body: time, quit: time };
    }
    Ok(options)
}

/// Returns the token if the arguments name one, otherwise the password.
fn credentials(arguments: &Fetch, account: &str) -> Result<Credentials, Failure> {
    if let Some(token) = arguments.token.read()? {
        let token = str::from_utf8(token.expose()).map_err(|_| Failure::new(Exit::Login, "the token is not ASCII"))?;
        return Ok(Credentials::token(&arguments.user, token).map_err(Error::from)?);
    }
    let password = arguments.password.read(account)?;
    Ok(Credentials::password(&arguments.user, password.expose()).map_err(Error::from)?)
}

fn connect_and_login(
    arguments: &Fetch,
    port: u16,
    options: &ClientOptions,
    credentials: &Credentials,
) -> Result<Client, Failure> {
    let log = || Some(Box::new(Log) as Box<dyn Observer>);
    let policy = arguments.auth.map_or_else(LoginPolicy::default, AuthMethod::policy);
    let policy = LoginPolicy { utf8: true, ..policy };
    Client::connect_and_login_observed(&arguments.host, port, options, credentials, &policy, &log).map_err(|error| {
        let silent = matches!(
            &error,
            Error::TimedOut { .. } | Error::Request(RequestError::Remote(RemoteError::Closed(Awaiting::Greeting)))
        );
        let failure = Failure::from(match credentials {
            Credentials::Password { password: secret, .. } | Credentials::Token { token: secret, .. } => withhold(error, secret),
            _ => error,
        });
        if silent && !matches!(options.security, Security::Tls(_)) {
            return failure.and("A port with TLS from the start (usually 995) wants neither --stls nor --dangerously-cleartext.");
        }
        failure
    })
}

/// An observer that logs the dialogue, for `--verbose`.
struct Log;

impl Observer for Log {
    fn sent(&mut self, _: Option<State>, line: &str) {
        tracing::debug!("C: {line}");
    }

    fn received(&mut self, _: Option<State>, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Greeting(greeting) => {
                tracing::debug!("S: {} {}", greeting.reply.status.as_str(), greeting.reply.display_text());
            }
            // A server's reply to a password may contain the password.
            ClientEvent::Reply(_, reply) => tracing::debug!("S: {}", reply.status.as_str()),
            ClientEvent::Line(_, line) => tracing::trace!("S: {}", Escaped(line)),
            _ => {}
        }
    }
}

fn security(arguments: &Fetch) -> Result<Security, Failure> {
    if arguments.dangerously_cleartext {
        return Ok(Security::DangerousCleartext);
    }
    let config: Arc<rustls::ClientConfig> = match &arguments.ca_file {
        Some(file) => {
            let pem = fs::read(file).map_err(|error| Failure::file(file, &error))?;
            tls::client_trusting(&pem)
                .map_err(|error| Failure::new(Exit::Storage, format_args!("{}: {error}", file.display())))?
        }
        None if arguments.dangerously_any_certificate => tls::dangerous_unverified_client()?,
        None => tls::client()?,
    };
    Ok(if arguments.stls { Security::Stls(config) } else { Security::Tls(config) })
}

fn open_journal(maildir: &Maildir, account: &str) -> Result<Journal, Failure> {
    let path: PathBuf = maildir.path().join(journal::file_name(account));
    Journal::open(maildir.disk(), &path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            Failure::new(Exit::TryLater, format_args!("another run is fetching {account} into this Maildir"))
                .hint("Wait until it has ended.")
        }
        _ => Failure::file(&path, &error),
    })
}

/// Returns a progress bar, which is visible only on a terminal.
pub fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::no_length();
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}
