//! The methods that the clients of all drivers have.

/// Defines the methods that the client of every driver has, in terms of a few that each driver writes itself: the methods `shut_down` (closes
/// the stream) and `drive` (the loop between the session and the stream), and the functions `resolve`, `open_stream`, and
/// `start_tls`.
///
/// `client_methods!([] [] {async} {.await} Box<dyn Transport>, Box<dyn Transport>, now, closed, perform, sleep);` for an asynchronous driver, with
/// `{} {}` for a blocking one. In brackets are the type parameters of the client; the types are those of the caller's streams and of the driver's
/// own; `now` returns the driver's time, `closed` a stream that is closed, `perform` does something on a stream, and `sleep` waits.
#[macro_export]
macro_rules! client_methods {
    ([$($generics:tt)*] [$($params:tt)*] {$($asyncness:tt)*} {$($wait:tt)*} $outer:ty, $stream:ty, $now:path, $closed:path, $perform:path, $sleep:path) => {
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

            /// Begins a session on a stream, with the handshake of implicit TLS where the options require it.
            $($asyncness)* fn begin(
                mut stream: $stream,
                host: &str,
                port: u16,
                options: &$crate::ClientOptions,
                observer: Option<Box<dyn $crate::proto::client::Observer>>,
            ) -> Result<Self, $crate::Error> {
                let mut session = $crate::ClientSession::new(host, port, options, observer, $now());
                if let $crate::Security::Tls(config) = &options.security {
                    let binding;
                    (stream, binding) = Self::start_tls(stream, host, config, options.timeouts.connect)$($wait)*?;
                    session.set_binding(binding);
                }
                Ok(Self { session, stream })
            }

            /// Does the handshake after `STLS`. If it is interrupted, the session has ended.
            $($asyncness)* fn upgrade(&mut self) -> Result<(), $crate::Error> {
                let config = self.session.upgrade()?;
                let stream = std::mem::replace(&mut self.stream, $closed());
                let (host, after) = (self.session.host(), self.session.timeouts().connect);
                let (stream, binding) = Self::start_tls(stream, &host, &config, after)$($wait)*?;
                self.stream = stream;
                self.session.set_binding(binding);
                Ok(())
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
                Self::begin(stream.into(), host, port, options, observer)$($wait)*?.greet()$($wait)*
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
                let _ = self.shut_down()$($wait)*;
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
                let mut client = Self::begin(stream.into(), host, port, options, None)$($wait)*?;
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
                let (host, policy) = (self.session.host(), self.session.login_policy(policy));
                let mut login = $crate::proto::client::requests::login(credentials, &policy, self.session.login_context(&host)?);
                self.drive($crate::proto::client::Connection::drain_abandoned)$($wait)*?;
                loop {
                    self.session.start(&mut login)?;
                    match self.drive(|connection| connection.next_action(&mut login))$($wait)*? {
                        $crate::proto::client::LoginOutcome::Done => return Ok(()),
                        $crate::proto::client::LoginOutcome::UpgradeTls => self.upgrade()$($wait)*?,
                    }
                    login.bind(self.session.binding().clone());
                }
            }

            /// Sends `CAPA` and returns what the server can do now; it may be more after login (RFC 2449 §5).
            ///
            /// # Errors
            /// The server refuses (its capabilities are unknown then), or the session broke.
            pub $($asyncness)* fn capa(&mut self) -> Result<$crate::proto::codec::Capabilities, $crate::Error> {
                self.run($crate::proto::client::requests::capa())$($wait)*
            }

            /// Sends `STAT` and returns the number and the total size of the messages (RFC 1939 §5).
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn stat(&mut self) -> Result<$crate::proto::codec::DropListing, $crate::Error> {
                self.run($crate::proto::client::requests::stat())$($wait)*
            }

            /// Sends `LIST` and returns the sizes of all messages (RFC 1939 §5).
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn list(&mut self) -> Result<Vec<$crate::proto::codec::ScanListing>, $crate::Error> {
                self.run($crate::proto::client::requests::list())$($wait)*
            }

            /// Sends `UIDL` and returns the unique-ids of all messages (RFC 1939 §7).
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn uidl(&mut self) -> Result<Vec<$crate::proto::client::requests::UniqueIdEntry>, $crate::Error> {
                self.run($crate::proto::client::requests::uidl())$($wait)*
            }

            /// Sends `LIST` as [`list`](Self::list) does, and passes over lines that cannot be read, which are returned beside the others.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn list_readable(
                &mut self,
            ) -> Result<$crate::proto::client::requests::PartialListing<$crate::proto::codec::ScanListing>, $crate::Error> {
                self.run($crate::proto::client::requests::list_readable())$($wait)*
            }

            /// Sends `UIDL` as [`uidl`](Self::uidl) does, and passes over lines that cannot be read, which are returned beside the others.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn uidl_readable(
                &mut self,
            ) -> Result<$crate::proto::client::requests::PartialListing<$crate::proto::client::requests::UniqueIdEntry>, $crate::Error> {
                self.run($crate::proto::client::requests::uidl_readable())$($wait)*
            }

            /// Sends `LIST` with a number and returns the size of that message.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn list_one(
                &mut self,
                number: $crate::proto::codec::MessageNumber,
            ) -> Result<$crate::proto::codec::ScanListing, $crate::Error> {
                self.run($crate::proto::client::requests::list_one(number))$($wait)*
            }

            /// Sends `UIDL` with a number and returns the unique-id of that message.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn uidl_one(
                &mut self,
                number: $crate::proto::codec::MessageNumber,
            ) -> Result<$crate::proto::client::requests::UniqueIdEntry, $crate::Error> {
                self.run($crate::proto::client::requests::uidl_one(number))$($wait)*
            }

            /// Sends `DELE`: marks a message as deleted. [`quit`](Self::quit) removes it.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn dele(&mut self, number: $crate::proto::codec::MessageNumber) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::dele(number))$($wait)*
            }

            /// Sends `RSET`: clears all deletion marks.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn rset(&mut self) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::rset())$($wait)*
            }

            /// Sends `NOOP`: keeps the session from timing out.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn noop(&mut self) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::noop())$($wait)*
            }

            /// Sends `UTF8`, before login: messages may be in UTF-8 from now on (RFC 6856 §2.1).
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn utf8(&mut self) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::utf8())$($wait)*
            }

            /// Sends `LANG` and returns the languages of the server's texts, each with its tag and perhaps its name (RFC 6856 §3.2).
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn languages(&mut self) -> Result<Vec<Box<[u8]>>, $crate::Error> {
                self.run($crate::proto::client::requests::languages())$($wait)*
            }

            /// Sends `LANG` with a language: the server's texts are in it from now on; `*` leaves the choice to the server.
            ///
            /// # Errors
            /// The server does not know the language, or the session broke.
            pub $($asyncness)* fn lang(&mut self, range: &str) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::lang($crate::proto::codec::Word::new(range)?))$($wait)*
            }

            /// Sends `RETR`. The message is read through what is returned.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn retr(
                &mut self,
                number: $crate::proto::codec::MessageNumber,
            ) -> Result<Message<'_, $($params)*>, $crate::Error> {
                let tag = self.run($crate::proto::client::requests::retr(number))$($wait)*?;
                Ok(Message::new(self, tag))
            }

            /// Sends `RETR` and returns the message as a stream of octets that owns the client, so that it can be handed on, for example as the
            /// body of an HTTP response. [`MessageReader::into_client`] returns the client.
            ///
            /// # Errors
            /// The server refuses, or the session broke. The client is dropped then.
            pub $($asyncness)* fn into_reader(
                mut self,
                number: $crate::proto::codec::MessageNumber,
            ) -> Result<MessageReader<Self, $($params)*>, $crate::Error> {
                let tag = self.run($crate::proto::client::requests::retr(number))$($wait)*?;
                Ok(MessageReader::new(self, tag))
            }

            /// Sends `TOP`: a message's header and the given number of body lines, read through what is returned.
            ///
            /// # Errors
            /// The server refuses, or the session broke.
            pub $($asyncness)* fn top(
                &mut self,
                number: $crate::proto::codec::MessageNumber,
                lines: u64,
            ) -> Result<Message<'_, $($params)*>, $crate::Error> {
                let tag = self.run($crate::proto::client::requests::top(number, lines))$($wait)*?;
                Ok(Message::new(self, tag))
            }

            /// Sends `RETR` for many messages, pipelined if the server announces `PIPELINING`. `on_message` receives each message when it is
            /// complete, or its refusal. One message at a time is in memory.
            ///
            /// # Errors
            /// The session broke. The messages that `on_message` has received are complete.
            pub $($asyncness)* fn retrs(
                &mut self,
                numbers: impl IntoIterator<Item = $crate::proto::codec::MessageNumber>,
                on_message: impl FnMut($crate::proto::codec::MessageNumber, Result<Vec<u8>, $crate::proto::client::Refusal>),
            ) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::retrs(self.session.window(), numbers, on_message))$($wait)*
            }

            /// Sends `TOP` for many messages as [`retrs`](Self::retrs) does `RETR`: `on_message` receives the header and `lines` lines of the body
            /// of each.
            ///
            /// # Errors
            /// See [`retrs`](Self::retrs).
            pub $($asyncness)* fn tops(
                &mut self,
                numbers: impl IntoIterator<Item = $crate::proto::codec::MessageNumber>,
                lines: u64,
                on_message: impl FnMut($crate::proto::codec::MessageNumber, Result<Vec<u8>, $crate::proto::client::Refusal>),
            ) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::tops(self.session.window(), numbers, lines, on_message))$($wait)*
            }

            /// Sends `DELE` for many messages, pipelined if the server announces `PIPELINING`, and returns the result for each.
            ///
            /// # Errors
            /// The session broke: without a [`quit`](Self::quit) no message is removed.
            pub $($asyncness)* fn deles(
                &mut self,
                numbers: impl IntoIterator<Item = $crate::proto::codec::MessageNumber>,
            ) -> Result<Vec<($crate::proto::codec::MessageNumber, Result<(), $crate::proto::client::Refusal>)>, $crate::Error> {
                let mut results = Vec::new();
                let on_reply = |number, result| results.push((number, result));
                self.run($crate::proto::client::requests::deles(self.session.window(), numbers, on_reply))$($wait)*?;
                Ok(results)
            }

            /// Sends many commands, at most `window` of them before their replies are read. `on_event` gets the events of each command with the
            /// command's index.
            ///
            /// # Errors
            /// The session broke.
            pub $($asyncness)* fn batch<'a>(
                &mut self,
                window: usize,
                commands: impl IntoIterator<Item = $crate::proto::codec::Command<'a>>,
                on_event: impl FnMut(usize, $crate::proto::client::ClientEvent<'_>),
            ) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::batch(window, commands, on_event))$($wait)*
            }

            /// Sends `QUIT`: ends the session and removes the marked messages.
            ///
            /// # Errors
            /// If the session has ended before, as after a large message that was given up, nothing is sent and no marked message is removed. After
            /// a refusal some marked messages are not removed. After a [disconnect](crate::Error::is_disconnect) it is unknown whether they are.
            // Q43
            pub $($asyncness)* fn quit(mut self) -> Result<(), $crate::Error> {
                self.run($crate::proto::client::requests::quit())$($wait)*?;
                // The server has answered and closes, too: nothing depends on how that ends.
                let _ = self.shut_down()$($wait)*;
                Ok(())
            }

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
                            if let Some(proxy) = &options.proxy {
                                let mut handshake = proxy.handshake(host, port).map_err(failed)?;
                                let done = Self::run_proxy_handshake(&mut stream, &mut *handshake, deadline())$($wait)*;
                                done.map_err(failed)?;
                            }
                            return Self::begin(stream, host, port, options, observer)$($wait)*;
                        }
                        Err(error) => last = error,
                    }
                }
                Err(failed(last))
            }
        }
    };
}

