//! A session whose questions a store answers, without I/O on the connection.

use std::io;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use pop3_maildrop::{AsyncStore, Blocking, LoginError, Pending, SessionTally, Store, StoreResponder};
use pop3_proto::server::{Action, Deadline, LoginAttempt, Question};

use super::session::{ServerAction, ServerSession};
use super::session_log::{Identity, SessionLog};
use crate::LoginSlot;

/// What the driver of a [`StoreSession`] must do next.
#[derive(Debug)]
pub enum StoreAction {
    /// Do this on the stream; it is never [`ServerAction::Answer`].
    Io(ServerAction),
    /// Wait for the check of a login's credentials, until this moment or until the server shuts down, then call
    /// [`StoreSession::checked`].
    Check(Pending, Instant),
    /// Call [`StoreSession::work`], or [`StoreSession::work_blocking`] where blocking does no harm.
    Work,
}

/// Runs a function that may block where blocking does no harm, without waiting for it.
pub type RunBlocking = fn(Box<dyn FnOnce() + Send>);

/// A session and the store that answers it.
pub struct StoreSession<S: AsyncStore> {
    session: ServerSession,
    responder: StoreResponder<S>,
    run_blocking: RunBlocking,
    /// What [`work`](Self::work) answers first.
    question: Option<Question>,
    /// A login whose credentials are not checked yet.
    unchecked: Option<LoginAttempt>,
    /// The login whose credentials are being checked.
    checking: Option<LoginAttempt>,
    /// Held while the store opens the maildrop.
    slot: Option<LoginSlot>,
    identity: Arc<Mutex<Identity>>,
    /// Octets of the messages that [`work`](Self::work) has begun.
    begun: u64,
    /// Octets of output that may gather.
    high_water: usize,
    /// When the first action after [`work`](Self::work) was returned.
    worked_at: Option<Instant>,
    /// [`work`](Self::work) was called, and no action was returned since.
    has_worked: bool,
}

/// A client that has read its output within this time is fast.
const FAST: Duration = Duration::from_millis(20);

/// Octets of output that may gather for a client that is fast.
const MAX_HIGH_WATER: usize = 128 * 1024;

impl<S: AsyncStore> std::fmt::Debug for StoreSession<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StoreSession").field("session", &self.session).finish_non_exhaustive()
    }
}

impl<S: AsyncStore> StoreSession<S> {
    /// A session that `store` answers. Its maildrop is closed by `run_blocking`, because that may block.
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn new(session: ServerSession, store: S, run_blocking: RunBlocking) -> io::Result<Self> {
        let responder = StoreResponder::new(store, session.shared().decoy_secret()?).with_address(session.source());
        let identity = Identity { peer: responder.peer(session.connection()), user: None, tally: SessionTally::default() };
        Ok(Self {
            high_water: session.shared().config().output_high_water,
            session,
            responder,
            run_blocking,
            question: None,
            unchecked: None,
            checking: None,
            slot: None,
            identity: Arc::new(Mutex::new(identity)),
            begun: 0,
            worked_at: None,
            has_worked: false,
        })
    }

    /// Returns the session, for its stream.
    pub const fn session(&mut self) -> &mut ServerSession {
        &mut self.session
    }

    /// Returns what to do next.
    ///
    /// # Errors
    /// The session cannot continue: close the connection.
    pub fn next_action(&mut self, now: Instant) -> io::Result<StoreAction> {
        // The time that the store took is not the client's.
        if std::mem::take(&mut self.has_worked) {
            self.worked_at = Some(now);
            match std::mem::take(&mut self.begun) {
                0 => {}
                octets => self.session.limit_octets(octets, now),
            }
        }
        if let Some(login) = self.unchecked.take() {
            return Ok(self.check(login, now));
        }
        if self.question.is_some() {
            return Ok(StoreAction::Work);
        }
        if self.responder.is_sending() {
            return Ok(self.session.next_body_action(now).map_or(StoreAction::Work, StoreAction::Io));
        }
        let action = self.session.next_action(now);
        self.responder.log_failed_exchange(self.session.connection());
        match action? {
            ServerAction::Answer(Question::Authenticate(login)) => Ok(self.check(login, now)),
            ServerAction::Answer(question) => {
                self.question = Some(question);
                Ok(StoreAction::Work)
            }
            action => Ok(StoreAction::Io(action)),
        }
    }

    /// Has the credentials of a login checked, where the store does not do that when it opens the maildrop.
    fn check(&mut self, login: LoginAttempt, now: Instant) -> StoreAction {
        match self.responder.verify(self.session.connection(), &login) {
            None => {
                self.question = Some(Question::Authenticate(login));
                StoreAction::Work
            }
            Some(pending) => {
                self.checking = Some(login);
                StoreAction::Check(pending, self.session.login_check_deadline(now))
            }
        }
    }

