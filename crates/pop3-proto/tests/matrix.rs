//! Every command in every state, before TLS and under it, logged in or not, on both sides: each has the one answer that stands in
//! `matrix.txt`.

mod answering;

use std::fmt::Write;

use answering::serve;
use bytes::BytesMut;
use pop3_contract::{Transcript, server};
use pop3_proto::client::{Client, ClientConfig};
use pop3_proto::codec::{Command, Verb};
use pop3_proto::server::Connection;

/// One of every form of every command, and what is none.
const COMMANDS: &[&str] = &[
    "APOP joe 00000000000000000000000000000000",
    "AUTH",
    "AUTH PLAIN",
    "AUTH PLAIN AGpvZQBzZSBjcmV0",
    "CAPA",
    "DELE 1",
    "LANG",
    "LANG es",
    "LAST",
    "LIST",
    "LIST 1",
    "NOOP",
    "PASS se cret",
    "QUIT",
    "RETR 1",
    "RSET",
    "STAT",
    "STAT 1",
    "STLS",
    "TOP 1 0",
    "UIDL",
    "UIDL 1",
    "USER joe",
    "UTF8",
    "XCLIENT ADDR=192.0.2.1",
    "XYZZY",
];

/// Name, set-up, what was said before.
type Situation = (&'static str, &'static [&'static str], &'static str);

const SERVER: [Situation; 9] = [
    ("AUTHORIZATION, in the clear", &["all mechanisms", "in the clear"], ""),
    ("AUTHORIZATION, in the clear, cleartext login allowed", &["all mechanisms", "cleartext login"], ""),
    ("AUTHORIZATION, in the clear, behind UTF8", &["all mechanisms", "in the clear"], "UTF8\r\n"),
    ("AUTHORIZATION, under TLS", &["all mechanisms"], ""),
    ("AUTHORIZATION, under TLS, behind USER", &["all mechanisms"], "USER joe\r\n"),
    ("AUTHORIZATION, under TLS, in an exchange", &["all mechanisms"], "AUTH PLAIN\r\n"),
    ("TRANSACTION, in the clear", &["all mechanisms", "cleartext login"], "USER joe\r\nPASS se cret\r\n"),
    ("TRANSACTION, under TLS", &["all mechanisms"], "USER joe\r\nPASS se cret\r\n"),
    ("UPDATE", &["all mechanisms"], "USER joe\r\nPASS se cret\r\nQUIT\r\n"),
];

/// What a server answers to `said`, behind `before`.
fn answers(set_up: &[&str], said: &str) -> String {
    let transcript =
        Transcript { name: "matrix".to_owned(), set_up: set_up.iter().map(ToString::to_string).collect(), lines: Vec::new() };
    let (config, info) = server::set_up(&transcript);
    let (mut connection, mut mail, mut written) = (Connection::new(config.into(), info), None, Vec::new());
    if serve(&mut connection, &mut mail, &mut written) && !said.is_empty() {
        connection.unfilled()[..said.len()].copy_from_slice(said.as_bytes());
        connection.advance_read(said.len());
        serve(&mut connection, &mut mail, &mut written);
    }
    String::from_utf8(written).unwrap()
}

/// What was said and what was answered.
type Before = &'static [(&'static str, &'static str)];

/// Name, TLS, what came before.
const CLIENT: [(&str, bool, Before); 8] = [
    ("before the greeting", false, &[]),
    ("AUTHORIZATION, in the clear", false, &[("", "+OK\r\n")]),
    ("AUTHORIZATION, in the clear, behind UTF8", false, &[("", "+OK\r\n"), ("UTF8", "+OK\r\n")]),
    ("AUTHORIZATION, under TLS", true, &[("", "+OK\r\n")]),
    ("AUTHORIZATION, under TLS, in an exchange", true, &[("", "+OK\r\n"), ("AUTH PLAIN", "+ \r\n")]),
    ("STLS agreed to", false, &[("", "+OK\r\n"), ("STLS", "+OK\r\n")]),
    ("TRANSACTION, under TLS", true, &[("", "+OK\r\n"), ("USER a", "+OK\r\n"), ("PASS b", "+OK\r\n")]),
    ("UPDATE", true, &[("", "+OK\r\n"), ("USER a", "+OK\r\n"), ("PASS b", "+OK\r\n"), ("QUIT", "")]),
];

fn may_send(encrypted: bool, before: Before, command: &str) -> String {
    let (config, mut out) = (ClientConfig::default(), BytesMut::new());
    let mut client = if encrypted { Client::new_encrypted(config) } else { Client::new(config) };
    for (said, heard) in before {
        if !said.is_empty() {
            client.send(Command::parse(said.as_bytes()).unwrap(), &mut out).unwrap();
        }
        let mut heard = heard.as_bytes();
        while !heard.is_empty() {
            let consumed = client.poll(heard).unwrap().consumed;
            heard = &heard[consumed..];
        }
    }
    match client.send(Command::parse(command.as_bytes()).unwrap(), &mut out) {
        Ok(_) => "sent".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn h09_s04_s31_every_command_in_every_state_has_its_one_answer() {
    for verb in Verb::ALL {
        assert!(COMMANDS.iter().any(|command| command.split(' ').next() == Some(verb.as_str())), "{verb} is missing");
    }
    let mut table = String::new();
    for (name, set_up, before) in SERVER {
        writeln!(table, "\nserver: {name}\n").unwrap();
        let known = answers(set_up, before);
        for command in COMMANDS {
            let all = answers(set_up, &format!("{before}{command}\r\n"));
            let answer = all.strip_prefix(&known).expect("what was said before is answered as before");
            writeln!(table, "{command:<42} {}", answer.lines().next().unwrap_or("(nothing)").trim_end()).unwrap();
        }
    }
    for (name, encrypted, before) in CLIENT {
        writeln!(table, "\nclient: {name}\n").unwrap();
        for command in COMMANDS.iter().filter(|command| Command::parse(command.as_bytes()).is_ok()) {
            writeln!(table, "{command:<42} {}", may_send(encrypted, before, command)).unwrap();
        }
    }
    let table = table.trim_start();
    let expected = include_str!("matrix.txt");
    if table != expected {
        let changed = table.lines().zip(expected.lines()).find(|(is, should)| is != should);
        let actual = concat!(env!("CARGO_TARGET_TMPDIR"), "/matrix.txt");
        std::fs::write(actual, table).unwrap();
        panic!("the first difference: {changed:#?}; all that is: {actual}");
    }
}