/// Defines the message that the clients of all drivers give, in terms of the client's `drive`. `$sink` is what a message can be written to,
/// and `$reader` are the arguments of [`message_reader!`](crate::message_reader).
#[macro_export]
macro_rules! message_methods {
    ([$($generics:tt)*] [$($params:tt)*] {$($asyncness:tt)*} {$($wait:tt)*} $sink:ty, {$($reader:tt)*}) => {
        $crate::message_reader!($($reader)*);

        /// A message that is being received.
        ///
        /// If it is dropped before its end, the next command reads the rest and discards it, or fails if the server has announced that more
        /// than [`max_skipped`](crate::proto::client::ClientConfig::max_skipped) octets are left: to connect again is sooner then.
        /// [`drain`](Self::drain) and [`close`](Self::close) choose.
        pub struct Message<'c, $($generics)*> {
            client: &'c mut Client<$($params)*>,
            tag: $crate::proto::client::Tag,
        }

        impl<$($generics)*> std::fmt::Debug for Message<'_, $($params)*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "Message {{ {:?} }}", self.client)
            }
        }

        impl<'c, $($generics)*> Message<'c, $($params)*> {
            const fn new(client: &'c mut Client<$($params)*>, tag: $crate::proto::client::Tag) -> Self {
                Self { client, tag }
            }

            /// Returns the next piece, without byte-stuffing and without a copy; `None` at the end. Only then is the message complete.
            ///
            /// # Errors
            /// The session broke: the pieces that came are not a complete message.
            // H13
            pub $($asyncness)* fn next_chunk(&mut self) -> Result<Option<&[u8]>, $crate::Error> {
                let tag = self.tag;
                let more = self.client.drive(|connection| connection.next_chunk(tag))$($wait)*?;
                Ok(more.then(|| self.client.connection().chunk()))
            }

            /// Writes the message to `sink` and returns its octets.
            ///
            /// # Errors
            /// The session broke, or the sink failed.
            pub $($asyncness)* fn copy_to(&mut self, sink: &mut ($sink)) -> Result<u64, $crate::Error> {
                let mut octets = 0;
                while let Some(chunk) = self.next_chunk()$($wait)*? {
                    sink.write_all(chunk)$($wait)*.map_err($crate::Error::Sink)?;
                    octets += chunk.len() as u64;
                }
                Ok(octets)
            }

            /// Returns the size that the server announced, for a progress bar. It may be wrong, and `TOP` announces none.
            pub const fn announced_octets(&self) -> Option<u64> {
                self.client.connection().machine().announced_octets()
            }

            /// Returns the message as a stream of octets. What was read with [`next_chunk`](Self::next_chunk) does not come again.
            pub fn into_reader(self) -> MessageReader<&'c mut Client<$($params)*>, $($params)*> {
                MessageReader::new(self.client, self.tag)
            }

            /// Reads the rest of the message and discards it, however much it is.
            ///
            /// # Errors
            /// The session broke.
            pub $($asyncness)* fn drain(mut self) -> Result<(), $crate::Error> {
                while self.next_chunk()$($wait)*?.is_some() {}
                Ok(())
            }

            /// Gives up the rest of the message and the session with it: the connection is closed at once, and messages that are marked as
            /// deleted stay.
            pub $($asyncness)* fn close(self) {
                self.client.session.connection_mut().abandon();
                // Nothing depends on how the connection closes.
                let _ = self.client.shut_down()$($wait)*;
            }

            /// Returns the message in memory.
            ///
            /// # Errors
            /// The session broke.
            pub $($asyncness)* fn into_vec(mut self) -> Result<Vec<u8>, $crate::Error> {
                let mut text = Vec::new();
                self.copy_to(&mut text)$($wait)*?;
                Ok(text)
            }
        }
    };
}
