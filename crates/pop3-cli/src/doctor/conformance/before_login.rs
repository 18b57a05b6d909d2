//! Statements about sessions before a login.

use pop3_blocking::Error;

use super::dialogue::Dialogue;
use super::{Holds, Statement, Way, said};
use crate::doctor::service::Begins;
use crate::language::Message;

/// A reply line may have this many octets with its end (RFC 2449 §4).
const LONGEST_REPLY: usize = 512;

fn is_refusal(line: &[u8]) -> bool {
    line == b"-ERR" || line.starts_with(b"-ERR ")
}

fn is_confirmation(line: &[u8]) -> bool {
    line == b"+OK" || line.starts_with(b"+OK ")
}

pub fn examine(way: &Way<'_>) -> Result<Vec<Statement>, Error> {
    let (mut dialogue, greeting) = way.connect()?;
    let mut statements = vec![
        Statement::shown("RFC 1939 §4", Message::new("conformance-greeting"), is_confirmation(&greeting), &greeting),
        Statement::shown(
            "RFC 2449 §4",
            Message::new("conformance-greeting-length"),
            greeting.len() + 2 <= LONGEST_REPLY,
            &greeting,
        ),
    ];
    let capabilities = capabilities(&mut dialogue, &mut statements)?;
    let has = |name: &str| {
        let is = |line: &Vec<u8>| {
            line.split(|octet| *octet == b' ').next().is_some_and(|word| word.eq_ignore_ascii_case(name.as_bytes()))
        };
        capabilities.as_ref().is_some_and(|lines| lines.iter().any(is))
    };
    let mut refused = |dialogue: &mut Dialogue, source, text, command: &str| -> Result<(), Error> {
        let reply = ask(way, dialogue, command)?;
        statements.push(Statement::shown(source, text, is_refusal(&reply), &reply));
        Ok(())
    };
    refused(&mut dialogue, "RFC 1939 §3", Message::new("conformance-unknown"), "XYZZY")?;
    refused(&mut dialogue, "RFC 1939 §3", Message::new("conformance-state"), "STAT")?;
    refused(&mut dialogue, "RFC 1939 §7", Message::new("conformance-pass-first"), "PASS secret")?;
    refused(&mut dialogue, "RFC 1939 §3", Message::new("conformance-empty"), "")?;
    if way.begins == Begins::InClear || has("STLS") {
        refused(&mut dialogue, "RFC 2595 §4", Message::new("conformance-stls-twice"), "STLS")?;
    }
    // 255 octets with the end of the line (RFC 2449 §4).
    refused(&mut dialogue, "RFC 2449 §4", Message::new("conformance-long-line"), &format!("XYZZY {}", "x".repeat(247)))?;
    let offered = Message::new("conformance-stls-offered");
    statements.push(Statement::new("RFC 2595 §4", offered, if has("STLS") { Holds::No(said(b"STLS")) } else { Holds::Yes }));
    // From here on too few commands are wrong for a server to lose its patience.
    let mut dialogue = way.connect()?.0;
    statements.push(pipelined(&mut dialogue, has("PIPELINING"))?);
    let mut dialogue = way.connect()?.0;
    statements.push(cancelled(&mut dialogue, has("SASL"))?);
    let reply = dialogue.ask("quit")?;
    statements.push(Statement::shown("RFC 1939 §3", Message::new("conformance-case"), is_confirmation(&reply), &reply));
    let closed = if dialogue.is_closed() { Holds::Yes } else { Holds::No(Message::new("conformance-open")) };
    statements.push(Statement::new("RFC 1939 §4", Message::new("conformance-quit"), closed));
    statements.push(injection(way)?);
    Ok(statements)
}

/// Sends a command. If the server has closed the connection, as some do after a few wrong commands, sends it again in a new session.
fn ask(way: &Way<'_>, dialogue: &mut Dialogue, command: &str) -> Result<Vec<u8>, Error> {
    if let Ok(reply) = dialogue.ask(command) {
        return Ok(reply);
    }
    *dialogue = way.connect()?.0;
    Ok(dialogue.ask(command)?)
}

/// Asks for the capabilities. `None` if the server has no `CAPA`.
fn capabilities(dialogue: &mut Dialogue, statements: &mut Vec<Statement>) -> Result<Option<Vec<Vec<u8>>>, Error> {
    let reply = dialogue.ask("CAPA")?;
    statements.push(Statement::shown("RFC 2449 §5", Message::new("conformance-capa"), is_confirmation(&reply), &reply));
    let text = Message::new("conformance-capa-lines");
    if !is_confirmation(&reply) {
        statements.push(Statement::new("RFC 2449 §4", text, Holds::NotHere));
        return Ok(None);
    }
    let lines = dialogue.listing()?;
    let long = lines.iter().find(|line| line.len() + 2 > LONGEST_REPLY || line.is_empty());
    statements.push(Statement::shown("RFC 2449 §4", text, long.is_none(), long.map(Vec::as_slice).unwrap_or_default()));
    Ok(Some(lines))
}

/// Sends three commands at once.
fn pipelined(dialogue: &mut Dialogue, is_offered: bool) -> Result<Statement, Error> {
    let text = Message::new("conformance-pipelining");
    if !is_offered {
        return Ok(Statement::new("RFC 2449 §6.6", text, Holds::NotHere));
    }
    dialogue.send(b"XYZZY\r\nCAPA\r\nXYZZY\r\n")?;
    let first = dialogue.line()?;
    let second = dialogue.line()?;
    if is_confirmation(&second) {
        dialogue.listing()?;
    }
    let third = dialogue.line()?;
    let is_kept = is_refusal(&first) && is_confirmation(&second) && is_refusal(&third);
    Ok(Statement::shown("RFC 2449 §6.6", text, is_kept, &[first, second, third].join(&b" | "[..])))
}

/// Begins a login, and cancels it.
fn cancelled(dialogue: &mut Dialogue, is_offered: bool) -> Result<Statement, Error> {
    let text = Message::new("conformance-cancel");
    let reply = if is_offered { dialogue.ask("AUTH PLAIN")? } else { Vec::new() };
    if reply != b"+" && !reply.starts_with(b"+ ") {
        return Ok(Statement::new("RFC 5034 §4", text, Holds::NotHere));
    }
    let reply = dialogue.ask("*")?;
    Ok(Statement::shown("RFC 5034 §4", text, is_refusal(&reply), &reply))
}

/// Sends a command in the clear together with `STLS`. The server must not answer it after the handshake, as if it had come over TLS.
fn injection(way: &Way<'_>) -> Result<Statement, Error> {
    let text = Message::new("conformance-injection");
    if way.begins == Begins::WithTls {
        return Ok(Statement::new("RFC 2595 §4", text, Holds::NotHere));
    }
    let mut dialogue = Dialogue::connect(way.address, way.limit)?;
    dialogue.line()?;
    dialogue.send(b"STLS\r\nCAPA\r\n")?;
    let reply = dialogue.line()?;
    if !is_confirmation(&reply) {
        return Ok(Statement::new("RFC 2595 §4", text, Holds::NotHere));
    }
    // A server that closes the connection, or whose handshake fails over the command, has not been deceived.
    let is_deceived = dialogue.start_tls(way.host, &way.tls).is_ok_and(|mut encrypted| encrypted.speaks());
    let holds = if is_deceived { Holds::No(Message::new("conformance-injected")) } else { Holds::Yes };
    Ok(Statement::new("RFC 2595 §4", text, holds))
}
