//! The server as a whole: who may come in, by what way, and how it ends.

mod peer;

use std::io::{self, Read, Write};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use peer::{Stream, Task, accept, connect, handshake, heard, listen, read, say, spawn, write};
use pop3_blocking::maildrop::{LoginError, Memory, MemoryMaildrop, Peer, Store};
use pop3_blocking::proto::Secret;
use pop3_blocking::proto::client::LoginPolicy;
use pop3_blocking::proto::codec::{MessageNumber, UniqueId};
use pop3_blocking::proto::sasl::Credentials;
use pop3_blocking::proto::server::{BodyWants, ConnectionInfo, LoginAttempt, Question, Snapshot};
use pop3_blocking::{
    Client, ClientOptions, Error, ListenSecurity, Proxy, ProxyKind, Security, Server, ServerOptions, Transport, tls,
};
use pop3_contract::{Cut, Feed};

struct Served {
    port: u16,
    server: Arc<Server<Memory>>,
    store: Memory,
    serving: Task<()>,
}

/// A server in the clear, but for what is changed.
fn serve(kind: ListenSecurity, change: impl FnOnce(&mut ServerOptions)) -> Served {
    let mut options = ServerOptions::dangerous_cleartext();
    change(&mut options);
    let store = Memory::new().with_user("joe", "secret", [b"a\n".to_vec(), vec![b'x'; 3_000_000]]);
    let server = Arc::new(Server::new(options, store.clone()));
    let (listener, address) = listen();
    let serves = Arc::clone(&server);
    let serving = spawn(move || serves.serve(&listener, kind).unwrap());
    Served { port: address.port(), server, store, serving }
}

fn trust_loopback(options: &mut ServerOptions) {
    options.trusted_proxies = vec![IpAddr::from([127, 0, 0, 1]).into()];
}

fn certified() -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (certified.cert.pem(), certified.signing_key.serialize_pem())
}

#[test]
fn the_end_lets_a_command_end_and_removes_nothing_without_quit() {
    let place = serve(ListenSecurity::Cleartext, |_| ());
    let (mut busy, mut idle) = (connect(place.port), connect(place.port));
    heard(&mut busy);
    heard(&mut idle);
    say(&mut busy, "USER joe");
    say(&mut busy, "PASS secret");
    say(&mut busy, "DELE 1");
    // More than fits on the way: the session is in the middle of it.
    assert_eq!(say(&mut busy, "RETR 2"), "+OK 3000002 octets");
    let server = Arc::clone(&place.server);
    let ending = spawn(move || server.shutdown(Duration::from_secs(60)));
    assert_eq!(read(&mut idle, &mut [0; 8]).unwrap_or(0), 0, "who only waits is left");
    let (mut octets, mut last, mut space) = (0, Vec::new(), vec![0; 65536]);
    while let Ok(count @ 1..) = read(&mut busy, &mut space) {
        octets += count;
        last = space[..count].to_vec();
    }
    assert_eq!(octets, 3_000_002 + 3, "the message came to its end");
    assert!(last.ends_with(b"\r\n.\r\n"));
    assert!(ending.result(), "no session is left");
    place.serving.result();
    assert_eq!(place.store.messages("joe").len(), 2);
}

#[test]
fn h39_sessions_are_limited_per_source() {
    let place = serve(ListenSecurity::Cleartext, |options| options.max_sessions_per_source = 2);
    let (mut first, mut second) = (connect(place.port), connect(place.port));
    heard(&mut first);
    heard(&mut second);
    let mut third = connect(place.port);
    assert_eq!(read(&mut third, &mut [0; 8]).unwrap_or(0), 0, "the third is one too many");
    assert_eq!(say(&mut first, "QUIT"), "+OK bye");
    // The place is free when the session has ended.
    loop {
        let mut again = connect(place.port);
        if let Ok(1..) = read(&mut again, &mut [0; 64]) {
            break;
        }
    }
}

