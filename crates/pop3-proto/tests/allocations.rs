//! What is allocated, counted.

use allocation_counter::measure;
use bytes::BytesMut;
use pop3_proto::client::{Client, ClientConfig, ClientEvent};
use pop3_proto::codec::{Capability, Command, DropListing, Greeting, Reply, ScanListing, UniqueId, UniqueIdListing};
use pop3_proto::server::{Action, BadCommandLimits, Connection, ConnectionInfo, Question, ServerConfig, Snapshot};

#[test]
fn h32_commands_replies_and_listing_lines_are_parsed_without_allocating() {
    let commands: [&[u8]; 22] = [
        b"APOP mrose c4c9334bac560ecc979e58001b3e22fb",
        b"AUTH",
        b"AUTH PLAIN AGpvZQBzZWNyZXQ=",
        b"CAPA",
        b"DELE 4294967295",
        b"LANG es-MX",
        b"LAST",
        b"LIST",
        b"LIST  7 ",
        b"NOOP",
        b"PASS a long password with blanks",
        b"QUIT",
        b"RETR 18446744073709551616",
        b"RSET",
        b"STAT",
        b"STLS",
        b"TOP 1 99999999",
        b"uidl 1",
        b"USER joe@example.org",
        b"UTF8",
        b"XCLIENT ADDR=192.0.2.1",
        b"nonsense \xff\0",
    ];
    let counted = measure(|| {
        for line in commands {
            let _ = Command::parse(line);
        }
        for line in [&b"1 18446744073709551615"[..], b"2", b"4294967296 1", b"7\t00000000000000000000000000000120 and more", b"x"]
        {
            let _ = (ScanListing::parse(line), UniqueIdListing::parse(line), DropListing::parse(line));
        }
        for line in [&b"+OK ready <a@b>"[..], b"-ERR [IN-USE] busy", b"+OK 99999999999999999999 octets", b"EXPIRE 30 USER"] {
            let _ = (Reply::parse(line), Greeting::parse(line), Capability::parse(line));
        }
    });
    assert_eq!(counted.count_total, 0, "{counted:?}");
}

/// A client that is logged in and has sent a command.
fn awaiting(command: &[u8]) -> Client {
    let (mut client, mut out) = (Client::new_encrypted(ClientConfig::default()), BytesMut::new());
    for (heard, said) in [(&b"+OK\r\n"[..], &b"USER a"[..]), (b"+OK\r\n", b"PASS b"), (b"+OK\r\n", command)] {
        assert_eq!(client.poll(heard).unwrap().consumed, heard.len());
        client.send(Command::parse(said).unwrap(), &mut out).unwrap();
    }
    client
}

/// Has the client read `text` so many times; the octets of bodies.
fn read(client: &mut Client, text: &[u8], times: usize) -> u64 {
    let mut octets = 0;
    for _ in 0..times {
        let mut rest = text;
        while !rest.is_empty() {
            let progress = client.poll(rest).unwrap();
            if let ClientEvent::Body(_, chunk) = progress.event {
                octets += chunk.len() as u64;
            }
            rest = &rest[progress.consumed..];
        }
    }
    octets
}

#[test]
fn h30_h32_h33_q16_reading_costs_a_client_no_memory() {
    let cases: [[&[u8]; 3]; 4] = [
        [b"LIST", b"+OK\r\n", b"4294967295 18446744073709551615\r\n"],
        [b"UIDL", b"+OK\r\n", b"1 0123456789abcdef\r\n"],
        [b"RETR 1", b"+OK 18446744073709551615 octets\r\n", b"a line of some length, and then another\r\n"],
        [b"TOP 1 1", b"+OK\r\n", b"..\r\n"],
    ];
    for [command, first, text] in cases {
        let mut client = awaiting(command);
        let counted = measure(|| {
            read(&mut client, first, 1);
            read(&mut client, text, 200_000);
        });
        // What a search through bodies is prepared with is made once.
        assert!(counted.bytes_max < 1024, "{}: {counted:?}", command.escape_ascii());
    }
}

