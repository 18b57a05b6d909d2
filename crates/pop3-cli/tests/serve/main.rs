//! `pop3 serve`: what it takes, what it tells, and how it ends.

#[path = "../script/mod.rs"]
mod script;
mod settings;

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
fn serve_announces_its_options() {
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
fn unusable_options_are_reported_before_anything_is_done() {
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
        assert!(told.contains("is not a path that names the user"), "{told}");
    }
    let (code, told) = serve("/home/%u", &["--listen", &address]);
    assert!(code == Some(2) && told.contains("without a certificate no user could log in"), "{told}");
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
        assert_eq!(told.contains("all users of this machine can access"), by_anybody, "{mode:o}: {told}");
        // A password for `fetch`, which fails as nobody listens there.
        let output = pop3()
            .args(["fetch", "127.0.0.1", "--user", "joe", "--port", "1", "--dangerously-cleartext", "--password-file"])
            .arg(&file)
            .arg(folder.path().join("Maildir"))
            .output()
            .unwrap();
        let told = text(&output.stderr);
        assert_eq!(told.contains("other users can access"), by_others, "{mode:o}: {told}");
    }
}

/// A session over TCP in the clear.
struct Wire {
    reader: BufReader<TcpStream>,
}

impl Wire {
    fn new(port: &str) -> Self {
        let mut wire = Self { reader: BufReader::new(TcpStream::connect(format!("127.0.0.1:{port}")).unwrap()) };
        assert!(wire.line().starts_with("+OK"));
        wire
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn say(&mut self, line: &str) -> String {
        self.reader.get_mut().write_all(format!("{line}\r\n").as_bytes()).unwrap();
        self.line()
    }

    fn lines(&mut self, line: &str) -> Vec<String> {
        assert!(self.say(line).starts_with("+OK"), "{line}");
        std::iter::from_fn(|| Some(self.line()).filter(|line| line != ".")).collect()
    }

    fn login(&mut self, user: &str, password: &str) -> String {
        self.say(&format!("USER {user}"));
        self.say(&format!("PASS {password}"))
    }
}

fn cleartext(options: &[&str]) -> Serve {
    Serve::new("secret", &[&["--listen", "127.0.0.1:0", "--dangerously-cleartext"], options].concat())
}

impl Serve {
    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap()
    }

    /// Waits until the log has a line with all of these.
    fn wait_for(&self, parts: &[&str]) -> String {
        loop {
            let log = self.log();
            if let Some(line) = log.lines().find(|line| parts.iter().all(|part| line.contains(part))) {
                return line.to_owned();
            }
            thread::yield_now();
        }
    }

    /// Adds a user whose password is stored as it is.
    fn add(&self, user: &str, password: &[u8]) {
        let mut users = fs::OpenOptions::new().append(true).open(self.folder.path().join("users")).unwrap();
        users.write_all(&[user.as_bytes(), b":{PLAIN}", password, b"\n"].concat()).unwrap();
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(self.folder.path().join(user).join(sub)).unwrap();
        }
    }
}

#[test]
fn logins_refusals_and_ends_are_logged_with_user_address_method_and_tls() {
    let server = cleartext(&[]);
    let mut wire = Wire::new(&server.port);
    assert!(wire.login("joe", "wrong").starts_with("-ERR"));
    assert!(wire.login("stranger", "x").starts_with("-ERR"));
    assert!(wire.login("joe", "secret").starts_with("+OK"));
    // A message counts each time that it is retrieved as a whole; TOP does not count.
    for command in ["RETR 1", "TOP 1 0", "RETR 1"] {
        wire.lines(command);
    }
    assert!(wire.say("DELE 1").starts_with("+OK"));
    assert!(wire.say("QUIT").starts_with("+OK"));
    for parts in [
        &["login refused: wrong name or password", "user=\"joe\"", "address=127.0.0.1", "method=\"USER\"", "tls=false"][..],
        &["login refused: wrong name or password", "user=\"stranger\"", "address=127.0.0.1"],
        &["logged in", "user=\"joe\"", "address=127.0.0.1", "method=\"USER\"", "tls=false"],
        &[
            "session ended: the client sent QUIT",
            "user=\"joe\"",
            "address=127.0.0.1",
            "tls=false",
            "retrieved=2 octets=38 deleted=1 left=0 seconds=",
        ],
    ] {
        // The address of the session survives the way to another thread.
        assert!(server.wait_for(parts).contains("session{id=1 peer=127.0.0.1:"), "{parts:?}");
    }
    // A password that was typed where the name belongs.
    let mut wire = Wire::new(&server.port);
    wire.login("MyS3cret!", "joe");
    server.wait_for(&["login refused", "may be a password"]);
    assert!(!server.log().contains("MyS3cret!"));
    // Through TLS, by a mechanism.
    let tls = Serve::new("secret", &["--listen-tls", "127.0.0.1:0"]);
    assert_eq!(tls.fetch("joe", "secret").status.code(), Some(0));
    tls.wait_for(&["logged in", "user=\"joe\"", "method=\"PLAIN\"", "tls=true"]);
}

