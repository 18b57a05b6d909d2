//! A connection of the server that blocks a thread, with or without TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use pop3_driver::rustls::{ServerConnection, StreamOwned};
use pop3_driver::tls::{self, ServerTls};
use pop3_proto::server::ConnectionInfo;

use crate::dialogue::{Dialogue, Step};
use crate::shared::Shared;

/// Serves one connection to its end.
pub(crate) fn serve(shared: Arc<Shared>, stream: &TcpStream, session: usize, implicit_tls: bool) -> io::Result<()> {
    let (mut link, mut info) = (Link::new(stream), ConnectionInfo::clear([0; 18]));
    if implicit_tls && let Some(certificate) = &shared.certificate {
        (link, info) = link.accept_tls(&certificate.tls)?;
    }
    let mut dialogue = Dialogue::new(shared, session, info)?;
    loop {
        match dialogue.next_step() {
            Step::Write(octets) => link.write(&octets)?,
            Step::Drip(octets, pause) => {
                for octet in octets {
                    thread::sleep(pause);
                    link.write(&[octet])?;
                }
            }
            Step::ReadLine => match link.read_line()? {
                Some(line) => dialogue.feed(&line)?,
                None => return link.close(),
            },
            Step::Handshake(tls) => {
                (link, info) = link.accept_tls(&tls)?;
                dialogue.upgraded(info)?;
            }
            Step::Stall => {
                // The client gives up, or the server ends.
                while link.read_line()?.is_some() {}
                return Ok(());
            }
            Step::Close => return link.close(),
            Step::Break => return Ok(()),
        }
    }
}

/// A connection, with the input that was read and not used yet.
struct Link<'s> {
    stream: Stream<'s>,
    input: Vec<u8>,
}

enum Stream<'s> {
    Clear(&'s TcpStream),
    Tls(Box<StreamOwned<ServerConnection, &'s TcpStream>>),
}

impl<'s> Link<'s> {
    const fn new(stream: &'s TcpStream) -> Self {
        Self { stream: Stream::Clear(stream), input: Vec::new() }
    }

    /// Does a TLS handshake, and returns what is known of the connection.
    fn accept_tls(self, tls: &ServerTls) -> io::Result<(Self, ConnectionInfo)> {
        let Stream::Clear(stream) = self.stream else { return Err(io::Error::other("TLS is active already")) };
        let connection = ServerConnection::new(Arc::clone(&tls.config)).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let info = tls::connection_info(&stream.conn, tls)?;
        Ok((Self { stream: Stream::Tls(Box::new(stream)), input: Vec::new() }, info))
    }

    /// Reads a line with its line end; `None` at the end of the stream.
    fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(at) = self.input.iter().position(|byte| *byte == b'\n') {
                return Ok(Some(self.input.drain(..=at).collect()));
            }
            let mut space = [0; 4096];
            let count = match &mut self.stream {
                Stream::Clear(stream) => stream.read(&mut space)?,
                Stream::Tls(stream) => stream.read(&mut space)?,
            };
            if count == 0 {
                return Ok(None);
            }
            self.input.extend_from_slice(&space[..count]);
        }
    }

    /// Writes bytes at once.
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// Ends TLS, if it is active, so that the client sees a complete stream.
    fn close(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(_) => Ok(()),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }
}
