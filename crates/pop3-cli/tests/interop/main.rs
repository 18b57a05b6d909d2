//! Real mail through software that we did not write, on loopback: `cargo test -p pop3-cli --features interop --test interop`.
//!
//! Needs root and Debian's packages: dnsmasq-base, dovecot-lmtpd, dovecot-pop3d, curl, fail2ban, fetchmail, mpop, getmail6, iproute2, procmail, strace,
//! python3, systemd, thunderbird, xvfb. Nothing here skips itself: what is not installed fails.

mod clients;
mod corpus;
mod destinations;
mod discovery;
mod faults;
mod mechanisms;
mod operator;
mod servers;
mod standin;
mod thunderbird;

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pop3_blocking::proto::client::LoginPolicy;
use pop3_blocking::proto::sasl::{Credentials, Mechanism};
use pop3_blocking::{ClientOptions, Security, tls};

use clients::{Client, Mode, POPLIB_DELE_AND_QUIT, POPLIB_DELE_WITHOUT_QUIT, python};
use corpus::{COUNT, Hashes, assert_same, hashes, read};
use servers::{PASSWORD, Server, USERS};

fn of(folder: &Path) -> Hashes {
    hashes(read(folder).iter().map(Vec::as_slice))
}

/// The mail that a client with a limit on lines brings home well, and how many messages are beyond that limit.
fn of_short_lines(folder: &Path) -> (Hashes, usize) {
    let messages = read(folder);
    let is_short = |message: &&[u8]| message.split(|byte| *byte == b'\n').all(|line| line.len() < 8000);
    let short: Vec<&[u8]> = messages.iter().map(Vec::as_slice).filter(is_short).collect();
    let long = messages.len() - short.len();
    (hashes(short), long)
}

fn of_corpus(messages: &[Vec<u8>]) -> Hashes {
    hashes(messages.iter().map(Vec::as_slice))
}

/// Our program as people call it.
fn pop3_fetch(server: &Server, user: &str, mode: Mode, maildir: &Path, options: &[&str]) -> Output {
    let certificate = server.certificate();
    let secured: &[&str] = match mode {
        Mode::Plain => &["--dangerously-cleartext"],
        Mode::Stls => &["--stls", "--ca-file", certificate.to_str().unwrap()],
        Mode::Tls => &["--ca-file", certificate.to_str().unwrap()],
    };
    Command::new("timeout")
        .args(["300", env!("CARGO_BIN_EXE_pop3"), "fetch", "localhost", "--user", user])
        .args(["--port", &mode.port(server).to_string()])
        .args(secured)
        .args(options)
        .arg(maildir)
        .env("LC_ALL", "C")
        .env("POP3_PASSWORD", PASSWORD)
        .output()
        .unwrap()
}

