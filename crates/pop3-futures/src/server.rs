//! The server: accepts connections and begins their sessions.

use std::io;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_driver::server::{AsyncMode, BlockingMode, ServerShared};
use pop3_driver::store::AsyncStore;
use pop3_driver::{ListenSecurity, ServerOptions, SessionPermit, deadline_after, server_methods};
use tracing::Instrument;

use crate::ServerRuntime;
use crate::mode::Mode;
use crate::server_stream::Stream;
use crate::session::Session;
use crate::stream::before;

/// Serves a store, on a runtime.
#[derive(Debug)]
pub struct Server<R, S, M = BlockingMode> {
    shared: Arc<ServerShared>,
    store: Arc<S>,
    runtime: PhantomData<fn() -> (R, M)>,
}

impl<R: ServerRuntime, S> Server<R, S> {
    /// A server that does not listen yet. Pass `()` as the store to use only [raw sessions](Self::raw_session).
    pub fn new(options: ServerOptions, store: S) -> Self {
        Self { shared: ServerShared::new(options), store: Arc::new(store), runtime: PhantomData }
    }
}

impl<R: ServerRuntime, S: AsyncStore> Server<R, S, AsyncMode> {
    /// A server that does not listen yet, over a store that waits without blocking a thread.
    pub fn with_async_store(options: ServerOptions, store: S) -> Self {
        Self { shared: ServerShared::new(options), store: Arc::new(store), runtime: PhantomData }
    }
}

impl<R: ServerRuntime, S, M> Server<R, S, M> {
    server_methods!(Session<R>, {async} {.await} R::TcpStream, R::Stream, Stream<R::Stream>, Instant::now);

    fn tcp(stream: R::TcpStream, _: &SessionPermit) -> io::Result<(Stream<R::Stream>, IpAddr)> {
        let peer = R::peer_address(&stream)?;
        Ok((R::stream(stream)?.into(), peer.ip()))
    }

    /// Shuts the server down: it accepts no more connections, and each session ends when its current command is answered. Messages that are
    /// marked as deleted stay unless `QUIT` was sent. Returns `false` if sessions are left after `within`.
    pub async fn shutdown(&self, within: Duration) -> bool {
        self.shared.limiter().begin_shutdown();
        let drained = async {
            self.shared.limiter().drained().await;
            Ok(())
        };
        before::<R, _>(deadline_after(Instant::now(), within), drained).await.is_ok()
    }
}

impl<R: ServerRuntime, S: Send + Sync + 'static, M: Mode<R, S>> Server<R, S, M> {
    server_methods!(store Session<R>, M, {async} {.await} R::TcpStream, R::Stream, Stream<R::Stream>, Instant::now);

    /// Accepts connections until the [shutdown](Self::shutdown) or until the listener fails. May be called for several listeners.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be accepted now, as without a free file descriptor, does not end the server.
    pub async fn serve(self: &Arc<Self>, listener: &R::TcpListener, listen: ListenSecurity) -> io::Result<()> {
        loop {
            let (stream, peer) = match self.shared.limiter().unless_shutdown(R::accept(listener)).await {
                Ok(accepted) => accepted,
                Err(_) if self.shared.limiter().is_shutting_down() => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    R::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let server = Arc::clone(self);
            let Some(permit) = self.shared.limiter().try_acquire() else {
                tracing::warn!(%peer, "too many sessions");
                continue;
            };
            let span = permit.span(peer);
            // A task of its own: whatever a session does, even a panic, ends this session only (H60).
            let session = async move {
                let seat = Arc::clone(permit.seat());
                // In a box: the futures around it would hold it more than once.
                let served = Box::pin(async { server.admit(R::stream(stream)?.into(), peer.ip(), listen, permit).await });
                seat.run(served).await;
            };
            R::spawn(session.instrument(span));
        }
    }
}
