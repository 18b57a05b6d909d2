//! `pop3 mock`, as the tests of other software use it.

use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};

use pop3_blocking::proto::codec::MessageNumber;
use pop3_blocking::{Client, ClientOptions, Security, tls};
use serde_json::Value;

struct Mock {
    process: Child,
    lines: Lines<BufReader<ChildStdout>>,
    first: Value,
}

impl Mock {
    fn start(arguments: &[&str], mail: &[&Path]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
        command.args(["mock", "--until-eof"]).args(arguments).args(mail).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let first = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        Self { process, lines, first }
    }

    fn port(&self, name: &str) -> u16 {
        self.first[name].as_u64().unwrap().try_into().unwrap()
    }

    /// Ends the server, and returns the commands that it has told.
    fn end(mut self) -> Vec<String> {
        drop(self.process.stdin.take());
        let told = self.lines.map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap());
        let commands = told.map(|event| format!("{} {}", event["session"], event["command"].as_str().unwrap())).collect();
        assert!(self.process.wait().unwrap().success());
        commands
    }
}

/// A Maildir with two messages, and a file beside it.
fn mail() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["maildir/new", "maildir/cur"] {
        fs::create_dir_all(folder.path().join(sub)).unwrap();
    }
    fs::write(folder.path().join("maildir/cur/1.a:2,S"), "Subject: one\n\n.dot\n").unwrap();
    fs::write(folder.path().join("maildir/new/2.b"), "Subject: two\n\n").unwrap();
    for other in [".hidden", "pop3-lock"] {
        fs::write(folder.path().join("maildir").join(other), "no message").unwrap();
    }
    fs::write(folder.path().join("three with blanks.eml"), "Subject: three\n\n").unwrap();
    folder
}

#[test]
fn files_and_folders_are_served_in_the_clear_and_over_tls_and_each_command_is_told() {
    let folder = mail();
    let mock = Mock::start(
        &["--user", "ann", "--password", "pw"],
        &[&folder.path().join("maildir"), &folder.path().join("three with blanks.eml"), &folder.path().join("maildir/new/2.b")],
    );
    assert_eq!((mock.first["messages"].as_u64(), mock.first["user"].as_str()), (Some(4), Some("ann")));
    let trusted = tls::client_trusting(mock.first["certificate"].as_str().unwrap().as_bytes()).unwrap();
    for (port, security) in [("port", Security::Stls(trusted.clone())), ("tls_port", Security::Tls(trusted))] {
        let mut client = Client::connect("localhost", mock.port(port), &ClientOptions::new(security)).unwrap();
        client.login("ann", "pw").unwrap();
        let ids: Vec<_> =
            client.uidl().unwrap().iter().map(|entry| String::from_utf8_lossy(&entry.unique_id).into_owned()).collect();
        assert_eq!(ids, ["1.a:2,S", "2.b", "message-3", "message-4"], "a name that is taken is numbered");
        assert_eq!(client.retr(MessageNumber::FIRST).unwrap().into_vec().unwrap(), b"Subject: one\r\n\r\n.dot\r\n");
        client.quit().unwrap();
    }
    let commands = mock.end();
    for expected in ["1 STLS", "1 PASS pw", "1 RETR 1", "2 UIDL", "2 QUIT"] {
        assert!(commands.iter().any(|command| command == expected), "{expected}: {commands:#?}");
    }
}

#[test]
fn a_file_of_faults_is_obeyed() {
    let folder = mail();
    let faults = folder.path().join("faults.toml");
    fs::write(&faults, "capabilities = ['TOP']\n[[fault]]\non = 'RETR'\nnth = 2\ncut_after = 20\n[[fault]]\non = 'STAT'\nrefuse = '[SYS/TEMP] later'\n").unwrap();
    let mock = Mock::start(&["--faults", faults.to_str().unwrap()], &[&folder.path().join("maildir")]);
    let mut client = Client::connect("127.0.0.1", mock.port("port"), &ClientOptions::new(Security::DangerousCleartext)).unwrap();
    client.login("joe", "secret").unwrap();
    assert!(client.capabilities().unwrap().top && !client.capabilities().unwrap().uidl);
    assert!(client.stat().unwrap_err().to_string().contains("[SYS/TEMP]: later"));
    client.retr(MessageNumber::FIRST).unwrap().into_vec().unwrap();
    assert!(client.retr(MessageNumber::FIRST).unwrap().into_vec().unwrap_err().is_disconnect());
    mock.end();
}

#[test]
fn a_wrong_file_of_faults_says_what_is_wrong() {
    let folder = mail();
    let faults = folder.path().join("faults.toml");
    fs::write(&faults, "[[fault]]\non = 'RETR'\ncutafter = 20\n").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_pop3")).args(["mock", "--faults"]).arg(&faults).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("faults.toml: TOML parse error at line 3") && told.contains("unknown field `cutafter`"), "{told}");
    let missing = Command::new(env!("CARGO_BIN_EXE_pop3")).args(["mock", "/no/such/file"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(7), "{}", String::from_utf8_lossy(&missing.stderr));
}
