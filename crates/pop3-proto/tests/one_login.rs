//! A login as one request, from the greeting on, over servers that have said everything in advance.

use std::time::Duration;

use pop3_contract::{Cut, Feed};
use pop3_proto::client::requests::{self, Request};
use pop3_proto::client::{
    Action, Awaiting, CleartextLogin, ClientConfig, Connection, LoginContext, LoginFailure, LoginOutcome, LoginPolicy,
    RemoteError, RequestError, Service,
};
use pop3_proto::codec::Verb;
use pop3_proto::sasl::{ChannelBinding, Credentials, Mechanism};

/// A client in front of such a server.
struct Talk {
    connection: Connection,
    feed: Feed,
}

impl Talk {
    fn new(encrypted: bool, says: &[&str]) -> Self {
        let config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
        let connection = if encrypted { Connection::new_encrypted(config) } else { Connection::new(config) };
        let feed = Feed::scripted(says.iter().map(|text| text.as_bytes()), Cut::Random(7));
        feed.end();
        Self { connection, feed }
    }

    fn run<R: Request>(&mut self, request: &mut R) -> Result<R::Output, RequestError> {
        self.connection.start(request)?;
        self.connection.drive(&mut self.feed, |connection| connection.next_action(request))
    }

    fn login_as(&mut self, credentials: &Credentials, policy: &LoginPolicy) -> Result<(), RequestError> {
        let context = LoginContext { host: "h", port: 995, nonce: [1; 18], binding: ChannelBinding::default() };
        let mut login = requests::login(credentials, policy, context);
        while self.run(&mut login)? == LoginOutcome::UpgradeTls {
            self.connection.upgrade()?;
        }
        Ok(())
    }

    fn login(&mut self, policy: &LoginPolicy) -> Result<(), RequestError> {
        self.login_as(&Credentials::password("joe", "secret").unwrap(), policy)
    }

    fn wire(&self) -> String {
        String::from_utf8(self.feed.written()).unwrap()
    }
}

/// What a login comes to over a connection in the clear on which `STLS` is demanded.
fn failure(encrypted: bool, says: &[&str]) -> Option<LoginFailure> {
    let mut talk = Talk::new(encrypted, says);
    talk.login(&LoginPolicy::default()).unwrap_err().login_failure()
}

#[test]
fn s45_h06_capabilities_in_the_clear_are_forgotten_under_tls() {
    let mut talk = Talk::new(
        false,
        &[
            "+OK <1896.697170952@example.org>\r\n",
            "+OK\r\n",
            "+OK\r\nSASL LOGIN\r\n.\r\n",
            "+ VXNlcm5hbWU6\r\n",
            "+ UGFzc3dvcmQ6\r\n",
            "-ERR [LOGIN-DELAY] later\r\n",
        ],
    );
    let error =
        talk.login(&LoginPolicy { apop: true, mechanisms: vec![Mechanism::Plain, Mechanism::Login], ..LoginPolicy::default() });
    assert_eq!(talk.wire(), "STLS\r\nCAPA\r\nAUTH LOGIN\r\nam9l\r\nc2VjcmV0\r\n", "no APOP, and nothing asked in the clear");
    let failure = error.unwrap_err().login_failure();
    assert_eq!(failure, Some(LoginFailure::Temporary { retry_after: None }));
}

#[test]
fn h07_h08_nothing_is_said_in_the_clear_that_should_not() {
    // Refused, refused for now, with an APOP stamp offered.
    for stls in ["-ERR\r\n", "-ERR [SYS/TEMP] not now\r\n", "-ERR unknown command\r\n"] {
        for mechanisms in [vec![], Mechanism::ALL.to_vec()] {
            let mut talk = Talk::new(false, &["+OK <a@b>\r\n", stls]);
            let policy = LoginPolicy { apop: true, mechanisms, ..LoginPolicy::default() };
            assert_eq!(talk.login(&policy).unwrap_err().login_failure(), Some(LoginFailure::NoTls));
            assert_eq!(talk.wire(), "STLS\r\n");
        }
    }
}

