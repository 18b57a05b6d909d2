//! A session with its buffers, for the drivers of all runtimes.

use alloc::boxed::Box;
use alloc::sync::Arc;

use bytes::{Buf, BytesMut};

use super::answer::Answer;
use super::config::{Deadline, ServerConfig};
use super::connection_info::ConnectionInfo;
use super::error::RemoteError;
use super::event::{Event, Question};
use super::observer::{Observation, Observer};
use super::session::Session;
use crate::Progress;
use crate::codec::MessageNumber;
use crate::read_buffer::ReadBuffer;
use crate::transport::Transport;

/// The next action for the driver of a [`Connection`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read into [`Connection::unfilled`], call [`Connection::advance_read`], ask again.
    Read,
    /// Write [`Connection::output`], call [`Connection::advance_written`], ask again.
    Write,
    /// Answer this by [`Connection::answer`], then ask again.
    Answer(Question),
    /// The last question has no answer yet.
    Unanswered,
    /// Call [`Connection::check_upgrade`], do the TLS handshake, then [`Connection::upgrade`].
    UpgradeTls,
    /// All output is written: close the connection. Without a preceding [`Question::Commit`], no message may be removed (RFC 1939
    /// §6).
    Close,
}

/// A session with an input buffer and an output buffer.
pub struct Connection {
    session: Session,
    input: ReadBuffer,
    output: BytesMut,
    /// A commit waits until the output before it is written.
    commit: bool,
    /// The stream has ended.
    ended: bool,
    observation: Observation,
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The buffers may hold secrets and mail.
        write!(f, "Connection {{ session: {:?} }}", self.session)
    }
}

/// The minimum size of the input buffer in octets: commands are short.
const READ_SIZE: usize = 2 * 1024;

/// The maximum capacity of the output buffer, in octets, that an idle session keeps.
const IDLE_OUTPUT: usize = 4 * 1024;

impl Connection {
    /// Begins a session; see [`Session::new`].
    pub fn new(config: Arc<ServerConfig>, info: ConnectionInfo) -> Self {
        let mut output = BytesMut::new();
        let session = Session::new(config, info, &mut output);
        Self::with_session(session, output, Observation::default())
    }

    fn with_session(session: Session, output: BytesMut, observation: Observation) -> Self {
        Self { input: Self::read_buffer(&session), session, output, commit: false, ended: false, observation }
    }

    /// Sets the observer of the session, which receives the greeting at once. Set it before anything is written.
    pub fn observe(&mut self, observer: Box<dyn Observer>) {
        self.observation.begin(observer, &self.output);
    }

    /// Returns an input buffer that can hold the longest permitted line.
    fn read_buffer(session: &Session) -> ReadBuffer {
        let config = session.config();
        let (initial, largest) = (READ_SIZE.max(config.max_line + 1), config.max_sasl_line + 1);
        ReadBuffer::growing(initial, largest.max(initial))
    }

    /// Ends the observation: the observer learns now that the session has ended.
    pub fn end_observation(&mut self) {
        drop(core::mem::take(&mut self.observation));
    }

