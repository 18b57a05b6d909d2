//! Prints the dialogue of client and server, grouped by the states of the protocol.

use indicatif::{HumanBytes, ProgressBar};
use pop3_blocking::proto::State;
use pop3_blocking::proto::client::{ClientEvent, Observer};
use pop3_blocking::proto::codec::Escaped;

use crate::failure::say;
use crate::language::Message;

/// Maximum number of lines of a listing that are printed.
const LINES: u64 = 8;

pub struct Dialogue {
    bar: ProgressBar,
    state: Option<State>,
    lines: u64,
    octets: u64,
}

impl Dialogue {
    pub fn new(bar: ProgressBar) -> Self {
        Self { bar, state: None, lines: 0, octets: 0 }
    }

    /// Prints a line above the progress bar, below a heading if the state has changed.
    fn say(&mut self, state: Option<State>, line: &str) {
        let heading = state.filter(|_| state != self.state).map(|state| {
            self.state = Some(state);
            match state {
                State::Authorization => Message::new("demo-authorization"),
                State::Transaction => Message::new("demo-transaction"),
                State::Update => Message::new("demo-update"),
            }
        });
        self.bar.suspend(|| {
            if let Some(heading) = heading {
                let _ = say(format_args!("\n── {heading} ──"));
            }
            let _ = say(format_args!("  {line}"));
        });
    }
}

impl Observer for Dialogue {
    fn sent(&mut self, state: Option<State>, line: &str) {
        // `QUIT` is sent in TRANSACTION and begins UPDATE; it is shown under UPDATE.
        let state = if line == "QUIT" { Some(State::Update) } else { state };
        self.say(state, &format!("C: {line}"));
    }

    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::Greeting(greeting) => self.say(state, &format!("S: +OK {}", greeting.reply.display_text())),
            ClientEvent::Reply(_, reply) => {
                (self.lines, self.octets) = (0, 0);
                // A login changes the state, but its reply still belongs to the previous state.
                let state = self.state;
                self.say(state, format!("S: {} {}", reply.status.as_str(), reply.display_text()).trim_end());
            }
            ClientEvent::Line(_, line) => {
                self.lines += 1;
                if self.lines <= LINES {
                    self.say(self.state, &format!("S: {}", Escaped(line)));
                }
            }
            ClientEvent::Body(_, chunk) => self.octets += chunk.len() as u64,
            ClientEvent::End(_) => {
                if self.lines > LINES {
                    self.say(self.state, &format!("S: {}", Message::new("demo-more-lines").with("count", self.lines - LINES)));
                }
                if self.octets > 0 {
                    self.say(self.state, &format!("S: {}", Message::new("demo-message").with("size", HumanBytes(self.octets))));
                }
                self.say(self.state, "S: .");
            }
            ClientEvent::UpgradeTls(_) => {
                self.say(self.state, &format!("S: +OK begin TLS\n     {}", Message::new("demo-handshake")));
            }
            _ => {}
        }
    }
}
