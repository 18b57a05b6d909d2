//! Options of clients and servers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use pop3_proto::client::{CleartextLogin, ClientConfig, Timeouts};
use pop3_proto::sasl::{ChannelBinding, Mechanism};
use pop3_proto::server::{self, ServerConfig};

use crate::tls::{ServerTls, TlsFailure};
use crate::{Error, Proxy, SessionObservers, tls};

/// How a client's connection is secured. Nothing that a server sends turns TLS off.
// H07, H10
#[derive(Clone, Debug)]
pub enum Security {
    /// TLS from the first byte: port 995.
    Tls(Arc<rustls::ClientConfig>),
    /// `STLS` before login: port 110. A server that does not offer it is an error.
    Stls(Arc<rustls::ClientConfig>),
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
    pub fn tls() -> Result<Self, Error> {
        Ok(Self::Tls(tls::client()?))
    }

    /// Returns `STLS`, with certificates verified as the operating system does it.
    ///
    /// # Errors
    /// The operating system has no root certificates.
    pub fn stls() -> Result<Self, Error> {
        Ok(Self::Stls(tls::client()?))
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

/// How a server presents itself, its limits and its time-outs.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// Options of the protocol. `stls` follows from `tls`.
    pub config: ServerConfig,
    /// Time-outs.
    pub timeouts: server::Timeouts,
    /// The certificate. Without one there is neither `STLS` nor implicit TLS.
    pub tls: Option<ServerTls>,
    /// Proxies that may name the client that they speak for, by `XCLIENT` or the PROXY protocol.
    pub trusted_proxies: Vec<IpNet>,
    /// Connections of trusted proxies begin with the PROXY protocol, in version 1 or 2. `XCLIENT` is not accepted from them then: everything
    /// after the header is the client's.
    pub proxy_protocol: bool,
    /// Maximum number of sessions. Further connections are closed, unless a session that has not logged in can give way. Default: 1000.
    // H39
    pub max_sessions: usize,
    /// Maximum number of sessions from one source: an IPv4 address, or an IPv6 network of 64 bits. Clients of a trusted proxy are distinguished
    /// if it uses the PROXY protocol; `XCLIENT` comes too late for that. Default: 100.
    pub max_sessions_per_source: usize,
    /// Maximum delay of the reply to a failed login; delays double per source. Zero disables them. Default: 15 seconds.
    ///
    /// A session whose reply is delayed keeps its permit even if its client disconnects, so in that time only as many passwords can be tried
    /// from one source as it may have sessions. If the source is not known, each session counts for itself.
    // H40
    pub max_login_backoff: Duration,
    /// Observers of the sessions. Default: none.
    pub observers: SessionObservers,
}

impl ServerOptions {
    /// Options with a certificate: `STLS` is offered, and no login is accepted before it.
    pub fn with_tls(tls: impl Into<ServerTls>) -> Self {
        Self::new(ServerConfig { stls: true, ..ServerConfig::default() }, Some(tls.into()))
    }

    /// Returns the options of the protocol, with what follows from the others.
    pub fn server_config(&self) -> ServerConfig {
        let mut config = self.config.clone();
        config.stls = self.tls.is_some();
        let external = Mechanism::External;
        if self.tls.as_ref().is_some_and(|tls| tls.requests_client_certificate) && !config.mechanisms.contains(&external) {
            // A server that requests certificates must accept them (S53).
            config.mechanisms.push(external);
        }
        config
    }

    /// Returns `true` if this peer is a trusted proxy.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&peer.to_canonical()))
    }

    /// Options without TLS: everyone on the network path can read the passwords and the mail.
    pub fn dangerous_cleartext() -> Self {
        Self::new(ServerConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ServerConfig::default() }, None)
    }

    fn new(config: ServerConfig, tls: Option<ServerTls>) -> Self {
        Self {
            config,
            timeouts: server::Timeouts::default(),
            tls,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            max_sessions: 1000,
            max_sessions_per_source: 100,
            max_login_backoff: Duration::from_secs(15),
            observers: SessionObservers::default(),
        }
    }
}

/// How a server's port is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenSecurity {
    /// Port 110: in the clear until `STLS`.
    Cleartext,
    /// Port 995: TLS from the first byte.
    ImplicitTls,
}
