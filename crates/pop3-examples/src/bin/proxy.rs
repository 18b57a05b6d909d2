//! A proxy over the bare codec that reads both sides: it prints every command without its secrets and the status of every reply,
//! through SASL exchanges too. It refuses `STLS`, because it could not read what follows.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use bytes::BytesMut;
use pop3_blocking::{Client, ClientOptions, Security};
use pop3_proto::codec::{Command, MessageNumber, RedactedCommand, Reply, ReplyShape, ReplyText, Status, encode_status_line};
use pop3_proto::sasl::Mechanism;

type Side = BufReader<TcpStream>;

/// Returns the next line of one side, after sending it to the other.
fn pass_line(from: &mut Side, to: &mut Side) -> io::Result<Vec<u8>> {
    let line = read_line(from)?;
    to.get_mut().write_all(&line)?;
    to.get_mut().write_all(b"\r\n")?;
    Ok(line)
}

/// Returns the next line without its line end.
fn read_line(side: &mut Side) -> io::Result<Vec<u8>> {
    const MAX_LINE: u64 = 64 * 1024;
    let mut line = Vec::new();
    side.take(MAX_LINE).read_until(b'\n', &mut line)?;
    let line = line.strip_suffix(b"\n").ok_or_else(|| io::Error::other("a line is too long, or has no end"))?;
    Ok(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
}

/// Passes one session on until a side ends it.
fn relay(client: &mut Side, server: &mut Side) -> io::Result<()> {
    relay_reply(ReplyShape::Line, client, server)?;
    while !client.fill_buf()?.is_empty() {
        let line = read_line(client)?;
        println!("C: {}", RedactedCommand(&line));
        let command = Command::parse(&line);
        if command == Ok(Command::Stls) {
            let mut refusal = BytesMut::new();
            encode_status_line(&mut refusal, Status::Err, None, const { ReplyText::literal("no TLS through this proxy") });
            client.get_mut().write_all(&refusal)?;
            continue;
        }
        server.get_mut().write_all(&[&line[..], b"\r\n"].concat())?;
        // The reply to a command that the codec does not know is taken for one line.
        relay_reply(command.map_or(ReplyShape::Line, |command| command.reply_shape()), client, server)?;
    }
    Ok(())
}

fn relay_reply(shape: ReplyShape, client: &mut Side, server: &mut Side) -> io::Result<()> {
    loop {
        let line = pass_line(server, client)?;
        match Reply::parse(&line) {
            Ok(reply) => {
                // The text may repeat a password.
                println!("S: {}", reply.status.as_str());
                let has_lines = reply.status == Status::Ok && matches!(shape, ReplyShape::Lines | ReplyShape::Message);
                while has_lines && pass_line(server, client)? != b"." {}
                return Ok(());
            }
            Err(_) if shape == ReplyShape::Challenges && line.starts_with(b"+") => {
                println!("S: + (a challenge)\nC: [redacted]");
                pass_line(client, server)?;
            }
            Err(error) => return Err(io::Error::other(error)),
        }
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mailbox = pop3_test::Server::builder().mechanisms([Mechanism::ScramSha256]);
    let mailbox = mailbox.user("joe", "secret", ["Subject: hello\r\n\r\nHello through a proxy.\r\n"]).start()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let upstream = mailbox.port();
    let proxy = thread::spawn(move || -> io::Result<()> {
        let client = listener.accept()?.0;
        let server = TcpStream::connect(("127.0.0.1", upstream))?;
        relay(&mut BufReader::new(client), &mut BufReader::new(server))
    });
    // A client behind the proxy. Use TLS outside of an example.
    let mut client = Client::connect("127.0.0.1", port, &ClientOptions::new(Security::DangerousCleartext))?;
    client.login("joe", "secret")?;
    let text = client.retr(MessageNumber::FIRST)?.into_vec()?;
    print!("{}", String::from_utf8_lossy(&text));
    client.quit()?;
    proxy.join().map_err(|_| "the proxy panicked")??;
    Ok(())
}
