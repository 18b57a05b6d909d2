//! The server: accepts connections and begins their sessions.

use std::io;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::server::{AsyncMode, BlockingMode, ServerShared};
use pop3_driver::{ListenSecurity, ServerOptions, SessionPermit, server_methods};
use pop3_maildrop::AsyncStore;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use crate::mode::Mode;
use crate::session::Session;
use crate::stream::{self, Stream, Transport, now};
use crate::working::in_own_task;

/// Serves a store.
///
/// ```no_run
/// use std::sync::Arc;
/// use pop3_tokio::{ListenSecurity, Server, ServerOptions, maildrop::Memory, tls};
/// use tokio::net::TcpListener;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let certificate = tls::server(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
/// let server = Arc::new(Server::new(ServerOptions::with_tls(certificate), store));
/// server.serve(&TcpListener::bind("127.0.0.1:1100").await?, ListenSecurity::Cleartext).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server<S, M = BlockingMode> {
    shared: Arc<ServerShared>,
    store: Arc<S>,
    mode: PhantomData<fn() -> M>,
}

impl<S> Server<S> {
    /// A server that does not listen yet. Pass `()` as the store to use only [raw sessions](Self::raw_session).
    pub fn new(options: ServerOptions, store: S) -> Self {
        Self { shared: ServerShared::new(options), store: Arc::new(store), mode: PhantomData }
    }
}

impl<S: AsyncStore> Server<S, AsyncMode> {
    /// A server that does not listen yet, over a store that waits without blocking a thread.
    pub fn with_async_store(options: ServerOptions, store: S) -> Self {
        Self { shared: ServerShared::new(options), store: Arc::new(store), mode: PhantomData }
    }
}

impl<S, M> Server<S, M> {
    server_methods!(Session, {async} {.await} TcpStream, Box<dyn Transport>, Stream, now);

    fn tcp(stream: TcpStream, _: &SessionPermit) -> io::Result<(Stream, IpAddr)> {
        let peer = stream.peer_addr()?.ip();
        Ok((stream::tcp(stream)?, peer))
    }

    /// Shuts the server down: it accepts no more connections, and each session ends when its current command is answered. Messages that are
    /// marked as deleted stay unless `QUIT` was sent. Returns `false` if sessions are left after `within`.
    pub async fn shutdown(&self, within: Duration) -> bool {
        self.shared.limiter().begin_shutdown();
        timeout(within, self.shared.limiter().drained()).await.is_ok()
    }
}

impl<S: Send + Sync + 'static, M: Mode<S>> Server<S, M> {
    server_methods!(store Session, M, {async} {.await} TcpStream, Box<dyn Transport>, Stream, now);

    /// Accepts connections until the [shutdown](Self::shutdown) or until the listener fails. May be called for several listeners.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be accepted now, as without a free file descriptor, does not end the server.
    pub async fn serve(self: &Arc<Self>, listener: &TcpListener, listen: ListenSecurity) -> io::Result<()> {
        loop {
            let (stream, peer) = match self.shared.limiter().unless_shutdown(listener.accept()).await {
                Ok(accepted) => accepted,
                Err(_) if self.shared.limiter().is_shutting_down() => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    sleep(Duration::from_millis(50)).await;
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
                let served = Box::pin(async { server.admit(stream::tcp(stream)?, peer.ip(), listen, permit).await });
                seat.run(served).await;
            };
            tokio::spawn(in_own_task(session.instrument(span)));
        }
    }
}
