//! `pop3 serve` with a file of settings: what it takes from there, what it says of it, and what SIGHUP changes.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;

use crate::script::{pop3, text};

/// A folder with a certificate, a file of users, and a file of settings.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        fs::write(folder.path().join("cert.pem"), certified.cert.pem()).unwrap();
        fs::write(folder.path().join("key.pem"), certified.signing_key.serialize_pem()).unwrap();
        Self(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, content: &str) {
        fs::write(self.path(name), content.replace("HOME", self.0.path().to_str().unwrap())).unwrap();
    }

    /// Writes settings with TLS, and more.
    fn write_settings(&self, more: &str) {
        let common = "users = 'HOME/users'\nmail = 'HOME/%u'\nlisten-tls = ['127.0.0.1:0']\ncert = 'HOME/cert.pem'\nkey = 'HOME/key.pem'\n";
        self.write("server.toml", &format!("{common}{more}"));
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap().replace(self.0.path().to_str().unwrap(), "HOME")
    }

    fn deliver(&self, maildir: &str) {
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(self.path(maildir).join(sub)).unwrap();
        }
        fs::write(self.path(maildir).join("new/1.one.host"), "Subject: one\n\n").unwrap();
    }

    fn passwd(&self, name: &str, options: &[&str]) {
        let mut command = pop3();
        command.arg("passwd").arg(self.path("users")).arg(name).args(options);
        let mut passwd = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        passwd.stdin.take().unwrap().write_all(b"secret\n").unwrap();
        assert!(passwd.wait().unwrap().success());
    }

    fn command(&self, options: &[&str]) -> Command {
        let mut command = pop3();
        command.args(["serve", "--config"]).arg(self.path("server.toml")).args(options).env("LC_ALL", "C").env("NO_COLOR", "1");
        command
    }

    fn serve(&self, options: &[&str]) -> Running {
        let log = fs::File::create(self.path("log")).unwrap();
        let mut child = self.command(options).stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Running { child, port: line.trim().rsplit(':').next().unwrap().to_owned() }
    }

    fn wait_for(&self, part: &str) -> String {
        loop {
            if let Some(line) = self.read("log").lines().find(|line| line.contains(part)) {
                return line.to_owned();
            }
            thread::yield_now();
        }
    }

    /// Fetches into the Maildir `home`.
    fn fetch(&self, server: &Running, user: &str, password: &str, options: &[&str]) -> Output {
        let mut command = pop3();
        command.args(["fetch", "localhost", "--user", user, "--port", &server.port, "--ca-file"]).arg(self.path("cert.pem"));
        command.args(options).arg(self.path("home")).env("POP3_PASSWORD", password).output().unwrap()
    }

    /// Fetches with the password `secret`, which is right.
    fn fetch_well(&self, server: &Running, user: &str, options: &[&str]) {
        let output = self.fetch(server, user, "secret", options);
        assert!(output.status.success(), "{}\n{}", text(&output.stderr), self.read("log"));
    }
}

struct Running {
    child: Child,
    port: String,
}

