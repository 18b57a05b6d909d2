//! Each option of `pop3 fetch` does what its help says.

mod script;

use std::collections::BTreeMap;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::Output;
use std::time::{Duration, Instant, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use pop3_test::{Fault, Server};
use script::fake::{Fake, Say, message};
use script::screens::compare;
use script::{home, mail, pop3, text};

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// A server with mechanisms of its own kind, which takes whatever is said.
fn with_mechanisms() -> Fake {
    Fake::with("SASL PLAIN XOAUTH2\r\nUSER\r\nUIDL\r\nPIPELINING\r\n", vec![message(1)], |_, line| match line {
        line if line.starts_with("AUTH ") => Say::line("+OK"),
        _ => Say::Default,
    })
}

#[test]
fn auth_names_the_only_way_that_is_tried() {
    let server = Fake::with("USER\r\nUIDL\r\n", vec![message(1)], |_, line| match line {
        line if line.starts_with("AUTH ") => Say::line("-ERR no such mechanism"),
        _ => Say::Default,
    });
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &["--auth", "plain"]);
    assert_ne!(code(&output), Some(0), "{}", text(&output.stderr));
    assert_eq!((server.heard("USER"), server.heard("PASS")), (0, 0), "the user did not allow it");
    let output = with_mechanisms().fetch(&maildir, &["--auth", "plain"]);
    assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
}

#[test]
fn a_token_comes_from_a_file_or_a_command_and_is_never_shown() {
    let (folder, maildir) = home();
    let file = folder.path().join("token");
    fs::write(&file, "tok3n-of-joe\n").unwrap();
    for option in [["--token-file", file.to_str().unwrap()], ["--token-command", "echo tok3n-of-joe"]] {
        let server = with_mechanisms();
        let output = server.fetch(&maildir, &option);
        assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
        let wire = server.wire();
        let auth = wire.iter().find_map(|line| line.strip_prefix("AUTH XOAUTH2 ")).expect("the token was used");
        let said = BASE64.decode(auth).unwrap();
        assert_eq!(said, b"user=joe\x01auth=Bearer tok3n-of-joe\x01\x01");
        let server = Fake::with("SASL XOAUTH2\r\nUIDL\r\n", vec![], |_, line| match line {
            line if line.starts_with("AUTH ") => Say::line("-ERR [AUTH] tok3n-of-joe is no token"),
            _ => Say::Default,
        });
        let output = server.fetch(&maildir, &option);
        assert_eq!(code(&output), Some(5));
        assert!(!text(&output.stderr).contains("tok3n"), "{}", text(&output.stderr));
    }
}

#[test]
fn h56_the_log_of_the_libraries_names_server_and_user_and_shows_no_secret() {
    let server = Server::with_messages(["Subject: x\r\n\r\nx\r\n"]).unwrap();
    let (_folder, maildir) = home();
    let mut command = pop3();
    command.args(["fetch", "127.0.0.1"]).arg(&maildir).args(["--port", &server.port().to_string(), "--dangerously-cleartext"]);
    command.args(["--user", "joe"]).env("POP3_PASSWORD", "secret").env("POP3_LOG", "pop3_driver=trace");
    let output = command.output().unwrap();
    let log = text(&output.stderr);
    assert_eq!(code(&output), Some(0), "{log}");
    let client = format!("host=\"127.0.0.1\" port={} user=\"joe\"}}: ", server.port());
    for event in ["logged in", "session ended"] {
        assert!(log.contains(&format!("{client}{event}")), "{event}: {log}");
    }
    // The dialogue is the program's own, which knows the secrets that a server may repeat.
    assert!(!log.contains("C: ") && !log.contains("secret"), "{log}");
}

