//! The bodies of the fuzz targets, as ordinary functions: they panic where something is wrong.

use bytes::BytesMut;
use pop3_proto::client::{self, ClientConfig, ClientEvent};
use pop3_proto::codec::{
    Capability, Command, DotDecoder, DotEncoder, DropListing, Escaped, Greeting, LineEnding, Reply, ScanListing, UniqueId,
    UniqueIdListing, Unstuffed, WireSize,
};
use pop3_proto::sasl::{Mechanism, ScramKeys};
use pop3_proto::server::{self, Ask, Channel, Denial, ServerConfig, Snapshot};

/// A command that can be read is written as one line, which reads as the same command.
pub fn command(line: &[u8]) {
    let Ok(command) = Command::parse(line) else { return };
    let mut out = BytesMut::new();
    command.encode(&mut out);
    let encoded = out.strip_suffix(b"\r\n").expect("a line end");
    assert!(!encoded.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "H15");
    assert_eq!(Command::parse(encoded), Ok(command));
    assert!(!command.to_string().chars().any(char::is_control), "H25");
}

/// Everything that a client reads by lines.
pub fn reply(line: &[u8]) {
    let _ = Reply::parse(line);
    if let Ok(Greeting { timestamp: Some(stamp), .. }) = Greeting::parse(line) {
        assert!(stamp.starts_with(b"<") && stamp.ends_with(b">") && stamp.is_ascii());
    }
    let _ = (DropListing::parse(line), ScanListing::parse(line), UniqueIdListing::parse(line));
    let mut out = BytesMut::new();
    let capability = Capability::parse(line);
    capability.encode(&mut out);
    assert_eq!(Capability::parse(&out), capability);
    assert!(!Escaped(line).to_string().chars().any(char::is_control), "H25");
}

/// A message that is stuffed and unstuffed, cut anywhere, is the message with CR LF at its line ends. The first byte cuts.
pub fn dot(data: &[u8]) {
    let Some((cut, message)) = data.split_first() else { return };
    let cut = usize::from(*cut).min(message.len());
    let (mut encoder, mut wire, mut size) = (DotEncoder::new(), BytesMut::new(), WireSize::new());
    for piece in [&message[..cut], &message[cut..]] {
        encoder.encode_into(piece, &mut wire);
        size.add(piece);
    }
    wire.extend_from_slice(encoder.finish());
    let whole = unstuff(&[&wire]);
    let cut = cut.min(wire.len());
    assert_eq!(unstuff(&[&wire[..cut], &wire[cut..]]), whole, "H18");
    assert_eq!(whole.len() as u64, size.octets(), "S07");
    let without_cr = |text: &[u8]| text.iter().copied().filter(|byte| *byte != b'\r').collect::<Vec<u8>>();
    let (sent, arrived) = (without_cr(message), without_cr(&whole));
    assert!(arrived == sent || arrived.strip_suffix(b"\n") == Some(&sent), "H52");
}

fn unstuff(pieces: &[&[u8]]) -> Vec<u8> {
    let mut decoder = DotDecoder::new(LineEnding::CrLf);
    let (mut held, mut message) = (Vec::new(), Vec::new());
    for piece in pieces {
        held.extend_from_slice(piece);
        loop {
            let (found, consumed) = decoder.decode(&held);
            match found {
                Unstuffed::Chunk(chunk) => message.extend_from_slice(chunk),
                Unstuffed::End => {
                    assert_eq!(held.len(), consumed, "H16: nothing is left behind the end");
                    return message;
                }
                Unstuffed::NeedInput => break,
            }
            held.drain(..consumed);
        }
    }
    panic!("the end did not come");
}

/// A client under arbitrary bytes of its peer: the same events however they are cut. The first byte cuts.
pub fn client(data: &[u8]) {
    let Some((cut, input)) = data.split_first() else { return };
    let at_greeting = cut % 2 == 0;
    let whole = client_events(&[input], at_greeting);
    let cut = usize::from(cut / 2).min(input.len());
    assert_eq!(client_events(&[&input[..cut], &input[cut..]], at_greeting), whole);
}

