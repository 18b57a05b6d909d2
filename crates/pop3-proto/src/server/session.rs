//! The session over a snapshot: it answers `STAT`, `LIST`, `UIDL`, `DELE`, `RSET` and `NOOP` by itself.

use alloc::sync::Arc;

use bytes::{BufMut, BytesMut};

use super::marks::Marks;
use super::phrase::Phrase;
use super::{Channel, Deadline, Denial, Login, NotAsked, Server, ServerConfig, ServerEvent, Snapshot};
use crate::Progress;
use crate::codec::{
    Command, DotEncoder, Expire, MessageNumber, ResponseCode, Segments, Text, TopLimit, put_decimal, put_drop_listing,
    put_scan_listing, put_unique_id_listing,
};

/// What the session asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Call again with what was not consumed; if nothing was consumed, read more first.
    NeedInput,
    /// There is much output: write it, then poll again.
    Flush,
    /// The question before waits for its answer; no input is consumed.
    AwaitingReply,
    /// Answer with [`Session::accept`] or [`Session::deny`].
    Authenticate(Login),
    /// A user logs in by `SCRAM`: answer with [`Session::keys`]. For a user that there is not, with a decoy.
    #[cfg(feature = "scram")]
    FindKeys(crate::sasl::ScramHash, super::Name),
    /// Send this message: [`Session::begin_message`], [`Session::body`] as often as needed, [`Session::end_message`]; or
    /// [`Session::refuse_message`]. For `TOP` too: the session cuts the message itself.
    Retrieve(MessageNumber),
    /// Remove the messages that [`Session::marked`] names, release the maildrop, then answer with [`Session::committed`].
    Commit,
    /// The `+OK` to `STLS` is in the output: write it, then hand the session to [`Session::into_upgraded`].
    UpgradeTls,
    /// The session is over: write the output and close. Without a [`Commit`](Self::Commit) nothing may be removed (S18).
    Closed,
}

/// Entries that a listing looks at before it lets others work; those that are marked bring no output.
const LOOKS: usize = 10_000;

/// Why a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unavailable {
    /// Somebody has removed it since the session began.
    Gone,
    /// It cannot be read now.
    Temporary,
}

/// Whether more of a message is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyWants {
    /// The next piece, or the end if there is none.
    More,
    /// `TOP` has all its lines: end the message.
    Enough,
}

