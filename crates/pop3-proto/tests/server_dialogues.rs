//! Properties of a server that transcripts cannot express: counts, nonces and lengths.

use std::net::Ipv4Addr;

use pop3_proto::codec::{Expire, MessageNumber, ReplyText, UniqueId};
use pop3_proto::sasl::{ChannelBinding, Mechanism};
use pop3_proto::server::{
    Action, CleartextLogin, CloseReason, Connection, ConnectionInfo, ExpirePolicy, LoginDenial, ProxiedClient, Question,
    ServerConfig, Snapshot,
};

/// Has a client say this.
fn hear(server: &mut Connection, said: &[u8]) {
    if said.is_empty() {
        return;
    }
    server.unfilled()[..said.len()].copy_from_slice(said);
    server.advance_read(said.len());
}

/// Takes what is written; it must be something.
fn take(server: &mut Connection) -> String {
    let written = String::from_utf8(server.output().to_vec()).unwrap();
    assert!(!written.is_empty(), "there is something to write");
    server.advance_written(written.len());
    written
}

/// Says something to a server that lets nobody in and has nobody's keys; what it answers, and whether it goes on.
fn talk(server: &mut Connection, said: &[u8]) -> (String, bool) {
    hear(server, said);
    let mut written = String::new();
    loop {
        match server.next_action() {
            Action::Read => return (written, true),
            Action::Write => written += &take(server),
            Action::Answer(Question::Authenticate(_) | Question::FindKeys(..)) => {
                server.answer().deny(LoginDenial::Credentials).unwrap();
            }
            Action::UpgradeTls => {
                server.check_upgrade().unwrap();
                server.upgrade(encrypted([1; 18])).unwrap();
            }
            _ => return (written, false),
        }
    }
}

fn say(server: &mut Connection, said: &[u8]) -> bool {
    talk(server, said).1
}

fn encrypted(nonce: [u8; 18]) -> ConnectionInfo {
    ConnectionInfo::encrypted(nonce, ChannelBinding::default())
}

/// A session over TLS; the greeting is written.
fn begun(config: ServerConfig) -> Connection {
    let mut server = Connection::new(config.into(), encrypted([1; 18]));
    assert!(say(&mut server, b""));
    server
}

/// A session that is logged in to a maildrop.
fn logged_in(config: ServerConfig, maildrop: Snapshot) -> Connection {
    let mut server = begun(config);
    hear(&mut server, b"USER joe\r\nPASS x\r\n");
    assert!(matches!(server.next_action(), Action::Answer(Question::Authenticate(_))));
    server.answer().accept(maildrop).unwrap();
    assert!(say(&mut server, b""));
    server
}

/// So many messages of one octet.
fn messages(count: usize) -> Snapshot {
    let mut snapshot = Snapshot::default();
    for number in 1..=count {
        snapshot.push(1, UniqueId::new(number.to_string().as_bytes()).unwrap()).unwrap();
    }
    snapshot
}

#[test]
fn h40_guesses_count_at_once_and_after_stls() {
    let config = ServerConfig {
        cleartext_login: CleartextLogin::DangerouslyAllow,
        stls: true,
        mechanisms: Mechanism::ALL.to_vec(),
        max_failed_logins: 3,
        ..ServerConfig::default()
    };
    let mut server = Connection::new(config.into(), ConnectionInfo::clear([1; 18]));
    let failed = |server: &Connection| server.session().failed_logins();
    assert!(say(&mut server, b"USER joe\r\nPASS x\r\n"));
    assert_eq!(failed(&server), 1);
    // Why a token is refused is told before the client has to say anything; who leaves then has guessed.
    assert!(say(&mut server, b"AUTH XOAUTH2 dXNlcj1qb2UBYXV0aD1CZWFyZXIgYmFkAQE=\r\n"));
    assert_eq!(failed(&server), 2);
    assert!(say(&mut server, b"\r\n"));
    assert_eq!(failed(&server), 2, "once");
    assert!(say(&mut server, b"STLS\r\n"));
    assert_eq!(failed(&server), 2);
    assert!(!say(&mut server, b"USER joe\r\nPASS x\r\n"), "the third is the last");
    assert_eq!(server.session().close_reason(), Some(CloseReason::FailedLogins));
}

#[test]
fn h40_a_login_without_keys_counts_as_failed() {
    let config = ServerConfig { mechanisms: Mechanism::ALL.to_vec(), ..ServerConfig::default() };
    let mut server = begun(config);
    let (answer, goes_on) = talk(&mut server, b"AUTH SCRAM-SHA-1 biwsbj1qb2Uscj1hYmM=\r\n");
    assert!(answer.starts_with("-ERR [AUTH]") && goes_on, "{answer}");
    assert_eq!(server.session().failed_logins(), 1);
    assert!(talk(&mut server, b"CAPA\r\n").0.starts_with("+OK"), "the exchange is over");
}

