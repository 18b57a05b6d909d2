//! The server as a whole: who may come in, by what way, and how it ends.

mod peer;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use peer::{Stream, Task, accept, connect, handshake, heard, listen, read, say, spawn, write};
use pop3_contract::{Cut, Feed};
use pop3_tokio::maildrop::{LoginError, Memory, MemoryMaildrop, Peer, Store};
use pop3_tokio::proto::Secret;
use pop3_tokio::proto::client::LoginPolicy;
use pop3_tokio::proto::codec::{MessageNumber, UniqueId};
use pop3_tokio::proto::sasl::Credentials;
use pop3_tokio::proto::server::{BodyWants, ConnectionInfo, LoginAttempt, Question, Snapshot};
use pop3_tokio::{Client, ClientOptions, Error, ListenSecurity, Proxy, ProxyKind, Security, Server, ServerOptions, tls};

struct Served {
    port: u16,
    server: Arc<Server<Memory>>,
    store: Memory,
    serving: Task<()>,
}

/// A server in the clear, but for what is changed.
async fn serve(kind: ListenSecurity, change: impl FnOnce(&mut ServerOptions)) -> Served {
    let mut options = ServerOptions::dangerous_cleartext();
    change(&mut options);
    let store = Memory::new().with_user("joe", "secret", [b"a\n".to_vec(), vec![b'x'; 3_000_000]]);
    let server = Arc::new(Server::new(options, store.clone()));
    let (listener, address) = listen().await;
    let serves = Arc::clone(&server);
    let serving = spawn(async move { serves.serve(&listener, kind).await.unwrap() });
    Served { port: address.port(), server, store, serving }
}

fn trust_loopback(options: &mut ServerOptions) {
    options.trusted_proxies = vec![IpAddr::from([127, 0, 0, 1]).into()];
}

fn certified() -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (certified.cert.pem(), certified.signing_key.serialize_pem())
}

#[tokio::test]
async fn the_end_lets_a_command_end_and_removes_nothing_without_quit() {
    let place = serve(ListenSecurity::Cleartext, |_| ()).await;
    let (mut busy, mut idle) = (connect(place.port).await, connect(place.port).await);
    heard(&mut busy).await;
    heard(&mut idle).await;
    say(&mut busy, "USER joe").await;
    say(&mut busy, "PASS secret").await;
    say(&mut busy, "DELE 1").await;
    // More than fits on the way: the session is in the middle of it.
    assert_eq!(say(&mut busy, "RETR 2").await, "+OK 3000002 octets");
    let server = Arc::clone(&place.server);
    let ending = spawn(async move { server.shutdown(Duration::from_secs(60)).await });
    assert_eq!(read(&mut idle, &mut [0; 8]).await.unwrap_or(0), 0, "who only waits is left");
    let (mut octets, mut last, mut space) = (0, Vec::new(), vec![0; 65536]);
    while let Ok(count @ 1..) = read(&mut busy, &mut space).await {
        octets += count;
        last = space[..count].to_vec();
    }
    assert_eq!(octets, 3_000_002 + 3, "the message came to its end");
    assert!(last.ends_with(b"\r\n.\r\n"));
    assert!(ending.result().await, "no session is left");
    place.serving.result().await;
    assert_eq!(place.store.messages("joe").len(), 2);
}

#[tokio::test]
async fn h39_sessions_are_limited_per_source() {
    let place = serve(ListenSecurity::Cleartext, |options| options.max_sessions_per_source = 2).await;
    let (mut first, mut second) = (connect(place.port).await, connect(place.port).await);
    heard(&mut first).await;
    heard(&mut second).await;
    let mut third = connect(place.port).await;
    assert_eq!(read(&mut third, &mut [0; 8]).await.unwrap_or(0), 0, "the third is one too many");
    assert_eq!(say(&mut first, "QUIT").await, "+OK bye");
    // The place is free when the session has ended.
    loop {
        let mut again = connect(place.port).await;
        if let Ok(1..) = read(&mut again, &mut [0; 64]).await {
            break;
        }
    }
}

