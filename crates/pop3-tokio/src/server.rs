//! The server: a task a session. The store's calls, which may block, are made on the runtime's threads for that.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::ServerOptions;
use pop3_driver::proto::codec::{MessageNumber, ResponseCode, Text};
use pop3_driver::proto::server::{Ask, BodyWants, Connection, Deadline, Denial, Login, NotAsked, Step};
use pop3_maildrop::{Maildrop, Store};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, timeout_at};
use tokio_rustls::TlsAcceptor;

use crate::stream::{self, Transport};

/// How a port is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listen {
    /// Port 110: in the clear until `STLS`.
    Plain,
    /// Port 995: TLS from the first byte.
    Tls,
}

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
    store: Arc<S>,
    places: Arc<Semaphore>,
}

impl<S: Store> Server<S> {
    /// A server that is not listening yet.
    pub fn new(mut options: ServerOptions, store: S) -> Self {
        options.config.stls = options.tls.is_some();
        let places = Arc::new(Semaphore::new(options.max_sessions.min(Semaphore::MAX_PERMITS)));
        Self { options, store: Arc::new(store), places }
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
                    tokio::spawn(async move {
                        let _place = place;
                        match server.session(stream, listen).await {
                            Ok(()) => tracing::debug!(%peer, "session ended"),
                            Err(error) => tracing::info!(%peer, %error, "session broke"),
                        }
                    });
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
        stream.set_nodelay(true)?;
        self.session_over(Box::new(stream), listen).await
    }

    /// The same over a stream of the caller's own.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub async fn session_over(&self, mut stream: Box<dyn Transport>, listen: Listen) -> io::Result<()> {
        let login_deadline = Instant::now() + self.options.timeouts.login;
        let connection = match (listen, &self.options.tls) {
            (Listen::Plain, _) => Connection::new(self.options.config.clone()),
            (Listen::Tls, None) => return Err(io::Error::other("there is no certificate for TLS")),
            (Listen::Tls, Some(tls)) => {
                stream = accept_tls(stream, tls, login_deadline).await?;
                Connection::new_encrypted(self.options.config.clone())
            }
        };
        Session { server: self, connection, stream, maildrop: None, login_deadline }.run().await
    }
}

async fn accept_tls(
    stream: Box<dyn Transport>,
    config: &Arc<pop3_driver::rustls::ServerConfig>,
    deadline: Instant,
) -> io::Result<Box<dyn Transport>> {
    let handshake = TlsAcceptor::from(Arc::clone(config)).accept(stream);
    Ok(Box::new(by(deadline, handshake).await?))
}

/// Does `work` before `deadline`, or gives [`io::ErrorKind::TimedOut`].
async fn by<T>(deadline: Instant, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout_at(deadline, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

struct Session<'s, S: Store> {
    server: &'s Server<S>,
    connection: Connection,
    stream: Box<dyn Transport>,
    maildrop: Option<S::Maildrop>,
    login_deadline: Instant,
}

/// Octets of a message that are read at once: few enough to be held for every session, many enough to make the way to another
/// thread cheap.
const PIECE: usize = 128 * 1024;

impl<S: Store> Session<'_, S> {
    async fn run(mut self) -> io::Result<()> {
        loop {
            match self.connection.step() {
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
                Step::Ask(_) | Step::Answer => return Err(io::Error::other(NotAsked)),
                Step::Close => return by(self.deadline(), self.stream.shutdown()).await,
            }
        }
    }

    /// Before login no byte renews the deadline (H35).
    fn deadline(&self) -> Instant {
        match self.connection.deadline() {
            Deadline::Login => self.login_deadline,
            deadline @ Deadline::Idle => Instant::now() + self.server.options.timeouts.of(deadline),
        }
    }

    async fn write(&mut self) -> io::Result<()> {
        while !self.connection.output().is_empty() {
            let deadline = self.deadline();
            match by(deadline, self.stream.write(self.connection.output())).await? {
                0 => return Err(io::ErrorKind::WriteZero.into()),
                count => self.connection.written(count),
            }
        }
        by(self.deadline(), self.stream.flush()).await
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
            (_, Ok((maildrop, snapshot))) => {
                self.maildrop = Some(maildrop);
                self.connection.accept(snapshot)
            }
            (name, Err(error)) => {
                tracing::info!(?name, %error, "login refused");
                self.connection.deny(Denial::from(&error))
            }
        };
        answered.map_err(io::Error::other)
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
                tracing::warn!(%number, %error, "a message cannot be opened");
                let text = const { Text::literal("the message cannot be opened") };
                return self.connection.refuse_message(ResponseCode::SysTemp, text).map_err(io::Error::other);
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
                    self.write().await?;
                }
            }
            let Some(message) = piece.rest else { break };
            // An error here ends the connection in the middle of the message, so that the client does not take it for whole.
            piece = spawn_blocking(move || read_piece(message, piece.buffer)).await??;
        }
        self.connection.end_message().map_err(io::Error::other)
    }

    async fn commit(&mut self) -> io::Result<()> {
        let marked: Vec<MessageNumber> = self.connection.marked().collect();
        // The maildrop is released before the answer, so that the next session finds it free.
        let removed = match self.maildrop.take() {
            Some(mut maildrop) => spawn_blocking(move || maildrop.remove(&marked)).await?,
            None => Ok(()),
        };
        let failed = removed.map_or_else(
            |error| {
                tracing::warn!(%error, "not all is removed");
                error.failed().len()
            },
            |()| 0,
        );
        self.connection.committed(failed).map_err(io::Error::other)
    }

    async fn upgrade(self) -> io::Result<Self> {
        let Some(tls) = &self.server.options.tls else { return Err(io::Error::other("there is no certificate for TLS")) };
        let connection = self.connection.into_upgraded().map_err(|_| io::Error::other("bytes in the clear behind STLS"))?;
        let stream = accept_tls(self.stream, tls, self.login_deadline).await?;
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
