//! The methods that the messages of all drivers have.

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
                self.client.shut_down()$($wait)*;
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