    /// Takes the outcome of a check, and does nothing if no check was requested. A verified login goes on to the store unless the limit of
    /// concurrent logins of one user is reached. (Logins that are not verified do not count: they must not lock out the user whose name
    /// they give.)
    ///
    /// # Errors
    /// The session does not wait for a login.
    pub fn checked(&mut self, outcome: Result<(), LoginError>) -> io::Result<()> {
        let Some(login) = self.checking.take() else { return Ok(()) };
        let connection = self.session.connection_mut();
        let Some(login) = self.responder.verified(connection, login, outcome)? else { return Ok(()) };
        let slot = self.session.shared().login_slot(login.name.as_bytes());
        if slot.is_none() {
            self.responder.verified(self.session.connection_mut(), login, Err(LoginError::InUse))?;
            return Ok(());
        }
        self.slot = slot;
        self.question = Some(Question::Authenticate(login));
        Ok(())
    }

    /// Returns `true` if [`work`](Self::work) is short: a piece of a message, or one command whose reply the client waits for.
    pub fn is_short_work(&self) -> bool {
        self.responder.is_sending() || !self.session.connection().has_unread_input()
    }

    /// Lets twice as much output gather while the client reads it fast, so that a large message takes few changes between the thread that
    /// reads the store and the one that writes to the client. For a slow client, and between messages, the high-water mark is that of the
    /// options.
    fn adapt_high_water(&mut self, now: Instant) {
        let least = self.session.shared().config().output_high_water;
        let fast = self.responder.is_sending()
            && self.worked_at.is_some_and(|worked_at| now.saturating_duration_since(worked_at) < FAST);
        self.high_water = if fast { (self.high_water * 2).min(MAX_HIGH_WATER.max(least)) } else { least };
        self.session.connection_mut().set_high_water(self.high_water);
    }

    /// Returns the deadline for the next [`work`](Self::work), if that answers a login or another question before it: when it has passed,
    /// close the connection. Other work has no deadline, because a removal must not be left half done.
    // H35
    pub fn work_deadline(&mut self, now: Instant) -> Option<Instant> {
        let is_login = matches!(self.question, Some(Question::Authenticate(_) | Question::FindKeys(..)));
        let is_before_login = self.session.connection().deadline() == Deadline::Login && self.question.is_some();
        (is_login || is_before_login).then(|| self.session.login_check_deadline(now))
    }

    /// Answers what the session asked and executes the commands that have come, until the output has reached its high-water mark, a login is
    /// to be checked, or more input is needed.
    ///
    /// # Errors
    /// Close the connection at once: a client must not take half a message for a complete one.
    pub async fn work(&mut self, now: Instant) -> io::Result<()> {
        self.adapt_high_water(now);
        self.has_worked = true;
        let connection = self.session.connection_mut();
        if let Some(question) = self.question.take() {
            self.responder.answer(connection, question).await?;
        }
        self.slot = None;
        self.identify();
        let connection = self.session.connection_mut();
        // A pipelined login is checked as any other.
        if let Action::Answer(Question::Authenticate(login)) = self.responder.advance(connection).await? {
            self.unchecked = Some(login);
        }
        if !self.responder.is_sending() {
            self.responder.release_buffer();
        }
        self.begun = self.responder.take_begun();
        self.identify();
        self.session.note_login();
        Ok(())
    }

    /// Updates what the log says about the session.
    fn identify(&self) {
        let mut identity = self.identity.lock().unwrap_or_else(PoisonError::into_inner);
        identity.peer = self.responder.peer(self.session.connection());
        let counters = self.session.shared().counters();
        let before = std::mem::replace(&mut identity.tally, self.responder.tally());
        counters.add_progress(before, identity.tally);
        if identity.user.is_none() {
            identity.user = self.responder.user().map(Arc::from);
            if let Some(user) = &identity.user {
                counters.add_login();
                tracing::Span::current().record("user", &**user);
            }
        }
    }

    /// Returns what logs the end of the session. It outlives a session that panics in [`work`](Self::work).
    pub fn log(&self) -> SessionLog {
        SessionLog::new(Arc::clone(&self.identity))
    }
}

impl<S: Store> StoreSession<Blocking<S>> {
    /// Does what [`work`](Self::work) does for a blocking store, and may block.
    ///
    /// # Errors
    /// See [`work`](Self::work).
    pub fn work_blocking(&mut self, now: Instant) -> io::Result<()> {
        match pin!(self.work(now)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => Err(io::Error::other("a blocking store did not block")),
        }
    }
}

impl<S: AsyncStore> Drop for StoreSession<S> {
    fn drop(&mut self) {
        // Whoever waits for the session's end finds its observer informed.
        self.session.connection_mut().end_observation();
        // The session counts until its maildrop is closed.
        let permit = self.session.take_permit();
        if let Some(open) = self.responder.take_open() {
            (self.run_blocking)(Box::new(move || drop((open, permit))));
        }
    }
}
