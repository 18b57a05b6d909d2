//! Requests over a connection in memory: what belongs to them and what does not, what is left when they are given up, how many at once.

use std::sync::{Arc, Mutex};

use pop3_contract::client::Log;
use pop3_contract::{Cut, Feed};
use pop3_proto::State;
use pop3_proto::client::requests::{self, Request, UniqueIdEntry};
use pop3_proto::client::{
    Awaiting, Client, ClientConfig, ClientEvent, Connection, Deadline, LocalError, LoginFailure, Observer, RemoteError,
    RequestError, Step, Tag,
};
use pop3_proto::codec::{Command, MessageNumber, Password, Status, Username, Verb};
use pop3_proto::sasl::{ChannelBinding, Credentials, Mechanism, client_mechanism};

/// A connection to a server that has said everything in advance, logged in unless it is said otherwise.
struct Place {
    connection: Connection,
    feed: Feed,
}

impl Place {
    /// A server that greets and takes a login; behind that it says this, line for line.
    fn new(says: &[&str], config: ClientConfig) -> Self {
        let mut place = Self::greeted(&[&["+OK\r\n", "+OK\r\n"], says].concat(), config);
        place.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("x").unwrap())).unwrap();
        place
    }

    fn greeted(says: &[&str], config: ClientConfig) -> Self {
        let says = [&["+OK\r\n"], says].concat();
        let feed = Feed::scripted(says.iter().map(|line| line.as_bytes()), Cut::EveryByte);
        let mut place = Self { connection: Connection::new_encrypted(config), feed };
        place.run(requests::greet()).unwrap();
        place
    }

    fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, RequestError> {
        self.connection.start(&mut request)?;
        self.drive(|connection| connection.run(&mut request))
    }

    fn drive<T, E: From<RemoteError>>(&mut self, mut step: impl FnMut(&mut Connection) -> Result<Step<T>, E>) -> Result<T, E> {
        loop {
            match step(&mut self.connection)? {
                Step::Done(value) => return Ok(value),
                Step::Write => {
                    self.feed.write(self.connection.output());
                    self.connection.written(self.connection.output().len());
                }
                Step::Read => {
                    let count = self.feed.read(self.connection.space()).expect("the script goes on");
                    self.connection.filled(count)?;
                }
            }
        }
    }

    fn settle(&mut self) -> Result<(), RequestError> {
        self.drive(Connection::settle)
    }

    /// Sends a command whose reply nobody waits for.
    fn leave(&mut self, line: &str) -> Tag {
        self.connection.send(Command::parse(line.as_bytes()).unwrap()).unwrap()
    }

    /// Reads up to such an event.
    fn wait_for(&mut self, wanted: fn(&ClientEvent<'_>) -> bool) {
        self.drive(|connection| connection.step(|event, _| Ok::<_, RemoteError>(wanted(&event).then_some(())))).unwrap();
    }

    fn said(&self) -> String {
        String::from_utf8(self.feed.written()).unwrap()
    }
}

fn is_refusal(error: &RequestError) -> bool {
    matches!(error, RequestError::Refused(_))
}

const ONE: MessageNumber = MessageNumber::FIRST;

#[test]
fn what_comes_for_others_is_passed_over() {
    // Before each there is a listing and a line that nobody waits for any more.
    let mut place = Place::new(&["+OK 9 9\r\n", "+OK\r\n1 7\r\n2 7\r\n.\r\n", "+OK 3 4\r\n"], ClientConfig::default());
    place.leave("STAT");
    place.leave("LIST");
    assert_eq!(place.run(requests::stat()).unwrap().messages, 3);

    let abandoned = ["+OK 9 9\r\n", "+OK\r\n1 7\r\n.\r\n"];
    let with = |last: &str| {
        let mut place = Place::new(&[abandoned[0], abandoned[1], last], ClientConfig::default());
        place.leave("LIST 1");
        place.leave("LIST");
        place
    };
    assert_eq!(with("+OK\r\n1 5\r\n.\r\n").run(requests::list()).unwrap()[0].octets, Some(5));
    assert_eq!(with("+OK 1 5\r\n").run(requests::list_one(ONE)).unwrap().octets, Some(5));
    assert_eq!(with("+OK\r\n1 5\r\n.\r\n").run(requests::list_one(ONE)).unwrap().octets, Some(5));
    let entry = UniqueIdEntry { number: ONE, unique_id: b"id"[..].into() };
    assert_eq!(with("+OK\r\n1 id\r\n.\r\n").run(requests::uidl()).unwrap(), std::slice::from_ref(&entry));
    assert_eq!(with("+OK 1 id\r\n").run(requests::uidl_one(ONE)).unwrap(), entry);
    assert!(with("+OK\r\nTOP\r\n.\r\n").run(requests::capa()).unwrap().top);
    assert!(with("-ERR no\r\n").run(requests::dele(ONE)).is_err_and(|error| is_refusal(&error)));
    let mut place = with("+OK\r\nhello\r\n.\r\n");
    let tag = place.run(requests::retr(ONE)).unwrap();
    let mut text = Vec::new();
    while place.drive(|connection| connection.next_chunk(tag)).unwrap() {
        text.extend_from_slice(place.connection.chunk());
    }
    assert_eq!(text, b"hello\r\n");
    assert!(place.connection.chunk().is_empty());
    assert!(!place.drive(|connection| connection.next_chunk(tag)).unwrap(), "it has ended, and stays so");
}

