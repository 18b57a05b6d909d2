//! The client of a driver, without I/O: it returns the next action and its deadline.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_proto::client::{
    Action, Awaiting, Connection, Deadline, LoginContext, LoginPolicy, Observer, Request, RequestError, Timeouts,
};
use pop3_proto::codec::Verb;
use pop3_proto::sasl::{ChannelBinding, Credentials};

use crate::client_trace::ClientTrace;
use crate::io::{Endpoint, Io};
use crate::time::deadline_after;
use crate::tls::{TlsConnector, TlsFailure, TlsLayer};
use crate::{ClientOptions, Error, Security, tls};

/// The next action of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientAction<T> {
    /// Nothing: here is the result.
    Done(T),
    /// Do this on the stream.
    Io(Io),
}

/// A client's connection with its TLS, its deadlines and the properties that a login needs. The driver passes the time as an argument,
/// reads, writes and waits.
///
/// A driver's loop, here over a server whose replies are known in advance:
///
/// ```
/// use std::time::Instant;
/// use pop3_driver::{ClientAction, ClientOptions, ClientSession, Endpoint, Error, Io, Security};
/// use pop3_driver::proto::client::requests;
///
/// let mut replies = [&b"+OK\r\n"[..], b"+OK 7 9000\r\n"].into_iter();
/// let options = ClientOptions::new(Security::DangerousAssumeEncrypted(Default::default()));
/// let mut session = ClientSession::new("pop.example.org", 995, &options, None, Instant::now())?;
/// let mut greet = requests::greet();
/// session.start(&mut greet)?;
/// let greeting = loop {
///     match session.next_action(Instant::now(), |connection| connection.next_action(&mut greet))? {
///         ClientAction::Done(greeting) => break greeting,
///         ClientAction::Io(Io::Read(_deadline)) => {
///             let reply = replies.next().unwrap();
///             session.unfilled()[..reply.len()].copy_from_slice(reply);
///             session.advance_read(reply.len());
///         }
///         ClientAction::Io(Io::Write(_deadline)) => session.advance_written(session.output().len(), Instant::now()),
///         ClientAction::Io(Io::Flush(_deadline)) => session.flushed(),
///     }
/// };
/// assert!(greeting.timestamp.is_none());
/// # Ok::<(), Error>(())
/// ```
pub struct ClientSession {
    connection: Connection,
    timeouts: Timeouts,
    /// The running deadline: its kind, the machine's activity when it began, and its end.
    running_deadline: Option<(Deadline, u64, Instant)>,
    /// What was written may still be in a buffer of the stream.
    unflushed: bool,
    last_sent: Instant,
    host: Arc<str>,
    port: u16,
    /// What a login can be bound to, if the stream was encrypted already.
    assumed_binding: ChannelBinding,
    tls: Option<TlsLayer>,
    /// The end of the handshake's time. It begins with the first action.
    handshake_deadline: Option<Instant>,
    /// For `STLS`.
    stls: Option<Arc<dyn TlsConnector>>,
    /// The time-out of the last action, and whether it was a read.
    last_action: (Duration, bool),
    /// An action on the stream has failed.
    stream_failed: bool,
    /// The session is over, so what fails is no failure of it.
    is_closing: bool,
    /// The log has the failure of the session.
    has_reported: bool,
    trace: ClientTrace,
}

impl fmt::Debug for ClientSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClientSession {{ host: {:?}, {:?} }}", self.host, self.connection.machine())
    }
}

impl ClientSession {
    /// Begins a session on a connection on which nothing was sent yet. The actions begin with the handshake of implicit TLS if the options
    /// require it.
    ///
    /// # Errors
    /// A certificate cannot contain `host`, or the settings for TLS cannot be used.
    pub fn new(
        host: &str,
        port: u16,
        options: &ClientOptions,
        observer: Option<Box<dyn Observer>>,
        now: Instant,
    ) -> Result<Self, Error> {
        let (mut assumed_binding, mut tls, mut stls) = (ChannelBinding::default(), None, None);
        let mut connection = match &options.security {
            Security::Tls(connector) => {
                tls = Some(TlsLayer::new(Arc::clone(connector).begin(host)?));
                Connection::new_encrypted(options.config.clone())
            }
            Security::DangerousAssumeEncrypted(bound) => {
                assumed_binding = bound.clone();
                Connection::new_encrypted(options.config.clone())
            }
            Security::Stls(connector) => {
                stls = Some(Arc::clone(connector));
                Connection::new(options.config.clone())
            }
            Security::DangerousCleartext => Connection::new(options.config.clone()),
        };
        let trace = ClientTrace::begin(host, port);
        if let Some(observer) = trace.observer(observer) {
            connection.observe(observer);
        }
        Ok(Self {
            connection,
            timeouts: options.timeouts,
            running_deadline: None,
            unflushed: false,
            last_sent: now,
            host: host.into(),
            port,
            assumed_binding,
            tls,
            handshake_deadline: None,
            stls,
            last_action: (Duration::ZERO, false),
            stream_failed: false,
            is_closing: false,
            has_reported: false,
            trace,
        })
    }

