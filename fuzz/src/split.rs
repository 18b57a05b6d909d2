//! Checks that input gives the same events however it is split.

use bytes::BytesMut;
use pop3_proto::client::{Client, ClientConfig, ClientEvent};
use pop3_proto::codec::{Command, UniqueId};
use pop3_proto::sasl::{Mechanism, ScramKeys};
use pop3_proto::server::{Action, Connection, ConnectionInfo, LoginDenial, Question, ServerConfig, Snapshot};

use crate::Choices;
use crate::server::feed;

/// Feeds equal bytes to a machine of the client or server, complete and in up to four pieces, and compares the results.
pub fn split(data: &[u8]) {
    let mut choices = Choices::new(data);
    let kind = choices.below(3);
    let lengths = [choices.byte(), choices.byte(), choices.byte()].map(usize::from);
    let input = choices.rest();
    let mut pieces = Vec::new();
    let mut rest = input;
    for length in lengths {
        let (piece, behind) = rest.split_at(length.min(rest.len()));
        pieces.push(piece);
        rest = behind;
    }
    pieces.push(rest);
    match kind {
        0 => assert_eq!(client_events(&pieces, true), client_events(&[input], true)),
        1 => assert_eq!(client_events(&pieces, false), client_events(&[input], false)),
        _ => assert_eq!(server_replies(&pieces), server_replies(&[input])),
    }
}

/// Returns the events of a client. With `at_greeting`, the input begins with the greeting; otherwise the client is logged in and
/// has a command of each kind in flight.
fn client_events(pieces: &[&[u8]], at_greeting: bool) -> Vec<String> {
    let mut client = Client::new_encrypted(ClientConfig { max_line: 64, max_listing: 50, ..ClientConfig::default() });
    let mut out = BytesMut::new();
    if !at_greeting {
        for command in [&b"USER a"[..], b"PASS b"] {
            poll(&mut client, &mut b"+OK\r\n".to_vec(), &mut Vec::new());
            client.send(Command::parse(command).expect("a command"), &mut out).expect("allowed");
        }
        poll(&mut client, &mut b"+OK\r\n".to_vec(), &mut Vec::new());
        for command in [&b"STAT"[..], b"CAPA", b"LIST", b"UIDL", b"LIST 1", b"RETR 1", b"TOP 1 1", b"DELE 1", b"QUIT"] {
            client.send(Command::parse(command).expect("a command"), &mut out).expect("allowed");
        }
    }
    let (mut held, mut events) = (Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        if !poll(&mut client, &mut held, &mut events) {
            break;
        }
    }
    events
}

/// Collects events until more input is needed. Returns `false` if the session is closed.
fn poll(client: &mut Client, held: &mut Vec<u8>, events: &mut Vec<String>) -> bool {
    loop {
        let (consumed, event) = match client.poll(held) {
            Ok(progress) => (progress.consumed, progress.event),
            // The text of the error may depend on how much input had arrived.
            Err(error) => {
                events.push(format!("{:?}", std::mem::discriminant(&error)));
                return false;
            }
        };
        match event {
            ClientEvent::NeedInput => return true,
            ClientEvent::Closed => return false,
            ClientEvent::Continue => {}
            ClientEvent::Body(_, chunk) => match events.last_mut() {
                Some(last) if last.starts_with("body ") => last.push_str(&chunk.escape_ascii().to_string()),
                _ => events.push(format!("body {}", chunk.escape_ascii())),
            },
            event => events.push(format!("{event:?}")),
        }
        held.drain(..consumed);
    }
}

fn server_replies(pieces: &[&[u8]]) -> Vec<u8> {
    let config = ServerConfig {
        output_high_water: 64,
        mechanisms: Mechanism::ALL.to_vec(),
        apop: true,
        last: true,
        ..ServerConfig::default()
    };
    let channel = ConnectionInfo { encrypted: true, trusted: true, ..ConnectionInfo::default() };
    let mut server = Connection::new(config.into(), channel);
    let mut written = Vec::new();
    for mut piece in pieces.iter().copied() {
        loop {
            if !answer(&mut server, &mut written) {
                return written;
            }
            if piece.is_empty() {
                break;
            }
            piece = feed(&mut server, piece);
        }
    }
    written
}

/// Answers the server's questions until it needs input. Returns `false` at the end of the session.
fn answer(server: &mut Connection, written: &mut Vec<u8>) -> bool {
    loop {
        match server.next_action() {
            Action::Read => return true,
            Action::Write => {
                let output = server.output();
                written.extend_from_slice(output);
                let count = output.len();
                server.advance_written(count);
            }
            Action::Answer(Question::Authenticate(login)) if login.name.as_bytes() == b"a" => {
                let mut snapshot = Snapshot::default();
                for id in ["x", "y", "z"] {
                    snapshot.push(9, UniqueId::new(id).expect("legal")).expect("few");
                }
                server.answer().accept(snapshot).expect("asked");
            }
            Action::Answer(Question::FindKeys(hash, name)) => {
                server.answer().provide_keys(ScramKeys::decoy(hash, b"secret", name.as_bytes())).expect("asked");
            }
            Action::Answer(Question::Authenticate(_)) => server.answer().deny(LoginDenial::Credentials).expect("asked"),
            Action::Answer(Question::Retrieve { .. }) => {
                server.answer().begin_message().expect("asked");
                server.answer().body(b"A: b\n\n.c\n").expect("begun");
                server.answer().end_message().expect("begun");
            }
            Action::Answer(Question::Commit) => server.answer().finish_commit(0).expect("asked"),
            _ => return false,
        }
    }
}
