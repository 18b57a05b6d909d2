//! The server: a thread a session.

use std::io::{self, Read};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use pop3_driver::proto::codec::{Escaped, MessageNumber};
use pop3_driver::proto::sasl::{ScramHash, ScramKeys};
use pop3_driver::proto::server::{
    Ask, BodyWants, Channel, Connection, Deadline, Denial, Login, Name, NotAsked, ServerConfig, Step,
};
use pop3_driver::{Listen, ServerOptions, tls};
use pop3_maildrop::{Maildrop, NotRemoved, Store, log_refusal, log_unavailable};

use crate::stream::{self, Socket, Transport, later};

/// Serves a store.
///
/// ```no_run
/// use std::net::TcpListener;
/// use std::sync::Arc;
/// use pop3_blocking::{Listen, Server, ServerOptions, maildrop::Memory, tls};
///
/// let certificate = tls::server(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
/// let server = Arc::new(Server::new(ServerOptions::with_tls(certificate), store));
/// server.serve(&TcpListener::bind("127.0.0.1:1100")?, Listen::Plain)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server<S> {
    options: ServerOptions,
    /// One for all sessions.
    config: Arc<ServerConfig>,
    /// What keys for users that there are not are made of.
    decoys: [u8; 18],
    store: S,
    sessions: AtomicUsize,
}

impl<S: Store> Server<S> {
    /// A server that is not listening yet.
    pub fn new(options: ServerOptions, store: S) -> Self {
        let config = Arc::new(options.server_config());
        Self { options, config, decoys: tls::chance().unwrap_or_default(), store, sessions: AtomicUsize::new(0) }
    }

    /// Takes connections until the listener fails.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be taken now, as when there are no more file descriptors, is no reason.
    pub fn serve(self: &Arc<Self>, listener: &TcpListener, listen: Listen) -> io::Result<()> {
        loop {
            match listener.accept() {
                Ok((stream, peer)) => {
                    let server = Arc::clone(self);
                    let Some(place) = Place::take(self) else {
                        tracing::warn!(%peer, "too many sessions");
                        continue;
                    };
                    let session = move || {
                        let _place = place;
                        let _span = tracing::info_span!("session", %peer).entered();
                        match server.session(stream, listen) {
                            Ok(()) => tracing::debug!("session ended"),
                            Err(error) => tracing::info!(%error, "session broke"),
                        }
                    };
                    if let Err(error) = thread::Builder::new().name("pop3 session".to_owned()).spawn(session) {
                        tracing::warn!(%peer, %error, "no thread for a session");
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    thread::sleep(Duration::from_millis(50));
                }
            }
        }
    }

    /// Serves one connection to its end.
    ///
    /// # Errors
    /// The connection broke, or was silent for too long. Nothing was removed then (S18, S21).
    pub fn session(&self, stream: TcpStream, listen: Listen) -> io::Result<()> {
        let trusted = self.options.trusts(stream.peer_addr()?.ip());
        let stream = Socket::new(stream)?;
        self.begin(Box::new(stream), listen, trusted)
    }

    /// The same over a stream of the caller's own.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub fn session_over(&self, stream: Box<dyn Transport>, listen: Listen) -> io::Result<()> {
        self.begin(stream, listen, false)
    }

    /// The same over a stream of which the caller knows more, as one that somebody else has encrypted already.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub fn session_on(&self, stream: Box<dyn Transport>, channel: Channel) -> io::Result<()> {
        let login_deadline = later(self.options.timeouts.login);
        self.serve_session(stream, channel, login_deadline)
    }

    /// TLS first, where the port has it, and then the greeting (S49), all within the time for a login (H12).
    fn begin(&self, mut stream: Box<dyn Transport>, listen: Listen, trusted: bool) -> io::Result<()> {
        let login_deadline = later(self.options.timeouts.login);
        let mut channel = match (listen, &self.options.tls) {
            (Listen::Plain, _) => Channel::clear(tls::chance()?),
            (Listen::Tls, None) => return Err(io::Error::other("there is no certificate for TLS")),
            (Listen::Tls, Some(tls)) => {
                let channel;
                stream.set_deadline(login_deadline)?;
                (stream, channel) = stream::accept_tls(stream, tls)?;
                channel
            }
        };
        channel.trusted = trusted;
        self.serve_session(stream, channel, login_deadline)
    }

    fn serve_session(&self, stream: Box<dyn Transport>, channel: Channel, login_deadline: Instant) -> io::Result<()> {
        let connection = Connection::new(Arc::clone(&self.config), channel);
        let session = Session { server: self, connection, stream, maildrop: None, login_deadline, idle_deadline: None };
        session.run()
    }
}

/// One of the sessions that may be; given back when dropped.
struct Place<S>(Arc<Server<S>>);

impl<S> Place<S> {
    fn take(server: &Arc<Server<S>>) -> Option<Self> {
        let max = server.options.max_sessions;
        let more = |sessions| (sessions < max).then_some(sessions + 1);
        server.sessions.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).ok()?;
        Some(Self(Arc::clone(server)))
    }
}

