//! Delivery to a mail server by LMTP (RFC 2033), or by SMTP (RFC 5321) to one on this machine.

use std::fmt;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::destination::{Destination, Trouble};
use super::envelope::{Envelope, received};
use super::spool::Spooled;
use crate::arguments::Peer;
use crate::language::Message;
use crate::server_text::readable;

/// The time limit of each wait. A server may take long to look at a message (RFC 5321 §4.5.3.2).
const LIMIT: Duration = Duration::from_secs(600);
/// No longer reply line is read than this.
const MOST_BYTES: u64 = 64 * 1024;
/// The number of servers after which a message is taken to go round in circles (RFC 5321 §6.3).
const MOST_HOPS: usize = 100;

/// The protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Lmtp,
    Smtp,
}

/// A mail server, which is connected to when the first message comes.
pub struct Server {
    protocol: Protocol,
    peer: Peer,
    recipient: String,
    source: String,
    session: Option<Session>,
}

impl Server {
    pub fn new(protocol: Protocol, peer: &Peer, recipient: &str, source: &str) -> Self {
        Self { protocol, peer: peer.clone(), recipient: recipient.to_owned(), source: source.to_owned(), session: None }
    }

    /// Connects and greets. What the server refuses here, it refuses to every message.
    fn connect(&self) -> Result<Session, Trouble> {
        let greet = || {
            let mut session = Session::open(&self.peer)?;
            session.reply()?.positive(Message::new("deliver-refuses-session"))?;
            let host = rustix::system::uname();
            let hello = if self.protocol == Protocol::Lmtp { "LHLO" } else { "EHLO" };
            session
                .command(format_args!("{hello} {}", host.nodename().to_string_lossy()))?
                .positive(Message::new("deliver-refuses-session"))?;
            Ok(session)
        };
        greet().map_err(|trouble: Trouble| Trouble::Unavailable(trouble.into_text()))
    }

    /// Begins a message in the session that there is, or in a new one: a server may end a session between two messages.
    fn begin(&mut self, sender: &str) -> Result<Session, Trouble> {
        if let Some(mut session) = self.session.take()
            && session.mail(sender).is_ok()
        {
            return Ok(session);
        }
        let mut session = self.connect()?;
        session.mail(sender)?;
        Ok(session)
    }
}

