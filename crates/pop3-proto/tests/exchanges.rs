//! Exchanges over a connection in memory: what is left of one that was given up, and how much is said in one.

mod harness;

use harness::{Harness, give_up_in_an_exchange, is_refusal};
use pop3_contract::{Cut, Feed};
use pop3_proto::client::requests;
use pop3_proto::client::{Client, ClientConfig, ClientEvent, Connection, LocalError, RemoteError, RequestError};
use pop3_proto::codec::{Command, Password, Username};
use pop3_proto::sasl::{ChannelBinding, Credentials, ExchangeContext, Mechanism, client_mechanism};

fn context(binding: &ChannelBinding) -> ExchangeContext<'_> {
    ExchangeContext { host: "host", port: 995, nonce: [1; 18], binding, plus_is_offered: false }
}

#[test]
fn abandoned_requests_are_drained_first() {
    // Nothing is left.
    let mut harness = Harness::new(&[], ClientConfig::default());
    harness.drain_abandoned().unwrap();
    // A name was said; its reply is read.
    let mut harness = Harness::greeted(&["+OK\r\n", "-ERR no\r\n"], ClientConfig::default());
    harness.leave("USER joe");
    harness.drain_abandoned().unwrap();
    assert!(!harness.connection.machine().is_waiting());
    assert_eq!(harness.said(), "USER joe\r\n");
    // A full window has to go, and one that has room may stay.
    let mut harness = Harness::new(&["+OK\r\n", "+OK\r\n"], ClientConfig { window: 2, ..ClientConfig::default() });
    harness.leave("NOOP");
    harness.drain_abandoned().unwrap();
    assert!(harness.connection.machine().is_waiting());
    harness.leave("NOOP");
    harness.drain_abandoned().unwrap();
    assert!(harness.connection.machine().window() > 0);
}

#[test]
fn a_login_that_was_given_up_is_cancelled_and_not_believed() {
    // The exchange is cancelled when the challenge comes, and the server says that it is.
    let mut harness = Harness::greeted(&["+ VXNlcm5hbWU6\r\n", "-ERR cancelled\r\n", "+OK\r\n.\r\n"], ClientConfig::default());
    give_up_in_an_exchange(&mut harness);
    harness.drain_abandoned().unwrap();
    assert_eq!(harness.said(), "AUTH LOGIN\r\n*\r\n");
    harness.run(requests::capa()).unwrap();
    // So is the next one.
    let challenge = "+ VXNlcm5hbWU6\r\n";
    let says = [challenge, "-ERR cancelled\r\n", challenge, "-ERR cancelled\r\n", "+OK\r\n.\r\n"];
    let mut harness = Harness::greeted(&says, ClientConfig::default());
    for _ in 0..2 {
        give_up_in_an_exchange(&mut harness);
        harness.drain_abandoned().unwrap();
    }
    harness.run(requests::capa()).unwrap();
    // It is cancelled in the next round where the challenge has come before.
    let mut harness = Harness::greeted(&["+ VXNlcm5hbWU6\r\n", "-ERR cancelled\r\n"], ClientConfig::default());
    give_up_in_an_exchange(&mut harness);
    harness.wait_for(|event| matches!(event, ClientEvent::Challenge(..)));
    harness.drain_abandoned().unwrap();
    // A server that says that it was successful, or goes on behind the cancellation, is not believed.
    for says in [&["+OK\r\n", "+OK\r\n"][..], &["+ VXNlcm5hbWU6\r\n", "+OK\r\n"], &["+ VXNlcm5hbWU6\r\n", "+ UGFzc3dvcmQ6\r\n"]] {
        let mut harness = Harness::greeted(says, ClientConfig::default());
        give_up_in_an_exchange(&mut harness);
        harness.drain_abandoned().unwrap();
        assert_eq!(harness.connection.send(Command::Capa), Err(RemoteError::Abandoned.into()), "{says:?}");
    }
}

#[test]
fn stls_that_was_given_up_leaves_no_way_on() {
    let config = ClientConfig::default();
    let feed = Feed::scripted([&b"+OK\r\n"[..], b"+OK go on\r\n"], Cut::EveryByte);
    let mut harness = Harness { connection: Connection::new(config), feed };
    harness.run(requests::greet()).unwrap();
    harness.connection.start(&mut requests::stls()).unwrap();
    harness.drain_abandoned().unwrap();
    assert_eq!(harness.connection.send(Command::Capa), Err(RemoteError::Abandoned.into()));
}

