//! One session of a server, without I/O: it returns the next action and its deadline.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_proto::codec::MessageNumber;
use pop3_proto::server::{
    Action, Answer, BodyWants, CloseReason, Connection, ConnectionInfo, Deadline, LocalError, ProxiedClient, Question,
};

use super::arrival::Arrival;
use super::shared::ServerShared;
use crate::io::{Endpoint, Io};
use crate::session_limiter::{GAVE_WAY, SessionPermit};
use crate::time::deadline_after;
use crate::tls::ServerTls;

/// Octets a second that a client must read of a message, on the whole: a slower client holds its session for too long.
const MIN_RATE: u64 = 512;

/// Octets of a message that are encoded before the output is looked at.
const PIECE: usize = 32 * 1024;

/// What the driver of a [`ServerSession`] must do next.
#[derive(Debug)]
pub enum ServerAction {
    /// Do this on the stream. If the server shuts down during a read, call [`ServerSession::shut_down`] instead.
    Io(Io),
    /// Wait until this moment, or until the server shuts down, then call [`ServerSession::paused`]: the reply to a failed login is
    /// delayed.
    Pause(Instant),
    /// Do a TLS handshake as the server, with these settings and before this moment, then call [`ServerSession::upgraded`]. If the
    /// server shuts down meanwhile, close the connection.
    Handshake(ServerTls, Instant),
    /// Answer this by [`ServerSession::answer`].
    Answer(Question),
    /// Close the stream before this moment. The session has ended: without a [`Question::Commit`] nothing may be removed.
    Close(Instant),
}

/// One session with its deadlines, the delays after failed logins, and the order of its writes. The driver passes the time as an
/// argument, reads, writes and waits.
#[derive(Debug)]
pub struct ServerSession {
    shared: Arc<ServerShared>,
    connection: Connection,
    /// The client that a proxy has named before the session.
    proxied_client: Option<ProxiedClient>,
    /// The address of the client, as far as the connection tells.
    source: Option<IpAddr>,
    /// Held as long as the session exists. A session that is not logged in may have to give way to another one.
    permit: Option<SessionPermit>,
    /// Failed logins whose delay is counted.
    failed_logins: u32,
    /// The reply to a failed login is delayed until then.
    pause_until: Option<Instant>,
    login_deadline: Instant,
    /// Renewed by each command that was answered, and not by each octet.
    // H36
    idle_deadline: Option<Instant>,
    /// When the client must have read the message that is being sent.
    message_deadline: Option<Instant>,
    /// When the output must be written: one deadline for all of it, or a peer that reads an octet now and then would hold the session.
    write_deadline: Option<Instant>,
    /// Written octets may still be in a buffer of the stream.
    unflushed: bool,
    /// The server shuts down, so the session ends instead of reading.
    shutting_down: bool,
}

impl ServerSession {
    /// Begins a session; `info` says what is known of the connection besides its arrival.
    pub fn new(shared: Arc<ServerShared>, mut arrival: Arrival, mut info: ConnectionInfo) -> Self {
        (info.trusted, info.proxied_client) = (arrival.is_trusted(), arrival.proxied_client());
        let session = Self::with_info(shared, info, arrival.login_deadline());
        Self { source: arrival.source(), permit: arrival.take_permit(), ..session }.observed()
    }

    /// Begins a session on a connection of which the caller knows everything.
    pub fn with_info(shared: Arc<ServerShared>, info: ConnectionInfo, login_deadline: Instant) -> Self {
        let proxied_client = info.proxied_client;
        let connection = Connection::new(Arc::clone(shared.config()), info);
        Self {
            shared,
            connection,
            proxied_client,
            source: None,
            permit: None,
            failed_logins: 0,
            pause_until: None,
            login_deadline,
            idle_deadline: None,
            message_deadline: None,
            write_deadline: None,
            unflushed: false,
            shutting_down: false,
        }
    }

    /// Keeps a permit as long as the session exists.
    #[must_use]
    pub fn with_permit(self, permit: SessionPermit) -> Self {
        Self { permit: Some(permit), ..self }.observed()
    }

    fn observed(mut self) -> Self {
        if let Some(observer) = self.shared.options().observers.observer(self.permit.as_ref(), self.source) {
            self.connection.observe(observer);
        }
        self
    }

    /// Returns what the sessions of the server share.
    pub const fn shared(&self) -> &Arc<ServerShared> {
        &self.shared
    }

