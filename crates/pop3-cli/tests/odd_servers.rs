//! Servers as people have met them: what they do wrong loses no mail, brings none twice without end, and ends no run for long.

mod script;

use std::path::Path;
use std::process::Output;

use script::fake::{Fake, Message, Say, message};
use script::{home, mail, text};

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

/// How many messages are in the Maildir, and whether the one with this number is among them.
fn stored(maildir: &Path, number: u32) -> (usize, bool) {
    let mail = mail(maildir);
    (mail.len(), mail.iter().any(|text| text.contains(&format!("Subject: message {number}\n"))))
}

/// A server whose unique-ids are message numbers.
fn renumbering(messages: Vec<Message>) -> Fake {
    Fake::with("UIDL\r\n", messages, |state, line| {
        if line == "UIDL" {
            for (at, (id, _)) in state.messages.iter_mut().enumerate() {
                *id = (at + 1).to_string();
            }
        }
        Say::Default
    })
}

// A unique-id alone is no identity.

#[test]
fn q27_ids_that_are_numbers_hide_no_mail_of_the_same_size() {
    for delete in [&[][..], &["--delete"]] {
        let server = renumbering((1..=3).map(message).collect());
        let (_folder, maildir) = home();
        assert_eq!(code(&server.fetch(&maildir, &[])), Some(0));
        // Another program removes the first, and one of the same size arrives.
        server.change(|state| {
            state.messages.remove(0);
            state.messages.push(message(4));
        });
        assert_eq!(code(&server.fetch(&maildir, delete)), Some(0));
        assert_eq!(stored(&maildir, 4), (4, true), "{delete:?}");
        assert_eq!(server.left(), if delete.is_empty() { 3 } else { 0 });
    }
}

#[test]
fn q27_known_mail_under_numbers_is_not_fetched_again_each_time() {
    let server = renumbering((1..=5).map(message).collect());
    let (_folder, maildir) = home();
    for _ in 0..4 {
        server.fetch(&maildir, &[]);
    }
    assert_eq!(mail(&maildir).len(), 5);
    assert_eq!(server.heard("RETR"), 5 + 3, "one message shows that the numbers mean what they meant");
}

#[test]
fn q27_a_reused_id_is_compared_by_size_and_then_by_content() {
    let server = Fake::new(vec![message(1), message(2)]);
    let (_folder, maildir) = home();
    server.fetch(&maildir, &[]);
    // The id of the first goes to another message while we keep the mail.
    server.change(|state| state.messages[0].1 = message(33).1);
    let output = server.fetch(&maildir, &["--delete"]);
    assert_eq!((code(&output), stored(&maildir, 33), server.left()), (Some(0), (3, true), 0), "{}", text(&output.stderr));
}

#[test]
fn h48_after_a_lost_answer_to_quit_nothing_is_deleted_unseen() {
    // Mail that is deleted by the run that fetched it, and mail of an earlier run.
    for (same_size, earlier) in [(true, false), (false, false), (true, true), (false, true)] {
        let server = Fake::with("UIDL\r\n", vec![message(1), message(2)], |state, line| {
            let deletes = state.heard.iter().any(|line| line.starts_with("DELE"));
            if line == "QUIT" && deletes && state.messages.len() == 2 {
                // The mail is gone, and the ids go to the next messages; the answer never comes.
                state.messages.clear();
                return Say::ThenClose(Vec::new());
            }
            Say::Default
        });
        let (_folder, maildir) = home();
        if earlier {
            assert_eq!(code(&server.fetch(&maildir, &[])), Some(0));
        }
        assert_eq!(code(&server.fetch(&maildir, &["--delete"])), Some(8));
        server.change(|state| {
            let text = if same_size { message(5).1 } else { message(555).1 };
            state.messages.push((message(1).0, text));
        });
        assert_eq!(code(&server.fetch(&maildir, &["--delete"])), Some(0));
        assert_eq!(stored(&maildir, if same_size { 5 } else { 555 }), (3, true));
        assert_eq!(server.left(), 0);
    }
}

#[test]
fn a_server_that_keeps_deleted_mail_is_noticed_and_left_alone() {
    let server = Fake::new((1..=3).map(message).collect());
    server.change(|state| state.keeps_deleted = true);
    let (_folder, maildir) = home();
    for run in 0..5 {
        let output = server.fetch(&maildir, &["--delete"]);
        assert_eq!((code(&output), mail(&maildir).len()), (Some(0), 3), "run {run}");
        let told = text(&output.stdout).contains("3 still on the server although it confirmed their deletion");
        assert_eq!(told, run > 1, "run {run}: {}", text(&output.stdout));
    }
    assert_eq!((server.heard("RETR"), server.heard("DELE")), (6, 6), "compared once, deleted once more, and then left alone");
}

