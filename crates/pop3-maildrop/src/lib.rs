//! The storage of mail for a POP3 server.
//!
//! ```
//! use std::io::Read;
//! use pop3_maildrop::{Maildrop, Memory, Peer, Store};
//! use pop3_proto::codec::MessageNumber;
//!
//! let store = Memory::new().with_user("joe", "secret", [b"Subject: hello\n\nworld\n".to_vec()]);
//! let mut maildrop = store.login(&pop3_maildrop::password_login("joe", "secret")?, &Peer::default())?;
//! assert_eq!(maildrop.snapshot()?.len(), 1);
//! let mut text = String::new();
//! maildrop.open(MessageNumber::FIRST, None)?.read_to_string(&mut text)?;
//! assert_eq!(text, "Subject: hello\n\nworld\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A server asks a [`Store`] to check a login and receives a [`Maildrop`], which lists, opens and removes messages. Calls may
//! block; an asynchronous server makes them on threads that may block. An [`AsyncStore`] waits without a thread. [`Maildir`] is the usual storage of a user's mail, and
//! [`Delivery`] delivers mail into a Maildir so that a power cut loses none.

mod async_store;
mod login_delayed;
mod login_refusal;
#[cfg(unix)]
pub mod maildir;
mod memory;
mod peer;
mod store_responder;
mod verification;

use std::fmt;
use std::io::{self, ErrorKind, Read};

use pop3_proto::Secret;
use pop3_proto::codec::{Escaped, InvalidArgument, MessageNumber, OwnedUsername, Username};
use pop3_proto::sasl::{PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{ExtensionReply, ExtensionRequest, LoginAttempt, LoginDenial, Snapshot};
use thiserror::Error;

pub use async_store::{AsyncMaildrop, AsyncStore, Blocking, BlockingMaildrop, BlockingMessage};
pub use login_delayed::{LoginDelayed, LoginDelayedMaildrop};
pub use login_refusal::LoginRefusal;
#[cfg(unix)]
pub use maildir::{Delivery, LockedMaildir, Maildir, PreparedMessage, UniqueIds};
pub use memory::{Memory, MemoryMaildrop};
pub use peer::Peer;
pub use store_responder::{SessionTally, StoreResponder};
pub use verification::{Pending, Verification, Verifier, verification};

/// A store of maildrops: it checks logins and opens the users' maildrops.
pub trait Store: Send + Sync + 'static {
    /// The maildrop that a login opens.
    type Maildrop: Maildrop;

    /// Checks the credentials, then locks and opens the maildrop exclusively for this session. The lock is held until the
    /// maildrop is dropped.
    ///
    /// # Errors
    /// See [`LoginError`]. [`LoginError::InUse`] is returned only after the credentials are verified (RFC 2449 §8.1.2).
    // Q48, S22
    fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<Self::Maildrop, LoginError>;

    /// Begins to check the credentials of a login without blocking, for stores whose check is slow, such as password hashing: the
    /// session waits for the outcome without occupying a thread. By default, [`login`](Self::login) checks the credentials.
    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        let _ = (login, peer);
        Verification::AtLogin
    }

    /// Returns the `SCRAM` keys that are stored for a user, or `None` if the user does not exist or has no keys. It is called
    /// only if the server offers a `SCRAM` mechanism.
    ///
    /// # Errors
    /// The keys cannot be read.
    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        let _ = (hash, name);
        Ok(None)
    }

    /// Answers a command of the server's own, one of [`ServerConfig::extensions`](pop3_proto::server::ServerConfig::extensions). `user` is
    /// the logged-in user; `None` before login.
    fn extension(&self, request: &ExtensionRequest, user: Option<&[u8]>) -> ExtensionReply {
        let _ = (request, user);
        ExtensionReply::unavailable()
    }
}

/// The messages of one user, locked by one session.
pub trait Maildrop: Send + 'static {
    /// Returns the owner's name if it may differ from the name of the login attempt, for example if that name has another
    /// spelling, or if a certificate identifies the user. `None` means that the login attempt has the owner's name.
    fn owner(&self) -> Option<&[u8]> {
        None
    }

    /// Returns the messages that the maildrop holds now. It is called once, before any other method. Message 1 is the first
    /// message of the snapshot, and message numbers keep their meaning even if other processes change the maildrop.
    ///
    /// # Errors
    /// The maildrop cannot be read.
    // H50
    fn snapshot(&mut self) -> io::Result<Snapshot>;

    /// Opens a message as it is stored, with line ends of either kind. This does not mark the message as seen. `top` is `None` for
    /// `RETR`; for `TOP` it is the number of body lines. The session shortens the message itself, so a store may ignore it.
    ///
    /// # Errors
    /// The message was removed ([`ErrorKind::NotFound`]), or it cannot be read.
    // S15
    fn open(&mut self, number: MessageNumber, top: Option<u64>) -> io::Result<Box<dyn Read + Send>>;

    /// Removes exactly these messages. If a message cannot be removed, the removal continues with the next one. A message that no
    /// longer exists counts as removed.
    ///
    /// # Errors
    /// Some messages could not be removed; [`NotRemoved`] lists them.
    // H49, S19
    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved>;
}