#[derive(Debug)]
enum Sending {
    Nothing,
    Listing {
        next: usize,
        what: Listing,
    },
    /// A message was asked for; `top`: so many lines of its body.
    Asked {
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
enum Listing {
    Sizes,
    UniqueIds,
}

/// A POP3 session without I/O. The crate's first page has an example.
///
/// It holds the snapshot of the maildrop, so numbers never shift (S12), and the deletion marks; nothing is removed but by the
/// answer to [`Event::Commit`].
#[derive(Debug)]
pub struct Session {
    server: Server,
    snapshot: Snapshot,
    marks: Marks,
    /// What was sent whole: with `EXPIRE 0` it goes at `QUIT`, too (S42).
    retrieved: Marks,
    /// The highest number that was accessed, for `LAST`; 0: none.
    last: u32,
    /// All messages, and their octets.
    all: (u32, u64),
    /// Those that are not marked.
    left: (u32, u64),
    sending: Sending,
}

impl Session {
    /// A session; the greeting goes to `out`.
    pub fn new(config: Arc<ServerConfig>, channel: Channel, out: &mut BytesMut) -> Self {
        Self::on(Server::new(config, channel, out))
    }

    /// One that is over.
    pub(super) fn over(&self) -> Self {
        Self::on(self.server.over_already())
    }

    fn on(server: Server) -> Self {
        Self {
            server,
            snapshot: Snapshot::default(),
            marks: Marks::default(),
            retrieved: Marks::default(),
            last: 0,
            all: (0, 0),
            left: (0, 0),
            sending: Sending::Nothing,
        }
    }

    /// The deadline that applies.
    pub const fn deadline(&self) -> Deadline {
        self.server.deadline()
    }

    /// The machine below.
    pub const fn server(&self) -> &Server {
        &self.server
    }

    /// With `EXPIRE 0` what was retrieved is removed at `QUIT`.
    pub(super) fn removes_what_was_retrieved(&self) -> bool {
        self.server.config().expire.after == Expire::Days(0)
    }

    /// The size of a message on the wire, as it was announced. `None`: there is no such message.
    pub fn octets(&self, number: MessageNumber) -> Option<u64> {
        self.snapshot.octets(number)
    }

    /// The messages that are marked as deleted, in their order.
    pub fn marked(&self) -> impl Iterator<Item = MessageNumber> {
        self.marks.iter()
    }

    /// Looks at the input that has come so far. Drop `consumed` bytes, do what the event asks, then call again.
    pub fn poll(&mut self, input: &[u8], out: &mut BytesMut) -> Progress<Event> {
        match self.sending {
            Sending::Nothing => {}
            Sending::Asked { .. } | Sending::Message { .. } => return Progress { consumed: 0, event: Event::AwaitingReply },
            Sending::Listing { next, what } => {
                self.sending = self.list(next, what, out);
                if !matches!(self.sending, Sending::Nothing) {
                    return Progress { consumed: 0, event: Event::Flush };
                }
            }
        }
        let Progress { consumed, event } = self.server.poll(input, out);
        let event = match event {
            ServerEvent::NeedInput => Event::NeedInput,
            ServerEvent::Flush => Event::Flush,
            ServerEvent::AwaitingReply => Event::AwaitingReply,
            ServerEvent::Authenticate(login) => Event::Authenticate(login),
            #[cfg(feature = "scram")]
            ServerEvent::FindKeys(hash, name) => Event::FindKeys(hash, name),
            ServerEvent::Quit => {
                if self.removes_what_was_retrieved() {
                    self.marks.add(&self.retrieved);
                }
                Event::Commit
            }
            ServerEvent::UpgradeTls => Event::UpgradeTls,
            ServerEvent::Closed => Event::Closed,
            // The machine has just asked, so the answer is taken.
            ServerEvent::Command(command) => self.answer(command, out).unwrap_or(Event::Closed),
        };
        Progress { consumed, event }
    }

    fn answer(&mut self, command: Command<'_>, out: &mut BytesMut) -> Result<Event, NotAsked> {
        let number = match command {
            Command::Dele(n) | Command::Retr(n) | Command::Top(n, _) | Command::List(Some(n)) | Command::Uidl(Some(n)) => Some(n),
            _ => None,
        };
        if let Some(number) = number {
            // A number that is none does not parse; one that is too large means nothing (S13).
            let Some(octets) = self.snapshot.octets(number) else {
                self.refuse(None, Phrase::NoSuchMessage, out)?;
                return Ok(Event::NeedInput);
            };
            if self.marks.contains(number) {
                self.refuse(None, Phrase::IsMarked, out)?;
                return Ok(Event::NeedInput);
            }
            return self.answer_for(command, number, octets, out);
        }
        match command {
            // What is marked is not counted (S09).
            Command::Stat => {
                self.server.answered_by_session()?;
                out.put_slice(b"+OK ");
                put_drop_listing(out, self.left.0, self.left.1);
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
                self.left = self.all;
                self.ok(Phrase::NoneMarked, out)?;
            }
            Command::Last => {
                self.server.answered_by_session()?;
                out.put_slice(b"+OK ");
                put_decimal(out, self.last.into());
                out.put_slice(b"\r\n");
            }
            _ => self.server.ok(Text::EMPTY, out)?,
        }
        Ok(Event::NeedInput)
    }

    fn ok(&mut self, phrase: Phrase, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.server.ok(phrase.text(self.server.language), out)
    }

    fn refuse(&mut self, code: Option<ResponseCode<'_>>, phrase: Phrase, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.server.err(code, phrase.text(self.server.language), out)
    }

    /// Commands about one message that exists and is not marked.
    fn answer_for(
        &mut self,
        command: Command<'_>,
        number: MessageNumber,
        octets: u64,
        out: &mut BytesMut,
    ) -> Result<Event, NotAsked> {
        let shows = matches!(command, Command::Retr(_) | Command::Top(..) | Command::List(_));
        if shows && self.snapshot.needs_utf8(number) && !self.server.is_utf8() {
            self.refuse(Some(ResponseCode::Utf8), Phrase::NeedsUtf8, out)?;
            return Ok(Event::NeedInput);
        }
        match command {
            Command::Retr(_) => {
                self.sending = Sending::Asked { number, top: None };
                return Ok(Event::Retrieve(number));
            }
            Command::Top(_, lines) => {
                self.sending = Sending::Asked { number, top: Some(lines) };
                return Ok(Event::Retrieve(number));
            }
            Command::Dele(_) => {
                self.marks.insert(number);
                self.last = self.last.max(number.get());
                self.left = (self.left.0.saturating_sub(1), self.left.1.saturating_sub(octets));
                self.ok(Phrase::Marked, out)?;
            }
            // One message, one line (S11).
            _ => {
                self.server.answered_by_session()?;
                out.put_slice(b"+OK ");
                match command {
                    Command::Uidl(_) => self.put_unique_id(number, out),
                    _ => put_scan_listing(out, number, octets),
                }
            }
        }
        Ok(Event::NeedInput)
    }

    /// Appends entries, of which there may be none (S10), until the listing ends or the output is full.
    fn list(&self, mut next: usize, what: Listing, out: &mut BytesMut) -> Sending {
        let high_water = self.server.high_water();
        let pause = next + LOOKS;
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

    /// The credentials are right; `snapshot` is what the maildrop holds, for as long as the session lasts.
    ///
    /// # Errors
    /// No login is waiting.
    pub fn accept(&mut self, snapshot: Snapshot, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.server.accept(Phrase::Ready.text(self.server.language), out)?;
        let numbers = (0..snapshot.len()).filter_map(MessageNumber::from_index);
        let octets = numbers.filter_map(|number| snapshot.octets(number));
        self.all = octets.fold((0, 0), |(count, sum): (u32, u64), octets| (count.saturating_add(1), sum.saturating_add(octets)));
        self.left = self.all;
        self.snapshot = snapshot;
        Ok(())
    }

    /// The login is refused; the client may try again.
    ///
    /// # Errors
    /// No login is waiting.
    pub fn deny(&mut self, denial: Denial, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.server.deny(denial, out)
    }

    /// The keys that [`Event::FindKeys`] asks for.
    ///
    /// # Errors
    /// No keys are waited for.
    #[cfg(feature = "scram")]
    pub fn keys(&mut self, keys: crate::sasl::ScramKeys, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.server.keys(keys, out)
    }

    /// The message is at hand: its pieces follow.
    ///
    /// # Errors
    /// No message was asked for.
    pub fn begin_message(&mut self, out: &mut BytesMut) -> Result<(), NotAsked> {
        let Sending::Asked { number, top } = self.sending else { return Err(NotAsked) };
        match (top, self.snapshot.octets(number)) {
            (None, Some(octets)) => {
                self.server.answered_by_session()?;
                out.put_slice(b"+OK ");
                put_decimal(out, octets);
                out.put_u8(b' ');
                out.put_slice(Phrase::Octets.text(self.server.language).as_str().as_bytes());
                out.put_slice(b"\r\n");
                self.last = self.last.max(number.get());
            }
            _ => self.ok(Phrase::TopFollows, out)?,
        }
        self.sending = Sending::Message { number, encoder: DotEncoder::new(), top: top.map(TopLimit::new) };
        Ok(())
    }

    /// A piece of the message as it lies in the store, with line ends of either kind, as slices for a vectored write: stuffed,
    /// and cut where `TOP` has its lines. Nothing is copied.
    ///
    /// # Errors
    /// No message was begun.
    pub fn segments<'d>(&mut self, data: &'d [u8]) -> Result<(Segments<'d>, BodyWants), NotAsked> {
        let Sending::Message { encoder, top, .. } = &mut self.sending else { return Err(NotAsked) };
        let Some(top) = top else { return Ok((encoder.encode(data), BodyWants::More)) };
        let segments = encoder.encode(top.take(data));
        Ok((segments, if top.is_done() { BodyWants::Enough } else { BodyWants::More }))
    }

    /// The same, appended to `out`.
    ///
    /// # Errors
    /// No message was begun.
    pub fn body(&mut self, data: &[u8], out: &mut BytesMut) -> Result<BodyWants, NotAsked> {
        let Sending::Message { encoder, top, .. } = &mut self.sending else { return Err(NotAsked) };
        let (data, wants) = match top {
            Some(top) => (top.take(data), if top.is_done() { BodyWants::Enough } else { BodyWants::More }),
            None => (data, BodyWants::More),
        };
        encoder.encode_into(data, out);
        Ok(wants)
    }

    /// The message is complete. One that cannot be sent to its end must [`abort`](Self::abort) instead.
    ///
    /// # Errors
    /// No message was begun.
    pub fn end_message(&mut self, out: &mut BytesMut) -> Result<(), NotAsked> {
        match core::mem::replace(&mut self.sending, Sending::Nothing) {
            Sending::Message { number, encoder, top } => {
                if top.is_none() {
                    self.retrieved.insert(number);
                }
                out.put_slice(encoder.finish());
                Ok(())
            }
            other => {
                self.sending = other;
                Err(NotAsked)
            }
        }
    }

    /// The message that was asked for cannot be had.
    ///
    /// # Errors
    /// No message was asked for, or it was begun already.
    pub fn refuse_message(&mut self, why: Unavailable, out: &mut BytesMut) -> Result<(), NotAsked> {
        let Sending::Asked { .. } = self.sending else { return Err(NotAsked) };
        let phrase = match why {
            Unavailable::Gone => Phrase::MessageGone,
            Unavailable::Temporary => Phrase::MessageUnreadable,
        };
        self.refuse(Some(ResponseCode::SysTemp), phrase, out)?;
        self.sending = Sending::Nothing;
        Ok(())
    }

    /// What was marked is removed, but for `not_removed` messages (S19).
    ///
    /// # Errors
    /// No commit was asked for.
    pub fn committed(&mut self, not_removed: usize, out: &mut BytesMut) -> Result<(), NotAsked> {
        self.server.end(not_removed, out)
    }

    /// Ends the session without a word and without removing anything.
    pub fn abort(&mut self) {
        self.sending = Sending::Nothing;
        self.server.abort();
    }

    /// The session for the encrypted part; see [`Server::into_upgraded`].
    ///
    /// # Errors
    /// Something was read behind `STLS`, or `STLS` was not the last command: close the connection.
    pub fn into_upgraded(self, residual: &[u8], channel: Channel) -> Result<Self, NotAsked> {
        Ok(Self::on(self.server.into_upgraded(residual, channel)?))
    }
}