#[test]
fn a_password_comes_from_netrc_or_from_a_credential_of_systemd() {
    let (folder, maildir) = home();
    fs::write(
        folder.path().join(".netrc"),
        "machine 127.0.0.1 login ann password x\nmachine 127.0.0.1 login joe password netrc's\n",
    )
    .unwrap();
    let given = folder.path().join("credentials");
    fs::create_dir(&given).unwrap();
    fs::write(given.join("mail"), "systemd's\n").unwrap();
    fs::write(folder.path().join("outside"), "not a credential\n").unwrap();
    let fetch = |options: &[&str], variables: &[(&str, &Path)]| {
        let server = Fake::new(vec![message(1)]);
        let mut command = server.command(&maildir, options);
        command.env_remove("POP3_PASSWORD").env_remove("NETRC").env_remove("CREDENTIALS_DIRECTORY").env("HOME", folder.path());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        (code(&output), text(&output.stderr), server)
    };
    let (status, told, server) = fetch(&["--netrc"], &[]);
    assert_eq!((status, server.heard("PASS netrc's")), (Some(0), 1), "{told}");
    let credentials = ("CREDENTIALS_DIRECTORY", &*given);
    let (status, told, server) = fetch(&["--credential", "mail"], &[credentials]);
    assert_eq!((status, server.heard("PASS systemd's")), (Some(0), 1), "{told}");
    // H29: a name leads to no other folder.
    let outside = folder.path().join("outside");
    for (name, variables) in
        [("mail", &[][..]), ("../outside", &[credentials]), (outside.to_str().unwrap(), &[credentials]), ("", &[credentials])]
    {
        let (status, told, server) = fetch(&["--credential", name], variables);
        assert_ne!(status, Some(0), "{name}: {told}");
        assert_eq!(server.heard("USER"), 0, "{name}");
    }
    let (status, told, server) = fetch(&["--netrc"], &[("NETRC", &outside)]);
    assert_eq!((status, server.heard("USER")), (Some(7), 0), "{told}");
    assert!(told.contains("has no password for joe at 127.0.0.1"), "{told}");
}

#[test]
fn a_password_comes_from_a_file_or_a_command() {
    let (folder, maildir) = home();
    let file = folder.path().join("password");
    fs::write(&file, "of the file\n").unwrap();
    for (option, password) in [
        (["--password-file", file.to_str().unwrap()], "PASS of the file"),
        (["--password-command", "echo of the command"], "PASS of the command"),
    ] {
        let server = Fake::new(vec![message(1)]);
        let output = server.command(&maildir, &option).env_remove("POP3_PASSWORD").output().unwrap();
        assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
        assert_eq!(server.heard(password), 1, "{:?}", server.wire());
    }
}

#[test]
fn timeout_is_how_long_a_silent_server_is_waited_for() {
    // It takes connections and never greets.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let (_folder, maildir) = home();
    let output = pop3()
        .args(["fetch", "127.0.0.1", "--user", "joe", "--dangerously-cleartext", "--timeout", "1", "--port", &port])
        .arg(&maildir)
        .env("POP3_PASSWORD", "secret")
        .output()
        .unwrap();
    assert_eq!(code(&output), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("1 s"), "{}", text(&output.stderr));
    assert!(!maildir.exists(), "nothing came of it");
}

#[test]
fn window_is_how_many_commands_wait_for_their_reply() {
    // What is sent before the reply to the first RETR is read together with it.
    let server = |window: &'static str| {
        let messages = (1..=9).map(message).collect();
        let fake = Fake::with("PIPELINING\r\nUSER\r\nUIDL\r\n", messages, |_, _| Say::Default);
        let (_folder, maildir) = home();
        let output = fake.fetch(&maildir, &["--window", window, "--verbose"]);
        assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
        let log = text(&output.stderr);
        // How many RETR stand one behind the other before the server says anything.
        let mut longest = 0;
        let mut row = 0;
        for line in log.lines() {
            if line.contains("RETR") {
                row += 1;
                longest = longest.max(row);
            } else if line.contains("+OK") {
                row = 0;
            }
        }
        longest
    };
    assert_eq!(server("1"), 1);
    assert!(server("9") > 1);
}

#[test]
fn keep_and_delete_say_what_becomes_of_the_mail_there() {
    let server = Fake::new(vec![message(1), message(2)]);
    let (_folder, maildir) = home();
    assert_eq!(code(&server.fetch(&maildir, &["--keep"])), Some(0));
    assert_eq!((server.left(), mail(&maildir).len()), (2, 2));
    let output = server.fetch(&maildir, &["--delete", "--quiet"]);
    assert_eq!((code(&output), server.left(), mail(&maildir).len()), (Some(0), 0, 2));
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "quiet: {}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(code(&server.fetch(&maildir, &["--keep", "--delete"])), Some(2), "one of the two");
}