    /// Returns the connection, which reports the state of the session.
    pub const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Returns the connection, for commands on the low level.
    pub const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns the time-outs.
    pub const fn timeouts(&self) -> &Timeouts {
        &self.timeouts
    }

    /// Returns the host that a certificate must name.
    pub fn host(&self) -> Arc<str> {
        Arc::clone(&self.host)
    }

    /// Returns how many commands may be in flight: as many as the machine allows if the server announced `PIPELINING` (RFC 2449 §6.6),
    /// otherwise one.
    // S44
    pub fn window(&self) -> usize {
        let pipelining = self.connection.machine().capabilities().is_some_and(|capabilities| capabilities.pipelining);
        if pipelining { usize::MAX } else { 1 }
    }

    /// Starts a request.
    ///
    /// # Errors
    /// The session does not allow the request, or has failed.
    pub fn start<R: Request>(&mut self, request: &mut R) -> Result<(), Error> {
        Ok(self.connection.start(request)?)
    }

    /// Returns the next action. `next` continues a request or processes events.
    ///
    /// # Errors
    /// `next` failed, or TLS did.
    pub fn next_action<T>(
        &mut self,
        now: Instant,
        mut next: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>,
    ) -> Result<ClientAction<T>, Error> {
        if let Some(io) = self.handshake_action(now)? {
            return Ok(ClientAction::Io(io));
        }
        loop {
            // Before a result, too: the end of a handshake, or the alert that says why it failed.
            if self.tls.as_ref().is_some_and(|tls| !tls.sealed().is_empty()) {
                return Ok(ClientAction::Io(self.write_action(now)));
            }
            if let Some(error) = self.tls_failure() {
                return Err(error);
            }
            match next(&mut self.connection).map_err(|error| self.request_failed(error))? {
                Action::Done(value) => return Ok(ClientAction::Done(value)),
                Action::Write => match &mut self.tls {
                    Some(tls) => {
                        tls.write(self.connection.output());
                        self.connection.advance_written(self.connection.output().len());
                    }
                    None => return Ok(ClientAction::Io(self.write_action(now))),
                },
                Action::Read => {
                    let Some(tls) = &mut self.tls else { return Ok(ClientAction::Io(self.read_action(now))) };
                    match tls.read(self.connection.unfilled()) {
                        // A stream that ends too early fails the machine, which returns that error from the next action on.
                        Some(count) => _ = self.connection.advance_read(count),
                        // The next turn of the loop reports it, or writes what TLS itself answers.
                        None if tls.failure().is_some() || !tls.sealed().is_empty() => {}
                        None => return Ok(ClientAction::Io(self.read_action(now))),
                    }
                }
            }
        }
    }

    /// Returns what the handshake does next on the stream, if it is not done.
    fn handshake_action(&mut self, now: Instant) -> Result<Option<Io>, Error> {
        let after = self.timeouts.connect;
        let Some(tls) = &mut self.tls else { return Ok(None) };
        if tls.shake_hands() {
            if self.handshake_deadline.take().is_some() {
                self.trace.encrypted(tls.connection());
            }
            return Ok(None);
        }
        let until = *self.handshake_deadline.get_or_insert_with(|| deadline_after(now, after));
        self.last_action = (after, true);
        if !tls.sealed().is_empty() {
            return Ok(Some(Io::Write(until)));
        }
        match self.tls_failure() {
            Some(error) => Err(error),
            None if self.unflushed => Ok(Some(Io::Flush(until))),
            None => Ok(Some(Io::Read(until))),
        }
    }

    fn request_failed(&mut self, error: RequestError) -> Error {
        let error = Error::from(error);
        if error.ends_session() {
            self.report(&error);
        }
        error
    }

    /// Logs the first failure of the session.
    fn report(&mut self, error: &Error) {
        if !std::mem::replace(&mut self.has_reported, true) && !self.is_closing {
            self.trace.failed(error);
        }
    }

    fn tls_failure(&mut self) -> Option<Error> {
        let error = self.tls.as_ref()?.failure()?;
        self.report(&error);
        self.stream_failed = true;
        Some(error)
    }

