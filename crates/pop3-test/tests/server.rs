//! The server with clients of this project, blocking and on tokio.

use std::io::Read;
use std::net::TcpStream;
use std::time::Duration;

use pop3_blocking::proto::client::{LoginFailure, LoginPolicy, Refusal, RequestError};
use pop3_blocking::proto::codec::MessageNumber;
use pop3_blocking::proto::sasl::{Credentials, Mechanism};
use pop3_blocking::tls::TlsFailure;
use pop3_blocking::{Client, ClientOptions, Error, Security, tls};
use pop3_test::{Builder, Fault, Server, TlsFault};

const HELLO: &[u8] = b"Subject: hello\r\n\r\n.Hello, world.\r\n";
const OTHER: &[u8] = b"Subject: other\r\n\r\nbody\r\n";

fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

fn options() -> ClientOptions {
    ClientOptions::new(Security::DangerousCleartext)
}

fn connect(server: &Server) -> Result<Client, Error> {
    pop3_contract::limit_test();
    Client::connect("127.0.0.1", server.port(), &options())
}

fn logged_in(server: &Server) -> Client {
    let mut client = connect(server).unwrap();
    client.login("joe", "secret").unwrap();
    client
}

#[test]
fn a_session_is_recorded_and_deletes_at_quit_only() {
    let server = Server::with_messages([HELLO, OTHER]).unwrap();
    let mut client = logged_in(&server);
    assert_eq!(client.retr(number(1)).unwrap().into_vec().unwrap(), HELLO);
    client.dele(number(1)).unwrap();
    drop(client);
    assert_eq!((server.messages("joe").len(), server.deleted("joe").len()), (2, 0));
    // The session before may not have ended yet, so the maildrop may still be in use.
    let mut client = loop {
        let mut client = connect(&server).unwrap();
        match client.login("joe", "secret") {
            Ok(()) => break client,
            Err(error) => assert!(matches!(error.login_failure(), Some(LoginFailure::Temporary { .. })), "{error}"),
        }
    };
    client.dele(number(2)).unwrap();
    client.quit().unwrap();
    assert_eq!((server.messages("joe"), server.deleted("joe")), (vec![HELLO.to_vec()], vec![OTHER.to_vec()]));
    let commands = server.commands();
    assert_eq!(commands[..5], ["CAPA", "USER joe", "PASS secret", "RETR 1", "DELE 1"]);
    assert_eq!(commands.last().map(String::as_str), Some("QUIT"));
    assert!(server.sessions() >= 2 && server.messages("nobody").is_empty());
}

#[test]
fn faults_occur_at_their_command_and_number() {
    let server = Server::builder()
        .user("joe", "secret", [HELLO, OTHER])
        .fault(Fault::on("STAT").nth(2).refuse("[SYS/TEMP] try again later"))
        .fault(Fault::on("LIST").reply("+OK\r\nthis is no listing\r\n.\r\n"))
        .fault(Fault::on("RETR").nth(2).cut_after(20))
        .start()
        .unwrap();
    let mut client = logged_in(&server);
    assert_eq!(client.stat().unwrap().messages, 2);
    let error = client.stat().unwrap_err();
    assert!(error.refusal().is_some_and(Refusal::is_transient), "{error}");
    assert_eq!(client.stat().unwrap().messages, 2, "only the second time");
    assert!(matches!(client.list(), Err(Error::Request(RequestError::Unreadable { .. }))));
    assert_eq!(client.retr(number(2)).unwrap().into_vec().unwrap(), OTHER);
    assert!(client.retr(number(2)).unwrap().into_vec().unwrap_err().is_disconnect());
}

#[test]
fn a_refused_command_is_not_executed() {
    let server =
        Server::builder().user("joe", "secret", [HELLO]).fault(Fault::on("DELE").refuse("[SYS/PERM] no")).start().unwrap();
    let mut client = logged_in(&server);
    client.dele(number(1)).unwrap_err();
    client.quit().unwrap();
    assert_eq!((server.messages("joe").len(), server.deleted("joe").len()), (1, 0));
}

#[test]
fn a_server_may_be_silent_close_or_send_garbage_from_the_greeting_on() {
    let silent = Server::builder().fault(Fault::on("greeting").stall()).start().unwrap();
    let mut options = options();
    options.timeouts.greeting = Duration::from_millis(50);
    let error = Client::connect("127.0.0.1", silent.port(), &options).unwrap_err();
    assert!(matches!(error, Error::TimedOut { .. }), "{error}");
    let closed = Server::builder().fault(Fault::on("greeting").nth(1).close()).start().unwrap();
    assert!(connect(&closed).unwrap_err().is_disconnect());
    connect(&closed).expect("only the first connection is closed");
    let garbage = Server::builder().fault(Fault::on("greeting").reply("220 smtp.example.org ESMTP\r\n")).start().unwrap();
    connect(&garbage).unwrap_err();
    let any = Server::builder().user("joe", "secret", [HELLO]).fault(Fault::on("*").nth(4).close()).start().unwrap();
    assert!(logged_in(&any).stat().unwrap_err().is_disconnect(), "the fourth command");
}

