//! Client and server over loopback, and against peers that misbehave.

mod peer;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_std::io::ReadExt;
use peer::{accept, connect, listen, read, spawn, write};
use pop3_async_std::maildrop::Memory;
use pop3_async_std::proto::Transcript;
use pop3_async_std::proto::client::{ClientEvent, LoginPolicy, RemoteError, RequestError};
use pop3_async_std::proto::codec::{Command, MessageNumber, ResponseCode, Status};
use pop3_async_std::proto::sasl::{Credentials, Mechanism};
use pop3_async_std::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions, SessionObservers, tls};

const SMALL: &[u8] = b"Subject: small\n\n.dot\n.\nend";

/// 12 MB with a dot at the start of every line.
fn large() -> Vec<u8> {
    [&b"Subject: large\n\n"[..], &b".0123456789 0123456789 0123456789\n".repeat(350_000)].concat()
}

fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(message.to_vec()).unwrap().replace('\n', "\r\n");
    (if text.ends_with("\r\n") { text } else { text + "\r\n" }).into_bytes()
}

struct Served {
    plain: u16,
    tls: u16,
    store: Memory,
    certificate: String,
}

async fn serve() -> Served {
    serve_with(Vec::new()).await
}

async fn serve_with(mechanisms: Vec<Mechanism>) -> Served {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = certified.cert.pem();
    let config = tls::server(certificate.as_bytes(), certified.signing_key.serialize_pem().as_bytes()).unwrap();
    let store = Memory::new().with_user("joe", "secret", [SMALL.to_vec(), large(), Vec::new()]);
    let mut options = ServerOptions::with_tls(config);
    options.config.mechanisms = mechanisms;
    let server = Arc::new(Server::new(options, store.clone()));
    let mut ports = [0; 2];
    for (port, kind) in ports.iter_mut().zip([ListenSecurity::Cleartext, ListenSecurity::ImplicitTls]) {
        let (listener, address) = listen().await;
        *port = address.port();
        let server = Arc::clone(&server);
        spawn(async move { server.serve(&listener, kind).await });
    }
    Served { plain: ports[0], tls: ports[1], store, certificate }
}

impl Served {
    fn trusted(&self) -> Arc<pop3_async_std::rustls::ClientConfig> {
        tls::client_trusting(self.certificate.as_bytes()).unwrap()
    }

    async fn connect(&self, encrypted: bool) -> Client {
        let (port, security) =
            if encrypted { (self.tls, Security::Tls(self.trusted())) } else { (self.plain, Security::Stls(self.trusted())) };
        let mut options = ClientOptions::new(security);
        // Some tests give up a large message and go on.
        options.config.max_skipped = None;
        Client::connect("localhost", port, &options).await.unwrap()
    }
}

fn number(n: u32) -> MessageNumber {
    MessageNumber::new(n).unwrap()
}

/// A server that says what it is told to, whatever it hears, and then waits for the client to leave, or leaves itself.
async fn script(says: &'static [&'static [u8]], leaves: bool) -> SocketAddr {
    let (listener, address) = listen().await;
    spawn(async move {
        let mut stream = accept(&listener).await;
        let mut heard = [0; 1024];
        for (i, text) in says.iter().enumerate() {
            if i > 0 {
                let _ = read(&mut stream, &mut heard).await;
            }
            write(&mut stream, text).await;
        }
        while !leaves && read(&mut stream, &mut heard).await.is_ok_and(|count| count > 0) {}
    });
    address
}

async fn in_the_clear(address: SocketAddr) -> Result<Client, Error> {
    let mut options = ClientOptions::new(Security::DangerousCleartext);
    options.timeouts.command = Duration::from_millis(200);
    Client::connect(&address.ip().to_string(), address.port(), &options).await
}

