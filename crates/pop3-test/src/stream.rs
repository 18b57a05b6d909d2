//! A connection of the server, with or without TLS.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use pop3_driver::rustls::{ServerConnection, StreamOwned};
use pop3_driver::tls::{self, ServerTls};
use pop3_proto::server::ConnectionInfo;

/// A connection, with the input that was read and not used yet.
pub(crate) struct Link<'s> {
    stream: Stream<'s>,
    input: Vec<u8>,
}

enum Stream<'s> {
    Clear(&'s TcpStream),
    Tls(Box<StreamOwned<ServerConnection, &'s TcpStream>>),
}

impl<'s> Link<'s> {
    pub(crate) const fn new(stream: &'s TcpStream) -> Self {
        Self { stream: Stream::Clear(stream), input: Vec::new() }
    }

    /// Does a TLS handshake, and returns what is known of the connection.
    pub(crate) fn accept_tls(self, tls: &ServerTls) -> io::Result<(Self, ConnectionInfo)> {
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
    pub(crate) fn read_line(&mut self) -> io::Result<Option<Vec<u8>>> {
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
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => {
                stream.write_all(bytes)?;
                stream.flush()
            }
        }
    }

    /// Ends TLS, if it is active, so that the client sees a complete stream.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Clear(_) => Ok(()),
            Stream::Tls(stream) => {
                stream.conn.send_close_notify();
                stream.flush()
            }
        }
    }
}
