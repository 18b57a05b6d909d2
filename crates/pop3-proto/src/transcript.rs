//! The dialogue of a session as lines of text.

use alloc::collections::VecDeque;
use alloc::format;

use crate::State;
use crate::client::{self, ClientEvent};
use crate::codec::{Escaped, Reply};
use crate::server::{self, SessionEnd};

/// The lines of a listing that are shown.
const MAX_LINES: u64 = 8;

/// An observer of a client or a server that writes the dialogue, one line at a time and without line ends: `C: ` and what the client
/// sends, `S: ` and what the server sends.
///
/// No secret of the client is shown, and no octet of a message. The reply to a line that contains a secret is shown without its text, which
/// may repeat the secret. Names of users are shown; everything is escaped for a terminal. Of a long listing only the first lines are shown.
///
/// ```
/// use pop3_proto::Transcript;
/// use pop3_proto::client::{ClientConfig, Connection};
///
/// let mut connection = Connection::new_encrypted(ClientConfig::default());
/// connection.observe(Box::new(Transcript::new(|line| eprintln!("{line}"))));
/// ```
// H25, H56
pub struct Transcript<W> {
    write: W,
    /// For each command whose reply is awaited, whether it contained a secret.
    awaited: VecDeque<bool>,
    /// The last line of the client contained a secret, or the lines of a reply may repeat one.
    hides: bool,
    lines: u64,
    octets: u64,
}

impl<W> core::fmt::Debug for Transcript<W> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

impl<W: FnMut(&str)> Transcript<W> {
    /// Creates an observer that passes each line to `write`.
    pub const fn new(write: W) -> Self {
        Self { write, awaited: VecDeque::new(), hides: false, lines: 0, octets: 0 }
    }

    fn client(&mut self, line: &str) {
        (self.write)(&format!("C: {line}"));
    }

    fn server(&mut self, line: &[u8]) {
        (self.write)(&format!("S: {}", Escaped(line)));
    }

    /// Writes a reply, without its text if that may repeat a secret.
    fn reply(&mut self, reply: Reply<'_>) {
        let status = reply.status.as_str();
        let code = reply.code.map(|code| format!(" [{}]", Escaped(code.as_bytes()))).unwrap_or_default();
        match self.hides {
            true => (self.write)(&format!("S: {status}{code}")),
            false => (self.write)(format!("S: {status}{code} {}", reply.display_text()).trim_end()),
        }
    }

    fn end_of_data(&mut self) {
        match self.lines.saturating_sub(MAX_LINES) {
            0 => {}
            1 => (self.write)("S: (and 1 line more)"),
            more => (self.write)(&format!("S: (and {more} lines more)")),
        }
        if self.octets > 0 {
            (self.write)(&format!("S: (a message of {} octets)", self.octets));
        }
        (self.lines, self.octets) = (0, 0);
        self.server(b".");
    }
}

impl<W: FnMut(&str) + Send> client::Observer for Transcript<W> {
    fn sent(&mut self, _: Option<State>, line: &str) {
        // A response or its cancellation belongs to the `AUTH` before.
        if !matches!(line, "[redacted]" | "*") {
            self.awaited.push_back(line.ends_with("[redacted]") || line.starts_with("AUTH "));
        }
        self.client(line);
    }

    fn received(&mut self, _: Option<State>, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Greeting(greeting) => {
                self.awaited.clear();
                self.hides = false;
                self.reply(greeting.reply);
            }
            ClientEvent::Reply(_, reply) => {
                self.hides = self.awaited.pop_front().unwrap_or(false);
                self.reply(*reply);
            }
            ClientEvent::Challenge(..) => self.server(b"+"),
            ClientEvent::Line(_, line) => {
                self.lines += 1;
                if self.hides {
                    (self.write)("S: [redacted]");
                } else if self.lines <= MAX_LINES {
                    self.server(line);
                }
            }
            ClientEvent::Body(_, piece) => self.octets += piece.len() as u64,
            ClientEvent::End(_) => self.end_of_data(),
            ClientEvent::UpgradeTls(_) => {
                self.awaited.clear();
                self.server(b"+OK");
                (self.write)("(TLS begins)");
            }
            ClientEvent::Closed | ClientEvent::NeedInput | ClientEvent::Continue => {}
        }
    }
}

impl<W: FnMut(&str) + Send> server::Observer for Transcript<W> {
    fn received(&mut self, line: &str) {
        self.hides = line.ends_with("[redacted]");
        self.client(line);
    }

    fn sent(&mut self, line: &[u8]) {
        match Reply::parse(line) {
            Ok(reply) => self.reply(reply),
            Err(_) => self.server(line),
        }
    }

    fn ended(&mut self, end: SessionEnd) {
        let how = end
            .reason
            .map_or_else(|| "by the client, the network, a deadline or the server's end".into(), |reason| format!("{reason}"));
        let (received, sent) = (end.octets_received, end.octets_sent);
        (self.write)(&format!("(session ended: {how}; {received} octets received, {sent} sent)"));
    }
}
