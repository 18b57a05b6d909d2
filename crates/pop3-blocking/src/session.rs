// Made from pop3-tokio/src/session.rs by crates/twins.py: change it there.

//! One session of a server, on the raw level: what the protocol leaves open is asked.

use std::io;
use std::mem;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use pop3_driver::proto::server::{
    Action, Answer, BodyWants, CloseReason, Connection, ConnectionInfo, Deadline, LocalError, ProxiedClient, Question,
    ServerConfig,
};
use pop3_driver::tls::ServerTls;
use pop3_driver::{LoginBackoff, LoginSlot, LoginSlots, Seat, ServerOptions, SessionLimiter};
use pop3_maildrop::{LoginError, Pending};

use crate::runtime::{self, Instant, Stream, later};

/// What all sessions of a server share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) options: ServerOptions,
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) limiter: Arc<SessionLimiter>,
    login_slots: LoginSlots,
    backoff: LoginBackoff,
    began: Instant,
    tls: RwLock<Option<ServerTls>>,
}

impl Shared {
    pub(crate) fn new(options: ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            config: Arc::new(options.server_config()),
            limiter: SessionLimiter::new(options.max_sessions, options.max_sessions_per_source),
            login_slots: LoginSlots::new(LOGINS_OF_ONE_USER),
            backoff: LoginBackoff::new(options.max_login_backoff),
            began: Instant::now(),
            tls: RwLock::new(options.tls.clone()),
            options,
        })
    }

    pub(crate) fn replace_tls(&self, tls: ServerTls) {
        let mut current = self.tls.write().unwrap_or_else(PoisonError::into_inner);
        if current.is_some() {
            *current = Some(tls);
        }
    }

    /// The certificate for the next handshake.
    pub(crate) fn tls(&self) -> io::Result<ServerTls> {
        let current = self.tls.read().unwrap_or_else(PoisonError::into_inner);
        current.clone().ok_or_else(|| io::Error::other("there is no certificate for TLS"))
    }
}

/// Logins of one user that may be in progress at once. Only one of them can get the maildrop.
const LOGINS_OF_ONE_USER: usize = 3;

/// Octets a second that a client must read of a message, on the whole: one that is slower holds a session for too long.
const MIN_RATE: u64 = 512;

