//! `pop3 state`: mail that another program has fetched is not fetched again.

mod script;

use std::fs;
use std::path::Path;
use std::process::Output;

use pop3_test::Server;
use script::{home, pop3, text};

fn server() -> Server {
    let mail = [("a7", "Subject: 1\r\n\r\n1\r\n"), ("b4", "Subject: 2\r\n\r\n2\r\n"), ("c1", "Subject: 3\r\n\r\n3\r\n")];
    Server::builder().user_with_ids("joe", "secret", mail).start().unwrap()
}

fn run(server: &Server, before: &[&str], maildir: &Path, options: &[&str]) -> (Option<i32>, String) {
    let port = server.port().to_string();
    let mut command = pop3();
    command.args(before).arg("127.0.0.1").arg(maildir).args(["--user", "joe", "--port", &port, "--dangerously-cleartext"]);
    let Output { status, stdout, stderr } = command.args(options).env("POP3_PASSWORD", "secret").output().unwrap();
    (status.code(), text(&stdout) + &text(&stderr))
}

fn retrieved(server: &Server) -> Vec<String> {
    server.commands().into_iter().filter(|line| line.starts_with("RETR") || line.starts_with("DELE")).collect()
}

#[test]
fn what_another_program_has_fetched_is_neither_fetched_nor_deleted() {
    let lists = [
        ("mpop", " 2 127.0.0.1 joe\na7\nb4\n"),
        ("fetchmail", "joe@127.0.0.1 a7\njoe@127.0.0.1 b4\n"),
        ("getmail", "a7\x001795700000\nb4\x001795700000\n"),
        ("thunderbird", "*127.0.0.1 joe\nk a7 1795700000\nk b4 1795700000\n"),
    ];
    for (program, list) in lists {
        let (server, (folder, maildir)) = (server(), home());
        let file = folder.path().join("list");
        fs::write(&file, list).unwrap();
        let import = ["state", "import", program, file.to_str().unwrap()];
        let (code, told) = run(&server, &import, &maildir, &[]);
        assert_eq!(code, Some(0), "{told}");
        assert!(told.contains("2 messages taken over") && told.contains("0 known before"), "{told}");
        let (code, told) = run(&server, &import, &maildir, &[]);
        assert!(code == Some(0) && told.contains("0 messages taken over"), "{told}");
        assert_eq!(server.sessions(), 0, "no server is asked");
        let (code, told) = run(&server, &["fetch"], &maildir, &["--delete"]);
        assert_eq!(code, Some(0), "{program}: {told}");
        assert_eq!(retrieved(&server), ["RETR 3", "DELE 3"], "{program}");
        let (code, told) = run(&server, &["state", "show"], &maildir, &[]);
        assert!(code == Some(0) && told.contains("2  fetched by another program\n"), "{told}");
        assert!(told.contains("1  deleted on the server\n"), "{told}");
    }
}

#[test]
fn an_account_of_the_configuration_is_named() {
    let (server, (folder, _)) = (server(), home());
    let (config, list) = (folder.path().join(".config/pop3"), folder.path().join("list"));
    fs::create_dir_all(&config).unwrap();
    let account = format!("server = \"127.0.0.1:{}\"\nuser = \"joe\"\nmaildir = \"~/work\"\n", server.port());
    fs::write(config.join("config.toml"), format!("[accounts.work]\n{account}dangerously-cleartext = true\n")).unwrap();
    fs::write(&list, "joe@127.0.0.1 a7\n").unwrap();
    let run = |arguments: &[&str]| {
        let mut command = pop3();
        command.args(arguments).env("HOME", folder.path()).env_remove("XDG_CONFIG_HOME").env("POP3_PASSWORD", "secret");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    assert!(run(&["state", "import", "fetchmail", list.to_str().unwrap(), "work"]).starts_with("1 message taken over"));
    assert!(run(&["fetch", "work"]).contains("2 messages"));
    let told = run(&["state", "show", "work"]);
    assert!(told.contains("2  stored\n") && told.contains("1  fetched by another program\n"), "{told}");
}

#[test]
fn a_list_of_another_maildrop_is_refused_and_nothing_is_made() {
    let (server, (folder, maildir)) = (server(), home());
    let file = folder.path().join("list");
    fs::write(&file, "ann@127.0.0.1 a1\n").unwrap();
    let (code, told) = run(&server, &["state", "import", "fetchmail", file.to_str().unwrap()], &maildir, &[]);
    assert_eq!(code, Some(2), "{told}");
    assert!(told.contains("no list for joe at 127.0.0.1") && told.contains("ann at 127.0.0.1"), "{told}");
    let (code, told) = run(&server, &["state", "import", "mpop", "nowhere"], &maildir, &[]);
    assert_eq!(code, Some(7), "{told}");
    assert!(!maildir.exists());
}

#[test]
fn what_is_forgotten_is_fetched_again() {
    let (server, (_folder, maildir)) = (server(), home());
    let (code, told) = run(&server, &["state", "forget"], &maildir, &["--yes"]);
    assert!(code == Some(0) && told.contains("nothing is known") && !maildir.exists(), "{told}");
    assert_eq!(run(&server, &["fetch"], &maildir, &[]).0, Some(0));
    let (code, told) = run(&server, &["state", "forget"], &maildir, &[]);
    assert_eq!(code, Some(2), "there is no terminal to ask on: {told}");
    let (_, told) = run(&server, &["fetch"], &maildir, &[]);
    assert!(told.contains("3 known already"), "{told}");
    let (code, told) = run(&server, &["state", "forget"], &maildir, &["--yes"]);
    assert!(code == Some(0) && told.contains("3 messages of"), "{told}");
    let (_, told) = run(&server, &["fetch"], &maildir, &[]);
    assert!(told.contains("3 messages ("), "{told}");
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 6);
}
