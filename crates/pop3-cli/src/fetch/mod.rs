//! The subcommand `pop3 fetch`.

mod connection;
pub mod progress;
mod summary;
mod target;

use std::fs;
use std::path::Path;

use pop3_blocking::proto::Transcript;
use pop3_blocking::proto::client::{Awaiting, LoginFailure, LoginPolicy, Observer, RemoteError, RequestError};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Error, Security};
use pop3_fetch::{AccountMaildir, FetchError, Run, TransferOptions};
use pop3_maildrop::Maildir;

use crate::arguments::{AuthMethod, Fetch};
use crate::failure::{Exit, Failure, say};
use crate::language::Message;
use crate::withhold::{withhold, withhold_line};
use connection::Connection;
use progress::Bar;
use target::Target;

pub fn run(arguments: &Fetch) -> Result<(), Failure> {
    let connection = Connection::of(arguments)?;
    let mut target = Target::of(arguments, &|domain| connection.guess(domain, arguments))?;
    refuse_other_folder(&target.maildir)?;
    let options = connection.options(arguments, target.stls);
    let port = target.port.unwrap_or_else(|| options.security.default_port());
    target.introduce(port, arguments)?;
    let mut credentials = credentials(arguments, &target.user, &target.account(port))?;
    // No folder is created before the login has succeeded.
    let mut first = connect_and_login(&target, port, &options, &credentials);
    let is_wrong = |error: &Error| error.login_failure() == Some(LoginFailure::WrongCredentials);
    if let (Some(user), true) = (target.other_user(), first.as_ref().is_err_and(is_wrong)) {
        let other = with_user(&credentials, &user)?;
        // If this fails, too, the failure of the address is reported.
        if let Ok(client) = connect_and_login(&target, port, &options, &other) {
            if !arguments.quiet {
                eprintln!(
                    "pop3: the user name is {user}, not the address; with --user {user} the next run needs no second login"
                );
            }
            (first, target.user, credentials) = (Ok(client), user, other);
        }
    }
    let account = target.account(port);
    let mut connect = || connect_and_login(&target, port, &options, &credentials);
    let mut first = Some(first.map_err(|error| login_failure(error, &options, &target))?);
    let maildir = create(&target.maildir, arguments.maildir.is_none())?;
    let mut home = AccountMaildir::open(maildir, &account)?;
    let bar = Bar::new();
    bar.explain_interrupt();
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

/// Returns the same password or token for another user.
fn with_user(credentials: &Credentials, user: &str) -> Result<Credentials, Failure> {
    Ok(match credentials {
        Credentials::Password { password, .. } => Credentials::password(user, password.expose()).map_err(Error::from)?,
        Credentials::Token { token, .. } => {
            Credentials::token(user, str::from_utf8(token.expose()).unwrap_or_default()).map_err(Error::from)?
        }
        other => other.clone(),
    })
}

/// Returns a failure for a folder with something else than a Maildir in it, which mail would be mixed with.
fn refuse_other_folder(maildir: &Path) -> Result<(), Failure> {
    let is_maildir = ["cur", "new", "tmp"].iter().any(|sub| maildir.join(sub).is_dir());
    let has_entries = fs::read_dir(maildir).is_ok_and(|mut entries| entries.next().is_some());
    match has_entries && !is_maildir {
        true => Err(Failure::new(Exit::Usage, Message::new("fetch-no-maildir").with("folder", maildir.display()))
            .hint(&Message::new("fetch-no-maildir-next").to_string())),
        false => Ok(()),
    }
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

fn connect_and_login(target: &Target, port: u16, options: &ClientOptions, credentials: &Credentials) -> Result<Client, Error> {
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
    let policy = target.auth.map_or_else(LoginPolicy::default, AuthMethod::policy);
    let policy = LoginPolicy { utf8: true, ..policy };
    Client::connect_and_login_observed(&target.host, port, options, credentials, &policy, &log).map_err(|error| match credentials
    {
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