// Suspect mail is never deleted.

/// A server that sends these bytes as every message.
fn sending(announced: usize, sent: Vec<u8>) -> Fake {
    Fake::with("UIDL\r\n", vec![message(1)], move |_, line| match line {
        "LIST" => Say::Bytes(format!("+OK\r\n1 {announced}\r\n.\r\n").into_bytes()),
        "RETR 1" => Say::Bytes([b"+OK\r\n", &sent[..], b".\r\n"].concat()),
        _ => Say::Default,
    })
}

#[test]
fn q39_mail_far_from_its_announced_size_stays_on_the_server() {
    let whole = message(1).1;
    let large = [whole.clone(), b"a line of text\r\n".repeat(500)].concat();
    let half = [whole.clone(), b"a line of text\r\n".repeat(240)].concat();
    for (announced, sent, delivered) in
        [(large.len(), whole.clone(), 0), (large.len(), half.clone(), 0), (300, large.clone(), 1), (half.len(), large.clone(), 1)]
    {
        let server = sending(announced, sent);
        let (_folder, maildir) = home();
        let output = server.fetch(&maildir, &["--delete"]);
        assert_eq!((code(&output), server.left(), mail(&maildir).len()), (Some(8), 1, delivered), "{}", text(&output.stderr));
        assert!(text(&output.stderr).contains("stays on the server"), "{}", text(&output.stderr));
        for _ in 0..4 {
            server.fetch(&maildir, &["--delete"]);
        }
        assert_eq!((server.left(), mail(&maildir).len()), (1, 1), "stored once in the end, and never deleted");
        assert!(server.heard("RETR") <= 3, "tried again, with a bound");
    }
}

#[test]
fn q39_suspect_mail_that_is_recognised_stays_on_the_server() {
    // The unique-id is a number, so the message is compared, and it is the one that is stored.
    let large = [message(1).1, b"a line of text\r\n".repeat(500)].concat();
    let server = Fake::with("UIDL\r\n", vec![message(1)], move |_, line| match line {
        "LIST" => Say::line("+OK\r\n1 300\r\n."),
        "UIDL" => Say::line("+OK\r\n1 1\r\n."),
        "RETR 1" => Say::Bytes([b"+OK\r\n", &large[..], b".\r\n"].concat()),
        _ => Say::Default,
    });
    let (_folder, maildir) = home();
    for run in 0..3 {
        server.fetch(&maildir, &["--delete"]);
        assert_eq!((server.heard("DELE"), mail(&maildir).len()), (0, 1), "run {run}");
    }
    assert!(server.heard("RETR") > 1, "it was compared");
}

#[test]
fn q29_sizes_that_are_merely_counted_badly_are_tolerated() {
    let text = [message(1).1, b"a line of text\r\n".repeat(100)].concat();
    let lines = text.iter().filter(|byte| **byte == b'\n').count();
    for announced in [text.len() - lines, text.len() + lines, text.len().next_multiple_of(1024), text.len() / 1000 * 1000, 2] {
        let server = sending(announced, text.clone());
        let (_folder, maildir) = home();
        let output = server.fetch(&maildir, &["--delete"]);
        assert_eq!(
            (code(&output), server.left()),
            (Some(0), 0),
            "{announced} for {}: {}",
            text.len(),
            script::text(&output.stderr)
        );
    }
}

#[test]
fn an_ok_that_comes_unasked_between_messages_closes_the_session_and_deletes_nothing() {
    let server = Fake::with("UIDL\r\n", vec![message(1), message(2), message(3)], |state, line| {
        let number = line.strip_prefix("RETR ").and_then(|number| number.parse::<usize>().ok());
        match number.map(|number| &state.messages[number - 1]) {
            Some((id, text)) if id == "id-2-x" => Say::Bytes([b"+OK stray\r\n+OK\r\n", &text[..], b".\r\n"].concat()),
            _ => Say::Default,
        }
    });
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &["--delete"]);
    assert_eq!(code(&output), Some(3), "{}", text(&output.stderr));
    assert!(mail(&maildir).iter().all(|text| !text.starts_with("+OK")), "no reply is in any mail");
    for _ in 0..4 {
        server.fetch(&maildir, &["--delete"]);
    }
    assert_eq!((server.left(), mail(&maildir).len()), (1, 2));
    assert!(stored(&maildir, 1).1 && stored(&maildir, 3).1);
}

// One poisoned message does not stand in the way of the others.

