//! The subcommand `pop3 serve`.

mod certificate;
mod check;
mod descriptors;
mod listeners;
mod maildirs;
mod metrics;
mod owner;
mod privileges;
mod settings;
mod signals;
mod template;

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pop3_maildrop::LoginDelayed;
use pop3_tokio::proto::codec::{Expire, ReplyText};
use pop3_tokio::proto::sasl::{Mechanism, ScramHash};
use pop3_tokio::proto::server::{CleartextLogin, ExpirePolicy, LoginDelay, Utf8};
use pop3_tokio::{ListenSecurity, Server, ServerOptions};
use pop3_users::{HashPool, Users, UsersOptions};
use sd_notify::NotifyState;
use tokio::task::JoinSet;

use crate::accounts::Given;
use crate::arguments::{OnDelete, Serve};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::log;
use crate::permissions::warn_if_readable;
use certificate::{Certificate, Served};
use listeners::Passed;
use maildirs::{MaildirOptions, Maildirs};
use signals::Signals;
use template::Template;

/// The limit on sessions to which SIGHUP can raise the one that the server began with. The threads begin only when they are needed.
const MAX_RELOADED: usize = 10_000;

/// Number of blocking threads in addition to one per session.
const SPARE_THREADS: usize = 64;

/// Time between two looks at the files of the certificate.
const WATCH: Duration = Duration::from_secs(60);

/// Time that sessions have to finish their commands when the server shuts down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

/// A running server, and what it was made of.
struct Running {
    server: Arc<Server<LoginDelayed<Maildirs>>>,
    users: Arc<Users>,
    /// The settings that it began with.
    settings: Serve,
    certificate: Option<Served>,
    mechanisms: Vec<Mechanism>,
}

/// Serves until a signal ends the server. `given` are the options of the command line.
pub fn run(given: &Given, verbosity: u8) -> Result<(), Failure> {
    let settings = settings::resolve(given)?;
    log::begin_server(verbosity, settings.log_level, settings.log_format);
    let mail = settings.mail.as_deref();
    let mail =
        mail.ok_or_else(|| Failure::new(Exit::Usage, Message::new("serve-mail-none")).and(Message::new("serve-mail-next")))?;
    let template = Template::new(mail)?;
    if settings.listen.is_empty() && settings.listen_tls.is_empty() {
        return Err(Failure::new(Exit::Usage, Message::new("serve-nowhere")).and(Message::new("serve-nowhere-next")));
    }
    let file = settings.users.as_deref();
    let file =
        file.ok_or_else(|| Failure::new(Exit::Usage, Message::new("serve-users")).and(Message::new("serve-users-give")))?;
    let certificate = Certificate::of(&settings);
    let mut options = options(&settings, certificate.as_ref())?;
    let users = Arc::new(load(file, &settings)?);
    let offered = mechanisms(&users);
    options.config.mechanisms.clone_from(&offered);
    if settings.check {
        return check::tell(&settings, &users, &template, &options.config.mechanisms);
    }
    let mut passed = Passed::take();
    let listeners = listen(&settings, &mut passed)?;
    let metrics = match &settings.metrics {
        Some(address) => passed.listen(address).map_err(|error| Failure::not_listening(address, &error))?,
        None => Vec::new(),
    };
    // No other thread exists yet, so none keeps the rights of root.
    if let Some(name) = &settings.run_as {
        privileges::give_up(name)?;
        // A password that is changed later must be found.
        fs::File::open(file)
            .map_err(|error| Failure::file(file, &error).and(Message::new("serve-run-as-users").with("name", name)))?;
        certificate.iter().for_each(Certificate::warn_if_unreadable);
        if let Some(config) = &settings.config
            && let Err(error) = fs::File::open(config)
        {
            tracing::warn!(file = %config.display(), %error, "SIGHUP cannot reload the settings: the user of --run-as cannot read them");
        }
    } else if settings.per_user {
        owner::give_up_groups()
            .map_err(|error| Failure::new(Exit::Usage, Message::new("serve-per-user").with("error", error)))?;
    } else if privileges::is_root() {
        tracing::warn!("the server runs as root; --run-as makes it another user once its ports are open");
    }
    options.max_sessions = descriptors::sessions_within_limit(settings.max_sessions);
    let max_sessions = options.max_sessions;
    let maildirs = Maildirs::new(Arc::clone(&users), template, maildir_options(&settings), HashPool::per_processor());
    let server = Arc::new(Server::new(options, LoginDelayed::new(maildirs, Duration::from_secs(settings.login_delay))));
    // Each session needs at most one blocking thread, so mail on a disk that hangs does not delay other sessions.
    let threads = max_sessions.max(MAX_RELOADED).saturating_add(SPARE_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread().max_blocking_threads(threads).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Other, error))?;
    let running = Running { server, users, settings, certificate: certificate.map(Served::new), mechanisms: offered };
    let result = runtime.block_on(async {
        let running = Arc::new(running);
        for listener in metrics {
            begin_metrics(listener, &running)?;
        }
        serve(&running, listeners, given).await
    });
    runtime.shutdown_background();
    result
}