#[test]
fn q03_q04_q08_q47_failures_say_what_they_mean() {
    let wrong = Some(LoginFailure::WrongCredentials);
    let later = Some(LoginFailure::Temporary { retry_after: None });
    let service = |service| Some(LoginFailure::WrongService(service));
    let cases: [(&[&str], Option<LoginFailure>); 18] = [
        (&["* OK IMAP4rev1\r\n"], service(Service::Imap)),
        (&["220 mx ESMTP\r\n"], service(Service::SmtpOrFtp)),
        (&["SSH-2.0-x\r\n"], service(Service::Ssh)),
        (&["HTTP/1.1 400 Bad Request\r\n"], service(Service::Web)),
        (&["\x15\x03\x01"], service(Service::Tls)),
        (&["hello\r\n"], None),
        (&["-ERR too many connections\r\n"], later),
        (&["-ERR [SYS/PERM] go away\r\n"], Some(LoginFailure::Permanent)),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR wrong\r\n"], wrong),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR [AUTH] wrong; try again\r\n"], wrong),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR [IN-USE]\r\n"], later),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR lock busy! Is another session active?\r\n"], later),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR Mailbox is locked by POP server\r\n"], later),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n", "-ERR account is locked\r\n"], wrong),
        (&["+OK\r\n", "-ERR\r\n", "+OK\r\n"], wrong),
        (&["+OK\r\n", "+OK\r\nSASL PLAIN\r\n.\r\n"], wrong),
        (
            &["+OK\r\n", "+OK\r\nLOGIN-DELAY 300 USER\r\n.\r\n", "+OK\r\n", "-ERR [LOGIN-DELAY] too soon\r\n"],
            Some(LoginFailure::Temporary { retry_after: Some(Duration::from_secs(300)) }),
        ),
        (&["+OK\r\n", "-ERR\r\n"], None),
    ];
    for (says, expected) in cases {
        assert_eq!(failure(true, says), expected, "{says:?}");
    }
    let mut talk = Talk::new(true, &["+OK\r\n", "+OK\r\nSASL GSSAPI\r\n.\r\n"]);
    let error = talk.login(&LoginPolicy { user_pass: false, ..LoginPolicy::default() }).unwrap_err();
    assert_eq!(error.login_failure(), Some(LoginFailure::NoMechanism));
}

#[test]
fn q07_an_ok_as_a_challenge() {
    let cases: [(Mechanism, bool, &[&str], &str); 3] = [
        (Mechanism::Login, false, &["+OK\r\n", "+OK go on\r\n", "+OK logged in\r\n"], "AUTH LOGIN\r\nam9l\r\nc2VjcmV0\r\n"),
        (
            Mechanism::Xoauth2,
            true,
            &["+OK\r\n", "+OK logged in\r\n"],
            "AUTH XOAUTH2\r\ndXNlcj1qb2UBYXV0aD1CZWFyZXIgc2VjcmV0AQE=\r\n",
        ),
        (Mechanism::Plain, false, &["+OK logged in\r\n"], "AUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"),
    ];
    for (mechanism, two_lines, says, expected) in cases {
        let capa = format!("+OK\r\nSASL {mechanism}\r\n.\r\n");
        let says: Vec<&str> = ["+OK\r\n", &capa].into_iter().chain(says.iter().copied()).collect();
        let mut talk = Talk::new(true, &says);
        let credentials = match mechanism {
            Mechanism::Xoauth2 => Credentials::token("joe", "secret").unwrap(),
            _ => Credentials::password("joe", "secret").unwrap(),
        };
        talk.login_as(&credentials, &LoginPolicy { two_lines, ..LoginPolicy::default() }).unwrap();
        assert_eq!(talk.wire(), format!("CAPA\r\n{expected}"), "{mechanism}");
    }
}

#[test]
fn q09_capa_can_be_left_out() {
    let mut talk = Talk::new(true, &["+OK\r\n"]);
    let error = talk.login(&LoginPolicy::default()).unwrap_err();
    assert_eq!(error, RequestError::Remote(RemoteError::Closed(Awaiting::Reply(Verb::Capa))));
    assert_eq!(talk.connection.machine().awaiting(), Awaiting::Reply(Verb::Capa));
    let mut talk = Talk::new(true, &["+OK\r\n", "+OK\r\n", "+OK\r\n"]);
    talk.login(&LoginPolicy { capa: false, ..LoginPolicy::default() }).unwrap();
    assert_eq!(talk.wire(), "USER joe\r\nPASS secret\r\n");
}

#[test]
fn q10_s43_without_capa_everything_is_tried() {
    let mut talk = Talk::new(
        true,
        &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "+OK 1 a\r\n", "+OK\r\n1 a\r\n2 b\r\n.\r\n", "+OK\r\nx\r\n.\r\n"],
    );
    talk.login(&LoginPolicy::default()).unwrap();
    let first = pop3_proto::codec::MessageNumber::FIRST;
    assert_eq!(&talk.run(&mut requests::uidl_one(first)).unwrap().unique_id[..], b"a");
    assert_eq!(talk.run(&mut requests::uidl()).unwrap().len(), 2);
    assert!(talk.run(&mut requests::top(first, 0)).is_ok());
}