#[test]
fn h40_a_delayed_reply_delays_neither_other_sessions_nor_the_shutdown() {
    let place = serve(ListenSecurity::Cleartext, |options| {
        options.max_login_backoff = Duration::from_secs(3600);
        options.timeouts.login = Duration::from_secs(3600);
        options.config.max_failed_logins = 15;
    });
    let mut guesses = connect(place.port);
    heard(&mut guesses);
    // All together they wait for an hour, and would be sent away without it.
    write(&mut guesses, &b"USER joe\r\nPASS wrong\r\n".repeat(15));
    let answered = Arc::new(AtomicBool::new(false));
    let hears = Arc::clone(&answered);
    let waiting = spawn(move || {
        while let Ok(1..) = read(&mut guesses, &mut [0; 64]) {
            hears.store(true, Ordering::SeqCst);
        }
    });
    // A right password does not wait, though it comes from the same source.
    for _ in 0..20 {
        let mut other = connect(place.port);
        heard(&mut other);
        say(&mut other, "USER joe");
        assert!(say(&mut other, "PASS secret").starts_with("+OK"));
        assert!(say(&mut other, "QUIT").starts_with("+OK"));
    }
    assert!(!answered.load(Ordering::SeqCst));
    assert!(place.server.shutdown(Duration::from_secs(60)), "no session is left");
    place.serving.result();
    waiting.result();
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

#[test]
fn h60_a_panic_in_one_session_touches_no_other() {
    let store = Buggy(Memory::new().with_user("joe", "secret", [b"a\n".to_vec()]));
    let server = Arc::new(Server::new(ServerOptions::dangerous_cleartext(), store));
    let (listener, address) = listen();
    let serves = Arc::clone(&server);
    let serving = spawn(move || serves.serve(&listener, ListenSecurity::Cleartext).unwrap());
    let mut before = connect(address.port());
    heard(&mut before);
    say(&mut before, "USER joe");
    say(&mut before, "PASS secret");
    let mut breaks = connect(address.port());
    heard(&mut breaks);
    say(&mut breaks, "USER bug");
    write(&mut breaks, b"PASS x\r\n");
    assert_eq!(read(&mut breaks, &mut [0; 8]).unwrap_or(0), 0, "its session is over");
    assert_eq!(say(&mut before, "STAT"), "+OK 1 3");
    let mut after = connect(address.port());
    assert!(heard(&mut after).starts_with("+OK"));
    assert_eq!(say(&mut before, "QUIT"), "+OK bye");
    assert_eq!(say(&mut after, "QUIT"), "+OK bye");
    assert!(server.shutdown(Duration::from_secs(60)), "the place of the broken one is free");
    serving.result();
}

#[test]
fn a_certificate_is_renewed_while_sessions_run() {
    let (old, old_key) = certified();
    let (new, new_key) = certified();
    let place = serve(ListenSecurity::ImplicitTls, |options| {
        options.tls = Some(tls::server(old.as_bytes(), old_key.as_bytes()).unwrap());
    });
    let trusted = |certificate: &String| tls::client_trusting(certificate.as_bytes()).unwrap();
    let mut before = handshake(&trusted(&old), connect(place.port));
    heard(&mut before);
    place.server.replace_tls(tls::server(new.as_bytes(), new_key.as_bytes()).unwrap());
    let mut after = handshake(&trusted(&new), connect(place.port));
    heard(&mut after);
    assert_eq!(say(&mut before, "NOOP"), "-ERR log in first", "the session before goes on");
}

#[test]
fn h39_the_proxy_protocol_tells_the_source_and_only_trusted_proxies_may() {
    let place = serve(ListenSecurity::Cleartext, |options| {
        trust_loopback(options);
        (options.proxy_protocol, options.max_sessions_per_source) = (true, 1);
    });
    let mut first = connect(place.port);
    write(&mut first, b"PROXY TCP4 192.0.2.1 192.0.2.9 1100 110\r\n");
    assert_eq!(heard(&mut first), "+OK POP3 server ready");
    assert_eq!(say(&mut first, "XCLIENT ADDR=192.0.2.7"), "-ERR XCLIENT is for trusted proxies only", "the client says that");
    let mut same = connect(place.port);
    write(&mut same, b"PROXY TCP4 192.0.2.1 192.0.2.9 1101 110\r\n");
    assert_eq!(read(&mut same, &mut [0; 8]).unwrap_or(0), 0, "a second from there");
    let mut other = connect(place.port);
    write(
        &mut other,
        &[b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\0\x02\x02\xc0\0\x02\x09\0\x50\0\x6e", &b"QUIT\r\n"[..]].concat(),
    );
    assert_eq!(heard(&mut other), "+OK POP3 server ready", "and what stands behind the header is the session's");
    assert_eq!(heard(&mut other), "+OK bye");
    let mut without = connect(place.port);
    write(&mut without, b"USER joe\r\n");
    assert_eq!(read(&mut without, &mut [0; 8]).unwrap_or(0), 0, "a proxy that says nothing of it");
    let untrusted = serve(ListenSecurity::Cleartext, |options| options.proxy_protocol = true);
    let mut stranger = connect(untrusted.port);
    heard(&mut stranger);
    assert_eq!(say(&mut stranger, "PROXY TCP4 192.0.2.1 192.0.2.9 1 2"), "-ERR unknown command");
}

/// A proxy that takes one connection: it hears `asks`, answers, and passes on what is said; what it heard.
fn proxy(asks: &'static [(usize, &'static [u8])], server: u16) -> (u16, Task<Vec<u8>>) {
    let (listener, address) = listen();
    let heard = spawn(move || {
        let mut client = accept(&listener);
        let mut all = Vec::new();
        for (length, answer) in asks {
            let mut rest = *length;
            while rest > 0 {
                let mut space = vec![0; rest];
                let count = read(&mut client, &mut space).unwrap();
                assert!(count > 0, "the client says more");
                all.extend_from_slice(&space[..count]);
                rest -= count;
            }
            write(&mut client, answer);
        }
        // A dialogue of lines: greeting, then one answer a line.
        let mut upstream = connect(server);
        let mut space = vec![0; 4096];
        loop {
            let count = read(&mut upstream, &mut space).unwrap_or(0);
            if count == 0 {
                return all;
            }
            write(&mut client, &space[..count]);
            let count = read(&mut client, &mut space).unwrap_or(0);
            if count == 0 {
                return all;
            }
            write(&mut upstream, &space[..count]);
        }
    });
    (address.port(), heard)
}

