//! Stores whose calls wait without blocking a thread.

use std::io::{self, Read};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_io::AsyncRead;
use pop3_proto::codec::{MessageNumber, OwnedUsername};
use pop3_proto::sasl::{ScramHash, ScramKeys};
use pop3_proto::server::{ExtensionReply, ExtensionRequest, LoginAttempt, Snapshot};

use crate::{LoginError, Maildrop, NotRemoved, Peer, Store, Verification};

/// A [`Store`] whose calls wait without blocking a thread, such as one over a database.
///
/// A session may be dropped while it waits, at any point. A login that waits too long is dropped as well.
///
/// ```
/// use std::io;
/// use futures_lite::io::Cursor;
/// use pop3_maildrop::{AsyncMaildrop, AsyncStore, LoginError, NotRemoved, Peer};
/// use pop3_proto::codec::{MessageNumber, UniqueId};
/// use pop3_proto::server::{LoginAttempt, Snapshot};
///
/// /// A store where everybody has the same message.
/// struct Greeter;
///
/// impl AsyncStore for Greeter {
///     type Maildrop = OneMessage;
///
///     async fn login(&self, _: &LoginAttempt, _: &Peer) -> Result<OneMessage, LoginError> {
///         Ok(OneMessage(b"Subject: hello\n\nworld\n"))
///     }
/// }
///
/// struct OneMessage(&'static [u8]);
///
/// impl AsyncMaildrop for OneMessage {
///     type Message = Cursor<&'static [u8]>;
///
///     async fn snapshot(&mut self) -> io::Result<Snapshot> {
///         let mut snapshot = Snapshot::default();
///         // The size on the wire, where each line ends in CR LF.
///         snapshot.push(25, UniqueId::new("1").map_err(io::Error::other)?).map_err(io::Error::other)?;
///         Ok(snapshot)
///     }
///
///     async fn open(&mut self, _: MessageNumber, _: Option<u64>) -> io::Result<Self::Message> {
///         Ok(Cursor::new(self.0))
///     }
///
///     async fn remove(&mut self, _: &[MessageNumber]) -> Result<(), NotRemoved> {
///         Ok(())
///     }
/// }
/// ```
pub trait AsyncStore: Send + Sync + 'static {
    /// The maildrop that a login opens.
    type Maildrop: AsyncMaildrop;

    /// Checks the credentials, then locks and opens the maildrop exclusively for this session; see [`Store::login`].
    ///
    /// # Errors
    /// See [`LoginError`]. [`LoginError::InUse`] is returned only after the credentials are verified (RFC 2449 §8.1.2).
    fn login(&self, login: &LoginAttempt, peer: &Peer) -> impl Future<Output = Result<Self::Maildrop, LoginError>> + Send;

    /// Begins to check the credentials of a login elsewhere; see [`Store::verify`]. By default, [`login`](Self::login) checks them.
    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        let _ = (login, peer);
        Verification::AtLogin
    }

    /// Returns the `SCRAM` keys of a user; see [`Store::scram_keys`].
    ///
    /// # Errors
    /// The keys cannot be read.
    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> impl Future<Output = io::Result<Option<ScramKeys>>> + Send {
        let _ = (hash, name);
        std::future::ready(Ok(None))
    }

    /// Answers a command of the server's own; see [`Store::extension`].
    fn extension(&self, request: &ExtensionRequest, user: Option<&[u8]>) -> impl Future<Output = ExtensionReply> + Send {
        let _ = (request, user);
        std::future::ready(ExtensionReply::unavailable())
    }
}

/// The messages of one user, locked by one session of an [`AsyncStore`].
pub trait AsyncMaildrop: Send + 'static {
    /// A message that is being read.
    type Message: AsyncRead + Send + Unpin + 'static;

    /// Returns the owner's name if it may differ from the name of the login attempt; see [`Maildrop::owner`].
    fn owner(&self) -> Option<&[u8]> {
        None
    }

    /// Returns the messages that the maildrop holds now; see [`Maildrop::snapshot`].
    ///
    /// # Errors
    /// The maildrop cannot be read.
    fn snapshot(&mut self) -> impl Future<Output = io::Result<Snapshot>> + Send;

    /// Opens a message; see [`Maildrop::open`].
    ///
    /// # Errors
    /// The message was removed ([`io::ErrorKind::NotFound`]), or it cannot be read.
    fn open(&mut self, number: MessageNumber, top: Option<u64>) -> impl Future<Output = io::Result<Self::Message>> + Send;

    /// Removes exactly these messages; see [`Maildrop::remove`].
    ///
    /// # Errors
    /// Some messages could not be removed; [`NotRemoved`] lists them.
    fn remove(&mut self, marked: &[MessageNumber]) -> impl Future<Output = Result<(), NotRemoved>> + Send;
}

impl<S: AsyncStore> AsyncStore for Arc<S> {
    type Maildrop = S::Maildrop;

    fn login(&self, login: &LoginAttempt, peer: &Peer) -> impl Future<Output = Result<Self::Maildrop, LoginError>> + Send {
        S::login(self, login, peer)
    }

    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        S::verify(self, login, peer)
    }

    fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> impl Future<Output = io::Result<Option<ScramKeys>>> + Send {
        S::scram_keys(self, hash, name)
    }

    fn extension(&self, request: &ExtensionRequest, user: Option<&[u8]>) -> impl Future<Output = ExtensionReply> + Send {
        S::extension(self, request, user)
    }
}

/// A [`Store`] as an [`AsyncStore`]: each future is ready when it is polled first, and that poll may block.
#[derive(Debug)]
pub struct Blocking<S>(pub Arc<S>);

impl<S: Store> AsyncStore for Blocking<S> {
    type Maildrop = BlockingMaildrop<S::Maildrop>;

    async fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<Self::Maildrop, LoginError> {
        self.0.login(login, peer).map(BlockingMaildrop)
    }

    fn verify(&self, login: &LoginAttempt, peer: &Peer) -> Verification {
        self.0.verify(login, peer)
    }

    async fn scram_keys(&self, hash: ScramHash, name: &OwnedUsername) -> io::Result<Option<ScramKeys>> {
        self.0.scram_keys(hash, name)
    }

    async fn extension(&self, request: &ExtensionRequest, user: Option<&[u8]>) -> ExtensionReply {
        self.0.extension(request, user)
    }
}

/// A [`Maildrop`] as an [`AsyncMaildrop`]; see [`Blocking`].
#[derive(Debug)]
pub struct BlockingMaildrop<M>(M);

impl<M: Maildrop> AsyncMaildrop for BlockingMaildrop<M> {
    type Message = BlockingMessage;

    fn owner(&self) -> Option<&[u8]> {
        self.0.owner()
    }

    async fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.0.snapshot()
    }

    async fn open(&mut self, number: MessageNumber, top: Option<u64>) -> io::Result<BlockingMessage> {
        self.0.open(number, top).map(BlockingMessage)
    }

    async fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        self.0.remove(marked)
    }
}

/// A message of a [`Maildrop`]; see [`Blocking`].
pub struct BlockingMessage(Box<dyn Read + Send>);

impl std::fmt::Debug for BlockingMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("BlockingMessage")
    }
}

impl AsyncRead for BlockingMessage {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(self.0.read(buffer))
    }
}
