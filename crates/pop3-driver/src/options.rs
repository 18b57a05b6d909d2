//! What a client and a server may be told.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use pop3_proto::client::{CleartextLogin, ClientConfig, Timeouts};
use pop3_proto::sasl::{ChannelBinding, Mechanism};
use pop3_proto::server::{self, ServerConfig};

use crate::tls::ServerTls;
use crate::{Error, Proxy, tls};

/// How a client's connection is secured. There is no way from TLS to none, whatever a server says (H07, H10).
#[derive(Clone, Debug)]
pub enum Security {
    /// TLS from the first byte: port 995.
    Tls(Arc<rustls::ClientConfig>),
    /// `STLS` before login: port 110. A server that does not offer it is an error.
    Stls(Arc<rustls::ClientConfig>),
    /// Nothing: everybody on the way can read the password and the mail.
    DangerousCleartext,
    /// The stream that is handed over is encrypted already, by somebody else; with what a login over it can be bound to. Over a
    /// stream that is not, everybody on the way can read the password and the mail.
    DangerousAssumeEncrypted(ChannelBinding),
}

impl Security {
    /// Implicit TLS, certificates verified as the operating system does it.
    ///
    /// # Errors
    /// The operating system has no root certificates.
    pub fn tls() -> Result<Self, Error> {
        Ok(Self::Tls(tls::client()?))
    }

    /// `STLS`, certificates verified as the operating system does it.
    ///
    /// # Errors
    /// The operating system has no root certificates.
    pub fn stls() -> Result<Self, Error> {
        Ok(Self::Stls(tls::client()?))
    }

    /// The port that goes with it.
    pub const fn default_port(&self) -> u16 {
        match self {
            Self::Tls(_) | Self::DangerousAssumeEncrypted(_) => 995,
            Self::Stls(_) | Self::DangerousCleartext => 110,
        }
    }
}

/// How a client connects, what it takes and how long it waits.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// How the connection is secured.
    pub security: Security,
    /// Limits, and whether a login may be in the clear; [`new`](Self::new) sets that by `security`.
    pub config: ClientConfig,
    /// How long to wait for what.
    pub timeouts: Timeouts,
    /// A proxy to go through. What is said through it is as secure as without it.
    pub proxy: Option<Proxy>,
}

impl ClientOptions {
    /// With limits and times that fit most servers.
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

/// How a server presents itself, and its limits.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    /// The protocol's side. `stls` follows from `tls`.
    pub config: ServerConfig,
    /// How long to wait for what.
    pub timeouts: server::Timeouts,
    /// The certificate; without one there is neither `STLS` nor implicit TLS.
    pub tls: Option<ServerTls>,
    /// Proxies whose word is taken for whom they speak for (`XCLIENT`, the PROXY protocol).
    pub trusted_proxies: Vec<IpNet>,
    /// Connections of trusted proxies begin with the PROXY protocol, in version 1 or 2. `XCLIENT` is not taken from them then: what comes
    /// behind the header is the client's.
    pub proxy_protocol: bool,
    /// Sessions at once; more connections are closed at once (H39).
    pub max_sessions: usize,
    /// The same from one source: an IPv4 address, or an IPv6 network of 64 bits. The clients of a trusted proxy are told apart where it
    /// speaks the PROXY protocol; what it says by `XCLIENT` comes too late for that.
    pub max_sessions_per_source: usize,
    /// Behind a wrong password the answer waits, longer each time for each source (H40), and so long at most for each; zero: it never does.
    /// A session that waits keeps its place, whether or not its client is still there: so many passwords can be tried from one source in
    /// that time as there may be sessions from it. Where the source is not known each session counts for itself.
    pub max_login_backoff: Duration,
}

impl ServerOptions {
    /// With a certificate: `STLS` is offered, and no login is taken before it.
    pub fn with_tls(tls: impl Into<ServerTls>) -> Self {
        Self {
            tls: Some(tls.into()),
            config: ServerConfig { stls: true, ..ServerConfig::default() },
            ..Self::dangerous_cleartext()
        }
    }

    /// The protocol's side, as it follows from all the rest.
    pub fn server_config(&self) -> ServerConfig {
        let mut config = self.config.clone();
        config.stls = self.tls.is_some();
        let external = Mechanism::External;
        if self.tls.as_ref().is_some_and(|tls| tls.requests_client_certificate) && !config.mechanisms.contains(&external) {
            // Whoever asks for certificates has to take them (S53).
            config.mechanisms.push(external);
        }
        config
    }

    /// Whether the word of this peer is taken for whom it speaks for.
    pub fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted_proxies.iter().any(|network| network.contains(&peer.to_canonical()))
    }

    /// Without TLS: everybody on the way can read the passwords and the mail.
    pub fn dangerous_cleartext() -> Self {
        Self {
            config: ServerConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ServerConfig::default() },
            timeouts: server::Timeouts::default(),
            tls: None,
            trusted_proxies: Vec::new(),
            proxy_protocol: false,
            max_sessions: 1000,
            max_sessions_per_source: 100,
            max_login_backoff: Duration::from_secs(15),
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