#[test]
fn a_message_that_breaks_sessions_comes_last_alone_and_is_set_aside() {
    for cut in [&b"+OK\r\nSubject: half\r\n\r\nhal"[..], b"", b"+OK\r\n"] {
        let server = Fake::with("UIDL\r\nPIPELINING\r\n", (1..=5).map(message).collect(), move |_, line| match line {
            "RETR 3" => Say::ThenClose(cut.to_vec()),
            _ => Say::Default,
        });
        let (_folder, maildir) = home();
        let codes: Vec<_> = (0..6).map(|_| code(&server.fetch(&maildir, &[])).unwrap()).collect();
        assert_eq!(codes, [3, 8, 8, 8, 8, 8]);
        assert_eq!((mail(&maildir).len(), server.heard("RETR 3")), (4, 3), "{}", cut.escape_ascii());
        let output = server.fetch(&maildir, &[]);
        assert!(text(&output.stderr).contains("message 3 is set aside"), "{}", text(&output.stderr));
    }
}

#[test]
fn deletions_are_committed_before_a_poisoned_message_is_tried() {
    let server = Fake::with("UIDL\r\n", (1..=3).map(message).collect(), |state, line| {
        let is_poison = line.strip_prefix("RETR ").and_then(|number| number.parse::<usize>().ok());
        match is_poison.map(|number| state.messages[number - 1].0.as_str()) {
            Some("id-1-x") => Say::ThenClose(Vec::new()),
            _ => Say::Default,
        }
    });
    let (_folder, maildir) = home();
    for _ in 0..3 {
        server.fetch(&maildir, &["--delete"]);
    }
    assert_eq!((mail(&maildir).len(), server.left()), (2, 1));
}

#[test]
fn pipelining_that_proves_broken_is_switched_off_for_the_account() {
    // The reply to a command that is in flight overtakes the end of the message.
    let server =
        Fake::with("UIDL\r\nPIPELINING\r\n", (1..=6).map(message).collect(), |state, line| match line.strip_prefix("RETR ") {
            Some(number) if state.sessions == 1 => {
                let text = state.messages[number.parse::<usize>().unwrap() - 1].1.clone();
                Say::Bytes([b"+OK\r\n", &text[..]].concat())
            }
            _ => Say::Default,
        });
    let (_folder, maildir) = home();
    let first = server.fetch(&maildir, &["--timeout", "1"]);
    assert_eq!(code(&first), Some(3), "{}", text(&first.stderr));
    for _ in 0..3 {
        server.fetch(&maildir, &[]);
    }
    assert_eq!(mail(&maildir).len(), 6);
    assert!(mail(&maildir).iter().all(|text| text.matches("Subject:").count() == 1), "no message is part of another");
}

// Announced is not usable.

#[test]
fn q11_a_login_goes_down_from_a_mechanism_that_is_refused_and_no_further_than_allowed() {
    for (capabilities, refusal) in [
        ("SASL PLAIN LOGIN\r\nUIDL\r\n", "-ERR invalid command"),
        ("SASL CRAM-MD5 PLAIN\r\nUIDL\r\n", "-ERR unknown AUTH mechanism"),
        ("SASL SCRAM-SHA-256 PLAIN\r\nUIDL\r\n", "-ERR"),
    ] {
        let server = Fake::with(capabilities, vec![message(1)], move |_, line| match line.starts_with("AUTH") {
            true => Say::line(refusal),
            false => Say::Default,
        });
        let (_folder, maildir) = home();
        let output = server.fetch(&maildir, &[]);
        assert_eq!((code(&output), mail(&maildir).len()), (Some(0), 1), "{refusal}: {}", text(&output.stderr));
    }
    // Credentials that were judged are not tried again in another way.
    let server = Fake::with("SASL PLAIN\r\n", vec![], |_, line| match line.starts_with("AUTH") {
        true => Say::line("-ERR authentication failed"),
        false => Say::Default,
    });
    let (_folder, maildir) = home();
    assert_eq!(code(&server.fetch(&maildir, &[])), Some(5));
    assert_eq!((server.heard("AUTH"), server.heard("USER")), (1, 0));
}

#[test]
fn s54_utf8_is_said_where_it_is_announced_before_the_login() {
    for (answer, expected) in [("+OK", 0), ("-ERR not now", 0), ("-ERR [SYS/TEMP] busy", 6)] {
        let server = Fake::with("USER\r\nUIDL\r\nUTF8\r\n", vec![message(1)], move |_, line| match line {
            "UTF8" => Say::line(answer),
            _ => Say::Default,
        });
        let (_folder, maildir) = home();
        assert_eq!(code(&server.fetch(&maildir, &[])), Some(expected), "{answer}");
        let wire = server.wire();
        assert_eq!(wire[1], "UTF8", "{wire:?}");
    }
    let server = Fake::new(vec![message(1)]);
    server.fetch(&home().1, &[]);
    assert_eq!(server.heard("UTF8"), 0, "not where it is not announced");
}

