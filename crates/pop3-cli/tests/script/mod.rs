//! A server with a script, and the program as somebody calls it.
#![allow(dead_code)] // Not every test needs all of it.

pub mod authorization;
pub mod fake;
pub mod identity;
pub mod screens;

use std::collections::HashMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

pub fn pop3() -> Command {
    pop3_contract::limit_test();
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command.env_remove("POP3_PASSWORD").env_remove("POP3_LOG").env("LC_ALL", "C").stdin(Stdio::null());
    command
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A server that answers each command as `answer` says; `None` ends the connection. `RETR` and `TOP` are answered by what is
/// given for the whole line. It remembers what it heard.
pub struct Script {
    pub port: u16,
    pub heard: Arc<Mutex<Vec<String>>>,
}

impl Script {
    pub fn new(answer: impl Fn(&str) -> Option<Vec<u8>> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard: Arc<Mutex<Vec<String>>> = Arc::default();
        let hears = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.write_all(b"+OK ready\r\n");
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                while let Some(Ok(line)) = lines.next() {
                    hears.lock().unwrap().push(line.clone());
                    let Some(reply) = answer(&line) else { break };
                    if stream.write_all(&reply).is_err() {
                        break;
                    }
                }
                let _ = stream.shutdown(std::net::Shutdown::Both);
            }
        });
        Self { port, heard }
    }

    /// A drop of two messages, with some answers changed.
    pub fn two_messages(changed: &'static [(&'static str, Option<&'static [u8]>)]) -> Self {
        let changed: HashMap<&str, Option<&[u8]>> = changed.iter().copied().collect();
        Self::new(move |line| {
            if let Some(reply) = changed.get(line) {
                return reply.map(<[u8]>::to_vec);
            }
            let reply: &[u8] = match line {
                "CAPA" => b"-ERR what?\r\n",
                "LIST" => b"+OK\r\n1 19\r\n2 16\r\n.\r\n",
                "UIDL" => b"+OK\r\n1 one\r\n2 two\r\n.\r\n",
                "RETR 1" => b"+OK\r\nSubject: one\r\n\r\n..\r\n.\r\n",
                "RETR 2" => b"+OK\r\nSubject: two\r\n\r\n.\r\n",
                _ => b"+OK\r\n",
            };
            Some(reply.to_vec())
        })
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

    pub fn heard(&self, command: &str) -> usize {
        self.heard.lock().unwrap().iter().filter(|line| *line == command).count()
    }
}

pub fn mail(maildir: &Path) -> Vec<String> {
    let mut mail: Vec<String> =
        fs::read_dir(maildir.join("new")).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap()).collect();
    mail.sort();
    mail
}

pub fn in_tmp(maildir: &Path) -> usize {
    fs::read_dir(maildir.join("tmp")).unwrap().count()
}

pub fn home() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let maildir = folder.path().join("Maildir");
    (folder, maildir)
}