impl<S> Drop for Place<S> {
    fn drop(&mut self) {
        self.0.sessions.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Session<'s, S: Store> {
    server: &'s Server<S>,
    connection: Connection,
    stream: Box<dyn Transport>,
    maildrop: Option<S::Maildrop>,
    login_deadline: Instant,
    /// Renewed by each command that was answered, and not by each byte (H36).
    idle_deadline: Option<Instant>,
}

impl<S: Store> Session<'_, S> {
    fn run(mut self) -> io::Result<()> {
        loop {
            let step = self.connection.step();
            if step != Step::Read {
                self.idle_deadline = None;
            }
            match step {
                Step::Read => {
                    self.set_deadline()?;
                    match stream::read(&mut self.stream, self.connection.space())? {
                        0 => return Ok(()),
                        count => self.connection.filled(count),
                    }
                }
                Step::Write => self.write()?,
                Step::Ask(Ask::Authenticate(login)) => self.authenticate(&login).map_err(io::Error::other)?,
                Step::Ask(Ask::Retrieve(number)) => self.retrieve(number)?,
                Step::Ask(Ask::Commit) => self.commit().map_err(io::Error::other)?,
                Step::Ask(Ask::UpgradeTls) => self = self.upgrade()?,
                Step::Ask(Ask::FindKeys(hash, name)) => self.find_keys(hash, &name)?,
                Step::Ask(_) | Step::Answer => return Err(io::Error::other(NotAsked)),
                Step::Close => {
                    self.log_ending();
                    return self.stream.close();
                }
            }
        }
    }

    /// Why this side ends the session.
    fn log_ending(&self) {
        if let Some(ending) = self.connection.session().server().ending() {
            tracing::info!("{ending}");
        }
    }

    /// Before login no byte renews the deadline (H35).
    fn set_deadline(&mut self) -> io::Result<()> {
        let deadline = match self.connection.deadline() {
            Deadline::Login => self.login_deadline,
            Deadline::Idle => *self.idle_deadline.get_or_insert_with(|| later(self.server.options.timeouts.idle)),
        };
        self.stream.set_deadline(deadline)
    }

    fn write(&mut self) -> io::Result<()> {
        self.set_deadline()?;
        while !self.connection.output().is_empty() {
            match self.stream.write(self.connection.output()) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => self.connection.written(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.stream.flush()
    }

    fn authenticate(&mut self, login: &Login) -> Result<(), NotAsked> {
        let opened = self.server.store.login(login).and_then(|mut maildrop| {
            let snapshot = maildrop.snapshot()?;
            Ok((maildrop, snapshot))
        });
        match opened {
            Ok((maildrop, snapshot)) => {
                let origin = self.connection.session().server().origin().map(|origin| origin.address);
                tracing::info!(name = %Escaped(login.name.as_bytes()), origin = origin.map(tracing::field::display), messages = snapshot.len(), "logged in");
                self.maildrop = Some(maildrop);
                self.connection.accept(snapshot)
            }
            Err(error) => {
                log_refusal(&login.name, &error);
                self.connection.deny(Denial::from(&error))
            }
        }
    }

    /// A user that there is not gets keys that look the same (H54).
    fn find_keys(&mut self, hash: ScramHash, name: &Name) -> io::Result<()> {
        let found = self.server.store.scram_keys(hash, name)?;
        let keys = found.unwrap_or_else(|| ScramKeys::decoy(hash, &self.server.decoys, name.as_bytes()));
        self.connection.keys(keys).map_err(io::Error::other)
    }

    fn retrieve(&mut self, number: MessageNumber) -> io::Result<()> {
        let opened = self.maildrop.as_mut().map_or(Err(io::ErrorKind::NotFound.into()), |maildrop| maildrop.open(number));
        let mut message = match opened {
            Ok(message) => message,
            Err(error) => {
                let why = log_unavailable(number, &error);
                return self.connection.refuse_message(why).map_err(io::Error::other);
            }
        };
        self.connection.begin_message().map_err(io::Error::other)?;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            // An error here ends the connection in the middle of the message, so that the client does not take it for whole.
            let count = match message.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => result?,
            };
            if count == 0 || self.connection.body(&buffer[..count]).map_err(io::Error::other)? == BodyWants::Enough {
                break;
            }
            if self.connection.is_full() {
                self.idle_deadline = None;
                self.write()?;
            }
        }
        self.connection.end_message().map_err(io::Error::other)
    }

    /// `QUIT` was said: whether the client is still there to hear the answer does not matter (Q45).
    fn commit(&mut self) -> Result<(), NotAsked> {
        let marked: Vec<MessageNumber> = self.connection.marked().collect();
        // The maildrop is released before the answer, so that the next session finds it free.
        let removed = self.maildrop.take().map_or(Ok(()), |mut maildrop| maildrop.remove(&marked));
        self.connection.committed(NotRemoved::count(removed))
    }

    fn upgrade(self) -> io::Result<Self> {
        let Some(tls) = &self.server.options.tls else { return Err(io::Error::other("there is no certificate for TLS")) };
        self.connection.check_upgrade().map_err(|_| io::Error::other("bytes in the clear behind STLS"))?;
        let (stream, mut channel) = stream::accept_tls(self.stream, tls)?;
        channel.trusted = self.connection.session().server().is_trusted();
        let connection = self.connection.into_upgraded(channel).map_err(io::Error::other)?;
        Ok(Self { connection, stream, ..self })
    }
}
