//! What really answers at an address and port.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use pop3_blocking::proto::client::Service;
use pop3_blocking::rustls::{ClientConnection, StreamOwned};
use pop3_blocking::tls::{self, TlsFailure};
use pop3_blocking::{Error, Socket, Transport};

use super::certificate::Handshake;

/// How a session begins on a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begins {
    WithTls,
    InClear,
}

/// What was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A greeting. Holds its text.
    Pop3(Vec<u8>),
    /// A greeting that refuses sessions. Holds its text.
    Refuses(Vec<u8>),
    /// Another protocol.
    Other(Service),
    /// Something else. Holds its beginning.
    Unknown(Vec<u8>),
    /// Nothing.
    Silent,
    /// The end of the connection.
    Closed,
    /// TLS whose handshake fails whatever the certificate is.
    TlsFails(TlsFailure),
}

/// An answer, and how the session began.
#[derive(Debug)]
pub struct Answer {
    pub kind: Kind,
    /// The handshake, if the session began with TLS.
    pub tls: Option<Handshake>,
    pub took: Duration,
}

/// Connects and listens, as `expected` first, and otherwise in the other way. Sends no credentials, so it accepts every certificate.
pub fn identify(address: SocketAddr, host: &str, expected: Begins, limit: Duration) -> Result<Answer, Error> {
    let start = Instant::now();
    let in_clear = || -> Result<Kind, Error> { Ok(listen(&mut connect(address, limit)?, limit)) };
    let with_tls = || -> Result<Result<(Kind, Handshake), TlsFailure>, Error> {
        Ok(match handshake(connect(address, limit)?, host)? {
            Ok((mut stream, handshake)) => Ok((listen(&mut stream, limit), handshake)),
            Err(failure) => Err(failure),
        })
    };
    let (kind, tls) = match expected {
        Begins::WithTls => match with_tls()? {
            Ok((kind, handshake)) => (kind, Some(handshake)),
            Err(failure) => match in_clear()? {
                // The server waits for a handshake that fails, or for nothing at all.
                Kind::Silent | Kind::Closed | Kind::Other(Service::Tls) => (Kind::TlsFails(failure), None),
                kind => (kind, None),
            },
        },
        Begins::InClear => match in_clear()? {
            kind @ (Kind::Silent | Kind::Closed | Kind::Other(Service::Tls)) => match with_tls()? {
                Ok((kind, handshake)) => (kind, Some(handshake)),
                Err(_) => (kind, None),
            },
            kind => (kind, None),
        },
    };
    Ok(Answer { kind, tls, took: start.elapsed() })
}

/// Begins a session in the clear and does the handshake after `STLS`. `None` if the server refuses `STLS`.
pub fn stls_handshake(address: SocketAddr, host: &str, limit: Duration) -> Result<Option<Result<Handshake, TlsFailure>>, Error> {
    let mut socket = connect(address, limit)?;
    if !read_line(&mut socket)?.starts_with(b"+OK") {
        return Ok(None);
    }
    socket.write_all(b"STLS\r\n")?;
    if !read_line(&mut socket)?.starts_with(b"+OK") {
        return Ok(None);
    }
    Ok(Some(handshake(socket, host)?.map(|(_, handshake)| handshake)))
}

fn connect(address: SocketAddr, limit: Duration) -> io::Result<Socket> {
    let mut socket = Socket::new(TcpStream::connect_timeout(&address, limit)?)?;
    socket.set_deadline(Instant::now() + limit)?;
    Ok(socket)
}

type Handshaken = (StreamOwned<ClientConnection, Socket>, Handshake);

fn handshake(mut socket: Socket, host: &str) -> Result<Result<Handshaken, TlsFailure>, Error> {
    let mut connection = ClientConnection::new(tls::dangerous_unverified_client()?, tls::server_name(host)?)
        .map_err(|error| Error::Tls(TlsFailure::from(&error)))?;
    if let Err(error) = complete(&mut connection, &mut socket) {
        return Ok(Err(TlsFailure::of(&error)));
    }
    let handshake = Handshake::of(&connection);
    Ok(Ok((StreamOwned::new(connection, socket), handshake)))
}

