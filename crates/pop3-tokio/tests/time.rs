//! Deadlines, on a paused clock.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll};
use std::time::Duration;

use pop3_tokio::maildrop::Memory;
use pop3_tokio::proto::Transcript;
use pop3_tokio::proto::client::ClientEvent;
use pop3_tokio::proto::codec::Command;
use pop3_tokio::proto::server::{ConnectionInfo, ProxiedClient};
use pop3_tokio::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions, SessionObservers};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};

#[tokio::test(start_paused = true)]
async fn a_server_that_drips_is_left_as_one_that_is_silent() {
    let (ours, mut theirs) = tokio::io::duplex(64);
    let drip = tokio::spawn(async move {
        while theirs.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_secs(10)).await;
        }
    });
    let started = tokio::time::Instant::now();
    let options = ClientOptions::new(Security::DangerousCleartext);
    let error = Client::with_stream(Box::new(ours), "localhost", 110, &options, None).await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert_eq!(started.elapsed(), options.timeouts.greeting);
    drip.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_was_cancelled_is_made_up_for() {
    // Four octets go through at once; the rest of a command lies in the buffer until somebody flushes.
    let (ours, mut theirs) = tokio::io::duplex(4);
    let server = tokio::spawn(async move {
        theirs.write_all(b"+OK\r\n").await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        let mut heard = vec![0; 6];
        theirs.read_exact(&mut heard).await.unwrap();
        theirs.write_all(b"-ERR\r\n").await.unwrap();
        heard
    });
    let options = ClientOptions::new(Security::DangerousCleartext);
    let stream = tokio::io::BufWriter::new(ours);
    let mut client = Client::with_stream(Box::new(stream), "localhost", 110, &options, None).await.unwrap();
    client.send(Command::Capa).unwrap();
    let replied = |event: ClientEvent<'_>| matches!(event, ClientEvent::Reply(..)).then_some(());
    assert!(tokio::time::timeout(Duration::from_secs(1), client.next_event(replied)).await.is_err(), "cancelled in its flush");
    client.next_event(replied).await.unwrap();
    assert_eq!(server.await.unwrap(), b"CAPA\r\n");
}

/// Options whose observers report each time-out of a session.
fn observed() -> (ServerOptions, mpsc::Receiver<()>) {
    let (sender, time_outs) = mpsc::channel();
    let sender = Mutex::new(sender);
    let mut options = ServerOptions::dangerous_cleartext();
    options.observers = SessionObservers::new(move |_| {
        let sender = sender.lock().unwrap().clone();
        Some(Box::new(Transcript::new(move |line| {
            if line.starts_with("(session ended: the client was silent, or too slow;") {
                sender.send(()).unwrap();
            }
        })))
    });
    (options, time_outs)
}

#[tokio::test(start_paused = true)]
async fn s21_h35_h36_a_client_that_drips_is_sent_away() {
    let store = Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]);
    let (options, time_outs) = observed();
    let server = Server::new(options, store);
    for (said, expected) in [(&b"US"[..], 60), (b"USER joe\r\nPASS secret\r\nNO", 600), (b"CAPA\r\nQUIT\r\nx", 0)] {
        let (ours, theirs) = tokio::io::duplex(1024);
        let started = tokio::time::Instant::now();
        let client = tokio::spawn(async move {
            let (mut reader, mut writer) = tokio::io::split(ours);
            tokio::spawn(async move { tokio::io::copy(&mut reader, &mut tokio::io::sink()).await });
            writer.write_all(said).await.unwrap();
            while writer.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_secs(7)).await;
            }
        });
        let ended = server.serve_stream(Box::new(theirs), ListenSecurity::Cleartext).await;
        assert_eq!(ended.is_err(), expected > 0, "{ended:?}");
        assert_eq!(started.elapsed().as_secs(), expected, "{said:?}");
        assert_eq!(time_outs.try_iter().count(), usize::from(expected > 0), "{said:?}");
        client.await.unwrap();
    }
}

/// Three wrong passwords from there, if it is known; how many seconds until the session is closed.
async fn guess(server: &Server<Memory>, source: Option<&str>) -> u64 {
    let (mut ours, theirs) = tokio::io::duplex(1024);
    let proxied_client = source.map(|source| ProxiedClient { address: source.parse().unwrap(), port: None });
    let info = ConnectionInfo { proxied_client, ..ConnectionInfo::clear([0; 18]) };
    let started = tokio::time::Instant::now();
    ours.write_all(&b"USER joe\r\nPASS wrong\r\n".repeat(3)).await.unwrap();
    server.serve_stream_with_info(Box::new(theirs), info).await.unwrap();
    let mut heard = String::new();
    ours.read_to_string(&mut heard).await.unwrap();
    assert_eq!(heard.matches("-ERR [AUTH]").count(), 3, "{heard}");
    started.elapsed().as_secs()
}