/// What a client sees. `at_greeting`: from the first byte on; otherwise logged in and with a command of each kind in flight.
fn client_events(pieces: &[&[u8]], at_greeting: bool) -> Vec<String> {
    let mut client = client::Client::new_encrypted(ClientConfig { max_line: 64, max_listing: 50, ..ClientConfig::default() });
    let mut out = BytesMut::new();
    if !at_greeting {
        for command in [&b"USER a"[..], b"PASS b"] {
            poll(&mut client, &mut b"+OK\r\n".to_vec(), &mut Vec::new());
            client.send(Command::parse(command).expect("a command"), &mut out).expect("allowed");
        }
        poll(&mut client, &mut b"+OK\r\n".to_vec(), &mut Vec::new());
        for command in [&b"STAT"[..], b"CAPA", b"LIST", b"UIDL", b"RETR 1", b"TOP 1 1", b"DELE 1", b"QUIT"] {
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

/// Notes events until more input is needed; false when the session is over.
fn poll(client: &mut client::Client, held: &mut Vec<u8>, events: &mut Vec<String>) -> bool {
    loop {
        let (consumed, event) = match client.poll(held) {
            Ok(progress) => (progress.consumed, progress.event),
            // The text of the error may depend on how much had come.
            Err(error) => {
                events.push(format!("{:?}", std::mem::discriminant(&error)));
                return false;
            }
        };
        match event {
            ClientEvent::NeedInput if consumed == 0 => return true,
            ClientEvent::Closed => return false,
            ClientEvent::NeedInput => {}
            ClientEvent::Body(_, chunk) => match events.last_mut() {
                Some(last) if last.starts_with("body ") => last.push_str(&chunk.escape_ascii().to_string()),
                _ => events.push(format!("body {}", chunk.escape_ascii())),
            },
            event => events.push(format!("{event:?}")),
        }
        held.drain(..consumed);
    }
}

/// A server under arbitrary bytes of its peer: the same replies however they are cut, one line each at least, and nothing is
/// removed without QUIT. The first byte cuts.
pub fn server(data: &[u8]) {
    let Some((cut, input)) = data.split_first() else { return };
    let whole = server_replies(&[input]);
    let cut = usize::from(*cut).min(input.len());
    assert_eq!(server_replies(&[&input[..cut], &input[cut..]]), whole);
}

fn server_replies(pieces: &[&[u8]]) -> Vec<u8> {
    let mut server = server::Connection::new(
        ServerConfig {
            output_high_water: 64,
            mechanisms: Mechanism::ALL.to_vec(),
            apop: true,
            last: true,
            ..ServerConfig::default()
        }
        .into(),
        Channel { encrypted: true, trusted: true, ..Channel::default() },
    );
    let mut written = Vec::new();
    for mut piece in pieces.iter().copied() {
        loop {
            if !answer(&mut server, &mut written) {
                return written;
            }
            if piece.is_empty() {
                break;
            }
            let space = server.space();
            let count = space.len().min(piece.len());
            space[..count].copy_from_slice(&piece[..count]);
            server.filled(count);
            piece = &piece[count..];
        }
    }
    written
}

/// Answers until input is needed; false at the end.
fn answer(server: &mut server::Connection, written: &mut Vec<u8>) -> bool {
    loop {
        match server.step() {
            server::Step::Read => return true,
            server::Step::Write => {
                let output = server.output();
                written.extend_from_slice(output);
                let count = output.len();
                server.written(count);
            }
            server::Step::Ask(Ask::Authenticate(login)) if login.name.as_bytes() == b"a" => {
                let mut snapshot = Snapshot::default();
                for id in ["x", "y", "z"] {
                    snapshot.push(9, UniqueId::new(id).expect("legal")).expect("few");
                }
                server.accept(snapshot).expect("asked");
            }
            server::Step::Ask(Ask::FindKeys(hash, name)) => {
                server.keys(ScramKeys::decoy(hash, b"secret", name.as_bytes())).expect("asked");
            }
            server::Step::Ask(Ask::Authenticate(_)) => server.deny(Denial::Credentials).expect("asked"),
            server::Step::Ask(Ask::Retrieve(_)) => {
                server.begin_message().expect("asked");
                server.body(b"A: b\n\n.c\n").expect("begun");
                server.end_message().expect("begun");
            }
            server::Step::Ask(Ask::Commit) => {
                let count = server.marked().count();
                assert!(count <= 3);
                server.committed(0).expect("asked");
            }
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    /// Each body over what once was interesting; the fuzzer finds the rest.
    #[test]
    fn bodies_run_on_stable() {
        let seeds: [&[u8]; 8] = [
            b"",
            b"\x05PASS  x ",
            b"\x03+OK <a@b> x\r\n+OK\r\nTOP\r\n.\r\n+OK\r\n+OK\r\n+OK 1 2\r\n",
            b"\x07USER a\r\nPASS x\r\nRETR 1\r\nLIST\r\nUIDL\r\nTOP 1 0\r\nDELE 2\r\nQUIT\r\n",
            b"\x02.\r\n.\r\n..\r\n",
            b"\x01\r.\n\r\n.",
            b"\x10+OK\n+OK\n+OK\n+OK\n",
            b"1 18446744073709551616",
        ];
        for seed in seeds {
            for cut in 0..seed.len().max(1) {
                let mut seed = seed.to_vec();
                if let Some(first) = seed.first_mut() {
                    *first = cut as u8;
                }
                for body in [super::command, super::reply, super::dot, super::client, super::server] {
                    body(&seed);
                }
            }
        }
    }
}
