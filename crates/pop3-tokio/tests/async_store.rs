//! A server over a store that waits without blocking a thread.

use std::collections::VecDeque;
use std::future::pending;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use futures_io::AsyncRead;
use pop3_tokio::maildrop::{AsyncMaildrop, AsyncStore, LoginError, LoginRefusal, NotRemoved, Peer};
use pop3_tokio::proto::codec::{MessageNumber, UniqueId};
use pop3_tokio::proto::sasl::PresentedCredentials;
use pop3_tokio::proto::server::{LoginAttempt, Snapshot};
use pop3_tokio::{AsyncMode, ListenSecurity, Server, ServerOptions};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

const MESSAGES: [&str; 2] = ["Subject: one\r\n\r\n.dot\r\n", "Subject: two\r\n\r\nbody\r\n"];

/// A store that waits at each call: until the test allows it at a login, otherwise until the next turn of the runtime.
struct Waiting {
    /// The number of logins that wait or have waited.
    waiting: AtomicUsize,
    allowed: Semaphore,
}

impl Waiting {
    fn new(allowed: usize) -> Arc<Self> {
        Arc::new(Self { waiting: AtomicUsize::new(0), allowed: Semaphore::new(allowed) })
    }
}

impl AsyncStore for Waiting {
    type Maildrop = TwoMessages;

    async fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<TwoMessages, LoginError> {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.allowed.acquire().await.unwrap().forget();
        assert!(!peer.encrypted);
        match &login.credentials {
            PresentedCredentials::Password(password) if password.expose() == b"secret" => Ok(TwoMessages),
            PresentedCredentials::Password(password) if password.expose() == b"old" => {
                let refusal = LoginRefusal::new("use an app password: https://example.org/passwords").unwrap();
                Err(LoginError::Denied(refusal.with_code("AUTH").unwrap()))
            }
            _ => Err(LoginError::Credentials),
        }
    }
}

struct TwoMessages;

impl AsyncMaildrop for TwoMessages {
    type Message = Pieces;

    async fn snapshot(&mut self) -> io::Result<Snapshot> {
        yield_now().await;
        let mut snapshot = Snapshot::default();
        for (at, message) in MESSAGES.iter().enumerate() {
            snapshot.push(message.len() as u64, UniqueId::new(["one", "two"][at]).unwrap()).unwrap();
        }
        Ok(snapshot)
    }

    async fn open(&mut self, number: MessageNumber, top: Option<u64>) -> io::Result<Pieces> {
        yield_now().await;
        // A store may shorten the message of a `TOP` by itself.
        let message = MESSAGES[number.index()];
        let header = message.find("\r\n\r\n").unwrap() + 4;
        let end = if top == Some(0) { header } else { message.len() };
        Ok(Pieces { pieces: message[..end].bytes().collect(), waited: false })
    }

    async fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        yield_now().await;
        NotRemoved::check(marked.iter().skip(1).map(|number| (*number, io::ErrorKind::PermissionDenied.into())).collect())
    }
}

/// A message that comes byte by byte and waits before each.
struct Pieces {
    pieces: VecDeque<u8>,
    waited: bool,
}

impl AsyncRead for Pieces {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.waited = !self.waited;
        if self.waited {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Ok(self.pieces.pop_front().map_or(0, |byte| {
            buffer[0] = byte;
            1
        })))
    }
}

fn server<S: AsyncStore>(store: S) -> Arc<Server<S, AsyncMode>> {
    pop3_contract::limit_test();
    Arc::new(Server::with_async_store(ServerOptions::dangerous_cleartext(), store))
}

/// Begins a session over a stream in memory.
fn begin<S: AsyncStore>(server: &Arc<Server<S, AsyncMode>>) -> DuplexStream {
    let (client, theirs) = duplex(64 * 1024);
    let server = Arc::clone(server);
    tokio::spawn(async move { server.serve_stream(Box::new(theirs), ListenSecurity::Cleartext).await });
    client
}

async fn dialogue(store: Arc<Waiting>, said: &str) -> String {
    let mut client = begin(&server(store));
    client.write_all(said.as_bytes()).await.unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_pipelined_session_is_answered_in_order_by_a_store_that_waits() {
    let said = "USER joe\r\nPASS secret\r\nSTAT\r\nRETR 1\r\nTOP 2 0\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n";
    let answer = dialogue(Waiting::new(1), said).await;
    let (_, after_login) = answer.split_once("+OK 2 ").unwrap();
    assert!(after_login.contains("Subject: one\r\n\r\n..dot\r\n.\r\n"), "{answer}");
    assert!(after_login.contains("Subject: two\r\n\r\n.\r\n"), "{answer}");
    let last = answer.lines().last().unwrap();
    assert!(last.starts_with("-ERR [SYS/TEMP] some deleted messages not removed"), "one of two was not removed: {answer}");
}

#[tokio::test]
async fn a_store_denies_a_login_with_a_code_and_a_text_of_its_own() {
    let answer = dialogue(Waiting::new(2), "USER joe\r\nPASS old\r\nUSER joe\r\nPASS secret\r\nQUIT\r\n").await;
    assert!(answer.contains("\r\n-ERR [AUTH] use an app password: https://example.org/passwords\r\n"), "{answer}");
    assert_eq!(answer.matches("-ERR").count(), 1, "and the next login is right: {answer}");
}

/// A store whose logins never end.
struct Hanging;

impl AsyncStore for Hanging {
    type Maildrop = TwoMessages;

    async fn login(&self, _: &LoginAttempt, _: &Peer) -> Result<TwoMessages, LoginError> {
        pending().await
    }
}

#[tokio::test(start_paused = true)]
async fn h35_a_login_that_a_store_never_answers_ends_with_the_login_deadline() {
    let mut client = begin(&server(Hanging));
    client.write_all(b"USER joe\r\nPASS secret\r\n").await.unwrap();
    let mut answer = String::new();
    let begun = tokio::time::Instant::now();
    client.read_to_string(&mut answer).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), ServerOptions::dangerous_cleartext().timeouts.login.as_secs());
    assert!(!answer.contains("maildrop ready") && !answer.contains("-ERR"), "{answer}");
}

/// Returns the number of threads of this process.
#[cfg(target_os = "linux")]
fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_hundred_logins_that_wait_hold_no_threads() {
    const LOGINS: usize = 400;
    let store = Waiting::new(0);
    let server = server(Arc::clone(&store));
    let before = threads();
    let mut clients = Vec::new();
    for _ in 0..LOGINS {
        let mut client = begin(&server);
        client.write_all(b"USER joe\r\nPASS secret\r\nQUIT\r\n").await.unwrap();
        clients.push(client);
    }
    while store.waiting.load(Ordering::SeqCst) < LOGINS {
        yield_now().await;
    }
    let more = threads().saturating_sub(before);
    // Other tests begin and end beside this one.
    assert!(more <= 8, "{more} more threads");
    store.allowed.add_permits(LOGINS);
    for mut client in clients {
        let mut answer = String::new();
        client.read_to_string(&mut answer).await.unwrap();
        assert_eq!(answer.matches("+OK").count(), 4, "{answer}");
    }
}
