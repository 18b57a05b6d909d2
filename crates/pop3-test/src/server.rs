//! The server: its threads, and the record of what clients did.

use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};

use crate::shared::Shared;
use crate::store::Message;
use crate::stream::serve;

/// A POP3 server on free ports of 127.0.0.1. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    main: Listening,
    tls: Option<Listening>,
}

/// A port, and the thread that accepts its connections.
#[derive(Debug)]
struct Listening {
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

impl Listening {
    fn begin(listener: TcpListener, implicit_tls: bool, shared: &Arc<Shared>) -> io::Result<Self> {
        let (address, shared) = (listener.local_addr()?, Arc::clone(shared));
        let accept = move || accept(&listener, implicit_tls, &shared);
        Ok(Self { address, accepting: Some(thread::Builder::new().name("pop3-test".to_owned()).spawn(accept)?) })
    }

    fn end(&mut self) {
        // The listener notices the end at the next connection.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}

impl Server {
    /// `tls_port` is `None` without a port for TLS.
    pub(crate) fn start(shared: Shared, port: u16, tls_port: Option<u16>) -> io::Result<Self> {
        let shared = Arc::new(shared);
        // Both ports are free before a thread begins.
        let bind = |port| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
        let (main, tls) = (bind(port)?, tls_port.map(bind).transpose()?);
        let main = Listening::begin(main, shared.implicit_tls, &shared)?;
        let tls = tls.map(|listener| Listening::begin(listener, true, &shared)).transpose()?;
        Ok(Self { shared, main, tls })
    }

    /// Returns the port.
    pub const fn port(&self) -> u16 {
        self.main.address.port()
    }

    /// Returns the second port, which expects TLS from the first octet; see [`Builder::tls_port`](crate::Builder::tls_port).
    pub const fn tls_port(&self) -> Option<u16> {
        match &self.tls {
            Some(listening) => Some(listening.address.port()),
            None => None,
        }
    }

    /// Returns the address and the port.
    pub const fn address(&self) -> SocketAddr {
        self.main.address
    }

    /// Connects in memory, as to [`port`](Self::port), and returns the client's end. The session runs in a task on the clock of tokio: on
    /// a paused one (`#[tokio::test(start_paused = true)]`) a client's time-out of a minute and a server that drips take no time.
    ///
    /// ```
    /// use std::time::Duration;
    /// use pop3_test::{Fault, Server};
    /// use pop3_tokio::{Client, ClientOptions, Error, Security};
    ///
    /// # #[tokio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let server = Server::builder().fault(Fault::on("greeting").drip(Duration::from_secs(10))).start()?;
    /// let options = ClientOptions::new(Security::DangerousCleartext);
    /// let connected = Client::with_stream(Box::new(server.connect()), "localhost", 110, &options, None).await;
    /// assert!(matches!(connected, Err(Error::TimedOut { .. })));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// Panics outside a runtime of tokio.
    #[cfg(feature = "tokio")]
    pub fn connect(&self) -> tokio::io::DuplexStream {
        let (client, stream) = tokio::io::duplex(64 * 1024);
        let mut record = self.shared.recorded();
        record.sessions += 1;
        let serving = crate::memory_stream::serve(Arc::clone(&self.shared), stream, record.sessions);
        // A connection that breaks is an event of the test and no failure of the server.
        record.tasks.push(tokio::spawn(async { drop(serving.await) }).abort_handle());
        client
    }

    /// Returns the certificate for `localhost` and 127.0.0.1 in PEM, which the client has to trust; `None` without TLS.
    pub fn certificate(&self) -> Option<&str> {
        self.shared.certificate.as_ref().map(|certificate| certificate.pem.as_str())
    }

    /// Returns all lines that clients have sent so far, without their line ends: commands and responses to challenges, passwords
    /// included.
    pub fn commands(&self) -> Vec<String> {
        self.shared.recorded().commands.clone()
    }

    /// Returns the number of connections so far.
    pub fn sessions(&self) -> usize {
        self.shared.recorded().sessions
    }

    /// Returns the messages that a user has now; none if there is no such user.
    pub fn messages(&self, user: &str) -> Vec<Vec<u8>> {
        self.shared.store.users().get(user).map(|user| texts(&user.messages)).unwrap_or_default()
    }

    /// Returns the messages of a user that clients have deleted, which takes `QUIT` (RFC 1939 §6).
    pub fn deleted(&self, user: &str) -> Vec<Vec<u8>> {
        self.shared.store.users().get(user).map(|user| texts(&user.deleted)).unwrap_or_default()
    }

    /// Delivers a message with this unique-id to a user. Sessions that have begun do not see it. Returns `false` if there is no such
    /// user.
    pub fn deliver(&self, user: &str, unique_id: &str, text: impl Into<Vec<u8>>) -> bool {
        let message = Message { unique_id: unique_id.to_owned(), text: text.into() };
        self.shared.store.users().get_mut(user).map(|user| user.messages.push(message)).is_some()
    }
}

fn texts(messages: &[Message]) -> Vec<Vec<u8>> {
    messages.iter().map(|message| message.text.clone()).collect()
}

/// Accepts connections until the server ends, and then waits for their threads.
fn accept(listener: &TcpListener, implicit_tls: bool, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        if shared.ending.load(Ordering::Acquire) {
            break;
        }
        let Ok(stream) = stream else { continue };
        // Otherwise each reply in a pipeline waits for the client's acknowledgement of the one before, 40 ms on Linux.
        let _ = stream.set_nodelay(true);
        let stream = Arc::new(stream);
        let session = {
            let mut record = shared.recorded();
            // The end closes the connections that are recorded, under the same lock.
            if shared.ending.load(Ordering::Acquire) {
                break;
            }
            record.sessions += 1;
            record.connections.push(Arc::clone(&stream));
            record.sessions
        };
        let shared = Arc::clone(shared);
        threads.extend(thread::Builder::new().spawn(move || {
            // A connection that breaks is an event of the test and no failure of the server.
            let _ = serve(shared, &stream, session, implicit_tls);
            let _ = stream.shutdown(Shutdown::Both);
        }));
    }
    for thread in threads {
        let _ = thread.join();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.ending.store(true, Ordering::Release);
        #[cfg(feature = "tokio")]
        for task in self.shared.recorded().tasks.drain(..) {
            task.abort();
        }
        for connection in self.shared.recorded().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        self.main.end();
        if let Some(tls) = &mut self.tls {
            tls.end();
        }
    }
}
