//! The client: connecting, and the loop between the session and the stream.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

use pop3_driver::proto::client::{Action, Connection, RequestError};
use pop3_driver::{ClientAction, ClientSession, Error, client_methods, message_methods};

use crate::stream::{Canceller, Socket, Stream, Transport, perform};

/// A session with a POP3 server.
///
/// A call that fails with a [refusal](Error::refusal) leaves the session usable. After any other error a broken session returns its error
/// again.
pub struct Client {
    session: ClientSession,
    stream: Stream,
}

client_methods!([] [] {} {} Box<dyn Transport>, Stream, Instant::now, perform, thread::sleep);

impl Client {
    /// Returns a function that another thread may call to end this client's calls: it breaks the connection, so a call that waits fails at
    /// once and the session is over. `None` for a stream of the caller that cannot be interrupted.
    ///
    /// ```no_run
    /// # fn example(mut client: pop3_blocking::Client) -> Result<(), pop3_blocking::Error> {
    /// let cancel = client.canceller().expect("a client that has connected itself");
    /// std::thread::spawn(move || {
    ///     std::thread::sleep(std::time::Duration::from_secs(5));
    ///     cancel();
    /// });
    /// client.list()?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn canceller(&self) -> Option<Canceller> {
        self.stream.canceller()
    }

    fn close_stream(&mut self, deadline: Instant) -> io::Result<()> {
        self.stream.set_deadline(deadline)?;
        self.stream.close()
    }

    /// The one loop between the session and the stream.
    fn drive<T>(&mut self, mut next: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>) -> Result<T, Error> {
        loop {
            match self.session.next_action(Instant::now(), &mut next)? {
                ClientAction::Done(value) => return Ok(value),
                ClientAction::Io(io) => {
                    let done = perform(&mut self.stream, &mut self.session, io);
                    done.map_err(|error| self.session.failed(error))?;
                }
            }
        }
    }

    /// Returns the addresses of a host. The operating system has no time-out for that, so a thread waits for it.
    fn resolve(host: &str, port: u16, deadline: Instant) -> io::Result<Vec<SocketAddr>> {
        let (sender, receiver) = mpsc::channel();
        let host = host.to_owned();
        // After the time-out nothing receives the addresses.
        thread::spawn(move || drop(sender.send((host, port).to_socket_addrs().map(Iterator::collect))));
        let resolved = receiver.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        resolved.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    fn open_stream(address: SocketAddr, deadline: Instant) -> io::Result<Stream> {
        let stream = TcpStream::connect_timeout(&address, deadline.saturating_duration_since(Instant::now()))?;
        Ok(Box::new(Socket::new(stream)?))
    }
}

message_methods!([] [] {} {} impl Write, {blocking});