#[async_std::test]
async fn mail_arrives_as_it_was_sent_over_stls_and_tls() {
    let place = serve().await;
    for encrypted in [false, true] {
        let mut client = place.connect(encrypted).await;
        assert!(client.capa().await.unwrap().pipelining);
        client.login("joe", "secret").await.unwrap();
        assert_eq!(client.stat().await.unwrap().messages, 3);
        let list = client.list().await.unwrap();
        assert_eq!(list[1].octets, Some(on_the_wire(&large()).len() as u64));
        assert_eq!(client.uidl().await.unwrap().len(), 3);
        assert_eq!(client.retr(number(1)).await.unwrap().into_vec().await.unwrap(), on_the_wire(SMALL));
        assert!(client.retr(number(2)).await.unwrap().into_vec().await.unwrap() == on_the_wire(&large()));
        assert_eq!(client.retr(number(3)).await.unwrap().into_vec().await.unwrap(), b"");
        assert_eq!(client.top(number(2), 1).await.unwrap().into_vec().await.unwrap(), on_the_wire(&large()[..50]));
        client.noop().await.unwrap();
        client.quit().await.unwrap();
    }
}

#[async_std::test]
async fn s18_only_quit_removes() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    client.dele(number(1)).await.unwrap();
    client.dele(number(2)).await.unwrap();
    client.rset().await.unwrap();
    client.dele(number(3)).await.unwrap();
    drop(client);
    // The lock is free again when the session has seen the end of the connection.
    let mut client = loop {
        let mut client = place.connect(true).await;
        match client.login("joe", "secret").await {
            Ok(()) => break client,
            Err(error) => assert_eq!(error.refusal().unwrap().code(), Some(ResponseCode::InUse), "{error}"),
        }
    };
    assert_eq!(client.stat().await.unwrap().messages, 3);
    client.dele(number(2)).await.unwrap();
    client.quit().await.unwrap();
    assert_eq!(place.store.messages("joe"), [SMALL.to_vec(), Vec::new()]);
}

#[async_std::test]
async fn a_message_that_is_not_read_to_its_end_does_no_harm() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    assert!(client.retr(number(2)).await.unwrap().next_chunk().await.unwrap().is_some());
    assert_eq!(client.stat().await.unwrap().messages, 3);
    assert_eq!(client.retr(number(1)).await.unwrap().into_vec().await.unwrap(), on_the_wire(SMALL));
    client.quit().await.unwrap();
}

#[async_std::test]
async fn s35_every_mechanism_that_a_store_can_serve_logs_in_over_tls() {
    let mechanisms =
        [Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha1Plus, Mechanism::ScramSha256Plus, Mechanism::ScramSha256];
    for mechanism in mechanisms {
        let place = serve_with(mechanisms.to_vec()).await;
        let mut client = place.connect(mechanism == Mechanism::Plain).await;
        let policy = LoginPolicy { mechanisms: vec![mechanism], user_pass: false, two_lines: false, ..LoginPolicy::default() };
        client.login_with(&Credentials::password("joe", "secret").unwrap(), &policy).await.unwrap();
        assert_eq!(client.stat().await.unwrap().messages, 3, "{mechanism}");
        let mut wrong = place.connect(true).await;
        let error = wrong.login_with(&Credentials::password("joe", "Secret").unwrap(), &policy).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().code(), Some(ResponseCode::Auth), "{mechanism}");
    }
}

#[async_std::test]
async fn commands_can_be_pipelined() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    let tags = [client.send(Command::Retr(number(1))).unwrap(), client.send(Command::Dele(number(1))).unwrap()];
    let mut body = Vec::new();
    client
        .next_event(|event| match event {
            ClientEvent::Body(tag, chunk) => {
                assert_eq!(tag, tags[0]);
                body.extend_from_slice(chunk);
                None
            }
            ClientEvent::Reply(tag, _) if tag == tags[1] => Some(()),
            _ => None,
        })
        .await
        .unwrap();
    assert_eq!(body, on_the_wire(SMALL));
    client.quit().await.unwrap();
    assert_eq!(place.store.messages("joe").len(), 2);
}

