//! The server: a task a session. The store's calls, which may block, are made on the runtime's threads for that.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::proto::codec::{Escaped, MessageNumber};
use pop3_driver::proto::sasl::{ScramHash, ScramKeys};
use pop3_driver::proto::server::{
    Ask, BodyWants, Channel, Connection, Deadline, Denial, Login, Name, NotAsked, ServerConfig, Step,
};
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Listen, ServerOptions};
use pop3_maildrop::{Maildrop, NotRemoved, Store, log_refusal, log_unavailable};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep};
use tokio_rustls::TlsAcceptor;
use tracing::Instrument;

use crate::stream::{self, Transport, by, later};

/// Serves a store.
///
/// ```no_run
/// use std::sync::Arc;
/// use pop3_tokio::{Listen, Server, ServerOptions, maildrop::Memory, tls};
/// use tokio::net::TcpListener;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let certificate = tls::server(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
/// let server = Arc::new(Server::new(ServerOptions::with_tls(certificate), store));
/// server.serve(&TcpListener::bind("127.0.0.1:1100").await?, Listen::Plain).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server<S> {
    options: ServerOptions,
    /// One for all sessions.
    config: Arc<ServerConfig>,
    /// What keys for users that there are not are made of.
    decoys: [u8; 18],
    store: Arc<S>,
    places: Arc<Semaphore>,
}

impl<S: Store> Server<S> {
    /// A server that is not listening yet.
    pub fn new(options: ServerOptions, store: S) -> Self {
        let config = Arc::new(options.server_config());
        let places = Arc::new(Semaphore::new(options.max_sessions.min(Semaphore::MAX_PERMITS)));
        Self { options, config, decoys: tls::chance().unwrap_or_default(), store: Arc::new(store), places }
    }

    /// Takes connections until the listener fails or the future is dropped; sessions that run go on.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be taken now, as when there are no more file descriptors, is no reason.
    pub async fn serve(self: &Arc<Self>, listener: &TcpListener, listen: Listen) -> io::Result<()> {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let server = Arc::clone(self);
                    let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                        tracing::warn!(%peer, "too many sessions");
                        continue;
                    };
                    let session = async move {
                        let _place = place;
                        match server.session(stream, listen).await {
                            Ok(()) => tracing::debug!("session ended"),
                            Err(error) => tracing::info!(%error, "session broke"),
                        }
                    };
                    tokio::spawn(session.instrument(tracing::info_span!("session", %peer)));
                }
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }

    /// Serves one connection to its end.
    ///
    /// # Errors
    /// The connection broke, or was silent for too long. Nothing was removed then (S18, S21).
    pub async fn session(&self, stream: TcpStream, listen: Listen) -> io::Result<()> {
        let trusted = self.options.trusts(stream.peer_addr()?.ip());
        stream.set_nodelay(true)?;
        self.begin(Box::new(stream), listen, trusted).await
    }

    /// The same over a stream of the caller's own.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub async fn session_over(&self, stream: Box<dyn Transport>, listen: Listen) -> io::Result<()> {
        self.begin(stream, listen, false).await
    }

    /// The same over a stream of which the caller knows more, as one that somebody else has encrypted already.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub async fn session_on(&self, stream: Box<dyn Transport>, channel: Channel) -> io::Result<()> {
        let login_deadline = later(self.options.timeouts.login);
        self.serve_session(stream, channel, login_deadline).await
    }

    /// TLS first, where the port has it, and then the greeting (S49), all within the time for a login (H12).
    async fn begin(&self, mut stream: Box<dyn Transport>, listen: Listen, trusted: bool) -> io::Result<()> {
        let login_deadline = later(self.options.timeouts.login);
        let mut channel = match (listen, &self.options.tls) {
            (Listen::Plain, _) => Channel::clear(tls::chance()?),
            (Listen::Tls, None) => return Err(io::Error::other("there is no certificate for TLS")),
            (Listen::Tls, Some(tls)) => {
                let channel;
                (stream, channel) = accept_tls(stream, tls, login_deadline).await?;
                channel
            }
        };
        channel.trusted = trusted;
        self.serve_session(stream, channel, login_deadline).await
    }

    async fn serve_session(&self, stream: Box<dyn Transport>, channel: Channel, login_deadline: Instant) -> io::Result<()> {
        let connection = Connection::new(Arc::clone(&self.config), channel);
        let session = Session { server: self, connection, stream, maildrop: None, login_deadline, idle_deadline: None };
        session.run().await
    }
}

async fn accept_tls(stream: Box<dyn Transport>, tls: &ServerTls, deadline: Instant) -> io::Result<(Box<dyn Transport>, Channel)> {
    let accepted = by(deadline, TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream)).await;
    let stream = accepted.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => error,
        _ => TlsFailure::of_client(&error),
    })?;
    let channel = tls::server_channel(stream.get_ref().1, tls)?;
    Ok((Box::new(stream), channel))
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

/// Octets of a message that are read at once: few enough to be held for every session, many enough to make the way to another
/// thread cheap.
const PIECE: usize = 128 * 1024;

