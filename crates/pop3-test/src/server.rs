//! The server: its threads, and the record of what clients did.

use std::collections::HashMap;
use std::io;
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use pop3_proto::server::ServerConfig;

use crate::builder::Builder;
use crate::dialogue::serve;
use crate::fault::{Fault, Kind};
use crate::store::{Message, TestStore};
use crate::tls::Certificate;

/// A POP3 server on a free port of 127.0.0.1. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// What the sessions share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Arc<ServerConfig>,
    pub(crate) store: Arc<TestStore>,
    pub(crate) certificate: Option<Certificate>,
    pub(crate) capabilities: Option<Vec<String>>,
    pub(crate) implicit_tls: bool,
    faults: Vec<Fault>,
    record: Mutex<Record>,
    ending: AtomicBool,
}

/// What clients did so far.
#[derive(Debug, Default)]
struct Record {
    commands: Vec<String>,
    counts: HashMap<String, usize>,
    /// The number of commands, without the responses to challenges.
    total: usize,
    /// The number of connections so far.
    sessions: usize,
    connections: Vec<Arc<TcpStream>>,
}

impl Shared {
    fn recorded(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records a line of a client. `verb` is empty for the response to a challenge.
    pub(crate) fn record(&self, verb: &str, line: String) {
        let mut record = self.recorded();
        record.commands.push(line);
        if !verb.is_empty() {
            record.total += 1;
            *record.counts.entry(verb.to_owned()).or_default() += 1;
        }
    }

    /// Returns the fault of the last command with this verb, if it has one.
    pub(crate) fn fault(&self, verb: &str) -> Option<&Kind> {
        let record = self.recorded();
        let (count, total) = match verb {
            "" => return None,
            "greeting" => (record.sessions, 0),
            verb => (record.counts.get(verb).copied().unwrap_or(0), record.total),
        };
        self.faults.iter().find(|fault| fault.occurs(verb, count, total)).map(|fault| &fault.kind)
    }
}

impl Server {
    /// Returns the settings of a server without users and without faults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts a server with one user, `joe` with the password `secret`, and these messages.
    ///
    /// # Errors
    /// The operating system has no free port.
    pub fn with_messages<T: AsRef<[u8]>>(messages: impl IntoIterator<Item = T>) -> io::Result<Self> {
        Self::builder().user("joe", "secret", messages).start()
    }

    pub(crate) fn start(builder: Builder, config: ServerConfig, certificate: Option<Certificate>) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            config: Arc::new(config),
            store: Arc::new(TestStore::new(builder.users)),
            certificate,
            capabilities: builder.capabilities,
            implicit_tls: builder.implicit_tls,
            faults: builder.faults,
            record: Mutex::default(),
            ending: AtomicBool::new(false),
        });
        let sessions = Arc::clone(&shared);
        let accepting = thread::Builder::new().name("pop3-test".to_owned()).spawn(move || accept(&listener, &sessions))?;
        Ok(Self { shared, address, accepting: Some(accepting) })
    }

    /// Returns the port.
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns the address and the port.
    pub const fn address(&self) -> SocketAddr {
        self.address
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
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut threads = Vec::new();
    for stream in listener.incoming() {
        if shared.ending.load(Ordering::Acquire) {
            break;
        }
        let Ok(stream) = stream else { continue };
        let stream = Arc::new(stream);
        {
            let mut record = shared.recorded();
            record.sessions += 1;
            record.connections.push(Arc::clone(&stream));
        }
        let shared = Arc::clone(shared);
        threads.extend(thread::Builder::new().spawn(move || {
            // A connection that breaks is an event of the test and no failure of the server.
            let _ = serve(&shared, &stream);
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
        for connection in self.shared.recorded().connections.drain(..) {
            let _ = connection.shutdown(Shutdown::Both);
        }
        // The listener notices the end at the next connection.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}