#[test]
fn limits_on_sessions_are_what_the_options_say() {
    let server = cleartext(&["--max-sessions", "5", "--max-sessions-per-source", "2"]);
    let mut held: Vec<Wire> = (0..2).map(|_| Wire::new(&server.port)).collect();
    for wire in &mut held {
        assert!(wire.say("CAPA").starts_with("+OK"));
    }
    let mut third = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    let mut said = String::new();
    assert!(third.read_to_string(&mut said).map_or(true, |_| said.is_empty()), "too many from one source: {said}");
    let from = |last: u8| {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        socket.bind(&std::net::SocketAddr::from(([127, 0, 7, last], 0)).into()).unwrap();
        let server = std::net::SocketAddr::from(([127, 0, 0, 1], server.port.parse().unwrap()));
        socket.connect(&server.into()).unwrap();
        BufReader::new(TcpStream::from(socket))
    };
    let mut greeted = |last: u8| {
        let mut reader = from(last);
        let mut line = String::new();
        let read = reader.read_line(&mut line);
        (read.is_ok() && line.starts_with("+OK"), reader)
    };
    // All places are taken by sessions that say nothing: the oldest of the busiest source gives way.
    let others: Vec<_> = (1..=3).map(&mut greeted).collect();
    assert!(others.iter().all(|(greeted, _)| *greeted));
    let (is_greeted, _sixth) = greeted(4);
    assert!(is_greeted, "a silent session gives way");
    server.wait_for(&["the session gave way to another one"]);
    // The oldest of the busiest source has come to its end.
    let _ = held[0].reader.read_to_string(&mut String::new());
}

#[test]
fn messages_expire_and_logins_wait_as_the_options_say() {
    let server = cleartext(&["--expire", "30"]);
    let mut wire = Wire::new(&server.port);
    wire.login("joe", "secret");
    assert_eq!(wire.lines("LIST").len(), 1, "its file is new, though its name is old");
    assert!(wire.lines("CAPA").contains(&"EXPIRE 30".to_owned()));
}

#[test]
fn h42_a_lock_dies_with_the_server_that_held_it() {
    let mut server = cleartext(&[]);
    let mut wire = Wire::new(&server.port);
    assert!(wire.login("joe", "secret").starts_with("+OK"));
    assert!(Wire::new(&server.port).login("joe", "secret").starts_with("-ERR [IN-USE]"));
    server.child.kill().unwrap();
    server.child.wait().unwrap();
    let maildir = pop3_maildrop::Maildir::open(server.folder.path().join("joe")).unwrap();
    assert!(maildir.lock().is_ok(), "nothing is left of a server that was killed");
}

#[test]
fn names_and_passwords_are_as_they_are_out_there() {
    let server = cleartext(&["--ignore-case"]);
    for (user, password) in
        [("o'brien@example.org", &b"x"[..]), ("r&d@example.org", b"y"), ("m\u{fc}ller@example.org", b"z"), ("ann", b"gehe\xefm")]
    {
        server.add(user, password);
    }
    let login = |user: &str, password: &[u8]| {
        let mut wire = Wire::new(&server.port);
        wire.say(&format!("USER {user}"));
        wire.reader.get_mut().write_all(&[b"PASS ", password, b"\r\n"].concat()).unwrap();
        wire.line()
    };
    for (user, password) in [
        ("o'brien@example.org", &b"x"[..]),
        ("O'Brien@Example.ORG", b"x"),
        ("r&d@example.org", b"y"),
        ("m\u{fc}ller@example.org", b"z"),
        ("ANN", b"gehe\xefm"),
    ] {
        assert!(login(user, password).starts_with("+OK"), "{user}");
    }
    assert!(login("ann", b"geheim").starts_with("-ERR"));
    // Upper and lower case of one user are one maildrop.
    let mut first = Wire::new(&server.port);
    assert!(first.login("Joe", "secret").starts_with("+OK"));
    assert!(Wire::new(&server.port).login("JOE", "secret").starts_with("-ERR [IN-USE]"));
    let exact = cleartext(&[]);
    assert!(Wire::new(&exact.port).login("JOE", "secret").starts_with("-ERR"));
}

