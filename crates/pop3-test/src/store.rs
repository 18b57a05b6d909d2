//! The mail of the server.

use std::collections::HashMap;
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pop3_maildrop::{LoginError, Maildrop, NotRemoved, Peer, Store};
use pop3_proto::Secret;
use pop3_proto::codec::{MessageNumber, OwnedUsername, UniqueId, WireSize};
use pop3_proto::sasl::{PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{LoginAttempt, Snapshot};

/// A message of the server.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) unique_id: String,
    pub(crate) text: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct User {
    pub(crate) password: String,
    pub(crate) messages: Vec<Message>,
    /// The messages that sessions have deleted.
    pub(crate) deleted: Vec<Message>,
    pub(crate) locked: bool,
}

/// The users of the server and their mail.
#[derive(Debug, Default)]
pub(crate) struct TestStore(Mutex<HashMap<String, User>>);

impl TestStore {
    pub(crate) fn new(users: HashMap<String, User>) -> Self {
        Self(Mutex::new(users))
    }

    pub(crate) fn users(&self) -> MutexGuard<'_, HashMap<String, User>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages of one user, locked by one session.
pub(crate) struct TestMaildrop {
    store: Arc<TestStore>,
    name: String,
    messages: Vec<Message>,
}

/// A handle of the store for sessions.
#[derive(Clone)]
pub(crate) struct Handle(pub(crate) Arc<TestStore>);

impl Store for Handle {
    type Maildrop = TestMaildrop;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<TestMaildrop, LoginError> {
        let name = String::from_utf8_lossy(login.name.as_bytes()).into_owned();
        let mut users = self.0.users();
        let user = users.get_mut(&name).ok_or(LoginError::Credentials)?;
        let is_right = match &login.credentials {
            PresentedCredentials::Password(password) => *password == Secret::from(user.password.as_str()),
            PresentedCredentials::Token(token) => *token == Secret::from(user.password.as_str()),
            PresentedCredentials::CramMd5(credentials) => credentials.verify(user.password.as_bytes()),
            PresentedCredentials::Verified => true,
            _ => false,
        };
        if !is_right {
            return Err(LoginError::Credentials);
        }
        if user.locked {
            return Err(LoginError::InUse);
        }
        user.locked = true;
        Ok(TestMaildrop { store: Arc::clone(&self.0), name, messages: user.messages.clone() })
    }

    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        // Tests have no secrets, so one salt is enough.
        let keys = |user: &User| ScramKeys::derive(hash, user.password.as_bytes(), b"the salt of tests", 4096);
        Ok(self.0.users().get(&*String::from_utf8_lossy(name.as_bytes())).map(keys))
    }
}

impl Maildrop for TestMaildrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for message in &self.messages {
            let mut size = WireSize::new();
            size.add(&message.text);
            let unique_id = UniqueId::new(&message.unique_id).map_err(io::Error::other)?;
            snapshot.push(size.octets(), unique_id).map_err(io::Error::other)?;
        }
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        let message = self.messages.get(number.index()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(message.text.clone())))
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let mut users = self.store.users();
        let Some(user) = users.get_mut(&self.name) else { return Ok(()) };
        let is_marked = |at: usize| marked.iter().any(|number| number.index() == at);
        // Messages may have been added since the snapshot, behind those of the snapshot.
        let mut at = 0;
        let (gone, kept) = std::mem::take(&mut user.messages).into_iter().partition(|_| {
            at += 1;
            is_marked(at - 1)
        });
        user.messages = kept;
        user.deleted.extend::<Vec<_>>(gone);
        Ok(())
    }
}

impl Drop for TestMaildrop {
    fn drop(&mut self) {
        if let Some(user) = self.store.users().get_mut(&self.name) {
            user.locked = false;
        }
    }
}
