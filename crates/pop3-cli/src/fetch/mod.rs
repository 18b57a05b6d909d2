//! `pop3 fetch`

pub mod journal;
pub mod notes;
pub mod plan;
pub mod transfer;

use std::collections::HashMap;
use std::fs;
use std::io;
use std::mem;
use std::path::PathBuf;
use std::sync::Arc;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use pop3_blocking::proto::State;
use pop3_blocking::proto::client::{Awaiting, ClientEvent, LoginPolicy, Observer, RemoteError, RequestError};
use pop3_blocking::proto::codec::{Escaped, Expire, MessageNumber};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::{Client, ClientOptions, Error, Security, rustls, tls};
use pop3_maildrop::Maildir;

use crate::arguments::{Fetch, proxy};
use crate::failure::{Exit, Failure, say};
use journal::Journal;
use plan::Plan;
use transfer::{How, Transfer};

/// Commands that may wait for their replies: so many that a far server is kept busy, and so few that they fit into any buffer on
/// the way.
const WINDOW: usize = 256;

pub fn run(arguments: &Fetch) -> Result<(), Failure> {
    if arguments.host.contains("://") || arguments.host.matches(':').count() == 1 {
        return Err(Failure::new(Exit::Usage, format_args!("{:?} is not the name of a host", arguments.host))
            .hint("Give the host alone, and the port with --port."));
    }
    let mut options = ClientOptions::new(security(arguments)?);
    options.config.window = WINDOW;
    if let Some(text) = &arguments.proxy {
        let proxy = proxy(text).map_err(|wrong| Failure::new(Exit::Usage, format_args!("what --proxy names is {wrong}")))?;
        options.proxy = Some(proxy);
    }
    let port = arguments.port.unwrap_or_else(|| options.security.default_port());
    // The two ports of the protocol lead to one mailbox; any other may be another server, whose unique-ids mean other messages.
    let account = match port {
        110 | 995 => format!("{}@{}", arguments.user, arguments.host.to_lowercase()),
        _ => format!("{}@{}:{port}", arguments.user, arguments.host.to_lowercase()),
    };
    let password = arguments.password.read(&account)?;
    let password = str::from_utf8(password.expose()).map_err(|_| Failure::new(Exit::Login, "the password is not UTF-8"))?;
    let maildir = Maildir::create(&arguments.maildir).map_err(|error| Failure::file(&arguments.maildir, &error))?;
    let client = log_in(arguments, port, &options, password)?;
    let mut journal = open_journal(&maildir, &account)?;
    journal.settle(&maildir).map_err(|error| Failure::file(journal.path(), &error))?;
    let bar = progress_bar();
    let done = bring_home(client, &maildir, &mut journal, &How::new(arguments.delete), &bar);
    bar.finish_and_clear();
    let done = done?;
    if !arguments.quiet {
        say(format_args!("{account}: {}", done.summary()))?;
    }
    done.check()
}

fn log_in(arguments: &Fetch, port: u16, options: &ClientOptions, password: &str) -> Result<Client, Failure> {
    let credentials = Credentials::password(&arguments.user, password).map_err(Error::from)?;
    let log = || Some(Box::new(Log) as Box<dyn Observer>);
    Client::log_in_observed(&arguments.host, port, options, &credentials, &LoginPolicy::default(), &log).map_err(|error| {
        let silent = matches!(
            &error,
            Error::TimedOut { .. } | Error::Request(RequestError::Remote(RemoteError::Closed(Awaiting::Greeting)))
        );
        let failure = Failure::from(error).without(password);
        if silent && !matches!(options.security, Security::Tls(_)) {
            return failure.and("A port with TLS from the start (usually 995) wants neither --stls nor --dangerously-cleartext.");
        }
        failure
    })
}

/// Puts the dialogue into the log, for `--verbose`.
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
            // What a server says to a password may hold the password.
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
            tls::verified_by(&pem).map_err(|error| Failure::new(Exit::Storage, format_args!("{}: {error}", file.display())))?
        }
        None if arguments.dangerously_any_certificate => tls::dangerous_unverified()?,
        None => tls::verified()?,
    };
    Ok(if arguments.stls { Security::Stls(config) } else { Security::Tls(config) })
}

fn open_journal(maildir: &Maildir, account: &str) -> Result<Journal, Failure> {
    let path: PathBuf = maildir.path().join(journal::file_name(account));
    Journal::open(maildir.disk(), &path).map_err(|error| match error.kind() {
        io::ErrorKind::WouldBlock => {
            Failure::new(Exit::Later, format_args!("another run is fetching {account} into this Maildir"))
                .hint("Wait until it has ended.")
        }
        _ => Failure::file(&path, &error),
    })
}

/// A bar on a terminal, nothing off it.
pub fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes}/{total_bytes} {eta}");
    let bar = ProgressBar::no_length();
    if let Ok(style) = style {
        bar.set_style(style);
    }
    bar
}

/// What a run has done.
#[derive(Debug, Default)]
pub struct Done {
    pub fetched: u64,
    pub octets: u64,
    pub deleted: u64,
    /// Their unique-ids.
    pub deleted_ids: Vec<Box<[u8]>>,
    /// Messages that were home already.
    pub known: u64,
    /// What could not be done, for a person.
    pub troubles: Vec<String>,
}