#[tokio::test]
async fn h40_a_delayed_reply_delays_neither_other_sessions_nor_the_shutdown() {
    let place = serve(ListenSecurity::Cleartext, |options| {
        options.max_login_backoff = Duration::from_secs(3600);
        options.timeouts.login = Duration::from_secs(3600);
        options.config.max_failed_logins = 15;
    })
    .await;
    let mut guesses = connect(place.port).await;
    heard(&mut guesses).await;
    // All together they wait for an hour, and would be sent away without it.
    write(&mut guesses, &b"USER joe\r\nPASS wrong\r\n".repeat(15)).await;
    let answered = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&answered);
    let waiting = spawn(async move {
        while let Ok(1..) = read(&mut guesses, &mut [0; 64]).await {
            hears.store(true, Ordering::SeqCst);
        }
    });
    // A right password does not wait, though it comes from the same source.
    for _ in 0..20 {
        let mut other = connect(place.port).await;
        heard(&mut other).await;
        say(&mut other, "USER joe").await;
        assert!(say(&mut other, "PASS secret").await.starts_with("+OK"));
        assert!(say(&mut other, "QUIT").await.starts_with("+OK"));
    }
    assert!(!answered.load(Ordering::SeqCst));
    assert!(place.server.shutdown(Duration::from_secs(60)).await, "no session is left");
    place.serving.result().await;
    waiting.result().await;
    assert!(answered.load(Ordering::SeqCst));
}

/// A store with a bug.
struct Buggy(Memory);

impl Store for Buggy {
    type Maildrop = MemoryMaildrop;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<MemoryMaildrop, LoginError> {
        assert_ne!(login.name.as_bytes(), b"bug", "a panic that a test wants");
        self.0.login(login, &Peer::default())
    }
}

#[tokio::test]
async fn h60_a_panic_in_one_session_touches_no_other() {
    let store = Buggy(Memory::new().with_user("joe", "secret", [b"a\n".to_vec()]));
    let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), store));
    let (listener, address) = listen().await;
    let serves = Arc::clone(&server);
    let serving = spawn(async move { serves.serve(&listener, ListenSecurity::Cleartext).await.unwrap() });
    let mut before = connect(address.port()).await;
    heard(&mut before).await;
    say(&mut before, "USER joe").await;
    say(&mut before, "PASS secret").await;
    let mut breaks = connect(address.port()).await;
    heard(&mut breaks).await;
    say(&mut breaks, "USER bug").await;
    write(&mut breaks, b"PASS x\r\n").await;
    assert_eq!(read(&mut breaks, &mut [0; 8]).await.unwrap_or(0), 0, "its session is over");
    assert_eq!(say(&mut before, "STAT").await, "+OK 1 3");
    let mut after = connect(address.port()).await;
    assert!(heard(&mut after).await.starts_with("+OK"));
    assert_eq!(say(&mut before, "QUIT").await, "+OK bye");
    assert_eq!(say(&mut after, "QUIT").await, "+OK bye");
    assert!(server.shutdown(Duration::from_secs(60)).await, "the place of the broken one is free");
    serving.result().await;
}

#[tokio::test]
async fn a_certificate_is_renewed_while_sessions_run() {
    let (old, old_key) = certified();
    let (new, new_key) = certified();
    let place = serve(ListenSecurity::ImplicitTls, |options| {
        options.tls = Some(tls::server(old.as_bytes(), old_key.as_bytes()).unwrap());
    })
    .await;
    let trusted = |certificate: &String| tls::client_trusting(certificate.as_bytes()).unwrap();
    let mut before = handshake(&trusted(&old), connect(place.port).await).await;
    heard(&mut before).await;
    place.server.replace_tls(tls::server(new.as_bytes(), new_key.as_bytes()).unwrap());
    let mut after = handshake(&trusted(&new), connect(place.port).await).await;
    heard(&mut after).await;
    assert_eq!(say(&mut before, "NOOP").await, "-ERR log in first", "the session before goes on");
}

