//! `pop3 read`: lists, shows and deletes.

mod script;

use std::fs;
use std::process::Output;

use pop3_test::{Builder, Fault, Server};
use script::screens::compare;
use script::{pop3, text};

const MAIL: [&str; 3] = [
    "Date: Thu, 26 Nov 2026 18:30:00 +0800\r\nFrom: Ann <ann@example.org>\r\nSubject: =?UTF-8?Q?Gr=C3=BC=C3=9Fe?=\r\n\r\nHello.\r\n",
    "From: bob@example.org\r\nTo: joe@example.org\r\nSubject: HTML\r\nContent-Type: text/html\r\n\r\n<p>Some <b>text</b></p>\r\n",
    "Subject: \x1b[31mred\r\n\r\n\x1b[2Jcleared\r\n",
];

fn with_mail() -> Builder {
    Server::builder().user("joe", "secret", MAIL)
}

fn read(server: &Server, arguments: &[&str]) -> Output {
    read_at_columns(server, "120", arguments)
}

fn read_at_columns(server: &Server, columns: &str, arguments: &[&str]) -> Output {
    let port = server.port().to_string();
    let account = ["read", "127.0.0.1", "--user", "joe", "--port", &port, "--dangerously-cleartext"];
    let mut command = pop3();
    command.args(account).args(arguments).env("POP3_PASSWORD", "secret").env("COLUMNS", columns).env("LC_ALL", "C");
    command.output().unwrap()
}

#[test]
fn the_list_has_senders_and_subjects_in_words() {
    let server = with_mail().start().unwrap();
    let output = read(&server, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let told = text(&output.stdout);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.len(), 3, "{told}");
    assert!(lines[0].contains("2026-11-26 18:30") && lines[0].contains("Ann") && lines[0].ends_with("Grüße"), "{told}");
    assert!(lines[1].contains("bob@example.org") && lines[1].ends_with("HTML"), "{told}");
    assert!(lines[2].ends_with("red") && !told.contains('\x1b'), "{told}");
    // Only the headers are transferred.
    assert!(!server.commands().iter().any(|line| line.starts_with("RETR")), "{:?}", server.commands());
}

#[test]
fn the_list_keeps_to_the_columns_of_the_terminal() {
    let long = "Date: Thu, 26 Nov 2026 18:30:00 +0800\r\nFrom: A sender with a name that is long <long@sender.example>\r\n\
        Subject: A subject that says all of it at once, as some people write them, and does not come to an end\r\n\r\n";
    let chinese = "From: =?UTF-8?B?5a625Lq6?= <home@example.org>\r\nSubject: =?UTF-8?B?5pil6IqC5b+r5LmQ77yM56Wd5L2g5Lus5LiA5YiH6aG65Yip?=\r\n\r\n";
    let server = Server::builder().user("joe", "secret", [MAIL[0], long, chinese]).start().unwrap();
    for columns in ["60", "80", "200"] {
        compare(&format!("read.{columns}.txt"), &text(&read_at_columns(&server, columns, &[]).stdout));
    }
}

#[test]
fn a_long_list_begins_with_the_newest() {
    let mail: Vec<String> = (1..=60).map(|number| format!("Subject: {number}\r\n\r\n")).collect();
    let server = Server::builder().user("joe", "secret", &mail).start().unwrap();
    let told = text(&read(&server, &[]).stdout);
    assert!(told.starts_with("   11 ") && told.contains("newest 50 of 60"), "{told}");
    assert_eq!(text(&read(&server, &["--all"]).stdout).lines().count(), 60);
    let empty = Server::builder().user("joe", "secret", [""; 0]).start().unwrap();
    assert_eq!(text(&read(&empty, &[]).stdout), "There is no mail.\n");
}

