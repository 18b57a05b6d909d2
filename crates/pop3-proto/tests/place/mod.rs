//! A connection in memory to a server with a script.
#![allow(dead_code)] // Not every test needs all of it.

use pop3_contract::{Cut, Feed};
use pop3_proto::client::requests::{self, Request};
use pop3_proto::client::{ClientConfig, ClientEvent, Connection, RemoteError, RequestError, Step, Tag};
use pop3_proto::codec::{Command, MessageNumber, Password, Username};
use pop3_proto::sasl::{ChannelBinding, Credentials, Mechanism, client_mechanism};

/// A connection to a server that has said everything in advance, logged in unless it is said otherwise.
pub struct Place {
    pub connection: Connection,
    pub feed: Feed,
}

impl Place {
    /// A server that greets and takes a login; behind that it says this, line for line.
    pub fn new(says: &[&str], config: ClientConfig) -> Self {
        let mut place = Self::greeted(&[&["+OK\r\n", "+OK\r\n"], says].concat(), config);
        place.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("x").unwrap())).unwrap();
        place
    }

    pub fn greeted(says: &[&str], config: ClientConfig) -> Self {
        let says = [&["+OK\r\n"], says].concat();
        let feed = Feed::scripted(says.iter().map(|line| line.as_bytes()), Cut::EveryByte);
        let mut place = Self { connection: Connection::new_encrypted(config), feed };
        place.run(requests::greet()).unwrap();
        place
    }

    pub fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, RequestError> {
        self.connection.start(&mut request)?;
        self.drive(|connection| connection.run(&mut request))
    }

    pub fn drive<T, E: From<RemoteError>>(
        &mut self,
        mut step: impl FnMut(&mut Connection) -> Result<Step<T>, E>,
    ) -> Result<T, E> {
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

    pub fn settle(&mut self) -> Result<(), RequestError> {
        self.drive(Connection::settle)
    }

    /// Sends a command whose reply nobody waits for.
    pub fn leave(&mut self, line: &str) -> Tag {
        self.connection.send(Command::parse(line.as_bytes()).unwrap()).unwrap()
    }

    /// Reads up to such an event.
    pub fn wait_for(&mut self, wanted: fn(&ClientEvent<'_>) -> bool) {
        self.drive(|connection| connection.step(|event, _| Ok::<_, RemoteError>(wanted(&event).then_some(())))).unwrap();
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
pub fn give_up_in_an_exchange(place: &mut Place) {
    let credentials = Credentials::password("joe", "x").unwrap();
    let mechanism =
        client_mechanism(Mechanism::Login, &credentials, "host", 995, [1; 18], &ChannelBinding::default(), false).unwrap();
    place.connection.start(&mut requests::auth(mechanism, false)).unwrap();
}