/// The one line that it prints when all went well.
fn said(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn left(server: &Server, user: &str) -> usize {
    read(&server.maildir(user)).len()
}

#[test]
fn our_client_brings_everything_home_from_dovecot() {
    let messages = corpus::messages();
    let expected = of_corpus(&messages);
    let dovecot = Server::dovecot(&messages);
    for (mode, users) in Mode::ALL.into_iter().zip(USERS.chunks(2)) {
        let homes = tempfile::tempdir().unwrap();
        let kept = homes.path().join("kept");
        let first = said(&pop3_fetch(&dovecot, users[0], mode, &kept, &["--keep"]));
        assert!(first.contains("1000 messages"), "{first}");
        assert_same(&of(&kept), &expected, &format!("{mode:?}, kept"));
        assert_eq!(left(&dovecot, users[0]), COUNT, "keep leaves the drop as it is");
        let second = said(&pop3_fetch(&dovecot, users[0], mode, &kept, &["--keep"]));
        assert!(second.ends_with("nothing new, 1000 known already"), "{second}");
        assert_eq!(read(&kept).len(), COUNT);
        let third = said(&pop3_fetch(&dovecot, users[0], mode, &kept, &["--delete"]));
        assert!(third.contains("nothing new, 1000 deleted on the server"), "{third}");
        assert_eq!((left(&dovecot, users[0]), read(&kept).len()), (0, COUNT));

        let deleted = homes.path().join("deleted");
        said(&pop3_fetch(&dovecot, users[1], mode, &deleted, &["--delete"]));
        assert_same(&of(&deleted), &expected, &format!("{mode:?}, deleted"));
        assert_eq!(left(&dovecot, users[1]), 0, "delete empties the drop");
    }
}

#[test]
fn their_clients_bring_everything_home_from_our_server() {
    let messages = corpus::messages();
    let expected = of_corpus(&messages);
    let (ours, dovecot) = (Server::ours(&messages), Server::dovecot(&messages));
    let mut users = USERS.iter();
    for client in Client::ALL {
        for mode in Mode::ALL.into_iter().filter(|mode| client.has(*mode)) {
            let what = format!("{client:?} over {mode:?}");
            let user = users.next().unwrap();
            let (_folder, mail) = client.fetch(&ours, user, mode, COUNT);
            let from_ours = of(&mail);
            if client.keeps_every_byte() {
                assert_same(&from_ours, &expected, &what);
            } else {
                let (_folder, from_dovecot) = client.fetch(&dovecot, user, mode, COUNT);
                let ((ours, long), (theirs, _)) = (of_short_lines(&mail), of_short_lines(&from_dovecot));
                assert_same(&ours, &theirs, &format!("{what}, against the same from Dovecot"));
                assert_eq!(long, 2, "{what}: messages with lines over 8000 octets");
                let same = from_ours.keys().filter(|hash| expected.contains_key(*hash)).count();
                assert!(same > COUNT - 10, "{what}: only {same} are as they were");
            }
            assert_eq!(left(&ours, user), COUNT, "{what}");
        }
    }
}

#[test]
fn what_their_clients_have_fetched_from_dovecot_is_not_fetched_again() {
    const FEW: usize = 20;
    let messages = corpus::messages();
    let dovecot = Server::dovecot(&messages[..FEW]);
    for (client, user) in [Client::Fetchmail, Client::Mpop, Client::Getmail].into_iter().zip(USERS) {
        let (folder, _) = client.fetch(&dovecot, user, Mode::Plain, FEW);
        let port = dovecot.plain.to_string();
        let (program, list) = match client {
            Client::Fetchmail => ("fetchmail", "ids".to_owned()),
            Client::Mpop => ("mpop", "uidls".to_owned()),
            _ => ("getmail", format!("getmail/oldmail-localhost-{port}-{user}")),
        };
        let maildir = folder.path().join("ours");
        let mut import = Command::new(env!("CARGO_BIN_EXE_pop3"));
        import.args(["state", "import", program]).arg(folder.path().join(list)).arg("localhost").arg(&maildir);
        let imported = said(&import.args(["--user", user, "--port", &port]).env("LC_ALL", "C").output().unwrap());
        assert!(imported.starts_with("20 messages taken over"), "{client:?}: {imported}");
        let fetched = said(&pop3_fetch(&dovecot, user, Mode::Plain, &maildir, &["--keep"]));
        assert!(fetched.ends_with("nothing new, 20 known already"), "{client:?}: {fetched}");
        assert_eq!(read(&maildir).len(), 0);
    }
}

#[test]
fn questions_at_a_terminal_are_answered_by_a_person_alone() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/prompts.py");
    let mut command = Command::new("timeout");
    command.args(["300", "python3"]).arg(script).env("POP3", env!("CARGO_BIN_EXE_pop3"));
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_doctor_examines_dovecot_and_us_alike() {
    let messages = [b"Subject: one\n\nbody\n".to_vec(), b"Subject: two\n\nbody\n".to_vec()];
    for (server, name) in [(Server::ours(&messages), "ours"), (Server::dovecot(&messages), "dovecot")] {
        for (port, options) in [(server.tls, &[][..]), (server.plain, &["--stls"])] {
            let certificate = server.certificate();
            let doctor = |more: &[&str]| {
                let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
                command.args(["doctor", "localhost", "--user", "u1", "--port", &port.to_string(), "--timeout", "20"]);
                command.args(options).args(more).arg("--ca-file").arg(&certificate);
                let output = command.env("POP3_PASSWORD", PASSWORD).env("LC_ALL", "C").env("COLUMNS", "200").output().unwrap();
                let told = [output.stdout, output.stderr].concat();
                (output.status.code(), String::from_utf8_lossy(&told).into_owned())
            };
            let (code, told) = doctor(&[]);
            assert_eq!(code, Some(0), "{name}: {told}");
            assert!(told.contains("✓ Mailbox   2 messages"), "{name}: {told}");
            let (code, told) = doctor(&["--conformance"]);
            assert_eq!(code, Some(0), "{name}: {told}");
        }
    }
}

#[test]
fn our_client_logs_in_to_dovecot_by_every_mechanism_that_both_have() {
    let dovecot = Server::dovecot(&[b"Subject: one\n\nbody\n".to_vec()]);
    let trusted = tls::client_trusting(&fs::read(dovecot.certificate()).unwrap()).unwrap();
    let options = ClientOptions::new(Security::Tls(trusted));
    for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::CramMd5, Mechanism::ScramSha1, Mechanism::ScramSha256] {
        let policy = LoginPolicy { mechanisms: vec![mechanism], user_pass: false, two_lines: false, ..LoginPolicy::default() };
        let mut client = pop3_blocking::Client::connect("localhost", dovecot.tls, &options).unwrap();
        client.login_with(&Credentials::password("u1", PASSWORD).unwrap(), &policy).unwrap();
        assert_eq!(client.stat().unwrap().messages, 1, "{mechanism}");
        client.quit().unwrap();
        let mut client = pop3_blocking::Client::connect("localhost", dovecot.tls, &options).unwrap();
        let error = client.login_with(&Credentials::password("u1", "wrong").unwrap(), &policy).unwrap_err();
        assert!(error.refusal().is_some(), "{mechanism}: {error}");
    }
}