#[tokio::test(start_paused = true)]
async fn h40_replies_to_guesses_are_delayed_and_delay_no_other_session() {
    let mut options = ServerOptions::dangerous_cleartext();
    options.timeouts.login = Duration::from_secs(300);
    let server = Server::new(options, Memory::new().with_user("joe", "secret", []));
    assert_eq!(guess(&server, Some("192.0.2.1")).await, 3, "0, 1 and 2 seconds");
    assert_eq!(guess(&server, Some("192.0.2.1")).await, 27, "4, 8 and 15 seconds");
    assert_eq!(guess(&server, Some("192.0.2.2")).await, 3);
    assert_eq!(guess(&server, None).await, 3);
    assert_eq!(guess(&server, None).await, 3, "who is not known is not taken for who was there before");
    // This runtime has one thread. A thousand who guess, each for themselves, wait at once.
    let started = tokio::time::Instant::now();
    let server = Arc::new(server);
    let mut guesses = tokio::task::JoinSet::new();
    for source in 0..1000 {
        let server = Arc::clone(&server);
        guesses.spawn(async move { guess(&server, Some(&format!("2001:db8:0:{source:x}::1"))).await });
    }
    while let Some(guessed) = guesses.join_next().await {
        assert_eq!(guessed.unwrap(), 3);
    }
    assert_eq!(started.elapsed().as_secs(), 3);
}

#[tokio::test(start_paused = true)]
async fn h36_a_client_that_does_not_read_is_sent_away() {
    let store = Memory::new().with_user("joe", "secret", [vec![b'x'; 12_000_000]]);
    let server = Server::new(ServerOptions::dangerous_cleartext(), store);
    let (mut ours, theirs) = tokio::io::duplex(1024);
    ours.write_all(b"USER joe\r\nPASS secret\r\nRETR 1\r\n").await.unwrap();
    let started = tokio::time::Instant::now();
    assert!(server.serve_stream(Box::new(theirs), ListenSecurity::Cleartext).await.is_err());
    assert_eq!(started.elapsed().as_secs(), 600);
}

/// A client that has said something before anybody asks, and so often; nobody reads what it is told.
struct Chatter {
    first: Option<&'static [u8]>,
    then: &'static [u8],
    left: usize,
}

impl AsyncRead for Chatter {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, space: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(first) = self.first.take() {
            space.put_slice(first);
        }
        while self.left > 0 && space.remaining() >= self.then.len() {
            space.put_slice(self.then);
            self.left -= 1;
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Chatter {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[tokio::test]
async fn h35_a_refused_login_and_no_pause_after_it_give_no_more_time() {
    let mut options = ServerOptions::dangerous_cleartext();
    options.timeouts.login = Duration::from_millis(100);
    let server = Server::new(options, Memory::new());
    let chatter = Chatter { first: Some(b"USER joe\r\nPASS wrong\r\n"), then: b"USER joe\r\n", left: 20_000_000 };
    let ended = server.serve_stream(Box::new(chatter), ListenSecurity::Cleartext).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
}

#[test]
fn a_session_without_pauses_leaves_threads_to_others() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).max_blocking_threads(1).enable_all().build();
    runtime.unwrap().block_on(async {
        let store = Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]);
        let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), store));
        let chatter = Chatter { first: Some(b"USER joe\r\nPASS secret\r\n"), then: b"RETR 1\r\n", left: usize::MAX };
        let busy = tokio::spawn({
            let server = Arc::clone(&server);
            async move { server.serve_stream(Box::new(chatter), ListenSecurity::Cleartext).await }
        });
        let (mut ours, theirs) = tokio::io::duplex(1024);
        let other = tokio::spawn(async move { server.serve_stream(Box::new(theirs), ListenSecurity::Cleartext).await });
        ours.write_all(b"USER joe\r\nPASS wrong\r\nQUIT\r\n").await.unwrap();
        let mut heard = String::new();
        ours.read_to_string(&mut heard).await.unwrap();
        assert!(heard.ends_with("+OK bye\r\n"), "{heard}");
        other.await.unwrap().unwrap();
        assert!(!busy.is_finished());
        busy.abort();
    });
}

#[tokio::test(start_paused = true)]
async fn h36_a_message_that_is_read_too_slowly_ends_the_session() {
    let store = Memory::new().with_user("joe", "secret", [vec![b'x'; 1_000_000]]);
    let server = Server::new(ServerOptions::dangerous_cleartext(), store);
    let (ours, theirs) = tokio::io::duplex(1024);
    let client = tokio::spawn(async move {
        let (mut reader, mut writer) = tokio::io::split(ours);
        writer.write_all(b"USER joe\r\nPASS secret\r\nRETR 1\r\n").await.unwrap();
        let mut piece = [0; 512];
        // 256 octets a second: what is buffered goes out before the idle time-out, again and again.
        while matches!(reader.read(&mut piece).await, Ok(1..)) {
            tokio::time::sleep(Duration::from_secs(2)).await;
        }
    });
    let started = tokio::time::Instant::now();
    let ended = server.serve_stream(Box::new(theirs), ListenSecurity::Cleartext).await;
    assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    // The idle time-out, and the time that the message takes at 512 octets a second.
    assert!((2400..2700).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
    client.abort();
}
