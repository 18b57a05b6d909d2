//! `pop3 serve`

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use pop3_maildrop::{LoginError, Maildir, MaildirDrop, Paced, Store};
use pop3_tokio::proto::codec::{Expire, Text};
use pop3_tokio::proto::sasl::Mechanism;
use pop3_tokio::proto::server::{CleartextLogin, ExpirePolicy, Login, LoginDelay, Proof, Utf8};
use pop3_tokio::tls::{self, ServerTls};
use pop3_tokio::{Listen, Server, ServerOptions};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::arguments::Serve;
use crate::failure::{Exit, Failure, say};
use crate::users::{Users, is_safe_name};

/// The Maildirs of the users in a file.
pub struct Maildirs {
    users: Users,
    /// Path with `%u` in the place of the name.
    template: String,
    /// So old a message may become.
    expire: Option<Duration>,
}

impl Store for Maildirs {
    type Maildrop = MaildirDrop;

    fn login(&self, login: &Login) -> Result<MaildirDrop, LoginError> {
        let name = login.name.as_bytes();
        let Proof::Password(password) = &login.proof else { return Err(LoginError::Credentials) };
        if !self.users.check(name, password) {
            return Err(LoginError::Credentials);
        }
        // Only safe names are read from the file; asked again where a path is made (H57).
        let name = str::from_utf8(name).ok().filter(|name| is_safe_name(name)).ok_or(LoginError::Credentials)?;
        let maildrop = Maildir::assumed(self.template.replace("%u", name)).lock()?;
        Ok(match self.expire {
            Some(age) => maildrop.expiring(age),
            None => maildrop,
        })
    }
}

/// The files of the certificate.
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
        tls::server(&chain, &private).map_err(unusable)
    }
}

pub fn run(arguments: &Serve) -> Result<(), Failure> {
    check_template(&arguments.mail)?;
    if arguments.listen.is_empty() && arguments.listen_tls.is_empty() {
        return Err(Failure::new(Exit::Usage, "there is nothing to listen on").hint("Give --listen or --listen-tls, or both."));
    }
    let certificate = arguments.cert.clone().zip(arguments.key.clone()).map(|(cert, key)| Certificate { cert, key });
    let mut options = match &certificate {
        Some(certificate) => ServerOptions::with_tls(certificate.read()?),
        _ if arguments.dangerously_cleartext => ServerOptions::dangerous_cleartext(),
        _ => {
            return Err(Failure::new(Exit::Usage, "without a certificate nobody could log in")
                .hint("Give --cert and --key, or --dangerously-cleartext if nobody can listen on the way."));
        }
    };
    if arguments.dangerously_cleartext {
        options.config.cleartext_login = CleartextLogin::DangerouslyAllow;
    }
    options.config.implementation = const { Text::literal(concat!("pop3 ", env!("CARGO_PKG_VERSION"))) };
    options.config.utf8 = Utf8::MessagesAndLogins;
    // Under TLS only, where the password is sent in the clear. The others need the password itself or keys made of it, which a
    // file of hashes does not have.
    options.config.mechanisms = vec![Mechanism::Plain, Mechanism::Login];
    options.max_sessions = arguments.max_sessions;
    let users = Users::load(&arguments.users)?;
    if users.count() == 0 {
        tracing::warn!(file = %arguments.users.display(), "there is no user in the file: nobody can log in");
    }
    const DAY: Duration = Duration::from_secs(24 * 3600);
    if let Some(days) = arguments.expire {
        options.config.expire = ExpirePolicy { after: Expire::Days(days.into()), per_user: false };
    }
    if arguments.login_delay > 0 {
        options.config.login_delay = Some(LoginDelay { seconds: arguments.login_delay, per_user: false });
    }
    options.trusted.clone_from(&arguments.trust_proxy);
    options.proxy_protocol = arguments.proxy_protocol;
    options.max_sessions_per_source = arguments.max_sessions_per_source;
    let maildirs = Maildirs { users, template: arguments.mail.clone(), expire: arguments.expire.map(|days| DAY * days) };
    let server = Arc::new(Server::new(options, Paced::new(maildirs, Duration::from_secs(arguments.login_delay))));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::new(Exit::Other, error))?;
    let plain = arguments.listen.iter().map(|address| (*address, Listen::Plain));
    let tls = arguments.listen_tls.iter().map(|address| (*address, Listen::Tls));
    let result = runtime.block_on(listen(server, plain.chain(tls).collect(), certificate));
    runtime.shutdown_background();
    result
}

/// A path that every user would share, or that no shell has expanded, is a mistake.
fn check_template(template: &str) -> Result<(), Failure> {
    let odd = template.match_indices('%').any(|(at, _)| !template[at..].starts_with("%u"));
    if odd || !template.contains("%u") || template.starts_with('~') {
        return Err(Failure::new(
            Exit::Usage,
            format_args!("--mail {template:?} is not a path with %u in the place of the user's name"),
        )
        .hint("For example: --mail '/home/%u/Maildir'"));
    }
    Ok(())
}

async fn listen(
    server: Arc<Server<Paced<Maildirs>>>,
    places: Vec<(SocketAddr, Listen)>,
    certificate: Option<Certificate>,
) -> Result<(), Failure> {
    let mut listeners = JoinSet::new();
    for (address, listen) in places {
        let failed = |error: io::Error| Failure::new(Exit::Other, format_args!("cannot listen on {address}: {error}"));
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let kind = if listen == Listen::Tls { "POP3 over TLS" } else { "POP3" };
        say(format_args!("{kind} on {}", listener.local_addr().map_err(failed)?))?;
        let server = Arc::clone(&server);
        listeners.spawn(async move { server.serve(&listener, listen).await });
    }
    let ended = tokio::select! {
        signal = stop_signal() => signal,
        error = renew_at_hangup(&server, certificate) => Err(error),
        Some(result) = listeners.join_next() => result.map_err(io::Error::other).and_then(|served| served),
    };
    // Each session may end what it works on; what it marked without QUIT stays.
    if !server.shutdown(LAST_WORDS).await {
        tracing::warn!("sessions were cut off: they did not end in {} seconds", LAST_WORDS.as_secs());
    }
    ended.map_err(|error| Failure::new(Exit::Other, error))
}

/// How long sessions may take to end what they work on when the server ends.
const LAST_WORDS: Duration = Duration::from_secs(30);

/// Reads the certificate again whenever SIGHUP comes; sessions that run keep theirs. One that cannot be read changes nothing.
async fn renew_at_hangup(server: &Server<Paced<Maildirs>>, certificate: Option<Certificate>) -> io::Error {
    #[cfg(unix)]
    if let Some(certificate) = certificate {
        let mut hangup = match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) {
            Ok(hangup) => hangup,
            Err(error) => return error,
        };
        while hangup.recv().await.is_some() {
            match certificate.read() {
                Ok(tls) => {
                    server.renew_tls(tls);
                    tracing::info!("the certificate was read again");
                }
                Err(failure) => tracing::error!("the certificate stays as it was: {failure}"),
            }
        }
    }
    std::future::pending().await
}

/// Waits for Ctrl-C, or to be told to end.
async fn stop_signal() -> io::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            signal = tokio::signal::ctrl_c() => signal,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
