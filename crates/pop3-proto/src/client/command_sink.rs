//! The sink for the commands of requests.

use alloc::string::ToString;

use bytes::BytesMut;

use super::config::Deadline;
use super::error::LocalError;
use super::event::Tag;
use super::machine::Client;
use super::observer::Observer;
use crate::codec::Command;

/// The sink for the commands of a [`Request`](super::Request): a machine, and the output to which the commands are appended.
///
/// ```
/// use bytes::BytesMut;
/// use pop3_proto::client::{Client, ClientConfig, CommandSink, Request, requests};
///
/// let (mut client, mut output) = (Client::new_encrypted(ClientConfig::default()), BytesMut::new());
/// let mut sink = CommandSink::new(&mut client, &mut output);
/// requests::greet().start(&mut sink)?;
/// let progress = client.poll(b"+OK ready\r\n")?;
/// let mut capa = requests::capa();
/// capa.start(&mut CommandSink::new(&mut client, &mut output))?;
/// assert_eq!(output, b"CAPA\r\n"[..]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct CommandSink<'a> {
    client: &'a mut Client,
    output: &'a mut BytesMut,
    observer: Option<&'a mut (dyn Observer + 'static)>,
}

impl core::fmt::Debug for CommandSink<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The output may hold secrets.
        f.debug_struct("CommandSink").field("client", &self.client).finish_non_exhaustive()
    }
}

impl<'a> CommandSink<'a> {
    /// Creates a sink from a machine and an output buffer.
    pub const fn new(client: &'a mut Client, output: &'a mut BytesMut) -> Self {
        Self { client, output, observer: None }
    }

    /// Adds an observer of the commands that are sent.
    #[must_use]
    pub fn with_observer(self, observer: Option<&'a mut (dyn Observer + 'static)>) -> Self {
        Self { observer, ..self }
    }

    /// Returns the machine.
    pub(super) const fn client(&mut self) -> &mut Client {
        self.client
    }

    /// Returns `true` once the greeting has come.
    pub(super) fn is_greeted(&self) -> bool {
        self.client.deadline() != Some(Deadline::Greeting)
    }

    /// Returns `true` if TLS is active.
    pub(super) fn is_encrypted(&self) -> bool {
        self.client.is_encrypted()
    }

    /// Returns `true` from 16 KiB of unsent output on: adding more can deadlock with a server that does not read.
    pub fn is_above_high_water(&self) -> bool {
        const HIGH_WATER: usize = 16 * 1024;
        self.output.len() >= HIGH_WATER
    }

    /// Returns how many more commands may be sent before a reply must be read.
    pub fn window(&self) -> usize {
        self.client.window()
    }

    /// Returns `true` while the reply to a command, or the rest of it, is awaited.
    pub fn is_in_flight(&self, tag: Tag) -> bool {
        self.client.is_in_flight(tag)
    }

    /// Returns `true` if a mechanism bound to this TLS connection was started; see [`Client::channel_binding_used`].
    pub(super) fn channel_binding_used(&self) -> bool {
        self.client.channel_binding_used()
    }

    /// Returns the timestamp for `APOP`; see [`Client::greeting`].
    pub(super) fn timestamp(&self) -> Option<&[u8]> {
        self.client.greeting()?.timestamp.as_deref()
    }

    /// Sets whether a `+OK` is an empty challenge; see [`Client::expect_challenge`].
    pub fn expect_challenge(&mut self, unfinished: bool) {
        self.client.expect_challenge(unfinished);
    }

    /// Answers a challenge; see [`Client::sasl_respond`].
    ///
    /// # Errors
    /// No challenge is pending, or the session has failed; nothing is sent.
    pub fn respond(&mut self, response: &[u8]) -> Result<(), LocalError> {
        let state = self.client.state();
        self.client.sasl_respond(response, self.output)?;
        if let Some(observer) = &mut self.observer {
            observer.sent(state, "[redacted]");
        }
        Ok(())
    }

    /// Fails the session; see [`Client::fail_untrusted`].
    pub fn fail_untrusted(&mut self) {
        self.client.fail_untrusted();
    }

    /// Cancels an exchange; see [`Client::sasl_cancel`].
    ///
    /// # Errors
    /// No challenge is pending, or the session has failed; nothing is sent.
    pub fn cancel(&mut self) -> Result<(), LocalError> {
        let state = self.client.state();
        self.client.sasl_cancel(self.output)?;
        if let Some(observer) = &mut self.observer {
            observer.sent(state, "*");
        }
        Ok(())
    }

    /// Appends a command to the output.
    ///
    /// # Errors
    /// The command is not allowed now; nothing is sent. See [`Client::send`].
    pub fn send(&mut self, command: Command<'_>) -> Result<Tag, LocalError> {
        let state = self.client.state();
        let tag = self.client.send(command, self.output)?;
        if let Some(observer) = &mut self.observer {
            observer.sent(state, &command.to_string());
        }
        Ok(tag)
    }
}