#[test]
#[cfg(unix)]
fn passwd_keeps_links_and_other_lines_and_takes_effect_at_once() {
    let server = cleartext(&[]);
    let (users, link) = (server.folder.path().join("users"), server.folder.path().join("link"));
    std::os::unix::fs::symlink(&users, &link).unwrap();
    server.add("ann", b"x");
    passwd(&link, "changed");
    assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "the link stays");
    assert!(Wire::new(&server.port).login("joe", "changed").starts_with("+OK"));
    assert!(Wire::new(&server.port).login("joe", "secret").starts_with("-ERR"), "the old password is of no use");
    assert!(Wire::new(&server.port).login("ann", "x").starts_with("+OK"));
    for name in ["../up", "a/b", "a:b", ".hidden", ""] {
        let mut passwd =
            pop3().arg("passwd").arg(&users).arg("--").arg(name).stdin(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let _ = passwd.stdin.take().unwrap().write_all(b"x\n");
        assert!(!passwd.wait().unwrap().success(), "h57: {name:?}");
    }
}

#[test]
#[cfg(unix)]
fn sighup_never_ends_a_server() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("users"), "joe:{PLAIN}secret\n").unwrap();
    let mut child = pop3()
        .args(["serve", "--listen", "127.0.0.1:0", "--dangerously-cleartext", "--users"])
        .arg(folder.path().join("users"))
        .arg("--mail")
        .arg(folder.path().join("%u"))
        .stdout(Stdio::piped())
        .stderr(fs::File::create(folder.path().join("log")).unwrap())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap().to_owned();
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    while !fs::read_to_string(folder.path().join("log")).unwrap().contains("SIGHUP: there is no certificate to reload") {
        assert!(child.try_wait().unwrap().is_none(), "the server has ended");
        thread::yield_now();
    }
    assert!(Wire::new(&port).say("CAPA").starts_with("+OK"));
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn s07_sizes_follow_the_files_whatever_their_names_say() {
    let server = cleartext(&[]);
    let new = server.folder.path().join("joe/new");
    for (name, content) in [("2.a,S=10,W=12", "grown by a filter\n"), ("3.b,S=3,W=5", "a\n"), ("4.c,W=3", "a\nb\nc\n")] {
        fs::write(new.join(name), content).unwrap();
    }
    for change in ["", "changed in its place, with another length\n"] {
        if !change.is_empty() {
            fs::write(new.join("3.b,S=3,W=5"), change).unwrap();
        }
        let mut wire = Wire::new(&server.port);
        assert!(wire.login("joe", "secret").starts_with("+OK"));
        let listed = wire.lines("LIST");
        let mut all = 0;
        for (at, line) in listed.iter().enumerate() {
            let text = wire.lines(&format!("RETR {}", at + 1));
            let sent: usize = text.iter().map(|line| line.strip_prefix('.').unwrap_or(line).len() + 2).sum();
            all += sent;
            assert_eq!(*line, format!("{} {sent}", at + 1));
        }
        assert_eq!(wire.say("STAT"), format!("+OK {} {all}", listed.len()));
        wire.say("QUIT");
    }
}

#[test]
fn announced_commands_are_accepted_after_login_too() {
    let server = cleartext(&[]);
    let mut wire = Wire::new(&server.port);
    let before = wire.lines("CAPA");
    wire.login("joe", "secret");
    let after = wire.lines("CAPA");
    assert!(before.iter().chain(&after).any(|line| line.starts_with("UTF8")));
    for capability in &after {
        let command = match capability.split(' ').next().unwrap() {
            "UTF8" => "UTF8",
            "TOP" => "TOP 1 0",
            "UIDL" => "UIDL",
            "LANG" => "LANG",
            _ => continue,
        };
        let answer = wire.say(command);
        assert!(answer.starts_with("+OK"), "{command}: {answer}");
        if command != "UTF8" {
            while wire.line() != "." {}
        }
    }
}

#[test]
#[cfg(unix)]
fn a_maildir_behind_a_link_is_served_and_a_file_in_its_place_is_told() {
    let server = cleartext(&[]);
    let joe = server.folder.path().join("joe");
    fs::rename(&joe, server.folder.path().join("large-disk")).unwrap();
    std::os::unix::fs::symlink("large-disk", &joe).unwrap();
    let mut wire = Wire::new(&server.port);
    assert!(wire.login("joe", "secret").starts_with("+OK"));
    assert_eq!(wire.lines("LIST").len(), 1);
    wire.say("QUIT");
    fs::remove_file(&joe).unwrap();
    fs::write(&joe, "").unwrap();
    let answer = Wire::new(&server.port).login("joe", "secret");
    assert!(answer.starts_with("-ERR [SYS/PERM]"), "{answer}");
    server.wait_for(&["login refused", "not a directory"]);
}

#[test]
fn both_wildcards_and_names_can_be_listened_on() {
    let server = cleartext(&["--listen", "localhost:0", "--listen", "0"]);
    assert!(Wire::new(&server.port).say("CAPA").starts_with("+OK"));
}

