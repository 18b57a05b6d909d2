//! The dialogue with a server, for `--verbose`.

use pop3_blocking::proto::client::{ClientEvent, Observer};
use pop3_blocking::proto::{Secret, State, Transcript};

use crate::withhold::withhold_line;

type Write = Box<dyn FnMut(&str) + Send>;

/// Logs the dialogue, and each state of the session before its first command.
pub struct Dialogue {
    transcript: Transcript<Write>,
    state: Option<State>,
}

impl Dialogue {
    /// Returns a log that shows no line with `secret`.
    pub fn new(secret: Option<Secret>) -> Self {
        let write = move |line: &str| tracing::debug!("{}", withhold_line(line, secret.as_ref()));
        Self { transcript: Transcript::new(Box::new(write)), state: None }
    }
}

impl Observer for Dialogue {
    fn sent(&mut self, state: Option<State>, line: &str) {
        // `QUIT` is sent in TRANSACTION and begins UPDATE.
        let state = if line == "QUIT" && state == Some(State::Transaction) { Some(State::Update) } else { state };
        if state.is_some() && state != self.state {
            self.state = state;
            match state {
                Some(State::Authorization) => tracing::debug!("-- AUTHORIZATION"),
                Some(State::Transaction) => tracing::debug!("-- TRANSACTION"),
                Some(State::Update) => tracing::debug!("-- UPDATE"),
                None => {}
            }
        }
        self.transcript.sent(state, line);
    }

    fn received(&mut self, state: Option<State>, event: &ClientEvent<'_>) {
        self.transcript.received(state, event);
    }
}