#[test]
fn no_two_challenges_are_the_same() {
    let challenge = |server: &mut Connection| talk(server, b"AUTH CRAM-MD5\r\n").0;
    let mut challenges = Vec::new();
    let config = ServerConfig { mechanisms: vec![Mechanism::CramMd5], ..ServerConfig::default() };
    for nonce in [[1; 18], [2; 18]] {
        let mut server = Connection::new(config.clone().into(), encrypted(nonce));
        say(&mut server, b"");
        for _ in 0..3 {
            challenges.push(challenge(&mut server));
            assert!(talk(&mut server, b"*\r\n").0.starts_with("-ERR"));
        }
    }
    // Timestamps of APOP, too.
    let config = ServerConfig { apop: true, cleartext_login: CleartextLogin::DangerouslyAllow, ..ServerConfig::default() };
    for info in [encrypted([1; 18]), encrypted([2; 18]), ConnectionInfo::clear([3; 18]), ConnectionInfo::clear([4; 18])] {
        challenges.push(talk(&mut Connection::new(config.clone().into(), info), b"").0);
    }
    let count = challenges.len();
    challenges.sort();
    challenges.dedup();
    assert_eq!(challenges.len(), count, "{challenges:#?}");
}

#[test]
fn s02_an_implementation_fills_a_line_and_no_more() {
    let room = 512 - "IMPLEMENTATION \r\n".len();
    for octets in [100, room, room + 1] {
        let name = ReplyText::new(&*"x".repeat(octets).leak()).unwrap();
        let config = ServerConfig { implementation: name, ..ServerConfig::default() };
        let mut server = begun(config);
        let announced = format!("\r\nIMPLEMENTATION {}\r\n", "x".repeat(octets.min(room)));
        assert!(talk(&mut server, b"CAPA\r\n").0.contains(&announced), "{octets}");
    }
}

#[test]
fn s44_commands_in_one_segment_are_answered_in_one() {
    let mut server = begun(ServerConfig::default());
    hear(&mut server, b"CAPA\r\nUSER joe\r\nNONSENSE\r\n");
    assert_eq!(server.next_action(), Action::Write);
    let replies =
        server.output().split(|byte| *byte == b'\n').filter(|line| line.starts_with(b"+OK") || line.starts_with(b"-ERR"));
    assert_eq!(replies.count(), 3);
}

#[test]
fn h20_there_is_room_for_more_than_the_longest_line() {
    // Whichever of the two limits is the larger, and larger than what is read at once.
    for (max_line, max_sasl_line) in [(5000, 100), (100, 5000), (5000, 5000)] {
        let config = ServerConfig { max_line, max_sasl_line, ..ServerConfig::default() };
        let mut server = begun(config);
        let mut left = 20_000;
        while left > 0 {
            let space = server.unfilled();
            let count = space.len().min(left);
            assert!(count > 0, "{max_line} {max_sasl_line}");
            space[..count].fill(b'x');
            server.advance_read(count);
            left -= count;
            while server.next_action() == Action::Write {
                take(&mut server);
            }
        }
        assert!(talk(&mut server, b"\r\nCAPA\r\n").0.contains("\r\n+OK"), "{max_line} {max_sasl_line}");
    }
}

#[test]
fn s18_the_commit_waits_for_its_answer_and_all_replies_are_one_segment() {
    let mut server = logged_in(ServerConfig::default(), messages(2));
    hear(&mut server, b"DELE 2\r\nQUIT\r\n");
    assert_eq!(server.next_action(), Action::Answer(Question::Commit));
    assert_eq!(server.next_action(), Action::Unanswered);
    server.answer().finish_commit(0).unwrap();
    assert_eq!(server.next_action(), Action::Write);
    assert_eq!(take(&mut server).matches("+OK").count(), 2);
    assert_eq!(server.next_action(), Action::Close);
}

#[test]
fn s42_messages_removed_after_retrieval_are_written_first() {
    let expire = ExpirePolicy { after: Expire::Days(0), per_user: false };
    let mut server = logged_in(ServerConfig { expire, ..ServerConfig::default() }, messages(1));
    hear(&mut server, b"RETR 1\r\nQUIT\r\n");
    assert!(matches!(server.next_action(), Action::Answer(Question::Retrieve { .. })));
    server.answer().begin_message().unwrap();
    server.answer().body(b"x\r\n").unwrap();
    server.answer().end_message().unwrap();
    while !server.output().is_empty() {
        assert_eq!(server.next_action(), Action::Write);
        server.advance_written(1);
    }
    assert_eq!(server.next_action(), Action::Answer(Question::Commit));
    // Nothing was in the way.
    let mut server = logged_in(ServerConfig { expire, ..ServerConfig::default() }, messages(1));
    hear(&mut server, b"QUIT\r\n");
    assert_eq!(server.next_action(), Action::Answer(Question::Commit));
}