#[test]
fn clients_go_through_proxies() {
    let place = serve(ListenSecurity::Cleartext, |_| ());
    let socks: &[(usize, &[u8])] = &[(4, &[5, 2]), (3 + 2 + 2, &[1, 0]), (5 + 17 + 2, &[5, 0, 0, 1, 127, 0, 0, 1, 0, 9])];
    let http: &[(usize, &[u8])] = &[(108, b"HTTP/1.1 200 Connection established\r\n\r\n")];
    for (kind, asks) in [(ProxyKind::Socks5, socks), (ProxyKind::HttpConnect, http)] {
        let (port, told) = proxy(asks, place.port);
        let mut options = ClientOptions::new(Security::DangerousCleartext);
        let login = Some(("me".to_owned(), Secret::from("pw")));
        options.proxy = Some(Proxy { kind, host: "127.0.0.1".to_owned(), port, login });
        let credentials = Credentials::password("joe", "secret").unwrap();
        let client = Client::connect_and_login("pop.example.inval", 110, &options, &credentials, &LoginPolicy::default());
        client.unwrap().quit().unwrap();
        let told = told.result();
        let told = String::from_utf8_lossy(&told);
        assert!(
            told.contains("pop.example.inval") && told.contains(if kind == ProxyKind::Socks5 { "pw" } else { "bWU6cHc=" }),
            "{told}"
        );
    }
}

#[test]
fn the_shutdown_waits_for_no_unbegun_session_and_no_late_listener() {
    let (certificate, key) = certified();
    let place = serve(ListenSecurity::ImplicitTls, |options| {
        options.tls = Some(tls::server(certificate.as_bytes(), key.as_bytes()).unwrap());
    });
    // Nothing is said on it. The second is only there for the first to have been taken.
    let (mut silent, mut second) = (connect(place.port), connect(place.port));
    write(&mut second, b"no handshake");
    assert!(read(&mut second, &mut [0; 8]).is_ok());
    assert!(place.server.shutdown(Duration::from_secs(30)));
    assert_eq!(read(&mut silent, &mut [0; 8]).unwrap_or(0), 0);
    place.serving.result();
    let (listener, _address) = listen();
    place.server.serve(&listener, ListenSecurity::ImplicitTls).unwrap();
}

#[test]
fn h35_traffic_does_not_extend_the_login_deadline() {
    let place = serve(ListenSecurity::Cleartext, |options| options.timeouts.login = Duration::from_millis(300));
    let mut stream = connect(place.port);
    heard(&mut stream);
    // The name is taken again and again; the server has to leave in the end.
    let mut space = [0; 4096];
    while peer::try_write(&mut stream, b"USER joe\r\nUSER joe\r\n").is_ok() {
        if !matches!(read(&mut stream, &mut space), Ok(1..)) {
            return;
        }
    }
}