#[test]
fn old_files_in_tmp_are_removed_and_new_ones_stay() {
    let server = Fake::new(vec![message(1)]);
    let (_folder, maildir) = home();
    assert_eq!(code(&server.fetch(&maildir, &[])), Some(0));
    let left = |name: &str, hours: u64| {
        let path = maildir.join("tmp").join(name);
        let file = fs::File::create(&path).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(hours * 3600)).unwrap();
        path
    };
    let (old, new) = (left("1.old.host", 37), left("2.new.host", 35));
    assert_eq!(code(&server.fetch(&maildir, &[])), Some(0));
    assert!(!old.exists() && new.exists());
    assert_eq!(mail(&maildir).len(), 1, "mail is not touched");
}

#[test]
fn larger_messages_stay_on_the_server_and_come_without_the_limit() {
    let large = format!("Subject: large\r\n\r\n{}", "x".repeat(70).repeat(30) + "\r\n");
    let mail = ["Subject: small\r\n\r\n1\r\n", &large, "Subject: small too\r\n\r\n2\r\n"];
    let server = Server::builder().user("joe", "secret", mail).start().unwrap();
    let (_folder, maildir) = home();
    let fetch = |options: &[&str]| {
        let port = server.port().to_string();
        let mut command = pop3();
        command.args(["fetch", "127.0.0.1", "--user", "joe", "--port", &port, "--dangerously-cleartext", "--delete"]);
        let output = command.args(options).arg(&maildir).env("POP3_PASSWORD", "secret").output().unwrap();
        (output.status.code(), text(&output.stdout) + &text(&output.stderr))
    };
    let (code, told) = fetch(&["--max-size", "1K"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("2 messages") && told.contains("1 larger than the limit left on the server"), "{told}");
    assert_eq!(server.messages("joe"), [large.as_bytes()], "it was not deleted");
    assert!(!server.commands().contains(&"RETR 2".to_owned()), "{:?}", server.commands());
    let (code, told) = fetch(&[]);
    assert_eq!(code, Some(0), "{told}");
    assert_eq!((mail_in(&maildir), server.messages("joe").len()), (3, 0));
    let (code, told) = fetch(&["--max-size", "1.5M"]);
    assert_eq!(code, Some(2), "{told}");
}

/// Fetches from a server with these options, without a failure.
fn fetched(server: &Server, maildir: &Path, options: &[&str]) {
    let port = server.port().to_string();
    let mut command = pop3();
    command.args(["fetch", "127.0.0.1", "--user", "joe", "--port", &port, "--dangerously-cleartext"]);
    let output = command.args(options).arg(maildir).env("POP3_PASSWORD", "secret").output().unwrap();
    assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
}

#[test]
fn messages_are_deleted_so_long_after_they_were_stored() {
    let server = Server::with_messages(["Subject: 1\r\n\r\n1\r\n"]).unwrap();
    let (_folder, maildir) = home();
    for _ in 0..2 {
        fetched(&server, &maildir, &["--delete-after", "1h"]);
        assert_eq!((server.messages("joe").len(), mail_in(&maildir)), (1, 1));
    }
    // Another limit holds at once, for what is stored already.
    server.deliver("joe", "new", "Subject: 2\r\n\r\n2\r\n");
    fetched(&server, &maildir, &["--delete-after", "0s"]);
    assert_eq!((server.deleted("joe").len(), mail_in(&maildir)), (2, 2));
}

#[test]
fn a_second_after_it_was_stored_a_message_is_deleted_and_not_before() {
    let server = Server::with_messages(["Subject: 1\r\n\r\n1\r\n"]).unwrap();
    let (_folder, maildir) = home();
    fetched(&server, &maildir, &["--delete-after", "1s"]);
    assert_eq!(server.messages("joe").len(), 1, "the run in which a message is stored does not delete it");
    let began = Instant::now();
    while server.deleted("joe").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(60), "it is never deleted");
        fetched(&server, &maildir, &["--delete-after", "1s"]);
    }
    assert_eq!(mail_in(&maildir), 1);
}

