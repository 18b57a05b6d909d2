//! Client transcripts: what is told to the client and what must come out.

use std::sync::{Arc, Mutex, PoisonError};

use pop3_proto::State;
use pop3_proto::client::{CleartextLogin, ClientConfig, ClientEvent, Observer};
use pop3_proto::codec::{Command, Escaped};

use crate::transcript::{Cut, Line, Transcript};

/// How the client of a transcript is set up, and whether TLS is active from the start.
///
/// # Panics
/// The transcript asks for something that is not known.
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

/// One thing to do in a transcript.
#[derive(Debug)]
pub enum Act<'t> {
    /// Send this command; `wire` is what must be written.
    Send {
        /// The command.
        command: Command<'t>,
        /// Its line.
        wire: &'t [u8],
    },
    /// Read this, which was sent together.
    Read(Vec<u8>),
    /// The stream ends.
    End,
}

/// What is done in a transcript, in its order.
///
/// # Panics
/// A line of the client is no command.
pub fn acts(transcript: &Transcript) -> Vec<Act<'_>> {
    let mut acts = Vec::new();
    for line in transcript.lines.iter().filter(|line| line.who != '=') {
        let Line { who, bytes, text } = line;
        match (who, text.as_str(), acts.last_mut()) {
            ('C', ..) => {
                let command = Command::parse(bytes.strip_suffix(b"\r\n").unwrap_or(bytes)).expect("a command");
                acts.push(Act::Send { command, wire: bytes });
            }
            (_, "EOF", _) => acts.push(Act::End),
            (_, _, Some(Act::Read(before))) => before.extend_from_slice(bytes),
            _ => acts.push(Act::Read(bytes.clone())),
        }
    }
    acts
}

/// What came out, a line for each event. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    /// The lines so far.
    pub fn lines(&self) -> Vec<String> {
        self.with(|lines| lines.clone())
    }

    fn with<T>(&self, change: impl FnOnce(&mut Vec<String>) -> T) -> T {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Something that is no event, as an error.
    pub fn note(&self, line: impl std::fmt::Display) {
        self.with(|lines| lines.push(line.to_string()));
    }

    /// An event.
    ///
    /// # Panics
    /// The event is not known here.
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
                // Where a message was cut is nobody's business: pieces are put together.
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

    /// The session has ended as it should.
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

/// The events that a transcript demands.
pub fn expected(transcript: &Transcript) -> Vec<&str> {
    transcript.lines.iter().filter(|line| line.who == '=').map(|line| line.text.as_str()).collect()
}

/// Compares what came out with what must.
///
/// # Panics
/// They differ.
pub fn check(transcript: &Transcript, cut: Cut, log: &[String], expected: &[&str]) {
    let same = log.len() == expected.len()
        && log.iter().zip(expected).all(|(is, should)| match should.strip_suffix("...") {
            Some(beginning) => is.starts_with(beginning),
            None => is.trim_end() == should.trim_end(),
        });
    assert!(same, "{} {cut:?}:\nis     {log:#?}\nshould {expected:#?}", transcript.name);
}
