//! Both machines in memory.

use std::hint::black_box;

use pop3_proto::client::{self, ClientConfig, Request, requests};
use pop3_proto::codec::{MessageNumber, Password, UniqueId, Username};
use pop3_proto::server::{self, Ask, Channel, ServerConfig, Snapshot};

/// A client and a server whose sockets are each other.
#[derive(Debug)]
pub struct Pair<'m> {
    client: client::Connection,
    server: server::Connection,
    message: &'m [u8],
    messages: u32,
}

impl<'m> Pair<'m> {
    /// A session whose greeting is read. The maildrop holds one message, so many times.
    pub fn new(message: &'m [u8], messages: u32) -> Self {
        let client = client::Connection::new_encrypted(ClientConfig::default());
        let server = server::Connection::new(ServerConfig::default().into(), Channel { encrypted: true, ..Channel::default() });
        let mut pair = Self { client, server, message, messages };
        pair.run(requests::greet());
        pair
    }

    /// Logs in.
    pub fn login(&mut self) {
        self.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap()));
    }

    /// Has the client ask and the server answer.
    pub fn run<R: Request>(&mut self, mut request: R) -> R::Output {
        self.client.start(&mut request).unwrap();
        loop {
            match self.client.run(&mut request).unwrap() {
                client::Step::Done(output) => return output,
                client::Step::Write => self.write(),
                client::Step::Read => self.serve(),
            }
        }
    }

    /// Retrieves a message; gives its octets.
    pub fn retrieve(&mut self, number: MessageNumber) -> usize {
        let body = self.run(requests::retr(number));
        let mut octets = 0;
        loop {
            match self.client.next_chunk(body).unwrap() {
                client::Step::Done(true) => octets += black_box(self.client.chunk()).len(),
                client::Step::Done(false) => return octets,
                client::Step::Write => self.write(),
                client::Step::Read => self.serve(),
            }
        }
    }

    fn write(&mut self) {
        let output = self.client.output();
        let count = output.len();
        self.server.space()[..count].copy_from_slice(output);
        self.server.filled(count);
        self.client.written(count);
    }

    /// Runs the server until the client has something to read.
    fn serve(&mut self) {
        while self.server.output().is_empty() {
            match self.server.step() {
                server::Step::Ask(Ask::Authenticate(_)) => {
                    let mut snapshot = Snapshot::default();
                    for n in 0..self.messages {
                        snapshot.push(self.message.len() as u64, UniqueId::new(&n.to_string()).unwrap()).unwrap();
                    }
                    self.server.accept(snapshot).unwrap();
                }
                server::Step::Ask(Ask::Retrieve(_)) => {
                    self.server.begin_message().unwrap();
                    self.server.body(self.message).unwrap();
                    self.server.end_message().unwrap();
                }
                server::Step::Ask(Ask::Commit) => self.server.committed(0).unwrap(),
                _ => {}
            }
        }
        let output = self.server.output();
        let space = self.client.space();
        let count = space.len().min(output.len());
        space[..count].copy_from_slice(&output[..count]);
        self.client.filled(count).unwrap();
        self.server.written(count);
    }
}