#[test]
fn a_body_that_nobody_read_is_passed_over() {
    let mut place = Place::new(&["+OK\r\nfirst\r\n.\r\n", "+OK\r\nsecond\r\n.\r\n"], ClientConfig::default());
    place.run(requests::retr(ONE)).unwrap();
    let tag = place.run(requests::top(ONE, 1)).unwrap();
    let mut text = Vec::new();
    while place.drive(|connection| connection.next_chunk(tag)).unwrap() {
        text.extend_from_slice(place.connection.chunk());
    }
    assert_eq!(text, b"second\r\n");
}

#[test]
fn q15_a_batch_keeps_to_its_window_and_to_that_of_the_connection() {
    for (own, of_the_connection, at_once) in [(3, 64, 3), (64, 2, 2), (0, 64, 1)] {
        let config = ClientConfig { window: of_the_connection, ..ClientConfig::default() };
        let mut place = Place::new(&["+OK\r\n", "-ERR no\r\n", "+OK\r\n", "+OK\r\n", "+OK\r\n"], config);
        let before = place.said().len();
        let mut heard = Vec::new();
        let commands = (1..=5).filter_map(MessageNumber::new).map(Command::Dele);
        let mut batch = requests::batch(own, commands, |at, event| {
            let ClientEvent::Reply(_, reply) = event else { panic!("{event:?}") };
            heard.push((at, reply.status));
        });
        place.connection.start(&mut batch).unwrap();
        assert_eq!(place.connection.output().iter().filter(|byte| **byte == b'\n').count(), at_once);
        place.drive(|connection| connection.run(&mut batch)).unwrap();
        drop(batch);
        use Status::{Err, Ok};
        assert_eq!(heard, [(0, Ok), (1, Err), (2, Ok), (3, Ok), (4, Ok)]);
        assert_eq!(&place.said()[before..], "DELE 1\r\nDELE 2\r\nDELE 3\r\nDELE 4\r\nDELE 5\r\n");
    }
}

#[test]
fn a_batch_hears_lines_and_bodies_and_nothing_of_others() {
    let mut place = Place::new(&["+OK\r\n9 9\r\n.\r\n", "+OK\r\n1 id\r\n.\r\n", "+OK\r\nhi\r\n.\r\n"], ClientConfig::default());
    place.leave("LIST");
    let logs = [Log::default(), Log::default()];
    let commands = [Command::Uidl(None), Command::Retr(ONE)];
    place.run(requests::batch(9, commands, |at, event| logs[at].event(&event))).unwrap();
    assert_eq!(logs[0].lines(), ["reply +OK", "line 1 id", "end"]);
    assert_eq!(logs[1].lines(), ["reply +OK", "body hi\\r\\n", "end"]);
}

#[test]
fn an_empty_batch_is_done_at_once() {
    let mut place = Place::new(&[], ClientConfig::default());
    place.run(requests::batch(4, [], |_, event| panic!("{event:?}"))).unwrap();
}

#[test]
fn h37_a_batch_writes_before_it_says_more_than_a_buffer_holds() {
    let config = ClientConfig { window: 5000, ..ClientConfig::default() };
    let mut place = Place::new(&["+OK\r\n"; 3000], config);
    let commands = (0..3000).map(|_| Command::Dele(MessageNumber::new(u32::MAX).unwrap()));
    let mut count = 0;
    let mut batch = requests::batch(5000, commands, |_, _| count += 1);
    place.connection.start(&mut batch).unwrap();
    let length = place.connection.output().len();
    assert!((16 * 1024..16 * 1024 + 256).contains(&length), "{length}");
    place.drive(|connection| connection.run(&mut batch)).unwrap();
    drop(batch);
    assert_eq!(count, 3000);
}