/// Returns the options of the server, without its mechanisms.
fn options(settings: &Serve, certificate: Option<&Certificate>) -> Result<ServerOptions, Failure> {
    let mut options = match certificate {
        Some(certificate) => ServerOptions::with_tls(certificate.read()?),
        _ if settings.dangerously_cleartext => ServerOptions::dangerous_cleartext(),
        _ => {
            let failure = Failure::new(Exit::Usage, Message::new("serve-no-certificate"));
            return Err(failure.and(Message::new("serve-no-certificate-next")));
        }
    };
    if settings.dangerously_cleartext {
        options.config.cleartext_login = CleartextLogin::DangerouslyAllow;
    }
    options.config.implementation = const { ReplyText::literal(concat!("pop3 ", env!("CARGO_PKG_VERSION"))) };
    options.config.utf8 = Utf8::MessagesAndLogins;
    // `UTF8` is announced after login, too, and some clients send it there (Q51).
    options.config.utf8_after_login = true;
    if let Some(days) = settings.expire {
        options.config.expire = ExpirePolicy { after: Expire::Days(days.into()), per_user: false };
    }
    if settings.login_delay > 0 {
        options.config.login_delay = Some(LoginDelay { seconds: settings.login_delay, per_user: false });
    }
    options.trusted_proxies.clone_from(&settings.trust_proxy);
    options.proxy_protocol = settings.proxy_protocol;
    options.max_sessions_per_source = settings.max_sessions_per_source;
    Ok(options)
}

fn maildir_options(settings: &Serve) -> MaildirOptions {
    MaildirOptions {
        expire_days: settings.expire,
        unique_ids: settings.unique_ids.into(),
        to_trash: settings.on_delete == OnDelete::Trash,
        per_user: settings.per_user,
    }
}

/// Loads the file of users.
fn load(file: &Path, settings: &Serve) -> Result<Users, Failure> {
    let (format, remember) = (settings.users_format.into(), Duration::from_secs(settings.login_cache));
    let options = UsersOptions { format, fold_case: settings.ignore_case, remember };
    let users = Users::load(file, options).map_err(|error| Failure::file(file, &error).and(Message::new("serve-users-next")))?;
    warn_if_readable(file, "the file of users");
    if users.count() == 0 {
        tracing::warn!(file = %file.display(), "the file contains no user, so no login can succeed");
    }
    Ok(users)
}

/// Returns the mechanisms that these users can log in with. `PLAIN` and `LOGIN` send the password itself, so without TLS they are offered only
/// if cleartext logins are allowed. `SCRAM` needs keys derived from the password, which a file of hashes does not contain.
fn mechanisms(users: &Users) -> Vec<Mechanism> {
    let mut mechanisms = Vec::new();
    if users.all_have_scram_keys(ScramHash::Sha256) {
        mechanisms.extend([Mechanism::ScramSha256Plus, Mechanism::ScramSha256]);
    }
    if users.all_have_scram_keys(ScramHash::Sha1) {
        mechanisms.extend([Mechanism::ScramSha1Plus, Mechanism::ScramSha1]);
    }
    mechanisms.extend([Mechanism::Plain, Mechanism::Login]);
    mechanisms
}

/// Opens the ports.
fn listen(settings: &Serve, passed: &mut Passed) -> Result<Vec<(TcpListener, ListenSecurity)>, Failure> {
    let plain = settings.listen.iter().map(|address| (address, ListenSecurity::Cleartext));
    let tls = settings.listen_tls.iter().map(|address| (address, ListenSecurity::ImplicitTls));
    let mut all = Vec::new();
    for (address, security) in plain.chain(tls) {
        let listeners = passed.listen(address).map_err(|error| Failure::not_listening(address, &error))?;
        all.extend(listeners.into_iter().map(|listener| (listener, security)));
    }
    Ok(all)
}

/// Begins to answer requests for metrics.
fn begin_metrics(listener: TcpListener, running: &Arc<Running>) -> Result<(), Failure> {
    let listener = tokio::net::TcpListener::from_std(listener).map_err(|error| Failure::new(Exit::Other, error))?;
    let running = Arc::clone(running);
    tokio::spawn(metrics::serve(listener, move || metrics::Facts {
        statistics: running.server.statistics(),
        certificate_ends: running.certificate.as_ref().and_then(Served::ends),
    }));
    Ok(())
}