#[test]
fn q11_a_mechanism_that_is_not_announced_can_be_assumed() {
    let mut talk = Talk::new(true, &["+OK\r\n", "+OK\r\nSASL PLAIN\r\n.\r\n", "+OK\r\n"]);
    let policy = LoginPolicy { assumed: vec![Mechanism::Xoauth2], ..LoginPolicy::default() };
    talk.login_as(&Credentials::token("joe", "t").unwrap(), &policy).unwrap();
    assert!(talk.wire().starts_with("CAPA\r\nAUTH XOAUTH2 "), "{}", talk.wire());
}

#[test]
fn s25_h27_apop_only_when_asked_for_and_with_a_timestamp() {
    let (stamp, none) = ("+OK <1896.697170952@dbc.mtview.ca.us>\r\n", "+OK <no-at-sign>\r\n");
    let (plain, cram) = ("+OK\r\nSASL PLAIN\r\n.\r\n", "+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n");
    for (apop, greeting, capa, expected) in [
        (true, stamp, plain, "APOP joe "),
        (true, none, plain, "AUTH PLAIN "),
        (false, stamp, plain, "AUTH PLAIN "),
        (true, stamp, cram, "AUTH SCRAM-SHA-256 "),
        (true, stamp, "-ERR\r\n", "APOP joe "),
        (false, stamp, "-ERR\r\n", "USER joe"),
    ] {
        let mut talk = Talk::new(true, &[greeting, capa]);
        let _ = talk.login(&LoginPolicy { apop, ..LoginPolicy::default() });
        assert!(talk.wire().starts_with(&format!("CAPA\r\n{expected}")), "{greeting:?} {capa:?}: {}", talk.wire());
    }
    // The digest of the RFC's own example (1939 §7).
    let mut talk = Talk::new(true, &[stamp, "-ERR\r\n", "+OK\r\n"]);
    let tanstaaf = Credentials::password("mrose", "tanstaaf").unwrap();
    talk.login_as(&tanstaaf, &LoginPolicy { apop: true, ..LoginPolicy::default() }).unwrap();
    assert_eq!(talk.wire(), "CAPA\r\nAPOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
}

#[test]
fn s43_q12_q13_nothing_depends_on_the_implementation_of_the_server() {
    let wires: Vec<String> =
        ["", "IMPLEMENTATION Dovecot\r\n", "implementation ServerExchange 5.5\r\nEXPIRE 0\r\nX-NEW\r\n  \r\n"]
            .iter()
            .map(|line| {
                let capa = format!("+OK\r\nsasl  plain\r\n{line}.\r\n");
                let mut talk = Talk::new(true, &["+OK\r\n", &capa, "+OK\r\n"]);
                talk.login(&LoginPolicy::default()).unwrap();
                talk.wire()
            })
            .collect();
    assert_eq!(wires, ["CAPA\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"; 3]);
}

#[test]
fn q20_q24_q25_listings_as_servers_have_them() {
    use pop3_proto::codec::MessageNumber;
    let two = MessageNumber::new(2).unwrap();
    let logged_in = |answer: &str| {
        let mut talk = Talk::new(true, &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", answer]);
        talk.login(&LoginPolicy::default()).unwrap();
        talk
    };
    // A blank first line; gaps; a number twice is for the caller to judge.
    let listed = logged_in("+OK\r\n\r\n7 70\r\n2 20\r\n9\r\n.\r\n").run(&mut requests::list()).unwrap();
    assert_eq!(
        listed.iter().map(|entry| (entry.number.get(), entry.octets)).collect::<Vec<_>>(),
        [(7, Some(70)), (2, Some(20)), (9, None)]
    );
    for answer in ["+OK 2 abc\r\n", "+OK abc\r\n", "+OK\r\n2 abc\r\n.\r\n", "+OK unique-ids follow\r\n1 x\r\n2 abc\r\n.\r\n"] {
        let entry = logged_in(answer).run(&mut requests::uidl_one(two)).unwrap();
        assert_eq!((entry.number, &entry.unique_id[..]), (two, &b"abc"[..]), "{answer:?}");
    }
    for answer in ["+OK 2 20\r\n", "+OK 20\r\n", "+OK\r\n2 20\r\n.\r\n", "+OK 2 20 octets\r\n"] {
        let entry = logged_in(answer).run(&mut requests::list_one(two)).unwrap();
        assert_eq!((entry.number, entry.octets), (two, Some(20)), "{answer:?}");
    }
    for answer in ["+OK\r\n1 abc\r\n.\r\n", "+OK\r\n.\r\n"] {
        assert!(
            matches!(logged_in(answer).run(&mut requests::uidl_one(two)), Err(RequestError::Unreadable { .. })),
            "{answer:?}"
        );
    }
    // As if STAT had been asked: two messages, 320 octets, is not message 1.
    let wrong = logged_in("+OK 2 320\r\n").run(&mut requests::list_one(MessageNumber::FIRST));
    assert!(matches!(wrong, Err(RequestError::Unreadable { .. })));
}

#[test]
fn s47_no_stls_after_utf8() {
    let mut talk = Talk::new(false, &["+OK\r\n", "+OK\r\n"]);
    talk.run(&mut requests::greet()).unwrap();
    talk.run(&mut requests::utf8()).unwrap();
    let error = talk.run(&mut requests::stls()).unwrap_err();
    assert_eq!((error.to_string().as_str(), talk.wire().as_str()), ("STLS must come before UTF8", "UTF8\r\n"));
}

#[test]
fn s55_languages_are_listed_and_chosen() {
    use pop3_proto::codec::Word;
    let mut talk = Talk::new(true, &["+OK\r\n", "+OK\r\nen English\r\nes Español\r\n.\r\n", "+OK es hola\r\n", "-ERR no\r\n"]);
    talk.run(&mut requests::greet()).unwrap();
    assert_eq!(&*talk.run(&mut requests::languages()).unwrap()[1], "es Español".as_bytes());
    talk.run(&mut requests::lang(Word::new("es").unwrap())).unwrap();
    assert!(talk.run(&mut requests::lang(Word::new("uga").unwrap())).is_err());
    assert_eq!(talk.wire(), "LANG\r\nLANG es\r\nLANG uga\r\n");
}

#[test]
fn q30_a_body_that_ends_with_a_dot_and_does_not_end_says_so() {
    let mut talk = Talk::new(true, &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", "+OK\r\nthe end.\r\n"]);
    talk.login(&LoginPolicy::default()).unwrap();
    let tag = talk.run(&mut requests::retr(pop3_proto::codec::MessageNumber::FIRST)).unwrap();
    assert!(talk.connection.machine().waiting_for().ends_with("received"));
    loop {
        match talk.connection.next_chunk(tag).unwrap() {
            Action::Done(true) => {}
            Action::Read if talk.connection.machine().waiting_for().contains("ends with a dot") => break,
            Action::Read => {
                let count = talk.feed.read(talk.connection.unfilled()).unwrap();
                assert!(count > 0, "the dot was seen before the end");
                talk.connection.advance_read(count).unwrap();
            }
            step => panic!("{step:?}"),
        }
    }
}

#[test]
fn q46_logins_and_quit_have_deadlines_of_their_own() {
    use pop3_proto::client::Deadline;
    let mut talk = Talk::new(true, &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"]);
    let machine = |talk: &Talk| talk.connection.machine().deadline();
    assert_eq!(machine(&talk), Some(Deadline::Greeting));
    talk.login(&LoginPolicy::default()).unwrap();
    assert_eq!(machine(&talk), None);
    for (command, deadline) in [(&b"STAT"[..], Deadline::Command), (b"QUIT", Deadline::Quit)] {
        let mut talk = Talk::new(true, &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n"]);
        talk.login(&LoginPolicy::default()).unwrap();
        talk.connection.send(pop3_proto::codec::Command::parse(command).unwrap()).unwrap();
        assert_eq!(machine(&talk), Some(deadline));
    }
    let mut talk = Talk::new(true, &["+OK\r\n"]);
    talk.run(&mut requests::greet()).unwrap();
    for command in [&b"USER a"[..], b"PASS b"] {
        talk.connection.send(pop3_proto::codec::Command::parse(command).unwrap()).unwrap();
    }
    assert_eq!(machine(&talk), Some(Deadline::Command), "the first reply is awaited");
}

#[test]
fn q46_logins_have_a_deadline_of_their_own() {
    use pop3_proto::client::Deadline;
    let mut talk = Talk::new(true, &["+OK\r\n"]);
    talk.run(&mut requests::greet()).unwrap();
    talk.connection.send(pop3_proto::codec::Command::parse(b"AUTH PLAIN").unwrap()).unwrap();
    assert_eq!(talk.connection.machine().deadline(), Some(Deadline::Login));
}

#[test]
fn q22_unique_ids_of_up_to_1024_octets_are_kept() {
    for (length, kept) in [(71, 71), (1024, 1024), (1025, 0)] {
        let answer = format!("+OK\r\n1 {}\r\n.\r\n", "u".repeat(length));
        let mut talk = Talk::new(true, &["+OK\r\n", "-ERR\r\n", "+OK\r\n", "+OK\r\n", &answer]);
        talk.login(&LoginPolicy::default()).unwrap();
        assert_eq!(talk.run(&mut requests::uidl()).unwrap()[0].unique_id.len(), kept);
    }
}

#[test]
fn s44_no_more_commands_than_the_window_has() {
    let mut talk = Talk::new(true, &["+OK\r\n"]);
    talk.run(&mut requests::greet()).unwrap();
    let window = talk.connection.machine().window();
    let mut send = || talk.connection.send(pop3_proto::codec::Command::Capa);
    assert!((0..window).all(|_| send().is_ok()));
    assert!(send().is_err());
}

#[test]
fn s36_channel_bindings_are_known_after_stls() {
    let says = ["+OK\r\n", "+OK\r\n", "+OK\r\nSASL SCRAM-SHA-256 SCRAM-SHA-256-PLUS\r\n.\r\n", "-ERR [AUTH]\r\n"];
    let mut talk = Talk::new(false, &says);
    let (credentials, policy) = (Credentials::password("joe", "secret").unwrap(), LoginPolicy::default());
    let context = LoginContext { host: "h", port: 110, nonce: [1; 18], binding: ChannelBinding::default() };
    let mut login = requests::login(&credentials, &policy, context);
    assert_eq!(talk.run(&mut login).unwrap(), LoginOutcome::UpgradeTls);
    talk.connection.upgrade().unwrap();
    login.bind(ChannelBinding { exporter: Some([7; 32]), server_end_point: None });
    talk.run(&mut login).unwrap_err();
    assert!(talk.wire().contains("AUTH SCRAM-SHA-256-PLUS "), "{}", talk.wire());
}

#[test]
fn s35_no_nonce_is_used_twice() {
    let says = ["+OK\r\n", "+OK\r\nSASL SCRAM-SHA-256 SCRAM-SHA-1\r\n.\r\n", "-ERR no such mechanism\r\n", "-ERR [AUTH]\r\n"];
    for last in [0x00, 0x01, 0xFF] {
        let mut talk = Talk::new(true, &says);
        let (credentials, policy) = (Credentials::password("joe", "secret").unwrap(), LoginPolicy::default());
        let nonce = [[1; 17].as_slice(), &[last]].concat().try_into().unwrap();
        let context = LoginContext { host: "h", port: 995, nonce, binding: ChannelBinding::default() };
        talk.run(&mut requests::login(&credentials, &policy, context)).unwrap_err();
        let wire = talk.wire();
        let initial: Vec<&str> =
            wire.lines().filter_map(|line| line.strip_prefix("AUTH SCRAM-SHA-")?.split(' ').nth(1)).collect();
        assert_eq!(initial.len(), 2, "{wire}");
        assert_ne!(initial[0], initial[1], "{last}");
    }
}

#[test]
fn two_lines_are_for_xoauth2_alone() {
    let policy = LoginPolicy { two_lines: true, ..LoginPolicy::default() };
    let mut talk = Talk::new(true, &["+OK\r\n", "+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n", "+OK\r\n"]);
    talk.login(&policy).unwrap();
    assert_eq!(talk.wire(), "CAPA\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n");
    let mut talk = Talk::new(true, &["+OK\r\n", "+OK\r\nSASL PLAIN XOAUTH2\r\n.\r\n", "+ \r\n", "+OK\r\n"]);
    talk.login_as(&Credentials::token("joe", "token").unwrap(), &policy).unwrap();
    assert!(talk.wire().starts_with("CAPA\r\nAUTH XOAUTH2\r\n"), "{}", talk.wire());
}

#[test]
fn s43_a_server_that_cannot_tell_now_is_none_without_capa() {
    let mut talk = Talk::new(true, &["+OK\r\n", "-ERR [SYS/TEMP] busy\r\n"]);
    let error = talk.login(&LoginPolicy::default()).unwrap_err();
    assert_eq!(error.login_failure(), Some(LoginFailure::Temporary { retry_after: None }));
    assert_eq!(talk.wire(), "CAPA\r\n", "nothing weaker is tried");
}