#[test]
fn a_message_is_shown_as_text_that_does_nothing() {
    let server = with_mail().start().unwrap();
    let show = |arguments: &[&str]| text(&read(&server, arguments).stdout);
    assert_eq!(show(&["1"]), "From: Ann <ann@example.org>\nDate: 2026-11-26 18:30\nSubject: Grüße\n\nHello.\n");
    let html = show(&["2"]);
    assert!(html.contains("Some text") && !html.contains('<'), "{html}");
    let colored = show(&["3"]);
    assert!(colored.contains("cleared") && !colored.contains('\x1b'), "{colored}");
    // Into a file it is what it is.
    assert_eq!(show(&["3", "--raw"]), MAIL[2]);
    let output = read(&server, &["4"]);
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), "pop3: there is no message 4\n".to_owned()));
    assert_eq!(server.deleted("joe").len(), 0);
}

#[test]
fn messages_are_deleted_after_a_yes_and_only_when_the_server_confirms() {
    let server = with_mail().start().unwrap();
    // There is nobody to ask.
    let output = read(&server, &["--delete", "2"]);
    assert_eq!(output.status.code(), Some(2), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("HTML") && text(&output.stderr).contains("--yes"), "{}", text(&output.stderr));
    assert_eq!(server.messages("joe").len(), 3);
    let output = read(&server, &["--delete", "9", "--yes"]);
    assert_eq!((output.status.code(), server.messages("joe").len()), (Some(2), 3));
    let output = read(&server, &["--delete", "2", "--delete", "2", "--yes"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).ends_with("1 message is deleted on the server.\n"), "{}", text(&output.stdout));
    assert_eq!(server.messages("joe"), [MAIL[0].as_bytes(), MAIL[2].as_bytes()]);
    for (fault, what) in [(Fault::on("DELE").nth(2).refuse("no"), "DELE"), (Fault::on("QUIT").refuse("no"), "QUIT")] {
        let server = with_mail().fault(fault).start().unwrap();
        let output = read(&server, &["--delete", "1", "--delete", "2", "--yes"]);
        assert_ne!(output.status.code(), Some(0), "{what}");
        assert!(!text(&output.stdout).contains("deleted on the server"), "{what}: {}", text(&output.stdout));
        assert_eq!(server.messages("joe").len(), 3, "{what}");
    }
}

#[test]
fn a_maildir_is_read_and_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    for sub in ["new", "cur", "tmp"] {
        fs::create_dir(folder.path().join(sub)).unwrap();
    }
    fs::write(folder.path().join("cur/1.a:2,S"), MAIL[0]).unwrap();
    fs::write(folder.path().join("new/2.b"), MAIL[1]).unwrap();
    let path = folder.path().to_str().unwrap();
    let run = |arguments: &[&str]| pop3().arg("read").arg(path).args(arguments).env("LC_ALL", "C").output().unwrap();
    let told = text(&run(&[]).stdout);
    assert_eq!(told.lines().count(), 2, "{told}");
    assert_eq!(told.lines().filter(|line| line.contains(" N ")).count(), 1, "{told}");
    assert!(["1", "2"].iter().any(|number| text(&run(&[number]).stdout).contains("Hello.")));
    assert_eq!(run(&["--delete", "1", "--yes"]).status.code(), Some(2));
    assert!(folder.path().join("cur/1.a:2,S").exists() && folder.path().join("new/2.b").exists());
    fs::remove_dir_all(folder.path().join("new")).unwrap();
    assert!(text(&run(&[]).stderr).contains("is no Maildir"));
}

#[test]
fn completions_and_manual_pages_are_written() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = pop3().args(["completions", shell]).output().unwrap();
        assert!(output.status.success() && text(&output.stdout).contains("doctor"), "{shell}");
    }
    let folder = tempfile::tempdir().unwrap();
    assert!(pop3().arg("man").arg(folder.path()).output().unwrap().status.success());
    let page = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
    assert!(page("pop3.1").contains(".TH") && page("pop3-fetch.1").contains("Maildir") && page("pop3-doctor.1").contains("json"));
}
