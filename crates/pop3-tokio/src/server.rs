//! The server: who may come in, and with what. The store's calls, which may block, are made where they stop nobody else.

use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use pop3_driver::proto::server::{Channel, Origin, ServerConfig};
use pop3_driver::tls::{self, ServerTls};
use pop3_driver::{Gate, Listen, Place, ProxyHeader, ServerOptions};
use pop3_maildrop::Store;

use crate::handshake::shake;
use crate::runtime::{self, Instant, Stream, TcpListener, TcpStream, Transport, later};
use crate::session::Session;

/// Serves a store.
///
/// ```no_run
/// use std::sync::Arc;
/// use pop3_tokio::{Listen, Server, ServerOptions, maildrop::Memory, tls};
/// use tokio::net::TcpListener;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let certificate = tls::server(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
/// let server = Arc::new(Server::new(ServerOptions::with_tls(certificate), store));
/// server.serve(&TcpListener::bind("127.0.0.1:1100").await?, Listen::Plain).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server<S> {
    pub(crate) options: ServerOptions,
    /// One for all sessions.
    config: Arc<ServerConfig>,
    tls: RwLock<Option<ServerTls>>,
    /// What keys for users that there are not are made of.
    pub(crate) decoys: [u8; 18],
    pub(crate) store: Arc<S>,
    pub(crate) gate: Arc<Gate>,
}

impl<S: Store> Server<S> {
    /// A server that is not listening yet.
    pub fn new(options: ServerOptions, store: S) -> Self {
        Self {
            config: Arc::new(options.server_config()),
            tls: RwLock::new(options.tls.clone()),
            decoys: tls::chance().unwrap_or_default(),
            store: Arc::new(store),
            gate: Gate::new(options.max_sessions, options.max_sessions_per_source),
            options,
        }
    }

    /// Takes connections until the [end](Self::shutdown) or until the listener fails. May be called for several listeners.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be taken now, as when there are no more file descriptors, is no reason.
    pub async fn serve(self: &Arc<Self>, listener: &TcpListener, listen: Listen) -> io::Result<()> {
        self.gate.listens(listener.local_addr()?);
        loop {
            let (stream, peer) = match runtime::accept(listener, &self.gate).await {
                Ok(Some(accepted)) => accepted,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    runtime::pause(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let server = Arc::clone(self);
            let Some(mut place) = self.gate.enter() else {
                tracing::warn!(%peer, "too many sessions");
                continue;
            };
            let session = async move {
                match server.serve_connection(stream, listen, &mut place).await {
                    Ok(()) => tracing::debug!("session ended"),
                    Err(error) => tracing::info!(%error, "session broke"),
                }
            };
            if let Err(error) = runtime::spawn(tracing::info_span!("session", %peer), session) {
                tracing::warn!(%peer, %error, "a session could not begin");
            }
        }
    }

    /// Ends the server: no more connections are taken, and each session ends once the command that it works on is answered. What
    /// was marked as deleted and not followed by `QUIT` stays. Waits for so long; false if sessions are left then.
    pub async fn shutdown(&self, within: Duration) -> bool {
        self.gate.stop();
        runtime::wake(&self.gate.listening()).await;
        runtime::wait_emptied(&self.gate, later(within)).await
    }

    /// Puts another certificate in the place of the one that there is. Sessions that run go on with what they have. A server
    /// that began without TLS stays without, and one that did not ask for certificates does not offer `EXTERNAL`.
    pub fn renew_tls(&self, tls: impl Into<ServerTls>) {
        let mut current = self.tls.write().unwrap_or_else(PoisonError::into_inner);
        if current.is_some() {
            *current = Some(tls.into());
        }
    }

    /// The certificate for the next handshake.
    pub(crate) fn tls(&self) -> io::Result<ServerTls> {
        let current = self.tls.read().unwrap_or_else(PoisonError::into_inner);
        current.clone().ok_or_else(|| io::Error::other("there is no certificate for TLS"))
    }

    async fn serve_connection(&self, stream: TcpStream, listen: Listen, place: &mut Place) -> io::Result<()> {
        let login_deadline = later(self.options.timeouts.login);
        let peer = stream.peer_addr()?.ip();
        let trusted = self.options.trusts(peer);
        let mut stream = runtime::accepted(stream, place)?;
        let mut origin = None;
        if trusted && self.options.proxy_protocol {
            let mut header = ProxyHeader::default();
            let told = shake(&mut stream, &mut header, login_deadline);
            runtime::unless_stopped(&self.gate, told).await?;
            origin = header.origin();
        }
        // A proxy brings the clients of many sources.
        let source = if trusted { origin.map(|origin| origin.address) } else { Some(peer) };
        if source.is_some_and(|source| !place.claim(source)) {
            return Err(io::Error::other("too many sessions from one source"));
        }
        // Behind its header every octet is the client's, whom nobody trusts.
        let trusted = trusted && !self.options.proxy_protocol;
        self.begin(stream, listen, trusted, origin, login_deadline).await
    }

    /// Serves one connection to its end; how many there are, and what stands before the session as the PROXY protocol does, is the
    /// caller's business. Without a runtime such a session is not woken by [`shutdown`](Self::shutdown).
    ///
    /// # Errors
    /// The connection broke, or was silent for too long. Nothing was removed then (S18, S21).
    pub async fn session(&self, stream: TcpStream, listen: Listen) -> io::Result<()> {
        let trusted = self.options.trusts(stream.peer_addr()?.ip());
        self.begin(runtime::stream(stream)?, listen, trusted, None, later(self.options.timeouts.login)).await
    }

    /// The same over a stream of the caller's own.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub async fn session_over(&self, stream: Box<dyn Transport>, listen: Listen) -> io::Result<()> {
        self.begin(stream, listen, false, None, later(self.options.timeouts.login)).await
    }

    /// The same over a stream of which the caller knows more, as one that somebody else has encrypted already.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub async fn session_on(&self, stream: Box<dyn Transport>, channel: Channel) -> io::Result<()> {
        Session::new(self, Arc::clone(&self.config), stream, channel, later(self.options.timeouts.login)).run().await
    }

    /// TLS first, where the port has it, and then the greeting (S49), all within the time for a login (H12).
    async fn begin(
        &self,
        mut stream: Stream,
        listen: Listen,
        trusted: bool,
        origin: Option<Origin>,
        login_deadline: Instant,
    ) -> io::Result<()> {
        let mut channel = match listen {
            Listen::Plain => Channel::clear(tls::chance()?),
            Listen::Tls => {
                let channel;
                let tls = self.tls()?;
                let accepted = runtime::accept_tls(stream, &tls, login_deadline);
                (stream, channel) = runtime::unless_stopped(&self.gate, accepted).await?;
                channel
            }
        };
        (channel.trusted, channel.origin) = (trusted, origin);
        Session::new(self, Arc::clone(&self.config), stream, channel, login_deadline).run().await
    }
}
