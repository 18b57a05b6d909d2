//! One session of a server: the loop between it and its stream.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use std::{io, mem};

use pop3_driver::proto::server::{ConnectionInfo, LocalError};
use pop3_driver::rustls::ServerConnection;
use pop3_driver::server::{ServerAction, ServerSession, StoreAction, StoreSession};
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Endpoint, Io, SessionLimiter, session_methods};
use pop3_maildrop::Store;

use crate::stream::{Stream, closed, handshake, perform};

/// A session of a server, on the low level: the caller gets each question and answers when it can. Until then nothing more is read, and TCP
/// holds the client back.
///
/// ```no_run
/// use pop3_blocking::proto::codec::UniqueId;
/// use pop3_blocking::proto::sasl::PresentedCredentials;
/// use pop3_blocking::proto::server::{LoginDenial, Question, Snapshot};
/// use pop3_blocking::{ListenSecurity, Server, ServerOptions};
/// use std::net::TcpListener;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(ServerOptions::dangerous_cleartext(), ());
/// let (stream, _) = TcpListener::bind("127.0.0.1:1100")?.accept()?;
/// let mut session = server.raw_session(stream, ListenSecurity::Cleartext)?;
/// while let Some(question) = session.next_question()? {
///     match question {
///         Question::Authenticate(login) => match &login.credentials {
///             PresentedCredentials::Password(password) if password.expose() == b"secret" => {
///                 let mut snapshot = Snapshot::default();
///                 snapshot.push(7, UniqueId::new("one")?)?;
///                 session.answer().accept(snapshot)?;
///             }
///             _ => session.answer().deny(LoginDenial::Credentials)?,
///         },
///         Question::Retrieve(_) => {
///             session.answer().begin_message()?;
///             session.send_body(b"hello\n")?;
///             session.answer().end_message()?;
///         }
///         Question::Commit => session.answer().finish_commit(0)?,
///         _ => return Err("this question is not expected".into()),
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct Session {
    session: ServerSession,
    stream: Stream,
}

session_methods!([] [] {} {} Stream, Instant::now);

impl Session {
    /// Returns how the session ended. An error ends the connection in the middle of a message, so that the client does not take it for a
    /// complete one.
    fn answer_all<S: Store>(mut session: StoreSession<S>, mut stream: Stream) -> io::Result<String> {
        loop {
            match session.next_action(Instant::now())? {
                StoreAction::Io(action) => {
                    if Self::perform(session.session(), &mut stream, action)?.is_break() {
                        return Ok(session.session().ending());
                    }
                }
                StoreAction::Check(pending, deadline) => session.checked(pending.wait(Some(deadline)))?,
                StoreAction::Work => session.work(Instant::now())?,
            }
        }
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        work();
    }

    /// Does what the session says on its stream. Breaks when the stream is closed.
    fn perform(session: &mut ServerSession, stream: &mut Stream, action: ServerAction) -> io::Result<ControlFlow<()>> {
        let limiter = Arc::clone(session.shared().limiter());
        match action {
            ServerAction::Io(Io::Read(_)) if limiter.is_shutting_down() => session.shut_down(),
            // The shutdown ends the reads of all connections.
            ServerAction::Io(io) => perform(stream, session, io)?,
            ServerAction::Pause(until) => {
                limiter.wait_stopped(until);
                session.paused();
            }
            ServerAction::Handshake(tls, deadline) => {
                let clear = mem::replace(stream, closed());
                let (encrypted, info) = Self::accept_tls(clear, &tls, deadline, &limiter)?;
                session.upgraded(info)?;
                *stream = encrypted;
            }
            ServerAction::Close(deadline) => {
                if let Err(error) = stream.set_deadline(deadline).and_then(|()| stream.close()) {
                    tracing::debug!(%error, "closing the connection failed");
                }
                return Ok(ControlFlow::Break(()));
            }
            ServerAction::Answer(_) => return Err(io::Error::other(LocalError::Unanswered)),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Does something on a stream. The shutdown ends its reads.
    pub(crate) fn perform_io(stream: &mut Stream, end: &mut impl Endpoint, io: Io, _: &SessionLimiter) -> io::Result<()> {
        perform(stream, end, io)
    }

    /// Does a TLS handshake as the server, and returns what is known of the connection. The shutdown ends its reads.
    pub(crate) fn accept_tls(
        stream: Stream,
        tls: &ServerTls,
        deadline: Instant,
        _: &SessionLimiter,
    ) -> io::Result<(Stream, ConnectionInfo)> {
        let connection = ServerConnection::new(Arc::clone(&tls.config)).map_err(io::Error::other)?;
        let stream = handshake(connection, stream, deadline).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => error,
            _ => TlsFailure::of_client(&error),
        })?;
        let info = tls::connection_info(&stream.conn, tls)?;
        Ok((Box::new(stream), info))
    }
}
