//! The mail on the server. It survives all sessions, and checks that each removed message is safely stored by the client.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fastrand::Rng;
use pop3_maildrop::{LoginError, Maildrop, NotRemoved, Peer, Store};
use pop3_proto::codec::{MessageNumber, UniqueId, WireSize};
use pop3_proto::server::{LoginAttempt, Snapshot};

use crate::disk::SimDisk;

/// The user whose mail is fetched.
pub const FETCHED: &str = "joe";
/// Another user, whose mail is read by other clients.
pub const OTHER: &str = "ann";

/// A simulated store; clones share it.
#[derive(Clone, Debug)]
pub struct SimStore(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Rng,
    mail: HashMap<&'static str, Vec<Message>>,
    locked: BTreeSet<&'static str>,
    /// A client has logged in.
    opened: bool,
    next: u64,
    ids: Ids,
    /// All messages that ever arrived for [`FETCHED`].
    came: Vec<Arc<[u8]>>,
    /// The disk and the Maildir that must contain a message before its removal.
    home: (SimDisk, PathBuf),
    /// The probability of a failure, in 256ths.
    failures: u8,
    fault: Fault,
    /// The number of times that each message was truncated.
    cuts: HashMap<u64, u32>,
    /// The server has died.
    died: bool,
    /// Messages that were removed while a power cut would have lost the client's copy.
    lost: Vec<Vec<u8>>,
}

/// The server's way of making unique-ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ids {
    /// Each message has its own unique-id.
    Own,
    /// Copies of a message share one unique-id.
    OfContent,
    /// Unrelated messages share one unique-id. Messages that arrive after the first login have their own: otherwise a client
    /// could not find out whether an unconfirmed removal was carried out.
    // S17
    Shared,
    /// The next message gets a unique-id that is free again, which RFC 1939 §7 allows once the earlier message is gone.
    Reused,
    /// The number of the message in the session, which denotes another message in the next session.
    Numbers,
}

/// A permanent fault of the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Nothing,
    /// The server confirms deletions and keeps the messages.
    KeepsDeleted,
    /// The server truncates some messages, but terminates them correctly; each message at most twice.
    CutsShort,
    /// The server announces mechanisms and refuses them.
    RefusesMechanisms,
    /// The server ends each session after this many commands.
    EndsAfter(usize),
}

#[derive(Clone, Debug)]
struct Message {
    /// The identity of the message, independent of its unique-id.
    key: u64,
    id: String,
    text: Arc<[u8]>,
}

