//! One session of a server: the loop between it and its stream.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use pop3_driver::proto::server::ConnectionInfo;
use pop3_driver::rustls::{ServerConnection, StreamOwned};
use pop3_driver::server::ServerSession;
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Endpoint, Io, SessionLimiter, session_methods};
use pop3_maildrop::{LoginError, Pending};

use crate::mode::Mode;
use crate::stream::{Stream, perform};

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
///         Question::Retrieve { .. } => {
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
    session: Box<ServerSession>,
    stream: Stream,
}

session_methods!([] [] {} {} [Mode<S>] Stream, Instant::now);

impl Session {
    fn check(pending: Pending, deadline: Instant, _: &SessionLimiter) -> Result<(), LoginError> {
        pending.wait(Some(deadline))
    }

    fn io(stream: &mut Stream, end: &mut impl Endpoint, io: Io) -> io::Result<()> {
        perform(stream, end, io)
    }

    fn pause(until: Instant, limiter: &SessionLimiter) {
        limiter.wait_stopped(until);
    }

    fn close(stream: &mut Stream, deadline: Instant) -> io::Result<()> {
        stream.set_deadline(deadline)?;
        stream.close()
    }

    /// Returns a stream that is closed, in the place of one whose handshake failed.
    fn closed() -> Stream {
        Box::new(io::empty())
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

/// Does a TLS handshake before the deadline.
pub(crate) fn handshake(
    connection: ServerConnection,
    mut stream: Stream,
    deadline: Instant,
) -> io::Result<StreamOwned<ServerConnection, Stream>> {
    stream.set_deadline(deadline)?;
    let mut stream = StreamOwned::new(connection, stream);
    while stream.conn.is_handshaking() {
        match stream.conn.complete_io(&mut stream.sock) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
    Ok(stream)
}
