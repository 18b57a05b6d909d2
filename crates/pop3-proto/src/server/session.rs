//! A session on a snapshot of the maildrop. It answers all commands of the TRANSACTION state by itself but
//! `RETR`, `TOP` and `QUIT`, which need the store.

use alloc::sync::Arc;
use core::fmt;

use bytes::{BufMut, BytesMut};

use super::close_reason::CloseReason;
use super::config::{Deadline, ServerConfig};
use super::connection_info::ConnectionInfo;
use super::error::{LocalError, RemoteError};
use super::event::{Event, Question};
use super::machine::{Machine, MachineEvent};
use super::marks::Marks;
use super::phrase::Phrase;
use super::proxied_client::ProxiedClient;
use super::snapshot::Snapshot;
use crate::Progress;
use crate::codec::{
    Command, DotEncoder, Expire, MessageNumber, ReplyText, ResponseCode, TopLimit, put_decimal, put_drop_listing,
    put_scan_listing, put_unique_id_listing,
};

/// The maximum number of entries that one poll examines for a listing. Marked messages produce no output, so a long run of them
/// must not keep the poll busy.
const MAX_ENTRIES_PER_POLL: usize = 10_000;

#[derive(Debug)]
pub(super) enum Sending {
    Nothing,
    Listing {
        next: usize,
        what: Listing,
    },
    /// A message was requested. For `TOP`, `top` is the number of body lines.
    Requested {
        number: MessageNumber,
        top: Option<u64>,
    },
    Message {
        number: MessageNumber,
        encoder: DotEncoder,
        top: Option<TopLimit>,
    },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listing {
    Sizes,
    UniqueIds,
}

/// A POP3 session without I/O and without buffers. [`Connection`](super::Connection) adds the buffers; the documentation of the
/// crate has an example.
///
/// It holds the snapshot of the maildrop and the deletion marks, so message numbers never shift. Messages are removed only by the
/// answer to [`Question::Commit`].
// S12
pub struct Session {
    pub(super) machine: Machine,
    pub(super) snapshot: Snapshot,
    marks: Marks,
    /// Messages that were sent completely. With `EXPIRE 0` they are removed at `QUIT`, too.
    // S42
    pub(super) retrieved: Marks,
    /// The highest number that was accessed, for `LAST`, or 0.
    pub(super) last: u32,
    /// The number of all messages, and their octets.
    pub(super) total: (u32, u64),
    /// The number of messages that are not marked, and their octets.
    pub(super) unmarked: (u32, u64),
    pub(super) sending: Sending,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (state, encrypted) = (self.machine.state(), self.is_encrypted());
        write!(f, "Session {{ state: {state:?}, encrypted: {encrypted}, messages: {} }}", self.total.0)
    }
}

impl Session {
    /// Begins a session; the greeting goes to `out`.
    pub fn new(config: Arc<ServerConfig>, info: ConnectionInfo, out: &mut BytesMut) -> Self {
        Self::with_machine(Machine::new(config, info, out))
    }

    fn with_machine(machine: Machine) -> Self {
        Self {
            machine,
            snapshot: Snapshot::default(),
            marks: Marks::default(),
            retrieved: Marks::default(),
            last: 0,
            total: (0, 0),
            unmarked: (0, 0),
            sending: Sending::Nothing,
        }
    }

    /// Returns the session for the encrypted part of the connection, after [`Event::UpgradeTls`] and the handshake (RFC 2595 §4).
    /// It keeps only the number of failed logins; everything else that the client sent in the clear is discarded.
    ///
    /// `residual` is the input that was read and not consumed.
    ///
    /// # Errors
    /// The client sent data after `STLS`, or has not sent `STLS`: close the connection.
    pub fn upgraded(&self, residual: &[u8], info: ConnectionInfo) -> Result<Self, RemoteError> {
        Ok(Self::with_machine(self.machine.upgraded(residual, info)?))
    }

    /// Returns an error if the handshake must not begin because the client sent data after `STLS`; see
    /// [`upgraded`](Self::upgraded).
    ///
    /// # Errors
    /// The client sent data after `STLS`, or has not sent `STLS`: close the connection.
    pub fn check_upgrade(&self, residual: &[u8]) -> Result<(), RemoteError> {
        self.machine.check_upgrade(residual)
    }

    /// Returns the configuration.
    pub fn config(&self) -> &ServerConfig {
        self.machine.config()
    }

    /// Returns the driver's information about the connection.
    pub const fn connection_info(&self) -> &ConnectionInfo {
        self.machine.connection_info()
    }

    /// Returns `true` if TLS is active.
    pub const fn is_encrypted(&self) -> bool {
        self.machine.is_encrypted()
    }

    /// Returns `true` if the peer is a trusted proxy.
    pub const fn is_trusted(&self) -> bool {
        self.machine.is_trusted()
    }