#[tokio::test]
async fn h39_the_proxy_protocol_tells_the_source_and_only_trusted_proxies_may() {
    let place = serve(ListenSecurity::Cleartext, |options| {
        trust_loopback(options);
        (options.proxy_protocol, options.max_sessions_per_source) = (true, 1);
    })
    .await;
    let mut first = connect(place.port).await;
    write(&mut first, b"PROXY TCP4 192.0.2.1 192.0.2.9 1100 110\r\n").await;
    assert_eq!(heard(&mut first).await, "+OK POP3 server ready");
    assert_eq!(
        say(&mut first, "XCLIENT ADDR=192.0.2.7").await,
        "-ERR XCLIENT is for trusted proxies only",
        "the client says that"
    );
    let mut same = connect(place.port).await;
    write(&mut same, b"PROXY TCP4 192.0.2.1 192.0.2.9 1101 110\r\n").await;
    assert_eq!(read(&mut same, &mut [0; 8]).await.unwrap_or(0), 0, "a second from there");
    let mut other = connect(place.port).await;
    write(
        &mut other,
        &[b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x02\xc0\0\x02\x09\0\x50\0\x6e", &b"QUIT\r\n"[..]].concat(),
    )
    .await;
    assert_eq!(heard(&mut other).await, "+OK POP3 server ready", "and what stands behind the header is the session's");
    assert_eq!(heard(&mut other).await, "+OK bye");
    let mut without = connect(place.port).await;
    write(&mut without, b"USER joe\r\n").await;
    assert_eq!(read(&mut without, &mut [0; 8]).await.unwrap_or(0), 0, "a proxy that says nothing of it");
    let untrusted = serve(ListenSecurity::Cleartext, |options| options.proxy_protocol = true).await;
    let mut stranger = connect(untrusted.port).await;
    heard(&mut stranger).await;
    assert_eq!(say(&mut stranger, "PROXY TCP4 192.0.2.1 192.0.2.9 1 2").await, "-ERR unknown command");
}

/// A proxy that takes one connection: it hears `asks`, answers, and passes on what is said; what it heard.
async fn proxy(asks: &'static [(usize, &'static [u8])], server: u16) -> (u16, Task<Vec<u8>>) {
    let (listener, address) = listen().await;
    let heard = spawn(async move {
        let mut client = accept(&listener).await;
        let mut all = Vec::new();
        for (length, answer) in asks {
            let mut rest = *length;
            while rest > 0 {
                let mut space = vec![0; rest];
                let count = read(&mut client, &mut space).await.unwrap();
                assert!(count > 0, "the client says more");
                all.extend_from_slice(&space[..count]);
                rest -= count;
            }
            write(&mut client, answer).await;
        }
        // A dialogue of lines: greeting, then one answer a line.
        let mut upstream = connect(server).await;
        let mut space = vec![0; 4096];
        loop {
            let count = read(&mut upstream, &mut space).await.unwrap_or(0);
            if count == 0 {
                return all;
            }
            write(&mut client, &space[..count]).await;
            let count = read(&mut client, &mut space).await.unwrap_or(0);
            if count == 0 {
                return all;
            }
            write(&mut upstream, &space[..count]).await;
        }
    });
    (address.port(), heard)
}

#[tokio::test]
async fn clients_go_through_proxies() {
    let place = serve(ListenSecurity::Cleartext, |_| ()).await;
    let socks: &[(usize, &[u8])] = &[(4, &[5, 2]), (3 + 2 + 2, &[1, 0]), (5 + 17 + 2, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 9])];
    let http: &[(usize, &[u8])] = &[(108, b"HTTP/1.1 200 Connection established\r\n\r\n")];
    for (kind, asks) in [(ProxyKind::Socks5, socks), (ProxyKind::HttpConnect, http)] {
        let (port, told) = proxy(asks, place.port).await;
        let mut options = ClientOptions::new(Security::DangerousCleartext);
        let login = Some(("me".to_owned(), Secret::from("pw")));
        options.proxy = Some(Proxy { kind, host: "127.0.0.1".to_owned(), port, login });
        let credentials = Credentials::password("joe", "secret").unwrap();
        let client = Client::connect_and_login("pop.example.inval", 110, &options, &credentials, &LoginPolicy::default()).await;
        client.unwrap().quit().await.unwrap();
        let told = told.result().await;
        let told = String::from_utf8_lossy(&told);
        assert!(
            told.contains("pop.example.inval") && told.contains(if kind == ProxyKind::Socks5 { "pw" } else { "bWU6cHc=" }),
            "{told}"
        );
    }
}

