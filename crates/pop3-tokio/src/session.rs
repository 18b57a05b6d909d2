//! One session of a server: the loop between it and its stream.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use pop3_driver::proto::server::ConnectionInfo;
use pop3_driver::server::ServerSession;
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Endpoint, Io, SessionLimiter, session_methods};
use pop3_maildrop::{LoginError, Pending};
use tokio::io::AsyncWriteExt;
use tokio::time::sleep_until;
use tokio_rustls::TlsAcceptor;

use crate::mode::Mode;
use crate::stream::{Stream, before, now, perform};

/// A session of a server, on the low level: the caller gets each question and answers when it can. Until then nothing more is read, and TCP
/// holds the client back.
///
/// ```no_run
/// use std::sync::Arc;
/// use pop3_tokio::maildrop::Memory;
/// use pop3_tokio::proto::codec::UniqueId;
/// use pop3_tokio::proto::sasl::PresentedCredentials;
/// use pop3_tokio::proto::server::{LoginDenial, Question, Snapshot};
/// use pop3_tokio::{ListenSecurity, Server, ServerOptions};
/// use tokio::net::TcpListener;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let server = Server::new(ServerOptions::dangerous_cleartext(), ());
/// let (stream, _) = TcpListener::bind("127.0.0.1:1100").await?.accept().await?;
/// let mut session = server.raw_session(stream, ListenSecurity::Cleartext).await?;
/// while let Some(question) = session.next_question().await? {
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
///             session.send_body(b"hello\n").await?;
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

session_methods!([] [] {async} {.await} [Mode<S>] Stream, now);

impl Session {
    async fn check(pending: Pending, deadline: Instant, limiter: &SessionLimiter) -> Result<(), LoginError> {
        let checked = limiter.unless_shutdown(before(deadline, async { Ok(pending.outcome().await) })).await;
        checked.unwrap_or_else(|error| Err(LoginError::Io(error)))
    }

    async fn io(stream: &mut Stream, end: &mut impl Endpoint, io: Io) -> io::Result<()> {
        perform(stream, end, io).await
    }

    async fn pause(until: Instant, limiter: &SessionLimiter) {
        tokio::select! {
            biased;
            () = limiter.shutdown_begun() => {}
            () = sleep_until(until.into()) => {}
        }
    }

    async fn close(stream: &mut Stream, deadline: Instant) -> io::Result<()> {
        before(deadline, stream.shutdown()).await
    }

    /// Returns a stream that is closed, in the place of one whose handshake failed.
    fn closed() -> Stream {
        Box::new(tokio::io::empty())
    }

    // Does something on a stream, unless the server shuts down meanwhile.
    pub(crate) async fn perform_io(
        stream: &mut Stream,
        end: &mut impl Endpoint,
        io: Io,
        limiter: &SessionLimiter,
    ) -> io::Result<()> {
        limiter.unless_shutdown(perform(stream, end, io)).await
    }

    /// Does a TLS handshake as the server, unless it shuts down meanwhile, and returns what is known of the connection.
    pub(crate) async fn accept_tls(
        stream: Stream,
        tls: &ServerTls,
        deadline: Instant,
        limiter: &SessionLimiter,
    ) -> io::Result<(Stream, ConnectionInfo)> {
        // In a box: the state of a handshake is large, and a session has none for most of its life.
        let handshake = Box::pin(before(deadline, TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream)));
        let accepted = limiter.unless_shutdown(handshake).await;
        let stream = accepted.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::ConnectionAborted => error,
            _ => TlsFailure::of_client(&error),
        })?;
        let info = tls::connection_info(stream.get_ref().1, tls)?;
        Ok((Box::new(stream), info))
    }
}
