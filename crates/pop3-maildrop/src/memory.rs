//! Mail in memory, for tests, examples and programs that keep their mail elsewhere.

use std::collections::HashMap;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use std::io::{self, Cursor, Read};
use std::sync::{Arc, Mutex, PoisonError};

use pop3_proto::Secret;
use pop3_proto::codec::{MessageNumber, OwnedUsername, UniqueId, WireSize};
use pop3_proto::sasl::{PresentedCredentials, ScramHash, ScramKeys, prepare};
use pop3_proto::server::{LoginAttempt, Snapshot};

use crate::{LoginError, Maildrop, NotRemoved, Peer, Store};

/// A store in memory: users, each with a password and messages.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    users: Arc<HashMap<Vec<u8>, User>>,
}

#[derive(Debug)]
struct User {
    password: Secret,
    certificate: Option<Vec<u8>>,
    token: Option<Secret>,
    mail: Mutex<Mail>,
}

#[derive(Debug, Default)]
struct Mail {
    messages: Vec<Message>,
    next_id: u64,
    locked: bool,
}

#[derive(Clone, Debug)]
struct Message {
    id: u64,
    text: Arc<[u8]>,
}

impl Memory {
    /// Returns a store without users.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a user, or replaces the user of this name. It has no effect while the store has clones.
    #[must_use]
    pub fn with_user(mut self, name: &str, password: &str, messages: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let mut mail = Mail::default();
        for text in messages {
            mail.messages.push(Message { id: mail.next_id, text: text.into() });
            mail.next_id += 1;
        }
        let user = User { password: prepared(password.as_bytes()), certificate: None, token: None, mail: Mutex::new(mail) };
        // Users are added before the store is shared.
        if let Some(users) = Arc::get_mut(&mut self.users) {
            users.insert(name.as_bytes().to_vec(), user);
        }
        self
    }

    /// Allows a user to log in by an access token (`OAUTHBEARER`, `XOAUTH2`).
    #[must_use]
    pub fn with_token(mut self, name: &str, token: &str) -> Self {
        if let Some(user) = Arc::get_mut(&mut self.users).and_then(|users| users.get_mut(name.as_bytes())) {
            user.token = Some(Secret::from(token));
        }
        self
    }

    /// Allows a user to log in by a certificate, in DER (`EXTERNAL`).
    #[must_use]
    pub fn with_certificate(mut self, name: &str, certificate: Vec<u8>) -> Self {
        if let Some(user) = Arc::get_mut(&mut self.users).and_then(|users| users.get_mut(name.as_bytes())) {
            user.certificate = Some(certificate);
        }
        self
    }

    /// Returns the user of a login attempt: by the name, or by the client's certificate if the name is `-`.
    fn find(&self, login: &LoginAttempt) -> Option<(&Vec<u8>, &User)> {
        match &login.credentials {
            PresentedCredentials::External(shown) if login.name.as_bytes() == b"-" => {
                self.users.iter().find(|(_, user)| user.certificate.as_deref() == Some(shown))
            }
            _ => self.users.get_key_value(login.name.as_bytes()),
        }
    }

    /// Returns the current messages of a user, or none if the user does not exist.
    pub fn messages(&self, name: &str) -> Vec<Vec<u8>> {
        let Some(user) = self.users.get(name.as_bytes()) else { return Vec::new() };
        user.mail.lock().unwrap_or_else(PoisonError::into_inner).messages.iter().map(|message| message.text.to_vec()).collect()
    }
}

/// Returns a password in the form in which it is compared.
fn prepared(password: &[u8]) -> Secret {
    Secret::from(prepare(password).as_deref().unwrap_or(password))
}

impl Store for Memory {
    type Maildrop = MemoryMaildrop;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<MemoryMaildrop, LoginError> {
        let (name, user) = self.find(login).ok_or(LoginError::Credentials)?;
        match &login.credentials {
            PresentedCredentials::Password(password) if prepared(password.expose()) == user.password => {}
            PresentedCredentials::Apop(credentials) if credentials.verify(user.password.expose()) => {}
            PresentedCredentials::CramMd5(credentials) if credentials.verify(user.password.expose()) => {}
            PresentedCredentials::External(shown) if user.certificate.as_deref() == Some(shown) => {}
            PresentedCredentials::Token(token) if user.token.as_ref() == Some(token) => {}
            PresentedCredentials::Verified => {}
            _ => return Err(LoginError::Credentials),
        }
        let mut mail = user.mail.lock().unwrap_or_else(PoisonError::into_inner);
        if mail.locked {
            return Err(LoginError::InUse);
        }
        mail.locked = true;
        let seen = mail.messages.clone();
        drop(mail);
        Ok(MemoryMaildrop { store: self.clone(), name: name.clone(), seen })
    }

    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        // The salt has the length of a decoy's salt, so it does not reveal which users exist.
        let salt = [0, 1].map(|half: u8| BuildHasherDefault::<DefaultHasher>::default().hash_one((half, name)).to_be_bytes());
        let derive = |user: &User| ScramKeys::derive(hash, user.password.expose(), salt.as_flattened(), 4096);
        Ok(self.users.get(name.as_bytes()).map(derive))
    }
}

/// The messages of one user of a [`Memory`], locked by one session.
#[derive(Debug)]
pub struct MemoryMaildrop {
    store: Memory,
    name: Vec<u8>,
    seen: Vec<Message>,
}

impl MemoryMaildrop {
    fn mail<T>(&self, change: impl FnOnce(&mut Mail) -> T) -> Option<T> {
        let user = self.store.users.get(&self.name)?;
        Some(change(&mut user.mail.lock().unwrap_or_else(PoisonError::into_inner)))
    }
}

impl Maildrop for MemoryMaildrop {
    fn owner(&self) -> Option<&[u8]> {
        Some(&self.name)
    }

    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        for message in &self.seen {
            let mut size = WireSize::new();
            size.add(&message.text);
            let id = format!("{:x}", message.id);
            let id = UniqueId::new(&id).map_err(io::Error::other)?;
            snapshot.push(size.octets(), id).map_err(io::Error::other)?;
        }
        Ok(snapshot)
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        let message = self.seen.get(number.index()).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(Cursor::new(Arc::clone(&message.text))))
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        let gone: Vec<u64> = marked.iter().filter_map(|number| self.seen.get(number.index())).map(|message| message.id).collect();
        self.mail(|mail| mail.messages.retain(|message| !gone.contains(&message.id)));
        Ok(())
    }
}

impl Drop for MemoryMaildrop {
    fn drop(&mut self) {
        self.mail(|mail| mail.locked = false);
    }
}