#[test]
fn the_newest_messages_stay_on_the_server() {
    let server =
        Server::with_messages(["Subject: 1\r\n\r\n1\r\n", "Subject: 2\r\n\r\n2\r\n", "Subject: 3\r\n\r\n3\r\n"]).unwrap();
    let (_folder, maildir) = home();
    fetched(&server, &maildir, &["--keep-newest", "2"]);
    let left = |server: &Server| server.messages("joe").iter().map(|text| text[9]).collect::<Vec<_>>();
    assert_eq!((left(&server), mail_in(&maildir)), (b"23".to_vec(), 3));
    server.deliver("joe", "new", "Subject: 4\r\n\r\n4\r\n");
    fetched(&server, &maildir, &["--keep-newest", "2"]);
    assert_eq!((left(&server), mail_in(&maildir)), (b"34".to_vec(), 4));
    // Both options keep a message.
    fetched(&server, &maildir, &["--keep-newest", "1", "--delete-after", "1h"]);
    assert_eq!(left(&server), b"34");
    let retrieved = server.commands().iter().filter(|line| line.starts_with("RETR")).count();
    assert_eq!(retrieved, 4, "nothing is fetched twice");
}

#[test]
fn the_newest_messages_stay_where_unique_ids_prove_nothing() {
    // The unique-ids are only the numbers of the messages, so stored messages are compared.
    let server =
        Server::with_messages(["Subject: 1\r\n\r\n1\r\n", "Subject: 2\r\n\r\n2\r\n", "Subject: 3\r\n\r\n3\r\n"]).unwrap();
    let (_folder, maildir) = home();
    fetched(&server, &maildir, &[]);
    fetched(&server, &maildir, &["--keep-newest", "2"]);
    let left: Vec<_> = server.messages("joe").iter().map(|text| text[9]).collect();
    assert_eq!((left, mail_in(&maildir)), (b"23".to_vec(), 3));
    assert_eq!(server.commands().iter().filter(|line| *line == "RETR 3").count(), 2, "it was compared");
}

#[test]
fn a_dry_run_shows_what_would_happen_and_does_nothing() {
    let large = format!("Subject: large\r\n\r\n{}\r\n", "x".repeat(70).repeat(30));
    let mail = [("a7", "Subject: 1\r\n\r\n1\r\n"), ("b4", "Subject: 2\r\n\r\n2\r\n"), ("c1", &large)];
    let server = Server::builder().user_with_ids("joe", "secret", mail).start().unwrap();
    let (_folder, maildir) = home();
    let dry_run = |options: &[&str]| {
        let port = server.port().to_string();
        let mut command = pop3();
        command.args(["fetch", "127.0.0.1", "--user", "joe", "--port", &port, "--dangerously-cleartext", "--dry-run"]);
        let output = command.args(options).arg(&maildir).env("POP3_PASSWORD", "secret").output().unwrap();
        assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
        let lines = text(&output.stdout);
        lines.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(
        dry_run(&["--max-size", "1K"]),
        [
            "1 17 B fetch",
            "2 17 B fetch",
            "3 2.07 KiB leave: larger than the limit",
            "2 to fetch (34 B), 0 to delete, 0 stored already. Nothing was fetched or deleted."
        ]
    );
    assert!(!maildir.exists(), "no folder is made");
    fetched(&server, &maildir, &["--max-size", "1K"]);
    let modified = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.unwrap();
        (entry.path(), entry.metadata().unwrap().modified().unwrap())
    };
    let files = |folder: &Path| fs::read_dir(folder).unwrap().map(modified).collect::<BTreeMap<_, _>>();
    let before = files(&maildir);
    assert_eq!(
        dry_run(&["--keep-newest", "2"]),
        [
            "1 17 B delete on the server: it is stored",
            "3 2.07 KiB fetch",
            "1 to fetch (2.07 KiB), 1 to delete, 2 stored already. Nothing was fetched or deleted."
        ]
    );
    assert_eq!(files(&maildir), before, "the journal is as it was");
    assert_eq!((server.messages("joe").len(), mail_in(&maildir)), (3, 2));
    assert!(!server.commands().iter().any(|line| line == "RETR 3" || line.starts_with("DELE")), "{:?}", server.commands());
}

