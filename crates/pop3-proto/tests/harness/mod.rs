//! A connection in memory to a server with a script.
#![allow(dead_code)] // Not every test needs all of it.

use pop3_contract::{Cut, Feed};
use pop3_proto::client::requests::{self, Request};
use pop3_proto::client::{Action, ClientConfig, ClientEvent, Connection, RequestError, Tag};
use pop3_proto::codec::{Command, MessageNumber, Password, Username};
use pop3_proto::sasl::{ChannelBinding, Credentials, ExchangeContext, Mechanism, client_mechanism};

/// A connection to a server that has said everything in advance, logged in unless it is said otherwise.
pub struct Harness {
    pub connection: Connection,
    pub feed: Feed,
}

impl Harness {
    /// A server that greets and takes a login; behind that it says this, line for line.
    pub fn new(says: &[&str], config: ClientConfig) -> Self {
        let mut harness = Self::greeted(&[&["+OK\r\n", "+OK\r\n"], says].concat(), config);
        harness.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("x").unwrap())).unwrap();
        harness
    }

    pub fn greeted(says: &[&str], config: ClientConfig) -> Self {
        let says = [&["+OK\r\n"], says].concat();
        let feed = Feed::scripted(says.iter().map(|line| line.as_bytes()), Cut::EveryByte);
        let mut harness = Self { connection: Connection::new_encrypted(config), feed };
        harness.run(requests::greet()).unwrap();
        harness
    }

    pub fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, RequestError> {
        self.connection.start(&mut request)?;
        self.drive(|connection| connection.next_action(&mut request))
    }

    pub fn drive<T>(&mut self, next: impl FnMut(&mut Connection) -> Result<Action<T>, RequestError>) -> Result<T, RequestError> {
        self.connection.drive(&mut self.feed, next)
    }

    pub fn drain_abandoned(&mut self) -> Result<(), RequestError> {
        self.drive(Connection::drain_abandoned)
    }

    /// Sends a command whose reply nobody waits for.
    pub fn leave(&mut self, line: &str) -> Tag {
        self.connection.send(Command::parse(line.as_bytes()).unwrap()).unwrap()
    }

    /// Reads up to such an event.
    pub fn wait_for(&mut self, wanted: fn(&ClientEvent<'_>) -> bool) {
        self.drive(|connection| connection.process_events(|event, _| Ok::<_, RequestError>(wanted(&event).then_some(()))))
            .unwrap();
    }

    pub fn said(&self) -> String {
        String::from_utf8(self.feed.written()).unwrap()
    }
}

pub fn is_refusal(error: &RequestError) -> bool {
    matches!(error, RequestError::Refused(_))
}

pub const ONE: MessageNumber = MessageNumber::FIRST;

/// Begins a login by an exchange, and gives it up where it is.
pub fn give_up_in_an_exchange(harness: &mut Harness) {
    let credentials = Credentials::password("joe", "x").unwrap();
    let binding = ChannelBinding::default();
    let context = ExchangeContext { host: "host", port: 995, nonce: [1; 18], binding: &binding, plus_is_offered: false };
    let mechanism = client_mechanism(Mechanism::Login, &credentials, &context).unwrap();
    harness.connection.start(&mut requests::auth(mechanism, false)).unwrap();
}
