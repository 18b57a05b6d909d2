//! The answers of a store to a session's questions.

use std::future::poll_fn;
use std::io::{self, ErrorKind};
use std::net::IpAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_io::AsyncRead;
use pop3_proto::codec::{Escaped, MessageNumber, OwnedUsername};
use pop3_proto::sasl::{PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{
    Action, BodyWants, Connection, LocalError, LoginAttempt, LoginDenial, MessageRefusal, Question, Snapshot,
};

use crate::async_store::{AsyncMaildrop, AsyncStore, Blocking};
use crate::{LoginError, Peer, Pending, Store, Verification, loggable};

/// What a session has done with its maildrop, for logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTally {
    /// The number of messages that were retrieved as a whole; one that was retrieved twice counts twice.
    pub retrieved: u64,
    /// The octets of these messages.
    pub octets: u64,
    /// The number of messages that were removed at `QUIT`.
    pub deleted: u64,
    /// The number of messages that the maildrop held at login and that were not removed.
    pub left: u64,
}

/// Answers the questions of one session from a store, for drivers.
pub struct StoreResponder<S: AsyncStore> {
    store: S,
    /// The secret from which the keys of unknown users are derived.
    decoy_secret: [u8; 18],
    /// The address of the connection's other end.
    address: Option<IpAddr>,
    /// The logged-in user, as logs show it.
    user: Option<String>,
    /// The logged-in user.
    owner: Option<Box<[u8]>>,
    maildrop: Option<S::Maildrop>,
    /// The message that is being sent.
    message: Option<<S::Maildrop as AsyncMaildrop>::Message>,
    /// Octets of the messages that were begun since [`take_begun`](Self::take_begun) was called.
    begun: u64,
    /// The name of a `SCRAM` login that has not ended, and the number of logins that had failed before it.
    exchange: Option<(OwnedUsername, u32)>,
    /// The octets of the message that is being sent as a whole.
    retrieving: Option<u64>,
    tally: SessionTally,
    buffer: Vec<u8>,
}

impl<S: AsyncStore> std::fmt::Debug for StoreResponder<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreResponder").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Maximum number of octets of a message that are read at once.
const PIECE: usize = 64 * 1024;

impl<S: Store> StoreResponder<Blocking<S>> {
    /// Creates the responder of a session for a blocking store; see [`new`](Self::new). The methods that end in `_blocking` answer
    /// for it, where blocking does no harm.
    pub const fn for_blocking(store: Arc<S>, decoy_secret: [u8; 18]) -> Self {
        Self::new(Blocking(store), decoy_secret)
    }

    /// Does what [`advance`](Self::advance) does, and may block.
    ///
    /// # Errors
    /// See [`advance`](Self::advance).
    pub fn advance_blocking(&mut self, connection: &mut Connection) -> io::Result<Action> {
        ready(self.advance(connection))
    }

    /// Does what [`answer`](Self::answer) does, and may block.
    ///
    /// # Errors
    /// See [`answer`](Self::answer).
    pub fn answer_blocking(&mut self, connection: &mut Connection, question: Question) -> io::Result<()> {
        ready(self.answer(connection, question))
    }
}

/// Returns the result of a future that is ready when it is polled first, as those of [`Blocking`] are.
fn ready<T>(future: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(io::Error::other("a blocking store did not block")),
    }
}

impl<S: AsyncStore> StoreResponder<S> {
    /// Creates the responder of a session. `decoy_secret` consists of random octets, the same for all sessions of a server.
    pub const fn new(store: S, decoy_secret: [u8; 18]) -> Self {
        Self {
            store,
            decoy_secret,
            address: None,
            user: None,
            owner: None,
            maildrop: None,
            message: None,
            begun: 0,
            exchange: None,
            retrieving: None,
            tally: SessionTally { retrieved: 0, octets: 0, deleted: 0, left: 0 },
            buffer: Vec::new(),
        }
    }

    /// Sets the address of the connection's other end, for the store and for logs.
    #[must_use]
    pub fn with_address(self, address: Option<IpAddr>) -> Self {
        Self { address, ..self }
    }

    /// Returns the information about the client.
    pub fn peer(&self, connection: &Connection) -> Peer {
        Peer::of_session(connection.session(), self.address)
    }

    /// Returns the logged-in user, as logs show it.
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// Returns what the session has done so far.
    pub const fn tally(&self) -> SessionTally {
        self.tally
    }

