//! Who guesses is counted, whatever they say it with.

use pop3_proto::sasl::{ChannelBinding, Mechanism};
use pop3_proto::server::{Ask, Channel, CleartextLogin, Connection, Denial, Ending, ServerConfig, Step};

/// Says something to a server that lets nobody in; whether it goes on.
fn say(server: &mut Connection, said: &[u8]) -> bool {
    server.space()[..said.len()].copy_from_slice(said);
    server.filled(said.len());
    loop {
        match server.step() {
            Step::Read => return true,
            Step::Write => server.written(server.output().len()),
            Step::Ask(Ask::Authenticate(_)) => server.deny(Denial::Credentials).unwrap(),
            Step::Ask(Ask::UpgradeTls) => {
                server.check_upgrade().unwrap();
                server.upgrade(Channel::encrypted([1; 18], ChannelBinding::default())).unwrap();
            }
            _ => return false,
        }
    }
}

#[test]
fn h40_what_was_guessed_counts_at_once_and_behind_stls() {
    let config = ServerConfig {
        cleartext_login: CleartextLogin::DangerouslyAllow,
        stls: true,
        mechanisms: Mechanism::ALL.to_vec(),
        max_failed_logins: 3,
        ..ServerConfig::default()
    };
    let mut server = Connection::new(config.into(), Channel::clear([1; 18]));
    let failed = |server: &Connection| server.session().server().failed_logins();
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
    assert_eq!(server.session().server().ending(), Some(Ending::FailedLogins));
}