/// The reason why a login fails.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoginError {
    /// The name or the password is wrong.
    #[error("wrong name or password")]
    Credentials,
    /// Another session holds the maildrop.
    #[error("another session holds the maildrop")]
    InUse,
    /// The user's last login was too recent.
    #[error("too soon after the last login")]
    TooSoon,
    /// The store denies the login with a response code and a text of its own.
    #[error("denied by the store: {0}")]
    Denied(LoginRefusal),
    /// The maildrop cannot be opened now.
    #[error("the maildrop cannot be opened: {0}")]
    Io(io::Error),
}

/// Converts [`ErrorKind::WouldBlock`], which reports a lock of another session, to [`LoginError::InUse`], and other errors to
/// [`LoginError::Io`].
impl From<io::Error> for LoginError {
    fn from(error: io::Error) -> Self {
        if error.kind() == ErrorKind::WouldBlock { Self::InUse } else { Self::Io(error) }
    }
}

impl From<&LoginError> for LoginDenial {
    fn from(error: &LoginError) -> Self {
        match error {
            LoginError::Credentials | LoginError::Denied(_) => Self::Credentials,
            LoginError::InUse => Self::InUse,
            LoginError::TooSoon => Self::LoginDelay,
            LoginError::Io(error)
                if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied) =>
            {
                Self::Permanent
            }
            LoginError::Io(_) => Self::Temporary,
        }
    }
}

/// Returns the name of a refused login for the log, or `None` if the name may be a password, which users sometimes type in its
/// place. A loggable name consists of small letters, digits and a few signs, or contains one `@`.
fn loggable(name: &[u8]) -> Option<Escaped<'_>> {
    const LONGEST: usize = 64;
    let is_plain = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_' | b'-' | b'+');
    let is_name = name.iter().any(u8::is_ascii_lowercase) && name.iter().all(is_plain);
    let is_address = name.iter().filter(|byte| **byte == b'@').count() == 1 && !name.contains(&b' ');
    (name.len() <= LONGEST && (is_name || is_address)).then_some(Escaped(name))
}

/// The messages that could not be removed, with the errors.
#[derive(Debug, Error)]
#[error("{} could not be removed; the first, message {}: {}", messages(.failed.len()), .failed[0].0, .failed[0].1)]
pub struct NotRemoved {
    failed: Vec<(MessageNumber, io::Error)>,
}

impl NotRemoved {
    /// Returns `Ok` if no message failed.
    ///
    /// # Errors
    /// At least one message could not be removed.
    pub fn check(failed: Vec<(MessageNumber, io::Error)>) -> Result<(), Self> {
        if failed.is_empty() { Ok(()) } else { Err(Self { failed }) }
    }

    /// Returns the error of a store that removes all messages or none: none of these was removed, each because of `error`.
    pub fn all(marked: &[MessageNumber], error: impl fmt::Display) -> Self {
        let error = error.to_string();
        Self { failed: marked.iter().map(|number| (*number, io::Error::other(error.clone()))).collect() }
    }

    /// Returns the messages that could not be removed, with the errors.
    pub fn failed(&self) -> &[(MessageNumber, io::Error)] {
        &self.failed
    }
}

fn messages(count: usize) -> String {
    if count == 1 { "1 message".to_owned() } else { format!("{count} messages") }
}

/// Returns a login attempt with a name and a password, as a session creates it.
///
/// # Errors
/// The name is empty, is longer than 255 octets, contains CR, LF or NUL, or has a blank at an end.
pub fn password_login(name: &str, password: &str) -> Result<LoginAttempt, InvalidArgument> {
    Ok(LoginAttempt { name: Username::new(name)?.into(), credentials: PresentedCredentials::Password(Secret::from(password)) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s39_s40_why_there_is_no_maildrop_is_told_by_its_code() {
        let denial = |error: LoginError| LoginDenial::from(&error);
        assert_eq!(denial(LoginError::Credentials), LoginDenial::Credentials);
        assert_eq!(denial(LoginError::TooSoon), LoginDenial::LoginDelay);
        for (kind, expected) in [
            (ErrorKind::WouldBlock, LoginDenial::InUse),
            (ErrorKind::NotFound, LoginDenial::Permanent),
            (ErrorKind::PermissionDenied, LoginDenial::Permanent),
            (ErrorKind::NotADirectory, LoginDenial::Permanent),
            (ErrorKind::StorageFull, LoginDenial::Temporary),
        ] {
            assert_eq!(denial(io::Error::from(kind).into()), expected, "{kind}");
        }
    }

    #[test]
    fn h56_a_name_that_may_be_a_password_is_not_logged() {
        let is_logged = |name: &str| loggable(name.as_bytes()).is_some();
        for name in ["ann", "joe.doe", "web-01", "joe@example.org", "Joe@Example.org", "o'brien@example.org"] {
            assert!(is_logged(name), "{name}");
        }
        for name in ["", "Secret", "pass word", "hunter2!", "12345678", "p@ss w@rd", "a@b@c", &"x".repeat(65)] {
            assert!(!is_logged(name), "{name}");
        }
    }

    #[test]
    fn s19_messages_that_were_not_removed_are_reported() {
        let failed = |numbers: &[u32]| {
            NotRemoved::check(numbers.iter().map(|n| (MessageNumber::new(*n).unwrap(), ErrorKind::Other.into())).collect())
        };
        assert!(failed(&[]).is_ok());
        assert_eq!([&[1][..], &[1, 2, 3]].map(|numbers| failed(numbers).unwrap_err().failed().len()), [1, 3]);
        assert_eq!(failed(&[2]).unwrap_err().failed()[0].0.get(), 2);
    }
}

/// Tests the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
