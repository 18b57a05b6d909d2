//! The session with its buffers: all that a driver of any runtime has to feed and to empty.

use alloc::sync::Arc;
use core::mem;

use bytes::{Buf, BytesMut};

use super::{BodyWants, Channel, Deadline, Denial, Event, Login, NotAsked, ServerConfig, Session, Snapshot, Unavailable};
use crate::Progress;
use crate::codec::MessageNumber;
use crate::inbox::Inbox;

/// What a driver has to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read into [`Connection::space`], tell [`Connection::filled`], step again.
    Read,
    /// Write [`Connection::output`], tell [`Connection::written`], step again.
    Write,
    /// Answer what the session asks, then step again.
    Ask(Ask),
    /// The question before has not been answered.
    Answer,
    /// All is written: close. Without an [`Ask::Commit`] nothing may be removed (S18).
    Close,
}

/// What a session asks of its driver.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ask {
    /// Answer with [`Connection::accept`] or [`Connection::deny`].
    Authenticate(Login),
    /// A user logs in by `SCRAM`: answer with [`Connection::keys`]. For a user that there is not, with a decoy.
    #[cfg(feature = "scram")]
    FindKeys(crate::sasl::ScramHash, super::Name),
    /// Send this message: [`Connection::begin_message`], [`Connection::body`] as often as needed,
    /// [`Connection::end_message`]; or [`Connection::refuse_message`].
    Retrieve(MessageNumber),
    /// Remove the messages that [`Connection::marked`] names, release the maildrop, then [`Connection::committed`].
    Commit,
    /// Ask [`Connection::check_upgrade`], do the TLS handshake, then [`Connection::upgrade`].
    UpgradeTls,
}

/// A session with an input buffer and an output buffer.
pub struct Connection {
    session: Session,
    inbox: Inbox,
    output: BytesMut,
    /// `QUIT` was said, and what was sent before it is not written yet.
    commit: bool,
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
    /// See [`Session::new`].
    pub fn new(config: Arc<ServerConfig>, channel: Channel) -> Self {
        let mut output = BytesMut::new();
        Self::over(Session::new(config, channel, &mut output), output)
    }

    fn over(session: Session, output: BytesMut) -> Self {
        // The longest line must fit, or a line could never be seen whole.
        let config = session.server().config();
        let (now, at_most) = (READ_SIZE.max(config.max_line + 1), config.max_sasl_line + 1);
        Self { session, inbox: Inbox::growing(now, at_most.max(now)), output, commit: false }
    }

    /// The session, for what it can tell.
    pub const fn session(&self) -> &Session {
        &self.session
    }

