//! Requests over a connection in memory, alone and in batches.

mod harness;

use std::sync::{Arc, Mutex};

use bytes::BytesMut;
use harness::{Harness, ONE, give_up_in_an_exchange, is_refusal};
use pop3_contract::client::Log;
use pop3_contract::{Cut, Feed};
use pop3_proto::State;
use pop3_proto::client::requests::{self, UniqueIdEntry};
use pop3_proto::client::{
    Awaiting, Client, ClientConfig, ClientEvent, CommandSink, Connection, Deadline, LocalError, LoginFailure, Observer,
    RemoteError, RequestError,
};
use pop3_proto::codec::{Command, MessageNumber, Password, Status, Username, Verb};

#[test]
fn events_of_other_commands_are_ignored() {
    // Before each there is a listing and a line that nobody waits for any more.
    let mut harness = Harness::new(&["+OK 9 9\r\n", "+OK\r\n1 7\r\n2 7\r\n.\r\n", "+OK 3 4\r\n"], ClientConfig::default());
    harness.leave("STAT");
    harness.leave("LIST");
    assert_eq!(harness.run(requests::stat()).unwrap().messages, 3);

    let abandoned = ["+OK 9 9\r\n", "+OK\r\n1 7\r\n.\r\n"];
    let with = |last: &str| {
        let mut harness = Harness::new(&[abandoned[0], abandoned[1], last], ClientConfig::default());
        harness.leave("LIST 1");
        harness.leave("LIST");
        harness
    };
    assert_eq!(with("+OK\r\n1 5\r\n.\r\n").run(requests::list()).unwrap()[0].octets, Some(5));
    assert_eq!(with("+OK 1 5\r\n").run(requests::list_one(ONE)).unwrap().octets, Some(5));
    assert_eq!(with("+OK\r\n1 5\r\n.\r\n").run(requests::list_one(ONE)).unwrap().octets, Some(5));
    let entry = UniqueIdEntry { number: ONE, unique_id: b"id"[..].into() };
    assert_eq!(with("+OK\r\n1 id\r\n.\r\n").run(requests::uidl()).unwrap(), std::slice::from_ref(&entry));
    assert_eq!(with("+OK 1 id\r\n").run(requests::uidl_one(ONE)).unwrap(), entry);
    assert!(with("+OK\r\nTOP\r\n.\r\n").run(requests::capa()).unwrap().top);
    assert!(with("-ERR no\r\n").run(requests::dele(ONE)).is_err_and(|error| is_refusal(&error)));
    let mut harness = with("+OK\r\nhello\r\n.\r\n");
    let tag = harness.run(requests::retr(ONE)).unwrap();
    let mut text = Vec::new();
    while harness.drive(|connection| connection.next_chunk(tag)).unwrap() {
        text.extend_from_slice(harness.connection.chunk());
    }
    assert_eq!(text, b"hello\r\n");
    assert!(harness.connection.chunk().is_empty());
    assert!(!harness.drive(|connection| connection.next_chunk(tag)).unwrap(), "it has ended, and stays so");
}

#[test]
fn an_unread_body_is_skipped() {
    let mut harness = Harness::new(&["+OK\r\nfirst\r\n.\r\n", "+OK\r\nsecond\r\n.\r\n"], ClientConfig::default());
    harness.run(requests::retr(ONE)).unwrap();
    let tag = harness.run(requests::top(ONE, 1)).unwrap();
    let mut text = Vec::new();
    while harness.drive(|connection| connection.next_chunk(tag)).unwrap() {
        text.extend_from_slice(harness.connection.chunk());
    }
    assert_eq!(text, b"second\r\n");
}

#[test]
fn q15_a_batch_keeps_to_its_window_and_to_that_of_the_connection() {
    for (own, of_the_connection, at_once) in [(3, 64, 3), (64, 2, 2), (0, 64, 1)] {
        let config = ClientConfig { window: of_the_connection, ..ClientConfig::default() };
        let mut harness = Harness::new(&["+OK\r\n", "-ERR no\r\n", "+OK\r\n", "+OK\r\n", "+OK\r\n"], config);
        let before = harness.said().len();
        let mut heard = Vec::new();
        let commands = (1..=5).filter_map(MessageNumber::new).map(Command::Dele);
        let mut batch = requests::batch(own, commands, |at, event| {
            let ClientEvent::Reply(_, reply) = event else { panic!("{event:?}") };
            heard.push((at, reply.status));
        });
        harness.connection.start(&mut batch).unwrap();
        assert_eq!(harness.connection.output().iter().filter(|byte| **byte == b'\n').count(), at_once);
        harness.drive(|connection| connection.next_action(&mut batch)).unwrap();
        drop(batch);
        use Status::{Err, Ok};
        assert_eq!(heard, [(0, Ok), (1, Err), (2, Ok), (3, Ok), (4, Ok)]);
        assert_eq!(&harness.said()[before..], "DELE 1\r\nDELE 2\r\nDELE 3\r\nDELE 4\r\nDELE 5\r\n");
    }
}

