//! The program as people and scripts call it, against itself and against servers that misbehave.

mod script;

use std::fs;

use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use script::screens::compare;
use script::{Script, home, in_tmp, mail, pop3, text};

const ONE: &str = "Subject: one\n\n.\n";
const TWO: &str = "Subject: two\n\n";

#[test]
fn demo_needs_nothing_and_shows_everything() {
    let output = pop3().args(["demo"]).output().unwrap();
    let said = text(&output.stdout);
    assert!(output.status.success(), "{}", text(&output.stderr));
    for part in
        ["AUTHORIZATION", "TRANSACTION", "UPDATE", "C: STLS", "C: PASS [redacted]", "byte for byte", "a port with STARTTLS"]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
    for part in ["S: UTF8\n  S: (and 2 lines more)\n  S: .\n", "octets\n  S: (the message: ", "the session ends ──\n  C: QUIT\n"]
    {
        assert!(said.contains(part), "{part}\n{said}");
    }
    // What has no message has none.
    assert!(!said.contains("(the message: 0 B)") && said.contains("S: 5 1700000099.5-large\n  S: .\n"), "{said}");
}

#[test]
fn demo_speaks_four_languages() {
    for language in ["en", "es", "zh-Hans", "zh-Hant"] {
        let output = pop3().args(["demo", "--language", language]).output().unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        compare(&format!("demo.{language}.txt"), &text(&output.stdout));
    }
}

#[test]
fn mail_comes_home_once() {
    let server = Script::two_messages(&[]);
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("2 messages"), "{}", text(&output.stdout));
    assert_eq!(mail(&maildir), [ONE, TWO]);
    let output = server.fetch(&maildir, &["--quiet"]);
    assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), String::new()));
    assert_eq!((server.heard("RETR 1"), server.heard("DELE 1")), (1, 0));
    assert_eq!(mail(&maildir).len(), 2);
}

#[test]
fn h47_a_lost_or_damaged_journal_fetches_again() {
    let server = Script::two_messages(&[]);
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let journal = fs::read_dir(&maildir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| {
            let name = path.to_string_lossy();
            name.contains("pop3-fetched-joe@127.0.0.1%3A") && !name.contains('~')
        })
        .unwrap();
    let mut damaged = fs::read(&journal).unwrap();
    damaged[3] ^= 1;
    fs::write(&journal, damaged).unwrap();
    let output = server.fetch(&maildir, &[]);
    assert!(text(&output.stdout).contains("1 message "), "{}", text(&output.stdout));
    assert_eq!(mail(&maildir).len(), 3, "one twice, and none lost");
}