#[async_std::test]
async fn s44_many_commands_go_through_a_window_and_one_refusal_stops_none() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    let numbers = || [1, 9, 3, 1].into_iter().cycle().take(100).map(number);
    for window in [0, 1, 7, 1000] {
        let mut bodies = vec![Vec::new(); 100];
        let (mut ok, mut refused, mut ends) = (0, 0, 0);
        let heard = |place: usize, event: ClientEvent<'_>| match event {
            ClientEvent::Reply(_, reply) if reply.status == Status::Ok => ok += 1,
            ClientEvent::Reply(..) => refused += 1,
            ClientEvent::Body(_, chunk) => bodies[place].extend_from_slice(chunk),
            ClientEvent::End(_) => ends += 1,
            _ => {}
        };
        client.batch(window, numbers().map(Command::Retr), heard).await.unwrap();
        assert_eq!((ok, refused, ends), (75, 25, 75), "{window}");
        assert!(bodies.iter().step_by(4).all(|body| *body == on_the_wire(SMALL)));
    }
    client.batch(3, [], |_, _| ()).await.unwrap();
    client.quit().await.unwrap();
}

#[async_std::test]
async fn abandoned_requests_do_not_fill_the_window_for_ever() {
    let place = serve().await;
    let mut options = ClientOptions::new(Security::Tls(place.trusted()));
    options.config.window = 1;
    options.config.max_skipped = None;
    let mut client = Client::connect("localhost", place.tls, &options).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    client.retr(number(2)).await.map(|_| ()).unwrap();
    client.noop().await.unwrap();
    client.send(Command::Retr(number(2))).unwrap();
    let mut replies = 0;
    client.batch(9, [Command::Noop, Command::Stat], |_, _| replies += 1).await.unwrap();
    assert_eq!(replies, 2);
    client.quit().await.unwrap();
}

#[async_std::test]
async fn q41_a_session_is_kept_alive() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    assert!(!client.keep_alive(Duration::from_secs(600)).await.unwrap());
    assert!(client.keep_alive(Duration::ZERO).await.unwrap());
    client.quit().await.unwrap();
}

#[async_std::test]
async fn every_command_does_what_it_says() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    assert!(client.languages().await.unwrap().iter().any(|language| language.starts_with(b"es")));
    client.lang("es").await.unwrap();
    client.utf8().await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let drop = client.stat().await.unwrap();
    let octets = client.list().await.unwrap().iter().map(|listing| listing.octets.unwrap()).sum();
    assert_eq!((drop.messages, drop.octets), (3, Some(octets)));
    assert_eq!(client.list_one(number(1)).await.unwrap(), client.list().await.unwrap()[0]);
    assert_eq!(client.uidl_one(number(2)).await.unwrap(), client.uidl().await.unwrap()[1]);
    client.dele(number(1)).await.unwrap();
    assert_eq!(client.stat().await.unwrap().messages, 2);
    client.noop().await.unwrap();
    let error = client.retr(number(1)).await.unwrap_err().to_string();
    assert!(error.contains("mensaje"), "Spanish: {error}");
    client.rset().await.unwrap();
    assert_eq!(client.stat().await.unwrap().messages, 3);
    assert!(client.lang("xx").await.is_err());
    assert!(format!("{client:?}").starts_with("Client { host: \""));
    client.quit().await.unwrap();
}

#[async_std::test]
async fn a_refusal_leaves_the_session_alive() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    let error = client.login("joe", "wrong").await.unwrap_err();
    assert_eq!(error.refusal().unwrap().code(), Some(ResponseCode::Auth));
    client.login("joe", "secret").await.unwrap();
    let error = client.retr(number(9)).await.unwrap_err();
    assert_eq!(error.to_string(), "the server refused RETR: no such message");
    assert!(client.login("joe", "secret").await.is_err(), "logged in already");
    let other = place.connect(true).await.login("joe", "secret").await.unwrap_err();
    assert!(other.refusal().unwrap().is_transient(), "s22: {other}");
    client.quit().await.unwrap();
}