#[test]
fn a_batch_hears_lines_and_bodies_and_nothing_of_others() {
    let mut harness =
        Harness::new(&["+OK\r\n9 9\r\n.\r\n", "+OK\r\n1 id\r\n.\r\n", "+OK\r\nhi\r\n.\r\n"], ClientConfig::default());
    harness.leave("LIST");
    let logs = [Log::default(), Log::default()];
    let commands = [Command::Uidl(None), Command::Retr(ONE)];
    harness.run(requests::batch(9, commands, |at, event| logs[at].event(&event))).unwrap();
    assert_eq!(logs[0].lines(), ["reply +OK", "line 1 id", "end"]);
    assert_eq!(logs[1].lines(), ["reply +OK", "body hi\\r\\n", "end"]);
}

#[test]
fn an_empty_batch_is_done_at_once() {
    let mut harness = Harness::new(&[], ClientConfig::default());
    harness.run(requests::batch(4, [], |_, event| panic!("{event:?}"))).unwrap();
}

#[test]
fn h37_a_batch_writes_before_it_says_more_than_a_buffer_holds() {
    let config = ClientConfig { window: 5000, ..ClientConfig::default() };
    let mut harness = Harness::new(&["+OK\r\n"; 3000], config);
    let commands = (0..3000).map(|_| Command::Dele(MessageNumber::new(u32::MAX).unwrap()));
    let mut count = 0;
    let mut batch = requests::batch(5000, commands, |_, _| count += 1);
    harness.connection.start(&mut batch).unwrap();
    let length = harness.connection.output().len();
    assert!((16 * 1024..16 * 1024 + 256).contains(&length), "{length}");
    harness.drive(|connection| connection.next_action(&mut batch)).unwrap();
    drop(batch);
    assert_eq!(count, 3000);
}

#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Observer for Seen {
    fn sent(&mut self, state: Option<State>, line: &str) {
        self.0.lock().unwrap().push(format!("C {state:?}: {line}"));
    }

    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>) {
        let status = match event {
            ClientEvent::Reply(_, reply) => reply.status.as_str(),
            ClientEvent::Challenge(..) => "challenge",
            _ => "other",
        };
        self.0.lock().unwrap().push(format!("S {state:?}: {status}"));
    }
}

#[test]
fn h56_observers_see_everything_but_secrets() {
    let mut harness =
        Harness::greeted(&["-ERR no\r\n", "+ VXNlcm5hbWU6\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"], ClientConfig::default());
    let seen = Seen::default();
    harness.connection.observe(Box::new(seen.clone()));
    harness.run(requests::noop()).unwrap_err();
    harness.run(requests::capa()).unwrap_err();
    give_up_in_an_exchange(&mut harness);
    harness.drain_abandoned().unwrap();
    harness.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap())).unwrap();
    let seen = seen.0.lock().unwrap().join("\n");
    assert_eq!(
        seen,
        "C Some(Authorization): CAPA\nS Some(Authorization): -ERR\nC Some(Authorization): AUTH LOGIN\n\
         S Some(Authorization): challenge\nC Some(Authorization): *\nS Some(Authorization): -ERR\n\
         C Some(Authorization): USER joe\nS Some(Authorization): +OK\nC Some(Authorization): PASS [redacted]\n\
         S Some(Transaction): +OK"
    );
}

#[test]
fn observers_see_no_event_for_a_skipped_blank_line() {
    let mut harness = Harness::greeted(&["\r\n+OK\r\n", "-ERR\r\n"], ClientConfig::default());
    let seen = Seen::default();
    harness.connection.observe(Box::new(seen.clone()));
    harness.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("x").unwrap())).unwrap_err();
    let seen = seen.0.lock().unwrap().clone();
    assert_eq!(seen[..2], ["C Some(Authorization): USER joe", "S Some(Authorization): +OK"]);
}

