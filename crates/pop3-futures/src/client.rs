//! The client: connecting, and the loop between the session and the stream.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use futures_lite::io::{AsyncWrite, AsyncWriteExt};
use pop3_driver::proto::client::{Action, Connection, RequestError};
use pop3_driver::{ClientAction, ClientSession, Error, client_methods, message_methods};

use crate::Runtime;
use crate::stream::{before, perform};

/// A session with a POP3 server, on a runtime.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session usable. After any other error a broken session returns its error
/// again. A future that is dropped leaves the session usable, too, except within a message of which more than
/// [`max_skipped`](pop3_driver::proto::client::ClientConfig::max_skipped) octets are left: replies that still come for it are skipped.
pub struct Client<R: Runtime> {
    session: ClientSession,
    stream: R::Stream,
}

client_methods!([R: Runtime] [R] {async} {.await} R::Stream, R::Stream, Instant::now, perform::<R>, R::sleep);

impl<R: Runtime> Client<R> {
    async fn close_stream(&mut self, deadline: Instant) -> io::Result<()> {
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

    async fn open_stream(address: SocketAddr, deadline: Instant) -> io::Result<R::Stream> {
        R::stream(before::<R, _>(deadline, R::connect(address)).await?)
    }
}

message_methods!([R: Runtime] [R] {async} {.await} impl AsyncWrite + Unpin, {futures Instant::now, perform::<R>});
