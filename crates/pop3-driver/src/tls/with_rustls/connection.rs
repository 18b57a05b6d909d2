//! A client's connection with the TLS of rustls.

use std::io::{self, Read, Write};
use std::sync::Arc;

use pop3_proto::sasl::ChannelBinding;
use rustls::{ClientConfig, ClientConnection};

use super::{cipher_suite, client_binding, server_name, version};
use crate::Error;
use crate::tls::{TlsConnection, TlsConnector, TlsFailure};

impl TlsConnector for ClientConfig {
    fn begin(self: Arc<Self>, host: &str) -> Result<Box<dyn TlsConnection>, Error> {
        Ok(Box::new(ClientConnection::new(self, server_name(host)?)?))
    }
}

impl TlsConnection for ClientConnection {
    fn is_handshaking(&self) -> bool {
        (**self).is_handshaking()
    }

    fn receive(&mut self, mut sealed: &[u8]) -> Result<usize, TlsFailure> {
        let count = match self.read_tls(&mut sealed) {
            Ok(count) => count,
            // Its buffer of decrypted octets is full.
            Err(_) => return Ok(0),
        };
        self.process_new_packets().map_err(|error| TlsFailure::from(&error))?;
        Ok(count)
    }

    fn read(&mut self, space: &mut [u8]) -> Result<Option<usize>, TlsFailure> {
        match self.reader().read(space) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(TlsFailure::of(&error)),
        }
    }

    fn write(&mut self, text: &[u8]) -> Result<usize, TlsFailure> {
        self.writer().write(text).map_err(|error| TlsFailure::of(&error))
    }

    fn take_sealed(&mut self, sealed: &mut Vec<u8>) {
        while self.wants_write() {
            self.write_tls(sealed).expect("writing to memory does not fail");
        }
    }

    fn close(&mut self) {
        self.send_close_notify();
    }

    fn channel_binding(&self) -> ChannelBinding {
        client_binding(self)
    }

    fn description(&self) -> Option<String> {
        Some(format!("{} with {}", version(self), cipher_suite(self)))
    }
}