#[test]
fn h13_a_message_that_cannot_be_ended_ends_the_session() {
    let mut server = logged_in(ServerConfig::default(), messages(1));
    hear(&mut server, b"RETR 1\r\nQUIT\r\n");
    assert!(matches!(server.next_action(), Action::Answer(Question::Retrieve { .. })));
    server.answer().begin_message().unwrap();
    server.answer().body(b"the beginning").unwrap();
    server.abort();
    assert_eq!(server.next_action(), Action::Write);
    assert!(!take(&mut server).contains("\r\n.\r\n"));
    assert_eq!(server.next_action(), Action::Close);
}

#[test]
fn h37_output_is_full_at_its_mark_and_not_before() {
    let mut server = logged_in(ServerConfig { output_high_water: 100, ..ServerConfig::default() }, messages(1));
    hear(&mut server, b"RETR 1\r\n");
    assert!(matches!(server.next_action(), Action::Answer(Question::Retrieve { .. })));
    server.answer().begin_message().unwrap();
    while server.output().len() < 99 {
        assert!(!server.is_above_high_water());
        server.answer().body(b"x").unwrap();
    }
    assert!(!server.is_above_high_water());
    server.answer().body(b"x").unwrap();
    assert!(server.is_above_high_water());
}

#[test]
fn h03_data_after_stls_is_reported_before_the_handshake() {
    for (said, clean) in [(&b"STLS\r\n"[..], true), (b"STLS\r\nUSER joe\r\n", false), (b"STLS\r\n\n", false)] {
        let mut server =
            Connection::new(ServerConfig { stls: true, ..ServerConfig::default() }.into(), ConnectionInfo::clear([1; 18]));
        say(&mut server, b"");
        hear(&mut server, said);
        assert_eq!(server.next_action(), Action::Write);
        take(&mut server);
        assert_eq!(server.next_action(), Action::UpgradeTls);
        assert_eq!(server.check_upgrade().is_ok(), clean, "{}", said.escape_ascii());
        assert_eq!(server.upgrade(encrypted([2; 18])).is_ok(), clean, "{}", said.escape_ascii());
        assert_eq!(server.next_action(), if clean { Action::Read } else { Action::Close });
    }
}

#[test]
fn the_origin_that_a_trusted_proxy_names_is_known() {
    let trusted = ConnectionInfo { trusted: true, ..encrypted([1; 18]) };
    let mut server = Connection::new(ServerConfig::default().into(), trusted);
    say(&mut server, b"");
    assert_eq!(server.session().proxied_client(), None);
    say(&mut server, b"XCLIENT ADDR=192.0.2.1 PORT=4711\r\n");
    let proxied_client = ProxiedClient { address: Ipv4Addr::new(192, 0, 2, 1).into(), port: Some(4711) };
    assert_eq!(server.session().proxied_client(), Some(proxied_client));
}

#[test]
fn q56_under_tls_nothing_looks_like_tls() {
    let mut server = begun(ServerConfig::default());
    let (answer, goes_on) = talk(&mut server, b"\x16\x03\r\n");
    assert!(answer.starts_with("-ERR") && goes_on, "{answer}");
}

#[test]
fn s12_s44_nothing_is_answered_within_a_listing_that_has_little_to_list() {
    // A listing lets others work now and then, also where it passes over what is marked.
    let mut server = logged_in(ServerConfig::default(), messages(30_001));
    for number in 1..=30_000 {
        say(&mut server, format!("DELE {number}\r\n").as_bytes());
    }
    let (answer, _) = talk(&mut server, b"LIST\r\nSTAT\r\n");
    assert!(answer.ends_with("\r\n30001 1\r\n.\r\n+OK 1 1\r\n"), "{answer}");
}

#[test]
fn s10_the_snapshot_is_what_was_pushed() {
    let mut snapshot = Snapshot::default();
    assert!(snapshot.is_empty());
    snapshot.push(120, UniqueId::new(b"one").unwrap()).unwrap();
    assert!(!snapshot.is_empty());
    let server = logged_in(ServerConfig::default(), snapshot);
    let octets = [1, 2].map(|number| server.session().octets(MessageNumber::new(number).unwrap()));
    assert_eq!(octets, [Some(120), None]);
}

#[test]
fn h30_a_line_without_end_is_answered_and_ends_the_session() {
    let mut server = begun(ServerConfig::default());
    let mut heard = 0;
    loop {
        let (said, goes_on) = talk(&mut server, &[b'x'; 100]);
        heard += 100;
        assert!(heard < 100_000, "it would be read until the deadline");
        if !goes_on {
            assert!(said.starts_with("-ERR"), "{said}");
            break;
        }
        assert!(said.is_empty(), "{said}");
    }
    assert!(heard > 60_000, "{heard}");
}
