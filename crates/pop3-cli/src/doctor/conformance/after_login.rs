//! Statements about sessions after a login. No message is read, and none is marked as deleted.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pop3_blocking::Error;

use super::dialogue::Dialogue;
use super::{Holds, Statement, Way};
use crate::doctor::session::Login;
use crate::language::Message;

/// Examines a session. `None` if the server refuses the login.
pub fn examine(way: &Way<'_>, user: &str, login: &Login) -> Result<Option<Vec<Statement>>, Error> {
    let (mut dialogue, _) = way.connect()?;
    if !log_in(&mut dialogue, user, login)? {
        return Ok(None);
    }
    let mut statements = Vec::new();
    let reply = dialogue.ask("NOOP")?;
    statements.push(Statement::shown("RFC 1939 §5", Message::new("conformance-noop"), reply.starts_with(b"+OK"), &reply));
    let reply = dialogue.ask("STAT")?;
    let stat = numbers(&reply);
    statements.push(Statement::shown("RFC 1939 §5", Message::new("conformance-stat"), stat.len() >= 2, &reply));
    let (messages, octets) = (stat.first().copied().unwrap_or(0), stat.get(1).copied().unwrap_or(0));
    statements.push(listing(&mut dialogue, messages, octets)?);
    statements.push(unique_ids(&mut dialogue)?);
    for (text, command) in [
        (Message::new("conformance-zero"), "LIST 0".to_owned()),
        (Message::new("conformance-beyond"), format!("LIST {}", messages.saturating_add(1))),
        (Message::new("conformance-no-number"), "LIST x".to_owned()),
    ] {
        let reply = dialogue.ask(&command)?;
        statements.push(Statement::shown("RFC 1939 §5", text, reply.starts_with(b"-ERR"), &reply));
    }
    statements.push(one(&mut dialogue, messages)?);
    let reply = dialogue.ask(&format!("USER {user}"))?;
    statements.push(Statement::shown("RFC 1939 §3", Message::new("conformance-logged-in"), reply.starts_with(b"-ERR"), &reply));
    let reply = dialogue.ask("RSET")?;
    statements.push(Statement::shown("RFC 1939 §5", Message::new("conformance-rset"), reply.starts_with(b"+OK"), &reply));
    let reply = dialogue.ask("QUIT")?;
    statements.push(Statement::shown("RFC 1939 §6", Message::new("conformance-update"), reply.starts_with(b"+OK"), &reply));
    // A server that repeats the password has it shown nowhere.
    statements.iter_mut().for_each(|statement| statement.withhold(&login.secret));
    Ok(Some(statements))
}

/// Logs in with `AUTH PLAIN`, or with `USER` and `PASS` if the server refuses that. The connection is encrypted and trusted.
fn log_in(dialogue: &mut Dialogue, user: &str, login: &Login) -> Result<bool, Error> {
    let plain = [b"\0", user.as_bytes(), b"\0", login.secret.expose()].concat();
    let reply = dialogue.ask("AUTH PLAIN")?;
    if reply.first() == Some(&b'+') && !reply.starts_with(b"+OK") {
        return Ok(dialogue.ask(&STANDARD.encode(plain))?.starts_with(b"+OK"));
    }
    if !dialogue.ask(&format!("USER {user}"))?.starts_with(b"+OK") {
        return Ok(false);
    }
    dialogue.send(&[b"PASS ", login.secret.expose(), b"\r\n"].concat())?;
    Ok(dialogue.line()?.starts_with(b"+OK"))
}

/// Returns the numbers after `+OK`, up to the first word that is none.
fn numbers(reply: &[u8]) -> Vec<u64> {
    let text = String::from_utf8_lossy(reply);
    let Some(rest) = text.strip_prefix("+OK ") else { return Vec::new() };
    rest.split(' ').map_while(|word| word.parse().ok()).collect()
}

fn listing(dialogue: &mut Dialogue, messages: u64, octets: u64) -> Result<Statement, Error> {
    let text = Message::new("conformance-list");
    let reply = dialogue.ask("LIST")?;
    if !reply.starts_with(b"+OK") {
        return Ok(Statement::shown("RFC 1939 §5", text, false, &reply));
    }
    let lines = dialogue.listing()?;
    let sizes: Vec<u64> = lines.iter().filter_map(|line| numbers(&[b"+OK ", line.as_slice()].concat()).get(1).copied()).collect();
    let sum = sizes.iter().try_fold(0_u64, |sum, size| sum.checked_add(*size));
    let is_kept = lines.len() as u64 == messages && sizes.len() == lines.len() && sum == Some(octets);
    let listed = sum.map_or_else(|| "?".to_owned(), |sum| sum.to_string());
    let seen = format!("STAT {messages} {octets}, LIST {} {listed}", lines.len());
    Ok(Statement::shown("RFC 1939 §5", text, is_kept, seen.as_bytes()))
}

fn unique_ids(dialogue: &mut Dialogue) -> Result<Statement, Error> {
    let text = Message::new("conformance-uidl");
    let reply = dialogue.ask("UIDL")?;
    if !reply.starts_with(b"+OK") {
        return Ok(Statement::new("RFC 1939 §7", text, Holds::NotHere));
    }
    let lines = dialogue.listing()?;
    let mut seen = BTreeSet::new();
    let mut is_wrong = |line: &Vec<u8>| {
        let id = line.iter().position(|octet| *octet == b' ').map_or(&[][..], |at| &line[at + 1..]);
        let is_unique_id = (1..=70).contains(&id.len()) && id.iter().all(|octet| (0x21..=0x7e).contains(octet));
        !is_unique_id || !seen.insert(id.to_vec())
    };
    let wrong = lines.iter().find(|line| is_wrong(line));
    Ok(Statement::shown("RFC 1939 §7", text, wrong.is_none(), wrong.map(Vec::as_slice).unwrap_or_default()))
}

fn one(dialogue: &mut Dialogue, messages: u64) -> Result<Statement, Error> {
    let text = Message::new("conformance-list-one");
    if messages == 0 {
        return Ok(Statement::new("RFC 1939 §5", text, Holds::NotHere));
    }
    let reply = dialogue.ask("LIST 1")?;
    // What follows is read in any case, so that it is not taken for the reply to the next command.
    let is_one_line = !dialogue.speaks();
    let is_kept = is_one_line && numbers(&reply).len() >= 2;
    Ok(Statement::shown("RFC 1939 §5", text, is_kept, &reply))
}