#[async_std::test]
async fn h11_certificates_are_verified() {
    let place = serve().await;
    let another = serve().await;
    for (config, host) in [(another.trusted(), "localhost"), (place.trusted(), "127.0.0.1")] {
        let error = Client::connect(host, place.tls, &ClientOptions::new(Security::Tls(config))).await.unwrap_err();
        assert!(matches!(error, Error::Tls(_)), "{error}");
    }
    let unverified = Security::Tls(tls::dangerous_unverified_client().unwrap());
    Client::connect("127.0.0.1", place.tls, &ClientOptions::new(unverified)).await.unwrap();
}

#[async_std::test]
async fn h07_required_stls_never_degrades() {
    let place = serve().await;
    let server = script(&[b"+OK hello\r\n", b"-ERR unknown command\r\n"], false).await;
    let options = ClientOptions::new(Security::Stls(place.trusted()));
    let error = Client::connect("127.0.0.1", server.port(), &options).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::NoTls(_))), "{error}");
}

#[async_std::test]
async fn h01_bytes_behind_stls_end_the_session() {
    let place = serve().await;
    let server = script(&[b"+OK hello\r\n", b"+OK begin\r\n+OK injected\r\n"], false).await;
    let options = ClientOptions::new(Security::Stls(place.trusted()));
    let error = Client::connect("127.0.0.1", server.port(), &options).await.unwrap_err();
    assert!(matches!(error, Error::Request(RequestError::Remote(RemoteError::DataAfterStls))), "{error}");
}

#[async_std::test]
async fn h13_a_cut_message_is_an_error() {
    let server = script(&[b"+OK\r\n", b"-ERR\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK\r\nhalf a mess"], true).await;
    let mut client = in_the_clear(server).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let error = client.retr(number(1)).await.unwrap().into_vec().await.unwrap_err();
    assert!(error.is_disconnect(), "{error}");
    assert_eq!(error.to_string(), "the server closed the connection in the middle of its reply to RETR");
    assert!(client.stat().await.is_err(), "and it stays one");
}

#[async_std::test]
async fn a_silent_server_is_left() {
    let server = script(&[b"+OK\r\n"], false).await;
    let mut client = in_the_clear(server).await.unwrap();
    let error = client.capa().await.unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    assert!(error.ends_session() && !client.is_alive(), "{error}");
}

#[async_std::test]
async fn h03_a_server_never_executes_what_stands_behind_stls() {
    let place = serve().await;
    let mut stream = connect(place.plain).await;
    write(&mut stream, b"STLS\r\nCAPA\r\n").await;
    let (mut all, mut space) = (String::new(), [0; 1024]);
    // The connection ends, with or without a reset.
    while let Ok(count @ 1..) = read(&mut stream, &mut space).await {
        all += &String::from_utf8_lossy(&space[..count]);
    }
    assert!(!all.contains("UIDL"), "{all}");
}

#[async_std::test]
async fn behind_the_end_of_a_message_there_is_nothing() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    let mut message = client.retr(number(1)).await.unwrap();
    while message.next_chunk().await.unwrap().is_some() {}
    assert!(message.next_chunk().await.unwrap().is_none());
    assert_eq!(message.into_vec().await.unwrap(), b"");
    client.quit().await.unwrap();
}

#[async_std::test]
async fn a_refused_connection_is_an_error() {
    let (listener, address) = listen().await;
    drop(listener);
    let error = in_the_clear(address).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("cannot connect to 127.0.0.1 port {}", address.port())), "{error}");
}

