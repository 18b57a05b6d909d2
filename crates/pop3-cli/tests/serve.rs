//! `pop3 serve`: what it takes, what it tells, and how it ends.

mod script;

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use script::{mail, pop3, text};

const ONE: &str = "Subject: one\n\n.\n";

/// `pop3 serve` over one Maildir, with a certificate, and users made by `pop3 passwd`.
struct Serve {
    folder: tempfile::TempDir,
    child: Child,
    port: String,
}

impl Drop for Serve {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Adds `joe` to a file of users.
fn passwd(users: &Path, password: &str) {
    let mut passwd = pop3().arg("passwd").arg(users).arg("joe").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    passwd.stdin.take().unwrap().write_all(format!("{password}\n").as_bytes()).unwrap();
    assert!(passwd.wait().unwrap().success());
}

impl Serve {
    fn new(password: &str, options: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(path.join("cert.pem"), certified.cert.pem()).unwrap();
        fs::write(path.join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(path.join("joe").join(sub)).unwrap();
        }
        fs::write(path.join("joe/new/1.one.host"), ONE).unwrap();
        passwd(&path.join("users"), password);
        let mut child = pop3()
            .args(["serve", "--users"])
            .arg(path.join("users"))
            .arg("--mail")
            .arg(path.join("%u"))
            .arg("--cert")
            .arg(path.join("cert.pem"))
            .arg("--key")
            .arg(path.join("key.pem"))
            .args(options)
            .env("POP3_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(fs::File::create(path.join("log")).unwrap())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.trim().rsplit(':').next().unwrap().to_owned();
        Self { folder, child, port }
    }

    fn fetch(&self, user: &str, password: &str) -> Output {
        pop3()
            .args(["fetch", "localhost", "--user", user, "--delete", "--port", &self.port, "--ca-file"])
            .arg(self.folder.path().join("cert.pem"))
            .arg(self.folder.path().join("home"))
            .env("POP3_PASSWORD", password)
            .env("POP3_LOG", "trace")
            .output()
            .unwrap()
    }
}

#[test]
fn h56_serve_and_fetch_over_tls_and_no_secret_is_shown() {
    const CANARY: &str = "canary-in-a-coal-mine";
    let server = Serve::new(CANARY, &["--listen-tls", "127.0.0.1:0"]);
    let wrong = server.fetch("joe", "canary-of-another-kind");
    assert_eq!(wrong.status.code(), Some(5), "{}", text(&wrong.stderr));
    assert_eq!(server.fetch("../joe", CANARY).status.code(), Some(5), "h57");
    let right = server.fetch("joe", CANARY);
    assert_eq!(right.status.code(), Some(0), "{}", text(&right.stderr));
    assert_eq!(mail(&server.folder.path().join("home")), [ONE]);
    assert!(mail(&server.folder.path().join("joe")).is_empty(), "deleted on the server");
    let log = fs::read_to_string(server.folder.path().join("log")).unwrap();
    assert!(log.contains("login refused"), "the log has something to show");
    for output in [wrong, right] {
        assert!(!text(&output.stdout).contains("canary") && !text(&output.stderr).contains("canary"));
    }
    assert!(!log.contains("canary"), "{log}");
    assert!(!fs::read_to_string(server.folder.path().join("users")).unwrap().contains("canary"));
}

#[test]
#[cfg(unix)]
fn serve_renews_its_certificate_at_sighup_and_ends_at_sigterm() {
    let mut server = Serve::new("secret", &["--listen-tls", "127.0.0.1:0"]);
    let signal = |server: &Serve, name: &str| {
        let status = Command::new("kill").args([name, &server.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    };
    let another = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(server.folder.path().join("cert.pem"), another.cert.pem()).unwrap();
    fs::write(server.folder.path().join("key.pem"), another.signing_key.serialize_pem()).unwrap();
    assert_eq!(server.fetch("joe", "secret").status.code(), Some(4), "the certificate is still the old one");
    signal(&server, "-HUP");
    while !fs::read_to_string(server.folder.path().join("log")).unwrap().contains("the certificate was reloaded") {
        thread::yield_now();
    }
    let output = server.fetch("joe", "secret");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    signal(&server, "-TERM");
    assert!(server.child.wait().unwrap().success());
}

/// Says something in the clear; all that is answered.
fn said(server: &Serve, commands: &str) -> String {
    let mut stream = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    stream.write_all(commands.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_serve_is_told_is_what_it_announces() {
    let plain = Serve::new("secret", &["--listen", "127.0.0.1:0"]);
    let answer = said(&plain, "CAPA\r\nUSER joe\r\nQUIT\r\n");
    assert!(answer.contains("\r\nSTLS\r\n") && answer.contains("\r\nIMPLEMENTATION pop3 "), "{answer}");
    for absent in ["LOGIN-DELAY", "EXPIRE 3", "\r\nUSER\r\n", "SASL"] {
        assert!(!answer.contains(absent), "{absent}: {answer}");
    }
    assert!(answer.contains("\r\n-ERR"), "h07: no name in the clear: {answer}");
    let told =
        Serve::new("secret", &["--listen", "127.0.0.1:0", "--dangerously-cleartext", "--login-delay", "300", "--expire", "30"]);
    let answer = said(&told, "CAPA\r\nUSER joe\r\nPASS secret\r\nQUIT\r\n");
    for present in ["LOGIN-DELAY 300", "EXPIRE 30", "USER", "SASL PLAIN LOGIN", "+OK maildrop ready"] {
        assert!(answer.contains(&format!("\r\n{present}\r\n")), "{present}: {answer}");
    }
    let answer = said(&told, "USER joe\r\nPASS secret\r\nQUIT\r\n");
    assert!(answer.contains("-ERR [LOGIN-DELAY]"), "{answer}");
}

#[test]
fn what_could_not_work_is_told_before_anything_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    fs::write(&users, "joe:{PLAIN}x\n").unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let serve = |mail: &str, options: &[&str]| {
        let output = pop3().arg("serve").arg("--users").arg(&users).args(["--mail", mail]).args(options).output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    // Were it right otherwise, it would fail at the address.
    for template in ["/home/mail", "/home/%h/%u", "~/%u", "/home/%", "%%u"] {
        let (code, told) = serve(template, &["--listen", &address, "--dangerously-cleartext"]);
        assert_eq!(code, Some(2), "{template}: {told}");
        assert!(told.contains("is not a path with %u"), "{told}");
    }
    let (code, told) = serve("/home/%u", &["--listen", &address]);
    assert!(code == Some(2) && told.contains("without a certificate nobody could log in"), "{told}");
    let (code, told) = serve("/home/%u", &["--dangerously-cleartext"]);
    assert!(code == Some(2) && told.contains("nothing to listen on"), "{told}");
    let (code, told) = serve("/home/%u", &["--listen", &address, "--dangerously-cleartext"]);
    assert!(code == Some(1) && told.contains("cannot listen on"), "{told}");
    fs::remove_file(&users).unwrap();
    let (code, told) = serve("/home/%u", &["--listen", &address, "--dangerously-cleartext"]);
    assert!(code == Some(7) && told.contains("`pop3 passwd FILE NAME`"), "{told}");
}

#[test]
#[cfg(unix)]
fn h58_files_of_secrets_are_for_their_owner_and_others_that_can_read_them_are_told() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("users");
    passwd(&file, "x");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (mode, by_anybody, by_others) in [(0o600, false, false), (0o640, false, true), (0o604, true, true), (0o601, true, true)] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
        let output = pop3()
            .args(["serve", "--listen", &address, "--dangerously-cleartext", "--mail", "/home/%u", "--users"])
            .arg(&file)
            .output()
            .unwrap();
        let told = text(&output.stderr);
        assert_eq!(told.contains("everybody on this machine can read"), by_anybody, "{mode:o}: {told}");
        // A password for `fetch`, which fails as nobody listens there.
        let output = pop3()
            .args(["fetch", "127.0.0.1", "--user", "joe", "--port", "1", "--dangerously-cleartext", "--password-file"])
            .arg(&file)
            .arg(folder.path().join("Maildir"))
            .output()
            .unwrap();
        let told = text(&output.stderr);
        assert_eq!(told.contains("others can read"), by_others, "{mode:o}: {told}");
    }
}