#[test]
fn h13_q38_a_cut_message_is_not_delivered_and_comes_next_time() {
    let (_folder, maildir) = home();
    let first = Arc::new(Mutex::new(true));
    let server = Script::new(move |line| match line {
        "UIDL" => Some(b"+OK\r\n1 one\r\n2 two\r\n.\r\n".to_vec()),
        "LIST" => Some(b"+OK\r\n1 10\r\n2 10\r\n.\r\n".to_vec()),
        "RETR 1" => Some(b"+OK\r\nSubject: one\r\n\r\n..\r\n.\r\n".to_vec()),
        "RETR 2" if std::mem::take(&mut *first.lock().unwrap()) => Some(b"+OK\r\nSubject: two\r\nhalf a mess\0cut".to_vec()),
        "cut" => None,
        "RETR 2" => Some(b"+OK\r\nSubject: two\r\n\r\n.\r\n".to_vec()),
        "CAPA" => Some(b"-ERR\r\n".to_vec()),
        _ => Some(b"+OK\r\n".to_vec()),
    });
    // The client waits for the rest of message 2; end the session under it by killing the client.
    let mut child = pop3()
        .args(["fetch", "127.0.0.1", "--user", "joe", "--dangerously-cleartext", "--port", &server.port.to_string()])
        .arg(&maildir)
        .env("POP3_PASSWORD", "secret")
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while server.heard("RETR 2") == 0 {
        thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(mail(&maildir).iter().all(|message| message == ONE), "half a message is none");
    let output = server.fetch(&maildir, &["--delete"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(mail(&maildir).contains(&TWO.to_owned()));
    assert_eq!((server.heard("DELE 1"), server.heard("DELE 2")), (1, 1));
}

#[test]
fn a_server_that_leaves_in_a_message_is_exit_3_and_nothing_is_left_behind() {
    // A body that never ends, and then the end of the connection.
    let server = Script::two_messages(&[("RETR 2", None)]);
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &["--delete"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(
        text(&output.stderr).contains("the server closed the connection before its reply to RETR"),
        "{}",
        text(&output.stderr)
    );
    assert_eq!((mail(&maildir), in_tmp(&maildir)), (vec![ONE.to_owned()], 0), "what had come is home");
    assert_eq!(server.heard("QUIT"), 0, "and nothing is removed");
    server.fetch(&maildir, &["--delete"]);
    assert_eq!(server.heard("RETR 1"), 1, "what is home is not fetched again");
}

#[test]
fn q37_one_message_that_cannot_be_had_does_not_stop_the_rest() {
    let server = Script::two_messages(&[("RETR 1", Some(b"-ERR \x1b[31mcannot be rendered\r\n"))]);
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &["--delete"]);
    assert_eq!(output.status.code(), Some(8));
    assert!(text(&output.stderr).contains(r"message 1 was not fetched; the server replied: \u{1b}[31mcannot be rendered"), "h25");
    assert_eq!(mail(&maildir), [TWO]);
    assert_eq!((server.heard("DELE 1"), server.heard("DELE 2")), (0, 1));
}

#[test]
fn q31_a_body_that_ends_too_early_is_not_trusted_and_never_deleted() {
    // The message holds a line with a lone dot, and the server does not stuff it.
    let server = Script::two_messages(&[("RETR 2", Some(b"+OK\r\nSubject: two\r\n\r\nbefore\r\n.\r\nafter\r\n.\r\n"))]);
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &["--delete"]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert_eq!(mail(&maildir), [ONE]);
    assert_eq!((server.heard("DELE 2"), server.heard("QUIT")), (0, 0));
}

#[test]
fn h48_q43_q44_after_quit_nothing_is_assumed() {
    for reply in [None, Some(&b"-ERR some deleted messages not removed\r\n"[..])] {
        let answers: &'static [(&str, Option<&[u8]>)] = Box::leak(Box::new([("QUIT", reply)]));
        let server = Script::two_messages(answers);
        let (_folder, maildir) = home();
        let output = server.fetch(&maildir, &["--delete"]);
        assert_eq!(output.status.code(), Some(8), "{}", text(&output.stderr));
        server.fetch(&maildir, &["--delete"]);
        assert_eq!((server.heard("RETR 1"), server.heard("DELE 1")), (2, 2), "compared, and deleted again");
        assert_eq!(mail(&maildir).len(), 2, "and not stored again");
    }
}

#[test]
fn q26_without_uidl_mail_is_fetched_only_to_be_deleted() {
    let server = Script::two_messages(&[("UIDL", Some(b"-ERR unknown\r\n"))]);
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("--delete"), "it says what to do: {}", text(&output.stderr));
    assert_eq!(server.fetch(&maildir, &["--delete"]).status.code(), Some(0));
    assert_eq!(mail(&maildir), [ONE, TWO]);
}

#[test]
fn q13_q40_where_retrieving_deletes_rset_takes_it_back() {
    let server = Script::two_messages(&[("CAPA", Some(b"+OK\r\nEXPIRE 0\r\nUIDL\r\n.\r\n"))]);
    let (_folder, maildir) = home();
    assert_eq!(server.fetch(&maildir, &[]).status.code(), Some(0));
    assert_eq!((server.heard("RSET"), mail(&maildir).len()), (1, 2));
    assert_eq!(server.fetch(&maildir, &["--delete"]).status.code(), Some(0));
    assert_eq!((server.heard("RSET"), server.heard("DELE 1")), (1, 1), "not where they are to be deleted");
}

#[test]
fn q13_q40_where_retrieving_deletes_only_what_is_due_is_deleted() {
    let server = Script::two_messages(&[("CAPA", Some(b"+OK\r\nEXPIRE 0\r\nUIDL\r\n.\r\n"))]);
    let (_folder, maildir) = home();
    assert_eq!(server.fetch(&maildir, &["--delete-after", "7d"]).status.code(), Some(0));
    assert_eq!((server.heard("RSET"), server.heard("DELE 1"), mail(&maildir).len()), (1, 0, 2));
    let output = server.fetch(&maildir, &["--keep-newest", "1"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert!(text(&output.stdout).contains("1 deleted"), "{}", text(&output.stdout));
    assert_eq!(
        (server.heard("RSET"), server.heard("DELE 1"), server.heard("DELE 2")),
        (2, 2, 0),
        "RSET clears our own marks, too"
    );
}

#[test]
fn q28_a_drop_that_looks_empty_for_a_while_does_not_make_mail_come_twice() {
    let (_folder, maildir) = home();
    // CAPA comes twice a run. In the second run the server lists nothing.
    let times = Arc::new(Mutex::new(0));
    let server = Script::new(move |line| {
        let mut times = times.lock().unwrap();
        *times += usize::from(line == "CAPA");
        let empty = times.div_ceil(2) == 2;
        Some(match line {
            "CAPA" => b"-ERR\r\n".to_vec(),
            "LIST" | "UIDL" if empty => b"+OK\r\n.\r\n".to_vec(),
            "LIST" => b"+OK\r\n1 19\r\n.\r\n".to_vec(),
            "UIDL" => b"+OK\r\n1 one\r\n.\r\n".to_vec(),
            "RETR 1" => b"+OK\r\nSubject: one\r\n\r\n.\r\n".to_vec(),
            _ => b"+OK\r\n".to_vec(),
        })
    });
    for _ in 0..4 {
        assert_eq!(server.fetch(&maildir, &[]).status.code(), Some(0));
    }
    assert_eq!(server.heard("RETR 1"), 1);
}

#[test]
fn q39_a_message_that_is_much_too_small_is_tried_again_and_never_deleted() {
    let server = Script::two_messages(&[("LIST", Some(b"+OK\r\n1 19\r\n2 90001\r\n.\r\n"))]);
    let (_folder, maildir) = home();
    for (run, stored) in [(1, 1), (2, 1), (3, 2), (4, 2)] {
        let output = server.fetch(&maildir, &["--delete"]);
        assert_eq!((output.status.code(), mail(&maildir).len()), (Some(if run < 4 { 8 } else { 0 }), stored), "run {run}");
        let told = text(&output.stderr);
        assert_eq!(told.contains("has 16 octets instead of the 90001 that the server announced"), run < 4, "{told}");
    }
    assert_eq!((server.heard("RETR 2"), server.heard("DELE 2")), (3, 0), "stored as it came, and still on the server");
}

#[test]
fn q49_messages_with_folder_data_of_a_server_stay_there() {
    const DATA: &[u8] =
        b"+OK\r\nFrom: Mail System Internal Data\r\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\
        X-IMAP: 1 0\r\n\r\nThis text is part of the internal format.\r\n.\r\n";
    let server = Script::two_messages(&[("RETR 1", Some(DATA))]);
    let (_folder, maildir) = home();
    assert_eq!(server.fetch(&maildir, &["--delete"]).status.code(), Some(0));
    assert_eq!((mail(&maildir).as_slice(), server.heard("DELE 1"), server.heard("DELE 2")), (&[TWO.to_owned()][..], 0, 1));
    assert_eq!(in_tmp(&maildir), 0);
    // Mail that has only one of the signs is mail, and so is what comes later.
    for like_it in [
        &b"+OK\r\nSubject: DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA\r\n\r\n.\r\n"[..],
        b"+OK\r\nSubject: x\r\nX-IMAP: 1 0\r\n\r\n.\r\n",
    ] {
        let (_folder, maildir) = home();
        let answers = [("RETR 1", Some(like_it)), ("LIST", Some(&b"+OK\r\n1\r\n2\r\n.\r\n"[..]))];
        let server = Script::two_messages(Box::leak(Box::new(answers)));
        assert_eq!(server.fetch(&maildir, &[]).status.code(), Some(0));
        assert_eq!(mail(&maildir).len(), 2, "{}", text(like_it));
    }
    let (_folder, maildir) = home();
    let server = Script::two_messages(&[("RETR 2", Some(DATA)), ("LIST", Some(b"+OK\r\n1\r\n2\r\n.\r\n"))]);
    assert_eq!(server.fetch(&maildir, &[]).status.code(), Some(0));
    assert_eq!(mail(&maildir).len(), 2);
}

#[test]
fn exit_codes_tell_what_to_do() {
    let (folder, maildir) = home();
    let code = |output: &Output| output.status.code().unwrap();
    // Nobody listens.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let gone = Script { port: free, heard: Arc::default() };
    assert_eq!(code(&gone.fetch(&maildir, &[])), 3);
    // Wrong password; in use; too soon.
    for (reply, expected) in
        [(&b"-ERR no\r\n"[..], 5), (b"-ERR [AUTH] no\r\n", 5), (b"-ERR [IN-USE] no\r\n", 6), (b"-ERR [LOGIN-DELAY] no\r\n", 6)]
    {
        let answers: &'static [(&str, Option<&[u8]>)] = Box::leak(Box::new([("PASS secret", Some(reply))]));
        assert_eq!(code(&Script::two_messages(answers).fetch(&maildir, &[])), expected, "{}", text(reply));
    }
    // A server without TLS, where TLS is demanded: no name and no password is sent.
    let server = Script::two_messages(&[("STLS", Some(b"-ERR no TLS here\r\n"))]);
    let stls = |server: &Script| {
        pop3()
            .args([
                "fetch",
                "127.0.0.1",
                "--user",
                "joe",
                "--stls",
                "--dangerously-any-certificate",
                "--port",
                &server.port.to_string(),
            ])
            .arg(&maildir)
            .env("POP3_PASSWORD", "secret")
            .output()
            .unwrap()
    };
    assert_eq!(code(&stls(&server)), 4);
    assert_eq!(*server.heard.lock().unwrap(), ["STLS"], "h07");
    // The Maildir cannot be made.
    fs::write(folder.path().join("file"), "").unwrap();
    assert_eq!(code(&Script::two_messages(&[]).fetch(&folder.path().join("file/Maildir"), &[])), 7);
    // No folder is made before the login has worked.
    assert_eq!(code(&gone.fetch(&folder.path().join("new/Maildir"), &[])), 3);
    assert!(!folder.path().join("new").exists());
    // No password and nobody to ask.
    let output = pop3().args(["fetch", "localhost", "--user", "joe"]).arg(&maildir).output().unwrap();
    assert_eq!((code(&output), text(&output.stderr).contains("POP3_PASSWORD")), (1, true));
    // The command line.
    assert_eq!(code(&pop3().args(["fetch"]).output().unwrap()), 2);
    assert_eq!(code(&pop3().args(["serve", "--users", "x", "--mail", "y/%u"]).output().unwrap()), 2);
    assert_eq!(code(&pop3().args(["--help"]).output().unwrap()), 0);
}

#[test]
fn two_runs_at_once_do_not_fetch_twice() {
    let server = Script::two_messages(&[]);
    let (_folder, maildir) = home();
    server.fetch(&maildir, &[]);
    let lock =
        fs::read_dir(&maildir).unwrap().map(|entry| entry.unwrap().path()).find(|path| path.to_string_lossy().ends_with("~lock"));
    let held = fs::File::open(lock.unwrap()).unwrap();
    held.lock().unwrap();
    assert_eq!(server.fetch(&maildir, &[]).status.code(), Some(6));
}

#[test]
fn s17_q27_a_unique_id_that_is_used_again_never_hides_a_message() {
    // Two messages with one unique-id, of which the first cannot be had for now.
    let (_folder, maildir) = home();
    let round = Arc::new(Mutex::new(0));
    let now = Arc::clone(&round);
    let server = Script::new(move |line| {
        let round = *now.lock().unwrap();
        Some(match (line, round) {
            ("CAPA", _) => b"-ERR\r\n".to_vec(),
            ("LIST", 0) => b"+OK\r\n1 19\r\n2 16\r\n.\r\n".to_vec(),
            ("UIDL", 0) => b"+OK\r\n1 same\r\n2 same\r\n.\r\n".to_vec(),
            ("LIST", _) => b"+OK\r\n1 19\r\n.\r\n".to_vec(),
            ("UIDL", _) => b"+OK\r\n1 same\r\n.\r\n".to_vec(),
            ("RETR 1", 0) => b"-ERR busy\r\n".to_vec(),
            ("RETR 1", 2) => b"+OK\r\nSubject: 333\r\n\r\n..\r\n.\r\n".to_vec(),
            ("RETR 1", _) => b"+OK\r\nSubject: one\r\n\r\n..\r\n.\r\n".to_vec(),
            ("RETR 2", _) => b"+OK\r\nSubject: two\r\n\r\n.\r\n".to_vec(),
            _ => b"+OK\r\n".to_vec(),
        })
    });
    assert_eq!(server.fetch(&maildir, &["--delete"]).status.code(), Some(8));
    assert_eq!(mail(&maildir), [TWO]);
    *round.lock().unwrap() = 1;
    assert_eq!(server.fetch(&maildir, &["--delete"]).status.code(), Some(0));
    assert_eq!(mail(&maildir), [ONE, TWO], "the message that was left is fetched before it is deleted");
    // And another message of the same size under the unique-id of one that is gone.
    *round.lock().unwrap() = 2;
    server.fetch(&maildir, &["--delete"]);
    assert_eq!(mail(&maildir), ["Subject: 333\n\n.\n", ONE, TWO]);
}

#[test]
fn s17_copies_are_not_counted_for_a_message_that_never_came() {
    // Two messages with one unique-id, of which the second is refused three times.
    let (_folder, maildir) = home();
    let refused = Arc::new(Mutex::new(0));
    let count = Arc::clone(&refused);
    let server = Script::new(move |line| {
        Some(match line {
            "CAPA" => b"-ERR\r\n".to_vec(),
            "LIST" => b"+OK\r\n1 19\r\n2 16\r\n.\r\n".to_vec(),
            "UIDL" => b"+OK\r\n1 same\r\n2 same\r\n.\r\n".to_vec(),
            "RETR 1" => b"+OK\r\nSubject: one\r\n\r\n..\r\n.\r\n".to_vec(),
            "RETR 2" if *count.lock().unwrap() < 3 => {
                *count.lock().unwrap() += 1;
                b"-ERR busy\r\n".to_vec()
            }
            "RETR 2" => b"+OK\r\nSubject: two\r\n\r\n.\r\n".to_vec(),
            _ => b"+OK\r\n".to_vec(),
        })
    });
    for _ in 0..3 {
        assert_eq!(server.fetch(&maildir, &[]).status.code(), Some(8));
    }
    assert!(!mail(&maildir).contains(&TWO.to_owned()));
    assert_eq!(server.fetch(&maildir, &["--delete"]).status.code(), Some(0));
    assert!(mail(&maildir).contains(&TWO.to_owned()), "never deleted before it was home");
}

#[test]
fn q31_half_a_message_is_not_home_however_the_connection_ends() {
    // A lone dot that is not stuffed, and the rest comes late or never.
    for rest in ["", "half", "\r\n", "half two\r\nmore"] {
        let answer = format!("+OK\r\nSubject: one\r\nhalf one\r\n.\r\n{rest}").into_bytes();
        let retr: &'static [u8] = Box::leak(answer.into_boxed_slice());
        let answers: &'static [(&str, Option<&[u8]>)] =
            Box::leak(Box::new([("RETR 1", Some(retr)), ("RETR 2", None), ("NOOP", None)]));
        let server = Script::two_messages(answers);
        let (_folder, maildir) = home();
        let output = server.fetch(&maildir, &["--delete"]);
        assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
        assert!(mail(&maildir).is_empty(), "{rest:?}");
        for _ in 0..8 {
            server.fetch(&maildir, &["--delete"]);
        }
        let tries = server.heard("RETR 1");
        assert!((3..=4).contains(&tries), "it is tried again, and set aside in the end: {tries} {rest:?}");
        assert_eq!((server.heard("DELE 1"), mail(&maildir).len()), (0, 0), "{rest:?}");
    }
}

#[test]
fn a_server_that_cannot_list_its_unique_ids_now_is_asked_later() {
    let (_folder, maildir) = home();
    let ok = Script::two_messages(&[]);
    ok.fetch(&maildir, &[]);
    let listing = "CAPA";
    let answers: &'static [(&str, Option<&[u8]>)] =
        Box::leak(Box::new([(listing, Some(&b"+OK\r\nUIDL\r\n.\r\n"[..])), ("UIDL", Some(&b"-ERR internal error\r\n"[..]))]));
    let output = Script::two_messages(answers).fetch(&maildir, &["--delete"]);
    assert_eq!(output.status.code(), Some(6), "{}", text(&output.stderr));
    assert_eq!(mail(&maildir).len(), 2);
}

#[test]
fn h56_a_password_that_a_server_sends_back_is_not_shown() {
    let answers: &'static [(&str, Option<&[u8]>)] =
        Box::leak(Box::new([("PASS secret", Some(&b"-ERR bad password secret\r\n"[..]))]));
    let output = Script::two_messages(answers).fetch(&home().1, &["--verbose"]);
    assert!(!text(&output.stderr).contains("secret"), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("(not shown: it contains the password)"), "{}", text(&output.stderr));
}

#[test]
fn a_closed_standard_output_is_no_failure() {
    let server = Script::two_messages(&[]);
    let (_folder, maildir) = home();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = pop3()
        .args(["fetch", "127.0.0.1", "--user", "joe", "--dangerously-cleartext", "--port", &server.port.to_string()])
        .arg(&maildir)
        .env("POP3_PASSWORD", "secret")
        .stdout(full)
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(7));
    assert_eq!(mail(&maildir).len(), 2);
}

#[test]
fn fetch_goes_through_a_proxy_and_repeats_no_password_of_it() {
    let (_folder, maildir) = home();
    let server = Script::two_messages(&[]);
    let output = server.fetch(&maildir, &["--proxy", "socks5:canary@proxy"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(!text(&output.stderr).contains("canary"), "{}", text(&output.stderr));
    // A server of POP3 is no proxy.
    let proxy = format!("socks5://me:canary@127.0.0.1:{}", server.port);
    let output = server.fetch(&maildir, &["--proxy", &proxy]);
    assert_eq!(output.status.code(), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("SOCKS") && !text(&output.stderr).contains("canary"), "{}", text(&output.stderr));
}