#[async_std::test]
async fn h56_observers_see_each_session_of_a_server() {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let mut options = ServerOptions::dangerous_cleartext();
    options.observers = SessionObservers::new(move |session| {
        let kept = Arc::clone(&kept);
        let write = move |line: &str| kept.lock().unwrap().push(format!("{} {:?} {line}", session.id, session.source));
        Some(Box::new(Transcript::new(write)))
    });
    let server = Arc::new(Server::new(options, Memory::new().with_user("joe", "secret", [SMALL.to_vec()])));
    let (listener, address) = listen().await;
    let serving = Arc::clone(&server);
    spawn(async move { serving.serve(&listener, ListenSecurity::Cleartext).await });
    let options = ClientOptions::new(Security::DangerousCleartext);
    let mut client = Client::connect("127.0.0.1", address.port(), &options).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    client.retr(number(1)).await.unwrap().into_vec().await.unwrap();
    client.quit().await.unwrap();
    assert!(server.shutdown(Duration::from_secs(10)).await);
    let lines = lines.lock().unwrap();
    assert!(lines.iter().all(|line| line.starts_with("1 Some(127.0.0.1) ")), "{lines:#?}");
    for part in ["C: CAPA", "C: RETR 1", "S: +OK", "(session ended: the client sent QUIT; "] {
        assert!(lines.iter().any(|line| line.contains(part)), "{part}: {lines:#?}");
    }
    assert!(!lines.iter().any(|line| line.contains("secret")), "{lines:#?}");
}

#[async_std::test]
async fn s44_many_messages_are_retrieved_and_deleted_each_with_its_own_result() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    assert!(client.capabilities().unwrap().pipelining && client.is_alive());
    client.dele(number(2)).await.unwrap();
    let (mut heads, mut texts) = (Vec::new(), Vec::new());
    let numbers = || [3, 2, 1, 9].map(number);
    client.tops(numbers(), 0, |number, head| heads.push((number.get(), head.ok()))).await.unwrap();
    client.retrs(numbers(), |number, text| texts.push((number.get(), text.ok()))).await.unwrap();
    let small = Some(on_the_wire(SMALL));
    assert_eq!(texts, [(3, Some(Vec::new())), (2, None), (1, small), (9, None)]);
    assert_eq!(heads[2], (1, Some(b"Subject: small\r\n\r\n".to_vec())));
    let ids = client.uidl().await.unwrap();
    let deleted = client.deles(numbers()).await.unwrap();
    let deleted: Vec<_> = deleted.iter().map(|(number, done)| (number.get(), done.is_ok())).collect();
    assert_eq!(deleted, [(3, true), (2, false), (1, true), (9, false)]);
    // The session is not ended by QUIT, so nothing is removed, and the messages are found again.
    let credentials = Credentials::password("joe", "secret").unwrap();
    let options = ClientOptions::new(Security::Tls(place.trusted()));
    let policy = LoginPolicy::default();
    let (mut client, renumbering) =
        client.reconnect("localhost", place.tls, &options, &credentials, &policy, &ids).await.unwrap();
    let (one, two) = (renumbering.number(number(1)), renumbering.number(number(2)));
    assert_eq!((one, two), (Some(number(1)), None), "message 2 was marked when the unique-ids were listed");
    assert_eq!(client.list_readable().await.unwrap().entries.len(), 3);
    client.quit().await.unwrap();
}

#[async_std::test]
async fn q18_lines_that_cannot_be_read_are_reported_beside_the_others() {
    let says: &[&[u8]] = &[
        b"+OK ready\r\n",
        b"-ERR no CAPA\r\n",
        b"+OK\r\n",
        b"+OK\r\n",
        b"+OK\r\n1 10\r\nx\x1b\r\n3 30\r\n.\r\n",
        b"+OK\r\nnonsense\r\n2 b\r\n.\r\n",
        b"+OK\r\n",
    ];
    let mut client = in_the_clear(script(says, true).await).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    let list = client.list_readable().await.unwrap();
    assert_eq!(list.entries.iter().map(|entry| entry.number.get()).collect::<Vec<_>>(), [1, 3]);
    assert_eq!(list.unreadable, ["x\\u{1b}"]);
    let uidl = client.uidl_readable().await.unwrap();
    assert_eq!((uidl.entries.len(), uidl.unreadable), (1, vec!["nonsense".to_owned()]));
    client.quit().await.unwrap();
}