// Progress is always kept.

#[test]
fn a_server_that_ends_sessions_early_is_emptied_after_enough_runs() {
    for (limit, options) in [(25, &["--delete"][..]), (14, &["--delete"]), (18, &["--delete", "--window", "1"]), (25, &[])] {
        let server = Fake::with("UIDL\r\nPIPELINING\r\n", (1..=40).map(message).collect(), move |state, _| {
            if state.lines > limit { Say::ThenClose(Vec::new()) } else { Say::Default }
        });
        let (_folder, maildir) = home();
        let mut runs = 0;
        while (mail_count(&maildir) < 40 || (!options.is_empty() && server.left() > 0)) && runs < 40 {
            server.fetch(&maildir, options);
            runs += 1;
        }
        assert_eq!(mail_count(&maildir), 40, "{limit} {options:?}: {runs} runs, {} left", server.left());
        assert_eq!(server.left(), if options.is_empty() { 40 } else { 0 }, "{limit} {options:?}: {runs} runs");
    }
}

fn mail_count(maildir: &Path) -> usize {
    if maildir.join("new").is_dir() { mail(maildir).len() } else { 0 }
}

#[test]
fn s41_a_server_that_demands_a_pause_gets_one_session_a_run() {
    let server = Fake::with("UIDL\r\nLOGIN-DELAY 300\r\n", (1..=40).map(message).collect(), |state, _| {
        if state.lines > 25 { Say::ThenClose(Vec::new()) } else { Say::Default }
    });
    let (_folder, maildir) = home();
    for run in 1..=5 {
        server.fetch(&maildir, &["--delete"]);
        assert_eq!(server.sessions(), run);
    }
}

// An empty or odd mailbox is no error.

#[test]
fn an_empty_mailbox_is_nothing_new_however_it_is_listed() {
    for listing in ["+OK\r\n.\r\n", "+OK 0 messages\r\n", "-ERR no messages\r\n", "-ERR\r\n"] {
        let server = Fake::with("UIDL\r\n", vec![], move |_, line| match line {
            "LIST" | "UIDL" => Say::Bytes(listing.as_bytes().to_vec()),
            _ => Say::Default,
        });
        let (_folder, maildir) = home();
        for options in [&[][..], &["--delete"]] {
            let output = server.fetch(&maildir, options);
            assert_eq!(code(&output), Some(0), "{listing:?}: {}", text(&output.stderr));
        }
    }
}

#[test]
fn q20_q24_one_unreadable_line_does_not_hide_the_other_messages() {
    let cases: [(&str, &str, i32, usize); 7] = [
        ("LIST", "1 70\r\nerror\r\n3 70\r\n", 0, 3),
        ("LIST", "0 0\r\n1 70\r\n2 70\r\n3 70\r\n", 0, 3),
        ("LIST", "1\r\n2\r\n3\r\n", 0, 3),
        ("LIST", "", 0, 3),
        ("UIDL", "1 id-1-x\r\nabc def\r\n3 id-3-x\r\n", 8, 2),
        ("UIDL", "1 id-1-x\r\n\r\n2 id-2-x\r\n3 id-3-x\r\n", 0, 3),
        ("UIDL", "1 id-1-x\r\n2 id-2-x\r\n", 8, 2),
    ];
    for (command, lines, expected, count) in cases {
        let server = Fake::with("UIDL\r\n", (1..=3).map(message).collect(), move |_, line| {
            if line == command { Say::Bytes(format!("+OK\r\n{lines}.\r\n").into_bytes()) } else { Say::Default }
        });
        let (_folder, maildir) = home();
        let output = server.fetch(&maildir, &[]);
        assert_eq!(
            (code(&output), mail(&maildir).len()),
            (Some(expected), count),
            "{command} {lines:?}: {}",
            text(&output.stderr)
        );
    }
}

