//! The methods that the clients of all drivers have: connecting, logging in, and requests. `client_commands.rs` has one for each command.

/// Defines the methods that the client of every driver has, in terms of a few that each driver writes itself: the methods `close_stream` and
/// `drive` (the loop between the session and the stream), and the functions `resolve` and `open_stream`.
///
/// `client_methods!([] [] {async} {.await} Box<dyn Transport>, Box<dyn Transport>, now, perform, sleep);` for an asynchronous driver, with
/// `{} {}` for a blocking one. In brackets are the type parameters of the client; the types are those of the caller's streams and of the driver's
/// own; `now` returns the driver's time, `perform` does something on a stream, and `sleep` waits.
#[macro_export]
macro_rules! client_methods {
    ([$($generics:tt)*] [$($params:tt)*] {$($asyncness:tt)*} {$($wait:tt)*} $outer:ty, $stream:ty, $now:path, $perform:path, $sleep:path) => {
        impl<$($generics)*> std::fmt::Debug for Client<$($params)*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "Client {{ host: {:?}, {:?} }}", self.session.host(), self.connection().machine())
            }
        }

        impl<$($generics)*> Client<$($params)*> {
            /// Connects, secures the connection as the options require, and reads the greeting. All addresses of the host are tried in turn.
            ///
            /// # Errors
            /// No address accepts the connection, the certificate is not trusted, or the server refuses.
            pub $($asyncness)* fn connect(host: &str, port: u16, options: &$crate::ClientOptions) -> Result<Self, $crate::Error> {
                Self::connect_observed(host, port, options, None)$($wait)*
            }

            /// Connects as [`connect`](Self::connect) does, with an observer of the traffic.
            ///
            /// # Errors
            /// See [`connect`](Self::connect).
            pub $($asyncness)* fn connect_observed(
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                observer: Option<Box<dyn $crate::proto::client::Observer>>,
            ) -> Result<Self, $crate::Error> {
                Self::open(host, port, options, observer)$($wait)*?.greet()$($wait)*
            }

            /// Begins a session on a stream.
            fn begin(
                stream: $stream,
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                observer: Option<Box<dyn $crate::proto::client::Observer>>,
            ) -> Result<Self, $crate::Error> {
                Ok(Self { session: $crate::ClientSession::new(host, port, options, observer, $now())?, stream })
            }

            /// Does the handshake after `STLS`.
            $($asyncness)* fn upgrade(&mut self) -> Result<(), $crate::Error> {
                self.session.upgrade()?;
                // The session does the handshake before it asks what is next.
                self.drive(|_| Ok($crate::proto::client::Action::Done(())))$($wait)*
            }

            /// Closes the connection. Nothing depends on how it closes.
            $($asyncness)* fn shut_down(&mut self) {
                self.session.close();
                let _ = self.drive(|_| Ok($crate::proto::client::Action::Done(())))$($wait)*;
                let deadline = $crate::deadline_after($now(), self.session.timeouts().quit);
                let _ = self.close_stream(deadline)$($wait)*;
            }

            /// Begins a session over the caller's stream, on which nothing was sent yet. `host` is the name that a certificate must bear; some
            /// logins send `host` and `port`.
            ///
            /// # Errors
            /// See [`connect`](Self::connect). A proxy in the options is an error, because it would have no effect.
            pub $($asyncness)* fn with_stream(
                stream: $outer,
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                observer: Option<Box<dyn $crate::proto::client::Observer>>,
            ) -> Result<Self, $crate::Error> {
                options.refuse_proxy()?;
                Self::begin(stream.into(), host, port, options, observer)?.greet()$($wait)*
            }

            /// Connects and logs in: greeting, capabilities, `STLS` where the options require it, and the strongest mechanism that both sides
            /// have. If the server closes the connection at `CAPA`, the client connects once more and does not send it.
            ///
            /// # Errors
            /// [`Error::login_failure`](crate::Error::login_failure) tells what an error means.
            pub $($asyncness)* fn connect_and_login(
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                credentials: &$crate::proto::sasl::Credentials,
                policy: &$crate::proto::client::LoginPolicy,
            ) -> Result<Self, $crate::Error> {
                Self::connect_and_login_observed(host, port, options, credentials, policy, &|| None)$($wait)*
            }

            /// Connects and logs in as [`connect_and_login`](Self::connect_and_login) does; `observer` is called once for each connection.
            ///
            /// # Errors
            /// See [`connect_and_login`](Self::connect_and_login).
            pub $($asyncness)* fn connect_and_login_observed(
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                credentials: &$crate::proto::sasl::Credentials,
                policy: &$crate::proto::client::LoginPolicy,
                observer: &(dyn Fn() -> Option<Box<dyn $crate::proto::client::Observer>> + Sync),
            ) -> Result<Self, $crate::Error> {
                let mut client = Self::open(host, port, options, observer())$($wait)*?;
                if let Err(error) = client.login_with(credentials, policy)$($wait)* {
                    let policy = client.session.retry_without_capa(&error, policy).ok_or(error)?;
                    client = Self::open(host, port, options, observer())$($wait)*?;
                    client.login_with(credentials, &policy)$($wait)*?;
                }
                Ok(client)
            }

            /// Closes this session, connects and logs in again, and finds its messages again: message numbers are valid in one session only,
            /// so the new session has others. `before` are the unique-ids of this session. Its deletion marks are lost, and its observer is not
            /// kept. If the server has not noticed the end of this
            /// session yet and refuses the login with `IN-USE`, the login is tried again, for up to six seconds.
            ///
            /// # Errors
            /// See [`connect_and_login`](Self::connect_and_login); the server may have no unique-ids.
            pub $($asyncness)* fn reconnect(
                mut self,
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                credentials: &$crate::proto::sasl::Credentials,
                policy: &$crate::proto::client::LoginPolicy,
                before: &[$crate::proto::client::requests::UniqueIdEntry],
            ) -> Result<(Self, $crate::proto::client::Renumbering), $crate::Error> {
                // This session may be broken already.
                self.shut_down()$($wait)*;
                drop(self);
                let mut pauses = $crate::in_use_pauses();
                let mut client = loop {
                    match Self::connect_and_login(host, port, options, credentials, policy)$($wait)* {
                        Ok(client) => break client,
                        Err(error) => {
                            let pause = pauses.next().filter(|_| error.is_in_use()).ok_or(error)?;
                            $sleep(pause)$($wait)*;
                        }
                    }
                };
                let renumbering = $crate::proto::client::Renumbering::new(before, &client.uidl()$($wait)*?);
                Ok((client, renumbering))
            }

            /// Logs in over the caller's stream, on which nothing was sent yet.
            ///
            /// # Errors
            /// See [`connect_and_login`](Self::connect_and_login).
            pub $($asyncness)* fn with_stream_and_login(
                stream: $outer,
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                credentials: &$crate::proto::sasl::Credentials,
                policy: &$crate::proto::client::LoginPolicy,
            ) -> Result<Self, $crate::Error> {
                options.refuse_proxy()?;
                let mut client = Self::begin(stream.into(), host, port, options, None)?;
                client.login_with(credentials, policy)$($wait)*?;
                Ok(client)
            }

            /// Reads the greeting, and switches to TLS where the options require it.
            $($asyncness)* fn greet(mut self) -> Result<Self, $crate::Error> {
                self.run($crate::proto::client::requests::greet())$($wait)*?;
                if self.session.requires_stls() {
                    self.run($crate::proto::client::requests::stls())$($wait)*.map_err($crate::Error::stls_refused)?;
                    self.upgrade()$($wait)*?;
                }
                Ok(self)
            }

            /// Returns the connection, which reports the state of the session.
            pub const fn connection(&self) -> &$crate::proto::client::Connection {
                self.session.connection()
            }

            /// Returns the capabilities that the login saw, or those of the last [`capa`](Self::capa); see
            /// [`capabilities`](crate::proto::client::Client::capabilities) of the machine.
            pub fn capabilities(&self) -> Option<&$crate::proto::codec::Capabilities> {
                self.connection().machine().capabilities()
            }

            /// Returns `true` if the session can be used: it has not failed and the server has not closed it, as far as is known. A connection
            /// that breaks while no command runs is noticed by the next command, such as [`noop`](Self::noop).
            pub const fn is_alive(&self) -> bool {
                self.session.is_alive()
            }

            /// Logs in by the strongest mechanism that both sides have; see `requests::login`.
            ///
            /// # Errors
            /// The server refuses; the connection is in the clear and the options do not allow that; a name or password cannot be sent.
            pub $($asyncness)* fn login(&mut self, name: &str, password: &str) -> Result<(), $crate::Error> {
                self.login_with(&$crate::proto::sasl::Credentials::password(name, password)?, &$crate::proto::client::LoginPolicy::default())$($wait)*
            }

            /// Logs in with any credentials, in a way that the policy allows.
            ///
            /// # Errors
            /// See [`login`](Self::login); both sides may have no mechanism in common. [`Error::login_failure`](crate::Error::login_failure) tells what an error means.
            pub $($asyncness)* fn login_with(&mut self, credentials: &$crate::proto::sasl::Credentials, policy: &$crate::proto::client::LoginPolicy) -> Result<(), $crate::Error> {
                // A login is bound to TLS, so the handshake comes first.
                self.drive($crate::proto::client::Connection::drain_abandoned)$($wait)*?;
                let (host, policy) = (self.session.host(), self.session.login_policy(policy));
                let mut login = $crate::proto::client::requests::login(credentials, &policy, self.session.login_context(&host)?);
                loop {
                    self.session.start(&mut login)?;
                    match self.drive(|connection| connection.next_action(&mut login))$($wait)*? {
                        $crate::proto::client::LoginOutcome::Done => {
                            self.session.logged_in(credentials);
                            return Ok(());
                        }
                        $crate::proto::client::LoginOutcome::UpgradeTls => self.upgrade()$($wait)*?,
                    }
                    login.bind(self.session.binding());
                }
            }

            $crate::client_commands!([$($params)*] {$($asyncness)*} {$($wait)*});

            /// Runs any request.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn run<Q: $crate::proto::client::Request>(&mut self, mut request: Q) -> Result<Q::Output, $crate::Error> {
                self.drive($crate::proto::client::Connection::drain_abandoned)$($wait)*?;
                self.session.start(&mut request)?;
                self.drive(|connection| connection.next_action(&mut request))$($wait)*
            }

            /// Sends `NOOP` if nothing was sent for `after`; call it during long pauses between commands, as some servers disconnect idle clients
            /// after a minute. Returns `true` if it was sent.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            // Q41
            pub $($asyncness)* fn keep_alive(&mut self, after: std::time::Duration) -> Result<bool, $crate::Error> {
                let due = self.session.idle_time($now()) >= after;
                if due {
                    self.noop()$($wait)*?;
                }
                Ok(due)
            }

            /// Sends a command, on the low level. As many as the window allows may be sent before their replies are read.
            ///
            /// # Errors
            /// The session does not allow the command now.
            pub fn send(&mut self, command: $crate::proto::codec::Command<'_>) -> Result<$crate::proto::client::Tag, $crate::Error> {
                Ok(self.session.connection_mut().send(command)?)
            }

            /// Writes what was sent, on the low level, and gives events to `on_event` until it returns something.
            ///
            /// # Errors
            /// The session broke.
            pub $($asyncness)* fn next_event<T>(&mut self, mut on_event: impl FnMut($crate::proto::client::ClientEvent<'_>) -> Option<T>) -> Result<T, $crate::Error> {
                self.drive(|connection| connection.process_events(|event, _| Ok(on_event(event))))$($wait)*
            }

            /// Runs what is sent to a proxy before a session.
            $($asyncness)* fn run_proxy_handshake(
                stream: &mut $stream,
                handshake: &mut (dyn $crate::ProxyHandshake + Send),
                deadline: std::time::Instant,
            ) -> std::io::Result<()> {
                let mut handshake = $crate::ProxyIo::new(handshake, deadline);
                while let Some(io) = handshake.next_io()? {
                    $perform(stream, &mut handshake, io)$($wait)*?;
                }
                Ok(())
            }

            /// Connects to the host, or to it through the proxy.
            $($asyncness)* fn open(
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                observer: Option<Box<dyn $crate::proto::client::Observer>>,
            ) -> Result<Self, $crate::Error> {
                options.check_connects()?;
                let deadline = || $crate::deadline_after($now(), options.timeouts.connect);
                let (to_host, to_port) = options.connect_to(host, port);
                let failed = |cause| $crate::Error::Connect { host: to_host.to_owned(), port: to_port, cause };
                let mut last = std::io::Error::new(std::io::ErrorKind::NotFound, "the host has no address");
                for address in Self::resolve(to_host, to_port, deadline())$($wait)*.map_err(failed)? {
                    match Self::open_stream(address, deadline())$($wait)* {
                        Ok(mut stream) => {
                            $crate::connected(address);
                            if let Some(proxy) = &options.proxy {
                                let mut handshake = proxy.handshake(host, port).map_err(failed)?;
                                let done = Self::run_proxy_handshake(&mut stream, &mut *handshake, deadline())$($wait)*;
                                done.map_err(failed)?;
                            }
                            return Self::begin(stream, host, port, options, observer);
                        }
                        Err(error) => last = $crate::more_telling(last, error),
                    }
                }
                Err(failed(last))
            }
        }
    };
}
