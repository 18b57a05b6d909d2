//! The client: connecting, TLS, and the loop between the session and the stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_lite::io::{AsyncWrite, AsyncWriteExt};
use futures_rustls::TlsConnector;
use pop3_driver::proto::client::{Action, Connection, RequestError};
use pop3_driver::proto::sasl::ChannelBinding;
use pop3_driver::tls::{self, TlsFailure};
use pop3_driver::{ClientAction, ClientSession, Error, client_methods, deadline_after, message_methods, rustls};

use crate::Runtime;
use crate::stream::{Stream, before, closed, perform};

/// A session with a POP3 server, on a runtime.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session usable. After any other error a broken session returns its error
/// again. A future that is dropped leaves the session usable, too, except in a handshake and within a message of which more than
/// [`max_skipped`](pop3_driver::proto::client::ClientConfig::max_skipped) octets are left: replies that still come for it are skipped.
pub struct Client<R: Runtime> {
    session: ClientSession,
    stream: Stream<R::Stream>,
}

client_methods!([R: Runtime] [R] {async} {.await} R::Stream, Stream<R::Stream>, Instant::now, closed, perform::<R>, R::sleep);

impl<R: Runtime> Client<R> {
    async fn shut_down(&mut self) -> io::Result<()> {
        let deadline = deadline_after(Instant::now(), self.session.timeouts().quit);
        before::<R, _>(deadline, self.stream.close()).await
    }

    /// The one loop between the session and the stream.
    async fn drive<T>(&mut self, mut next: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>) -> Result<T, Error> {
        loop {
            match self.session.next_action(Instant::now(), &mut next)? {
                ClientAction::Done(value) => return Ok(value),
                ClientAction::Io(io) => {
                    let done = perform::<R>(&mut self.stream, &mut self.session, io).await;
                    done.map_err(|error| self.session.failed(error))?;
                }
            }
        }
    }

    async fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
        before::<R, _>(deadline, R::resolve(host, port)).await
    }

    async fn open_stream(address: SocketAddr, deadline: Instant) -> io::Result<Stream<R::Stream>> {
        Ok(R::stream(before::<R, _>(deadline, R::connect(address)).await?)?.into())
    }

    /// Starts TLS over `stream`, verified for `host`, and returns what a login can be bound to.
    async fn start_tls(
        stream: Stream<R::Stream>,
        host: &str,
        config: &Arc<rustls::ClientConfig>,
        after: Duration,
    ) -> Result<(Stream<R::Stream>, ChannelBinding), Error> {
        let handshake = TlsConnector::from(Arc::clone(config)).connect(tls::server_name(host)?, stream);
        let done = before::<R, _>(deadline_after(Instant::now(), after), handshake).await;
        let stream = done.map_err(|error| TlsFailure::of_handshake(&error, after))?;
        let binding = tls::client_binding(stream.get_ref().1);
        Ok((Stream::Tls(Box::new(stream.into())), binding))
    }
}

message_methods!([R: Runtime] [R] {async} {.await} impl AsyncWrite + Unpin, {futures Instant::now, perform::<R>});