    /// Returns the connection, which reports the state of the session.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the connection, for the store.
    pub(super) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the answers to the last question.
    pub const fn answer(&mut self) -> Answer<'_> {
        self.connection.answer()
    }

    /// Returns the address of the client, as far as the connection tells.
    pub const fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Returns what to do next.
    ///
    /// # Errors
    /// The last question has no answer, the client sent data after `STLS`, or there is no certificate: close the connection.
    pub fn next_action(&mut self, now: Instant) -> io::Result<ServerAction> {
        if self.permit.as_ref().is_some_and(|permit| permit.seat().is_evicted()) {
            return Err(io::Error::other(GAVE_WAY));
        }
        if let Some(action) = self.continue_writing(now) {
            return Ok(action);
        }
        let action = self.connection.next_action();
        if action != Action::Read {
            self.idle_deadline = None;
        }
        self.note_login();
        Ok(match action {
            Action::Write => self.begin_writing(now),
            Action::Read => {
                self.message_deadline = None;
                let deadline = self.deadline(now);
                if self.shutting_down {
                    tracing::info!("the server ends");
                    ServerAction::Close(deadline)
                } else {
                    ServerAction::Io(Io::Read(deadline))
                }
            }
            Action::Answer(question) => {
                if let Question::Retrieve { number, .. } = question {
                    self.limit_message(number, now);
                }
                ServerAction::Answer(question)
            }
            Action::UpgradeTls => {
                self.connection.check_upgrade().map_err(io::Error::other)?;
                ServerAction::Handshake(self.shared.tls()?, self.login_deadline)
            }
            Action::Unanswered => return Err(io::Error::other(LocalError::Unanswered)),
            Action::Close => {
                match self.connection.session().close_reason() {
                    Some(CloseReason::Quit) | None => tracing::debug!("the client is done"),
                    Some(reason) => tracing::info!("{reason}"),
                }
                ServerAction::Close(self.deadline(now))
            }
        })
    }

    /// Keeps the session once its client has logged in: it does not give way to others.
    pub(super) fn note_login(&self) {
        if self.connection.deadline() == Deadline::Idle
            && let Some(permit) = &self.permit
        {
            permit.seat().set_logged_in();
        }
    }

    /// Returns the permit, which must be kept as long as the session's store is in use.
    pub(super) const fn take_permit(&mut self) -> Option<SessionPermit> {
        self.permit.take()
    }

    /// Returns what is left to do of a write that has begun.
    fn continue_writing(&mut self, now: Instant) -> Option<ServerAction> {
        if self.connection.output().is_empty() {
            // A flush that was cancelled is made up for.
            let deadline = self.unflushed.then(|| self.write_deadline.unwrap_or_else(|| self.deadline(now)));
            return deadline.map(|deadline| ServerAction::Io(Io::Flush(deadline)));
        }
        self.write_deadline.map(|deadline| ServerAction::Io(Io::Write(deadline)))
    }

    fn begin_writing(&mut self, now: Instant) -> ServerAction {
        self.count_failures(now);
        if let Some(until) = self.pause_until {
            return ServerAction::Pause(until.min(self.deadline(now)));
        }
        if self.write_deadline.is_none() {
            self.idle_deadline = None;
            self.write_deadline = Some(self.write_deadline(now));
        }
        ServerAction::Io(Io::Write(self.write_deadline.unwrap_or(now)))
    }

    /// Delays the reply to failed logins. Pipelined guesses wait for the sum of their delays.
    fn count_failures(&mut self, now: Instant) {
        let session = self.connection.session();
        let failed = session.failed_logins();
        let before = std::mem::replace(&mut self.failed_logins, failed);
        if failed > before {
            let source = session.proxied_client().map(|client| client.address).or(self.source);
            let delay = self.shared.login_delay(source, before + 1..=failed, now);
            self.pause_until = (!delay.is_zero()).then(|| deadline_after(now, delay));
        }
    }

    /// Before login no octet renews the deadline. While a message is sent, no buffer that the client has read renews it for ever.
    // H35
    fn deadline(&mut self, now: Instant) -> Instant {
        match self.connection.deadline() {
            Deadline::Login => self.login_deadline,
            Deadline::Idle => {
                let idle = self.shared.options().timeouts.idle;
                let idle = *self.idle_deadline.get_or_insert_with(|| deadline_after(now, idle));
                self.message_deadline.map_or(idle, |deadline| idle.min(deadline))
            }
        }
    }

    /// Returns when the output must be written: after the idle time-out, but not before a client that reads [`MIN_RATE`] has read it.
    fn write_deadline(&mut self, now: Instant) -> Instant {
        let deadline = self.deadline(now);
        if self.connection.deadline() == Deadline::Login {
            return deadline;
        }
        let at_rate = deadline_after(now, Duration::from_secs(self.connection.output().len() as u64 / MIN_RATE));
        deadline.max(self.message_deadline.map_or(at_rate, |message| at_rate.min(message)))
    }

    /// Returns the deadline for the check of a login's credentials.
    pub(super) fn login_check_deadline(&mut self, now: Instant) -> Instant {
        self.deadline(now)
    }

    /// Bounds the time for a message: the idle time-out, and what the message takes at [`MIN_RATE`].
    pub(super) fn limit_message(&mut self, number: MessageNumber, now: Instant) {
        self.limit_octets(self.connection.session().octets(number).unwrap_or(0), now);
    }

    /// Bounds the time for messages of `octets` that begin now.
    pub(super) fn limit_octets(&mut self, octets: u64, now: Instant) {
        let time = Duration::from_secs(octets / MIN_RATE);
        self.message_deadline = Some(deadline_after(now, self.shared.options().timeouts.idle.saturating_add(time)));
    }

    /// Appends the beginning of a message's piece to the output and returns its length. If the output has reached its high-water mark then,
    /// [`next_body_action`](Self::next_body_action) says what to do before the next piece.
    ///
    /// # Errors
    /// No message was begun.
    pub fn body(&mut self, piece: &[u8]) -> io::Result<(usize, BodyWants)> {
        let piece = piece.get(..PIECE).unwrap_or(piece);
        let wants = self.connection.answer().body(piece).map_err(io::Error::other)?;
        Ok((piece.len(), wants))
    }

    /// Returns what to do before more of a message is appended, if the output has reached its high-water mark; `None`: go on. So memory does
    /// not depend on the size of a message.
    // H33, H37
    pub fn next_body_action(&mut self, now: Instant) -> Option<ServerAction> {
        let action = self.continue_writing(now);
        action.or_else(|| self.connection.is_above_high_water().then(|| self.begin_writing(now)))
    }

    /// Returns what to do before all output is written and flushed; `None` if it is.
    pub fn next_flush_action(&mut self, now: Instant) -> Option<ServerAction> {
        let action = self.continue_writing(now);
        action.or_else(|| (!self.connection.output().is_empty()).then(|| self.begin_writing(now)))
    }

    /// Reports that an action has failed, and returns its error. [`io::ErrorKind::TimedOut`] means that its deadline has passed.
    pub fn failed(&self, error: io::Error) -> io::Error {
        if let (io::ErrorKind::TimedOut, Some(permit)) = (error.kind(), &self.permit) {
            permit.seat().set_timed_out();
        }
        error
    }

    /// Reports that the time of [`ServerAction::Pause`] is over.
    pub const fn paused(&mut self) {
        self.pause_until = None;
    }

    /// Reports that the server shuts down: the session ends when it would read next.
    pub const fn shut_down(&mut self) {
        self.shutting_down = true;
    }

    /// Continues the session after a handshake.
    ///
    /// # Errors
    /// The client sent data after `STLS`: close the connection.
    pub fn upgraded(&mut self, mut info: ConnectionInfo) -> io::Result<()> {
        info.trusted = self.connection.session().is_trusted();
        info.proxied_client = self.proxied_client;
        self.connection.upgrade(info).map_err(io::Error::other)
    }

    /// Returns how the session ended, for a log.
    pub fn ending(&self) -> String {
        let reason = self.connection.session().close_reason();
        reason.map_or_else(|| "the client disconnected, or the server ends".to_owned(), |reason| reason.to_string())
    }
}

impl Endpoint for ServerSession {
    fn output(&self) -> &[u8] {
        self.connection.output()
    }

    fn advance_written(&mut self, count: usize, _: Instant) {
        self.connection.advance_written(count);
        self.unflushed = true;
    }

    fn flushed(&mut self) {
        self.unflushed = false;
        self.write_deadline = None;
        self.idle_deadline = None;
    }

    fn unfilled(&mut self) -> &mut [u8] {
        self.connection.unfilled()
    }

    fn advance_read(&mut self, count: usize) {
        self.connection.advance_read(count);
    }
}
