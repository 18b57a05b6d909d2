//! How an account is connected to: TLS, proxy and time-outs, from the arguments.

use std::env;
use std::fs;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::proto::client::Timeouts;
use pop3_blocking::rustls::ClientConfig;
use pop3_blocking::{ClientOptions, Proxy, Security, tls};

use super::target::Origin;
use crate::arguments::{AccountArguments, proxy};
use crate::discovery::{Found, Search, kept};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::permissions::warn_if_readable;
use crate::terminal::tell;

/// How an account is connected to.
#[derive(Debug)]
pub struct Connection {
    /// What is trusted. `None`: the arguments want no TLS.
    tls: Option<Arc<ClientConfig>>,
    /// As `tls`, without a certificate of the client.
    search: Option<Arc<ClientConfig>>,
    /// The certificates that the arguments name.
    ca_pem: Option<Vec<u8>>,
    proxy: Option<Proxy>,
}

impl Connection {
    /// Reads the files that the arguments name.
    ///
    /// # Errors
    /// A file cannot be read, or the URL of the proxy is wrong.
    pub fn of(arguments: &AccountArguments) -> Result<Self, Failure> {
        let tls = match &arguments.ca_file {
            _ if arguments.dangerously_cleartext => None,
            Some(file) => Some(trusting(file)?),
            None if arguments.dangerously_any_certificate => Some(tls::dangerous_unverified_client()?),
            None => Some(arguments.pin.map_or_else(tls::client, tls::client_pinned)?),
        };
        // A server that was only guessed must not learn who the client is.
        let search = tls.clone();
        let tls = match (tls, &arguments.client_cert, &arguments.client_key) {
            (Some(tls), Some(cert), Some(key)) => Some(with_certificate(&tls, cert, key)?),
            (tls, _, _) => tls,
        };
        let ca_pem = arguments.ca_file.as_ref().map(fs::read).transpose();
        let ca_pem = ca_pem.map_err(|error| Failure::new(Exit::Storage, error))?;
        Ok(Self { tls, search, ca_pem, proxy: proxy_of(arguments)? })
    }

    /// Returns the options of the sessions. `stls`: the connection begins in the clear.
    pub fn options(&self, arguments: &AccountArguments, stls: bool) -> ClientOptions {
        let mut options = ClientOptions::new(match &self.tls {
            None => Security::DangerousCleartext,
            Some(tls) if stls || arguments.stls => Security::Stls(tls.clone()),
            Some(tls) => Security::Tls(tls.clone()),
        });
        options.proxy.clone_from(&self.proxy);
        if let Some(seconds) = arguments.timeout {
            let time = Duration::from_secs(seconds);
            options.timeouts = Timeouts { connect: time, greeting: time, login: time, command: time, body: time, quit: time };
        }
        options
    }

    /// Returns the server of an address: the one that an earlier run has found, or else looks for it. Without a certificate that is verified
    /// no server can be told from another, so then none is found.
    ///
    /// # Errors
    /// See [`Search::find`].
    pub fn find(&self, address: &str, arguments: &AccountArguments) -> Result<Option<(Found, Origin)>, Failure> {
        let Some(tls) = self.search.as_ref().filter(|_| !arguments.dangerously_any_certificate) else { return Ok(None) };
        if is_any_server(arguments)
            && let Some(kept) = kept::of(address)
        {
            let origin = Origin { source: kept.source, kept_since: Some(kept.found) };
            return Ok(Some((Found { server: kept.server, user: Some(kept.user) }, origin)));
        }
        if io::stderr().is_terminal() {
            tell!("pop3: {}", Message::new("fetch-looking").with("address", address));
        }
        let (port, stls, proxy) = (arguments.port, arguments.stls, self.proxy.as_ref());
        let search = Search { tls, ca_pem: self.ca_pem.as_deref(), proxy, port, stls };
        Ok(search.find(address)?.map(|(found, source)| (found, Origin { source, kept_since: None })))
    }
}

/// Returns `true` if the arguments leave open which server and user an address has: only then it is the one for later runs.
pub const fn is_any_server(arguments: &AccountArguments) -> bool {
    arguments.port.is_none() && !arguments.stls && arguments.user.is_none()
}

/// Returns the TLS settings that trust the certificates of a file, and no others.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub fn trusting(file: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let pem = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    tls::client_trusting(&pem).map_err(|error| Failure::new(Exit::Storage, format_args!("{}: {error}", file.display())))
}

/// Returns the TLS settings with a certificate of the client.
///
/// # Errors
/// A file cannot be read, or they do not belong together.
pub fn with_certificate(tls: &ClientConfig, cert: &Path, key: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let chain = fs::read(cert).map_err(|error| Failure::file(cert, &error))?;
    let private = fs::read(key).map_err(|error| Failure::file(key, &error))?;
    warn_if_readable(key, "the private key");
    tls::with_certificate(tls, &chain, &private)
        .map_err(|error| Failure::new(Exit::Storage, format_args!("{} and {}: {error}", cert.display(), key.display())))
}

fn proxy_of(arguments: &AccountArguments) -> Result<Option<Proxy>, Failure> {
    let from_environment = env::var("POP3_PROXY").ok().filter(|_| arguments.proxy.is_none());
    let Some(text) = arguments.proxy.as_ref().or(from_environment.as_ref()) else { return Ok(None) };
    let proxy = proxy(text).map_err(|wrong| Failure::new(Exit::Usage, format_args!("the proxy URL {wrong}")))?;
    if from_environment.is_none() && proxy.login.is_some() {
        tracing::warn!("other users can see the password of the proxy; set POP3_PROXY instead of --proxy");
    }
    Ok(Some(proxy))
}
