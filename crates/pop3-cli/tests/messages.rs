//! What people read: how it went, what is wrong, and what to do next.

mod script;

use std::fs;
use std::net::TcpListener;
use std::process::Output;
use std::sync::Arc;

use pop3_test::Server;
use script::{Script, home, pop3, text};

fn output(found: &Output) -> (Option<i32>, String, String) {
    (found.status.code(), text(&found.stdout), text(&found.stderr))
}

/// A server that says this to a command, and how `fetch` ends there.
fn fetch_where(command: &'static str, reply: Option<&'static [u8]>) -> (Option<i32>, String) {
    let (_folder, maildir) = home();
    let server = Script::two_messages(Box::leak(Box::new([(command, reply)])));
    let (code, _, told) = output(&server.fetch(&maildir, &[]));
    (code, told)
}

#[test]
fn the_summary_is_one_line() {
    let (_folder, maildir) = home();
    let server = Script::two_messages(&[("RETR 2", Some(b"-ERR no\r\n"))]);
    let account = format!("joe@127.0.0.1:{}", server.port);
    let told = |found: Output| (found.status.code(), text(&found.stdout));
    assert_eq!(told(server.fetch(&maildir, &[])), (Some(8), format!("{account}: 1 message (16 B) fetched\n")));
    assert_eq!(told(server.fetch(&maildir, &[])), (Some(8), format!("{account}: nothing new, 1 known already\n")));
    let (_folder, maildir) = home();
    let server = Script::two_messages(&[]);
    let account = format!("joe@127.0.0.1:{}", server.port);
    assert_eq!(told(server.fetch(&maildir, &[])), (Some(0), format!("{account}: 2 messages (30 B) fetched\n")));
    assert_eq!(told(server.fetch(&maildir, &["--quiet"])), (Some(0), String::new()));
    assert_eq!(
        told(server.fetch(&maildir, &["--delete"])),
        (Some(0), format!("{account}: nothing new, 2 deleted on the server, 2 known already\n"))
    );
}

#[test]
fn a_refused_login_says_what_to_do() {
    let cases: [(&[u8], i32, &str); 6] = [
        (b"-ERR no\r\n", 5, "no"),
        (b"-ERR [AUTH] no\r\n", 5, "no"),
        (b"-ERR [IN-USE] no\r\n", 6, "Another program is reading this mailbox now."),
        (b"-ERR [LOGIN-DELAY] no\r\n", 6, "requires a pause between logins"),
        (b"-ERR [SYS/TEMP] no\r\n", 6, "a temporary fault"),
        (b"-ERR [SYS/PERM] no\r\n", 1, "that its administrator must fix"),
    ];
    for (reply, code, hint) in cases {
        let (ended, told) = fetch_where("PASS secret", Some(reply));
        assert_eq!(ended, Some(code), "{told}");
        assert!(told.contains(hint) && !told.contains("A port with TLS"), "{told}");
    }
    let (ended, told) = fetch_where("PASS secret", None);
    assert_eq!(ended, Some(5), "{told}");
    assert!(told.contains("Some servers hang up"), "{told}");
}

#[test]
fn s41_how_long_a_server_wants_to_be_left_alone_is_told() {
    let (_folder, maildir) = home();
    let server = Script::two_messages(&[
        ("CAPA", Some(b"+OK\r\nUSER\r\nUIDL\r\nLOGIN-DELAY 300\r\n.\r\n")),
        ("PASS secret", Some(b"-ERR [LOGIN-DELAY] no\r\n")),
    ]);
    let (code, _, told) = output(&server.fetch(&maildir, &[]));
    assert_eq!(code, Some(6));
    assert!(told.contains("a pause of 300 seconds between logins"), "{told}");
}

#[test]
fn a_port_that_is_the_wrong_one_is_told() {
    let (_folder, maildir) = home();
    // It hangs up before it has said anything, as one that waits for TLS does.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = Script { port: listener.local_addr().unwrap().port(), heard: Arc::default() };
    let hangs_up = std::thread::spawn(move || drop(listener.accept()));
    let (code, _, told) = output(&silent.fetch(&maildir, &[]));
    hangs_up.join().unwrap();
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("A port with TLS from the start (usually 995)"), "{told}");
    // Later it has nothing to do with the port.
    let (code, told) = fetch_where("UIDL", None);
    assert_eq!(code, Some(3), "{told}");
    assert!(!told.contains("A port with TLS"), "{told}");
    // Nobody listens.
    let (code, _, told) = output(&silent.fetch(&maildir, &[]));
    assert_eq!(code, Some(3), "{told}");
    assert!(told.contains("Check the host name, the port and the network."), "{told}");
}

