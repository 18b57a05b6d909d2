//! A server with a maildrop of its own, and any fault that a test gives it.

use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};
use std::thread;

use super::pop3;

/// What a server says to a line, if it is not what it would say by itself.
pub enum Say {
    /// As a good server does.
    Default,
    Bytes(Vec<u8>),
    /// These bytes, and then nothing more: the connection is closed.
    ThenClose(Vec<u8>),
}

impl Say {
    pub fn line(text: &str) -> Self {
        Self::Bytes(format!("{text}\r\n").into_bytes())
    }
}

/// A message as it is on the wire, and its unique-id.
pub type Message = (String, Vec<u8>);

/// A message of its own kind.
pub fn message(number: u32) -> Message {
    (format!("id-{number}-x"), format!("From: a{number}@example.org\r\nSubject: message {number}\r\n\r\nbody\r\n").into_bytes())
}

#[derive(Default)]
pub struct State {
    pub messages: Vec<Message>,
    /// All lines of all sessions.
    pub heard: Vec<String>,
    pub sessions: usize,
    /// Lines of this session so far.
    pub lines: usize,
    marked: Vec<usize>,
    /// In the place of `+OK ready`.
    pub greeting: Vec<u8>,
    /// Deletions are confirmed and forgotten.
    pub keeps_deleted: bool,
}

type Answer = dyn Fn(&mut State, &str) -> Say + Send + Sync;

/// The server. Its sessions come one after the other.
#[derive(Clone)]
pub struct Fake {
    pub port: u16,
    state: Arc<Mutex<State>>,
}

impl Fake {
    pub fn new(messages: Vec<Message>) -> Self {
        Self::with("USER\r\nUIDL\r\nTOP\r\n", messages, |_, _| Say::Default)
    }

    /// With what `CAPA` lists, and a fault.
    pub fn with(
        capabilities: &'static str,
        messages: Vec<Message>,
        answer: impl Fn(&mut State, &str) -> Say + Send + Sync + 'static,
    ) -> Self {
        pop3_contract::limit_test();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State { messages, ..State::default() }));
        let shared = Arc::clone(&state);
        let answer: Arc<Answer> = Arc::new(answer);
        thread::spawn(move || {
            for stream in listener.incoming() {
                session(stream.unwrap(), capabilities, &shared, &*answer);
            }
        });
        Self { port, state }
    }

    /// What happens to the maildrop between two runs.
    pub fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    pub fn heard(&self, beginning: &str) -> usize {
        self.state.lock().unwrap().heard.iter().filter(|line| line.starts_with(beginning)).count()
    }

    pub fn wire(&self) -> Vec<String> {
        self.state.lock().unwrap().heard.clone()
    }

    pub fn sessions(&self) -> usize {
        self.state.lock().unwrap().sessions
    }

    pub fn left(&self) -> usize {
        self.state.lock().unwrap().messages.len()
    }

    pub fn command(&self, maildir: &Path, options: &[&str]) -> Command {
        let mut command = pop3();
        command.args(["fetch", "127.0.0.1", "--user", "joe", "--dangerously-cleartext", "--port", &self.port.to_string()]);
        command.args(options).arg(maildir).env("POP3_PASSWORD", "secret");
        command
    }

    pub fn fetch(&self, maildir: &Path, options: &[&str]) -> Output {
        self.command(maildir, options).output().unwrap()
    }
}

fn session(mut stream: TcpStream, capabilities: &str, state: &Mutex<State>, answer: &Answer) {
    let greeting = {
        let mut state = state.lock().unwrap();
        state.sessions += 1;
        state.lines = 0;
        state.marked.clear();
        if state.greeting.is_empty() { b"+OK ready\r\n".to_vec() } else { state.greeting.clone() }
    };
    let _ = stream.write_all(&greeting);
    for line in BufReader::new(stream.try_clone().unwrap()).lines() {
        let Ok(line) = line else { break };
        let said = {
            let mut state = state.lock().unwrap();
            state.heard.push(line.clone());
            state.lines += 1;
            match answer(&mut state, &line) {
                Say::Default => (default(&mut state, capabilities, &line), line == "QUIT"),
                Say::Bytes(bytes) => (bytes, line == "QUIT"),
                Say::ThenClose(bytes) => (bytes, true),
            }
        };
        if stream.write_all(&said.0).is_err() || said.1 {
            break;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}

fn listing(entries: impl Iterator<Item = String>) -> Vec<u8> {
    let lines: String = entries.map(|entry| format!("{entry}\r\n")).collect();
    format!("+OK\r\n{lines}.\r\n").into_bytes()
}

fn default(state: &mut State, capabilities: &str, line: &str) -> Vec<u8> {
    let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
    let number = argument.parse::<usize>().unwrap_or(0);
    match verb {
        "CAPA" => format!("+OK\r\n{capabilities}.\r\n").into_bytes(),
        "STAT" => {
            format!("+OK {} {}\r\n", state.messages.len(), state.messages.iter().map(|(_, text)| text.len()).sum::<usize>())
                .into()
        }
        "LIST" => listing(state.messages.iter().enumerate().map(|(at, (_, text))| format!("{} {}", at + 1, text.len()))),
        "UIDL" => listing(state.messages.iter().enumerate().map(|(at, (id, _))| format!("{} {id}", at + 1))),
        "RETR" => {
            let stuffed = String::from_utf8_lossy(&state.messages[number - 1].1).replace("\r\n.", "\r\n..");
            format!("+OK\r\n{stuffed}.\r\n").into_bytes()
        }
        "DELE" => {
            state.marked.push(number - 1);
            b"+OK\r\n".to_vec()
        }
        "QUIT" => {
            let marked = std::mem::take(&mut state.marked);
            if !state.keeps_deleted {
                let mut at = 0;
                state.messages.retain(|_| {
                    at += 1;
                    !marked.contains(&(at - 1))
                });
            }
            b"+OK bye\r\n".to_vec()
        }
        "AUTH" | "STLS" | "APOP" => b"-ERR no\r\n".to_vec(),
        _ => b"+OK\r\n".to_vec(),
    }
}