fn mail_in(maildir: &Path) -> usize {
    fs::read_dir(maildir.join("new")).unwrap().count()
}

#[test]
fn a_run_fetches_no_more_than_it_may_and_the_next_ones_the_rest() {
    let (_folder, maildir) = home();
    let server = Fake::new((1..=5).map(message).collect());
    let output = server.fetch(&maildir, &["--max-messages", "2", "--delete", "--dry-run"]);
    assert_eq!(text(&output.stdout).matches("leave for the next run").count(), 3, "{}", text(&output.stdout));
    let output = server.fetch(&maildir, &["--max-messages", "2", "--delete"]);
    assert!(code(&output) == Some(0) && text(&output.stdout).contains("3 left for the next run"), "{}", text(&output.stdout));
    assert_eq!((server.left(), server.sessions()), (3, 2));
    let output = server.fetch(&maildir, &["--max-total", "1"]);
    assert!(text(&output.stdout).contains("1 message (") && text(&output.stdout).contains("2 left"), "{}", text(&output.stdout));
    let output = server.fetch(&maildir, &["--max-total", "1M"]);
    assert!(text(&output.stdout).contains("2 messages (") && !text(&output.stdout).contains("left"), "{}", text(&output.stdout));
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 5);
}

#[test]
fn a_server_that_deletes_sooner_than_the_options_is_told() {
    for (capabilities, time, is_told) in [
        ("UIDL\r\nEXPIRE 3\r\n", "7d", true),
        ("UIDL\r\nEXPIRE 7\r\n", "7d", false),
        ("UIDL\r\nEXPIRE NEVER\r\n", "7d", false),
        ("UIDL\r\nEXPIRE 18446744073709551615\r\n", "7d", false),
    ] {
        let (_folder, maildir) = home();
        let output = Fake::with(capabilities, vec![message(1)], |_, _| Say::Default).fetch(&maildir, &["--delete-after", time]);
        let told = text(&output.stderr);
        assert_eq!(code(&output), Some(0), "{told}");
        assert_eq!(told.contains("deletes messages itself after 3 days"), is_told, "{capabilities}: {told}");
    }
}

#[test]
fn a_message_that_cannot_be_had_takes_no_room_from_others_for_ever() {
    let (_folder, maildir) = home();
    let server = Fake::with("USER\r\nUIDL\r\n", (1..=3).map(message).collect(), |_, line| match line {
        "RETR 1" => Say::line("-ERR never"),
        _ => Say::Default,
    });
    for _ in 0..3 {
        server.fetch(&maildir, &["--max-messages", "1"]);
    }
    assert_eq!(fs::read_dir(maildir.join("new")).unwrap().count(), 2);
}

#[test]
fn the_screens_of_a_fetch_in_four_languages() {
    for language in ["en", "es", "zh-Hans", "zh-Hant"] {
        let messages = [("a7", "Subject: one\r\n\r\n"), ("b4", "Subject: two\r\n\r\nbody\r\n")];
        let server = Server::builder().user_with_ids("joe", "secret", messages).start().unwrap();
        let (_folder, maildir) = home();
        let mut screen = String::new();
        for options in [&["--dry-run"][..], &[], &[], &["--delete"]] {
            // What does not fit is the terminal's to wrap: the width changes nothing.
            let shown = ["60", "80", "200"].map(|columns| {
                let is_dry = options.contains(&"--dry-run");
                if columns != "60" && !is_dry {
                    return None;
                }
                let mut command = pop3();
                command.args(["fetch", "127.0.0.1", "--user", "joe", "--dangerously-cleartext", "--language", language]);
                command.args(["--port", &server.port().to_string()]).args(options).arg(&maildir);
                let output = command.env("POP3_PASSWORD", "secret").env("COLUMNS", columns).output().unwrap();
                assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
                Some(text(&output.stdout).replace(&server.port().to_string(), "PORT"))
            });
            let [Some(first), others @ ..] = shown else { unreachable!("the first is always shown") };
            assert!(others.iter().flatten().all(|other| *other == first), "{first}");
            screen += &format!("=== {}\n{first}", options.join(" "));
        }
        compare(&format!("fetch.{language}.txt"), &screen);
    }
}

