//! The client: connecting, TLS, and the loop between the session and the stream.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_driver::proto::client::{Action, Connection, RequestError};
use pop3_driver::proto::sasl::ChannelBinding;
use pop3_driver::tls::{self, TlsFailure};
use pop3_driver::{ClientAction, ClientSession, Error, client_methods, deadline_after, message_methods, rustls};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;

use crate::stream::{self, Stream, Transport, before, now, perform};

/// A session with a POP3 server.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session usable. After any other error a broken session returns its error
/// again. A future that is dropped leaves the session usable, too, except in a handshake and within a message of which more than
/// [`max_skipped`](pop3_driver::proto::client::ClientConfig::max_skipped) octets are left: replies that still come for it are skipped.
pub struct Client {
    session: ClientSession,
    stream: Stream,
}

client_methods!([] [] {async} {.await} Box<dyn Transport>, Stream, now, stream::closed, perform, tokio::time::sleep);

impl Client {
    async fn shut_down(&mut self) -> io::Result<()> {
        before(deadline_after(now(), self.session.timeouts().quit), self.stream.shutdown()).await
    }

    /// The one loop between the session and the stream.
    async fn drive<T>(&mut self, mut next: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>) -> Result<T, Error> {
        loop {
            match self.session.next_action(now(), &mut next)? {
                ClientAction::Done(value) => return Ok(value),
                ClientAction::Io(io) => {
                    let done = perform(&mut self.stream, &mut self.session, io).await;
                    done.map_err(|error| self.session.failed(error))?;
                }
            }
        }
    }

    async fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
        before(deadline, async { Ok(lookup_host((host, port)).await?.collect()) }).await
    }

    async fn open_stream(address: SocketAddr, deadline: Instant) -> io::Result<Stream> {
        stream::tcp(before(deadline, TcpStream::connect(address)).await?)
    }

    /// Starts TLS over `stream`, verified for `host`, and returns what a login can be bound to.
    async fn start_tls(
        stream: Stream,
        host: &str,
        config: &Arc<rustls::ClientConfig>,
        after: Duration,
    ) -> Result<(Stream, ChannelBinding), Error> {
        let handshake = TlsConnector::from(Arc::clone(config)).connect(tls::server_name(host)?, stream);
        let done = before(deadline_after(now(), after), handshake).await;
        let stream = done.map_err(|error| TlsFailure::of_handshake(&error, after))?;
        let binding = tls::client_binding(stream.get_ref().1);
        Ok((Box::new(stream), binding))
    }
}

message_methods!([] [] {async} {.await} impl AsyncWrite + Unpin, {tokio now, perform});
