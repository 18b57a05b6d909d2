//! What 1,000 sessions cost whose logins each wait a second for a store, blocking and asynchronous: threads and memory of the server while
//! they wait, and how many log in in a second. `cargo run --release -p pop3-benches --example waiting` prints a table.

use std::io::{self, BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use futures_lite::io::Cursor;
use pop3_tokio::maildrop::{AsyncMaildrop, AsyncStore, LoginError, Maildrop, Memory, MemoryMaildrop, NotRemoved, Peer, Store};
use pop3_tokio::proto::codec::MessageNumber;
use pop3_tokio::proto::server::{LoginAttempt, Snapshot};
use pop3_tokio::{ListenSecurity, Server, ServerOptions};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const SESSIONS: usize = 1000;
const WAIT: Duration = Duration::from_secs(1);

/// A store whose logins wait, as for a database.
struct Waiting(Memory);

impl Store for Waiting {
    type Maildrop = MemoryMaildrop;

    fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<MemoryMaildrop, LoginError> {
        thread::sleep(WAIT);
        self.0.login(login, peer)
    }
}

impl AsyncStore for Waiting {
    type Maildrop = Mailbox;

    async fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<Mailbox, LoginError> {
        tokio::time::sleep(WAIT).await;
        Store::login(&self.0, login, peer).map(Mailbox)
    }
}

struct Mailbox(MemoryMaildrop);

impl AsyncMaildrop for Mailbox {
    type Message = Cursor<Vec<u8>>;

    async fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.0.snapshot()
    }

    async fn open(&mut self, _: MessageNumber, _: Option<u64>) -> io::Result<Self::Message> {
        Err(io::ErrorKind::NotFound.into())
    }

    async fn remove(&mut self, _: &[MessageNumber]) -> Result<(), NotRemoved> {
        Ok(())
    }
}

async fn serve(kind: &str) -> io::Result<()> {
    let store = (0..SESSIONS).fold(Memory::new(), |store, n| store.with_user(&format!("u{n}"), "secret", []));
    let mut options = ServerOptions::dangerous_cleartext();
    (options.max_sessions, options.max_sessions_per_source) = (2 * SESSIONS, 2 * SESSIONS);
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?.port());
    match kind {
        "async" => Arc::new(Server::with_async_store(options, Waiting(store))).serve(&listener, ListenSecurity::Cleartext).await,
        _ => Arc::new(Server::new(options, Waiting(store))).serve(&listener, ListenSecurity::Cleartext).await,
    }
}

/// Logs in and stays.
async fn log_in(stream: TcpStream, user: usize) -> io::Result<TcpStream> {
    let mut stream = tokio::io::BufReader::new(stream);
    stream.write_all(format!("USER u{user}\r\nPASS secret\r\n").as_bytes()).await?;
    let mut lines = String::new();
    while lines.matches('\n').count() < 3 {
        stream.read_line(&mut lines).await?;
    }
    if lines.contains("-ERR") { Err(io::Error::other(lines)) } else { Ok(stream.into_inner()) }
}

/// A value of the server's `/proc/…/status`.
fn status(server: &Child, name: &str) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{}/status", server.id()))?;
    let value =
        text.lines().find_map(|line| line.strip_prefix(name)).and_then(|rest| rest.split_whitespace().nth(1)?.parse().ok());
    value.ok_or_else(|| io::Error::other("the system does not tell"))
}

async fn measure(kind: &str) -> io::Result<()> {
    let mut server = Command::new(env::current_exe()?).arg(kind).stdout(Stdio::piped()).spawn()?;
    let mut port = String::new();
    BufReader::new(server.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?).read_line(&mut port)?;
    let port = port.trim().parse().map_err(io::Error::other)?;
    let idle = status(&server, "VmRSS")?;
    // One after the other, so that the operating system drops none.
    let mut streams = Vec::new();
    for _ in 0..SESSIONS {
        streams.push(TcpStream::connect(("127.0.0.1", port)).await?);
    }
    let began = Instant::now();
    let logins: Vec<_> = streams.into_iter().enumerate().map(|(user, stream)| tokio::spawn(log_in(stream, user))).collect();
    // Most logins wait now.
    tokio::time::sleep(WAIT / 2).await;
    let (threads, memory) = (status(&server, "Threads")?, status(&server, "VmRSS")? - idle);
    let mut open = Vec::new();
    for login in logins {
        open.push(login.await.map_err(io::Error::other)??);
    }
    let rate = SESSIONS as f64 / began.elapsed().as_secs_f64();
    println!("| {kind} | {threads} | {:.1} KiB | {rate:.0} /s |", memory as f64 / SESSIONS as f64);
    server.kill()?;
    server.wait().map(drop)
}

#[tokio::main]
async fn main() -> io::Result<()> {
    if let Some(kind) = env::args().nth(1).filter(|argument| !argument.starts_with('-')) {
        return serve(&kind).await;
    }
    println!("| store | threads while 1,000 logins wait | memory for each | logins |\n| --- | ---: | ---: | ---: |");
    for kind in ["blocking", "async"] {
        measure(kind).await?;
    }
    Ok(())
}