    fn write_action(&mut self, now: Instant) -> Io {
        self.last_action = (self.timeouts.command, false);
        Io::Write(deadline_after(now, self.timeouts.command))
    }

    fn read_action(&mut self, now: Instant) -> Io {
        // A flush that was cancelled is repeated before the next read.
        if self.unflushed {
            self.last_action = (self.timeouts.command, false);
            return Io::Flush(deadline_after(now, self.timeouts.command));
        }
        Io::Read(self.read_deadline(now))
    }

    /// Octets alone do not renew the deadline: a server that sends one now and then must not hold the client forever.
    fn read_deadline(&mut self, now: Instant) -> Instant {
        let machine = self.connection.machine();
        let (deadline, activity) = (machine.deadline().unwrap_or(Deadline::Command), machine.activity());
        let after = self.timeouts.of(deadline);
        self.last_action = (after, true);
        match self.running_deadline {
            Some((running, at, until)) if (running, at) == (deadline, activity) => until,
            _ => {
                let until = deadline_after(now, after);
                self.running_deadline = Some((deadline, activity, until));
                until
            }
        }
    }

    /// Returns `true` if the session can be used, as far as is known: the machine is [alive](pop3_proto::client::Client::is_alive), and no
    /// action on the stream has failed.
    pub const fn is_alive(&self) -> bool {
        !self.stream_failed && self.connection.machine().is_alive()
    }

    /// Returns the error for an action that failed with `error`; [`io::ErrorKind::TimedOut`] means that its deadline has passed.
    pub fn failed(&mut self, error: io::Error) -> Error {
        let error = self.error_of(error);
        self.report(&error);
        self.stream_failed = true;
        error
    }

    fn error_of(&self, error: io::Error) -> Error {
        let (after, was_read) = self.last_action;
        // A server that has gone does not read the alert that says why this end leaves it.
        if let Some(failure) = self.tls.as_ref().and_then(TlsLayer::failure) {
            return failure;
        }
        let is_handshaking = self.handshake_deadline.is_some();
        match error.kind() {
            io::ErrorKind::TimedOut if is_handshaking => Error::TimedOut { waiting_for: "the TLS handshake was done", after },
            _ if is_handshaking => Error::Tls(TlsFailure::Other(error.to_string())),
            io::ErrorKind::TimedOut if was_read => {
                Error::TimedOut { waiting_for: self.connection.machine().waiting_for(), after }
            }
            io::ErrorKind::TimedOut => Error::TimedOut { waiting_for: "a command was sent", after },
            _ => error.into(),
        }
    }

    /// Returns how long ago a command was sent.
    pub fn idle_time(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last_sent)
    }

    /// Reports that a login with these credentials has succeeded, for the log.
    pub fn logged_in(&self, credentials: &Credentials) {
        self.trace.logged_in(credentials);
    }

    /// Returns `true` if the options require `STLS` before login.
    pub const fn requires_stls(&self) -> bool {
        self.stls.is_some()
    }

    /// Returns the policy for a login over this connection: without `STLS` where the options do not require it.
    pub fn login_policy(&self, policy: &LoginPolicy) -> LoginPolicy {
        LoginPolicy { stls: policy.stls && self.requires_stls(), ..policy.clone() }
    }

    /// Returns the properties of the connection that a login needs. `host` is [`host`](Self::host).
    ///
    /// # Errors
    /// The operating system has no random numbers.
    pub fn login_context<'h>(&self, host: &'h str) -> Result<LoginContext<'h>, Error> {
        Ok(LoginContext { host, port: self.port, nonce: tls::random()?, binding: self.binding() })
    }

    /// Begins the encrypted part of the session, after the server's `+OK` to `STLS`: the next actions are the handshake.
    ///
    /// # Errors
    /// The server sent data in the clear after its `+OK`, or has not sent it.
    // S46
    pub fn upgrade(&mut self) -> Result<(), Error> {
        // If TLS cannot begin, the session stays in the clear and knows it, and sends no password.
        let connector = self.stls.clone().ok_or(Error::Tls(TlsFailure::NotTls))?;
        let connection = connector.begin(&self.host)?;
        self.connection.upgrade()?;
        self.tls = Some(TlsLayer::new(connection));
        Ok(())
    }

    /// Ends the session: the next actions write the alert with which TLS ends, and do not wait longer than for `QUIT`.
    pub fn close(&mut self) {
        self.timeouts.command = self.timeouts.quit;
        self.is_closing = true;
        if let Some(tls) = &mut self.tls {
            tls.close();
        }
    }

    /// Returns what a login can be bound to, once the handshake is done.
    pub fn binding(&self) -> ChannelBinding {
        self.tls.as_ref().map_or_else(|| self.assumed_binding.clone(), |tls| tls.connection().channel_binding())
    }

    /// Returns the policy for a second attempt, on a new connection, after a login failed with `error`: some servers close the connection
    /// when they receive `CAPA`.
    // Q09
    pub fn retry_without_capa(&self, error: &Error, policy: &LoginPolicy) -> Option<LoginPolicy> {
        let closed_at_capa = error.is_disconnect() && self.connection.machine().awaiting() == Awaiting::Reply(Verb::Capa);
        (policy.capa && closed_at_capa).then(|| LoginPolicy { capa: false, ..policy.clone() })
    }
}