async fn serve(running: &Running, listening: Vec<(TcpListener, ListenSecurity)>, given: &Given) -> Result<(), Failure> {
    let server = &running.server;
    // Signals are registered before the server announces itself, so that an early signal is not missed.
    let signals = Signals::listen().map_err(|error| Failure::new(Exit::Other, error))?;
    let (mut listeners, mut announced) = (JoinSet::new(), Vec::new());
    for (listener, security) in listening {
        let failed = |error: io::Error| Failure::new(Exit::Other, error);
        let kind = if security == ListenSecurity::ImplicitTls { "POP3 over TLS" } else { "POP3" };
        announced.push(format!("{kind} on {}", listener.local_addr().map_err(failed)?));
        let listener = tokio::net::TcpListener::from_std(listener).map_err(failed)?;
        let server = Arc::clone(server);
        listeners.spawn(async move { server.serve(&listener, security).await });
    }
    notify(&[NotifyState::Ready]);
    // The server runs even if standard output is closed.
    if let Err(error) = writeln!(io::stdout(), "{}", announced.join("\n")) {
        tracing::warn!(%error, "standard output is closed, so the listening addresses were not printed");
    }
    let ended = tokio::select! {
        signal = signals.obey(|| running.reload(given)) => signal,
        () = running.renew() => Ok(()),
        () = keep_watchdog() => Ok(()),
        Some(result) = listeners.join_next() => result.map_err(io::Error::other).and_then(|served| served),
    };
    notify(&[NotifyState::Stopping]);
    // Each session may finish its current command; messages that it marked without `QUIT` are kept.
    if !server.shutdown(SHUTDOWN_TIMEOUT).await {
        tracing::warn!("sessions were closed: they did not end within {} seconds", SHUTDOWN_TIMEOUT.as_secs());
    }
    ended.map_err(|error| Failure::new(Exit::Other, error))
}

/// Tells systemd about the state of the server, if systemd has started it.
fn notify(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(false, state) {
        tracing::debug!(%error, "systemd was not told");
    }
}

/// Tells the watchdog of systemd, if there is one, that the server is alive. Never returns.
async fn keep_watchdog() {
    let mut microseconds = 0;
    if !sd_notify::watchdog_enabled(false, &mut microseconds) {
        return std::future::pending().await;
    }
    loop {
        notify(&[NotifyState::Watchdog]);
        tokio::time::sleep(Duration::from_micros(microseconds / 2)).await;
    }
}

impl Running {
    /// Loads the certificate when its files have changed, and warns each day before it ends. Never returns.
    async fn renew(&self) {
        let Some(certificate) = &self.certificate else { return std::future::pending().await };
        for minute in 0_u64.. {
            if minute.is_multiple_of(24 * 60) {
                certificate.warn_if_ending();
            }
            tokio::time::sleep(WATCH).await;
            match certificate.changed() {
                None => {}
                Some(Ok(tls)) => {
                    self.server.replace_tls(tls);
                    tracing::info!("the certificate has changed, and was reloaded");
                }
                Some(Err(failure)) => tracing::error!("the certificate has changed, but the old one stays in use: {failure}"),
            }
        }
    }

    /// Reads the settings and the certificate again. Existing sessions keep theirs. If one of the two cannot be read, nothing changes; nothing
    /// ends the server. Other settings need a restart, and the log says so.
    fn reload(&self, given: &Given) {
        let settings = match settings::resolve(given) {
            Ok(settings) => settings,
            Err(failure) => {
                tracing::error!("SIGHUP: the old settings stay in use: {failure}");
                return;
            }
        };
        match (&self.certificate, Certificate::of(&settings)) {
            (Some(served), Some(files)) => match served.load(files) {
                Ok(tls) => {
                    self.server.replace_tls(tls);
                    tracing::info!("SIGHUP: the certificate was reloaded");
                }
                Err(failure) => {
                    tracing::error!("SIGHUP: the old certificate stays in use, and the old settings: {failure}");
                    return;
                }
            },
            _ => tracing::info!("SIGHUP: there is no certificate to reload"),
        }
        log::set_level(settings.log_level);
        let max_sessions = descriptors::sessions_within_limit(settings.max_sessions);
        let most = self.settings.max_sessions.max(MAX_RELOADED);
        if max_sessions > most {
            tracing::warn!(most, "SIGHUP: more sessions than this need a restart");
        }
        let max_sessions = max_sessions.min(most);
        self.server.replace_limits(max_sessions, settings.max_sessions_per_source);
        tracing::info!(max_sessions, settings.max_sessions_per_source, "SIGHUP: the limits and the log level were reloaded");
        if settings.fixed() != self.settings.fixed() || mechanisms(&self.users) != self.mechanisms {
            tracing::warn!(
                "SIGHUP: what else has changed in the settings, or whether all users have SCRAM keys, takes effect at the next start"
            );
        }
    }
}