/// Begins a login by an exchange, and gives it up where it is.
fn give_up_in_an_exchange(place: &mut Place) {
    let credentials = Credentials::password("joe", "x").unwrap();
    let mechanism =
        client_mechanism(Mechanism::Login, &credentials, "host", 995, [1; 18], &ChannelBinding::default(), false).unwrap();
    place.connection.start(&mut requests::auth(mechanism, false)).unwrap();
}

#[test]
fn what_was_given_up_comes_to_its_end_first() {
    // Nothing is left.
    let mut place = Place::new(&[], ClientConfig::default());
    place.settle().unwrap();
    // A name was said; its reply is read.
    let mut place = Place::greeted(&["+OK\r\n", "-ERR no\r\n"], ClientConfig::default());
    place.leave("USER joe");
    place.settle().unwrap();
    assert!(!place.connection.machine().is_waiting());
    assert_eq!(place.said(), "USER joe\r\n");
    // A full window has to go, and one that has room may stay.
    let mut place = Place::new(&["+OK\r\n", "+OK\r\n"], ClientConfig { window: 2, ..ClientConfig::default() });
    place.leave("NOOP");
    place.settle().unwrap();
    assert!(place.connection.machine().is_waiting());
    place.leave("NOOP");
    place.settle().unwrap();
    assert!(place.connection.machine().window() > 0);
}

#[test]
fn a_login_that_was_given_up_is_cancelled_and_not_believed() {
    // The exchange is cancelled when the challenge comes, and the server says that it is.
    let mut place = Place::greeted(&["+ VXNlcm5hbWU6\r\n", "-ERR cancelled\r\n", "+OK\r\n.\r\n"], ClientConfig::default());
    give_up_in_an_exchange(&mut place);
    place.settle().unwrap();
    assert_eq!(place.said(), "AUTH LOGIN\r\n*\r\n");
    place.run(requests::capa()).unwrap();
    // So is the next one.
    let challenge = "+ VXNlcm5hbWU6\r\n";
    let says = [challenge, "-ERR cancelled\r\n", challenge, "-ERR cancelled\r\n", "+OK\r\n.\r\n"];
    let mut place = Place::greeted(&says, ClientConfig::default());
    for _ in 0..2 {
        give_up_in_an_exchange(&mut place);
        place.settle().unwrap();
    }
    place.run(requests::capa()).unwrap();
    // It is cancelled in the next round where the challenge has come before.
    let mut place = Place::greeted(&["+ VXNlcm5hbWU6\r\n", "-ERR cancelled\r\n"], ClientConfig::default());
    give_up_in_an_exchange(&mut place);
    place.wait_for(|event| matches!(event, ClientEvent::Challenge(..)));
    place.settle().unwrap();
    // A server that says that it was successful, or goes on behind the cancellation, is not believed.
    for says in [&["+OK\r\n", "+OK\r\n"][..], &["+ VXNlcm5hbWU6\r\n", "+OK\r\n"], &["+ VXNlcm5hbWU6\r\n", "+ UGFzc3dvcmQ6\r\n"]] {
        let mut place = Place::greeted(says, ClientConfig::default());
        give_up_in_an_exchange(&mut place);
        place.settle().unwrap();
        assert_eq!(place.connection.send(Command::Capa), Err(RemoteError::GivenUp.into()), "{says:?}");
    }
}

