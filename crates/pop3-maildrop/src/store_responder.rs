//! Answers what a session asks, out of a store.

use std::io::{self, ErrorKind, Read};
use std::net::IpAddr;
use std::sync::Arc;

use pop3_proto::codec::{Escaped, MessageNumber, OwnedUsername};
use pop3_proto::sasl::{PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{Action, BodyWants, Connection, LocalError, LoginAttempt, LoginDenial, Question};

use crate::{LoginError, Maildrop, NotRemoved, Peer, Pending, Store, Verification, log_unavailable, loggable};

/// What answers for a store in one session. For drivers: all of it may block, so they call it where that does no harm.
pub struct StoreResponder<S: Store> {
    store: Arc<S>,
    /// What keys for users that there are not are made of.
    decoy_secret: [u8; 18],
    /// Where the connection comes from.
    address: Option<IpAddr>,
    /// Who is logged in.
    user: Option<String>,
    maildrop: Option<S::Maildrop>,
    /// The message that is being sent.
    message: Option<Box<dyn Read + Send>>,
    /// Octets of the messages that were begun and not yet told of.
    begun: u64,
    buffer: Vec<u8>,
}

impl<S: Store> std::fmt::Debug for StoreResponder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreResponder").finish_non_exhaustive()
    }
}

/// Octets of a message that are read at once.
const PIECE: usize = 64 * 1024;

impl<S: Store> StoreResponder<S> {
    /// For a session that begins. `decoy_secret`: bytes of chance, the same for all sessions of a server.
    pub const fn new(store: Arc<S>, decoy_secret: [u8; 18]) -> Self {
        Self { store, decoy_secret, address: None, user: None, maildrop: None, message: None, begun: 0, buffer: Vec::new() }
    }

    /// Tells where the connection comes from, for the store and for the log.
    #[must_use]
    pub fn with_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// What is known of the client now.
    pub fn peer(&self, connection: &Connection) -> Peer {
        let server = connection.session();
        Peer::new(server.proxied_client().map(|proxied_client| proxied_client.address).or(self.address), server.is_encrypted())
    }

    /// Who is logged in, as it is shown in logs.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The check of a login's credentials, where the store does not do it [at login](Verification::AtLogin): wait for it, tell
    /// [`verified`](Self::verified), and only then [`answer`](Self::answer).
    pub fn verify(&self, connection: &Connection, login: &LoginAttempt) -> Option<Pending> {
        match self.store.verify(login, &self.peer(connection)) {
            Verification::AtLogin => None,
            Verification::Pending(pending) => Some(pending),
        }
    }

    /// Takes the outcome of a check. Returns the login to be answered; `None`: it was refused, and that was the answer.
    ///
    /// # Errors
    /// No login was asked for.
    pub fn verified(
        &self,
        connection: &mut Connection,
        login: LoginAttempt,
        outcome: Result<(), LoginError>,
    ) -> io::Result<Option<LoginAttempt>> {
        match outcome {
            Ok(()) => Ok(Some(LoginAttempt { credentials: PresentedCredentials::Verified, ..login })),
            Err(error) => {
                self.refuse(connection, &login, &error).map_err(io::Error::other)?;
                Ok(None)
            }
        }
    }

    fn refuse(&self, connection: &mut Connection, login: &LoginAttempt, error: &LoginError) -> Result<(), LocalError> {
        let Peer { address, tls } = self.peer(connection);
        let method = connection.session().login_method();
        let name = login.name.as_bytes();
        // The name is shown to be right by the credentials, except where these are wrong.
        let user = if matches!(error, LoginError::Credentials) { loggable(name) } else { Some(Escaped(name)) };
        let user = user.as_ref().map_or_else(|| "[not shown: it may be a password]".to_owned(), ToString::to_string);
        tracing::warn!(user, address = address.map(tracing::field::display), method, tls, "login refused: {error}");
        connection.answer().deny(LoginDenial::from(error))
    }

    /// A message was begun, and there is more of it.
    pub const fn is_sending(&self) -> bool {
        self.message.is_some()
    }

    /// Returns the octets of the messages that were begun since the last call, so that a driver can bound the time that they take.
    pub const fn take_begun(&mut self) -> u64 {
        std::mem::replace(&mut self.begun, 0)
    }

    /// Takes the maildrop and the open message out of the session, so that they can be closed where blocking does no harm.
    pub fn take_open(&mut self) -> Option<impl Send + use<S>> {
        self.maildrop.take().map(|maildrop| (maildrop, self.message.take()))
    }

    /// What was needed for messages is not kept for a session that idles.
    pub fn release_buffer(&mut self) {
        self.buffer = Vec::new();
    }