#[test]
fn a_move_to_another_server_that_changes_all_ids_brings_nothing_twice() {
    let text_of = |number: u32| {
        format!("Message-ID: <{number}@example.org>\r\nSubject: {number}\r\n\r\n{}\r\n", "x".repeat(number as usize))
    };
    let with_ids = |ids: &[(&str, u32)]| -> Vec<(String, String)> {
        ids.iter().map(|(id, number)| ((*id).to_owned(), text_of(*number))).collect()
    };
    let old = with_ids(&[("a7", 1), ("b4", 2), ("c1", 3), ("d9", 4)]);
    // Another order, a new message, and one that has the size of an old one.
    let mut moved = with_ids(&[("p3", 3), ("q8", 1), ("r5", 5), ("s2", 2)]);
    moved.push(("t6".to_owned(), text_of(4).replace("Subject: 4", "Subject: 9")));
    let (_folder, maildir) = home();
    let mut free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut serve = |messages: &[(String, String)], fault: Option<Fault>| {
        let mut builder = Server::builder().user_with_ids("joe", "secret", messages.to_vec()).port(free);
        if let Some(fault) = fault {
            builder = builder.fault(fault);
        }
        let server = builder.start().unwrap();
        free = server.port();
        server
    };
    let fetch = |server: &Server, options: &[&str]| {
        let mut command = pop3();
        command.args(["fetch", "127.0.0.1"]).arg(&maildir).args([
            "--port",
            &server.port().to_string(),
            "--dangerously-cleartext",
        ]);
        command.args(["--user", "joe"]).args(options).env("POP3_PASSWORD", "secret").env("LC_ALL", "C").output().unwrap()
    };
    let server = serve(&old, None);
    assert_eq!(code(&fetch(&server, &[])), Some(0));
    drop(server);
    let server = serve(&moved, None);
    let output = fetch(&server, &["--on-uid-change", "stop"]);
    assert!(code(&output) == Some(1) && text(&output.stderr).contains("has given all messages other unique-ids"));
    assert_eq!(mail(&maildir).len(), 4);
    drop(server);
    // The session breaks after some messages; the next run does not take the rest for new mail.
    let server = serve(&moved, Some(Fault::on("RETR").nth(4).close()));
    let output = fetch(&server, &["--window", "1"]);
    assert_eq!(code(&output), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("other unique-ids, as after a move"), "{}", text(&output.stderr));
    drop(server);
    let server = serve(&moved, None);
    let output = fetch(&server, &[]);
    assert_eq!(code(&output), Some(0), "{}", text(&output.stderr));
    let subjects = || {
        let mut subjects: Vec<String> = mail(&maildir).iter().map(|mail| mail.lines().nth(1).unwrap().to_owned()).collect();
        subjects.sort();
        subjects
    };
    assert_eq!(subjects(), ["Subject: 1", "Subject: 2", "Subject: 3", "Subject: 4", "Subject: 5", "Subject: 9"]);
    let before = server.commands().iter().filter(|line| line.starts_with("RETR")).count();
    let output = fetch(&server, &[]);
    assert!(text(&output.stdout).contains("nothing new, 5 known already"), "{}", text(&output.stdout));
    assert_eq!(server.commands().iter().filter(|line| line.starts_with("RETR")).count(), before, "the new ids are known now");
    drop(server);
    let again = with_ids(&[("aa", 3), ("bb", 1), ("cc", 5), ("dd", 2)]);
    let server = serve(&again, None);
    assert_eq!(code(&fetch(&server, &["--on-uid-change", "fetch"])), Some(0));
    assert_eq!(mail(&maildir).len(), 10);
}
