//! One session of a server: the loop between it and its stream.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;
use std::{io, mem};

use futures_lite::future::or;
use futures_lite::io::AsyncWriteExt;
use futures_rustls::TlsAcceptor;
use pop3_driver::proto::server::{ConnectionInfo, LocalError};
use pop3_driver::server::{ServerAction, ServerSession, StoreAction, StoreSession};
use pop3_driver::store::{LoginError, Store};
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Endpoint, Io, SessionLimiter, session_methods};
use tracing::Span;

use crate::ServerRuntime;
use crate::stream::{Stream, before, closed, perform};

/// A session of a server, on the low level: the caller gets each question and answers when it can. Until then nothing more is read, and TCP
/// holds the client back.
pub struct Session<R: ServerRuntime> {
    session: ServerSession,
    stream: Stream<R::Stream>,
}

session_methods!([R: ServerRuntime] [R] {async} {.await} Stream<R::Stream>, Instant::now);

impl<R: ServerRuntime> Session<R> {
    /// Returns how the session ended. An error ends the connection in the middle of a message, so that the client does not take it for a
    /// complete one.
    async fn answer_all<S: Store>(mut session: StoreSession<S>, mut stream: Stream<R::Stream>) -> io::Result<String> {
        loop {
            match session.next_action(Instant::now())? {
                StoreAction::Io(action) => {
                    if Self::perform(session.session(), &mut stream, action).await?.is_break() {
                        return Ok(session.session().ending());
                    }
                }
                StoreAction::Check(pending, deadline) => {
                    let limiter = Arc::clone(session.session().shared().limiter());
                    let check = before::<R, _>(deadline, async { Ok(pending.outcome().await) });
                    let outcome = limiter.unless_shutdown(check).await;
                    session.checked(outcome.unwrap_or_else(|error| Err(LoginError::Io(error))))?;
                }
                StoreAction::Work => session = Self::work(session).await?,
            }
        }
    }

    async fn work<S: Store>(mut session: StoreSession<S>) -> io::Result<StoreSession<S>> {
        let (span, now) = (Span::current(), Instant::now());
        R::spawn_blocking(move || span.in_scope(|| session.work(now).map(|()| session))).await?
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        R::spawn(async { drop(R::spawn_blocking(work).await) });
    }

    /// Does what the session says on its stream. Breaks when the stream is closed.
    async fn perform(
        session: &mut ServerSession,
        stream: &mut Stream<R::Stream>,
        action: ServerAction,
    ) -> io::Result<ControlFlow<()>> {
        let limiter = Arc::clone(session.shared().limiter());
        match action {
            ServerAction::Io(io @ Io::Read(_)) => match limiter.unless_shutdown(perform::<R>(stream, session, io)).await {
                Err(_) if limiter.is_shutting_down() => session.shut_down(),
                read => read?,
            },
            ServerAction::Io(io) => perform::<R>(stream, session, io).await?,
            ServerAction::Pause(until) => {
                let pause = R::sleep(until.saturating_duration_since(Instant::now()));
                or(limiter.shutdown_begun(), pause).await;
                session.paused();
            }
            ServerAction::Handshake(tls, deadline) => {
                let clear = mem::replace(stream, closed());
                let (encrypted, info) = Self::accept_tls(clear, &tls, deadline, &limiter).await?;
                session.upgraded(info)?;
                *stream = encrypted;
            }
            ServerAction::Close(deadline) => {
                if let Err(error) = before::<R, _>(deadline, stream.close()).await {
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
        stream: &mut Stream<R::Stream>,
        end: &mut impl Endpoint,
        io: Io,
        limiter: &SessionLimiter,
    ) -> io::Result<()> {
        limiter.unless_shutdown(perform::<R>(stream, end, io)).await
    }

    /// Does a TLS handshake as the server, unless it shuts down meanwhile, and returns what is known of the connection.
    pub(crate) async fn accept_tls(
        stream: Stream<R::Stream>,
        tls: &ServerTls,
        deadline: Instant,
        limiter: &SessionLimiter,
    ) -> io::Result<(Stream<R::Stream>, ConnectionInfo)> {
        // In a box: the state of a handshake is large, and a session has none for most of its life.
        let handshake = Box::pin(before::<R, _>(deadline, TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream)));
        let accepted = limiter.unless_shutdown(handshake).await;
        let stream = accepted.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut | io::ErrorKind::ConnectionAborted => error,
            _ => TlsFailure::of_client(&error),
        })?;
        let info = tls::connection_info(stream.get_ref().1, tls)?;
        Ok((Stream::Tls(Box::new(stream.into())), info))
    }
}