#[test]
fn stls_that_was_given_up_leaves_no_way_on() {
    let config = ClientConfig::default();
    let feed = Feed::scripted([&b"+OK\r\n"[..], b"+OK go on\r\n"], Cut::EveryByte);
    let mut place = Place { connection: Connection::new(config), feed };
    place.run(requests::greet()).unwrap();
    place.connection.start(&mut requests::stls()).unwrap();
    place.settle().unwrap();
    assert_eq!(place.connection.send(Command::Capa), Err(RemoteError::GivenUp.into()));
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
fn h56_who_looks_on_sees_everything_but_secrets() {
    let mut place =
        Place::greeted(&["-ERR no\r\n", "+ VXNlcm5hbWU6\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"], ClientConfig::default());
    let seen = Seen::default();
    place.connection.observe(Box::new(seen.clone()));
    place.run(requests::noop()).unwrap_err();
    place.run(requests::capa()).unwrap_err();
    give_up_in_an_exchange(&mut place);
    place.settle().unwrap();
    place.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap())).unwrap();
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
fn deadlines_and_moves_follow_the_dialogue() {
    let mut place = Place::greeted(&["+OK\r\n", "+OK\r\n", "+OK\r\nx\r\n.\r\n"], ClientConfig::default());
    assert_eq!(place.connection.deadline(), None);
    let mut moves = place.connection.machine().moves();
    let mut moved = |place: &Place| {
        let before = std::mem::replace(&mut moves, place.connection.machine().moves());
        moves > before
    };
    let user = place.leave("USER joe");
    assert!(moved(&place) && place.connection.machine().is_waiting());
    assert_eq!(place.connection.deadline(), Some(Deadline::Command));
    place.wait_for(|event| matches!(event, ClientEvent::Reply(..)));
    assert!(moved(&place) && !moved(&place) && !place.connection.machine().is_in_flight(user));
    let pass = place.leave("PASS x");
    assert_eq!(place.connection.deadline(), Some(Deadline::Login));
    assert!(place.connection.machine().is_in_flight(pass) && !place.connection.machine().is_in_flight(user));
    place.wait_for(|event| matches!(event, ClientEvent::Reply(..)));
    let tag = place.run(requests::retr(ONE)).unwrap();
    assert!(moved(&place));
    assert_eq!(place.connection.deadline(), Some(Deadline::Body));
    assert!(place.drive(|connection| connection.next_chunk(tag)).unwrap());
    assert!(moved(&place));
    while place.drive(|connection| connection.next_chunk(tag)).unwrap() {}
    place.leave("QUIT");
    assert_eq!(place.connection.deadline(), Some(Deadline::Quit));
}

#[test]
fn s27_lines_are_as_long_as_a_server_must_take_and_no_longer() {
    let line = |length: usize| "x".repeat(length);
    let mut place = Place::greeted(&["+OK\r\n", "-ERR\r\n"], ClientConfig::default());
    let name = Username::new("joe").unwrap();
    let refused = place.run(requests::user_pass(name, Password::new(&line(248)).unwrap())).unwrap_err();
    assert!(is_refusal(&refused), "255 octets are sent");
    let local = place.run(requests::user_pass(name, Password::new(&line(249)).unwrap())).unwrap_err();
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
    let mut place = Place::greeted(&says, ClientConfig::default());
    place.run(requests::auth(Box::new(Patient), false))
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
    assert_eq!(ask_for_the_name(17), Err(RemoteError::LoginNotBelieved.into()));
}

#[test]
fn s28_an_empty_initial_response_is_an_equals_sign() {
    let mut place = Place::greeted(&["+OK\r\n"], ClientConfig::default());
    let credentials = Credentials::External { name: Vec::new() };
    let binding = ChannelBinding::default();
    let mechanism = client_mechanism(Mechanism::External, &credentials, "host", 995, [1; 18], &binding, false).unwrap();
    place.run(requests::auth(mechanism, false)).unwrap();
    assert_eq!(place.said(), "AUTH EXTERNAL =\r\n");
}

#[test]
fn a_session_that_is_over_says_so() {
    let mut place = Place::new(&["+OK\r\n"], ClientConfig::default());
    place.run(requests::quit()).unwrap();
    let over = place.drive(|connection| connection.step(|_, _| Ok::<Option<()>, RemoteError>(None)));
    assert_eq!(over, Err(RemoteError::Closed(Awaiting::Nothing)));
    assert_eq!(place.run(requests::greet()).unwrap_err(), LocalError::AlreadyGreeted.into());
}

#[test]
fn the_body_of_another_message_is_passed_over_where_nobody_has_begun_it() {
    let mut place = Place::new(&["+OK\r\nfirst\r\n.\r\n", "+OK\r\nsecond\r\n.\r\n"], ClientConfig::default());
    place.leave("RETR 1");
    let tag = place.leave("RETR 2");
    let mut text = Vec::new();
    while place.drive(|connection| connection.next_chunk(tag)).unwrap() {
        assert!(!place.connection.chunk().is_empty());
        text.extend_from_slice(place.connection.chunk());
    }
    assert_eq!(text, b"second\r\n");
}