    /// Sends more of the current message and answers questions, until the output has reached its high-water mark, input is needed, or a login
    /// is attempted, whose credentials may have to be [verified](Self::verify) first. Returns what is to be done then; of questions only
    /// [`Question::Authenticate`].
    ///
    /// # Errors
    /// The connection must end without another word: a client must not take half a message for a complete one.
    pub fn advance(&mut self, connection: &mut Connection) -> io::Result<Action> {
        loop {
            if let Some(message) = &mut self.message {
                if connection.is_above_high_water() {
                    return Ok(Action::Write);
                }
                if send_piece(message, &mut self.buffer, connection)? == BodyWants::Enough {
                    self.message = None;
                }
                continue;
            }
            match connection.next_action() {
                action @ Action::Answer(Question::Authenticate(_)) => return Ok(action),
                Action::Answer(question) => self.answer(connection, question)?,
                action => return Ok(action),
            }
        }
    }

    /// Answers what was asked; of a message that is asked for, [`advance`](Self::advance) sends the rest.
    ///
    /// # Errors
    /// What was asked is nothing that a store answers.
    pub fn answer(&mut self, connection: &mut Connection, question: Question) -> io::Result<()> {
        let answered = match question {
            Question::Authenticate(login) => self.authenticate(connection, &login),
            Question::FindKeys(hash, name) => self.find_keys(connection, hash, &name),
            Question::Retrieve(number) => self.open(connection, number),
            // `QUIT` was said: whether the client is still there to hear the answer does not matter (Q45).
            Question::Commit => {
                let marked: Vec<MessageNumber> = connection.marked().collect();
                // The maildrop is released before the answer, so that the next session finds it free.
                let removed = self.maildrop.take().map_or(Ok(()), |mut maildrop| maildrop.remove(&marked));
                connection.answer().finish_commit(NotRemoved::count(removed))
            }
            _ => Err(LocalError::NotAsked),
        };
        answered.map_err(io::Error::other)
    }

    fn authenticate(&mut self, connection: &mut Connection, login: &LoginAttempt) -> Result<(), LocalError> {
        let opened = self.store.login(login).and_then(|mut maildrop| {
            let snapshot = maildrop.snapshot()?;
            Ok((maildrop, snapshot))
        });
        match opened {
            Ok((maildrop, snapshot)) => {
                let Peer { address, tls } = self.peer(connection);
                let method = connection.session().login_method();
                let user = Escaped(maildrop.owner().unwrap_or(login.name.as_bytes())).to_string();
                let address = address.map(tracing::field::display);
                tracing::info!(user, address, method, tls, messages = snapshot.len(), "logged in");
                self.user = Some(user);
                self.maildrop = Some(maildrop);
                connection.answer().accept(snapshot)
            }
            Err(error) => self.refuse(connection, login, &error),
        }
    }

    /// A user that there is not gets keys that look the same (H54).
    fn find_keys(&self, connection: &mut Connection, hash: ScramHash, name: &OwnedUsername) -> Result<(), LocalError> {
        match self.store.scram_keys(hash, name) {
            Ok(keys) => connection
                .answer()
                .provide_keys(keys.unwrap_or_else(|| ScramKeys::decoy(hash, &self.decoy_secret, name.as_bytes()))),
            Err(error) => {
                tracing::warn!(%error, "the keys of a user cannot be found");
                connection.answer().deny(LoginDenial::Temporary)
            }
        }
    }

    fn open(&mut self, connection: &mut Connection, number: MessageNumber) -> Result<(), LocalError> {
        let maildrop = self.maildrop.as_mut().ok_or(LocalError::NotAsked)?;
        match maildrop.open(number) {
            Ok(message) => {
                // A message in a store is at most as long as on the wire.
                let octets = connection.session().octets(number);
                self.begun = self.begun.saturating_add(octets.unwrap_or(0));
                let piece = octets.and_then(|octets| usize::try_from(octets).ok()).unwrap_or(PIECE).clamp(1, PIECE);
                if self.buffer.len() < piece {
                    self.buffer.resize(piece, 0);
                }
                self.message = Some(message);
                connection.answer().begin_message()
            }
            Err(error) => connection.answer().refuse_message(log_unavailable(number, &error)),
        }
    }
}

/// Sends the next piece of a message, and its end behind the last one.
fn send_piece(message: &mut impl Read, buffer: &mut [u8], connection: &mut Connection) -> io::Result<BodyWants> {
    let wants = match message.read(buffer) {
        Ok(0) => BodyWants::Enough,
        Ok(count) => connection.answer().body(buffer.get(..count).unwrap_or_default()).map_err(io::Error::other)?,
        Err(error) if error.kind() == ErrorKind::Interrupted => BodyWants::More,
        Err(error) => return Err(error),
    };
    if wants == BodyWants::Enough {
        connection.answer().end_message().map_err(io::Error::other)?;
    }
    Ok(wants)
}