impl SimStore {
    pub fn new(random: Rng, home: (SimDisk, PathBuf), ids: Ids, failures: u8, fault: Fault) -> Self {
        let state = State {
            random,
            mail: HashMap::new(),
            locked: BTreeSet::new(),
            opened: false,
            next: 0,
            ids,
            came: Vec::new(),
            home,
            failures,
            fault,
            cuts: HashMap::new(),
            died: false,
            lost: Vec::new(),
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Delivers a new message.
    pub fn deliver(&self, user: &'static str) {
        let state = &mut *self.state();
        let mut text = text(&mut state.random);
        if state.fault == Fault::CutsShort {
            // The message is so long that a truncation exceeds the tolerance for wrong sizes.
            text.splice(..0, format!("Subject: {}\n\n{}\n", state.next, "a line of text ".repeat(30)).into_bytes());
        }
        let text: Arc<[u8]> = text.into();
        state.next += 1;
        let id = match state.ids {
            Ids::Shared if !state.opened => format!("shared-{}", state.random.u8(..3)),
            Ids::Own | Ids::Shared => format!("id-{}-own", state.next),
            Ids::Reused => {
                let mail = state.mail.entry(user).or_default();
                let is_free = |id: &String| mail.iter().all(|message| message.id != *id);
                (1..).map(|number| format!("r-{number}-")).find(is_free).unwrap_or_default()
            }
            Ids::Numbers => String::new(),
            Ids::OfContent => {
                let sum = text.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
                format!("{sum:x}")
            }
        };
        if user == FETCHED {
            state.came.push(Arc::clone(&text));
        }
        state.mail.entry(user).or_default().push(Message { key: state.next, id, text });
    }

    /// Returns all messages that ever arrived for [`FETCHED`], in the form that a Maildir stores.
    pub fn came(&self) -> Vec<Vec<u8>> {
        self.state().came.iter().map(|text| stored(text)).collect()
    }

    /// Returns the messages that were removed before they were safely stored.
    pub fn lost(&self) -> Vec<Vec<u8>> {
        self.state().lost.clone()
    }

    /// Returns the messages of [`FETCHED`] that are still on the server.
    pub fn left(&self) -> Vec<Vec<u8>> {
        self.state().mail.get(FETCHED).into_iter().flatten().map(|message| stored(&message.text)).collect()
    }

    /// Returns the server's way of making unique-ids.
    pub fn ids(&self) -> Ids {
        self.state().ids
    }

    /// Ends all random failures.
    pub fn mend(&self) {
        self.state().failures = 0;
    }

    /// Returns the permanent fault of the server.
    pub fn fault(&self) -> Fault {
        self.state().fault
    }

    /// Returns `true` if the server has died since the last call. The server then runs again, and no session holds a lock.
    pub fn has_died(&self) -> bool {
        let mut state = self.state();
        if std::mem::take(&mut state.died) {
            state.locked.clear();
            return true;
        }
        false
    }
}

impl State {
    fn fails(&mut self) -> bool {
        self.random.u8(..) < self.failures
    }
}

impl Store for SimStore {
    type Maildrop = SimDrop;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<SimDrop, LoginError> {
        let mut state = self.state();
        let user = [FETCHED, OTHER].into_iter().find(|user| user.as_bytes() == login.name.as_bytes());
        let user = user.ok_or(LoginError::Credentials)?;
        if state.fails() {
            return Err(LoginError::Io(io::Error::other("the maildrop cannot be opened now")));
        }
        if !state.locked.insert(user) {
            return Err(LoginError::InUse);
        }
        state.opened = true;
        let seen = state.mail.get(user).cloned().unwrap_or_default();
        Ok(SimDrop { store: self.clone(), user, seen })
    }
}

/// The maildrop of a user, locked by a session.
#[derive(Debug)]
pub struct SimDrop {
    store: SimStore,
    user: &'static str,
    seen: Vec<Message>,
}

impl Maildrop for SimDrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        let by_number = self.store.ids() == Ids::Numbers;
        for (at, message) in self.seen.iter().enumerate() {
            let number = (at + 1).to_string();
            let id = if by_number { &number } else { &message.id };
            let mut size = WireSize::new();
            size.add(&message.text);
            snapshot.push(size.octets(), UniqueId::new(id).map_err(io::Error::other)?).map_err(io::Error::other)?;
        }
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        let mut state = self.store.state();
        if state.fails() {
            return Err(if state.random.bool() { ErrorKind::NotFound.into() } else { io::Error::other("it cannot be read now") });
        }
        let message = &self.seen[number.index()];
        let text = Cursor::new(Arc::clone(&message.text));
        if state.fault == Fault::CutsShort && state.random.bool() {
            let cuts = state.cuts.entry(message.key).or_default();
            if *cuts < 2 {
                *cuts += 1;
                return Ok(Box::new(text.take(message.text.len() as u64 / 2)));
            }
        }
        if state.fails() {
            let whole = state.random.u64(..=text.get_ref().len() as u64);
            return Ok(Box::new(text.take(whole).chain(Broken)));
        }
        Ok(Box::new(text))
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let mut failed = Vec::new();
        if self.user == FETCHED && self.store.fault() == Fault::KeepsDeleted {
            return Ok(());
        }
        for number in marked {
            let state = &mut *self.store.state();
            if state.died || state.fails() {
                if state.random.u8(..4) == 0 {
                    // The server dies; messages that were removed before stay removed.
                    state.died = true;
                }
                failed.push((*number, io::Error::other("it cannot be removed")));
                continue;
            }
            let gone = &self.seen[number.index()];
            let Some(mail) = state.mail.get_mut(self.user) else { continue };
            let Some(at) = mail.iter().position(|message| message.key == gone.key) else { continue };
            mail.remove(at);
            if self.user == FETCHED {
                let (disk, root) = &state.home;
                let stored = stored(&gone.text);
                if !disk.messages(root, true).contains(&stored) {
                    state.lost.push(stored);
                }
            }
        }
        NotRemoved::check(failed)
    }
}

impl Drop for SimDrop {
    fn drop(&mut self) {
        self.store.state().locked.remove(self.user);
    }
}

/// A message file that cannot be read.
struct Broken;

impl Read for Broken {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk has failed"))
    }
}

/// Returns a short random message that contains special sequences of the protocol; it may equal an earlier message.
fn text(random: &mut Rng) -> Vec<u8> {
    const PIECES: [&[u8]; 8] = [b"A: b\n", b"\n", b".\n", b"..\r\n", b"text", b"\r", b"\r\n.\r\n", b"\xff\0"];
    let count = random.usize(..8);
    (0..count).flat_map(|_| PIECES[random.usize(..PIECES.len())].to_vec()).collect()
}

/// Returns a message in the form that a Maildir stores after its transfer: each line end is LF, and the last line has one.
fn stored(text: &[u8]) -> Vec<u8> {
    let wire = pop3_contract::oracle::stuff(text);
    let (message, _) = pop3_contract::oracle::unstuff_lenient(&wire).unwrap_or_default();
    let mut stored = Vec::with_capacity(message.len());
    for line in message.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_suffix(b"\r\n") {
            Some(content) => {
                stored.extend_from_slice(content);
                stored.push(b'\n');
            }
            None => stored.extend_from_slice(line),
        }
    }
    stored
}