#[test]
fn a_slow_server_sends_octet_by_octet() {
    let pause = Duration::from_millis(20);
    let server = Server::builder().fault(Fault::on("greeting").drip(pause)).start().unwrap();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    let (mut pieces, mut greeting) = (0, Vec::new());
    while !greeting.ends_with(b"\n") {
        let mut space = [0; 512];
        let count = stream.read(&mut space).unwrap();
        greeting.extend_from_slice(&space[..count]);
        pieces += 1;
    }
    assert!(pieces > 1 && greeting.starts_with(b"+OK "), "{pieces}");
}

#[test]
fn unique_ids_and_capabilities_are_what_the_test_says() {
    let server = Server::builder()
        .user_with_ids("joe", "secret", [("same", HELLO), ("same", OTHER)])
        .capabilities(["UIDL", "X-LIE"])
        .start()
        .unwrap();
    let mut client = logged_in(&server);
    assert!(client.capa().unwrap().uidl);
    let ids: Vec<_> = client.uidl().unwrap().into_iter().map(|listing| listing.unique_id).collect();
    assert_eq!(ids[0], ids[1]);
    client.quit().unwrap();
    assert!(server.deliver("joe", "new", OTHER) && !server.deliver("nobody", "new", OTHER));
    assert_eq!(logged_in(&server).stat().unwrap().messages, 3);
}

fn trusting(server: &Server) -> Security {
    Security::Tls(tls::client_trusting(server.certificate().unwrap().as_bytes()).unwrap())
}

#[test]
fn tls_from_the_first_octet_and_by_stls() {
    let joe = || Server::builder().user("joe", "secret", [HELLO]);
    let credentials = Credentials::password("joe", "secret").unwrap();
    let server = joe().tls().start().unwrap();
    let mut client = Client::connect_and_login(
        "localhost",
        server.port(),
        &ClientOptions::new(trusting(&server)),
        &credentials,
        &LoginPolicy::default(),
    )
    .unwrap();
    assert_eq!(client.retr(number(1)).unwrap().into_vec().unwrap(), HELLO);
    client.quit().unwrap();
    let server = joe().stls().mechanisms([Mechanism::Plain, Mechanism::CramMd5]).start().unwrap();
    let Security::Tls(config) = trusting(&server) else { panic!() };
    let options = ClientOptions::new(Security::Stls(config));
    let policy = LoginPolicy::default();
    let client = Client::connect_and_login("localhost", server.port(), &options, &credentials, &policy).unwrap();
    client.quit().unwrap();
    let commands = server.commands();
    assert!(commands.contains(&"STLS".to_owned()), "{commands:?}");
    assert!(commands.iter().any(|line| line.starts_with("AUTH CRAM-MD5")), "{commands:?}");
}

#[test]
fn faults_of_the_certificate_are_what_the_client_reports() {
    for fault in [TlsFault::Expired, TlsFault::NotYetValid, TlsFault::WrongName] {
        let server = Server::builder().tls().tls_fault(fault).start().unwrap();
        let error = Client::connect("localhost", server.port(), &ClientOptions::new(trusting(&server))).unwrap_err();
        let Error::Tls(failure) = error else { panic!("{error}") };
        match fault {
            TlsFault::Expired => assert!(matches!(failure, TlsFailure::Expired { .. }), "{failure}"),
            TlsFault::NotYetValid => assert!(matches!(failure, TlsFailure::NotValidYet { .. }), "{failure}"),
            _ => assert!(matches!(failure, TlsFailure::WrongName(_)), "{failure}"),
        }
    }
}

#[tokio::test]
async fn clients_of_other_runtimes_are_served_too() {
    let server = Server::with_messages([HELLO]).unwrap();
    let mut client = pop3_tokio::Client::connect("127.0.0.1", server.port(), &options()).await.unwrap();
    client.login("joe", "secret").await.unwrap();
    assert_eq!(client.retr(number(1)).await.unwrap().into_vec().await.unwrap(), HELLO);
    client.quit().await.unwrap();
}

#[test]
fn a_reconnection_waits_for_the_maildrop_and_for_nothing_else() {
    let mailbox = |refusal| {
        let faults = [2, 3].map(|nth| Fault::on("PASS").nth(nth).refuse(refusal));
        faults.into_iter().fold(Server::builder().user("joe", "secret", [HELLO, OTHER]), Builder::fault).start().unwrap()
    };
    let reconnect = |server: &Server| {
        let mut client = logged_in(server);
        let ids = client.uidl().unwrap();
        let (credentials, policy) = (Credentials::password("joe", "secret").unwrap(), LoginPolicy::default());
        client.reconnect("127.0.0.1", server.port(), &options(), &credentials, &policy, &ids)
    };
    let server = mailbox("[IN-USE] the other session is still there");
    let (mut client, renumbering) = reconnect(&server).unwrap();
    assert_eq!(renumbering.number(number(2)), Some(number(2)));
    assert_eq!(client.stat().unwrap().messages, 2);
    assert_eq!(server.commands().iter().filter(|line| line.starts_with("PASS")).count(), 4);
    let server = mailbox("[AUTH] wrong");
    assert!(!reconnect(&server).unwrap_err().is_in_use());
    assert_eq!(server.commands().iter().filter(|line| line.starts_with("PASS")).count(), 2, "one try");
}