#[tokio::test]
async fn the_shutdown_waits_for_no_unbegun_session_and_no_late_listener() {
    let (certificate, key) = certified();
    let place = serve(ListenSecurity::ImplicitTls, |options| {
        options.tls = Some(tls::server(certificate.as_bytes(), key.as_bytes()).unwrap());
    })
    .await;
    // Nothing is said on it. The second is only there for the first to have been taken.
    let (mut silent, mut second) = (connect(place.port).await, connect(place.port).await);
    write(&mut second, b"no handshake").await;
    assert!(read(&mut second, &mut [0; 8]).await.is_ok());
    assert!(place.server.shutdown(Duration::from_secs(30)).await);
    assert_eq!(read(&mut silent, &mut [0; 8]).await.unwrap_or(0), 0);
    place.serving.result().await;
    let (listener, _address) = listen().await;
    place.server.serve(&listener, ListenSecurity::ImplicitTls).await.unwrap();
}

#[tokio::test]
async fn h35_traffic_does_not_extend_the_login_deadline() {
    let place = serve(ListenSecurity::Cleartext, |options| options.timeouts.login = Duration::from_millis(300)).await;
    let mut stream = connect(place.port).await;
    heard(&mut stream).await;
    // The name is taken again and again; the server has to leave in the end.
    let mut space = [0; 4096];
    while peer::try_write(&mut stream, b"USER joe\r\nUSER joe\r\n").await.is_ok() {
        if !matches!(read(&mut stream, &mut space).await, Ok(1..)) {
            return;
        }
    }
}

#[tokio::test]
async fn h37_a_raw_session_asks_and_reads_nothing_until_it_is_answered() {
    let server = Server::new(ServerOptions::dangerous_cleartext(), ());
    let feed = Feed::default();
    let said = b"USER joe\r\nPASS secret\r\nRETR 1\r\nTOP 1 0\r\nDELE 2\r\nQUIT\r\n";
    feed.push(&[&said[..], &b"NOOP\r\n".repeat(100_000)].concat(), Cut::Whole);
    let mut session = server.raw_session_with_stream(Box::new(Stream(feed.clone())), ListenSecurity::Cleartext).await.unwrap();
    let Ok(Some(Question::Authenticate(login))) = session.next_question().await else { panic!("nobody logs in") };
    assert_eq!(login.name.as_bytes(), b"joe");
    for _ in 0..3 {
        assert!(session.next_question().await.is_err(), "the question before is not answered");
    }
    assert!(feed.taken() < 8 * 1024);
    let mut snapshot = Snapshot::default();
    for id in ["one", "two"] {
        snapshot.push(20, UniqueId::new(id).unwrap()).unwrap();
    }
    session.answer().accept(snapshot).unwrap();
    for (top, wants) in [(None, BodyWants::More), (Some(0), BodyWants::Enough)] {
        assert_eq!(session.next_question().await.unwrap(), Some(Question::Retrieve { number: MessageNumber::FIRST, top }));
        session.answer().begin_message().unwrap();
        assert_eq!(session.send_body(b"Subject: x\n\nbody\n").await.unwrap(), wants);
        session.answer().end_message().unwrap();
    }
    assert_eq!(session.next_question().await.unwrap(), Some(Question::Commit));
    assert_eq!(session.connection().marked().map(MessageNumber::get).collect::<Vec<_>>(), [2]);
    session.answer().finish_commit(1).unwrap();
    assert_eq!(session.next_question().await.unwrap(), None);
    let written = String::from_utf8(feed.written()).unwrap();
    assert!(written.contains("+OK 20 octets\r\nSubject: x\r\n\r\nbody\r\n.\r\n+OK"), "{written}");
    assert!(
        written
            .ends_with("Subject: x\r\n\r\n.\r\n+OK marked as deleted\r\n-ERR [SYS/TEMP] some deleted messages not removed\r\n"),
        "{written}"
    );
}

