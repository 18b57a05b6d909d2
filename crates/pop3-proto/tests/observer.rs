//! What the observer of a server's session learns, and that it learns no secret.

use std::sync::{Arc, Mutex};

use pop3_proto::Transcript;
use pop3_proto::codec::UniqueId;
use pop3_proto::sasl::Mechanism;
use pop3_proto::server::{Action, Connection, ConnectionInfo, LoginDenial, Question, ServerConfig, Snapshot};

/// Answers a client that says all of `input` at once, and returns the transcript.
fn transcript(input: &str, config: ServerConfig) -> Vec<String> {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&lines);
    let mut session = Connection::new(config.into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() });
    session.observe(Box::new(Transcript::new(move |line| kept.lock().unwrap().push(line.to_owned()))));
    let mut rest = input.as_bytes();
    loop {
        match session.next_action() {
            Action::Read => {
                let unfilled = session.unfilled();
                let count = rest.len().min(unfilled.len());
                unfilled[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                session.advance_read(count);
            }
            Action::Write => session.advance_written(session.output().len()),
            Action::Answer(Question::Authenticate(login)) if login.name.as_bytes() == b"joe" => {
                let mut snapshot = Snapshot::default();
                for id in ["a", "b"] {
                    snapshot.push(11, UniqueId::new(id).unwrap()).unwrap();
                }
                session.answer().accept(snapshot).unwrap();
            }
            Action::Answer(Question::Authenticate(_)) => session.answer().deny(LoginDenial::Credentials).unwrap(),
            Action::Answer(Question::Retrieve { .. }) => {
                session.answer().begin_message().unwrap();
                session.answer().body(b"-ERR a line\n+OK").unwrap();
                session.answer().end_message().unwrap();
            }
            Action::Answer(_) => session.answer().finish_commit(0).unwrap(),
            Action::Unanswered | Action::UpgradeTls => unreachable!(),
            Action::Close => break,
        }
    }
    drop(session);
    let lines = lines.lock().unwrap();
    lines.clone()
}

#[test]
fn h56_an_observer_learns_commands_replies_and_the_end_and_no_secret() {
    let input = format!(
        "CAPA\r\nUSER eve\r\nPASS hunter2\r\nAUTH PLAIN\r\nAGV2ZQBodW50ZXIy\r\nAUTH PLAIN\r\n*\r\nXYZ hunter2\r\n{}hunter2\r\n\
         USER joe\r\nPASS hunter2\r\nLIST\r\nSTAT\r\nRETR 1\r\nDELE 9\r\nQUIT\r\n",
        "x".repeat(3000)
    );
    let config = ServerConfig { mechanisms: vec![Mechanism::Plain], ..ServerConfig::default() };
    let lines = transcript(&input, config);
    let expected = [
        "S: +OK POP3 server ready",
        "C: CAPA",
        "S: +OK ",
        "C: USER eve",
        "S: +OK ",
        "C: PASS [redacted]",
        "S: -ERR [AUTH]",
        "C: AUTH PLAIN",
        "S: +",
        "C: [redacted]",
        "S: -ERR [AUTH]",
        "C: AUTH PLAIN",
        "S: +",
        "C: *",
        "S: -ERR ",
        "C: XYZ [redacted]",
        "S: -ERR",
        "C: [redacted]",
        "S: -ERR",
        "C: USER joe",
        "S: +OK ",
        "C: PASS [redacted]",
        "S: +OK",
        "C: LIST",
        "S: +OK ",
        "C: STAT",
        "S: +OK 2 22",
        "C: RETR 1",
        "S: +OK 11 ",
        "C: DELE 9",
        "S: -ERR ",
        "C: QUIT",
        "S: +OK ",
        "(session ended: the client sent QUIT; ",
    ];
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(expected) {
        assert!(line.starts_with(expected), "{line:?} does not begin with {expected:?}: {lines:#?}");
        assert!(!line.contains("hunter2") && !line.contains("AGV2ZQ"), "{line:?}");
    }
    assert!(lines[33].contains(&format!("{} octets received", input.len())), "{}", lines[33]);
}

#[test]
fn a_session_that_the_client_ends_has_no_reason() {
    let lines = transcript("NOOP\r\n", ServerConfig::default());
    let end = "(session ended: by the client, the network, a deadline or the server's end; 6 octets received, ";
    assert!(lines.last().is_some_and(|line| line.starts_with(end)), "{lines:#?}");
}
