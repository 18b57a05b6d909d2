//! The client: connecting, and the loop between the session and the stream.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use pop3_driver::proto::client::{Action, Connection, RequestError};
use pop3_driver::{ClientAction, ClientSession, Error, client_methods, message_methods};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, lookup_host};

use crate::stream::{self, Stream, Transport, before, now, perform};

/// A session with a POP3 server.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session usable. After any other error a broken session returns its error
/// again. A future that is dropped leaves the session usable, too, except within a message of which more than
/// [`max_skipped`](pop3_driver::proto::client::ClientConfig::max_skipped) octets are left: replies that still come for it are skipped.
pub struct Client {
    session: ClientSession,
    stream: Stream,
}

client_methods!([] [] {async} {.await} Box<dyn Transport>, Stream, now, perform, tokio::time::sleep);

impl Client {
    async fn close_stream(&mut self, deadline: Instant) -> io::Result<()> {
        before(deadline, self.stream.shutdown()).await
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
}

message_methods!([] [] {async} {.await} impl AsyncWrite + Unpin, {tokio now, perform});
