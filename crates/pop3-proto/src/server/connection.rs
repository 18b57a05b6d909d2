//! The session with its buffers: all that a driver of any runtime has to feed and to empty.

use alloc::sync::Arc;

use bytes::{Buf, BytesMut};

use super::answer::Answer;
use super::config::{Deadline, ServerConfig};
use super::connection_info::ConnectionInfo;
use super::error::RemoteError;
use super::event::{Event, Question};
use super::session::Session;
use crate::Progress;
use crate::codec::MessageNumber;
use crate::read_buffer::ReadBuffer;
use crate::transport::Transport;

/// What the driver of a [`Connection`] must do next.
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
    /// Everything is written: close the connection. Without a [`Question::Commit`] nothing may be removed (RFC 1939 §6).
    Close,
}

/// A session with an input buffer and an output buffer.
pub struct Connection {
    session: Session,
    input: ReadBuffer,
    output: BytesMut,
    /// A commit waits until the output that comes before it is written.
    commit: bool,
    /// The stream has ended.
    ended: bool,
}

impl core::fmt::Debug for Connection {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        // The buffers may hold secrets and mail.
        f.debug_struct("Connection").field("session", &self.session).finish_non_exhaustive()
    }
}

/// Octets that are read at once, at least: commands are short.
const READ_SIZE: usize = 2 * 1024;

/// Octets of room for output that an idle session keeps at most.
const IDLE_OUTPUT: usize = 4 * 1024;

impl Connection {
    /// Begins a session; see [`Session::new`].
    pub fn new(config: Arc<ServerConfig>, info: ConnectionInfo) -> Self {
        let mut output = BytesMut::new();
        let session = Session::new(config, info, &mut output);
        Self { input: Self::read_buffer(&session), session, output, commit: false, ended: false }
    }

    /// The longest line must fit, or it could never be seen as a whole.
    fn read_buffer(session: &Session) -> ReadBuffer {
        let config = session.config();
        let (initial, largest) = (READ_SIZE.max(config.max_line + 1), config.max_sasl_line + 1);
        ReadBuffer::growing(initial, largest.max(initial))
    }

    /// Returns the session, for what it can tell.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// Returns the deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        self.session.deadline()
    }

    /// Returns the answers to the last question.
    pub const fn answer(&mut self) -> Answer<'_> {
        self.session.answer(&mut self.output)
    }

    /// Returns the messages that are marked as deleted.
    pub fn marked(&self) -> impl Iterator<Item = MessageNumber> {
        self.session.marked()
    }

    /// Ends the session in the middle of a message that cannot be sent to its end; see [`Session::abort`].
    pub fn abort(&mut self) {
        self.session.abort();
    }

    /// Executes what has come and returns what to do next.
    pub fn next_action(&mut self) -> Action {
        if self.commit && self.output.is_empty() {
            self.commit = false;
            return Action::Answer(Question::Commit);
        }
        loop {
            let Progress { consumed, event } = self.session.poll(self.input.unread(), &mut self.output);
            let unwritten = !self.output.is_empty();
            let action = match event {
                Event::Continue => None,
                Event::NeedInput | Event::Flush | Event::UpgradeTls | Event::Closed if unwritten => Some(Action::Write),
                Event::NeedInput if self.ended => Some(Action::Close),
                Event::NeedInput => {
                    // What a large reply needed is not kept for a session that idles.
                    if self.output.capacity() > IDLE_OUTPUT {
                        self.output = BytesMut::new();
                    }
                    Some(Action::Read)
                }
                // A listing of marked messages pauses without output.
                Event::Flush => None,
                Event::AwaitingAnswer if self.commit => Some(Action::Write),
                Event::AwaitingAnswer => Some(Action::Unanswered),
                // Messages that are removed because they were retrieved must be on their way first (S42).
                Event::Question(Question::Commit) if unwritten && self.session.removes_retrieved() => {
                    self.commit = true;
                    Some(Action::Write)
                }
                Event::Question(question) => Some(Action::Answer(question)),
                Event::UpgradeTls => Some(Action::UpgradeTls),
                Event::Closed => Some(Action::Close),
            };
            self.input.consume(consumed);
            // Any line may hold a password, a refused one too.
            self.input.wipe(consumed);
            if let Some(action) = action {
                return action;
            }
        }
    }

    /// Returns `true` if so much output has gathered that it should be written before more is made.
    // H37
    pub fn is_above_high_water(&self) -> bool {
        self.output.len() >= self.session.high_water()
    }

    /// Returns the output that is to be written.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// Drops `count` octets of the output: they were written.
    pub fn advance_written(&mut self, count: usize) {
        self.output.advance(count.min(self.output.len()));
    }

    /// Returns the space to read into.
    pub fn unfilled(&mut self) -> &mut [u8] {
        self.input.unfilled()
    }

    /// Reports that `count` octets were read into [`unfilled`](Self::unfilled); 0 at the end of the stream, after which the next action is
    /// [`Action::Close`].
    pub fn advance_read(&mut self, count: usize) {
        self.ended |= count == 0;
        self.input.advance_read(count);
    }

    /// Reads and writes, over a stream whose methods may wait, until something else is to be done: never returns [`Action::Read`] or
    /// [`Action::Write`].
    ///
    /// # Errors
    /// The stream broke.
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

    /// Returns an error if the handshake must not begin. Ask before the handshake.
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
                *self =
                    Self { input: Self::read_buffer(&session), session, output: BytesMut::new(), commit: false, ended: false };
                Ok(())
            }
            Err(error) => {
                // What came in the clear must not be executed, even if the driver goes on.
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
            assert!(shown.starts_with("Connection { session: Session {") && !shown.contains("topsecret"), "{shown}");
            assert!(!session.input.memory().windows(9).any(|window| window == b"topsecret"));
        }
    }
}
