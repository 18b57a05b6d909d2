//! The methods that the servers of all drivers have.

/// Defines the methods of `Session`, the low level of a server, in terms of a few functions that each driver writes itself: `io`, `perform_io`
/// (which the shutdown interrupts), `pause`, `check`, `accept_tls`, `close` and `closed`; and of its trait for the kinds of stores.
#[macro_export]
macro_rules! session_methods {
    ([$($generics:tt)*] [$($params:tt)*] {$($asyncness:tt)*} {$($wait:tt)*} [$($mode:tt)*] $stream:ty, $now:path) => {
        impl<$($generics)*> std::fmt::Debug for Session<$($params)*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(self.connection().session(), f)
            }
        }

        impl<$($generics)*> Session<$($params)*> {
            pub(crate) fn new(session: $crate::server::ServerSession, stream: $stream) -> Self {
                // In a box: futures hold what is passed to them more than once, and a session is large.
                Self { session: Box::new(session), stream }
            }

            /// Returns the connection, which reports the state of the session.
            pub const fn connection(&self) -> &$crate::proto::server::Connection {
                self.session.connection()
            }

            /// Returns the answers to the last question.
            pub const fn answer(&mut self) -> $crate::proto::server::Answer<'_> {
                self.session.answer()
            }

            /// Writes what was answered, and reads until the session has a question. `None`: the session has ended, because the client
            /// disconnected or sent `QUIT`, or because the server shuts down; without a
            /// [`Question::Commit`](crate::proto::server::Question::Commit) nothing may be removed. `STLS` is done here.
            ///
            /// # Errors
            /// The connection broke, or the client was silent for too long; the last question was not answered.
            // S18
            pub $($asyncness)* fn next_question(&mut self) -> std::io::Result<Option<$crate::proto::server::Question>> {
                loop {
                    match self.session.next_action($now())? {
                        $crate::server::ServerAction::Answer(question) => return Ok(Some(question)),
                        action => {
                            if Self::perform(&mut self.session, &mut self.stream, action)$($wait)*?.is_break() {
                                return Ok(None);
                            }
                        }
                    }
                }
            }

            /// Writes and flushes what was answered so far. [`next_question`](Self::next_question) does that, too; call this if the next
            /// question is awaited only later.
            ///
            /// # Errors
            /// The connection broke, or the client was too slow.
            pub $($asyncness)* fn flush(&mut self) -> std::io::Result<()> {
                while let Some(action) = self.session.next_flush_action($now()) {
                    let _ = Self::perform(&mut self.session, &mut self.stream, action)$($wait)*?;
                }
                Ok(())
            }

            /// Sends a piece of the message that was begun; its lines may end in CR LF or in LF. Output that has gathered is written, so that
            /// memory does not depend on the size of a message.
            ///
            /// If the call is cancelled, a part of the piece may have been taken: close the connection then.
            ///
            /// # Errors
            /// No message was begun; the connection broke, or the client was too slow.
            // H33
            pub $($asyncness)* fn send_body(&mut self, mut piece: &[u8]) -> std::io::Result<$crate::proto::server::BodyWants> {
                while !piece.is_empty() {
                    let (taken, wants) = self.session.body(piece)?;
                    if wants == $crate::proto::server::BodyWants::Enough {
                        return Ok(wants);
                    }
                    piece = &piece[taken..];
                    while let Some(action) = self.session.next_body_action($now()) {
                        let _ = Self::perform(&mut self.session, &mut self.stream, action)$($wait)*?;
                    }
                }
                Ok($crate::proto::server::BodyWants::More)
            }

            /// Has a store answer the session to its end, and logs the end.
            pub(crate) $($asyncness)* fn serve<S, M: $($mode)*>(self, store: &std::sync::Arc<S>) -> std::io::Result<()> {
                let session = $crate::server::StoreSession::new(*self.session, M::for_session(store), M::run_blocking)?;
                let log = session.log();
                let ended = Self::answer_all::<S, M>(Box::new(session), self.stream)$($wait)*;
                log.end(&ended);
                ended.map(drop)
            }

            /// Does what the session says on its stream. Breaks when the stream is closed.
            $($asyncness)* fn perform(
                session: &mut $crate::server::ServerSession,
                stream: &mut $stream,
                action: $crate::server::ServerAction,
            ) -> std::io::Result<std::ops::ControlFlow<()>> {
                let limiter = std::sync::Arc::clone(session.shared().limiter());
                match action {
                    $crate::server::ServerAction::Io($crate::Io::Read(_)) if limiter.is_shutting_down() => session.shut_down(),
                    $crate::server::ServerAction::Io(io @ $crate::Io::Read(_)) => {
                        match Self::perform_io(stream, session, io, &limiter)$($wait)* {
                            Err(_) if limiter.is_shutting_down() => session.shut_down(),
                            read => read.map_err(|error| session.failed(error))?,
                        }
                    }
                    $crate::server::ServerAction::Io(io) => {
                        Self::io(stream, session, io)$($wait)*.map_err(|error| session.failed(error))?;
                    }
                    $crate::server::ServerAction::Pause(until) => {
                        Self::pause(until, &limiter)$($wait)*;
                        session.paused();
                    }
                    $crate::server::ServerAction::Handshake(tls, deadline) => {
                        let clear = std::mem::replace(stream, Self::closed());
                        let accepted = Self::accept_tls(clear, &tls, deadline, &limiter)$($wait)*;
                        let (encrypted, info) = accepted.map_err(|error| session.failed(error))?;
                        session.upgraded(info)?;
                        *stream = encrypted;
                    }
                    $crate::server::ServerAction::Close(deadline) => {
                        if let Err(error) = Self::close(stream, deadline)$($wait)* {
                            tracing::debug!(%error, "closing the connection failed");
                        }
                        return Ok(std::ops::ControlFlow::Break(()));
                    }
                    $crate::server::ServerAction::Answer(_) => {
                        return Err(std::io::Error::other($crate::proto::server::LocalError::Unanswered));
                    }
                }
                Ok(std::ops::ControlFlow::Continue(()))
            }

            /// Returns how the session ended. An error ends the connection in the middle of a message, so that the client does not take
            /// it for a complete one.
            $($asyncness)* fn answer_all<S, M: $($mode)*>(
                mut session: Box<$crate::server::StoreSession<M::Store>>,
                mut stream: $stream,
            ) -> std::io::Result<String> {
                loop {
                    match session.next_action($now())? {
                        $crate::server::StoreAction::Io(action) => {
                            if Self::perform(session.session(), &mut stream, action)$($wait)*?.is_break() {
                                return Ok(session.session().ending());
                            }
                        }
                        $crate::server::StoreAction::Check(pending, deadline) => {
                            let outcome = Self::check(pending, deadline, session.session().shared().limiter())$($wait)*;
                            session.checked(outcome).map_err(|error| session.session().failed(error))?;
                        }
                        $crate::server::StoreAction::Work => session = M::work(session)$($wait)*?,
                    }
                }
            }
        }
    };
}

