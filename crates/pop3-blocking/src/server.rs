//! The server: accepts connections and begins their sessions.

use std::net::{IpAddr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, thread};

use pop3_driver::server::{BlockingMode, ServerShared};
use pop3_driver::{ListenSecurity, ServerOptions, SessionPermit, deadline_after, log_broken, server_methods};
use pop3_maildrop::Store;

use crate::session::Session;
use crate::stream::{Socket, Stream, Transport};

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
    shared: Arc<ServerShared>,
    store: Arc<S>,
}

impl<S> Server<S> {
    server_methods!(Session, {} {} TcpStream, Box<dyn Transport>, Stream, Instant::now);

    /// A server that does not listen yet. Pass `()` as the store to use only [raw sessions](Self::raw_session).
    pub fn new(options: ServerOptions, store: S) -> Self {
        Self { shared: ServerShared::new(options), store: Arc::new(store) }
    }

    /// Makes a stream of a connection, whose reads end with the shutdown.
    fn tcp(stream: TcpStream, permit: &SessionPermit) -> io::Result<(Stream, IpAddr)> {
        let peer = stream.peer_addr()?.ip();
        let socket = Socket::new(stream)?;
        permit.on_shutdown(socket.interrupter(Shutdown::Read));
        Ok((Box::new(socket), peer))
    }

    /// Shuts the server down: it accepts no more connections, and each session over TCP ends when its current command is answered; a
    /// session over a stream of the caller ends with that stream. Messages that are marked as deleted stay unless `QUIT` was sent. Returns `false` if sessions are left after `within`.
    pub fn shutdown(&self, within: Duration) -> bool {
        let limiter = self.shared.limiter();
        limiter.begin_shutdown();
        limiter.listening().into_iter().for_each(wake);
        limiter.wait_emptied(deadline_after(Instant::now(), within))
    }
}

/// Has a listener that waits for a connection notice the shutdown.
fn wake(mut address: SocketAddr) {
    if address.ip().is_unspecified() {
        address.set_ip(if address.is_ipv4() { [127, 0, 0, 1].into() } else { Ipv6Addr::LOCALHOST.into() });
    }
    // A listener that is closed already needs no waking.
    let _ = TcpStream::connect_timeout(&address, Duration::from_secs(1));
}

impl<S: Store> Server<S> {
    server_methods!(store Session, BlockingMode, {} {} TcpStream, Box<dyn Transport>, Stream, Instant::now);

    /// Accepts connections until the [shutdown](Self::shutdown) or until the listener fails. May be called for several listeners.
    ///
    /// # Errors
    /// The listener is broken. A connection that cannot be accepted now, as without a free file descriptor, does not end the server.
    pub fn serve(self: &Arc<Self>, listener: &TcpListener, listen: ListenSecurity) -> io::Result<()> {
        let limiter = self.shared.limiter();
        // A shutdown either finds the listener in the list, or is noticed here.
        limiter.listens(listener.local_addr()?);
        while !limiter.is_shutting_down() {
            let (stream, peer) = match listener.accept() {
                _ if limiter.is_shutting_down() => return Ok(()),
                Ok(accepted) => accepted,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == io::ErrorKind::InvalidInput => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "accept failed");
                    thread::sleep(Duration::from_millis(50));
                    continue;
                }
            };
            let server = Arc::clone(self);
            let Some(permit) = limiter.try_acquire() else {
                tracing::warn!(%peer, "too many sessions");
                continue;
            };
            let span = permit.span(peer);
            // A thread of its own: whatever a session does, even a panic, ends this session only (H60).
            let session = move || {
                let served = || Self::tcp(stream, &permit).and_then(|(stream, peer)| server.admit(stream, peer, listen, permit));
                span.in_scope(|| log_broken(served()));
            };
            if let Err(error) = thread::Builder::new().name("pop3 session".to_owned()).spawn(session) {
                tracing::warn!(%peer, %error, "a session could not begin");
            }
        }
        Ok(())
    }
}
