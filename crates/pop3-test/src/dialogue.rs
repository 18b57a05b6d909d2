//! One session of the server, command by command, with its faults; without I/O.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use pop3_driver::tls::ServerTls;
use pop3_maildrop::{Blocking, StoreResponder};
use pop3_proto::server::{Action, Connection, ConnectionInfo};

use crate::fault::Kind;
use crate::shared::Shared;
use crate::store::Handle;

/// A session with its store.
pub(crate) struct Dialogue {
    shared: Arc<Shared>,
    /// The number of the connection, counted from 1.
    session: usize,
    connection: Connection,
    responder: StoreResponder<Blocking<Handle>>,
    /// The last reply was a challenge, so the next line is a response and no command.
    challenged: bool,
    steps: VecDeque<Step>,
}

/// What is to be done on the stream.
#[derive(Clone)]
pub(crate) enum Step {
    Write(Vec<u8>),
    /// Write one octet after each pause.
    Drip(Vec<u8>, Duration),
    /// Read a line for [`Dialogue::feed`].
    ReadLine,
    /// Do a handshake for [`Dialogue::upgraded`].
    Handshake(ServerTls),
    /// Read until the client leaves, and say nothing more.
    Stall,
    /// Close the connection, with the end of TLS.
    Close,
    /// Close the connection as if it had broken.
    Break,
}

impl Dialogue {
    /// Begins the session with its greeting.
    pub(crate) fn new(shared: Arc<Shared>, session: usize, info: ConnectionInfo) -> io::Result<Self> {
        let connection = Connection::new(Arc::clone(&shared.config), info);
        let responder = StoreResponder::for_blocking(Arc::new(Handle(Arc::clone(&shared.store))), [0; 18]);
        let mut dialogue = Self { shared, session, connection, responder, challenged: false, steps: VecDeque::new() };
        let (greeting, next) = dialogue.execute()?;
        dialogue.reply("greeting", greeting, next);
        Ok(dialogue)
    }

    /// Returns what to do next.
    pub(crate) fn next_step(&mut self) -> Step {
        self.steps.pop_front().unwrap_or(Step::Break)
    }

    /// Takes a line of the client with its line end.
    pub(crate) fn feed(&mut self, line: &[u8]) -> io::Result<()> {
        let verb = self.record(line);
        let (reply, next) = match self.shared.capabilities.as_ref().filter(|_| verb == "CAPA") {
            Some(lines) => (format!("+OK\r\n{}\r\n.\r\n", lines.join("\r\n")).into_bytes(), Step::ReadLine),
            None if self.is_replaced(&verb) => (Vec::new(), Step::ReadLine),
            None => self.execute_line(line)?,
        };
        self.challenged = reply.starts_with(b"+ ");
        self.reply(&verb, reply, next);
        Ok(())
    }

    /// Continues the session after a handshake.
    pub(crate) fn upgraded(&mut self, info: ConnectionInfo) -> io::Result<()> {
        self.connection.upgrade(info).map_err(io::Error::other)?;
        self.steps.push_back(Step::ReadLine);
        Ok(())
    }

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

    /// Executes a line, and returns its reply and what comes after it.
    fn execute_line(&mut self, line: &[u8]) -> io::Result<(Vec<u8>, Step)> {
        let mut rest = line;
        let mut reply = Vec::new();
        loop {
            let space = self.connection.unfilled();
            let count = rest.len().min(space.len());
            space[..count].copy_from_slice(&rest[..count]);
            self.connection.advance_read(count);
            rest = &rest[count..];
            let (more, next) = self.execute()?;
            reply.extend(more);
            if rest.is_empty() || !matches!(next, Step::ReadLine) {
                return Ok((reply, next));
            }
        }
    }

    /// Runs the session until it needs something else than its store.
    fn execute(&mut self) -> io::Result<(Vec<u8>, Step)> {
        let mut reply = Vec::new();
        loop {
            match self.responder.advance_blocking(&mut self.connection)? {
                Action::Write => {
                    reply.extend_from_slice(self.connection.output());
                    self.connection.advance_written(self.connection.output().len());
                }
                Action::Answer(question) => self.responder.answer_blocking(&mut self.connection, question)?,
                Action::Read => return Ok((reply, Step::ReadLine)),
                Action::UpgradeTls => {
                    let certificate =
                        self.shared.certificate.as_ref().ok_or_else(|| io::Error::other("there is no certificate"))?;
                    self.connection.check_upgrade().map_err(io::Error::other)?;
                    return Ok((reply, Step::Handshake(certificate.tls.clone())));
                }
                _ => return Ok((reply, Step::Close)),
            }
        }
    }

    /// Sends a reply, or what a fault makes of it, and goes on with `next`.
    fn reply(&mut self, verb: &str, mut reply: Vec<u8>, next: Step) {
        let steps = match self.shared.fault(self.session, verb) {
            None => [Step::Write(reply), next],
            Some(Kind::Reply(bytes)) => [Step::Write(bytes.clone()), next],
            Some(Kind::CutAfter(octets)) => {
                reply.truncate(*octets);
                [Step::Write(reply), Step::Break]
            }
            Some(Kind::StallAfter(octets)) => {
                reply.truncate(*octets);
                [Step::Write(reply), Step::Stall]
            }
            Some(Kind::Drip(pause)) => [Step::Drip(reply, *pause), next],
            Some(Kind::Close) => [Step::Break, Step::Break],
        };
        self.steps.extend(steps);
    }
}
