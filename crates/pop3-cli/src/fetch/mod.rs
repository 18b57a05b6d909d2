//! The subcommand `pop3 fetch`.

pub mod progress;
mod summary;
mod target;

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::proto::Transcript;
use pop3_blocking::proto::client::{Awaiting, LoginPolicy, Observer, RemoteError, RequestError, Timeouts};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Error, Security, rustls, tls};
use pop3_fetch::{AccountMaildir, FetchError, Run, TransferOptions};
use pop3_maildrop::Maildir;

use crate::arguments::{AuthMethod, Fetch, proxy};
use crate::failure::{Exit, Failure, say};
use crate::withhold::{withhold, withhold_line};
use progress::Bar;
use target::Target;

pub fn run(arguments: &Fetch) -> Result<(), Failure> {
    let target = Target::of(arguments)?;
    let options = options(arguments, &target)?;
    let port = target.port.unwrap_or_else(|| options.security.default_port());
    // Ports 110 and 995 lead to one maildrop; any other port may be another server, whose unique-ids denote other messages.
    let account = match port {
        110 | 995 => format!("{}@{}", target.user, target.host.to_lowercase()),
        _ => format!("{}@{}:{port}", target.user, target.host.to_lowercase()),
    };
    target.introduce(port, arguments)?;
    let credentials = credentials(arguments, &target.user, &account)?;
    let mut connect = || connect_and_login(arguments, &target.host, port, &options, &credentials);
    // No folder is created before the login has succeeded.
    let mut first = Some(connect().map_err(|error| login_failure(error, &options, &target))?);
    let maildir = create(&target.maildir, arguments.maildir.is_none())?;
    let mut home = AccountMaildir::open(maildir, &account)?;
    let bar = Bar::new();
    let transfer = TransferOptions { window: arguments.window.into(), ..TransferOptions::new(arguments.delete) };
    let mut run = Run::new(&mut home, &transfer, &bar);
    let result = run.fetch_new(&mut || first.take().map_or_else(&mut connect, Ok));
    bar.clear();
    let summary = run.into_summary();
    result.map_err(|error| run_failure(error, summary.fetched))?;
    if !arguments.quiet {
        say(format_args!("{account}: {}", summary::line(&summary)))?;
    }
    summary::check(summary)
}

/// Opens a Maildir, or creates it. The folder above the default one belongs to the default.
fn create(maildir: &Path, is_default: bool) -> Result<Maildir, Failure> {
    if let Some(parent) = maildir.parent().filter(|_| is_default) {
        fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
    }
    Maildir::create(maildir).map_err(|error| Failure::file(maildir, &error))
}

/// Returns the failure of an interrupted run, with the number of stored messages in its hint.
fn run_failure(error: FetchError, fetched: u64) -> Failure {
    let is_session = matches!(error, FetchError::Session(_));
    let is_disk = matches!(error, FetchError::Disk { .. });
    let failure = Failure::from(error);
    if is_disk {
        return failure.hint("Only messages safely on disk were deleted from the server. Fix the disk and run it again.");
    }
    match fetched {
        1 if is_session => failure.and("1 message is safely stored. Run the command again to fetch the rest."),
        2.. if is_session => {
            failure.and(format_args!("{fetched} messages are safely stored. Run the command again to fetch the rest."))
        }
        _ => failure,
    }
}

fn options(arguments: &Fetch, target: &Target) -> Result<ClientOptions, Failure> {
    let mut options = ClientOptions::new(security(arguments, arguments.stls || target.stls)?);
    // `QUIT` may be sent while a listing continues without end, so the window has room for two commands.
    options.config.window = usize::from(arguments.window).max(2);
    let from_environment = env::var("POP3_PROXY").ok().filter(|_| arguments.proxy.is_none());
    if let Some(text) = arguments.proxy.as_ref().or(from_environment.as_ref()) {
        let proxy = proxy(text).map_err(|wrong| Failure::new(Exit::Usage, format_args!("the proxy URL {wrong}")))?;
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
fn credentials(arguments: &Fetch, user: &str, account: &str) -> Result<Credentials, Failure> {
    if let Some(token) = arguments.token.read()? {
        let token = str::from_utf8(token.expose())
            .map_err(|_| Failure::new(Exit::Login, "the access token contains bytes that are not ASCII"))?;
        return Ok(Credentials::token(user, token).map_err(Error::from)?);
    }
    let password = arguments.password.read(account)?;
    Ok(Credentials::password(user, password.expose()).map_err(Error::from)?)
}

fn connect_and_login(
    arguments: &Fetch,
    host: &str,
    port: u16,
    options: &ClientOptions,
    credentials: &Credentials,
) -> Result<Client, Error> {
    let secret = match credentials {
        Credentials::Password { password: secret, .. } | Credentials::Token { token: secret, .. } => Some(secret.clone()),
        _ => None,
    };
    // The dialogue, for `--verbose`.
    let log = || {
        let secret = secret.clone();
        let write = move |line: &str| tracing::debug!("{}", withhold_line(line, secret.as_ref()));
        Some(Box::new(Transcript::new(write)) as Box<dyn Observer>)
    };
    let policy = arguments.auth.map_or_else(LoginPolicy::default, AuthMethod::policy);
    let policy = LoginPolicy { utf8: true, ..policy };
    Client::connect_and_login_observed(host, port, options, credentials, &policy, &log).map_err(|error| match credentials {
        Credentials::Password { password: secret, .. } | Credentials::Token { token: secret, .. } => withhold(error, secret),
        _ => error,
    })
}

fn login_failure(error: Error, options: &ClientOptions, target: &Target) -> Failure {
    let silent =
        matches!(&error, Error::TimedOut { .. } | Error::Request(RequestError::Remote(RemoteError::Closed(Awaiting::Greeting))));
    let refusal = error.refusal().cloned();
    let failure = target.advise(Failure::from(error), refusal.as_ref());
    if silent && !matches!(options.security, Security::Tls(_)) {
        return failure.and("A port with TLS from the start (usually 995) needs no --stls or --dangerously-cleartext.");
    }
    failure
}

fn security(arguments: &Fetch, stls: bool) -> Result<Security, Failure> {
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
    Ok(if stls { Security::Stls(config) } else { Security::Tls(config) })
}