/// Does a handshake. The deadline of the stream bounds it.
pub fn complete(connection: &mut ClientConnection, stream: &mut (impl Read + Write)) -> io::Result<()> {
    while connection.is_handshaking() {
        match connection.complete_io(stream) {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

/// A stream whose reads end at a deadline.
trait Deadline: Read + Write {
    fn set_limit(&mut self, limit: Duration) -> io::Result<()>;
}

impl Deadline for Socket {
    fn set_limit(&mut self, limit: Duration) -> io::Result<()> {
        self.set_deadline(Instant::now() + limit)
    }
}

impl Deadline for StreamOwned<ClientConnection, Socket> {
    fn set_limit(&mut self, limit: Duration) -> io::Result<()> {
        self.sock.set_limit(limit)
    }
}

/// Listens for the first line. A server of another protocol may wait for the client to speak first, so a silent one gets `QUIT`, which is
/// harmless in POP3, and an empty line.
fn listen(stream: &mut impl Deadline, limit: Duration) -> Kind {
    let mut line = stream.set_limit(limit).and_then(|()| read_line(stream));
    if line.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::TimedOut) {
        let asked = stream.set_limit(limit / 4).and_then(|()| stream.write_all(b"QUIT\r\n\r\n")).and_then(|()| stream.flush());
        line = match asked.and_then(|()| read_line(stream)) {
            Ok(line) => Ok(line),
            Err(_) => return Kind::Silent,
        };
    }
    match line {
        Ok(line) => classify(&line),
        Err(_) => Kind::Closed,
    }
}

/// Reads a line, or the part of it that came before the end. An end before the first octet is an error.
fn read_line(stream: &mut impl Read) -> io::Result<Vec<u8>> {
    // More than a reply may have (RFC 2449 §4).
    const LIMIT: usize = 1024;
    let mut line = Vec::new();
    let mut octet = [0];
    while line.len() < LIMIT {
        match stream.read(&mut octet) {
            Ok(0) if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(0) => break,
            Ok(_) if octet == *b"\n" => break,
            Ok(_) => line.extend(octet),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if line.is_empty() => return Err(error),
            Err(_) => break,
        }
    }
    if line.ends_with(b"\r") {
        line.pop();
    }
    Ok(line)
}

fn classify(line: &[u8]) -> Kind {
    let text = |status: &[u8]| line.strip_prefix(status).map(|text| text.strip_prefix(b" ").unwrap_or(text).to_vec());
    if let Some(text) = text(b"+OK") {
        return Kind::Pop3(text);
    }
    if let Some(text) = text(b"-ERR") {
        return Kind::Refuses(text);
    }
    match Service::of(line) {
        Some(service) => Kind::Other(service),
        // Web servers that answer what is no request with a page alone.
        None if line.first() == Some(&b'<') => Kind::Other(Service::Web),
        None => Kind::Unknown(line.to_vec()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_recognised_by_their_first_line() {
        for (line, kind) in [
            (&b"+OK ready <1.2@host>"[..], Kind::Pop3(b"ready <1.2@host>".to_vec())),
            (b"+OK", Kind::Pop3(Vec::new())),
            (b"-ERR [SYS/TEMP] too many", Kind::Refuses(b"[SYS/TEMP] too many".to_vec())),
            (b"* OK [CAPABILITY IMAP4rev1] ready", Kind::Other(Service::Imap)),
            (b"220 mail.example.org ESMTP", Kind::Other(Service::SmtpOrFtp)),
            (b"SSH-2.0-OpenSSH_9.2p1", Kind::Other(Service::Ssh)),
            (b"HTTP/1.1 400 Bad Request", Kind::Other(Service::Web)),
            (b"<html><head>", Kind::Other(Service::Web)),
            (b"\x15\x03\x01\x00\x02\x02\x46", Kind::Other(Service::Tls)),
            (b"hello", Kind::Unknown(b"hello".to_vec())),
        ] {
            assert_eq!(classify(line), kind);
        }
    }

    #[test]
    fn a_line_without_an_end_is_bounded() {
        assert_eq!(read_line(&mut io::repeat(b'x')).unwrap().len(), 1024);
        assert_eq!(read_line(&mut &b"+OK\r\n+OK\r\n"[..]).unwrap(), b"+OK");
        assert!(read_line(&mut io::empty()).is_err());
    }
}
