//! The TLS of a client, by any library.

use std::fmt;
use std::sync::Arc;

use pop3_proto::sasl::ChannelBinding;

use super::TlsFailure;
use crate::Error;

/// The TLS settings of a client: they begin a connection. rustls's `ClientConfig` implements this, and with the feature `native-tls` so does
/// `native_tls::TlsConnector`, the TLS of the operating system.
///
/// Implement it to use another library in every driver: the connection works in memory, and the driver reads and writes the stream.
///
/// ```
/// use std::sync::Arc;
/// use pop3_driver::proto::sasl::ChannelBinding;
/// use pop3_driver::tls::{TlsConnection, TlsConnector, TlsFailure};
/// use pop3_driver::{ClientOptions, Error, Security};
///
/// /// No encryption at all: octets with their bits flipped, for a test.
/// #[derive(Debug)]
/// struct Flipped;
///
/// impl TlsConnector for Flipped {
///     fn begin(self: Arc<Self>, _host: &str) -> Result<Box<dyn TlsConnection>, Error> {
///         Ok(Box::new(FlippedConnection::default()))
///     }
/// }
///
/// #[derive(Default)]
/// struct FlippedConnection {
///     sealed: Vec<u8>,
///     text: Vec<u8>,
/// }
///
/// impl TlsConnection for FlippedConnection {
///     fn is_handshaking(&self) -> bool {
///         false
///     }
///     fn receive(&mut self, sealed: &[u8]) -> Result<usize, TlsFailure> {
///         self.text.extend(sealed.iter().map(|octet| !octet));
///         Ok(sealed.len())
///     }
///     fn read(&mut self, space: &mut [u8]) -> Result<Option<usize>, TlsFailure> {
///         let count = space.len().min(self.text.len());
///         space[..count].copy_from_slice(&self.text[..count]);
///         self.text.drain(..count);
///         Ok(if count == 0 { None } else { Some(count) })
///     }
///     fn write(&mut self, text: &[u8]) -> Result<usize, TlsFailure> {
///         self.sealed.extend(text.iter().map(|octet| !octet));
///         Ok(text.len())
///     }
///     fn take_sealed(&mut self, sealed: &mut Vec<u8>) {
///         sealed.append(&mut self.sealed);
///     }
///     fn close(&mut self) {}
///     fn channel_binding(&self) -> ChannelBinding {
///         ChannelBinding::default()
///     }
/// }
///
/// let options = ClientOptions::new(Security::Tls(Arc::new(Flipped)));
/// ```
pub trait TlsConnector: fmt::Debug + Send + Sync {
    /// Begins a connection to `host`, the name that the server's certificate must contain (RFC 7817 §3).
    ///
    /// # Errors
    /// `host` is not a host name, or the settings cannot be used.
    fn begin(self: Arc<Self>, host: &str) -> Result<Box<dyn TlsConnection>, Error>;
}

/// A client's TLS connection, without I/O.
pub trait TlsConnection: Send {
    /// Returns `false` only once the handshake is done and the server is verified.
    fn is_handshaking(&self) -> bool;

    /// Takes octets that came from the server, and returns how many it took: at least one, unless [`read`](Self::read) must be called first.
    ///
    /// # Errors
    /// The server is not trusted or breaks the protocol. An alert for it may be among the sealed octets.
    fn receive(&mut self, sealed: &[u8]) -> Result<usize, TlsFailure>;

    /// Moves decrypted octets to `space` and returns their number: zero after the server has closed the connection, `None` if more must be
    /// received first.
    ///
    /// # Errors
    /// The server breaks the protocol.
    fn read(&mut self, space: &mut [u8]) -> Result<Option<usize>, TlsFailure>;

    /// Encrypts octets, and returns how many it took: at least one, unless [`take_sealed`](Self::take_sealed) must be called first.
    ///
    /// # Errors
    /// The connection cannot encrypt any more.
    fn write(&mut self, text: &[u8]) -> Result<usize, TlsFailure>;

    /// Appends the octets that are to be sent to the server to `sealed`.
    fn take_sealed(&mut self, sealed: &mut Vec<u8>);

    /// Seals the alert that ends the connection.
    fn close(&mut self);

    /// Returns what a login can be bound to, after the handshake.
    fn channel_binding(&self) -> ChannelBinding;

    /// Returns the protocol version and the cipher suite for logs, after the handshake. `None` if the library does not tell.
    fn description(&self) -> Option<String> {
        None
    }
}