#[test]
fn h56_a_command_sink_shows_no_secret() {
    let (mut client, mut output) = (Client::new_encrypted(ClientConfig::default()), BytesMut::new());
    client.poll(b"+OK\r\n").unwrap();
    let mut sink = CommandSink::new(&mut client, &mut output);
    sink.send(Command::parse(b"USER joe").unwrap()).unwrap();
    sink.send(Command::parse(b"PASS canary").unwrap()).unwrap();
    let shown = format!("{sink:?}");
    assert!(shown.starts_with("CommandSink { client: Client {") && !shown.contains("canary"), "{shown}");
}

#[test]
fn deadlines_and_activity_follow_the_dialogue() {
    let mut harness = Harness::greeted(&["+OK\r\n", "+OK\r\n", "+OK\r\nx\r\n.\r\n"], ClientConfig::default());
    assert_eq!(harness.connection.deadline(), None);
    let mut activity = harness.connection.machine().activity();
    let mut moved = |harness: &Harness| {
        let before = std::mem::replace(&mut activity, harness.connection.machine().activity());
        activity > before
    };
    let user = harness.leave("USER joe");
    assert!(moved(&harness) && harness.connection.machine().is_waiting());
    assert_eq!(harness.connection.deadline(), Some(Deadline::Command));
    harness.wait_for(|event| matches!(event, ClientEvent::Reply(..)));
    assert!(moved(&harness) && !moved(&harness) && !harness.connection.machine().is_in_flight(user));
    let pass = harness.leave("PASS x");
    assert_eq!(harness.connection.deadline(), Some(Deadline::Login));
    assert!(harness.connection.machine().is_in_flight(pass) && !harness.connection.machine().is_in_flight(user));
    harness.wait_for(|event| matches!(event, ClientEvent::Reply(..)));
    let tag = harness.run(requests::retr(ONE)).unwrap();
    assert!(moved(&harness));
    assert_eq!(harness.connection.deadline(), Some(Deadline::Body));
    assert!(harness.drive(|connection| connection.next_chunk(tag)).unwrap());
    assert!(!moved(&harness), "a few octets of a message are no progress");
    while harness.drive(|connection| connection.next_chunk(tag)).unwrap() {}
    assert!(moved(&harness));
    harness.leave("QUIT");
    assert_eq!(harness.connection.deadline(), Some(Deadline::Quit));
}

#[test]
fn a_session_that_is_over_says_so() {
    let mut harness = Harness::new(&["+OK\r\n"], ClientConfig::default());
    harness.run(requests::quit()).unwrap();
    let over = harness.drive(|connection| connection.process_events(|_, _| Ok(None::<()>)));
    assert_eq!(over, Err(RemoteError::Closed(Awaiting::Nothing).into()));
    assert_eq!(harness.run(requests::greet()).unwrap_err(), LocalError::AlreadyGreeted.into());
}

#[test]
fn the_body_of_another_message_is_skipped() {
    let mut harness = Harness::new(&["+OK\r\nfirst\r\n.\r\n", "+OK\r\nsecond\r\n.\r\n"], ClientConfig::default());
    harness.leave("RETR 1");
    let tag = harness.leave("RETR 2");
    let mut text = Vec::new();
    while harness.drive(|connection| connection.next_chunk(tag)).unwrap() {
        assert!(!harness.connection.chunk().is_empty());
        text.extend_from_slice(harness.connection.chunk());
    }
    assert_eq!(text, b"second\r\n");
}

#[test]
fn h30_a_line_over_a_large_limit_is_an_error_and_no_standstill() {
    const LIMIT: usize = 200_000;
    let line = format!("+OK {}\r\n", "x".repeat(LIMIT));
    let feed = Feed::scripted([line.as_bytes()], Cut::Whole);
    let config = ClientConfig { max_line: LIMIT, ..ClientConfig::default() };
    let mut harness = Harness { connection: Connection::new_encrypted(config), feed };
    let error = harness.run(requests::greet()).unwrap_err();
    assert_eq!(error, RemoteError::LineTooLong { limit: LIMIT }.into());
}

#[test]
fn h30_capabilities_and_listings_have_limits_of_their_own() {
    let config = |max_capabilities, max_capabilities_octets| ClientConfig {
        max_capabilities,
        max_capabilities_octets,
        max_listing: 5,
        max_listing_octets: 50,
        ..ClientConfig::default()
    };
    let capa =
        |lines: usize, config| Harness::new(&[&format!("+OK\r\n{}.\r\n", "TOP\r\n".repeat(lines))], config).run(requests::capa());
    let list =
        |lines: usize, config| Harness::new(&[&format!("+OK\r\n{}.\r\n", "1 1\r\n".repeat(lines))], config).run(requests::list());
    let too_large = |verb, limit| RequestError::from(RemoteError::ReplyTooLarge { verb, limit });
    capa(3, config(3, 100)).unwrap();
    assert_eq!(capa(4, config(3, 100)).unwrap_err(), too_large(Verb::Capa, 3));
    capa(3, config(9, 9)).unwrap();
    assert_eq!(capa(4, config(9, 9)).unwrap_err(), too_large(Verb::Capa, 9));
    assert_eq!(capa(4, config(4, 9)).unwrap_err(), too_large(Verb::Capa, 9), "the octets were too many first");
    list(5, config(1, 1)).unwrap();
    assert_eq!(list(6, config(1, 1)).unwrap_err(), too_large(Verb::List, 5));
}