#[test]
fn a_login_that_was_given_up_behind_its_last_word_is_not_believed() {
    let mut place = Place::greeted(&["+OK\r\n", "+OK\r\n"], ClientConfig::default());
    let credentials = Credentials::password("joe", "x").unwrap();
    let binding = ChannelBinding::default();
    let mechanism = client_mechanism(Mechanism::Plain, &credentials, "host", 995, [1; 18], &binding, false).unwrap();
    place.connection.start(&mut requests::auth(mechanism, false)).unwrap();
    place.settle().unwrap();
    assert_eq!(place.connection.send(Command::Capa), Err(RemoteError::GivenUp.into()));
    // A name that was taken proves nothing, and does no harm.
    let mut place = Place::greeted(&["+OK\r\n", "-ERR\r\n"], ClientConfig::default());
    place.leave("USER joe");
    place.settle().unwrap();
    place.leave("CAPA");
}

#[test]
fn h30_a_line_over_a_large_limit_is_an_error_and_no_standstill() {
    const LIMIT: usize = 200_000;
    let line = format!("+OK {}\r\n", "x".repeat(LIMIT));
    let feed = Feed::scripted([line.as_bytes()], Cut::Whole);
    let config = ClientConfig { max_line: LIMIT, ..ClientConfig::default() };
    let mut place = Place { connection: Connection::new_encrypted(config), feed };
    let error = place.run(requests::greet()).unwrap_err();
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
        |lines: usize, config| Place::new(&[&format!("+OK\r\n{}.\r\n", "TOP\r\n".repeat(lines))], config).run(requests::capa());
    let list =
        |lines: usize, config| Place::new(&[&format!("+OK\r\n{}.\r\n", "1 1\r\n".repeat(lines))], config).run(requests::list());
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
    let mut place = Place::new(&["+OK\r\n1 1\r\n\r\nodd\r\n.\r\n", "+OK odd\r\n", "+OK 1 1\r\n"], ClientConfig::default());
    let unreadable = |verb| RequestError::Unreadable { verb, line: "odd".to_owned() };
    assert_eq!(place.run(requests::list()).unwrap_err(), unreadable(Verb::List));
    assert_eq!(place.run(requests::stat()).unwrap_err(), unreadable(Verb::Stat));
    place.run(requests::stat()).expect("the session lives");
}

#[test]
fn a_refusal_tells_what_it_means() {
    let refused = |says: &str, line: &str| {
        let mut place = Place::greeted(&[says], ClientConfig::default());
        let name = Username::new("joe").unwrap();
        match line {
            "CAPA" => place.run(requests::capa()).map(drop).unwrap_err(),
            _ => place.run(requests::user_pass(name, Password::new("x").unwrap())).unwrap_err(),
        }
    };
    let texts = [
        (refused("-ERR\r\n", "USER"), "the server refused USER", LoginFailure::WrongCredentials),
        (refused("-ERR no\r\n", "USER"), "the server refused USER: no", LoginFailure::WrongCredentials),
        (refused("-ERR no\r\n", "CAPA"), "the server refused CAPA: no", LoginFailure::Forbidden),
        (refused("-ERR [SYS/PERM] gone\r\n", "USER"), "the server refused USER [SYS/PERM]: gone", LoginFailure::Forbidden),
        (
            refused("-ERR [IN-USE] busy\r\n", "USER"),
            "the server refused USER [IN-USE]: busy",
            LoginFailure::NotNow { retry_after: None },
        ),
    ];
    for (error, text, meaning) in texts {
        assert_eq!((error.to_string().as_str(), error.login_failure()), (text, Some(meaning)));
        assert!(format!("{error:?}").contains(text), "{error:?}");
    }
    let feed = Feed::scripted([&b"-ERR go away\r\n"[..]], Cut::Whole);
    let mut place = Place { connection: Connection::new_encrypted(ClientConfig::default()), feed };
    let error = place.run(requests::greet()).unwrap_err();
    assert_eq!(error.to_string(), "the server refuses sessions now: go away");
    assert_eq!(error.login_failure(), Some(LoginFailure::NotNow { retry_after: None }));
}

#[test]
fn h35_only_what_is_whole_moves_a_deadline() {
    let mut client = Client::new_encrypted(ClientConfig::default());
    assert_eq!(client.moves(), 0);
    client.poll(b"+O").unwrap();
    assert_eq!(client.moves(), 0);
    client.poll(b"+OK\r\n").unwrap();
    assert_eq!(client.moves(), 1);
}

#[test]
fn q07_what_was_expected_of_one_exchange_is_not_of_the_next() {
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

#[test]
fn h56_a_connection_shows_nothing_of_what_it_holds() {
    let mut place = Place::greeted(&[], ClientConfig::default());
    place.leave("PASS topsecret");
    let shown = format!("{:?}", place.connection);
    assert!(shown.starts_with("Connection") && shown.contains("machine") && !shown.contains("topsecret"), "{shown}");
}
