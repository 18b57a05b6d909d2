//! The subcommand `pop3 serve`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pop3_maildrop::LoginDelayed;
use pop3_tokio::proto::codec::{Expire, ReplyText};
use pop3_tokio::proto::sasl::Mechanism;
use pop3_tokio::proto::server::{CleartextLogin, ExpirePolicy, LoginDelay, Utf8};
use pop3_tokio::tls::{self, ServerTls};
use pop3_tokio::{ListenSecurity, Server, ServerOptions};
use pop3_users::{HashPool, Users};
use tokio::task::JoinSet;

use crate::arguments::Serve;
use crate::descriptors;
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::listeners::ListenAddress;
use crate::maildirs::{Maildirs, Template};
use crate::permissions::warn_if_readable;

/// The files of the certificate chain and its private key.
struct Certificate {
    cert: PathBuf,
    key: PathBuf,
}

impl Certificate {
    fn read(&self) -> Result<ServerTls, Failure> {
        let Self { cert, key } = self;
        let chain = fs::read(cert).map_err(|error| Failure::file(cert, &error))?;
        let private = fs::read(key).map_err(|error| Failure::file(key, &error))?;
        let unusable = |error| Failure::new(Exit::Storage, format_args!("{} and {}: {error}", cert.display(), key.display()));
        warn_if_readable(key, "the private key");
        tls::server(&chain, &private).map_err(unusable)
    }
}

pub fn run(arguments: &Serve) -> Result<(), Failure> {
    let template = Template::new(&arguments.mail)?;
    if arguments.listen.is_empty() && arguments.listen_tls.is_empty() {
        return Err(Failure::new(Exit::Usage, Message::new("serve-nowhere")).and(Message::new("serve-nowhere-next")));
    }
    let certificate = arguments.cert.clone().zip(arguments.key.clone()).map(|(cert, key)| Certificate { cert, key });
    let mut options = match &certificate {
        Some(certificate) => ServerOptions::with_tls(certificate.read()?),
        _ if arguments.dangerously_cleartext => ServerOptions::dangerous_cleartext(),
        _ => {
            let failure = Failure::new(Exit::Usage, Message::new("serve-no-certificate"));
            return Err(failure.and(Message::new("serve-no-certificate-next")));
        }
    };
    if arguments.dangerously_cleartext {
        options.config.cleartext_login = CleartextLogin::DangerouslyAllow;
    }
    options.config.implementation = const { ReplyText::literal(concat!("pop3 ", env!("CARGO_PKG_VERSION"))) };
    options.config.utf8 = Utf8::MessagesAndLogins;
    // `UTF8` is announced after login, too, and some clients send it there (Q51).
    options.config.utf8_after_login = true;
    // Both mechanisms send the password itself, so without TLS they are offered only if cleartext logins are allowed. The others
    // need the password or keys derived from it, which a file of hashes does not contain.
    options.config.mechanisms = vec![Mechanism::Plain, Mechanism::Login];
    options.max_sessions = descriptors::sessions_within_limit(arguments.max_sessions);
    let users = Users::load(&arguments.users, arguments.ignore_case).map_err(|error| {
        Failure::file(&arguments.users, &error).and(Message::new("serve-users-next"))
    })?;
    warn_if_readable(&arguments.users, "the file of users");
    if users.count() == 0 {
        tracing::warn!(file = %arguments.users.display(), "the file contains no user, so no login can succeed");
    }
    if let Some(days) = arguments.expire {
        options.config.expire = ExpirePolicy { after: Expire::Days(days.into()), per_user: false };
    }
    if arguments.login_delay > 0 {
        options.config.login_delay = Some(LoginDelay { seconds: arguments.login_delay, per_user: false });
    }
    options.trusted_proxies.clone_from(&arguments.trust_proxy);
    options.proxy_protocol = arguments.proxy_protocol;
    options.max_sessions_per_source = arguments.max_sessions_per_source;
    let maildirs = Maildirs::new(arguments, users, template, HashPool::per_processor());
    let max_sessions = options.max_sessions;
    let server = Arc::new(Server::new(options, LoginDelayed::new(maildirs, Duration::from_secs(arguments.login_delay))));
    // Each session needs at most one blocking thread, so mail on a disk that hangs does not delay other sessions.
    let threads = max_sessions.saturating_add(SPARE_THREADS);
    let runtime = tokio::runtime::Builder::new_multi_thread().max_blocking_threads(threads).enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Other, error))?;
    let plain = arguments.listen.iter().map(|address| (address.clone(), ListenSecurity::Cleartext));
    let tls = arguments.listen_tls.iter().map(|address| (address.clone(), ListenSecurity::ImplicitTls));
    let result = runtime.block_on(listen(server, plain.chain(tls).collect(), certificate));
    runtime.shutdown_background();
    result
}