#[test]
fn q20_a_listing_with_a_line_that_is_none_cannot_be_read() {
    let mut harness = Harness::new(&["+OK\r\n1 1\r\n\r\nodd\r\n.\r\n", "+OK odd\r\n", "+OK 1 1\r\n"], ClientConfig::default());
    let unreadable = |verb| RequestError::Unreadable { verb, line: "odd".to_owned() };
    assert_eq!(harness.run(requests::list()).unwrap_err(), unreadable(Verb::List));
    assert_eq!(harness.run(requests::stat()).unwrap_err(), unreadable(Verb::Stat));
    harness.run(requests::stat()).expect("the session lives");
}

#[test]
fn a_refusal_tells_what_it_means() {
    let refused = |says: &str, line: &str| {
        let mut harness = Harness::greeted(&[says], ClientConfig::default());
        let name = Username::new("joe").unwrap();
        match line {
            "CAPA" => harness.run(requests::capa()).map(drop).unwrap_err(),
            _ => harness.run(requests::user_pass(name, Password::new("x").unwrap())).unwrap_err(),
        }
    };
    let texts = [
        (refused("-ERR\r\n", "USER"), "the server refused USER", LoginFailure::WrongCredentials),
        (refused("-ERR no\r\n", "USER"), "the server refused USER: no", LoginFailure::WrongCredentials),
        (refused("-ERR no\r\n", "CAPA"), "the server refused CAPA: no", LoginFailure::Permanent),
        (refused("-ERR [SYS/PERM] gone\r\n", "USER"), "the server refused USER [SYS/PERM]: gone", LoginFailure::Permanent),
        (
            refused("-ERR [IN-USE] busy\r\n", "USER"),
            "the server refused USER [IN-USE]: busy",
            LoginFailure::Temporary { retry_after: None },
        ),
    ];
    for (error, text, meaning) in texts {
        assert_eq!((error.to_string().as_str(), error.login_failure()), (text, Some(meaning)));
        assert!(format!("{error:?}").contains(text), "{error:?}");
    }
    let feed = Feed::scripted([&b"-ERR go away\r\n"[..]], Cut::Whole);
    let mut harness = Harness { connection: Connection::new_encrypted(ClientConfig::default()), feed };
    let error = harness.run(requests::greet()).unwrap_err();
    assert_eq!(error.to_string(), "the server refuses sessions now: go away");
    assert_eq!(error.login_failure(), Some(LoginFailure::Temporary { retry_after: None }));
}

#[test]
fn h35_only_what_is_whole_moves_a_deadline() {
    let mut client = Client::new_encrypted(ClientConfig::default());
    assert_eq!(client.activity(), 0);
    client.poll(b"+O").unwrap();
    assert_eq!(client.activity(), 0);
    client.poll(b"+OK\r\n").unwrap();
    assert_eq!(client.activity(), 1);
}

#[test]
fn h56_a_connection_shows_nothing_of_what_it_holds() {
    let mut harness = Harness::greeted(&[], ClientConfig::default());
    harness.leave("PASS topsecret");
    let shown = format!("{:?}", harness.connection);
    assert!(shown.starts_with("Connection") && shown.contains("machine") && !shown.contains("topsecret"), "{shown}");
}

#[test]
fn h06_capabilities_are_those_of_the_last_answer_and_none_after_a_refusal() {
    let has_top = |harness: &Harness| harness.connection.machine().capabilities().map(|capabilities| capabilities.top);
    let replies = ["+OK\r\nTOP\r\n.\r\n", "+OK\r\nUIDL\r\n.\r\n", "-ERR no\r\n", "+OK\r\nTOP\r\n.\r\n"];
    let mut harness = Harness::new(&replies, ClientConfig::default());
    for expected in [Some(true), Some(false), None, Some(true)] {
        assert_eq!(harness.run(requests::capa()).is_ok(), expected.is_some());
        assert_eq!(has_top(&harness), expected);
    }
}
