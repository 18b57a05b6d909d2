//! `pop3 doctor --conformance` against servers that keep to the RFCs, and against ones that do not.

mod script;

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Output;
use std::sync::Arc;
use std::thread;

use pop3_blocking::rustls::crypto::ring;
use pop3_blocking::rustls::pki_types::PrivatePkcs8KeyDer;
use pop3_blocking::rustls::{self, ServerConnection};
use pop3_test::{Builder, Fault, Server};
use script::identity::{parameters, self_signed};
use script::{pop3, text};

fn examine(port: u16, certificate: &str, options: &[&str]) -> Output {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ca.pem");
    fs::write(&file, certificate).unwrap();
    let mut command = pop3();
    command.args(["doctor", "127.0.0.1", "--conformance", "--port", &port.to_string(), "--timeout", "5"]);
    command.arg("--ca-file").arg(&file).args(options).env("POP3_PASSWORD", "secret").env("LC_ALL", "C").env("COLUMNS", "100");
    command.output().unwrap()
}

fn with_mail(server: Builder) -> Builder {
    server.user("joe", "secret", ["Subject: one\r\n\r\n1\r\n", "Subject: two\r\n\r\n2\r\n"])
}

/// Returns the statements that do not hold.
fn broken(server: Builder, options: &[&str]) -> BTreeSet<String> {
    let server = with_mail(server).start().unwrap();
    let options = [&["--user", "joe", "--json"], options].concat();
    let output = examine(server.port(), server.certificate().unwrap(), &options);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)));
    let statements = json["statements"].as_array().unwrap();
    let broken = statements.iter().filter(|statement| statement["holds"] == false);
    let broken: BTreeSet<_> = broken.map(|statement| statement["id"].as_str().unwrap().replace("conformance-", "")).collect();
    assert_eq!(output.status.code(), Some(i32::from(!broken.is_empty())), "{}", text(&output.stdout));
    assert_eq!(json["broken"], broken.len());
    assert_eq!(server.messages("joe").len(), 2, "nothing is deleted");
    assert!(
        !server.commands().iter().any(|line| line.starts_with("RETR") || line.starts_with("DELE")),
        "{:?}",
        server.commands()
    );
    broken
}

#[test]
fn a_right_server_keeps_to_every_statement() {
    assert_eq!(broken(Server::builder().tls(), &[]), BTreeSet::new());
    assert_eq!(broken(Server::builder().stls(), &["--stls"]), BTreeSet::new());
}

#[test]
fn each_statement_that_a_server_breaks_is_named() {
    let tls = || Server::builder().tls();
    let cases = [
        (tls().fault(Fault::on("greeting").reply("+OKAY\r\n")), &["greeting"][..]),
        (tls().fault(Fault::on("greeting").reply(format!("+OK {}\r\n", "x".repeat(600)))), &["greeting-length"]),
        (tls().fault(Fault::on("CAPA").refuse("what?")), &["capa"]),
        (tls().capabilities(["STLS", "UIDL"]), &["stls-offered"]),
        (tls().fault(Fault::on("XYZZY").reply("+OK\r\n")), &["unknown", "long-line", "pipelining"]),
        (tls().fault(Fault::on("PASS").nth(1).reply("+OK\r\n")), &["pass-first"]),
        (tls().fault(Fault::on("NOOP").refuse("no")), &["noop"]),
        (tls().fault(Fault::on("STAT").nth(2).reply("+OK 3 40\r\n")), &["list"]),
        (tls().fault(Fault::on("STAT").nth(2).reply("+OK two\r\n")), &["stat", "list", "beyond"]),
        (tls().fault(Fault::on("UIDL").reply("+OK\r\n1 a\r\n2 a\r\n.\r\n")), &["uidl"]),
        (tls().fault(Fault::on("UIDL").reply("+OK\r\n1 a b\r\n2 c\r\n.\r\n")), &["uidl"]),
        (tls().fault(Fault::on("LIST").nth(5).reply("+OK\r\n1 17\r\n.\r\n")), &["list-one"]),
        // Numbers beyond those of the machine.
        (tls().fault(Fault::on("STAT").nth(2).reply("+OK 18446744073709551615 0\r\n")), &["list"]),
        (
            tls().fault(Fault::on("LIST").nth(1).reply("+OK\r\n1 18446744073709551615\r\n2 18446744073709551615\r\n.\r\n")),
            &["list"],
        ),
        (tls().fault(Fault::on("RSET").refuse("no")), &["rset"]),
        (tls().fault(Fault::on("QUIT").nth(2).refuse("no")), &["update"]),
    ];
    thread::scope(|scope| {
        for (server, expected) in cases {
            scope.spawn(move || {
                let expected: BTreeSet<_> = expected.iter().map(|&id| id.to_owned()).collect();
                assert_eq!(broken(server, &[]), expected);
            });
        }
    });
}

