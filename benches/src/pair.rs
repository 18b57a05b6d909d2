//! Both machines in memory.

use std::hint::black_box;

use pop3_proto::Transport;
use pop3_proto::client::{self, ClientConfig, Request, RequestError, requests};
use pop3_proto::codec::{MessageNumber, Password, UniqueId, Username};
use pop3_proto::server::{self, Action, ConnectionInfo, Question, ServerConfig, Snapshot};

/// A client and a server whose sockets are each other.
#[derive(Debug)]
pub struct Pair<'m> {
    client: client::Connection,
    far: FarEnd<'m>,
}

/// The server as the client's stream.
#[derive(Debug)]
struct FarEnd<'m> {
    server: server::Connection,
    message: &'m [u8],
    messages: u32,
}

impl<'m> Pair<'m> {
    /// A session whose greeting is read. The maildrop holds one message `messages` times.
    pub fn new(message: &'m [u8], messages: u32) -> Self {
        let client = client::Connection::new_encrypted(ClientConfig::default());
        let info = ConnectionInfo { encrypted: true, ..ConnectionInfo::default() };
        let server = server::Connection::new(ServerConfig::default().into(), info);
        let mut pair = Self { client, far: FarEnd { server, message, messages } };
        pair.run(requests::greet());
        pair
    }

    /// Logs in.
    pub fn login(&mut self) {
        self.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap()));
    }

    /// Runs a request of the client against the server.
    pub fn run<R: Request>(&mut self, request: R) -> R::Output {
        self.client.run(&mut self.far, request).unwrap()
    }

    /// Retrieves a message and returns its number of octets.
    pub fn retrieve(&mut self, number: MessageNumber) -> usize {
        let body = self.run(requests::retr(number));
        let mut octets = 0;
        while self.client.drive(&mut self.far, |client| client.next_chunk(body)).unwrap() {
            octets += black_box(self.client.chunk()).len();
        }
        octets
    }
}

impl Transport for FarEnd<'_> {
    type Error = RequestError;

    fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
        self.server.unfilled()[..bytes.len()].copy_from_slice(bytes);
        self.server.advance_read(bytes.len());
        Ok(bytes.len())
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
        while self.server.output().is_empty() {
            match self.server.next_action() {
                Action::Answer(Question::Authenticate(_)) => {
                    let mut snapshot = Snapshot::default();
                    for n in 0..self.messages {
                        snapshot.push(self.message.len() as u64, UniqueId::new(&n.to_string()).unwrap()).unwrap();
                    }
                    self.server.answer().accept(snapshot).unwrap();
                }
                Action::Answer(Question::Retrieve { .. }) => {
                    self.server.answer().begin_message().unwrap();
                    self.server.answer().body(self.message).unwrap();
                    self.server.answer().end_message().unwrap();
                }
                Action::Answer(Question::Commit) => self.server.answer().finish_commit(0).unwrap(),
                _ => {}
            }
        }
        let output = self.server.output();
        let count = buffer.len().min(output.len());
        buffer[..count].copy_from_slice(&output[..count]);
        self.server.advance_written(count);
        Ok(count)
    }
}