#[test]
fn their_clients_log_in_to_our_server_by_auth() {
    let ours = Server::ours(&[b"Subject: one\n\nbody\n".to_vec()]);
    let certificate = ours.certificate().display().to_string();
    for mechanism in ["PLAIN", "LOGIN"] {
        let output = Command::new("curl")
            .args(["-sS", "-m", "30", "--cacert", &certificate, "--user", &format!("u1:{PASSWORD}")])
            .args(["--login-options", &format!("AUTH={mechanism}"), &format!("pop3s://localhost:{}/1", ours.tls)])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "Subject: one\r\n\r\nbody\r\n", "curl, {mechanism}");
        let (_folder, mail) = clients::mpop_by(&ours, "u2", &mechanism.to_lowercase());
        assert_eq!(read(&mail).len(), 1, "mpop, {mechanism}");
    }
    let nowhere = tempfile::tempdir().unwrap();
    let output = python(clients::POPLIB_AUTH_PLAIN, &ours, "u3", Mode::Tls, nowhere.path());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn s18_dele_without_quit_deletes_nothing() {
    let messages: Vec<Vec<u8>> = corpus::messages().into_iter().take(50).collect();
    let ours = Server::ours(&messages);
    let nowhere = tempfile::tempdir().unwrap();
    for (mode, user) in Mode::ALL.into_iter().zip(USERS) {
        let output = python(POPLIB_DELE_WITHOUT_QUIT, &ours, user, mode, nowhere.path());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(left(&ours, user), 50, "{mode:?}");
        // The session before may hold the lock for a moment longer than its client lived.
        let mut output = python(POPLIB_DELE_AND_QUIT, &ours, user, mode, nowhere.path());
        for _ in 0..20 {
            if output.status.success() || !String::from_utf8_lossy(&output.stderr).contains("[IN-USE]") {
                break;
            }
            output = python(POPLIB_DELE_AND_QUIT, &ours, user, mode, nowhere.path());
        }
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        assert_eq!(left(&ours, user), 0, "{mode:?}");
    }
}

#[test]
fn our_client_and_our_server_agree_on_a_drop_of_odd_names() {
    let ours = Server::ours(&[b"Subject: one\n\n.\n".to_vec()]);
    let maildir = ours.maildir("u1");
    fs::write(maildir.join("cur/name with blanks:2,S"), "Subject: two\n\nbody").unwrap();
    fs::write(maildir.join("new").join("x".repeat(200)), "").unwrap();
    let homes = tempfile::tempdir().unwrap();
    let home = homes.path().join("home");
    assert!(said(&pop3_fetch(&ours, "u1", Mode::Tls, &home, &[])).contains("3 messages"));
    assert!(said(&pop3_fetch(&ours, "u1", Mode::Tls, &home, &[])).contains("nothing new"));
    assert!(said(&pop3_fetch(&ours, "u1", Mode::Tls, &home, &["--delete"])).contains("nothing new, 3 deleted"));
    assert_eq!(left(&ours, "u1"), 0);
}

#[test]
fn the_guide_to_testing_works_with_poplib() {
    let output = clients::guide_to_testing();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
