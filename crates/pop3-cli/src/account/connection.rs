//! How an account is connected to: TLS, proxy and time-outs, from the arguments.

use std::env;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use pop3_blocking::proto::client::Timeouts;
use pop3_blocking::rustls::ClientConfig;
use pop3_blocking::{ClientOptions, Proxy, Security, tls};

use crate::arguments::{AccountArguments, proxy};
use crate::failure::{Exit, Failure};
use crate::guess::{Guess, guess};

/// How an account is connected to.
#[derive(Debug)]
pub struct Connection {
    /// What is trusted. `None`: the arguments want no TLS.
    tls: Option<Arc<ClientConfig>>,
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
            None => Some(tls::client()?),
        };
        Ok(Self { tls, proxy: proxy_of(arguments)? })
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

    /// Guesses the server of a domain. Without a certificate that is verified a guess proves nothing, so then there is none.
    pub fn guess(&self, domain: &str, arguments: &AccountArguments) -> Option<Guess> {
        let tls = self.tls.as_ref().filter(|_| !arguments.dangerously_any_certificate)?;
        guess(domain, arguments.port, arguments.stls, tls, self.proxy.as_ref())
    }
}

/// Returns the TLS settings that trust the certificates of a file, and no others.
///
/// # Errors
/// The file cannot be read, or has no certificate.
pub fn trusting(file: &Path) -> Result<Arc<ClientConfig>, Failure> {
    let pem = fs::read(file).map_err(|error| Failure::file(file, &error))?;
    tls::client_trusting(&pem).map_err(|error| Failure::new(Exit::Storage, format_args!("{}: {error}", file.display())))
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
