//! Options of clients.

use std::sync::Arc;

use pop3_proto::client::{CleartextLogin, ClientConfig, Timeouts};
use pop3_proto::sasl::ChannelBinding;

#[cfg(any(feature = "rustls", feature = "native-tls"))]
use crate::tls;
use crate::tls::{TlsConnector, TlsFailure};
use crate::{Error, Proxy};

/// How a client's connection is secured. Nothing that a server sends turns TLS off.
// H07, H10
#[derive(Clone, Debug)]
pub enum Security {
    /// TLS from the first byte: port 995. The settings are a `rustls::ClientConfig`, or those of another library.
    Tls(Arc<dyn TlsConnector>),
    /// `STLS` before login: port 110. A server that does not offer it is an error.
    Stls(Arc<dyn TlsConnector>),
    /// No encryption: everyone on the network path can read the password and the mail.
    DangerousCleartext,
    /// The stream that is handed over is encrypted already; holds what a login over it can be bound to. If the stream is not encrypted,
    /// everyone on the network path can read the password and the mail.
    DangerousAssumeEncrypted(ChannelBinding),
}

impl Security {
    /// Returns implicit TLS, with certificates verified as the operating system does it.
    ///
    /// # Errors
    /// The operating system has no root certificates.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn tls() -> Result<Self, Error> {
        Ok(Self::Tls(tls::default_connector()?))
    }

    /// Returns `STLS`, with certificates verified as the operating system does it.
    ///
    /// # Errors
    /// The operating system has no root certificates.
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub fn stls() -> Result<Self, Error> {
        Ok(Self::Stls(tls::default_connector()?))
    }

    /// Returns the usual port.
    pub const fn default_port(&self) -> u16 {
        match self {
            Self::Tls(_) | Self::DangerousAssumeEncrypted(_) => 995,
            Self::Stls(_) | Self::DangerousCleartext => 110,
        }
    }
}

/// How a client connects, its limits and its time-outs.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// How the connection is secured.
    pub security: Security,
    /// Limits, and whether a login may be in the clear; [`new`](Self::new) derives the latter from `security`.
    pub config: ClientConfig,
    /// Time-outs.
    pub timeouts: Timeouts,
    /// A proxy to connect through. The connection is as secure as without it.
    pub proxy: Option<Proxy>,
}

impl ClientOptions {
    /// Options with limits and time-outs that fit most servers.
    pub fn new(security: Security) -> Self {
        let cleartext_login = match security {
            Security::Tls(_) | Security::Stls(_) | Security::DangerousAssumeEncrypted(_) => CleartextLogin::Refuse,
            Security::DangerousCleartext => CleartextLogin::DangerouslyAllow,
        };
        Self {
            security,
            config: ClientConfig { cleartext_login, ..ClientConfig::default() },
            timeouts: Timeouts::default(),
            proxy: None,
        }
    }
}

impl ClientOptions {
    /// Returns an error if the options name a proxy, for a session over a stream that the caller has connected.
    ///
    /// # Errors
    /// The options name a proxy.
    pub const fn refuse_proxy(&self) -> Result<(), Error> {
        match self.proxy {
            Some(_) => Err(Error::UnusedProxy),
            None => Ok(()),
        }
    }

    /// Returns an error if a driver cannot connect with these options: a connection that it makes is not encrypted already.
    ///
    /// # Errors
    /// The security is [`Security::DangerousAssumeEncrypted`].
    pub fn check_connects(&self) -> Result<(), Error> {
        match self.security {
            Security::DangerousAssumeEncrypted(_) => {
                let why = "assuming encryption is for a stream that is handed over, not for a connection that the client makes"
                    .to_owned();
                Err(Error::Tls(TlsFailure::Other(why)))
            }
            _ => Ok(()),
        }
    }

    /// Returns the host and the port to connect to: the proxy's if there is one.
    pub fn connect_to<'h>(&'h self, host: &'h str, port: u16) -> (&'h str, u16) {
        self.proxy.as_ref().map_or((host, port), |proxy| (&proxy.host, proxy.port))
    }
}
