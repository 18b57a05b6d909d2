//! A dialogue in lines, which may be wrong on purpose.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use pop3_blocking::rustls::{ClientConfig, ClientConnection, StreamOwned};
use pop3_blocking::tls::{self, TlsFailure};
use pop3_blocking::{Error, Socket, Transport};

use crate::doctor::service::complete;

/// A line may have this many octets: more than the RFCs allow, so that longer lines are seen as such.
const LONGEST_LINE: usize = 4096;
/// A listing may have this many octets: the unique-ids of 200,000 messages.
const MOST_OCTETS: usize = 16 * 1024 * 1024;
/// A listing may take this long as a whole.
const LISTING: Duration = Duration::from_secs(60);
/// How long a server that should be silent is listened to.
const SHORT: Duration = Duration::from_millis(700);

trait Stream: Transport {
    fn set_limit(&mut self, deadline: Instant) -> io::Result<()>;
}

impl Stream for Socket {
    fn set_limit(&mut self, deadline: Instant) -> io::Result<()> {
        self.set_deadline(deadline)
    }
}

impl Stream for StreamOwned<ClientConnection, Box<dyn Transport>> {
    fn set_limit(&mut self, deadline: Instant) -> io::Result<()> {
        self.sock.set_deadline(deadline)
    }
}

fn without_end(mut line: Vec<u8>) -> Vec<u8> {
    while line.last().is_some_and(|octet| matches!(octet, b'\r' | b'\n')) {
        line.pop();
    }
    line
}

/// A connection to a server.
pub struct Dialogue {
    stream: Box<dyn Stream>,
    /// What was read and belongs to no line yet.
    buffer: Vec<u8>,
    limit: Duration,
}

impl Dialogue {
    pub fn connect(address: SocketAddr, limit: Duration) -> io::Result<Self> {
        let socket = Socket::new(TcpStream::connect_timeout(&address, limit)?)?;
        Ok(Self { stream: Box::new(socket), buffer: Vec::new(), limit })
    }

    /// Does a handshake, with a certificate that `config` trusts.
    pub fn start_tls(self, host: &str, config: &Arc<ClientConfig>) -> Result<Self, Error> {
        let failed = |error: &io::Error| Error::Tls(TlsFailure::of(error));
        let mut socket: Box<dyn Transport> = self.stream;
        socket.set_deadline(Instant::now() + self.limit)?;
        let mut connection = ClientConnection::new(Arc::clone(config), tls::server_name(host)?)
            .map_err(|error| Error::Tls(TlsFailure::from(&error)))?;
        complete(&mut connection, &mut socket).map_err(|error| failed(&error))?;
        // What came in the clear after `STLS` stays unread: nothing of it can be trusted.
        Ok(Self { stream: Box::new(StreamOwned::new(connection, socket)), buffer: Vec::new(), limit: self.limit })
    }

    /// Sends octets as they are.
    pub fn send(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.set_limit(Instant::now() + self.limit)?;
        self.stream.write_all(octets)?;
        self.stream.flush()
    }

    /// Sends a command, and returns the first line of the reply.
    pub fn ask(&mut self, command: &str) -> io::Result<Vec<u8>> {
        self.send(format!("{command}\r\n").as_bytes())?;
        self.line()
    }

    /// Returns the next line with its end, as it came.
    pub fn raw_line(&mut self) -> io::Result<Vec<u8>> {
        self.line_before(Instant::now() + self.limit)
    }

    fn line_before(&mut self, deadline: Instant) -> io::Result<Vec<u8>> {
        self.stream.set_limit(deadline)?;
        loop {
            if let Some(at) = self.buffer.iter().position(|octet| *octet == b'\n') {
                return Ok(self.buffer.drain(..=at).collect());
            }
            if self.buffer.len() > LONGEST_LINE {
                return Err(io::Error::other("a line does not end"));
            }
            let mut octets = [0; 4096];
            match self.stream.read(&mut octets) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(count) => self.buffer.extend_from_slice(&octets[..count]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the next line without its end.
    pub fn line(&mut self) -> io::Result<Vec<u8>> {
        Ok(without_end(self.raw_line()?))
    }

    /// Returns the lines of a listing up to the final dot.
    pub fn listing(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let deadline = Instant::now() + self.limit.max(LISTING);
        let mut lines = Vec::new();
        let mut octets = 0;
        loop {
            let line = without_end(self.line_before(deadline)?);
            if line == b"." {
                return Ok(lines);
            }
            octets += line.len() + 2;
            if octets > MOST_OCTETS {
                return Err(io::Error::other("a listing does not end"));
            }
            lines.push(line);
        }
    }

    /// Returns `true` if the server says something within a short time. Reads all that it says.
    pub fn speaks(&mut self) -> bool {
        let deadline = Instant::now() + SHORT.min(self.limit);
        let mut spoke = false;
        while Instant::now() < deadline && self.line_before(deadline).is_ok() {
            spoke = true;
        }
        spoke
    }

    /// Returns `true` if the server has closed the connection, or does so now.
    pub fn is_closed(&mut self) -> bool {
        matches!(self.raw_line(), Err(error) if error.kind() != io::ErrorKind::TimedOut)
    }
}
