//! Messages as streams of octets.

/// Defines `MessageReader`: `message_reader!(blocking)`, or `message_reader!(tokio now, perform)` and the same with `futures`, where `now`
/// returns the driver's time and `perform` does something on a stream. It is [`message_methods!`](crate::message_methods) that calls it.
#[macro_export]
macro_rules! message_reader {
    (@type [$($generics:tt)*] [$($params:tt)*] $timer:ty) => {
        /// A message as a stream of octets, without byte-stuffing. `C` is the client, or a mutable reference to it: a reader that owns its
        /// client can be handed on, for example as the body of an HTTP response.
        ///
        /// The stream ends with the message. If the session breaks before, a read fails: the octets so far are not a complete message. If
        /// the reader is dropped before the end, see [`Message`].
        pub struct MessageReader<C, $($generics)*> {
            client: C,
            tag: $crate::proto::client::Tag,
            /// Octets of the current chunk that were not read yet.
            unread: usize,
            octets_read: u64,
            announced_octets: Option<u64>,
            timer: $timer,
        }

        impl<C, $($generics)*> std::fmt::Debug for MessageReader<C, $($params)*> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let Self { octets_read, announced_octets, .. } = self;
                write!(f, "MessageReader {{ octets read: {octets_read}, announced: {announced_octets:?} }}")
            }
        }
    };
    (@methods $client:ty) => {
        fn new(mut client: C, tag: $crate::proto::client::Tag) -> Self {
            let announced_octets = std::borrow::BorrowMut::<$client>::borrow_mut(&mut client).connection().machine().announced_octets();
            Self { client, tag, unread: 0, octets_read: 0, announced_octets, timer: Default::default() }
        }

        /// Returns the octets that were read so far.
        pub const fn octets_read(&self) -> u64 {
            self.octets_read
        }

        /// Returns the size that the server announced, for a progress bar. It may be wrong, and `TOP` announces none.
        pub const fn announced_octets(&self) -> Option<u64> {
            self.announced_octets
        }

        /// Returns the client. What was not read is [abandoned](Message).
        pub fn into_client(self) -> C {
            self.client
        }

        fn advance(&mut self, octets: usize) {
            let octets = octets.min(self.unread);
            self.unread -= octets;
            self.octets_read += octets as u64;
        }
    };
    (blocking) => {
        $crate::message_reader!(@type [] [] ());

        impl<C: std::borrow::BorrowMut<Client>> MessageReader<C> {
            $crate::message_reader!(@methods Client);
        }

        impl<C: std::borrow::BorrowMut<Client>> std::io::BufRead for MessageReader<C> {
            fn fill_buf(&mut self) -> std::io::Result<&[u8]> {
                let (tag, client) = (self.tag, self.client.borrow_mut());
                if self.unread == 0 && client.drive(|connection| connection.next_chunk(tag))? {
                    self.unread = client.connection().chunk().len();
                }
                let chunk = client.connection().chunk();
                Ok(&chunk[chunk.len() - self.unread..])
            }

            fn consume(&mut self, octets: usize) {
                self.advance(octets);
            }
        }

        impl<C: std::borrow::BorrowMut<Client>> std::io::Read for MessageReader<C> {
            fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
                let count = std::io::Read::read(&mut std::io::BufRead::fill_buf(self)?, space)?;
                self.advance(count);
                Ok(count)
            }
        }
    };
    ([$($generics:tt)*] [$($params:tt)*] $($io:ident)::+, $sleep:ty, $sleep_until:expr, $now:path, $perform:path, {$($poll_read:tt)*}) => {
        $crate::message_reader!(@type [$($generics)*] [$($params)*] Option<(std::time::Instant, std::pin::Pin<Box<$sleep>>)>);

        impl<C: std::borrow::BorrowMut<Client<$($params)*>>, $($generics)*> MessageReader<C, $($params)*> {
            $crate::message_reader!(@methods Client<$($params)*>);

            /// Receives the next chunk, unless the current one is not read completely. At the end of the message it is empty.
            fn poll_chunk(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<std::io::Result<&[u8]>> {
                let tag = self.tag;
                while self.unread == 0 {
                    let client = self.client.borrow_mut();
                    match client.session.next_action($now(), |connection| connection.next_chunk(tag))? {
                        $crate::ClientAction::Done(true) => self.unread = client.connection().chunk().len(),
                        $crate::ClientAction::Done(false) => return std::task::Poll::Ready(Ok(&[])),
                        $crate::ClientAction::Io(io) => {
                            // The stream keeps the waker when this future is dropped, but a timer in it would be gone: the reader has its
                            // own.
                            let performed = {
                                let performing = std::pin::pin!($perform(&mut client.stream, &mut client.session, io));
                                std::future::Future::poll(performing, context)
                            };
                            match performed {
                                std::task::Poll::Ready(done) => done.map_err(|error| client.session.failed(error))?,
                                std::task::Poll::Pending => {
                                    let deadline = io.deadline();
                                    let timer = self.timer.take().filter(|(until, _)| *until == deadline);
                                    let (_, timer) = self.timer.insert(timer.unwrap_or_else(|| (deadline, Box::pin(($sleep_until)(deadline)))));
                                    if std::future::Future::poll(timer.as_mut(), context).is_pending() {
                                        return std::task::Poll::Pending;
                                    }
                                    // The deadline has passed, which the next try reports.
                                    self.timer = None;
                                }
                            }
                        }
                    }
                }
                let chunk = self.client.borrow_mut().connection().chunk();
                std::task::Poll::Ready(Ok(&chunk[chunk.len() - self.unread..]))
            }
        }

        impl<C: std::borrow::BorrowMut<Client<$($params)*>> + Unpin, $($generics)*> $($io)::+::AsyncBufRead for MessageReader<C, $($params)*> {
            fn poll_fill_buf(
                self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
            ) -> std::task::Poll<std::io::Result<&[u8]>> {
                self.get_mut().poll_chunk(context)
            }

            fn consume(self: std::pin::Pin<&mut Self>, octets: usize) {
                self.get_mut().advance(octets);
            }
        }

        impl<C: std::borrow::BorrowMut<Client<$($params)*>> + Unpin, $($generics)*> $($io)::+::AsyncRead for MessageReader<C, $($params)*> {
            $($poll_read)*
        }
    };
    // The signature of tokio.
    (tokio $now:path, $perform:path) => {
        $crate::message_reader!([] [] tokio::io, tokio::time::Sleep, |until: std::time::Instant| tokio::time::sleep_until(until.into()), $now, $perform, {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
                space: &mut tokio::io::ReadBuf<'_>,
            ) -> std::task::Poll<std::io::Result<()>> {
                let reader = self.get_mut();
                let chunk = std::task::ready!(reader.poll_chunk(context))?;
                let count = chunk.len().min(space.remaining());
                space.put_slice(&chunk[..count]);
                reader.advance(count);
                std::task::Poll::Ready(Ok(()))
            }
        });
    };
    // The signature of futures-io.
    (futures $now:path, $perform:path) => {
        $crate::message_reader!([R: Runtime] [R] futures_lite::io, R::Sleep, |until: std::time::Instant| R::sleep(until.saturating_duration_since($now())), $now, $perform, {
            fn poll_read(
                self: std::pin::Pin<&mut Self>,
                context: &mut std::task::Context<'_>,
                space: &mut [u8],
            ) -> std::task::Poll<std::io::Result<usize>> {
                let reader = self.get_mut();
                let chunk = std::task::ready!(reader.poll_chunk(context))?;
                let count = chunk.len().min(space.len());
                space[..count].copy_from_slice(&chunk[..count]);
                reader.advance(count);
                std::task::Poll::Ready(Ok(count))
            }
        });
    };
}