async fn listen(
    server: Arc<Server<LoginDelayed<Maildirs>>>,
    places: Vec<(ListenAddress, ListenSecurity)>,
    certificate: Option<Certificate>,
) -> Result<(), Failure> {
    // Signals are registered before the server announces itself, so that an early signal is not missed.
    let Signals { hangup, terminate } = Signals::listen().map_err(|error| Failure::new(Exit::Other, error))?;
    let (mut listeners, mut announced) = (JoinSet::new(), Vec::new());
    for (address, listen) in places {
        let failed = |error: io::Error| Failure::not_listening(&address, &error);
        let kind = if listen == ListenSecurity::ImplicitTls { "POP3 over TLS" } else { "POP3" };
        for listener in address.listen().map_err(failed)? {
            announced.push(format!("{kind} on {}", listener.local_addr().map_err(failed)?));
            let server = Arc::clone(&server);
            listeners.spawn(async move { server.serve(&listener, listen).await });
        }
    }
    // The server runs even if standard output is closed.
    if let Err(error) = writeln!(io::stdout(), "{}", announced.join("\n")) {
        tracing::warn!(%error, "standard output is closed, so the listening addresses were not printed");
    }
    let ended = tokio::select! {
        signal = stop_signal(terminate) => signal,
        () = reload_at_hangup(&server, certificate, hangup) => Ok(()),
        Some(result) = listeners.join_next() => result.map_err(io::Error::other).and_then(|served| served),
    };
    // Each session may finish its current command; messages that it marked without `QUIT` are kept.
    if !server.shutdown(SHUTDOWN_TIMEOUT).await {
        tracing::warn!("sessions were closed: they did not end within {} seconds", SHUTDOWN_TIMEOUT.as_secs());
    }
    ended.map_err(|error| Failure::new(Exit::Other, error))
}

/// Number of blocking threads in addition to one per session.
const SPARE_THREADS: usize = 64;

/// Time that sessions have to finish their commands when the server shuts down.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(30);

#[cfg(unix)]
type Signal = tokio::signal::unix::Signal;
/// Other systems have only Ctrl-C.
#[cfg(not(unix))]
type Signal = ();

/// The registered signals.
struct Signals {
    hangup: Signal,
    terminate: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            Ok(Self { hangup: signal(SignalKind::hangup())?, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self { hangup: (), terminate: () })
    }
}

/// Reads the certificate again at each SIGHUP; existing sessions keep theirs. A certificate that cannot be read changes nothing.
/// Without a certificate SIGHUP has no effect and, in particular, does not end the server.
#[cfg_attr(not(unix), allow(unused_variables))]
async fn reload_at_hangup(server: &Server<LoginDelayed<Maildirs>>, certificate: Option<Certificate>, mut hangup: Signal) {
    #[cfg(unix)]
    while hangup.recv().await.is_some() {
        match certificate.as_ref().map(Certificate::read) {
            None => tracing::info!("SIGHUP: there is no certificate to reload"),
            Some(Ok(tls)) => {
                server.replace_tls(tls);
                tracing::info!("SIGHUP: the certificate was reloaded");
            }
            Some(Err(failure)) => tracing::error!("SIGHUP: the old certificate stays in use: {failure}"),
        }
    }
    std::future::pending::<()>().await;
}

/// Waits for Ctrl-C or SIGTERM.
#[cfg_attr(not(unix), allow(unused_variables))]
async fn stop_signal(mut terminate: Signal) -> io::Result<()> {
    #[cfg(unix)]
    {
        tokio::select! {
            signal = tokio::signal::ctrl_c() => signal,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
