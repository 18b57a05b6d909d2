// Made from pop3-tokio/src/session.rs by crates/twins.py: change it there.

//! One session of a server.

use std::io::{self, Read};
use std::sync::Arc;

use pop3_driver::proto::codec::{Escaped, MessageNumber};
use pop3_driver::proto::sasl::{ScramHash, ScramKeys};
use pop3_driver::proto::server::{
    Ask, BodyWants, Channel, Connection, Deadline, Denial, Login, Name, NotAsked, Origin, ServerConfig, Step,
};
use pop3_maildrop::{Maildrop, NotRemoved, Store, log_refusal, log_unavailable};

use crate::Server;
use crate::runtime::{self, Instant, Stream, later};

pub(crate) struct Session<'s, S: Store> {
    server: &'s Server<S>,
    connection: Connection,
    stream: Stream,
    maildrop: Option<S::Maildrop>,
    /// Whom the peer has said that it speaks for, before the session.
    origin: Option<Origin>,
    login_deadline: Instant,
    /// Renewed by each command that was answered, and not by each byte (H36).
    idle_deadline: Option<Instant>,
}

/// Octets of a message that are read at once: few enough to be held for every session, many enough to make the way to another
/// thread cheap.
const PIECE: usize = 128 * 1024;

impl<'s, S: Store> Session<'s, S> {
    pub(crate) fn new(
        server: &'s Server<S>,
        config: Arc<ServerConfig>,
        stream: Stream,
        channel: Channel,
        login_deadline: Instant,
    ) -> Self {
        let origin = channel.origin;
        let connection = Connection::new(config, channel);
        Self { server, connection, stream, maildrop: None, origin, login_deadline, idle_deadline: None }
    }

    pub(crate) fn run(mut self) -> io::Result<()> {
        loop {
            let step = self.connection.step();
            if step != Step::Read {
                self.idle_deadline = None;
            }
            match step {
                Step::Read => {
                    let deadline = self.deadline();
                    let gate = &self.server.gate;
                    match runtime::read_unless_stopped(&mut self.stream, self.connection.space(), deadline, gate)? {
                        Some(0) => return Ok(()),
                        Some(count) => self.connection.filled(count),
                        None => {
                            tracing::info!("the server ends");
                            return runtime::close(&mut self.stream, deadline);
                        }
                    }
                }
                Step::Write => self.write()?,
                Step::Ask(Ask::Authenticate(login)) => self.authenticate(login)?,
                Step::Ask(Ask::Retrieve(number)) => self.retrieve(number)?,
                Step::Ask(Ask::Commit) => self.commit()?,
                Step::Ask(Ask::UpgradeTls) => self = self.upgrade()?,
                Step::Ask(Ask::FindKeys(hash, name)) => self.find_keys(hash, name)?,
                Step::Ask(_) | Step::Answer => return Err(io::Error::other(NotAsked)),
                Step::Close => {
                    self.log_ending();
                    let deadline = self.deadline();
                    return runtime::close(&mut self.stream, deadline);
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

    fn write(&mut self) -> io::Result<()> {
        // One deadline for all of it: a peer that takes a byte now and then is no peer that reads.
        let deadline = self.deadline();
        while !self.connection.output().is_empty() {
            let count = runtime::write(&mut self.stream, self.connection.output(), deadline)?;
            self.connection.written(count);
        }
        runtime::flush(&mut self.stream, deadline)
    }

    fn authenticate(&mut self, login: Login) -> io::Result<()> {
        let store = Arc::clone(&self.server.store);
        let opened = runtime::blocking(move || {
            let opened = store.login(&login).and_then(|mut maildrop| {
                let snapshot = maildrop.snapshot()?;
                Ok((maildrop, snapshot))
            });
            (login.name, opened)
        });
        let answered = match opened? {
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
    fn find_keys(&mut self, hash: ScramHash, name: Name) -> io::Result<()> {
        let (store, decoys) = (Arc::clone(&self.server.store), self.server.decoys);
        let found = runtime::blocking(move || {
            let found = store.scram_keys(hash, &name)?;
            Ok::<_, io::Error>(found.unwrap_or_else(|| ScramKeys::decoy(hash, &decoys, name.as_bytes())))
        });
        let answered = match found? {
            Ok(keys) => self.connection.keys(keys),
            Err(error) => {
                tracing::warn!(%error, "the keys of a user cannot be found");
                self.connection.deny(Denial::Temporary)
            }
        };
        answered.map_err(io::Error::other)
    }

    fn retrieve(&mut self, number: MessageNumber) -> io::Result<()> {
        let mut maildrop = self.maildrop.take().ok_or_else(|| io::Error::other(NotAsked))?;
        // Opening and the first piece are one trip: most messages need no second one.
        let (maildrop, opened) = runtime::blocking(move || {
            let opened = maildrop.open(number).and_then(|message| read_piece(message, vec![0; PIECE]));
            (maildrop, opened)
        })?;
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
                    self.write()?;
                }
            }
            let Some(message) = piece.rest else { break };
            // An error here ends the connection in the middle of the message, so that the client does not take it for whole.
            piece = runtime::blocking(move || read_piece(message, piece.buffer))??;
        }
        self.connection.end_message().map_err(io::Error::other)
    }

    /// `QUIT` was said: whether the client is still there to hear the answer does not matter (Q45).
    fn commit(&mut self) -> io::Result<()> {
        let marked: Vec<MessageNumber> = self.connection.marked().collect();
        // The maildrop is released before the answer, so that the next session finds it free.
        let removed = match self.maildrop.take() {
            Some(mut maildrop) => runtime::blocking(move || maildrop.remove(&marked))?,
            None => Ok(()),
        };
        self.connection.committed(NotRemoved::count(removed)).map_err(io::Error::other)
    }

    fn upgrade(self) -> io::Result<Self> {
        let tls = self.server.tls()?;
        self.connection.check_upgrade().map_err(|_| io::Error::other("bytes in the clear behind STLS"))?;
        let accepted = runtime::accept_tls(self.stream, &tls, self.login_deadline);
        let (stream, mut channel) = runtime::unless_stopped(&self.server.gate, accepted)?;
        channel.trusted = self.connection.session().server().is_trusted();
        channel.origin = self.origin;
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
