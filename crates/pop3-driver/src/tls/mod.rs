//! TLS: the certificates that a client trusts, the certificate that a server presents, and the place of a TLS library in a client.
//!
//! The feature `rustls` has the settings of clients and servers for TLS 1.2 and 1.3; `ring`, on by default, and `aws-lc-rs` choose its
//! crypto provider. The settings name the provider explicitly, so another default provider in the same program has no effect. With neither
//! feature the provider is the one that the program has installed. The feature `native-tls` has clients with the TLS of the operating
//! system. A client can have any other library that implements [`TlsConnector`].

mod connection;
mod failure;
mod layer;
#[cfg(feature = "native-tls")]
mod with_native_tls;
#[cfg(feature = "rustls")]
mod with_rustls;

use std::io;

pub use connection::{TlsConnection, TlsConnector};
pub use failure::{Moment, TlsFailure};
pub(crate) use layer::TlsLayer;
#[cfg(feature = "native-tls")]
pub use with_native_tls::native_client;
#[cfg(feature = "server")]
pub use with_rustls::{ServerTls, connection_info, server, server_with_client_auth};
#[cfg(feature = "rustls")]
pub use with_rustls::{client, client_binding, dangerous_unverified_client, server_name, with_certificate};
#[cfg(all(feature = "certificates", feature = "rustls"))]
pub use with_rustls::{client_pinned, client_trusting};

/// Returns the settings of a client that verifies certificates and host names as the operating system does: with rustls if the build has it.
///
/// # Errors
/// The operating system has no root certificates.
#[cfg(any(feature = "rustls", feature = "native-tls"))]
pub fn default_connector() -> Result<std::sync::Arc<dyn TlsConnector>, crate::Error> {
    #[cfg(feature = "rustls")]
    return Ok(client()?);
    #[cfg(not(feature = "rustls"))]
    return Ok(native_client()?);
}

/// Returns 18 random octets, for the challenges of one connection.
///
/// # Errors
/// Fails if the operating system provides no random numbers.
pub fn random() -> io::Result<[u8; 18]> {
    let mut nonce = [0; 18];
    getrandom::getrandom(&mut nonce).map_err(|error| io::Error::other(format!("no random numbers: {error}")))?;
    Ok(nonce)
}