#[test]
fn h37_a_raw_session_asks_and_reads_nothing_until_it_is_answered() {
    let server = Server::new(ServerOptions::dangerous_cleartext(), ());
    let feed = Feed::default();
    let said = b"USER joe\r\nPASS secret\r\nRETR 1\r\nTOP 1 0\r\nDELE 2\r\nQUIT\r\n";
    feed.push(&[&said[..], &b"NOOP\r\n".repeat(100_000)].concat(), Cut::Whole);
    let mut session = server.raw_session_with_stream(Box::new(Stream(feed.clone())), ListenSecurity::Cleartext).unwrap();
    let Ok(Some(Question::Authenticate(login))) = session.next_question() else { panic!("nobody logs in") };
    assert_eq!(login.name.as_bytes(), b"joe");
    for _ in 0..3 {
        assert!(session.next_question().is_err(), "the question before is not answered");
    }
    assert!(feed.taken() < 8 * 1024);
    let mut snapshot = Snapshot::default();
    for id in ["one", "two"] {
        snapshot.push(20, UniqueId::new(id).unwrap()).unwrap();
    }
    session.answer().accept(snapshot).unwrap();
    for (top, wants) in [(None, BodyWants::More), (Some(0), BodyWants::Enough)] {
        assert_eq!(session.next_question().unwrap(), Some(Question::Retrieve { number: MessageNumber::FIRST, top }));
        session.answer().begin_message().unwrap();
        assert_eq!(session.send_body(b"Subject: x\n\nbody\n").unwrap(), wants);
        session.answer().end_message().unwrap();
    }
    assert_eq!(session.next_question().unwrap(), Some(Question::Commit));
    assert_eq!(session.connection().marked().map(MessageNumber::get).collect::<Vec<_>>(), [2]);
    session.answer().finish_commit(1).unwrap();
    assert_eq!(session.next_question().unwrap(), None);
    let written = String::from_utf8(feed.written()).unwrap();
    assert!(written.contains("+OK 20 octets\r\nSubject: x\r\n\r\nbody\r\n.\r\n+OK"), "{written}");
    assert!(
        written
            .ends_with("Subject: x\r\n\r\n.\r\n+OK marked as deleted\r\n-ERR [SYS/TEMP] some deleted messages not removed\r\n"),
        "{written}"
    );
}

#[test]
fn a_raw_session_does_stls_by_itself() {
    let (certificate, key) = certified();
    let tls = tls::server(certificate.as_bytes(), key.as_bytes()).unwrap();
    let server = Server::new(ServerOptions::with_tls(tls), ());
    let (listener, address) = listen();
    let asked = spawn(move || {
        let mut session = server.raw_session(accept(&listener), ListenSecurity::Cleartext).unwrap();
        let mut asked = Vec::new();
        while let Some(ask) = session.next_question().unwrap() {
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
    let client = Client::connect_and_login("localhost", address.port(), &options, &credentials, &LoginPolicy::default()).unwrap();
    client.quit().unwrap();
    assert_eq!(asked.result(), [(true, false), (true, true)]);
}

#[test]
fn the_shutdown_waits_for_raw_sessions_and_admits_no_more() {
    let server = Server::new(ServerOptions::dangerous_cleartext(), ());
    let feed = Feed::default();
    let stream = || Box::new(Stream(feed.clone()));
    let session = server.raw_session_with_stream(stream(), ListenSecurity::Cleartext).unwrap();
    let with_info = server.raw_session_with_info(stream(), ConnectionInfo::clear([1; 18])).unwrap();
    assert_eq!(server.sessions(), 2);
    drop(session);
    assert!(!server.shutdown(Duration::ZERO), "one is left");
    assert!(server.raw_session_with_stream(stream(), ListenSecurity::Cleartext).is_err());
    drop(with_info);
    assert!(server.shutdown(Duration::from_secs(60)));
    assert_eq!(server.sessions(), 0);
}

#[test]
fn a_raw_session_flushes_an_answer_before_its_next_question() {
    let server = Server::new(ServerOptions::dangerous_cleartext(), ());
    let feed = Feed::default();
    feed.push(b"USER joe\r\nPASS secret\r\n", Cut::Whole);
    let mut session = server.raw_session_with_stream(Box::new(Stream(feed.clone())), ListenSecurity::Cleartext).unwrap();
    assert!(matches!(session.next_question(), Ok(Some(Question::Authenticate(_)))));
    session.answer().accept(Snapshot::default()).unwrap();
    assert!(!feed.written().ends_with(b"+OK maildrop ready\r\n"));
    session.flush().unwrap();
    assert!(feed.written().ends_with(b"+OK maildrop ready\r\n"), "{}", feed.written().escape_ascii());
}

#[test]
fn a_proxy_is_refused_where_it_would_have_no_effect() {
    let mut options = ClientOptions::new(Security::DangerousCleartext);
    options.proxy = Some(Proxy { kind: ProxyKind::Socks5, host: "proxy.example.org".to_owned(), port: 1080, login: None });
    let feed = Feed::scripted([&b"+OK ready\r\n"[..]], Cut::Whole);
    let error = Client::with_stream(Box::new(Stream(feed)), "localhost", 110, &options, None).unwrap_err();
    assert!(matches!(error, Error::UnusedProxy), "{error}");
}

/// A stream that is non-blocking, as a socket after `set_nonblocking`.
struct NonBlocking;

impl Read for NonBlocking {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::ErrorKind::WouldBlock.into())
    }
}

impl Write for NonBlocking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for NonBlocking {
    fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_stream_that_does_not_block_is_reported_as_such() {
    let options = ClientOptions::new(Security::DangerousCleartext);
    let error = Client::with_stream(Box::new(NonBlocking), "localhost", 110, &options, None).unwrap_err();
    assert!(error.to_string().contains("the stream is non-blocking"), "{error}");
}