#[test]
fn h31_before_login_a_session_holds_little_whatever_is_said() {
    let said: [&[u8]; 6] = [
        b"CAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\nCAPA\r\n",
        b"USER joe\r\nUSER joe\r\n",
        b"AUTH SCRAM-SHA-256\r\nbiwsbj1qb2Uscj1hYmM=\r\n",
        &[b'x'; 1000],
        b"LANG\r\nLANG\r\nLANG es\r\n",
        b"UTF8\r\n",
    ];
    let config = std::sync::Arc::new(ServerConfig {
        mechanisms: pop3_proto::sasl::Mechanism::ALL.to_vec(),
        max_bad_commands: BadCommandLimits { before_login: u32::MAX, after_login: u32::MAX },
        ..ServerConfig::default()
    });
    for text in said {
        let counted = measure(|| {
            let mut session = Connection::new(config.clone(), ConnectionInfo::encrypted([1; 18], Default::default()));
            for _ in 0..1000 {
                let mut rest = text;
                while !rest.is_empty() {
                    match session.next_action() {
                        Action::Read => {
                            let space = session.unfilled();
                            let count = space.len().min(rest.len());
                            space[..count].copy_from_slice(&rest[..count]);
                            session.advance_read(count);
                            rest = &rest[count..];
                        }
                        Action::Write => session.advance_written(session.output().len()),
                        Action::Answer(_) => {
                            let decoy =
                                pop3_proto::sasl::ScramKeys::decoy(pop3_proto::sasl::ScramHash::Sha256, b"secret", b"joe");
                            session.answer().provide_keys(decoy).unwrap();
                        }
                        // A line without an end closes the session.
                        Action::Close => return,
                        step => panic!("{step:?}"),
                    }
                }
            }
        });
        assert!(counted.bytes_max <= 16 * 1024, "{}: {counted:?}", text[..20.min(text.len())].escape_ascii());
    }
}

/// A client of a maildrop of so many messages says something and reads so many octets of the answer at once; how many there are.
fn say(session: &mut Connection, said: &[u8], messages: u32, at_once: usize) -> usize {
    session.unfilled()[..said.len()].copy_from_slice(said);
    session.advance_read(said.len());
    let mut octets = 0;
    loop {
        match session.next_action() {
            Action::Write => {
                octets += session.output().len().min(at_once);
                session.advance_written(at_once);
            }
            Action::Answer(Question::Commit) => session.answer().finish_commit(0).unwrap(),
            Action::Answer(_) => {
                let mut snapshot = Snapshot::with_capacity(messages as usize, 40 * messages as usize);
                for number in 1..=messages {
                    let id = format!("17000{:05}.R12345678P4711Q{number:07}", number / 7);
                    snapshot.push(number.into(), UniqueId::new(id.as_bytes()).unwrap()).unwrap();
                }
                session.answer().accept(snapshot).unwrap();
            }
            step => {
                assert!(matches!(step, Action::Read | Action::Close), "{step:?}");
                return octets;
            }
        }
    }
}

#[test]
fn h31_memory_of_large_replies_is_released_and_small_replies_allocate_nothing() {
    for at_once in [1000, 5000, 1_000_000] {
        let mut session = Connection::new(ServerConfig::default().into(), ConnectionInfo::encrypted([1; 18], Default::default()));
        say(&mut session, b"USER joe\r\nPASS x\r\n", 20_000, at_once);
        let counted = measure(|| assert!(say(&mut session, b"LIST\r\n", 0, at_once) > 200_000));
        assert!(counted.bytes_max >= 32 * 1024 && counted.bytes_current <= 4 * 1024, "{at_once}: {counted:?}");
        say(&mut session, b"NOOP\r\n", 0, at_once);
        let counted = measure(|| {
            for _ in 0..10 {
                say(&mut session, b"NOOP\r\nSTAT\r\n", 0, at_once);
            }
        });
        assert!(counted.count_total <= 10, "{at_once}: {counted:?}");
    }
}

#[test]
fn h41_a_snapshot_of_a_known_size_allocates_once() {
    let counted = measure(|| {
        let mut snapshot = Snapshot::with_capacity(1000, 4000);
        for number in 1000..2000 {
            snapshot.push(number, UniqueId::new(number.to_string().as_bytes()).unwrap()).unwrap();
        }
    });
    // The texts of the numbers, and the snapshot's two.
    assert_eq!(counted.count_total, 1000 + 2, "{counted:?}");
}

#[test]
fn h41_a_session_over_a_million_messages() {
    const MESSAGES: u32 = 1_000_000;
    let mut session = Connection::new(ServerConfig::default().into(), ConnectionInfo::encrypted([1; 18], Default::default()));
    let counted = measure(|| {
        say(&mut session, b"USER joe\r\nPASS x\r\n", MESSAGES, 1 << 20);
        assert!(say(&mut session, b"LIST\r\n", 0, 1 << 20) > 14_000_000);
        assert!(say(&mut session, b"UIDL\r\n", 0, 1 << 20) > 40_000_000);
        for number in 1..=MESSAGES {
            say(&mut session, format!("DELE {number}\r\n").as_bytes(), 0, 1 << 20);
        }
        assert_eq!(session.marked().count(), 1_000_000);
        say(&mut session, b"QUIT\r\n", 0, 1 << 20);
    });
    let each = counted.bytes_max / u64::from(MESSAGES);
    assert!(each < 100, "{each} octets a message at the most");
}
