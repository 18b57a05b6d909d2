//! What the tests need of the operating system: streams, a peer on loopback, threads. All else is the same for every driver.
#![allow(dead_code)] // Not every test needs all of it.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
pub use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Instant;

use pop3_blocking::Transport;
use pop3_blocking::rustls::{ClientConfig, ClientConnection, StreamOwned, pki_types::ServerName};
use pop3_contract::Feed;

pub type TlsStream<T> = StreamOwned<ClientConnection, T>;

/// A stream over a feed.
pub struct Stream(pub Feed);

impl Read for Stream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.0.read(space)
    }
}

impl Write for Stream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(self.0.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for Stream {
    fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
        Ok(())
    }
}

pub trait Duplex: Read + Write {}

impl<T: Read + Write> Duplex for T {}

/// A listener on a free port.
pub fn listen() -> (TcpListener, SocketAddr) {
    pop3_contract::limit_test();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

pub fn accept(listener: &TcpListener) -> TcpStream {
    listener.accept().unwrap().0
}

pub fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

pub fn handshake(config: &Arc<ClientConfig>, stream: TcpStream) -> TlsStream<TcpStream> {
    let name = ServerName::try_from("localhost").unwrap();
    StreamOwned::new(ClientConnection::new(Arc::clone(config), name).unwrap(), stream)
}

pub fn write(stream: &mut impl Duplex, bytes: &[u8]) {
    stream.write_all(bytes).unwrap();
    stream.flush().unwrap();
}

pub fn read(stream: &mut impl Duplex, space: &mut [u8]) -> io::Result<usize> {
    stream.read(space)
}

/// The next line.
pub fn heard(stream: &mut impl Duplex) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        line.push(byte[0]);
    }
    String::from_utf8(line).unwrap().trim_end().to_owned()
}

/// Says a line, and hears one.
pub fn say(stream: &mut impl Duplex, line: &str) -> String {
    write(stream, format!("{line}\r\n").as_bytes());
    heard(stream)
}

/// Something that runs beside the test.
pub struct Task<T>(thread::JoinHandle<T>);

impl<T> Task<T> {
    pub fn result(self) -> T {
        self.0.join().unwrap()
    }
}

pub fn spawn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Task<T> {
    Task(thread::spawn(work))
}

/// Does what blocks.
pub fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    work()
}

/// Says this to a peer that may have left.
pub fn try_write(stream: &mut impl Duplex, bytes: &[u8]) -> io::Result<()> {
    stream.write_all(bytes)?;
    stream.flush()
}

/// A connection of which only so much is read: then it ends, or nothing comes any more.
pub struct Short {
    pub stream: TcpStream,
    pub left: usize,
    pub ends: bool,
}

impl Read for Short {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            // What a socket says when its deadline has passed.
            return if self.ends { Ok(0) } else { Err(io::ErrorKind::TimedOut.into()) };
        }
        let much = self.left.min(space.len());
        let count = self.stream.read(&mut space[..much])?;
        self.left -= count;
        Ok(count)
    }
}

impl Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Transport for Short {
    fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
        Ok(())
    }
}
