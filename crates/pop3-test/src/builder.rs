//! The settings of a server.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use pop3_proto::sasl::Mechanism;
use pop3_proto::server::{CleartextLogin, ServerConfig};

use crate::fault::Fault;
use crate::server::Server;
use crate::shared::{Observer, Shared};
use crate::store::{Message, TestStore, User};
use crate::tls::{Certificate, TlsFault};

/// The settings of a [`Server`].
#[derive(Debug, Default)]
pub struct Builder {
    users: HashMap<String, User>,
    faults: Vec<Fault>,
    capabilities: Option<Vec<String>>,
    implicit_tls: bool,
    stls: bool,
    tls_fault: Option<TlsFault>,
    mechanisms: Vec<Mechanism>,
    port: u16,
    tls_port: Option<u16>,
    observer: Option<Observer>,
}

impl Builder {
    /// Adds a user with messages. The unique-ids of the messages are `<name>-1`, `<name>-2` and so on.
    #[must_use]
    pub fn user<T: AsRef<[u8]>>(self, name: &str, password: &str, messages: impl IntoIterator<Item = T>) -> Self {
        let messages = messages.into_iter().enumerate().map(|(at, text)| (format!("{name}-{}", at + 1), text));
        self.user_with_ids(name, password, messages)
    }

    /// Adds a user with messages and their unique-ids, which may be the same for several messages.
    #[must_use]
    pub fn user_with_ids<T: AsRef<[u8]>>(
        mut self,
        name: &str,
        password: &str,
        messages: impl IntoIterator<Item = (impl Into<String>, T)>,
    ) -> Self {
        let message = |(unique_id, text): (_, T)| Message { unique_id: Into::into(unique_id), text: text.as_ref().to_vec() };
        let messages = messages.into_iter().map(message).collect();
        self.users.insert(name.to_owned(), User { password: password.to_owned(), messages, ..User::default() });
        self
    }

    /// Adds a fault. At each command the first fault that fits occurs.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.faults.push(fault);
        self
    }

    /// Replaces the reply to `CAPA` by these capabilities, whether they are true or not.
    #[must_use]
    pub fn capabilities<C: Into<String>>(self, lines: impl IntoIterator<Item = C>) -> Self {
        Self { capabilities: Some(lines.into_iter().map(Into::into).collect()), ..self }
    }

    /// Offers these mechanisms. By default only `USER` and `PASS` are offered.
    #[must_use]
    pub fn mechanisms(self, mechanisms: impl IntoIterator<Item = Mechanism>) -> Self {
        Self { mechanisms: mechanisms.into_iter().collect(), ..self }
    }

    /// The port expects TLS from the first octet, as port 995 does.
    #[must_use]
    pub fn tls(self) -> Self {
        Self { implicit_tls: true, ..self }
    }

    /// The server offers `STLS`.
    #[must_use]
    pub fn stls(self) -> Self {
        Self { stls: true, ..self }
    }

    /// The certificate has a fault.
    #[must_use]
    pub fn tls_fault(self, fault: TlsFault) -> Self {
        Self { tls_fault: Some(fault), ..self }
    }

    /// Listens on this port instead of a free one.
    #[must_use]
    pub fn port(self, port: u16) -> Self {
        Self { port, ..self }
    }

    /// Listens on a second port, too, which expects TLS from the first octet; 0 selects a free one.
    #[must_use]
    pub fn tls_port(self, port: u16) -> Self {
        Self { tls_port: Some(port), ..self }
    }

    /// Calls `observer` with the number of the connection, counted from 1, and each line that its client sends, passwords included.
    #[must_use]
    pub fn observe(self, observer: impl Fn(usize, &str) + Send + Sync + 'static) -> Self {
        Self { observer: Some(Observer(Box::new(observer))), ..self }
    }

    /// Starts the server on 127.0.0.1.
    ///
    /// # Errors
    /// The port is in use, or the operating system has no free port or no random numbers for a key.
    pub fn start(self) -> io::Result<Server> {
        let certificate =
            (self.implicit_tls || self.stls || self.tls_port.is_some()).then(|| Certificate::new(self.tls_fault)).transpose()?;
        let config = ServerConfig {
            stls: self.stls,
            mechanisms: self.mechanisms,
            // The mail and the passwords are the test's own.
            cleartext_login: CleartextLogin::DangerouslyAllow,
            ..ServerConfig::default()
        };
        let shared = Shared {
            config: Arc::new(config),
            store: Arc::new(TestStore::new(self.users)),
            certificate,
            implicit_tls: self.implicit_tls,
            capabilities: self.capabilities,
            observer: self.observer,
            faults: self.faults,
            record: Mutex::default(),
            ending: AtomicBool::new(false),
        };
        Server::start(shared, self.port, self.tls_port)
    }
}

impl Server {
    /// Returns the settings of a server without users and without faults.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Starts a server with one user, `joe` with the password `secret`, and these messages.
    ///
    /// # Errors
    /// The operating system has no free port.
    pub fn with_messages<T: AsRef<[u8]>>(messages: impl IntoIterator<Item = T>) -> io::Result<Self> {
        Self::builder().user("joe", "secret", messages).start()
    }
}