impl Done {
    fn summary(&self) -> String {
        let mut text = match self.fetched {
            0 => "nothing new".to_owned(),
            1 => format!("1 message ({}) fetched", HumanBytes(self.octets)),
            count => format!("{count} messages ({}) fetched", HumanBytes(self.octets)),
        };
        if self.deleted > 0 {
            text += &format!(", {} deleted on the server", self.deleted);
        }
        if self.known > 0 {
            text += &format!(", {} known already", self.known);
        }
        text
    }

    fn check(&self) -> Result<(), Failure> {
        if self.troubles.is_empty() {
            return Ok(());
        }
        Err(Failure::new(Exit::Partly, self.troubles.join("\npop3: "))
            .hint("All else is done. What was not is tried again next time."))
    }
}

/// Fetches what is new over a session that is logged in, and ends the session.
pub fn bring_home(
    mut client: Client,
    maildir: &Maildir,
    journal: &mut Journal,
    how: &How,
    bar: &ProgressBar,
) -> Result<Done, Failure> {
    let delete = how.delete;
    // A server without CAPA is a server without extensions (S43).
    let capabilities = optional(client.capa())?.unwrap_or_default();
    if capabilities.expire == Some(Expire::Days(0)) && !delete {
        // A promise that some servers make and do not keep (Q13).
        tracing::info!("the server says that it may delete messages once they are fetched");
    }
    let sizes: HashMap<MessageNumber, u64> =
        client.list()?.into_iter().map(|listing| (listing.number, listing.octets.unwrap_or(0))).collect();
    let plan = match optional(client.uidl())? {
        Some(entries) => Plan::new(&entries, &sizes, journal).ok_or_else(|| {
            Failure::new(Exit::Connection, "the server's list of unique-ids names a message twice, so it cannot be trusted")
        })?,
        // A server that has no unique-ids is one thing; one that does not want to tell them now is another.
        None if capabilities.uidl || !journal.is_empty() => {
            return Err(Failure::new(Exit::Later, "the server does not list its unique-ids now").hint("Try again later."));
        }
        None if delete => Plan::everything(&sizes),
        None => {
            return Err(Failure::new(
                Exit::Other,
                "the server has no UIDL, so what was fetched once cannot be told from what was not",
            )
            .hint("Use --delete: then everything that is there is new."));
        }
    };
    journal.forget(&plan.ambiguous).map_err(|error| Failure::file(journal.path(), &error))?;
    let mut done = Done { known: plan.known.len() as u64, ..Done::default() };
    let nameless = plan.nameless.len();
    if nameless > 0 && !delete {
        done.troubles
            .push(format!("{nameless} messages were not fetched: the server gives them no unique-id (--delete fetches them)"));
    }
    bar.set_length(plan.octets(delete));
    let window = if capabilities.pipelining { WINDOW } else { 1 };
    let listed = plan.listed.clone();
    let ended = Transfer::new(&mut client, maildir, journal, bar, window, how, &mut done).run(plan);
    ended?;
    if !delete && capabilities.expire == Some(Expire::Days(0)) {
        // What the server would remove because it was retrieved stays, where RSET takes that back (Q40).
        optional(client.rset())?;
    }
    let file = |journal: &Journal, error: io::Error| Failure::file(journal.path(), &error);
    // If the answer to QUIT is lost nobody knows how many of those that share a unique-id are gone, nor whether one that has it then
    // is another (S17): they are forgotten first. What is still there comes again.
    let (shared, own): (Vec<_>, Vec<_>) =
        mem::take(&mut done.deleted_ids).into_iter().partition(|unique_id| listed.get(unique_id).is_some_and(|count| *count > 1));
    journal.deleted(shared.iter().map(AsRef::as_ref)).map_err(|error| file(journal, error))?;
    if quit(client, delete, &mut done)? {
        let deleted = journal.deleted(own.iter().map(AsRef::as_ref));
        deleted.map_err(|error| file(journal, error))?;
    }
    journal.compact(&listed).map_err(|error| file(journal, error))?;
    Ok(done)
}

/// A command that a server need not have.
fn optional<T>(result: Result<T, Error>) -> Result<Option<T>, Error> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.refusal().is_some_and(|refusal| !refusal.is_transient()) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Three ways to end: removed, not all removed, not known (Q43, Q44). After the last two nothing is assumed: what is still
/// there next time is known by its unique-id, and deleted then. Says whether all is removed.
fn quit(client: Client, delete: bool, done: &mut Done) -> Result<bool, Failure> {
    match client.quit() {
        Ok(()) => Ok(true),
        Err(error) if error.refusal().is_some() => {
            done.troubles.push(format!("the server did not remove all that was deleted: {error}"));
            done.deleted = 0;
            Ok(false)
        }
        Err(error) if error.is_disconnect() && !delete => {
            tracing::debug!(%error, "the server left without a farewell");
            Ok(false)
        }
        Err(error) if error.is_disconnect() => {
            done.troubles.push(format!("whether the server has removed what was deleted is not known: {error}"));
            done.deleted = 0;
            Ok(false)
        }
        Err(error) => Err(error.into()),
    }
}

/// What a server says, for a message to a person.
fn said(text: &[u8]) -> String {
    Escaped(text).to_string()
}