#[test]
fn without_a_password_the_statements_before_the_login_are_examined() {
    let server = with_mail(Server::builder().tls()).start().unwrap();
    let output = examine(server.port(), server.certificate().unwrap(), &[]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.starts_with("✓ RFC 1939 §4     The greeting begins with +OK.\n"), "{told}");
    assert!(!told.contains("STAT is answered with the number"), "{told}");
    // A refused login is not taken for a server that keeps to everything.
    let output = examine(server.port(), server.certificate().unwrap(), &["--user", "jane"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("✓ RFC 1939 §4     The greeting begins with +OK."), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("refuses the login"), "{}", text(&output.stderr));
}

#[test]
fn no_password_is_sent_to_a_server_that_is_not_trusted() {
    let server = with_mail(Server::builder().tls()).start().unwrap();
    let other = with_mail(Server::builder().tls()).start().unwrap();
    let output = examine(server.port(), other.certificate().unwrap(), &["--user", "joe"]);
    assert_eq!(output.status.code(), Some(4), "{}", text(&output.stderr));
    assert_eq!(server.commands(), [""; 0]);
}

#[test]
fn a_password_that_the_server_repeats_is_not_shown() {
    let server = Server::builder().tls().fault(Fault::on("NOOP").refuse("unknown: PASS secret"));
    let server = with_mail(server).start().unwrap();
    for options in [&["--user", "joe"][..], &["--user", "joe", "--json"]] {
        let output = examine(server.port(), server.certificate().unwrap(), options);
        let told = text(&output.stdout) + &text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("not shown") && !told.contains("PASS secret"), "{told}");
    }
    // A token is no password.
    let output = examine(server.port(), server.certificate().unwrap(), &["--user", "joe", "--token-command", "echo token"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
}

/// A server that answers, over TLS, what came in the clear together with `STLS`.
fn deceived_server() -> (u16, String) {
    let own = self_signed(&parameters("127.0.0.1"));
    let provider = Arc::new(ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let key = PrivatePkcs8KeyDer::from(own.key.serialize_der()).into();
    let config = Arc::new(config.with_no_client_auth().with_single_cert(vec![own.certificate.der().clone()], key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let config = Arc::clone(&config);
            thread::spawn(move || {
                let mut stream = stream.unwrap();
                let mut clear = [0; 512];
                // The first connection only sees whether the port is open.
                let asked = stream.write_all(b"+OK ready\r\n").and_then(|()| stream.read(&mut clear));
                let Some(count) = asked.ok().filter(|count| *count > 0) else { return };
                stream.write_all(b"+OK begin\r\n").unwrap();
                let mut connection = ServerConnection::new(config).unwrap();
                let mut encrypted = rustls::Stream::new(&mut connection, &mut stream);
                if clear[..count].ends_with(b"CAPA\r\n") {
                    let _ = encrypted.write_all(b"+OK\r\n.\r\n");
                }
                let mut rest = Vec::new();
                // Each command is refused, and CAPA has no lines.
                let mut octet = [0];
                while encrypted.read(&mut octet).is_ok_and(|count| count > 0) {
                    rest.push(octet[0]);
                    if octet[0] == b'\n' {
                        let is_quit = rest.eq_ignore_ascii_case(b"quit\r\n");
                        let reply: &[u8] = if rest.starts_with(b"CAPA") { b"+OK\r\n.\r\n" } else { b"-ERR no\r\n" };
                        let _ = encrypted.write_all(if is_quit { b"+OK\r\n" } else { reply });
                        rest.clear();
                        if is_quit {
                            break;
                        }
                    }
                }
            });
        }
    });
    (port, own.certificate.pem())
}

#[test]
fn a_server_that_answers_a_command_from_before_the_handshake_is_caught() {
    let (port, certificate) = deceived_server();
    let output = examine(port, &certificate, &["--stls"]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{told}{}", text(&output.stderr));
    assert!(told.contains("was answered over TLS: an attacker") && told.contains("1 of "), "{told}");
}
