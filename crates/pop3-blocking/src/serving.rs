// Made from pop3-tokio/src/serving.rs by crates/twins.py: change it there.

//! A session whose questions a store answers.

use std::io::{self, Read};
use std::sync::Arc;

use pop3_driver::proto::codec::{Escaped, MessageNumber};
use pop3_driver::proto::sasl::{ScramHash, ScramKeys};
use pop3_driver::proto::server::{Ask, BodyWants, Denial, Login, Name, NotAsked};
use pop3_maildrop::{Maildrop, NotRemoved, Store, log_refusal, log_unavailable};

use crate::runtime;
use crate::session::Session;

/// Answers what a session asks.
pub(crate) struct Serving<S: Store> {
    pub(crate) session: Session,
    pub(crate) store: Arc<S>,
    pub(crate) decoys: [u8; 18],
    pub(crate) maildrop: Option<S::Maildrop>,
}

/// Octets of a message that are read at once: few enough to be held for every session, many enough to make the way to another
/// thread cheap.
const PIECE: usize = 128 * 1024;

impl<S: Store> Serving<S> {
    pub(crate) fn run(mut self) -> io::Result<()> {
        while let Some(ask) = self.session.ask()? {
            match ask {
                Ask::Authenticate(login) => self.authenticate(login)?,
                Ask::Retrieve(number) => self.retrieve(number)?,
                Ask::Commit => self.commit()?,
                Ask::FindKeys(hash, name) => self.find_keys(hash, name)?,
                _ => return Err(io::Error::other(NotAsked)),
            }
        }
        Ok(())
    }

    fn authenticate(&mut self, login: Login) -> io::Result<()> {
        let store = Arc::clone(&self.store);
        let opened = runtime::blocking(move || {
            let opened = store.login(&login).and_then(|mut maildrop| {
                let snapshot = maildrop.snapshot()?;
                Ok((maildrop, snapshot))
            });
            (login.name, opened)
        });
        let answered = match opened? {
            (name, Ok((maildrop, snapshot))) => {
                let origin = self.session.connection().session().server().origin().map(|origin| origin.address);
                tracing::info!(name = %Escaped(name.as_bytes()), origin = origin.map(tracing::field::display), messages = snapshot.len(), "logged in");
                self.maildrop = Some(maildrop);
                self.session.answer().accept(snapshot)
            }
            (name, Err(error)) => {
                log_refusal(&name, &error);
                self.session.answer().deny(Denial::from(&error))
            }
        };
        answered.map_err(io::Error::other)
    }

    /// A user that there is not gets keys that look the same (H54).
    fn find_keys(&mut self, hash: ScramHash, name: Name) -> io::Result<()> {
        let (store, decoys) = (Arc::clone(&self.store), self.decoys);
        let found = runtime::blocking(move || {
            let found = store.scram_keys(hash, &name)?;
            Ok::<_, io::Error>(found.unwrap_or_else(|| ScramKeys::decoy(hash, &decoys, name.as_bytes())))
        });
        let answered = match found? {
            Ok(keys) => self.session.answer().keys(keys),
            Err(error) => {
                tracing::warn!(%error, "the keys of a user cannot be found");
                self.session.answer().deny(Denial::Temporary)
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
                return self.session.answer().refuse_message(why).map_err(io::Error::other);
            }
        };
        self.session.answer().begin_message().map_err(io::Error::other)?;
        while self.session.body(&piece.buffer[..piece.count])? == BodyWants::More
            && let Some(message) = piece.rest
        {
            // An error here ends the connection in the middle of the message, so that the client does not take it for whole.
            piece = runtime::blocking(move || read_piece(message, piece.buffer))??;
        }
        self.session.answer().end_message().map_err(io::Error::other)
    }

    /// `QUIT` was said: whether the client is still there to hear the answer does not matter (Q45).
    fn commit(&mut self) -> io::Result<()> {
        let marked: Vec<MessageNumber> = self.session.connection().marked().collect();
        // The maildrop is released before the answer, so that the next session finds it free.
        let removed = match self.maildrop.take() {
            Some(mut maildrop) => runtime::blocking(move || maildrop.remove(&marked))?,
            None => Ok(()),
        };
        self.session.answer().committed(NotRemoved::count(removed)).map_err(io::Error::other)
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
