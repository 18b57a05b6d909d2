//! A method of the clients of all drivers for each command.

/// Defines the methods for commands, inside of [`client_methods!`](crate::client_methods), in terms of its `run`. In brackets are the types
/// that the client is generic over.
#[macro_export]
macro_rules! client_commands {
    ([$($params:tt)*] {$($asyncness:tt)*} {$($wait:tt)*}) => {
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
            self.shut_down()$($wait)*;
            Ok(())
        }
    };
}