#[async_std::test]
async fn a_message_is_a_stream_of_octets() {
    let place = serve().await;
    let mut client = place.connect(true).await;
    client.login("joe", "secret").await.unwrap();
    for (n, text) in [(1, on_the_wire(SMALL)), (2, on_the_wire(&large())), (3, Vec::new())] {
        let message = client.retr(number(n)).await.unwrap();
        assert_eq!(message.announced_octets(), Some(text.len() as u64));
        let mut reader = message.into_reader();
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        assert!(read == text, "message {n}");
        assert_eq!((reader.octets_read(), reader.announced_octets()), (text.len() as u64, Some(text.len() as u64)));
        let client = reader.into_client();
        assert_eq!(client.stat().await.unwrap().messages, 3);
    }
    // A reader that owns its client goes where it likes, and gives the client back.
    let mut reader = client.into_reader(number(2)).await.unwrap();
    let (read, client) = spawn(async move {
        let mut read = Vec::new();
        reader.read_to_end(&mut read).await.unwrap();
        (read, reader.into_client())
    })
    .result()
    .await;
    assert!(read == on_the_wire(&large()));
    client.quit().await.unwrap();
}

#[async_std::test]
async fn h13_h36_a_stream_of_octets_that_breaks_off_or_stalls_has_no_end() {
    let says: &[&[u8]] = &[b"+OK ready\r\n", b"-ERR\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK 100 octets\r\nhalf a"];
    for (leaves, expected) in [(true, std::io::ErrorKind::UnexpectedEof), (false, std::io::ErrorKind::TimedOut)] {
        let address = script(says, leaves).await;
        let mut options = ClientOptions::new(Security::DangerousCleartext);
        options.timeouts.body = Duration::from_millis(200);
        let mut client = Client::connect(&address.ip().to_string(), address.port(), &options).await.unwrap();
        client.login("joe", "secret").await.unwrap();
        let mut reader = client.into_reader(number(1)).await.unwrap();
        let mut read = Vec::new();
        let error = reader.read_to_end(&mut read).await.unwrap_err();
        assert_eq!((error.kind(), &read[..]), (expected, &b"half a"[..]), "{error}");
        assert!(reader.read_to_end(&mut read).await.is_err(), "and it stays an error");
    }
}

#[async_std::test]
async fn a_large_message_that_is_given_up_ends_the_session_unless_it_is_drained() {
    let login = async |max_skipped| {
        let place = serve().await;
        let mut options = ClientOptions::new(Security::Tls(place.trusted()));
        options.config.max_skipped = max_skipped;
        let mut client = Client::connect("localhost", place.tls, &options).await.unwrap();
        client.login("joe", "secret").await.unwrap();
        client
    };
    let mut client = login(Some(1024 * 1024)).await;
    client.retr(number(2)).await.unwrap().drain().await.unwrap();
    client.retr(number(1)).await.map(|_| ()).unwrap();
    assert_eq!(client.stat().await.unwrap().messages, 3, "a small message is skipped");
    client.retr(number(2)).await.map(|_| ()).unwrap();
    let error = client.stat().await.unwrap_err();
    assert!(
        matches!(error, Error::Request(RequestError::Remote(RemoteError::MessageAbandoned))) && !client.is_alive(),
        "{error}"
    );
    // Nor is a large one read whose reply begins after its request was given up.
    let mut client = login(Some(1024 * 1024)).await;
    client.send(Command::Retr(number(2))).unwrap();
    assert!(client.stat().await.unwrap_err().ends_session());
    let mut client = login(None).await;
    client.retr(number(2)).await.map(|_| ()).unwrap();
    assert_eq!(client.stat().await.unwrap().messages, 3, "without a limit everything is skipped");
    client.retr(number(1)).await.unwrap().close().await;
    assert!(client.stat().await.unwrap_err().ends_session());
}