#[test]
fn a_server_with_a_fault_is_not_taken_for_one_without_extensions() {
    for command in ["CAPA", "UIDL"] {
        let (code, told) = fetch_where(command, Some(b"-ERR [SYS/TEMP] not now\r\n"));
        assert_eq!(code, Some(6), "{command}: {told}");
    }
}

#[test]
fn h56_verbose_shows_the_dialogue_and_no_secret() {
    let (_folder, maildir) = home();
    let server = Script::two_messages(&[
        ("PASS secret", Some(b"+OK your password is secret\r\n")),
        ("STAT", Some(b"+OK 2 35 your password was secret\r\n")),
    ]);
    let (code, _, told) = output(&server.fetch(&maildir, &["--verbose"]));
    assert_eq!(code, Some(0), "{told}");
    for line in ["S: +OK ready", "C: USER joe", "C: PASS [redacted]", "C: RETR 2"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    let reply_to = |command| told.lines().skip_while(|line| !line.ends_with(command)).nth(1).unwrap();
    assert!(reply_to("C: PASS [redacted]").ends_with("S: +OK"), "{told}");
    assert!(reply_to("C: STAT").ends_with("(a line is not shown: it contains the password)"), "{told}");
    assert!(!told.contains("secret"), "{told}");
    // The states stand before their first commands, and each line begins with the local time to the second.
    let place = |part: &str| told.lines().position(|line| line.get(9..) == Some(part)).expect(part);
    let places =
        ["connected to 127.0.0.1 port ", "-- AUTHORIZATION", "C: USER joe", "-- TRANSACTION", "C: STAT", "-- UPDATE", "C: QUIT"];
    let first = told.lines().next().unwrap();
    assert!(first.contains(places[0]), "{told}");
    assert!(places[1..].windows(2).all(|two| place(two[0]) < place(two[1])), "{told}");
    let is_time = |line: &str| {
        line.bytes().take(8).enumerate().all(|(at, byte)| if at % 3 == 2 { byte == b':' } else { byte.is_ascii_digit() })
    };
    assert!(told.lines().filter(|line| !line.starts_with("pop3: ")).all(is_time), "{told}");
    // Neither more of it, nor everything, shows a secret.
    let (_, _, more) = output(&server.fetch(&maildir, &["-vv"]));
    assert!(more.contains("DEBUG") && more.contains("C: PASS [redacted]") && !more.contains("secret"), "{more}");
    let (_, _, all) = output(&server.command(&maildir, &[]).env("POP3_LOG", "trace").output().unwrap());
    assert!(all.contains("C: PASS [redacted]") && !all.contains("secret"), "{all}");
}

#[test]
fn verbose_names_the_version_of_tls() {
    let (folder, maildir) = home();
    let server = Server::builder().user("joe", "secret", ["Subject: one\r\n\r\n"]).tls().start().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, server.certificate().unwrap()).unwrap();
    let mut command = pop3();
    command.args(["fetch", &format!("localhost:{}", server.port()), "--user", "joe", "-v", "--ca-file", file.to_str().unwrap()]);
    let (code, _, told) = output(&command.arg(&maildir).env("POP3_PASSWORD", "secret").output().unwrap());
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains(" encrypted by TLSv1.3 with TLS13_"), "{told}");
}

#[test]
fn q43_q44_how_quit_ended_is_told() {
    let (_folder, maildir) = home();
    for (reply, expected) in [
        (None, "it is not known whether the server removed the deleted messages"),
        (Some(&b"-ERR some deleted messages not removed\r\n"[..]), "the server did not remove all deleted messages"),
    ] {
        let server = Script::two_messages(Box::leak(Box::new([("QUIT", reply)])));
        let (code, told, troubles) = output(&server.fetch(&maildir, &["--delete"]));
        assert_eq!(code, Some(8), "{troubles}");
        assert!(troubles.contains(expected) && !told.contains("deleted on the server"), "{told}{troubles}");
    }
}