impl Running {
    fn hang_up(&self) {
        assert!(Command::new("kill").args(["-HUP", &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Returns the first line that a connection hears; an empty one if it is closed.
    fn greeting(&self) -> (TcpStream, String) {
        let stream = TcpStream::connect(format!("127.0.0.1:{}", self.port)).unwrap();
        let mut line = String::new();
        // A refused connection may be reset.
        let _ = BufReader::new(stream.try_clone().unwrap()).read_line(&mut line);
        (stream, line)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn check_says_what_the_settings_mean_and_starts_nothing() {
    let home = Home::new();
    home.deliver("example.org/joe");
    home.write("users", "ann@example.org:{PLAIN}x\njoe@example.org:{PLAIN}x\n");
    home.write(
        "server.toml",
        "users = 'HOME/users'\nmail = 'HOME/%d/%n'\nlisten = ['110', '127.0.0.1:1110']\nlisten-tls = ['995']\n\
         cert = 'HOME/cert.pem'\nkey = 'HOME/key.pem'\nmax-sessions = 50\nmax-sessions-per-source = 5\nrun-as = 'nobody'\n",
    );
    let check = |options: &[&str]| {
        let output = home.command(&[&["--check"], options].concat()).output().unwrap();
        let told = text(&output.stdout) + &text(&output.stderr);
        (output.status.code(), told.replace(home.0.path().to_str().unwrap(), "HOME"))
    };
    let (code, told) = check(&[]);
    assert_eq!(code, Some(0), "{told}");
    for line in [
        "listens on 110 for POP3",
        "listens on 127.0.0.1:1110 for POP3",
        "listens on 995 for POP3 over TLS",
        "certificate HOME/cert.pem: for localhost, until 4096-01-01",
        "2 users in HOME/users",
        "the mail of ann@example.org would be in HOME/example.org/ann, which does not exist: ann@example.org finds no messages",
        "logins: USER, PLAIN, LOGIN",
        "at most 50 sessions, 5 from one source",
        "runs as nobody",
        "The settings are right. Nothing was started.",
    ] {
        assert!(told.lines().any(|told| told == line), "{line}\n{told}");
    }
    let (code, told) = check(&["--max-sessions", "60", "--language", "es"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("como máximo 60 sesiones, 5 de un mismo origen") && told.contains("No se inició nada."), "{told}");
    home.write("server.toml", "users = 'HOME/users'\nmial = 'HOME/%u'\n");
    let (code, told) = check(&[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("HOME/server.toml: there is no key mial\n      A similar key exists: mail"), "{told}");
    let output = pop3().args(["serve", "--listen", "0", "--dangerously-cleartext", "--mail", "/x/%u"]).output().unwrap();
    assert!(output.status.code() == Some(2) && text(&output.stderr).contains("no file of users is given"));
}

#[test]
fn sighup_reloads_limits_and_log_level_and_a_mistake_changes_nothing() {
    let home = Home::new();
    home.write("users", "joe:{PLAIN}x\n");
    let settings = |rest: &str| {
        let fixed = "users = 'HOME/users'\nmail = 'HOME/%u'\nlisten = ['127.0.0.1:0']\ndangerously-cleartext = true\n";
        home.write("server.toml", &format!("{fixed}{rest}"));
    };
    settings("max-sessions-per-source = 1\n");
    let server = home.serve(&[]);
    let first = server.greeting();
    assert!(first.1.starts_with("+OK"), "{}", first.1);
    assert!(!server.greeting().1.starts_with("+OK"), "the second from here");
    settings("max-sessions-per-source = many\n");
    server.hang_up();
    home.wait_for("SIGHUP: the old settings stay in use: HOME/server.toml: TOML parse error");
    assert!(!server.greeting().1.starts_with("+OK"));
    settings("max-sessions-per-source = 2\nlog-level = 'debug'\n");
    server.hang_up();
    home.wait_for("SIGHUP: the limits and the log level were reloaded");
    let second = server.greeting();
    assert!(second.1.starts_with("+OK"), "{}", second.1);
    drop(second);
    // This is logged at `debug` alone.
    home.wait_for("DEBUG");
    // The session that was there stays.
    let (mut stream, _) = first;
    stream.write_all(b"QUIT\r\n").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    assert!(line.starts_with("+OK"), "{line}");
}

#[test]
fn a_log_in_json_has_an_object_on_each_line() {
    let home = Home::new();
    home.deliver("joe");
    home.passwd("joe", &[]);
    home.write_settings("log-format = 'json'\n");
    let server = home.serve(&[]);
    home.fetch_well(&server, "joe", &[]);
    home.wait_for("session ended");
    let lines = home.read("log");
    let events: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |message: &str| events.iter().find(|event| event["message"].as_str().unwrap().starts_with(message)).unwrap();
    let login = of("logged in");
    assert_eq!((login["user"].as_str(), login["method"].as_str()), (Some("joe"), Some("PLAIN")), "{login}");
    assert_eq!((login["address"].as_str(), login["tls"].as_bool()), (Some("127.0.0.1"), Some(true)), "{login}");
    let end = of("session ended: the client sent QUIT");
    assert_eq!(
        (end["retrieved"].as_u64(), end["octets"].as_u64(), end["deleted"].as_u64()),
        (Some(1), Some(16), Some(0)),
        "{end}"
    );
}

#[test]
fn users_of_dovecot_with_homes_are_served_and_their_hashes_are_remembered() {
    let home = Home::new();
    home.deliver("somewhere/mail");
    home.write(
        "users",
        "joe@example.org:{SHA512-CRYPT}$6$rounds=1000$IyPzJVofTmIpIq.e$OWYcSpgFa7iRG7r0d6CMXNv.c3UYWNWlC4JLXWoz53y0gTs2j1h7EtdicWt9QTX1louv0RE0YU.aV/u9n3Ae1/:1000:1000::HOME/somewhere::\n",
    );
    home.write(
        "server.toml",
        "users = 'HOME/users'\nusers-format = 'dovecot'\nmail = '%h/mail'\nlisten-tls = ['127.0.0.1:0']\n\
         cert = 'HOME/cert.pem'\nkey = 'HOME/key.pem'\n",
    );
    let server = home.serve(&[]);
    home.fetch_well(&server, "joe@example.org", &[]);
    assert_eq!(fs::read_dir(home.path("home/new")).unwrap().count(), 1);
    // A new password takes effect at once, although the old one is remembered; the other fields stay.
    let mut command = pop3();
    command.arg("passwd").arg(home.path("users")).args(["joe@example.org", "--users-format", "dovecot"]);
    let mut passwd = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    passwd.stdin.take().unwrap().write_all(b"other\n").unwrap();
    assert!(passwd.wait().unwrap().success());
    let output = home.fetch(&server, "joe@example.org", "secret", &[]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let output = home.fetch(&server, "joe@example.org", "other", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(home.read("users").ends_with(":1000:1000::HOME/somewhere::\n"), "{}", home.read("users"));
}

#[test]
fn scram_is_offered_when_all_users_have_keys_and_sends_no_password() {
    let home = Home::new();
    home.deliver("joe");
    home.passwd("joe", &["--scram"]);
    home.write_settings("");
    let server = home.serve(&[]);
    home.fetch_well(&server, "joe", &[]);
    assert!(home.wait_for("logged in").contains("method=\"SCRAM-SHA-256-PLUS\""));
    // The exchange refuses a wrong password without asking the store, and the log has it all the same, once.
    let output = home.fetch(&server, "joe", "wrong", &["--auth", "scram-sha-256"]);
    assert_eq!(output.status.code(), Some(5), "{}", text(&output.stderr));
    let line = home.wait_for("login refused: wrong name or password");
    assert!(line.ends_with("user=\"joe\" address=127.0.0.1 method=\"SCRAM-SHA-256\" tls=true"), "{line}");
    assert_eq!(home.read("log").matches("login refused").count(), 1);
    drop(server);
    home.passwd("ann", &[]);
    let server = home.serve(&[]);
    home.fetch_well(&server, "joe", &[]);
    assert!(home.wait_for("logged in").contains("method=\"PLAIN\""), "ann has no keys");
}

/// Returns the reply to a request.
fn http(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut reply = String::new();
    stream.read_to_string(&mut reply).unwrap();
    reply
}

#[test]
fn metrics_count_sessions_logins_and_messages() {
    let home = Home::new();
    home.deliver("joe");
    home.passwd("joe", &[]);
    // A free port, which is taken again at once.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    home.write_settings(&format!("metrics = '{free}'\n"));
    let server = home.serve(&[]);
    assert_eq!(home.fetch(&server, "joe", "wrong", &[]).status.code(), Some(5));
    home.fetch_well(&server, "joe", &[]);
    home.wait_for("session ended: the client sent QUIT");
    let reply = http(&free, "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(reply.starts_with("HTTP/1.1 200 OK\r\n"), "{reply}");
    for line in [
        "# TYPE pop3_sessions gauge",
        "# TYPE pop3_logins_total counter",
        "pop3_logins_total 1",
        "pop3_logins_failed_total 1",
        "pop3_messages_retrieved_total 1",
        "pop3_message_octets_retrieved_total 16",
        "pop3_messages_deleted_total 0",
        "pop3_sessions_refused_total 0",
        // The end of rcgen's certificates.
        "pop3_certificate_end_timestamp_seconds 67090118400",
    ] {
        assert!(reply.lines().any(|told| told == line), "{line}\n{reply}");
    }
    assert!(http(&free, "GET /health HTTP/1.0\r\n\r\n").ends_with("\r\n\r\nok\n"));
    assert!(http(&free, "GET / HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 404 "));
    assert!(http(&free, "POST /metrics HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 405 "));
    // A long request gets no reply.
    let mut stream = TcpStream::connect(&free).unwrap();
    let mut reply = String::new();
    let long = format!("GET /health HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(65_536));
    let _ = stream.write_all(long.as_bytes()).and_then(|()| stream.read_to_string(&mut reply));
    assert_eq!(reply, "");
}

#[test]
fn deleted_messages_move_to_the_trash_if_the_operator_wants_it() {
    let home = Home::new();
    home.deliver("joe");
    home.passwd("joe", &[]);
    home.write_settings("on-delete = 'trash'\n");
    let server = home.serve(&[]);
    home.fetch_well(&server, "joe", &["--delete"]);
    assert_eq!(fs::read_dir(home.path("joe/new")).unwrap().count(), 0);
    assert!(home.path("joe/.Trash/cur/1.one.host").exists());
}