impl Endpoint for ClientSession {
    fn output(&self) -> &[u8] {
        self.tls.as_ref().map_or_else(|| self.connection.output(), TlsLayer::sealed)
    }

    fn advance_written(&mut self, count: usize, now: Instant) {
        match &mut self.tls {
            Some(tls) => tls.advance_sealed(count),
            None => self.connection.advance_written(count),
        }
        self.unflushed = true;
        self.last_sent = now;
    }

    fn flushed(&mut self) {
        self.unflushed = false;
    }

    fn unfilled(&mut self) -> &mut [u8] {
        match &mut self.tls {
            Some(tls) => tls.unfilled(),
            None => self.connection.unfilled(),
        }
    }

    fn advance_read(&mut self, count: usize) {
        match &mut self.tls {
            Some(tls) => tls.advance_received(count),
            // A stream that ends too early fails the machine, which returns that error from the next action on.
            None => _ = self.connection.advance_read(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use pop3_proto::client::requests;

    fn session(now: Instant) -> ClientSession {
        let options = ClientOptions::new(Security::DangerousAssumeEncrypted(ChannelBinding::default()));
        ClientSession::new("host", 995, &options, None, now).unwrap()
    }

    fn read(session: &mut ClientSession, bytes: &[u8]) {
        session.unfilled()[..bytes.len()].copy_from_slice(bytes);
        session.advance_read(bytes.len());
    }

    #[test]
    fn octets_of_an_unfinished_line_do_not_renew_the_deadline() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let mut session = session(start);
        let mut greet = requests::greet();
        session.start(&mut greet).unwrap();
        for (n, byte) in b"+OK ready".iter().enumerate() {
            let now = start + second * u32::try_from(n).unwrap();
            let action = session.next_action(now, |connection| connection.next_action(&mut greet)).unwrap();
            assert!(action == ClientAction::Io(Io::Read(start + Timeouts::default().greeting)), "{n}");
            read(&mut session, &[*byte]);
        }
        let timed_out = session.failed(io::ErrorKind::TimedOut.into());
        assert_eq!(timed_out.to_string(), "the server was silent, or too slow, for 60 seconds while its greeting was awaited");
    }

    #[test]
    fn a_cancelled_flush_is_repeated_before_the_next_read() {
        let now = Instant::now();
        let mut session = session(now);
        read(&mut session, b"+OK\r\n");
        let mut greet = requests::greet();
        session.start(&mut greet).unwrap();
        session.next_action(now, |connection| connection.next_action(&mut greet)).unwrap();
        let mut capa = requests::capa();
        session.start(&mut capa).unwrap();
        let until = now + Timeouts::default().command;
        let mut next =
            |session: &mut ClientSession| match session.next_action(now, |connection| connection.next_action(&mut capa)).unwrap()
            {
                ClientAction::Io(io) => io,
                ClientAction::Done(_) => panic!("there is no reply"),
            };
        assert_eq!(next(&mut session), Io::Write(until));
        session.advance_written(session.output().len(), now);
        assert_eq!(next(&mut session), Io::Flush(until));
        assert_eq!(next(&mut session), Io::Flush(until), "the driver was cancelled in the flush");
        session.flushed();
        assert_eq!(next(&mut session), Io::Read(until));
        assert_eq!(session.idle_time(now + Duration::from_secs(7)), Duration::from_secs(7));
    }

    #[test]
    fn h13_a_stream_that_ends_too_early_fails_the_next_action() {
        let now = Instant::now();
        let mut session = session(now);
        let mut greet = requests::greet();
        session.start(&mut greet).unwrap();
        session.advance_read(0);
        let error = session.next_action(now, |connection| connection.next_action(&mut greet)).unwrap_err();
        assert!(error.is_disconnect(), "{error}");
    }
}