impl<S: Store> Session<'_, S> {
    async fn run(mut self) -> io::Result<()> {
        loop {
            let step = self.connection.step();
            if step != Step::Read {
                self.idle_deadline = None;
            }
            match step {
                Step::Read => {
                    let deadline = self.deadline();
                    match by(deadline, stream::read(&mut self.stream, self.connection.space())).await? {
                        0 => return Ok(()),
                        count => self.connection.filled(count),
                    }
                }
                Step::Write => self.write().await?,
                Step::Ask(Ask::Authenticate(login)) => self.authenticate(login).await?,
                Step::Ask(Ask::Retrieve(number)) => self.retrieve(number).await?,
                Step::Ask(Ask::Commit) => self.commit().await?,
                Step::Ask(Ask::UpgradeTls) => self = self.upgrade().await?,
                Step::Ask(Ask::FindKeys(hash, name)) => self.find_keys(hash, name).await?,
                Step::Ask(_) | Step::Answer => return Err(io::Error::other(NotAsked)),
                Step::Close => {
                    self.log_ending();
                    let deadline = self.deadline();
                    return by(deadline, self.stream.shutdown()).await;
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
    fn deadline(&mut self) -> Instant {
        match self.connection.deadline() {
            Deadline::Login => self.login_deadline,
            Deadline::Idle => *self.idle_deadline.get_or_insert_with(|| later(self.server.options.timeouts.idle)),
        }
    }

    async fn write(&mut self) -> io::Result<()> {
        // One deadline for all of it: a peer that takes a byte now and then is no peer that reads.
        let deadline = self.deadline();
        while !self.connection.output().is_empty() {
            match by(deadline, self.stream.write(self.connection.output())).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.connection.written(count),
            }
        }
        by(deadline, self.stream.flush()).await
    }

    async fn authenticate(&mut self, login: Login) -> io::Result<()> {
        let store = Arc::clone(&self.server.store);
        let opened = spawn_blocking(move || {
            let opened = store.login(&login).and_then(|mut maildrop| {
                let snapshot = maildrop.snapshot()?;
                Ok((maildrop, snapshot))
            });
            (login.name, opened)
        });
        let answered = match opened.await? {
            (name, Ok((maildrop, snapshot))) => {
                let origin = self.connection.session().server().origin().map(|origin| origin.address);
                tracing::info!(name = %Escaped(name.as_bytes()), origin = origin.map(tracing::field::display), messages = snapshot.len(), "logged in");
                self.maildrop = Some(maildrop);
                self.connection.accept(snapshot)
            }
            (name, Err(error)) => {
                log_refusal(&name, &error);
                self.connection.deny(Denial::from(&error))
            }
        };
        answered.map_err(io::Error::other)
    }

    /// A user that there is not gets keys that look the same (H54).
    async fn find_keys(&mut self, hash: ScramHash, name: Name) -> io::Result<()> {
        let (store, decoys) = (Arc::clone(&self.server.store), self.server.decoys);
        let keys = spawn_blocking(move || {
            let found = store.scram_keys(hash, &name)?;
            Ok::<_, io::Error>(found.unwrap_or_else(|| ScramKeys::decoy(hash, &decoys, name.as_bytes())))
        });
        self.connection.keys(keys.await??).map_err(io::Error::other)
    }

    async fn retrieve(&mut self, number: MessageNumber) -> io::Result<()> {
        let mut maildrop = self.maildrop.take().ok_or_else(|| io::Error::other(NotAsked))?;
        // Opening and the first piece are one trip: most messages need no second one.
        let (maildrop, opened) = spawn_blocking(move || {
            let opened = maildrop.open(number).and_then(|message| read_piece(message, vec![0; PIECE]));
            (maildrop, opened)
        })
        .await?;
        self.maildrop = Some(maildrop);
        let mut piece = match opened {
            Ok(piece) => piece,
            Err(error) => {
                let why = log_unavailable(number, &error);
                return self.connection.refuse_message(why).map_err(io::Error::other);
            }
        };
        self.connection.begin_message().map_err(io::Error::other)?;
        loop {
            for part in piece.buffer[..piece.count].chunks(32 * 1024) {
                if self.connection.body(part).map_err(io::Error::other)? == BodyWants::Enough {
                    piece.rest = None;
                    break;
                }
                if self.connection.is_full() {
                    self.idle_deadline = None;
                    self.write().await?;
                }
            }
            let Some(message) = piece.rest else { break };
            // An error here ends the connection in the middle of the message, so that the client does not take it for whole.
            piece = spawn_blocking(move || read_piece(message, piece.buffer)).await??;
        }
        self.connection.end_message().map_err(io::Error::other)
    }

    /// `QUIT` was said: whether the client is still there to hear the answer does not matter (Q45).
    async fn commit(&mut self) -> io::Result<()> {
        let marked: Vec<MessageNumber> = self.connection.marked().collect();
        // The maildrop is released before the answer, so that the next session finds it free.
        let removed = match self.maildrop.take() {
            Some(mut maildrop) => spawn_blocking(move || maildrop.remove(&marked)).await?,
            None => Ok(()),
        };
        self.connection.committed(NotRemoved::count(removed)).map_err(io::Error::other)
    }

    async fn upgrade(self) -> io::Result<Self> {
        let Some(tls) = &self.server.options.tls else { return Err(io::Error::other("there is no certificate for TLS")) };
        self.connection.check_upgrade().map_err(|_| io::Error::other("bytes in the clear behind STLS"))?;
        let (stream, mut channel) = accept_tls(self.stream, tls, self.login_deadline).await?;
        channel.trusted = self.connection.session().server().is_trusted();
        let connection = self.connection.into_upgraded(channel).map_err(io::Error::other)?;
        Ok(Self { connection, stream, ..self })
    }
}

/// A piece of a message, and what gives the rest; `None` behind the last piece.
struct Piece {
    buffer: Vec<u8>,
    count: usize,
    rest: Option<Box<dyn Read + Send>>,
}

/// Fills the buffer as far as the message goes.
fn read_piece(mut message: Box<dyn Read + Send>, mut buffer: Vec<u8>) -> io::Result<Piece> {
    let mut count = 0;
    while count < buffer.len() {
        match message.read(&mut buffer[count..]) {
            Ok(0) => return Ok(Piece { buffer, count, rest: None }),
            Ok(more) => count += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Piece { buffer, count, rest: Some(message) })
}