#[test]
fn s27_lines_are_as_long_as_a_server_must_take_and_no_longer() {
    let line = |length: usize| "x".repeat(length);
    let mut harness = Harness::greeted(&["+OK\r\n", "-ERR\r\n"], ClientConfig::default());
    let name = Username::new("joe").unwrap();
    let refused = harness.run(requests::user_pass(name, Password::new(&line(248)).unwrap())).unwrap_err();
    assert!(is_refusal(&refused), "255 octets are sent");
    let local = harness.run(requests::user_pass(name, Password::new(&line(249)).unwrap())).unwrap_err();
    assert_eq!(local, LocalError::LineTooLong.into());
    let mut client = Client::new_encrypted(ClientConfig::default());
    client.poll(b"+OK\r\n").unwrap();
    let mut out = bytes::BytesMut::new();
    client.send(Command::User(Username::new(&line(248)).unwrap()), &mut out).unwrap();
    assert_eq!(out.len(), 255);
    let refused = client.send(Command::User(Username::new(&line(249)).unwrap()), &mut out);
    assert_eq!((refused.unwrap_err(), out.len()), (LocalError::LineTooLong, 255), "nothing is sent of it");
}

/// A server that asks for the name so many times.
fn ask_for_the_name(times: usize) -> Result<(), RequestError> {
    let says: Vec<&str> = std::iter::repeat_n("+ \r\n", times).chain(["-ERR\r\n"]).collect();
    let mut harness = Harness::greeted(&says, ClientConfig::default());
    harness.run(requests::auth(Box::new(Patient), false))
}

/// A mechanism that answers whatever is asked.
#[derive(Debug)]
struct Patient;

impl pop3_proto::sasl::ClientMechanism for Patient {
    fn mechanism(&self) -> Mechanism {
        Mechanism::Plain
    }

    fn initial_response(&mut self) -> Option<pop3_proto::Secret> {
        None
    }

    fn respond(&mut self, _: &[u8]) -> Result<pop3_proto::Secret, pop3_proto::sasl::SaslError> {
        Ok(pop3_proto::Secret::from("x"))
    }

    fn expects_challenge(&self) -> bool {
        true
    }
}

#[test]
fn h30_sixteen_challenges_are_answered_and_no_more() {
    assert!(matches!(ask_for_the_name(16), Err(RequestError::Refused(_))));
    assert_eq!(ask_for_the_name(17), Err(RemoteError::UntrustedLogin.into()));
}

#[test]
fn s28_an_empty_initial_response_is_an_equals_sign() {
    let mut harness = Harness::greeted(&["+OK\r\n"], ClientConfig::default());
    let credentials = Credentials::External { name: Vec::new() };
    let binding = ChannelBinding::default();
    let mechanism = client_mechanism(Mechanism::External, &credentials, &context(&binding)).unwrap();
    harness.run(requests::auth(mechanism, false)).unwrap();
    assert_eq!(harness.said(), "AUTH EXTERNAL =\r\n");
}

#[test]
fn a_login_that_was_given_up_behind_its_last_word_is_not_believed() {
    let mut harness = Harness::greeted(&["+OK\r\n", "+OK\r\n"], ClientConfig::default());
    let credentials = Credentials::password("joe", "x").unwrap();
    let binding = ChannelBinding::default();
    let mechanism = client_mechanism(Mechanism::Plain, &credentials, &context(&binding)).unwrap();
    harness.connection.start(&mut requests::auth(mechanism, false)).unwrap();
    harness.drain_abandoned().unwrap();
    assert_eq!(harness.connection.send(Command::Capa), Err(RemoteError::Abandoned.into()));
    // A name that was taken proves nothing, and does no harm.
    let mut harness = Harness::greeted(&["+OK\r\n", "-ERR\r\n"], ClientConfig::default());
    harness.leave("USER joe");
    harness.drain_abandoned().unwrap();
    harness.leave("CAPA");
}

#[test]
fn q07_an_expected_challenge_is_forgotten_after_its_exchange() {
    let (mut client, mut out) = (Client::new_encrypted(ClientConfig::default()), bytes::BytesMut::new());
    client.poll(b"+OK\r\n").unwrap();
    client.expect_challenge(true);
    client.send(Command::parse(b"AUTH PLAIN AGpvZQB4").unwrap(), &mut out).unwrap();
    assert!(matches!(client.poll(b"+OK\r\n").unwrap().event, ClientEvent::Reply(..)));
    // What is said in between changes nothing.
    let mut client = Client::new_encrypted(ClientConfig::default());
    client.poll(b"+OK\r\n").unwrap();
    client.send(Command::parse(b"AUTH LOGIN").unwrap(), &mut out).unwrap();
    client.expect_challenge(true);
    assert!(matches!(client.poll(b"+OK\r\n").unwrap().event, ClientEvent::Challenge(..)));
}