impl Destination for Server {
    fn deliver(&mut self, message: &Spooled) -> Result<(), Trouble> {
        let envelope = Envelope::of(message)?;
        if envelope.hops >= MOST_HOPS {
            return Err(Trouble::Refused(Message::new("deliver-circles").with("count", envelope.hops).to_string()));
        }
        let mut session = self.begin(&envelope.sender)?;
        match session.send(message, &self.recipient, &self.source) {
            Ok(()) => self.session = Some(session),
            // What was said of this message must not be part of the next.
            Err(Trouble::Refused(text)) => {
                self.session = session.command("RSET").and_then(|reply| reply.positive(refuses("RSET"))).map(|()| session).ok();
                return Err(Trouble::Refused(text));
            }
            // The session has ended with this message, which may be the reason. The next one gets a session of its own.
            Err(Trouble::Unavailable(text)) => return Err(Trouble::Refused(text)),
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(session) = &mut self.session {
            // Every message was answered, so nothing depends on how the session ends.
            let _ = session.command("QUIT");
        }
    }
}

struct Session {
    reader: BufReader<Box<dyn Read>>,
    writer: BufWriter<Box<dyn Write>>,
}

impl Session {
    fn open(peer: &Peer) -> io::Result<Self> {
        let (reader, writer): (Box<dyn Read>, Box<dyn Write>) = match peer {
            Peer::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(LIMIT))?;
                stream.set_write_timeout(Some(LIMIT))?;
                (Box::new(stream.try_clone()?), Box::new(stream))
            }
            Peer::Network { host, port } => {
                let mut last = io::Error::from(io::ErrorKind::NotFound);
                let mut connected = None;
                for address in (host.as_str(), *port).to_socket_addrs()? {
                    // Mail goes to other machines over TLS only, which the mail server of this one does.
                    if !address.ip().is_loopback() {
                        let told = Message::new("deliver-in-the-clear").with("address", address.ip());
                        last = io::Error::other(told.to_string());
                        continue;
                    }
                    match TcpStream::connect_timeout(&address, Duration::from_secs(30)) {
                        Ok(stream) => {
                            connected = Some(stream);
                            break;
                        }
                        Err(error) => last = error,
                    }
                }
                let stream = connected.ok_or(last)?;
                stream.set_read_timeout(Some(LIMIT))?;
                stream.set_write_timeout(Some(LIMIT))?;
                (Box::new(stream.try_clone()?), Box::new(stream))
            }
        };
        Ok(Self { reader: BufReader::new(reader), writer: BufWriter::with_capacity(64 * 1024, writer) })
    }

    fn mail(&mut self, sender: &str) -> Result<(), Trouble> {
        self.command(format_args!("MAIL FROM:<{sender}>"))?.positive(refuses("MAIL"))
    }

    /// Sends the message that was begun, and returns when the server has taken responsibility for it.
    fn send(&mut self, message: &Spooled, recipient: &str, source: &str) -> Result<(), Trouble> {
        self.command(format_args!("RCPT TO:<{recipient}>"))?.positive(refuses("RCPT"))?;
        let reply = self.command("DATA")?;
        if reply.code != 354 {
            reply.positive(refuses("DATA"))?;
            return Err(Trouble::Unavailable(Message::new("deliver-no-reply").with("text", reply.text).to_string()));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.writer.write_all(received(source, recipient, now).as_bytes())?;
        stuff(message.open()?, &mut self.writer)?;
        self.writer.flush()?;
        // With one recipient there is one reply in LMTP, too.
        self.reply()?.positive(Message::new("deliver-refuses-message"))
    }

    fn command(&mut self, command: impl fmt::Display) -> Result<Reply, Trouble> {
        write!(self.writer, "{command}\r\n")?;
        self.writer.flush()?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply, Trouble> {
        loop {
            let mut line = Vec::new();
            (&mut self.reader).take(MOST_BYTES).read_until(b'\n', &mut line)?;
            let Some(line) = line.strip_suffix(b"\n") else {
                return Err(Trouble::Unavailable(Message::new("deliver-closed").to_string()));
            };
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            let code = line.get(..3).and_then(|code| str::from_utf8(code).ok()).and_then(|code| code.parse().ok());
            let code: u16 = code
                .ok_or_else(|| Trouble::Unavailable(Message::new("deliver-no-reply").with("text", readable(line)).to_string()))?;
            // The last line of a reply has a space behind the code, or nothing.
            if line.get(3) != Some(&b'-') {
                return Ok(Reply { code, text: readable(line) });
            }
        }
    }
}

/// Returns what is said of a command that the server refuses.
fn refuses(command: &str) -> Message {
    Message::new("deliver-refuses").with("what", command)
}

struct Reply {
    code: u16,
    text: String,
}

impl Reply {
    fn positive(&self, refusal: Message) -> Result<(), Trouble> {
        match self.code {
            200..=299 => Ok(()),
            // The server is about to end the session (RFC 5321 §3.8).
            421 => Err(Trouble::Unavailable(Message::new("deliver-leaves").with("text", &self.text).to_string())),
            _ => Err(Trouble::Refused(refusal.with("text", &self.text).to_string())),
        }
    }
}

/// Writes a message with CR LF at the ends of lines, another point before each that begins with one, and a point alone at the end.
fn stuff(mut from: impl BufRead, to: &mut impl Write) -> io::Result<()> {
    let mut line = Vec::new();
    while from.read_until(b'\n', &mut line)? > 0 {
        // A CR alone would be an end of a line to some servers, and what follows a command (CVE-2023-51764 and its kin).
        line.retain(|byte| !matches!(byte, b'\r' | b'\n'));
        if line.starts_with(b".") {
            to.write_all(b".")?;
        }
        to.write_all(&line)?;
        to.write_all(b"\r\n")?;
        line.clear();
    }
    to.write_all(b".\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_ends_it() {
        let stuffed = |text: &str| {
            let mut to = Vec::new();
            stuff(text.as_bytes(), &mut to).unwrap();
            String::from_utf8(to).unwrap()
        };
        assert_eq!(stuffed("a\n.\nQUIT\n..b"), "a\r\n..\r\nQUIT\r\n...b\r\n.\r\n");
        for smuggled in ["a\r.\rMAIL FROM:<x>\n", "a\n.\r\nMAIL FROM:<x>\n", "a\r\n.\r\nMAIL FROM:<x>\n", "\r.\r\n"] {
            let stuffed = stuffed(smuggled);
            let body = stuffed.strip_suffix("\r\n.\r\n").unwrap();
            assert!(body.split("\r\n").all(|line| line != "." && !line.contains('\r')), "{stuffed:?}");
            assert!(!body.split("\r\n").any(|line| line.starts_with('.') && !line.starts_with("..")), "{stuffed:?}");
        }
    }

    #[test]
    fn replies_may_have_several_lines() {
        let session = |text: &'static str| Session {
            reader: BufReader::new(Box::new(text.as_bytes())),
            writer: BufWriter::new(Box::new(io::sink())),
        };
        assert_eq!(session("250-a\r\n250-b\r\n250 c\r\n").reply().unwrap().text, "250 c");
        assert_eq!(session("250\n").reply().unwrap().code, 250);
        for broken in ["", "250-a\r\n", "250 a", "hello\r\n", "25\r\n"] {
            assert!(matches!(session(broken).reply(), Err(Trouble::Unavailable(_))), "{broken:?}");
        }
        let told = |text| session(text).reply().unwrap().positive(refuses("RCPT"));
        assert!(matches!(told("421 4.3.0 later\r\n"), Err(Trouble::Unavailable(_))));
        assert!(matches!(told("550 no\u{1b}\r\n"), Err(Trouble::Refused(text)) if text == "it refuses RCPT: 550 no\u{fffd}"));
    }
}
