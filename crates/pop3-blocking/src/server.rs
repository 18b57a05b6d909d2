// Made from pop3-tokio/src/server.rs by crates/twins.py: change it there.

//! The server: who may come in, and with what. The store's calls, which may block, are made where they stop nobody else.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::proto::server::{ConnectionInfo, ProxiedClient};
use pop3_driver::tls::{self, ServerTls};
use pop3_driver::{ListenSecurity, ProxyHeader, Seat, ServerOptions, SessionPermit};
use pop3_maildrop::{Store, StoreResponder};

use crate::proxy_handshake::run_proxy_handshake;
use crate::runtime::{self, Instant, Stream, TcpListener, TcpStream, Transport, later};
use crate::serving::serve;
use crate::session::{Session, Shared};

/// Serves a store.
///
/// ```no_run
/// use std::sync::Arc;
/// use pop3_blocking::{ListenSecurity, Server, ServerOptions, maildrop::Memory, tls};
/// use std::net::TcpListener;
///
/// # fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let certificate = tls::server(&std::fs::read("cert.pem")?, &std::fs::read("key.pem")?)?;
/// let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
/// let server = Arc::new(Server::new(ServerOptions::with_tls(certificate), store));
/// server.serve(&TcpListener::bind("127.0.0.1:1100")?, ListenSecurity::Cleartext)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Server<S> {
    shared: Arc<Shared>,
    /// What keys for users that there are not are made of. `None`: the operating system had no random numbers, so no session begins.
    decoy_secret: Option<[u8; 18]>,
    store: Arc<S>,
}

impl<S> Server<S> {
    /// A server that is not listening yet. Whoever answers all questions in [raw sessions](Self::raw_session) gives `()` as the store.
    pub fn new(options: ServerOptions, store: S) -> Self {
        Self { shared: Shared::new(options), decoy_secret: tls::random().ok(), store: Arc::new(store) }
    }

    /// Ends the server: no more connections are taken, and each session ends once the command that it works on is answered. What
    /// was marked as deleted and not followed by `QUIT` stays. Waits for so long; false if sessions are left then.
    pub fn shutdown(&self, within: Duration) -> bool {
        let limiter = &self.shared.limiter;
        limiter.begin_shutdown();
        runtime::wake(&limiter.listening());
        runtime::wait_emptied(limiter, later(within))
    }

    /// Puts another certificate in the permit of the one that there is. Sessions that run go on with what they have. A server
    /// that began without TLS stays without, and one that did not ask for certificates does not offer `EXTERNAL`.
    pub fn replace_tls(&self, tls: impl Into<ServerTls>) {
        self.shared.replace_tls(tls.into());
    }

    /// The raw level: a session whose questions the caller answers. How many there are, and what stands before the session as the
    /// PROXY protocol does, is the caller's business, too.
    ///
    /// # Errors
    /// The handshake failed.
    pub fn raw_session(&self, stream: TcpStream, listen: ListenSecurity) -> io::Result<Session> {
        let address = stream.peer_addr()?.ip();
        let trusted = self.shared.options.trusts(address);
        let peer = Peer { trusted, source: (!trusted).then_some(address), ..Peer::default() };
        let deadline = later(self.shared.options.timeouts.login);
        self.begin(runtime::stream(stream)?, listen, peer, deadline)
    }

    /// The same over a stream of the caller's own.
    ///
    /// # Errors
    /// See [`raw_session`](Self::raw_session).
    pub fn raw_session_with_stream(&self, stream: Box<dyn Transport>, listen: ListenSecurity) -> io::Result<Session> {
        self.begin(stream, listen, Peer::default(), later(self.shared.options.timeouts.login))
    }

    /// TLS first, where the port has it, and then the greeting (S49), all within the time for a login (H12).
    fn begin(&self, mut stream: Stream, listen: ListenSecurity, peer: Peer, login_deadline: Instant) -> io::Result<Session> {
        let mut channel = match listen {
            ListenSecurity::Cleartext => ConnectionInfo::clear(tls::random()?),
            ListenSecurity::ImplicitTls => {
                let channel;
                let tls = self.shared.tls()?;
                let accepted = runtime::accept_tls(stream, &tls, login_deadline);
                (stream, channel) = runtime::unless_stopped(&self.shared.limiter, accepted)?;
                channel
            }
        };
        (channel.trusted, channel.proxied_client) = (peer.trusted, peer.proxied_client);
        Ok(Session::new(Arc::clone(&self.shared), stream, channel, peer.source, peer.seat, login_deadline))
    }
}

