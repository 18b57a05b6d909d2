//! Whole sessions of both machines in memory.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use pop3_benches::message;
use pop3_proto::client::{self, ClientConfig, Request, requests};
use pop3_proto::codec::{MessageNumber, Password, UniqueId, Username};
use pop3_proto::server::{self, Ask, Channel, ServerConfig, Snapshot};

/// A client and a server whose sockets are each other.
struct Pair<'m> {
    client: client::Connection,
    server: server::Connection,
    message: &'m [u8],
    messages: u32,
}

impl<'m> Pair<'m> {
    fn new(message: &'m [u8], messages: u32) -> Self {
        let client = client::Connection::new_encrypted(ClientConfig::default());
        let server = server::Connection::new(ServerConfig::default().into(), Channel { encrypted: true, ..Channel::default() });
        let mut pair = Self { client, server, message, messages };
        pair.run(requests::greet());
        pair
    }

    fn login(&mut self) {
        self.run(requests::user_pass(Username::new("joe").unwrap(), Password::new("secret").unwrap()));
    }

    fn run<R: Request>(&mut self, mut request: R) -> R::Output {
        self.client.start(&mut request).unwrap();
        loop {
            match self.client.run(&mut request).unwrap() {
                client::Step::Done(output) => return output,
                client::Step::Write => self.write(),
                client::Step::Read => self.serve(),
            }
        }
    }

    fn retrieve(&mut self, number: MessageNumber) -> usize {
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

fn sessions(c: &mut Criterion) {
    let small = message(1600, "\n");
    let mut group = c.benchmark_group("session");
    group.throughput(Throughput::Elements(1));
    group.bench_function("greeting, USER, PASS, STAT, QUIT", |b| {
        b.iter(|| {
            let mut pair = Pair::new(&small, 20);
            pair.login();
            black_box(pair.run(requests::stat()));
            pair.run(requests::quit());
        });
    });
    group.bench_function("RETR of 1.6 kB", |b| {
        let mut pair = Pair::new(&small, 1);
        pair.login();
        b.iter(|| pair.retrieve(MessageNumber::FIRST));
    });
    group.finish();

    let large = message(5_000_000, "\n");
    let mut group = c.benchmark_group("session, large");
    group.sample_size(20);
    group.throughput(Throughput::Bytes(large.len() as u64));
    group.bench_function("RETR of 5 MB", |b| {
        let mut pair = Pair::new(&large, 1);
        pair.login();
        b.iter(|| pair.retrieve(MessageNumber::FIRST));
    });
    group.throughput(Throughput::Elements(10_000));
    group.bench_function("UIDL of 10,000", |b| {
        let mut pair = Pair::new(&small, 10_000);
        pair.login();
        b.iter(|| black_box(pair.run(requests::uidl())).len());
    });
    group.finish();
}

criterion_group!(benches, sessions);
criterion_main!(benches);
