//! One session of a server: the loop between it and its stream.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use futures_lite::future::or;
use futures_lite::io::AsyncWriteExt;
use futures_rustls::TlsAcceptor;
use pop3_driver::proto::server::ConnectionInfo;
use pop3_driver::server::ServerSession;
use pop3_driver::store::{LoginError, Pending};
use pop3_driver::tls::{self, ServerTls, TlsFailure};
use pop3_driver::{Endpoint, Io, SessionLimiter, session_methods};

use crate::ServerRuntime;
use crate::mode::Mode;
use crate::server_stream::Stream;
use crate::stream::{before, perform};

/// A session of a server, on the low level: the caller gets each question and answers when it can. Until then nothing more is read, and TCP
/// holds the client back.
pub struct Session<R: ServerRuntime> {
    session: Box<ServerSession>,
    stream: Stream<R::Stream>,
}

session_methods!([R: ServerRuntime] [R] {async} {.await} [Mode<R, S>] Stream<R::Stream>, Instant::now);

impl<R: ServerRuntime> Session<R> {
    async fn check(pending: Pending, deadline: Instant, limiter: &SessionLimiter) -> Result<(), LoginError> {
        let checked = limiter.unless_shutdown(before::<R, _>(deadline, async { Ok(pending.outcome().await) })).await;
        checked.unwrap_or_else(|error| Err(LoginError::Io(error)))
    }

    async fn io(stream: &mut Stream<R::Stream>, end: &mut impl Endpoint, io: Io) -> io::Result<()> {
        perform::<R>(stream, end, io).await
    }

    async fn pause(until: Instant, limiter: &SessionLimiter) {
        or(limiter.shutdown_begun(), R::sleep(until.saturating_duration_since(Instant::now()))).await;
    }

    async fn close(stream: &mut Stream<R::Stream>, deadline: Instant) -> io::Result<()> {
        before::<R, _>(deadline, stream.close()).await
    }

    fn closed() -> Stream<R::Stream> {
        Stream::Closed
    }

    // Does something on a stream, unless the server shuts down meanwhile.
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