    /// The deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        self.session.deadline()
    }

    /// What to do next.
    pub fn step(&mut self) -> Step {
        if self.commit && self.output.is_empty() {
            self.commit = false;
            return Step::Ask(Ask::Commit);
        }
        loop {
            let Progress { consumed, event } = self.session.poll(self.inbox.unread(), &mut self.output);
            let unwritten = !self.output.is_empty();
            let step = match event {
                Event::NeedInput if consumed > 0 => None,
                Event::NeedInput | Event::Flush | Event::UpgradeTls | Event::Closed if unwritten => Some(Step::Write),
                Event::NeedInput => {
                    // What a large reply needed is not kept for a session that idles.
                    if self.output.capacity() > IDLE_OUTPUT {
                        self.output = BytesMut::new();
                    }
                    Some(Step::Read)
                }
                Event::Flush => None,
                Event::AwaitingReply if self.commit => Some(Step::Write),
                Event::AwaitingReply => Some(Step::Answer),
                Event::Authenticate(login) => Some(Step::Ask(Ask::Authenticate(login))),
                #[cfg(feature = "scram")]
                Event::FindKeys(hash, name) => Some(Step::Ask(Ask::FindKeys(hash, name))),
                Event::Retrieve(number) => Some(Step::Ask(Ask::Retrieve(number))),
                // What goes because it was retrieved has to be on its way first (S42).
                Event::Commit if unwritten && self.session.removes_what_was_retrieved() => {
                    self.commit = true;
                    Some(Step::Write)
                }
                Event::Commit => Some(Step::Ask(Ask::Commit)),
                Event::UpgradeTls => Some(Step::Ask(Ask::UpgradeTls)),
                Event::Closed => Some(Step::Close),
            };
            self.inbox.consume(consumed);
            // Any line may hold a password, a refused one too.
            self.inbox.wipe(consumed);
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// See [`Session::accept`].
    ///
    /// # Errors
    /// No login is waiting.
    pub fn accept(&mut self, snapshot: Snapshot) -> Result<(), NotAsked> {
        self.session.accept(snapshot, &mut self.output)
    }

    /// See [`Session::deny`].
    ///
    /// # Errors
    /// No login is waiting.
    pub fn deny(&mut self, denial: Denial) -> Result<(), NotAsked> {
        self.session.deny(denial, &mut self.output)
    }

    /// See [`Session::keys`].
    ///
    /// # Errors
    /// No keys are waited for.
    #[cfg(feature = "scram")]
    pub fn keys(&mut self, keys: crate::sasl::ScramKeys) -> Result<(), NotAsked> {
        self.session.keys(keys, &mut self.output)
    }

    /// See [`Session::begin_message`].
    ///
    /// # Errors
    /// No message was asked for.
    pub fn begin_message(&mut self) -> Result<(), NotAsked> {
        self.session.begin_message(&mut self.output)
    }

    /// See [`Session::body`]. Write the output when [`is_full`](Self::is_full) says so.
    ///
    /// # Errors
    /// No message was begun.
    pub fn body(&mut self, data: &[u8]) -> Result<BodyWants, NotAsked> {
        self.session.body(data, &mut self.output)
    }

    /// See [`Session::end_message`].
    ///
    /// # Errors
    /// No message was begun.
    pub fn end_message(&mut self) -> Result<(), NotAsked> {
        self.session.end_message(&mut self.output)
    }

    /// See [`Session::refuse_message`].
    ///
    /// # Errors
    /// No message was asked for, or it was begun already.
    pub fn refuse_message(&mut self, why: Unavailable) -> Result<(), NotAsked> {
        self.session.refuse_message(why, &mut self.output)
    }

    /// The messages that are marked as deleted.
    pub fn marked(&self) -> impl Iterator<Item = MessageNumber> {
        self.session.marked()
    }

    /// Ends the session in the middle of a message that cannot be sent to its end; see [`Session::abort`].
    pub fn abort(&mut self) {
        self.session.abort();
    }

    /// See [`Session::committed`].
    ///
    /// # Errors
    /// No commit was asked for.
    pub fn committed(&mut self, not_removed: usize) -> Result<(), NotAsked> {
        self.session.committed(not_removed, &mut self.output)
    }

    /// So much output has gathered that it should be written before more is made (H37).
    pub fn is_full(&self) -> bool {
        self.output.len() >= self.session.server().high_water()
    }

    /// What is to be written.
    pub fn output(&self) -> &[u8] {
        &self.output
    }

    /// So many bytes of the output were written.
    pub fn written(&mut self, count: usize) {
        self.output.advance(count.min(self.output.len()));
    }

    /// Where to read to.
    pub fn space(&mut self) -> &mut [u8] {
        self.inbox.space()
    }

    /// So many bytes were read. When the stream ends, just drop the connection: without `QUIT` nothing is removed (S18).
    pub fn filled(&mut self, count: usize) {
        self.inbox.filled(count);
    }

    /// Whether nothing was read behind `STLS`: to be asked before the handshake.
    ///
    /// # Errors
    /// Something was (H03): close the connection.
    pub fn check_upgrade(&self) -> Result<(), NotAsked> {
        if self.inbox.unread().is_empty() { Ok(()) } else { Err(NotAsked) }
    }

    /// Begins the encrypted part of the session, behind the handshake; see [`Session::into_upgraded`].
    ///
    /// # Errors
    /// Something was read behind `STLS` (H03), or `STLS` was not the last command: the session is over.
    pub fn upgrade(&mut self, channel: Channel) -> Result<(), NotAsked> {
        let over = Self::over(self.session.over(), BytesMut::new());
        let before = mem::replace(self, over);
        *self = Self::over(before.session.into_upgraded(before.inbox.unread(), channel)?, BytesMut::new());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h56_no_line_stays_in_memory() {
        let mut session = Connection::new(ServerConfig::default().into(), Channel { encrypted: true, ..Channel::default() });
        for said in [&b"USER joe\r\nPASS topsecret\r\n"[..], b"APOP topsecret\r\n"] {
            session.space()[..said.len()].copy_from_slice(said);
            session.filled(said.len());
            loop {
                match session.step() {
                    Step::Write => session.written(session.output().len()),
                    Step::Ask(_) => session.deny(Denial::Credentials).unwrap(),
                    _ => break,
                }
            }
            let shown = std::format!("{session:?}");
            assert!(shown.starts_with("Connection { session: Session {") && !shown.contains("topsecret"), "{shown}");
            assert!(!session.inbox.memory().windows(9).any(|window| window == b"topsecret"));
        }
    }
}