#[test]
fn trusted_proxies_tell_the_address_and_others_do_not() {
    let header = "PROXY TCP4 192.0.2.7 192.0.2.1 4711 110\r\n";
    let server = cleartext(&["--trust-proxy", "127.0.0.1", "--proxy-protocol"]);
    let mut reader = BufReader::new(TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap());
    reader.get_mut().write_all(header.as_bytes()).unwrap();
    let mut wire = Wire { reader };
    assert!(wire.line().starts_with("+OK"));
    assert!(wire.login("joe", "wrong").starts_with("-ERR"));
    server.wait_for(&["login refused", "user=\"joe\"", "address=192.0.2.7"]);

    let server = cleartext(&["--trust-proxy", "127.0.0.1"]);
    let mut wire = Wire::new(&server.port);
    assert!(wire.say("XCLIENT ADDR=192.0.2.8").starts_with("+OK"));
    assert!(wire.login("joe", "wrong").starts_with("-ERR"));
    server.wait_for(&["login refused", "user=\"joe\"", "address=192.0.2.8"]);

    let server = cleartext(&[]);
    assert!(Wire::new(&server.port).say("XCLIENT ADDR=192.0.2.9").starts_with("-ERR"), "nobody trusts it");
}

#[test]
fn logged_in_sessions_never_give_way() {
    let server = cleartext(&["--max-sessions", "2"]);
    let mut wire = Wire::new(&server.port);
    assert!(wire.login("joe", "secret").starts_with("+OK"));
    let _silent = Wire::new(&server.port);
    // Its greeting comes when a place is free.
    let _third = Wire::new(&server.port);
    server.wait_for(&["the session gave way to another one"]);
    assert!(wire.say("NOOP").starts_with("+OK"), "its place is its own");
}

#[test]
#[cfg(unix)]
fn a_certificate_that_cannot_be_read_at_sighup_leaves_the_old_one() {
    let server = Serve::new("secret", &["--listen-tls", "127.0.0.1:0"]);
    let certificate = server.folder.path().join("cert.pem");
    let old = fs::read(&certificate).unwrap();
    fs::write(&certificate, "nonsense").unwrap();
    assert!(Command::new("kill").args(["-HUP", &server.child.id().to_string()]).status().unwrap().success());
    server.wait_for(&["SIGHUP: the old certificate stays in use"]);
    fs::write(&certificate, old).unwrap();
    assert_eq!(server.fetch("joe", "secret").status.code(), Some(0));
}

#[test]
fn h03_no_handshake_begins_behind_what_was_said_in_the_clear() {
    let server = Serve::new("secret", &["--listen", "127.0.0.1:0"]);
    let mut stream = TcpStream::connect(format!("127.0.0.1:{}", server.port)).unwrap();
    stream.write_all(b"STLS\r\nNOOP\r\n").unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..2 {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        assert!(line.starts_with("+OK"), "{line}");
    }
    // The beginning of a handshake. A server that goes on would answer it, with an alert at least.
    let _ = stream.write_all(&[&[22, 3, 1, 0, 5][..], &[1, 0, 0, 1, 0]].concat());
    let mut rest = Vec::new();
    let _ = reader.read_to_end(&mut rest);
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn two_runs_of_passwd_lose_no_user() {
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    passwd(&users, "first");
    let lock = fs::OpenOptions::new().create(true).truncate(false).write(true).open(folder.path().join("users.lock")).unwrap();
    lock.lock().unwrap();
    let mut waiting = pop3().arg("passwd").arg(&users).arg("joe").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    waiting.stdin.take().unwrap().write_all(b"second\n").unwrap();
    // The kernel lists who waits for a lock.
    let waits = format!(" {} ", waiting.id());
    while !fs::read_to_string("/proc/locks").unwrap().lines().any(|line| line.contains("->") && line.contains(&waits)) {
        assert!(waiting.try_wait().unwrap().is_none(), "it did not wait for the lock");
        thread::yield_now();
    }
    // What another run writes meanwhile.
    let line = "ann:{PLAIN}x\n";
    fs::OpenOptions::new().append(true).open(&users).unwrap().write_all(line.as_bytes()).unwrap();
    drop(lock);
    assert!(waiting.wait().unwrap().success());
    assert!(fs::read_to_string(&users).unwrap().contains(line), "the other user is still there");
}

#[test]
#[cfg(unix)]
fn passwd_keeps_the_owner_of_the_file() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let users = folder.path().join("users");
    passwd(&users, "first");
    // Only root may give a file away; for others it stays theirs.
    let _ = std::os::unix::fs::chown(&users, Some(12_345), Some(54_321));
    let before = fs::metadata(&users).unwrap();
    passwd(&users, "second");
    let after = fs::metadata(&users).unwrap();
    assert_eq!((after.uid(), after.gid(), after.mode()), (before.uid(), before.gid(), before.mode()));
}
