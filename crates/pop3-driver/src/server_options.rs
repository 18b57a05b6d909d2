//! Options of servers.

use std::net::IpAddr;
use std::time::Duration;

use ipnet::IpNet;
use pop3_proto::sasl::Mechanism;
use pop3_proto::server::{self, CleartextLogin, ServerConfig};

use crate::SessionObservers;
use crate::tls::ServerTls;

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