#[test]
fn q26_a_server_without_list_is_lived_with() {
    let server = Fake::with("UIDL\r\n", (1..=3).map(message).collect(), |_, line| match line {
        "LIST" => Say::line("-ERR unknown command"),
        _ => Say::Default,
    });
    let (_folder, maildir) = home();
    for _ in 0..2 {
        assert_eq!(code(&server.fetch(&maildir, &[])), Some(0));
    }
    assert_eq!((mail(&maildir).len(), server.heard("RETR")), (3, 3));
    // Without unique-ids, and with deletions that are not carried out: nothing comes twice without end.
    let server = Fake::with("TOP\r\n", (1..=3).map(message).collect(), |_, line| match line {
        "UIDL" | "LIST" => Say::line("-ERR unknown command"),
        _ => Say::Default,
    });
    server.change(|state| state.keeps_deleted = true);
    let (_folder, maildir) = home();
    for _ in 0..4 {
        server.fetch(&maildir, &["--delete"]);
    }
    assert_eq!(mail(&maildir).len(), 3);
}

#[test]
fn h30_a_listing_without_end_is_cut_off() {
    let server = Fake::with("UIDL\r\n", vec![message(1)], |_, line| match line {
        "UIDL" => Say::Bytes((1..5000).fold(b"+OK\r\n".to_vec(), |mut all, n| {
            all.extend(format!("{n} u{n}\r\n").bytes());
            all
        })),
        _ => Say::Default,
    });
    let output = server.fetch(&home().1, &[]);
    assert_eq!(code(&output), Some(3), "{}", text(&output.stderr));
    assert!(text(&output.stderr).contains("far more messages than the server counts"), "{}", text(&output.stderr));
}

#[test]
fn h30_ten_thousand_capabilities_are_no_reason_to_fail() {
    let many: &'static str = Box::leak((0..10_000).map(|n| format!("X-{n}\r\n")).collect::<String>().into_boxed_str());
    let server = Fake::with(many, vec![message(1)], |_, _| Say::Default);
    assert_eq!(code(&server.fetch(&home().1, &[])), Some(0));
}

#[test]
fn q14_a_server_that_mixes_line_ends_in_listings_is_understood() {
    // Its lines end in LF, and the dots that end its listings in CR LF.
    let server = Fake::with("", vec![message(1)], |_, line| match line {
        "CAPA" => Say::Bytes(b"+OK\nUIDL\n.\r\n".to_vec()),
        "LIST" => Say::Bytes(b"+OK\n1 10\n.\r\n".to_vec()),
        "UIDL" => Say::Bytes(b"+OK\n1 one\n.\r\n".to_vec()),
        "RETR 1" => Say::Bytes(b"+OK\nA: bcdefgh\n\n.\n".to_vec()),
        _ => Say::Bytes(b"+OK\n".to_vec()),
    });
    server.change(|state| state.greeting = b"+OK ready\n".to_vec());
    let (_folder, maildir) = home();
    let output = server.fetch(&maildir, &["--timeout", "20"]);
    assert_eq!((code(&output), mail(&maildir)), (Some(0), vec!["A: bcdefgh\n\n".to_owned()]), "{}", text(&output.stderr));
}

// "Later" in words.

#[test]
fn q47_words_that_mean_later_are_exit_6_wherever_they_come() {
    for refusal in [
        "-ERR Exceeded the login limit for a 15 minute period.",
        "-ERR unable to lock maildrop",
        "-ERR 登录太频繁",
        "-ERR Zu viele Anfragen",
    ] {
        for command in ["PASS secret", "STAT", "LIST", "UIDL", "CAPA"] {
            let server =
                Fake::with(
                    "UIDL\r\n",
                    vec![message(1)],
                    move |_, line| {
                        if line == command { Say::line(refusal) } else { Say::Default }
                    },
                );
            let output = server.fetch(&home().1, &[]);
            assert_eq!(code(&output), Some(6), "{command} {refusal}: {}", text(&output.stderr));
        }
    }
}

#[test]
fn words_that_name_the_cause_say_what_to_do() {
    for (refusal, expected, hint) in [
        ("-ERR Your account is not enabled for POP access.", 5, "POP3 is switched off"),
        ("-ERR Please using authorized code to login.", 5, "another kind of password"),
        ("-ERR [AUTH] Application-specific password required", 5, "another kind of password"),
        (
            "-ERR Login fail. Account is abnormal, service is not open, password is incorrect, login frequency limited, or system is busy",
            5,
            "several causes",
        ),
        ("-ERR [AUTH] mailbox busy, try again later", 5, "refused PASS"),
        ("-ERR [SYS/TEMP] wrong password", 6, "a temporary fault"),
    ] {
        let server = Fake::with("", vec![], move |_, line| if line == "PASS secret" { Say::line(refusal) } else { Say::Default });
        let output = server.fetch(&home().1, &[]);
        assert_eq!(code(&output), Some(expected), "{refusal}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains(hint), "{refusal}: {}", text(&output.stderr));
    }
}
