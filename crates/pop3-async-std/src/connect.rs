// Made from pop3-tokio/src/connect.rs by crates/twins.py: change it there.

//! From the name of a host to a session, with TLS where the options demand it.

use std::io;
use std::mem;
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::proto::client::requests;
use pop3_driver::proto::client::{Awaiting, Connection, LoginPolicy, Observer, RequestError};
use pop3_driver::proto::codec::Verb;
use pop3_driver::proto::sasl::{ChannelBinding, Credentials};
use pop3_driver::tls::{self, TlsFailure};
use pop3_driver::{ClientOptions, Error, Security, rustls};

use crate::Client;
use crate::proxy_handshake::run_proxy_handshake;
use crate::runtime::{self, Instant, Stream, Transport, later};

impl Client {
    /// Connects, secures the connection as the options demand, and reads the greeting. All addresses of the host are tried in
    /// turn.
    ///
    /// # Errors
    /// No address answers, the certificate is not to be trusted, or the server refuses.
    pub async fn connect(host: &str, port: u16, options: &ClientOptions) -> Result<Self, Error> {
        Self::connect_observed(host, port, options, None).await
    }

    /// The same with somebody who is told what goes over the wire.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub async fn connect_observed(
        host: &str,
        port: u16,
        options: &ClientOptions,
        observer: Option<Box<dyn Observer>>,
    ) -> Result<Self, Error> {
        Self::open(host, port, options, observer).await?.greet().await
    }

    /// A session over a stream of the caller's own, on which nothing was said yet. `host` is what a certificate must
    /// bear; `port` is told to the server by some logins.
    ///
    /// # Errors
    /// See [`connect`](Self::connect).
    pub async fn over(
        stream: Box<dyn Transport>,
        host: &str,
        port: u16,
        options: &ClientOptions,
        observer: Option<Box<dyn Observer>>,
    ) -> Result<Self, Error> {
        Self::begin(stream, host, port, options, observer).await?.greet().await
    }

    /// Connects and logs in: greeting, capabilities, `STLS` where the options demand it, and the strongest way that both sides
    /// have. A server that leaves when it hears `CAPA` is tried once more without (Q09).
    ///
    /// # Errors
    /// [`Error::login_failure`] tells what it means.
    pub async fn connect_and_login(
        host: &str,
        port: u16,
        options: &ClientOptions,
        credentials: &Credentials,
        policy: &LoginPolicy,
    ) -> Result<Self, Error> {
        Self::connect_and_login_observed(host, port, options, credentials, policy, &|| None).await
    }

    /// The same with somebody who is told what goes over the wire; asked for once for each connection.
    ///
    /// # Errors
    /// See [`connect_and_login`](Self::connect_and_login).
    pub async fn connect_and_login_observed(
        host: &str,
        port: u16,
        options: &ClientOptions,
        credentials: &Credentials,
        policy: &LoginPolicy,
        observer: &(dyn Fn() -> Option<Box<dyn Observer>> + Sync),
    ) -> Result<Self, Error> {
        let mut client = Self::open(host, port, options, observer()).await?;
        match client.login_with(credentials, policy).await {
            Err(error)
                if policy.capa
                    && error.is_disconnect()
                    && client.connection.machine().awaiting() == Awaiting::Reply(Verb::Capa) =>
            {
                let policy = LoginPolicy { capa: false, ..policy.clone() };
                client = Self::open(host, port, options, observer()).await?;
                client.login_with(credentials, &policy).await?;
            }
            result => result?,
        }
        Ok(client)
    }

    /// The same over a stream of the caller's own, on which nothing was said yet.
    ///
    /// # Errors
    /// See [`connect_and_login`](Self::connect_and_login).
    pub async fn with_stream_and_login(
        stream: Box<dyn Transport>,
        host: &str,
        port: u16,
        options: &ClientOptions,
        credentials: &Credentials,
        policy: &LoginPolicy,
    ) -> Result<Self, Error> {
        let mut client = Self::begin(stream, host, port, options, None).await?;
        client.login_with(credentials, policy).await?;
        Ok(client)
    }

    async fn open(host: &str, port: u16, options: &ClientOptions, observer: Option<Box<dyn Observer>>) -> Result<Self, Error> {
        if matches!(options.security, Security::DangerousAssumeEncrypted(_)) {
            return Err(Error::Tls(TlsFailure::Other("a connection that is made here is encrypted by nobody else".to_owned())));
        }
        let after = options.timeouts.connect;
        let (to_host, to_port) = match &options.proxy {
            Some(proxy) => (proxy.host.as_str(), proxy.port),
            None => (host, port),
        };
        let failed = |source| Error::Connect { host: to_host.to_owned(), port: to_port, source };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in runtime::addresses(to_host, to_port, later(after)).await.map_err(failed)? {
            match runtime::connect(address, later(after)).await {
                Ok(mut stream) => {
                    if let Some(proxy) = &options.proxy {
                        let mut handshake = proxy.handshake(host, port).map_err(failed)?;
                        run_proxy_handshake(&mut stream, &mut *handshake, later(after)).await.map_err(failed)?;
                    }
                    return Self::begin(stream, host, port, options, observer).await;
                }
                Err(error) => last = error,
            }
        }
        Err(failed(last))
    }

    /// Nothing was said yet, but for the handshake of implicit TLS.
    async fn begin(
        mut stream: Box<dyn Transport>,
        host: &str,
        port: u16,
        options: &ClientOptions,
        observer: Option<Box<dyn Observer>>,
    ) -> Result<Self, Error> {
        let (mut binding, mut stls) = (ChannelBinding::default(), None);
        let mut connection = match &options.security {
            Security::Tls(config) => {
                (stream, binding) = secure(stream, host, config, options.timeouts.connect).await?;
                Connection::new_encrypted(options.config.clone())
            }
            Security::DangerousAssumeEncrypted(bound) => {
                binding = bound.clone();
                Connection::new_encrypted(options.config.clone())
            }
            Security::Stls(config) => {
                stls = Some(Arc::clone(config));
                Connection::new(options.config.clone())
            }
            Security::DangerousCleartext => Connection::new(options.config.clone()),
        };
        if let Some(observer) = observer {
            connection.observe(observer);
        }
        let (timeouts, host) = (options.timeouts, host.to_owned());
        Ok(Self {
            connection,
            stream,
            timeouts,
            stls,
            awaited: None,
            unflushed: false,
            said: Instant::now(),
            host,
            port,
            binding,
        })
    }

    /// Reads the greeting, and switches to TLS where that is demanded.
    async fn greet(mut self) -> Result<Self, Error> {
        self.run(requests::greet()).await?;
        if self.stls.is_some() {
            self.run(requests::stls()).await.map_err(|error| match error {
                Error::Request(RequestError::Refused(refusal)) => Error::Request(RequestError::NoTls(refusal)),
                other => other,
            })?;
            self.upgrade().await?;
        }
        Ok(self)
    }

    /// The server has agreed to `STLS`: behind its `+OK` nothing but TLS counts (S46). If this is cancelled, the session is over.
    pub(crate) async fn upgrade(&mut self) -> Result<(), Error> {
        self.connection.upgrade()?;
        let stream = mem::replace(&mut self.stream, runtime::closed());
        // Nobody upgrades without a configuration to do it by.
        let config = self.stls.clone().ok_or(Error::Tls(TlsFailure::NotTls))?;
        (self.stream, self.binding) = secure(stream, &self.host, &config, self.timeouts.connect).await?;
        Ok(())
    }
}

/// TLS over `stream`, verified for `host`, and what a login can be bound to.
async fn secure(
    stream: Stream,
    host: &str,
    config: &Arc<rustls::ClientConfig>,
    after: Duration,
) -> Result<(Stream, ChannelBinding), Error> {
    let secured = runtime::connect_tls(stream, config, tls::server_name(host)?, later(after)).await;
    secured.map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Error::TimedOut { waiting_for: "the TLS handshake was done", after },
        _ => Error::Tls(TlsFailure::of(&error)),
    })
}
