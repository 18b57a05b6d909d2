//! Client transcripts: the input of a client, and the expected events.

use std::sync::{Arc, Mutex, PoisonError};

use pop3_proto::State;
use pop3_proto::client::{CleartextLogin, ClientConfig, ClientEvent, Observer};
use pop3_proto::codec::{Command, Escaped};

use crate::transcript::{Cut, Line, Transcript};

/// Returns the configuration of a transcript's client, and `true` if TLS is active from the start.
///
/// # Panics
/// Panics if the transcript asks for an unknown set-up.
pub fn set_up(transcript: &Transcript) -> (ClientConfig, bool) {
    let mut config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
    let mut encrypted = false;
    for word in &transcript.set_up {
        match word.as_str() {
            "encrypted" => encrypted = true,
            "cleartext refused" => config.cleartext_login = CleartextLogin::Refuse,
            "small limits" => {
                (config.max_line, config.max_listing, config.max_capabilities, config.max_message) = (64, 3, 3, Some(40));
            }
            "small octet limits" => (config.max_listing_octets, config.max_capabilities_octets) = (40, 40),
            other => panic!("{}: {other:?} is no set-up that is known", transcript.name),
        }
    }
    (config, encrypted)
}

/// One step of a transcript.
#[derive(Debug)]
pub enum Act<'t> {
    /// Sending a command.
    Send {
        /// The command.
        command: Command<'t>,
        /// The line that must be written, with its line end.
        wire: &'t [u8],
    },
    /// Reading bytes that were sent together.
    Read(Vec<u8>),
    /// The end of the stream.
    End,
}

/// Returns the steps of a transcript, in their order.
///
/// # Panics
/// Panics if a line of the client is no command.
pub fn acts(transcript: &Transcript) -> Vec<Act<'_>> {
    let mut acts = Vec::new();
    for line in transcript.lines.iter().filter(|line| line.who != '=') {
        let Line { who, bytes, text } = line;
        match (who, text.as_str(), acts.last_mut()) {
            ('C', ..) => {
                let command = Command::parse(bytes.strip_suffix(b"\r\n").unwrap_or(bytes));
                let command = command.unwrap_or_else(|error| panic!("{}: {text}: {error}", transcript.name));
                acts.push(Act::Send { command, wire: bytes });
            }
            (_, "EOF", _) => acts.push(Act::End),
            (_, _, Some(Act::Read(before))) => before.extend_from_slice(bytes),
            _ => acts.push(Act::Read(bytes.clone())),
        }
    }
    acts
}

/// The observed events, one line for each. Clones share the log.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// Returns the lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.with(|lines| lines.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Vec<String>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Adds a line, for example for an error.
    pub fn note(&self, line: impl std::fmt::Display) {
        self.with(|lines| lines.push(line.to_string()));
    }

    /// Adds an event.
    ///
    /// # Panics
    /// Panics if the kind of event is unknown.
    pub fn event(&self, event: &ClientEvent<'_>) {
        match event {
            ClientEvent::NeedInput | ClientEvent::Continue => {}
            ClientEvent::Greeting(greeting) => self.note(format_args!(
                "greeting {}{} {}",
                greeting.reply.status.as_str(),
                greeting.timestamp.map(|stamp| format!(" stamp {}", Escaped(stamp))).unwrap_or_default(),
                greeting.reply.display_text()
            )),
            ClientEvent::Reply(_, reply) => {
                let code = reply.code.map(|code| format!(" [{}]", Escaped(code.as_bytes()))).unwrap_or_default();
                self.note(format!("reply {}{code} {}", reply.status.as_str(), reply.display_text()).trim());
            }
            ClientEvent::Line(_, line) => self.note(format_args!("line {}", line.escape_ascii())),
            ClientEvent::Body(_, chunk) => self.with(|lines| {
                // Body chunks are joined, because they depend on how the input was split.
                let chunk = chunk.escape_ascii().to_string();
                match lines.last_mut() {
                    Some(last) if last.starts_with("body ") => last.push_str(&chunk),
                    _ => lines.push(format!("body {chunk}")),
                }
            }),
            ClientEvent::Challenge(_, challenge) => match challenge.decode() {
                Ok(text) => self.note(format_args!("challenge {}", text.escape_ascii())),
                Err(_) => self.note("challenge (not base64)"),
            },
            ClientEvent::End(_) => self.note("end"),
            ClientEvent::UpgradeTls(_) => self.note("upgrade"),
            ClientEvent::Closed if self.is_closed() => {}
            ClientEvent::Closed => self.note("closed"),
            other => panic!("{other:?}"),
        }
    }

    /// Returns `true` if the session has ended normally.
    pub fn is_closed(&self) -> bool {
        self.with(|lines| lines.last().is_some_and(|last| last == "closed"))
    }
}

impl Observer for Log {
    fn sent(&mut self, _: Option<State>, _: &str) {}

    fn received(&mut self, _: Option<State>, event: &ClientEvent<'_>) {
        self.event(event);
    }
}

/// Returns the events that a transcript expects.
pub fn expected(transcript: &Transcript) -> Vec<&str> {
    transcript.lines.iter().filter(|line| line.who == '=').map(|line| line.text.as_str()).collect()
}

/// Compares the observed events with the expected ones.
///
/// # Panics
/// Panics if they differ.
pub fn check(transcript: &Transcript, cut: Cut, log: &[String], expected: &[&str]) {
    let same = log.len() == expected.len()
        && log.iter().zip(expected).all(|(is, should)| match should.strip_suffix("...") {
            Some(beginning) => is.starts_with(beginning),
            None => is.trim_end() == should.trim_end(),
        });
    assert!(same, "{} {cut:?}:\nis     {log:#?}\nshould {expected:#?}", transcript.name);
}
