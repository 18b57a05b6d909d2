//! One session of the server: command by command, with its faults.

use std::io;
use std::net::TcpStream;
use std::sync::Arc;
use std::thread;

use pop3_maildrop::{Blocking, StoreResponder};
use pop3_proto::server::{Action, Connection, ConnectionInfo};

use crate::fault::Kind;
use crate::shared::Shared;
use crate::store::Handle;
use crate::stream::Link;

/// A session, its store, and its connection.
struct Dialogue<'s> {
    shared: &'s Shared,
    /// The number of the connection, counted from 1.
    session: usize,
    link: Link<'s>,
    connection: Connection,
    responder: StoreResponder<Blocking<Handle>>,
    /// The last reply was a challenge, so the next line is a response and no command.
    challenged: bool,
}

/// What the session needs after its reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Read,
    Tls,
    Close,
}

/// Serves one connection to its end.
pub(crate) fn serve(shared: &Shared, stream: &TcpStream, session: usize, implicit_tls: bool) -> io::Result<()> {
    let (mut link, mut info) = (Link::new(stream), ConnectionInfo::clear([0; 18]));
    if implicit_tls && let Some(certificate) = &shared.certificate {
        (link, info) = link.accept_tls(&certificate.tls)?;
    }
    let connection = Connection::new(Arc::clone(&shared.config), info);
    let responder = StoreResponder::for_blocking(Arc::new(Handle(Arc::clone(&shared.store))), [0; 18]);
    let mut dialogue = Dialogue { shared, session, link, connection, responder, challenged: false };
    let (greeting, mut next) = dialogue.execute()?;
    if !dialogue.reply("greeting", greeting)? {
        return Ok(());
    }
    while next != Next::Close {
        if next == Next::Tls {
            dialogue = dialogue.upgrade()?;
        }
        let Some(line) = dialogue.link.read_line()? else { break };
        let verb = dialogue.record(&line);
        let (reply, after) = match dialogue.shared.capabilities.as_ref().filter(|_| verb == "CAPA") {
            Some(lines) => (format!("+OK\r\n{}\r\n.\r\n", lines.join("\r\n")).into_bytes(), Next::Read),
            None if dialogue.is_replaced(&verb) => (Vec::new(), Next::Read),
            None => dialogue.feed(&line)?,
        };
        dialogue.challenged = reply.starts_with(b"+ ");
        if !dialogue.reply(&verb, reply)? {
            return Ok(());
        }
        next = after;
    }
    dialogue.link.close()
}

impl Dialogue<'_> {
    /// Records a line of the client, and returns its verb; of the response to a challenge it is empty.
    fn record(&self, line: &[u8]) -> String {
        let line = String::from_utf8_lossy(line).trim_end_matches(['\r', '\n']).to_owned();
        let verb = if self.challenged { "" } else { line.split(' ').next().unwrap_or_default() };
        let verb = verb.to_ascii_uppercase();
        self.shared.record(self.session, &verb, line);
        verb
    }

    /// Returns `true` if a fault replaces the reply, so that the command must not be executed.
    fn is_replaced(&self, verb: &str) -> bool {
        matches!(self.shared.fault(self.session, verb), Some(Kind::Reply(_) | Kind::StallAfter(0) | Kind::Close))
    }

    /// Passes a line to the session, and returns its reply.
    fn feed(&mut self, line: &[u8]) -> io::Result<(Vec<u8>, Next)> {
        let mut rest = line;
        let mut reply = Vec::new();
        let mut next = Next::Read;
        while !rest.is_empty() && next == Next::Read {
            let space = self.connection.unfilled();
            let count = rest.len().min(space.len());
            space[..count].copy_from_slice(&rest[..count]);
            self.connection.advance_read(count);
            rest = &rest[count..];
            let (more, after) = self.execute()?;
            reply.extend(more);
            next = after;
        }
        Ok((reply, next))
    }

    /// Runs the session until it needs something else than its store.
    fn execute(&mut self) -> io::Result<(Vec<u8>, Next)> {
        let mut reply = Vec::new();
        loop {
            match self.responder.advance_blocking(&mut self.connection)? {
                Action::Write => {
                    reply.extend_from_slice(self.connection.output());
                    self.connection.advance_written(self.connection.output().len());
                }
                Action::Answer(question) => self.responder.answer_blocking(&mut self.connection, question)?,
                Action::Read => return Ok((reply, Next::Read)),
                Action::UpgradeTls => return Ok((reply, Next::Tls)),
                _ => return Ok((reply, Next::Close)),
            }
        }
    }

    /// Sends a reply, or what a fault makes of it. Returns `false` if the connection must be closed.
    fn reply(&mut self, verb: &str, reply: Vec<u8>) -> io::Result<bool> {
        let Some(fault) = self.shared.fault(self.session, verb) else { return self.link.write(&reply).map(|()| true) };
        match fault {
            Kind::Reply(bytes) => self.link.write(bytes)?,
            Kind::CutAfter(octets) => {
                self.link.write(reply.get(..*octets).unwrap_or(&reply))?;
                return Ok(false);
            }
            Kind::StallAfter(octets) => {
                self.link.write(reply.get(..*octets).unwrap_or(&reply))?;
                // The client gives up, or the server ends.
                while self.link.read_line()?.is_some() {}
                return Ok(false);
            }
            Kind::Drip(pause) => {
                for octet in reply {
                    thread::sleep(*pause);
                    self.link.write(&[octet])?;
                }
            }
            Kind::Close => return Ok(false),
        }
        Ok(true)
    }

    fn upgrade(mut self) -> io::Result<Self> {
        let certificate = self.shared.certificate.as_ref().ok_or_else(|| io::Error::other("there is no certificate"))?;
        self.connection.check_upgrade().map_err(io::Error::other)?;
        let (link, info) = self.link.accept_tls(&certificate.tls)?;
        self.connection.upgrade(info).map_err(io::Error::other)?;
        Ok(Self { link, ..self })
    }
}