#[tokio::test]
async fn a_raw_session_does_stls_by_itself() {
    let (certificate, key) = certified();
    let tls = tls::server(certificate.as_bytes(), key.as_bytes()).unwrap();
    let server = Server::new(ServerOptions::with_tls(tls), ());
    let (listener, address) = listen().await;
    let asked = spawn(async move {
        let mut session = server.raw_session(accept(&listener).await, ListenSecurity::Cleartext).await.unwrap();
        let mut asked = Vec::new();
        while let Some(ask) = session.next_question().await.unwrap() {
            match &ask {
                Question::Authenticate(_) => session.answer().accept(Snapshot::default()).unwrap(),
                Question::Commit => session.answer().finish_commit(0).unwrap(),
                _ => panic!("{ask:?}"),
            }
            asked.push((session.connection().session().is_encrypted(), matches!(ask, Question::Commit)));
        }
        asked
    });
    let options = ClientOptions::new(Security::Stls(tls::client_trusting(certificate.as_bytes()).unwrap()));
    let credentials = Credentials::password("joe", "secret").unwrap();
    let client =
        Client::connect_and_login("localhost", address.port(), &options, &credentials, &LoginPolicy::default()).await.unwrap();
    client.quit().await.unwrap();
    assert_eq!(asked.result().await, [(true, false), (true, true)]);
}

#[tokio::test]
async fn the_shutdown_waits_for_raw_sessions_and_admits_no_more() {
    let server = Server::new(ServerOptions::dangerous_cleartext(), ());
    let feed = Feed::default();
    let stream = || Box::new(Stream(feed.clone()));
    let session = server.raw_session_with_stream(stream(), ListenSecurity::Cleartext).await.unwrap();
    let with_info = server.raw_session_with_info(stream(), ConnectionInfo::clear([1; 18])).unwrap();
    assert_eq!(server.sessions(), 2);
    drop(session);
    assert!(!server.shutdown(Duration::ZERO).await, "one is left");
    assert!(server.raw_session_with_stream(stream(), ListenSecurity::Cleartext).await.is_err());
    drop(with_info);
    assert!(server.shutdown(Duration::from_secs(60)).await);
    assert_eq!(server.sessions(), 0);
}

#[tokio::test]
async fn a_raw_session_flushes_an_answer_before_its_next_question() {
    let server = Server::new(ServerOptions::dangerous_cleartext(), ());
    let feed = Feed::default();
    feed.push(b"USER joe\r\nPASS secret\r\n", Cut::Whole);
    let mut session = server.raw_session_with_stream(Box::new(Stream(feed.clone())), ListenSecurity::Cleartext).await.unwrap();
    assert!(matches!(session.next_question().await, Ok(Some(Question::Authenticate(_)))));
    session.answer().accept(Snapshot::default()).unwrap();
    assert!(!feed.written().ends_with(b"+OK maildrop ready\r\n"));
    session.flush().await.unwrap();
    assert!(feed.written().ends_with(b"+OK maildrop ready\r\n"), "{}", feed.written().escape_ascii());
}

#[tokio::test]
async fn a_proxy_is_refused_where_it_would_have_no_effect() {
    let mut options = ClientOptions::new(Security::DangerousCleartext);
    options.proxy = Some(Proxy { kind: ProxyKind::Socks5, host: "proxy.example.org".to_owned(), port: 1080, login: None });
    let feed = Feed::scripted([&b"+OK ready\r\n"[..]], Cut::Whole);
    let error = Client::with_stream(Box::new(Stream(feed)), "localhost", 110, &options, None).await.unwrap_err();
    assert!(matches!(error, Error::UnusedProxy), "{error}");
}

#[tokio::test]
async fn the_future_of_a_session_is_small() {
    // Idle sessions are nearly all future, and futures that hold others by value grow with each layer.
    let server = Server::new(ServerOptions::dangerous_cleartext(), Memory::new());
    let (listener, address) = listen().await;
    let _client = connect(address.port()).await;
    let session = server.serve_connection(accept(&listener).await, ListenSecurity::Cleartext);
    assert!(size_of_val(&session) < 8 * 1024, "{} octets", size_of_val(&session));
}