/// What is known of who connects.
#[derive(Clone, Default)]
struct Peer {
    /// A proxy whose word is taken.
    trusted: bool,
    /// Whom it has said that it speaks for.
    proxied_client: Option<ProxiedClient>,
    /// Where the client is.
    source: Option<IpAddr>,
    seat: Option<Arc<Seat>>,
}

impl<S: Store> Server<S> {
    /// Takes connections until the [end](Self::shutdown) or until the listener fails. May be called for several listeners.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be taken now, as when there are no more file descriptors, is no reason.
    pub fn serve(self: &Arc<Self>, listener: &TcpListener, listen: ListenSecurity) -> io::Result<()> {
        self.shared.limiter.listens(listener.local_addr()?);
        loop {
            let (stream, peer) = match runtime::accept(listener, &self.shared.limiter) {
                Ok(Some(accepted)) => accepted,
                Ok(None) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be taken");
                    runtime::pause(Duration::from_millis(50));
                    continue;
                }
            };
            let server = Arc::clone(self);
            let Some(mut permit) = self.shared.limiter.try_acquire() else {
                tracing::warn!(%peer, "too many sessions");
                continue;
            };
            // Whatever a session does, a panic too, ends this session only (H60).
            let session = move || {
                let seat = Arc::clone(permit.seat());
                let served = server.serve_connection(stream, peer.ip(), listen, &mut permit);
                match runtime::unless_evicted(&seat, served) {
                    Ok(()) => {}
                    Err(error) => tracing::debug!(%error, "session broke"),
                }
            };
            if let Err(error) = runtime::spawn(tracing::info_span!("session", %peer), session) {
                tracing::warn!(%peer, %error, "a session could not begin");
            }
        }
    }

    fn serve_connection(
        &self,
        stream: TcpStream,
        peer: IpAddr,
        listen: ListenSecurity,
        permit: &mut SessionPermit,
    ) -> io::Result<()> {
        let login_deadline = later(self.shared.options.timeouts.login);
        let trusted = self.shared.options.trusts(peer);
        let mut stream = runtime::accepted(stream, permit)?;
        let mut proxied_client = None;
        if trusted && self.shared.options.proxy_protocol {
            let mut header = ProxyHeader::default();
            let told = run_proxy_handshake(&mut stream, &mut header, login_deadline);
            runtime::unless_stopped(&self.shared.limiter, told)?;
            proxied_client = header.proxied_client();
        }
        // A proxy brings the clients of many sources.
        let source = if trusted { proxied_client.map(|proxied_client| proxied_client.address) } else { Some(peer) };
        if source.is_some_and(|source| !permit.set_source(source)) {
            return Err(io::Error::other("too many sessions from one source"));
        }
        // Behind its header every octet is the client's, whom nobody trusts.
        let trusted = trusted && !self.shared.options.proxy_protocol;
        let session = self.begin(
            stream,
            listen,
            Peer { trusted, proxied_client, source, seat: Some(Arc::clone(permit.seat())) },
            login_deadline,
        )?;
        self.run(session)
    }

    /// Serves one connection to its end; how many there are, and what stands before the session as the PROXY protocol does, is the
    /// caller's business. Without a runtime such a session is not woken by [`shutdown`](Self::shutdown).
    ///
    /// # Errors
    /// The connection broke, or was silent for too long. Nothing was removed then (S18, S21).
    pub fn session(&self, stream: TcpStream, listen: ListenSecurity) -> io::Result<()> {
        self.run(self.raw_session(stream, listen)?)
    }

    /// The same over a stream of the caller's own.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub fn serve_stream(&self, stream: Box<dyn Transport>, listen: ListenSecurity) -> io::Result<()> {
        self.run(self.raw_session_with_stream(stream, listen)?)
    }

    /// The same over a stream of which the caller knows more, as one that somebody else has encrypted already.
    ///
    /// # Errors
    /// See [`session`](Self::session).
    pub fn serve_stream_with_info(&self, stream: Box<dyn Transport>, channel: ConnectionInfo) -> io::Result<()> {
        let deadline = later(self.shared.options.timeouts.login);
        self.run(Session::new(Arc::clone(&self.shared), stream, channel, None, None, deadline))
    }

    fn run(&self, session: Session) -> io::Result<()> {
        let decoy_secret = self.decoy_secret.ok_or_else(|| io::Error::other("the operating system has no random numbers"))?;
        let responder = StoreResponder::new(Arc::clone(&self.store), decoy_secret).with_address(session.source());
        serve(session, responder)
    }
}
