//! One session of a server: the loop between it and its stream.

use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Instant;
use std::{io, mem};

use pop3_driver::proto::server::{ConnectionInfo, LocalError};
use pop3_driver::server::{ServerAction, ServerSession, StoreAction, StoreSession};
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Endpoint, Io, SessionLimiter, session_methods};
use pop3_maildrop::{LoginError, Store};
use tokio::io::AsyncWriteExt;
use tokio::runtime::Handle;
use tokio::task::{block_in_place, spawn_blocking};
use tokio::time::sleep_until;
use tokio_rustls::TlsAcceptor;
use tracing::Span;

use crate::stream::{self, Stream, before, now, perform};
use crate::working::Working;

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
///         Question::Retrieve(_) => {
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
    session: ServerSession,
    stream: Stream,
}

session_methods!([] [] {async} {.await} Stream, now);

impl Session {
    /// Returns how the session ended. An error ends the connection in the middle of a message, so that the client does not take it for a
    /// complete one.
    async fn answer_all<S: Store>(mut session: StoreSession<S>, mut stream: Stream) -> io::Result<String> {
        loop {
            match session.next_action(now())? {
                StoreAction::Io(action) => {
                    if Self::perform(session.session(), &mut stream, action).await?.is_break() {
                        return Ok(session.session().ending());
                    }
                }
                StoreAction::Check(pending, deadline) => {
                    let limiter = Arc::clone(session.session().shared().limiter());
                    let check = before(deadline, async { Ok(pending.outcome().await) });
                    let outcome = limiter.unless_shutdown(check).await;
                    session.checked(outcome.unwrap_or_else(|error| Err(LoginError::Io(error))))?;
                }
                StoreAction::Work => session = Self::work(session).await?,
            }
        }
    }

    /// Works where blocking stops no other session.
    async fn work<S: Store>(mut session: StoreSession<S>) -> io::Result<StoreSession<S>> {
        let (now, working) = (now(), Working::begin());
        if session.is_short_work() && working.may_block_in_place() {
            let worked = block_in_place(|| catch_unwind(AssertUnwindSafe(|| session.work(now))));
            return worked.unwrap_or_else(|_| Err(io::Error::other("the store panicked"))).map(|()| session);
        }
        let span = Span::current();
        spawn_blocking(move || {
            let _working = working;
            span.in_scope(|| session.work(now).map(|()| session))
        })
        .await?
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }

    /// Does what the session says on its stream. Breaks when the stream is closed.
    async fn perform(session: &mut ServerSession, stream: &mut Stream, action: ServerAction) -> io::Result<ControlFlow<()>> {
        let limiter = Arc::clone(session.shared().limiter());
        match action {
            ServerAction::Io(io @ Io::Read(_)) => match limiter.unless_shutdown(perform(stream, session, io)).await {
                Err(_) if limiter.is_shutting_down() => session.shut_down(),
                read => read?,
            },
            ServerAction::Io(io) => perform(stream, session, io).await?,
            ServerAction::Pause(until) => {
                tokio::select! {
                    biased;
                    () = limiter.shutdown_begun() => {}
                    () = sleep_until(until.into()) => {}
                }
                session.paused();
            }
            ServerAction::Handshake(tls, deadline) => {
                let clear = mem::replace(stream, stream::closed());
                let (encrypted, info) = Self::accept_tls(clear, &tls, deadline, &limiter).await?;
                session.upgraded(info)?;
                *stream = encrypted;
            }
            ServerAction::Close(deadline) => {
                if let Err(error) = before(deadline, stream.shutdown()).await {
                    tracing::debug!(%error, "closing the connection failed");
                }
                return Ok(ControlFlow::Break(()));
            }
            ServerAction::Answer(_) => return Err(io::Error::other(LocalError::Unanswered)),
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Does something on a stream, unless the server shuts down meanwhile.
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