/// A session of a server, on the raw level: the caller sees each question, and answers when it can. Until then nothing more is
/// read, and the client is held back by TCP.
///
/// ```no_run
/// use std::sync::Arc;
/// use pop3_blocking::maildrop::Memory;
/// use pop3_blocking::proto::codec::UniqueId;
/// use pop3_blocking::proto::sasl::PresentedCredentials;
/// use pop3_blocking::proto::server::{Question, LoginDenial, Snapshot};
/// use pop3_blocking::{ListenSecurity, Server, ServerOptions};
/// use std::net::TcpListener;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(ServerOptions::dangerous_cleartext(), ());
/// let (stream, _) = TcpListener::bind("127.0.0.1:1100")?.accept()?;
/// let mut session = server.raw_session(stream, ListenSecurity::Cleartext)?;
/// while let Some(ask) = session.ask()? {
///     match ask {
///         Question::Authenticate(login) if matches!(&login.credentials, PresentedCredentials::Password(password) if password.expose() == b"secret") => {
///             let mut snapshot = Snapshot::default();
///             snapshot.push(7, UniqueId::new("one")?)?;
///             session.answer().accept(snapshot)?;
///         }
///         Question::Authenticate(_) => session.answer().deny(LoginDenial::Credentials)?,
///         Question::Retrieve(_) => {
///             session.answer().begin_message()?;
///             session.body(b"hello\n")?;
///             session.answer().end_message()?;
///         }
///         Question::Commit => session.answer().finish_commit(0)?,
///         _ => return Err("it was not offered".into()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Session {
    shared: Arc<Shared>,
    connection: Connection,
    stream: Stream,
    /// Whom the peer has said that it speaks for, before the session.
    proxied_client: Option<ProxiedClient>,
    /// Where the client is, as far as the connection tells.
    source: Option<IpAddr>,
    /// Told when the client has logged in.
    seat: Option<Arc<Seat>>,
    /// Wrong passwords so far.
    failed_logins: u32,
    /// The answer to a wrong password waits until then.
    pause_until: Option<Instant>,
    login_deadline: Instant,
    /// Renewed by each command that was answered, and not by each byte (H36).
    idle_deadline: Option<Instant>,
    /// When the client must have read the message that is being sent.
    message_deadline: Option<Instant>,
    /// What was written may still lie in a buffer of the stream.
    unflushed: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(
        shared: Arc<Shared>,
        stream: Stream,
        channel: ConnectionInfo,
        source: Option<IpAddr>,
        seat: Option<Arc<Seat>>,
        login_deadline: Instant,
    ) -> Self {
        let proxied_client = channel.proxied_client;
        let connection = Connection::new(Arc::clone(&shared.config), channel);
        Self {
            shared,
            connection,
            stream,
            proxied_client,
            source,
            seat,
            failed_logins: 0,
            pause_until: None,
            login_deadline,
            idle_deadline: None,
            message_deadline: None,
            unflushed: false,
        }
    }

    /// The connection below, for what it can tell.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the answers to the last question; each [`Question`] names its own.
    pub const fn answer(&mut self) -> Answer<'_> {
        self.connection.answer()
    }

    pub(crate) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Writes what was answered, and reads until something is to be answered. `None`: the session is over, as the client is gone, has
    /// said `QUIT`, or the server ends; without an [`Question::Commit`] nothing may be removed (S18). `STLS` is done here, so
    /// it is never asked about. A future that is dropped loses nothing but in the middle of a handshake: then the session is over.
    ///
    /// # Errors
    /// The connection broke, or was silent for too long; what was asked before was not answered.
    pub fn ask(&mut self) -> io::Result<Option<Question>> {
        loop {
            let step = self.connection.next_action();
            if step != Action::Read {
                self.idle_deadline = None;
            }
            if self.connection.deadline() == Deadline::Idle
                && let Some(seat) = self.seat.take()
            {
                seat.set_logged_in();
            }
            match step {
                Action::Read => {
                    self.message_deadline = None;
                    let deadline = self.deadline();
                    if self.unflushed {
                        self.flush(deadline)?;
                    }
                    let limiter = &self.shared.limiter;
                    match runtime::read_unless_stopped(&mut self.stream, self.connection.unfilled(), deadline, limiter)? {
                        Some(0) => return Ok(None),
                        Some(count) => self.connection.advance_read(count),
                        None => {
                            tracing::info!("the server ends");
                            return Ok(self.close(deadline));
                        }
                    }
                }
                Action::Write => self.write()?,
                Action::UpgradeTls => self.upgrade()?,
                Action::Answer(ask) => {
                    if let Question::Retrieve(number) = &ask {
                        let octets = self.connection.session().octets(*number).unwrap_or(0);
                        self.limit_message(octets);
                    }
                    return Ok(Some(ask));
                }
                Action::Unanswered => return Err(io::Error::other(LocalError::Unanswered)),
                Action::Close => {
                    match self.connection.session().close_reason() {
                        Some(CloseReason::Quit) | None => tracing::debug!("the client is done"),
                        Some(ending) => tracing::info!("{ending}"),
                    }
                    let deadline = self.deadline();
                    return Ok(self.close(deadline));
                }
            }
        }
    }

    /// A piece of the message that was begun, as it lies in the store, with line ends of either kind. What has gathered is written, so
    /// that memory does not depend on what a message weighs (H33).
    ///
    /// # Errors
    /// No message was begun; the connection broke, or took too long.
    pub fn body(&mut self, piece: &[u8]) -> io::Result<BodyWants> {
        for part in piece.chunks(32 * 1024) {
            if self.connection.answer().body(part).map_err(io::Error::other)? == BodyWants::Enough {
                return Ok(BodyWants::Enough);
            }
            if self.connection.is_above_high_water() {
                self.idle_deadline = None;
                self.write()?;
            }
        }
        Ok(BodyWants::More)
    }

    /// Bounds the time for a message of so many octets that begins now: the idle time-out, and what it takes at [`MIN_RATE`].
    pub(crate) fn limit_message(&mut self, octets: u64) {
        let time = Duration::from_secs(octets / MIN_RATE);
        self.message_deadline = Some(later(self.shared.options.timeouts.idle.saturating_add(time)));
    }

    /// Before login no byte renews the deadline (H35), and while a message is sent no buffer that the client has read renews it for ever.
    fn deadline(&mut self) -> Instant {
        match self.connection.deadline() {
            Deadline::Login => self.login_deadline,
            Deadline::Idle => {
                let idle = *self.idle_deadline.get_or_insert_with(|| later(self.shared.options.timeouts.idle));
                self.message_deadline.map_or(idle, |deadline| idle.min(deadline))
            }
        }
    }

    /// How the session ended, for the log.
    pub(crate) fn ending(&self) -> String {
        let ending = self.connection.session().close_reason();
        ending.map_or_else(|| "the client disconnected, or the server ends".to_owned(), |ending| ending.to_string())
    }

    /// Where the client is, as far as the connection tells.
    pub(crate) const fn source(&self) -> Option<IpAddr> {
        self.source
    }

    /// Begins a login of a user; `None`: too many of them are in progress.
    pub(crate) fn login_slot(&self, user: &[u8]) -> Option<LoginSlot> {
        self.shared.login_slots.try_acquire(user)
    }

    /// Waits for the check of a login's credentials, until the deadline for the login.
    pub(crate) fn outcome(&mut self, pending: Pending) -> Result<(), LoginError> {
        let deadline = self.deadline();
        runtime::outcome(pending, deadline, &self.shared.limiter)
    }

    /// All is said: nothing depends on whether the client is still there for the farewell.
    fn close(&mut self, deadline: Instant) -> Option<Question> {
        if let Err(error) = runtime::close(&mut self.stream, deadline) {
            tracing::debug!(%error, "the client was gone before the end");
        }
        None
    }

    /// Has the answer to a wrong password wait, if one is to be written (H40). Nobody works meanwhile.
    fn pause(&mut self) {
        self.count_failures();
        if let Some(until) = self.pause_until {
            let left = until.min(self.deadline()).saturating_duration_since(Instant::now());
            runtime::pause_unless_stopped(left, &self.shared.limiter);
            self.pause_until = None;
        }
    }

    fn count_failures(&mut self) {
        let server = self.connection.session();
        let failed = server.failed_logins();
        let before = mem::replace(&mut self.failed_logins, failed);
        if failed > before {
            let (backoff, now) = (&self.shared.backoff, self.shared.began.elapsed());
            // Where nobody has told whom a session speaks for, as a proxy may not, it must not make others wait: it counts for itself.
            let source = server.proxied_client().map(|proxied_client| proxied_client.address).or(self.source);
            let wait = |count| source.map_or_else(|| backoff.delay_after(count), |source| backoff.record_failure(source, now));
            // Who guesses without waiting for an answer waits for all of them together.
            let pause: Duration = (before + 1..=failed).map(wait).sum();
            self.pause_until = (!pause.is_zero()).then(|| later(pause));
        }
    }

    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.pause();
        // One deadline for all of it: a peer that takes a byte now and then is no peer that reads.
        let deadline = self.deadline();
        while !self.connection.output().is_empty() {
            let count = runtime::write(&mut self.stream, self.connection.output(), deadline)?;
            self.connection.advance_written(count);
            self.unflushed = true;
        }
        self.flush(deadline)?;
        self.idle_deadline = None;
        Ok(())
    }

    /// Writes what can be written without a wait; whether that was all.
    pub(crate) fn write_now(&mut self) -> io::Result<bool> {
        self.count_failures();
        if self.pause_until.is_some() {
            return Ok(false);
        }
        while !self.connection.output().is_empty() {
            self.unflushed = true;
            match runtime::write_now(&mut self.stream, self.connection.output())? {
                Some(count) => self.connection.advance_written(count),
                None => return Ok(false),
            }
        }
        self.unflushed = !runtime::flush_now(&mut self.stream)?;
        self.idle_deadline = None;
        Ok(!self.unflushed)
    }

    /// Reads what has come already; whether that was anything. The end of it all, and what comes too late, is left to who waits for it.
    pub(crate) fn read_now(&mut self) -> io::Result<bool> {
        if self.shared.limiter.is_shutting_down() || Instant::now() >= self.deadline() {
            return Ok(false);
        }
        match runtime::read_now(&mut self.stream, self.connection.unfilled())? {
            None | Some(0) => Ok(false),
            Some(count) => {
                self.connection.advance_read(count);
                Ok(true)
            }
        }
    }

    /// A flush that was cancelled is made up for before the next read.
    fn flush(&mut self, deadline: Instant) -> io::Result<()> {
        runtime::flush(&mut self.stream, deadline)?;
        self.unflushed = false;
        Ok(())
    }

    fn upgrade(&mut self) -> io::Result<()> {
        let tls = self.shared.tls()?;
        self.connection.check_upgrade().map_err(io::Error::other)?;
        let stream = mem::replace(&mut self.stream, runtime::closed());
        let accepted = runtime::accept_tls(stream, &tls, self.login_deadline);
        let (stream, mut channel) = runtime::unless_stopped(&self.shared.limiter, accepted)?;
        channel.trusted = self.connection.session().is_trusted();
        channel.proxied_client = self.proxied_client;
        self.connection.upgrade(channel).map_err(io::Error::other)?;
        self.stream = stream;
        Ok(())
    }
}