/// Defines the methods of `Server` that all drivers have, in terms of a few functions that each driver writes itself: `Server::tcp` (returns a
/// connection's stream and the address of its peer), `Session::accept_tls`, and `Session::perform_io` (does something on a stream, unless
/// the server shuts down). With `store`, the methods that need a store.
#[macro_export]
macro_rules! server_methods {
    ($session:ty, {$($asyncness:tt)*} {$($wait:tt)*} $tcp_stream:ty, $outer:ty, $stream:ty, $now:path) => {
        /// Replaces the certificate. Sessions that run keep the old one. A server that began without TLS stays without it, and a server
        /// that did not request client certificates does not offer `EXTERNAL`.
        pub fn replace_tls(&self, tls: impl Into<$crate::tls::ServerTls>) {
            self.shared.replace_tls(tls.into());
        }

        /// Replaces the limits on sessions, [`max_sessions`]($crate::ServerOptions::max_sessions) and
        /// [`max_sessions_per_source`]($crate::ServerOptions::max_sessions_per_source). Sessions beyond a lower limit stay until they end.
        pub fn replace_limits(&self, max_sessions: usize, max_sessions_per_source: usize) {
            self.shared.limiter().set_limits(max_sessions, max_sessions_per_source);
        }

        /// Returns what the server has done since it began, for metrics.
        pub fn statistics(&self) -> $crate::server::ServerStatistics {
            self.shared.statistics()
        }

        /// Returns the number of sessions, raw ones and those with a store.
        pub fn sessions(&self) -> usize {
            self.shared.limiter().sessions()
        }

        /// Begins a session whose questions the caller answers, on the low level. The caller limits the number of sessions and reads what
        /// comes before the session, such as the header of the PROXY protocol. The shutdown waits until the session is dropped.
        ///
        /// # Errors
        /// The TLS handshake failed, or the server is shutting down.
        pub $($asyncness)* fn raw_session(&self, stream: $tcp_stream, listen: $crate::ListenSecurity) -> std::io::Result<$session> {
            let permit = self.shared.join()?;
            let (stream, peer) = Self::tcp(stream, &permit)?;
            let arrival = $crate::server::Arrival::new(&self.shared, Some(peer), $now()).with_permit(permit);
            self.begin(stream, listen, arrival)$($wait)*
        }

        /// Begins a session over the caller's stream; see [`raw_session`](Self::raw_session).
        ///
        /// # Errors
        /// The TLS handshake failed, or the server is shutting down.
        pub $($asyncness)* fn raw_session_with_stream(
            &self,
            stream: $outer,
            listen: $crate::ListenSecurity,
        ) -> std::io::Result<$session> {
            let arrival = $crate::server::Arrival::new(&self.shared, None, $now()).with_permit(self.shared.join()?);
            self.begin(stream.into(), listen, arrival)$($wait)*
        }

        /// Begins a session over a stream of which the caller knows everything, as one that is encrypted already; see
        /// [`raw_session`](Self::raw_session).
        ///
        /// # Errors
        /// The server is shutting down.
        pub fn raw_session_with_info(
            &self,
            stream: $outer,
            info: $crate::proto::server::ConnectionInfo,
        ) -> std::io::Result<$session> {
            let deadline = $crate::deadline_after($now(), self.shared.options().timeouts.login);
            let session = $crate::server::ServerSession::with_info(std::sync::Arc::clone(&self.shared), info, deadline);
            Ok(<$session>::new(session.with_permit(self.shared.join()?), stream.into()))
        }

        /// Reads the header of the PROXY protocol, where it is expected.
        $($asyncness)* fn read_proxy_header(
            &self,
            stream: &mut $stream,
            arrival: &mut $crate::server::Arrival,
        ) -> std::io::Result<()> {
            let deadline = arrival.login_deadline();
            let Some(header) = arrival.proxy_header() else { return Ok(()) };
            let mut header = $crate::ProxyIo::new(header, deadline);
            while let Some(io) = header.next_io()? {
                <$session>::perform_io(stream, &mut header, io, self.shared.limiter())$($wait)*?;
            }
            Ok(())
        }

        /// Does the handshake of implicit TLS, and then greets, all within the time for a login.
        // H12, S49
        $($asyncness)* fn begin(
            &self,
            mut stream: $stream,
            listen: $crate::ListenSecurity,
            arrival: $crate::server::Arrival,
        ) -> std::io::Result<$session> {
            let info = match listen {
                $crate::ListenSecurity::Cleartext => $crate::proto::server::ConnectionInfo::clear($crate::tls::random()?),
                $crate::ListenSecurity::ImplicitTls => {
                    let info;
                    let (tls, limiter) = (self.shared.tls()?, self.shared.limiter());
                    (stream, info) = <$session>::accept_tls(stream, &tls, arrival.login_deadline(), limiter)$($wait)*?;
                    info
                }
            };
            let shared = std::sync::Arc::clone(&self.shared);
            Ok(<$session>::new($crate::server::ServerSession::new(shared, arrival, info), stream))
        }
    };
    (store $session:ty, $mode:ty, {$($asyncness:tt)*} {$($wait:tt)*} $tcp_stream:ty, $outer:ty, $stream:ty, $now:path) => {
        /// Reads the header of the PROXY protocol where it is expected, counts the session for its source, and serves it.
        $($asyncness)* fn admit(
            &self,
            mut stream: $stream,
            peer: std::net::IpAddr,
            listen: $crate::ListenSecurity,
            permit: $crate::SessionPermit,
        ) -> std::io::Result<()> {
            let arrival = $crate::server::Arrival::new(&self.shared, Some(peer), $now());
            let mut arrival = arrival.with_proxy_header(&self.shared);
            self.read_proxy_header(&mut stream, &mut arrival)$($wait)*?;
            arrival.admit(permit)?;
            let session = self.begin(stream, listen, arrival)$($wait)*?;
            session.serve::<S, $mode>(&self.store)$($wait)*
        }

        /// Serves one connection to its end. The caller limits the number of sessions and reads what comes before the session, such as the
        /// header of the PROXY protocol.
        ///
        /// # Errors
        /// The connection broke, or the client was silent for too long. Nothing was removed then.
        // S18, S21
        pub $($asyncness)* fn serve_connection(&self, stream: $tcp_stream, listen: $crate::ListenSecurity) -> std::io::Result<()> {
            self.raw_session(stream, listen)$($wait)*?.serve::<S, $mode>(&self.store)$($wait)*
        }

        /// Serves the caller's stream to its end; see [`serve_connection`](Self::serve_connection).
        ///
        /// # Errors
        /// See [`serve_connection`](Self::serve_connection).
        pub $($asyncness)* fn serve_stream(&self, stream: $outer, listen: $crate::ListenSecurity) -> std::io::Result<()> {
            self.raw_session_with_stream(stream, listen)$($wait)*?.serve::<S, $mode>(&self.store)$($wait)*
        }

        /// Serves a stream of which the caller knows everything, as one that is encrypted already.
        ///
        /// # Errors
        /// See [`serve_connection`](Self::serve_connection).
        pub $($asyncness)* fn serve_stream_with_info(
            &self,
            stream: $outer,
            info: $crate::proto::server::ConnectionInfo,
        ) -> std::io::Result<()> {
            self.raw_session_with_info(stream, info)?.serve::<S, $mode>(&self.store)$($wait)*
        }
    };
}