    /// Returns the session.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        self.session.deadline()
    }

    /// Returns the interface that answers the last question.
    pub const fn answer(&mut self) -> Answer<'_> {
        self.session.answer(&mut self.output).observed(&mut self.observation)
    }

    /// Returns the messages that are marked as deleted.
    pub fn marked(&self) -> impl Iterator<Item = MessageNumber> {
        self.session.marked()
    }

    /// Ends the session without a reply, for example if a message cannot be sent completely; see [`Session::abort`].
    pub fn abort(&mut self) {
        self.session.abort();
        self.observation.reason = self.session.close_reason();
    }

    /// Processes the received input and returns the next action.
    pub fn next_action(&mut self) -> Action {
        if self.commit && self.output.is_empty() {
            self.commit = false;
            return Action::Answer(Question::Commit);
        }
        loop {
            let (before, is_observed) = (self.output.len(), self.observation.is_active());
            let (is_response, is_listing) = (is_observed && self.session.expects_response(), self.session.is_listing());
            let Progress { consumed, event } = self.session.poll(self.input.unread(), &mut self.output);
            if is_observed {
                self.observation.consumed(self.input.unread().get(..consumed).unwrap_or_default(), is_response);
                if !is_listing {
                    self.observation.replied(self.output.get(before..).unwrap_or_default());
                }
                self.observation.reason = self.session.close_reason();
            }
            let unwritten = !self.output.is_empty();
            let action = match event {
                Event::Continue => None,
                Event::NeedInput | Event::Flush | Event::UpgradeTls | Event::Closed if unwritten => Some(Action::Write),
                Event::NeedInput if self.ended => Some(Action::Close),
                Event::NeedInput => {
                    // An idle session does not keep the memory that a large reply needed.
                    if self.output.capacity() > IDLE_OUTPUT {
                        self.output = BytesMut::new();
                    }
                    Some(Action::Read)
                }
                // A listing of only marked messages pauses without output.
                Event::Flush => None,
                Event::AwaitingAnswer if self.commit => Some(Action::Write),
                Event::AwaitingAnswer => Some(Action::Unanswered),
                // Retrieved messages that EXPIRE 0 removes must be written to the client first (S42).
                Event::Question(Question::Commit) if unwritten && self.session.removes_retrieved() => {
                    self.commit = true;
                    Some(Action::Write)
                }
                Event::Question(question) => Some(Action::Answer(question)),
                Event::UpgradeTls => Some(Action::UpgradeTls),
                Event::Closed => Some(Action::Close),
            };
            self.input.consume(consumed);
            // Any line may hold a password, even a refused one.
            self.input.wipe(consumed);
            if let Some(action) = action {
                return action;
            }
        }
    }

    /// Returns `true` if input that was read is not executed yet, such as pipelined commands.
    pub fn has_unread_input(&self) -> bool {
        !self.input.unread().is_empty()
    }

    /// Sets the high-water mark of the output after login, in octets, in place of
    /// [`output_high_water`](ServerConfig::output_high_water); see [`is_above_high_water`](Self::is_above_high_water).
    pub const fn set_high_water(&mut self, octets: usize) {
        self.session.set_high_water(octets);
    }

    /// Returns `true` if the unwritten output has reached its high-water mark: write it before more is produced.
    // H37
    pub fn is_above_high_water(&self) -> bool {
        self.output.len() >= self.session.high_water()
    }

    /// Returns the output that is to be written.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Removes the first `count` octets, which were written, from the output.
    pub fn advance_written(&mut self, count: usize) {
        let count = count.min(self.output.len());
        self.output.advance(count);
        self.observation.octets_sent += count as u64;
    }

    /// Returns the space to read into.
    pub fn unfilled(&mut self) -> &mut [u8] {
        self.input.unfilled()
    }

    /// Reports that `count` octets were read into [`unfilled`](Self::unfilled). 0 means the end of the stream: after the input
    /// before it is processed, the next action is [`Action::Close`].
    pub fn advance_read(&mut self, count: usize) {
        self.ended |= count == 0;
        self.input.advance_read(count);
        self.observation.octets_received += count as u64;
    }

    /// Reads from and writes to a blocking stream until another action is needed. Never returns [`Action::Read`] or
    /// [`Action::Write`].
    ///
    /// # Errors
    /// Reading or writing failed. Close the connection.
    pub fn drive<T: Transport>(&mut self, transport: &mut T) -> Result<Action, T::Error> {
        loop {
            match self.next_action() {
                Action::Read => {
                    let count = transport.read(self.unfilled())?;
                    self.advance_read(count);
                }
                Action::Write => {
                    let count = transport.write(self.output())?;
                    self.advance_written(count);
                }
                other => return Ok(other),
            }
        }
    }

    /// Returns an error if the TLS handshake must not begin. Call it before the handshake.
    ///
    /// # Errors
    /// The client sent data after `STLS`, or has not sent `STLS`: close the connection.
    // H03
    pub fn check_upgrade(&self) -> Result<(), RemoteError> {
        self.session.check_upgrade(self.input.unread())
    }

    /// Begins the encrypted part of the session, after the handshake; see [`Session::upgraded`].
    ///
    /// # Errors
    /// The client sent data after `STLS`, or has not sent `STLS`: close the connection.
    // H03
    pub fn upgrade(&mut self, info: ConnectionInfo) -> Result<(), RemoteError> {
        let upgraded = self.session.upgraded(self.input.unread(), info);
        match upgraded {
            Ok(session) => {
                *self = Self::with_session(session, BytesMut::new(), core::mem::take(&mut self.observation));
                Ok(())
            }
            Err(error) => {
                // Input in the clear must not be executed, even if the driver continues.
                self.session.abort();
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::LoginDenial;

    #[test]
    fn h56_no_line_stays_in_memory() {
        let mut session =
            Connection::new(ServerConfig::default().into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() });
        for said in [&b"USER joe\r\nPASS topsecret\r\n"[..], b"APOP topsecret\r\n"] {
            session.unfilled()[..said.len()].copy_from_slice(said);
            session.advance_read(said.len());
            loop {
                match session.next_action() {
                    Action::Write => session.advance_written(session.output().len()),
                    Action::Answer(_) => session.answer().deny(LoginDenial::Credentials).unwrap(),
                    _ => break,
                }
            }
            let shown = std::format!("{session:?}");
            assert!(
                shown.starts_with("Connection { session: Session { state: Authorization") && !shown.contains("topsecret"),
                "{shown}"
            );
            assert!(!session.input.memory().windows(9).any(|window| window == b"topsecret"));
        }
    }
}
