//! What our client makes of replies, for `fuzz/differential/client.py`, which asks another client the same.
//!
//! Reads cases: a line with the command and the length of what the server says, then that. Writes a line for each: `ok` with what was
//! read, in hexadecimal, `refused`, or `broken` and why.

use std::io::{self, BufRead, Read, Write};

use bytes::BytesMut;
use pop3_proto::client::{Client, ClientConfig, ClientEvent};
use pop3_proto::codec::{Command, DropListing, Status};

fn main() -> io::Result<()> {
    let (mut input, mut output) = (io::stdin().lock(), io::BufWriter::new(io::stdout().lock()));
    let mut line = String::new();
    while input.read_line(&mut line)? > 0 {
        let (command, length) = line.trim_end().rsplit_once(' ').ok_or(io::ErrorKind::InvalidInput)?;
        let mut said = vec![0; length.parse().map_err(io::Error::other)?];
        input.read_exact(&mut said)?;
        writeln!(output, "{}", outcome(command, &said))?;
        line.clear();
    }
    output.flush()
}

fn outcome(command: &str, said: &[u8]) -> String {
    let (mut client, mut out) = (Client::new_encrypted(ClientConfig::default()), BytesMut::new());
    for (heard, next) in [(&b"+OK\r\n"[..], "USER a"), (b"+OK\r\n", "PASS b"), (b"+OK\r\n", command)] {
        // How the server ends its lines it has told before.
        let consumed = client.poll(heard).map(|progress| progress.consumed);
        assert_eq!(consumed, Ok(heard.len()));
        let command = Command::parse(next.as_bytes()).expect("a command");
        client.send(command, &mut out).expect("allowed");
    }
    let (mut rest, mut lines) = (said, Vec::new());
    loop {
        let (consumed, event) = match client.poll(rest) {
            Ok(progress) => (progress.consumed, progress.event),
            Err(error) => return format!("broken {error}"),
        };
        match event {
            ClientEvent::NeedInput if consumed == 0 => {
                return client.eof().map_or_else(|error| format!("broken {error}"), |()| "broken without an error".to_owned());
            }
            ClientEvent::Reply(_, reply) if reply.status == Status::Err => return "refused".to_owned(),
            ClientEvent::Reply(_, reply) if command == "STAT" => {
                return match DropListing::parse(reply.text) {
                    Ok(DropListing { messages, octets: Some(octets) }) => format!("ok {messages} {octets}"),
                    Ok(DropListing { messages, octets: None }) => format!("ok {messages} ?"),
                    Err(error) => format!("broken {error}"),
                };
            }
            ClientEvent::Reply(tag, reply) if !client.is_in_flight(tag) => return format!("ok {}", hex(reply.text)),
            ClientEvent::Line(_, line) => {
                lines.extend_from_slice(line);
                lines.extend_from_slice(b"\r\n");
            }
            ClientEvent::Body(_, chunk) => lines.extend_from_slice(chunk),
            ClientEvent::End(_) => return format!("ok {}", hex(&lines)),
            _ => {}
        }
        rest = &rest[consumed..];
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
