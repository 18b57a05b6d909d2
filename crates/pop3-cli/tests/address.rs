//! `pop3 fetch` with a mail address.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use pop3_test::{Fault, Server};

const HELLO: &str = "Subject: hello\r\n\r\nHello.\r\n";

/// Fetches from `server` for an address, in a home of its own.
fn fetch(home: &Path, server: &Server, arguments: &[&str]) -> Output {
    let port = server.port().to_string();
    run(home, &[arguments, &["--host", "127.0.0.1", "--port", &port, "--dangerously-cleartext"]].concat())
}

fn run(home: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pop3"));
    command
        .arg("fetch")
        .args(arguments)
        .env("HOME", home)
        .env_remove("XDG_STATE_HOME")
        .env("POP3_PASSWORD", "secret")
        .env("LC_ALL", "C")
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn an_address_has_a_user_and_a_folder_which_is_told_and_made_after_the_login() {
    let home = tempfile::tempdir().unwrap();
    let server =
        Server::builder().user("you@example.org", "secret", [HELLO]).fault(Fault::on("PASS").nth(1).refuse("[AUTH] wrong"));
    let server = server.start().unwrap();
    let refused = fetch(home.path(), &server, &["you@example.org"]);
    assert_eq!(refused.status.code(), Some(5), "{}", told(&refused));
    assert!(!home.path().join("Mail").exists(), "no folder before the login");
    let output = fetch(home.path(), &server, &["you@Example.ORG"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    let maildir = home.path().join("Mail/you@example.org");
    assert!(told(&output).contains(&format!("mail goes to {}", maildir.display())), "{}", told(&output));
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 1);
    // A Maildir that is named is not told again.
    let other = home.path().join("other");
    let output = fetch(home.path(), &server, &["you@example.org", other.to_str().unwrap()]);
    assert_eq!((output.status.code(), told(&output).as_str()), (Some(0), ""));
    assert_eq!(fs::read_dir(other.join("new")).unwrap().count(), 1);
}

#[test]
fn the_provider_of_an_address_gives_the_form_of_the_user_name_and_advice() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().user("you", "secret", [HELLO]).start().unwrap();
    assert_eq!(fetch(home.path(), &server, &["you@web.de"]).status.code(), Some(0), "the part before the @");
    // One mailbox, however its owner spells the address: nothing comes twice.
    assert_eq!(fetch(home.path(), &server, &["You@Web.DE"]).status.code(), Some(0));
    assert_eq!(fs::read_dir(home.path().join("Mail/you@web.de/new")).unwrap().count(), 1);
    let server =
        Server::builder().user("you", "secret", [HELLO]).fault(Fault::on("PASS").refuse("[IN-USE] locked")).start().unwrap();
    let busy = told(&fetch(home.path(), &server, &["you@gmail.com"]));
    assert!(busy.contains("Another program is reading this mailbox") && !busy.contains("app password"), "{busy}");
    for (address, refusal, advice) in [
        (
            "you@163.com",
            "Unable to log on",
            "NetEase 163 wants an authorization code, which is not the password of the web page.",
        ),
        (
            "you@gmail.com",
            "[AUTH] Your account is not enabled for POP access.",
            "Gmail says that POP is switched off for this mailbox.",
        ),
        ("you@gmail.com", "[AUTH] Web login required", "Gmail wants a login on its web page first."),
    ] {
        let server = Server::builder().user("you", "secret", [HELLO]).fault(Fault::on("PASS").refuse(refusal)).start().unwrap();
        let output = fetch(home.path(), &server, &[address]);
        let told = told(&output);
        assert!(told.contains(advice) && told.contains("https://"), "{address}: {told}");
        assert!(!output.status.success() && !told.contains("secret"), "{told}");
    }
}

#[test]
fn what_an_address_cannot_do_is_said_before_any_connection() {
    let home = tempfile::tempdir().unwrap();
    for (arguments, code, parts) in [
        (&["you@icloud.com"][..], 2, &["iCloud Mail has no POP3", "https://"][..]),
        (&["you@outlook.com"], 5, &["wants an access token", "--token-command"]),
        // An address at a domain of its own, with the server of a provider that is known.
        (&["you@company.example", "--host", "Outlook.Office365.com"], 5, &["Microsoft 365 wants an access token", "pop3 login"]),
        (
            &["../x@163.com", "--host", "127.0.0.1", "--port", "1"],
            2,
            &["there is no default folder", "pop3 fetch ADDRESS MAILDIR"],
        ),
        (&["x/../../y@163.com", "--host", "127.0.0.1", "--port", "1"], 2, &["there is no default folder"]),
        (&["x\u{1b}@163.com", "--host", "127.0.0.1", "--port", "1"], 2, &["there is no default folder"]),
        (&["pop.example.org", "--host", "x"], 2, &["--host is for a mail address"]),
        (&["pop.example.org"], 2, &["a host name needs --user", "pop3 fetch joe@gmail.com"]),
        (&["pop.example.org", "--user", "joe"], 2, &["a host name needs a Maildir"]),
        (&["http://pop.example.org", "m", "--user", "joe"], 2, &["begins with pops:// or pop://"]),
        (&["pops://joe@pop.example.org", "m", "--user", "jane"], 2, &["say the same thing twice"]),
        (&["pops://pop.example.org", "m", "--user", "joe", "--stls"], 2, &["say the same thing twice"]),
        (&["pop.example.org:995", "m", "--user", "joe", "--port", "995"], 2, &["say the same thing twice"]),
    ] {
        let output = run(home.path(), arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", told(&output));
        assert!(parts.iter().all(|part| told(&output).contains(part)), "{arguments:?}: {}", told(&output));
    }
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn s52_the_server_of_an_unknown_domain_is_guessed_by_its_certificate_and_greeting() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().user("joe@localhost", "secret", [HELLO]).tls().start().unwrap();
    let file = home.path().join("ca.pem");
    fs::write(&file, server.certificate().unwrap()).unwrap();
    let (port, file) = (server.port().to_string(), file.to_str().unwrap());
    let output = run(home.path(), &["joe@localhost", "--port", &port, "--ca-file", file]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("guessed the server localhost"), "{}", told(&output));
    assert_eq!(fs::read_dir(home.path().join("Mail/joe@localhost/new")).unwrap().count(), 1);
    // The port was named, so this server is not the one for every later run.
    assert!(!home.path().join(".local").exists());
    // A certificate that nobody vouches for makes no guess, and no credentials are sent.
    for options in [&[][..], &["--dangerously-any-certificate"], &["--dangerously-cleartext"]] {
        let output = run(home.path(), &[&["joe@localhost", "--port", &port], options].concat());
        assert_eq!(output.status.code(), Some(2), "{options:?}: {}", told(&output));
        assert!(told(&output).contains("no POP3 server is known for joe@localhost"), "{}", told(&output));
    }
    let commands = server.commands();
    assert_eq!(commands.iter().filter(|line| line.starts_with("PASS")).count(), 1, "{commands:?}");
    // A name that no host can have is looked up by nobody.
    let address = format!("you@{}.example", "a".repeat(64));
    let output = run(home.path(), &[&address]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("--host pop.example.org"), "{}", told(&output));
}

#[test]
fn the_part_before_the_at_is_tried_if_the_server_refuses_the_address() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().user("joe", "secret", [HELLO]).start().unwrap();
    let output = fetch(home.path(), &server, &["joe@example.org"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains("with --user joe the next run"), "{}", told(&output));
    // The same account, however its user was found.
    let output = fetch(home.path(), &server, &["joe@example.org", "--user", "joe"]);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert_eq!(fs::read_dir(home.path().join("Mail/joe@example.org/new")).unwrap().count(), 1);
    // A user that was named, or that the provider knows, is the only one.
    for arguments in [&["joe@example.org", "--user", "jane@example.org"][..], &["joe@163.com"]] {
        let before = server.commands().len();
        assert_eq!(fetch(home.path(), &server, arguments).status.code(), Some(5));
        let commands = server.commands();
        assert_eq!(commands[before..].iter().filter(|line| line.starts_with("USER")).count(), 1, "{commands:?}");
    }
}

#[test]
fn a_server_may_be_named_with_its_port_or_by_a_url() {
    let home = tempfile::tempdir().unwrap();
    let server = Server::builder().user("joe", "secret", [HELLO]).stls().tls_port(0).start().unwrap();
    let file = home.path().join("ca.pem");
    fs::write(&file, server.certificate().unwrap()).unwrap();
    let (clear, tls) = (server.port(), server.tls_port().unwrap());
    let file = file.to_str().unwrap();
    for (at, arguments) in [
        &[&format!("pops://joe;auth=*@localhost:{tls}")[..]][..],
        &[&format!("pop://joe@localhost:{clear}")],
        &[&format!("localhost:{tls}"), "--user", "joe"],
        &[&format!("127.0.0.1:{clear}"), "--user", "joe", "--stls"],
    ]
    .into_iter()
    .enumerate()
    {
        let maildir = home.path().join(at.to_string());
        let output = run(home.path(), &[arguments, &[maildir.to_str().unwrap(), "--ca-file", file]].concat());
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", told(&output));
        assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 1, "{arguments:?}");
    }
    // The method of the URL is the one that is used: the server refuses it, and no other is tried.
    let url = format!("pops://joe;auth=SCRAM-SHA-256@localhost:{tls}");
    let output = run(home.path(), &[&url, home.path().join("x").to_str().unwrap(), "--ca-file", file]);
    assert!(!output.status.success());
    assert!(!server.commands().last().unwrap().starts_with("PASS"), "{:?}", server.commands());
}