    /// Begins to check the credentials of a login, unless the store does that [at login](Verification::AtLogin). Wait for the
    /// outcome, pass it to [`verified`](Self::verified), and only then call [`answer`](Self::answer).
    pub fn verify(&self, connection: &Connection, login: &LoginAttempt) -> Option<Pending> {
        match self.store.verify(login, &self.peer(connection)) {
            Verification::AtLogin => None,
            Verification::Pending(pending) => Some(pending),
        }
    }

    /// Accepts the outcome of a check. Returns the login to answer next, or `None` if the login was denied.
    ///
    /// # Errors
    /// The session has not asked about a login.
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
        self.log_refusal(connection, login.name.as_bytes(), error);
        match error {
            LoginError::Denied(denied) => connection.answer().deny_with(denied.code(), denied.text()),
            _ => connection.answer().deny(LoginDenial::from(error)),
        }
    }

    fn log_refusal(&self, connection: &Connection, name: &[u8], error: &LoginError) {
        let Peer { address, encrypted, .. } = self.peer(connection);
        let method = connection.session().login_method();
        // Right credentials prove that the name is a name. After wrong ones it may be a password.
        let may_be_password = matches!(error, LoginError::Credentials | LoginError::Denied(_));
        let user = if may_be_password { loggable(name) } else { Some(Escaped(name)) };
        let user = user.as_ref().map_or_else(|| "[not shown: it may be a password]".to_owned(), ToString::to_string);
        tracing::warn!(user, address = address.map(tracing::field::display), method, tls = encrypted, "login refused: {error}");
    }

    /// Logs a `SCRAM` login that the exchange itself has refused, without asking the store.
    pub fn log_failed_exchange(&mut self, connection: &Connection) {
        let failed = connection.session().failed_logins();
        if let Some((name, _)) = self.exchange.take_if(|(_, before)| failed > *before) {
            self.log_refusal(connection, name.as_bytes(), &LoginError::Credentials);
        }
    }

    /// Returns `true` while a message is being sent.
    pub const fn is_sending(&self) -> bool {
        self.message.is_some()
    }

    /// Returns the octets of the messages that were begun since the last call, so that a driver can limit the time for them.
    pub const fn take_begun(&mut self) -> u64 {
        std::mem::replace(&mut self.begun, 0)
    }

    /// Takes the maildrop and the open message out of the session, so that they can be closed where blocking does no harm.
    pub fn take_open(&mut self) -> Option<impl Send + use<S>> {
        self.maildrop.take().map(|maildrop| (maildrop, self.message.take()))
    }

    /// Releases the buffer for messages, which an idle session does not need.
    pub fn release_buffer(&mut self) {
        self.buffer = Vec::new();
    }

    /// Sends more of the current message and answers questions, until the output has reached its high-water mark, input is needed, or
    /// a login is attempted, whose credentials may have to be [verified](Self::verify) first. Returns the next action; the only
    /// question that it can be is [`Question::Authenticate`].
    ///
    /// # Errors
    /// Close the connection at once: a client must not take half a message for a complete one.
    pub async fn advance(&mut self, connection: &mut Connection) -> io::Result<Action> {
        loop {
            if let Some(message) = &mut self.message {
                if connection.is_above_high_water() {
                    return Ok(Action::Write);
                }
                if send_piece(message, &mut self.buffer, connection).await? == BodyWants::Enough {
                    self.message = None;
                    if let Some(octets) = self.retrieving.take() {
                        self.tally.retrieved += 1;
                        self.tally.octets = self.tally.octets.saturating_add(octets);
                    }
                }
                continue;
            }
            let action = connection.next_action();
            self.log_failed_exchange(connection);
            match action {
                action @ Action::Answer(Question::Authenticate(_)) => return Ok(action),
                Action::Answer(question) => self.answer(connection, question).await?,
                action => return Ok(action),
            }
        }
    }

    /// Answers a question. After the beginning of a message, [`advance`](Self::advance) sends the rest.
    ///
    /// # Errors
    /// The session has not asked this, or it is no question for a store.
    pub async fn answer(&mut self, connection: &mut Connection, question: Question) -> io::Result<()> {
        let answered = match question {
            Question::Authenticate(login) => self.authenticate(connection, &login).await,
            Question::FindKeys(hash, name) => self.find_keys(connection, hash, &name).await,
            Question::Retrieve { number, top } => self.open(connection, number, top).await,
            Question::Extension(request) => {
                let reply = self.store.extension(&request, self.owner.as_deref()).await;
                connection.answer().reply_to_extension(&reply)
            }
            // The client has sent `QUIT`. Whether it still reads the reply makes no difference (Q45).
            Question::Commit => {
                let marked: Vec<MessageNumber> = connection.marked().collect();
                // The maildrop is released before the reply, so that the next session finds it free.
                let removed = match self.maildrop.take() {
                    Some(mut maildrop) => maildrop.remove(&marked).await,
                    None => Ok(()),
                };
                let left = removed.map_or_else(
                    |error| {
                        tracing::warn!(%error, "not all messages were removed");
                        error.failed().len()
                    },
                    |()| 0,
                );
                self.tally.deleted = marked.len().saturating_sub(left) as u64;
                self.tally.left = self.tally.left.saturating_sub(self.tally.deleted);
                connection.answer().finish_commit(left)
            }
            _ => Err(LocalError::NotAsked),
        };
        answered.map_err(io::Error::other)
    }

    async fn authenticate(&mut self, connection: &mut Connection, login: &LoginAttempt) -> Result<(), LocalError> {
        let peer = self.peer(connection);
        self.exchange = None;
        match open_maildrop(&self.store, login, &peer).await {
            Ok((maildrop, snapshot)) => {
                let method = connection.session().login_method();
                let owner = maildrop.owner().unwrap_or(login.name.as_bytes());
                let user = Escaped(owner).to_string();
                self.owner = Some(owner.into());
                let address = peer.address.map(tracing::field::display);
                tracing::info!(user, address, method, tls = peer.encrypted, messages = snapshot.len(), "logged in");
                self.user = Some(user);
                self.maildrop = Some(maildrop);
                self.tally.left = snapshot.len() as u64;
                connection.answer().accept(snapshot)
            }
            Err(error) => self.refuse(connection, login, &error),
        }
    }

    /// Provides the keys of a user. An unknown user gets keys that look like those of a known one.
    // H54
    async fn find_keys(&mut self, connection: &mut Connection, hash: ScramHash, name: &OwnedUsername) -> Result<(), LocalError> {
        self.exchange = Some((name.clone(), connection.session().failed_logins()));
        match self.store.scram_keys(hash, name).await {
            Ok(keys) => connection
                .answer()
                .provide_keys(keys.unwrap_or_else(|| ScramKeys::decoy(hash, &self.decoy_secret, name.as_bytes()))),
            Err(error) => {
                tracing::warn!(%error, "the keys of a user cannot be found");
                connection.answer().deny(LoginDenial::Temporary)
            }
        }
    }

    async fn open(&mut self, connection: &mut Connection, number: MessageNumber, top: Option<u64>) -> Result<(), LocalError> {
        let maildrop = self.maildrop.as_mut().ok_or(LocalError::NotAsked)?;
        match maildrop.open(number, top).await {
            Ok(message) => {
                // A message in a store is at most as long as on the wire.
                let octets = connection.session().octets(number);
                self.begun = self.begun.saturating_add(octets.unwrap_or(0));
                let piece = octets.and_then(|octets| usize::try_from(octets).ok()).unwrap_or(PIECE).clamp(1, PIECE);
                if self.buffer.len() < piece {
                    self.buffer.resize(piece, 0);
                }
                self.message = Some(message);
                self.retrieving = octets.filter(|_| top.is_none());
                connection.answer().begin_message()
            }
            Err(error) => {
                tracing::warn!(%number, %error, "a message cannot be opened");
                let is_gone = error.kind() == ErrorKind::NotFound;
                let refusal = if is_gone { MessageRefusal::Gone } else { MessageRefusal::Temporary };
                connection.answer().refuse_message(refusal)
            }
        }
    }
}

async fn open_maildrop<S: AsyncStore>(
    store: &S,
    login: &LoginAttempt,
    peer: &Peer,
) -> Result<(S::Maildrop, Snapshot), LoginError> {
    let mut maildrop = store.login(login, peer).await?;
    let snapshot = maildrop.snapshot().await?;
    Ok((maildrop, snapshot))
}

/// Sends the next piece of a message, and its end after the last one.
async fn send_piece(
    message: &mut (impl AsyncRead + Unpin),
    buffer: &mut [u8],
    connection: &mut Connection,
) -> io::Result<BodyWants> {
    let wants = match poll_fn(|context| Pin::new(&mut *message).poll_read(context, buffer)).await {
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