    /// Returns `true` if the client has sent `UTF8` and so accepts messages in UTF-8 (RFC 6856 §2.1).
    pub const fn is_utf8(&self) -> bool {
        self.machine.is_utf8()
    }

    /// Returns the client that a trusted proxy has named.
    pub const fn proxied_client(&self) -> Option<ProxiedClient> {
        self.machine.proxied_client()
    }

    /// Returns the method of the last login attempt: `USER`, `APOP`, or the name of a mechanism. Returns `None` before the first
    /// attempt.
    pub const fn login_method(&self) -> Option<&'static str> {
        self.machine.login_method()
    }

    /// Returns the number of logins that were denied because of wrong credentials.
    pub const fn failed_logins(&self) -> u32 {
        self.machine.failed_logins()
    }

    /// Returns the reason why the server closes the session, or `None` while the session runs.
    pub const fn close_reason(&self) -> Option<CloseReason> {
        self.machine.close_reason()
    }

    /// Returns the deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        self.machine.deadline()
    }

    /// Returns the announced size of a message in octets on the wire, or `None` if there is no such message.
    pub fn octets(&self, number: MessageNumber) -> Option<u64> {
        self.snapshot.octets(number)
    }

    /// Returns the messages that are marked as deleted, in ascending order.
    pub fn marked(&self) -> impl Iterator<Item = MessageNumber> {
        self.marks.iter()
    }

    /// Sets the high-water mark of the output after login, in octets, in place of
    /// [`output_high_water`](ServerConfig::output_high_water).
    pub const fn set_high_water(&mut self, octets: usize) {
        self.machine.set_high_water(octets);
    }

    /// Returns the size of the unwritten output, in octets, from which on the driver must write before more is produced.
    pub fn high_water(&self) -> usize {
        self.machine.high_water()
    }

    /// Returns `true` if messages that were retrieved are removed at `QUIT` (`EXPIRE 0`, RFC 2449 §6.7).
    pub(super) fn removes_retrieved(&self) -> bool {
        self.machine.config().expire.after == Expire::Days(0)
    }

    /// Returns `true` if the next line answers a challenge.
    pub(super) const fn expects_response(&self) -> bool {
        self.machine.expects_response()
    }

    /// Returns `true` while a listing is being sent.
    pub(super) const fn is_listing(&self) -> bool {
        matches!(self.sending, Sending::Listing { .. })
    }

    /// Ends the session without a reply and without removing messages, for example if a message cannot be sent completely: the
    /// client must not mistake the part that it received for a complete message.
    pub fn abort(&mut self) {
        self.sending = Sending::Nothing;
        self.machine.abort();
    }

    /// Processes the input received so far. Drop the first `consumed` octets of the input, handle the event, then call again.
    pub fn poll(&mut self, input: &[u8], out: &mut BytesMut) -> Progress<Event> {
        match self.sending {
            Sending::Nothing => {}
            Sending::Requested { .. } | Sending::Message { .. } => {
                return Progress { consumed: 0, event: Event::AwaitingAnswer };
            }
            Sending::Listing { next, what } => {
                self.sending = self.list(next, what, out);
                let event = if matches!(self.sending, Sending::Nothing) { Event::Continue } else { Event::Flush };
                return Progress { consumed: 0, event };
            }
        }
        let Progress { consumed, event } = self.machine.poll(input, out);
        let event = match event {
            MachineEvent::NeedInput => Event::NeedInput,
            MachineEvent::Continue => Event::Continue,
            MachineEvent::Flush => Event::Flush,
            MachineEvent::AwaitingAnswer => Event::AwaitingAnswer,
            MachineEvent::Authenticate(login) => Event::Question(Question::Authenticate(login)),
            #[cfg(feature = "scram")]
            MachineEvent::FindKeys(hash, name) => Event::Question(Question::FindKeys(hash, name)),
            MachineEvent::Quit => {
                if self.removes_retrieved() {
                    self.marks.add(&self.retrieved);
                }
                Event::Question(Question::Commit)
            }
            MachineEvent::Extension(request) => Event::Question(Question::Extension(request)),
            MachineEvent::UpgradeTls => Event::UpgradeTls,
            MachineEvent::Closed => Event::Closed,
            // The machine has just passed on this command, so it accepts the answer.
            MachineEvent::Command(command) => self.execute(command, out).unwrap_or(Event::Closed),
        };
        Progress { consumed, event }
    }

    fn execute(&mut self, command: Command<'_>, out: &mut BytesMut) -> Result<Event, LocalError> {
        let number = match command {
            Command::Dele(n) | Command::Retr(n) | Command::Top(n, _) | Command::List(Some(n)) | Command::Uidl(Some(n)) => Some(n),
            _ => None,
        };
        if let Some(number) = number {
            // Malformed numbers do not parse; a number that is too large names no message (S13).
            let Some(octets) = self.snapshot.octets(number) else {
                self.refuse(None, Phrase::NoSuchMessage, out)?;
                return Ok(Event::Continue);
            };
            if self.marks.contains(number) {
                self.refuse(None, Phrase::IsMarked, out)?;
                return Ok(Event::Continue);
            }
            return self.execute_for(command, number, octets, out);
        }
        match command {
            // Marked messages are not counted (S09).
            Command::Stat => {
                self.machine.take_command()?;
                out.put_slice(b"+OK ");
                put_drop_listing(out, self.unmarked.0, self.unmarked.1);
            }
            Command::List(_) => {
                self.ok(Phrase::ScanListingFollows, out)?;
                self.sending = Sending::Listing { next: 0, what: Listing::Sizes };
            }
            Command::Uidl(_) => {
                self.ok(Phrase::UniqueIdsFollow, out)?;
                self.sending = Sending::Listing { next: 0, what: Listing::UniqueIds };
            }
            Command::Rset => {
                self.marks.clear();
                self.retrieved.clear();
                self.last = 0;
                self.unmarked = self.total;
                self.ok(Phrase::NoneMarked, out)?;
            }
            Command::Last => {
                self.machine.take_command()?;
                out.put_slice(b"+OK ");
                put_decimal(out, self.last.into());
                out.put_slice(b"\r\n");
            }
            Command::Noop => self.machine.ok(ReplyText::EMPTY, out)?,
            // Commands about one message are executed above, and the others by the machine.
            Command::Dele(_)
            | Command::Retr(_)
            | Command::Top(..)
            | Command::Apop(..)
            | Command::Auth(..)
            | Command::AuthList
            | Command::Capa
            | Command::Extension(_)
            | Command::Lang(_)
            | Command::Pass(_)
            | Command::Quit
            | Command::Stls
            | Command::User(_)
            | Command::Utf8
            | Command::Xclient(_) => self.refuse(None, Phrase::NotHere, out)?,
        }
        Ok(Event::Continue)
    }

    pub(super) fn ok(&mut self, phrase: Phrase, out: &mut BytesMut) -> Result<(), LocalError> {
        self.machine.ok(phrase.text(self.machine.language()), out)
    }

    pub(super) fn refuse(
        &mut self,
        code: Option<ResponseCode<'_>>,
        phrase: Phrase,
        out: &mut BytesMut,
    ) -> Result<(), LocalError> {
        self.machine.err(code, phrase.text(self.machine.language()), out)
    }

    /// Executes a command about one message that exists and is not marked.
    fn execute_for(
        &mut self,
        command: Command<'_>,
        number: MessageNumber,
        octets: u64,
        out: &mut BytesMut,
    ) -> Result<Event, LocalError> {
        let shows = matches!(command, Command::Retr(_) | Command::Top(..) | Command::List(_));
        if shows && self.snapshot.needs_utf8(number) && !self.is_utf8() {
            self.refuse(Some(ResponseCode::Utf8), Phrase::NeedsUtf8, out)?;
            return Ok(Event::Continue);
        }
        match command {
            Command::Retr(_) => {
                self.sending = Sending::Requested { number, top: None };
                return Ok(Event::Question(Question::Retrieve { number, top: None }));
            }
            Command::Top(_, lines) => {
                self.sending = Sending::Requested { number, top: Some(lines) };
                return Ok(Event::Question(Question::Retrieve { number, top: Some(lines) }));
            }
            Command::Dele(_) => {
                self.marks.insert(number);
                self.last = self.last.max(number.get());
                self.unmarked = (self.unmarked.0.saturating_sub(1), self.unmarked.1.saturating_sub(octets));
                self.ok(Phrase::Marked, out)?;
            }
            // A listing of one message is one line (S11).
            _ => {
                self.machine.take_command()?;
                out.put_slice(b"+OK ");
                match command {
                    Command::Uidl(_) => self.put_unique_id(number, out),
                    _ => put_scan_listing(out, number, octets),
                }
            }
        }
        Ok(Event::Continue)
    }

    /// Appends entries until the listing ends, the output is full, or enough entries were examined. A listing may be empty.
    // S10
    fn list(&self, mut next: usize, what: Listing, out: &mut BytesMut) -> Sending {
        let high_water = self.high_water();
        let pause = next + MAX_ENTRIES_PER_POLL;
        while let Some(number) = MessageNumber::from_index(next)
            && let Some(octets) = self.snapshot.octets(number)
        {
            if out.len() >= high_water || next >= pause {
                return Sending::Listing { next, what };
            }
            next += 1;
            if self.marks.contains(number) {
                continue;
            }
            match what {
                Listing::Sizes => put_scan_listing(out, number, octets),
                Listing::UniqueIds => self.put_unique_id(number, out),
            }
        }
        out.put_slice(b".\r\n");
        Sending::Nothing
    }

    fn put_unique_id(&self, number: MessageNumber, out: &mut BytesMut) {
        if let Some(id) = self.snapshot.unique_id(number) {
            put_unique_id_listing(out, number, id);
        }
    }
}
