//! Fuzzes a server whose client sends anything and whose store answers anything.

use bytes::BytesMut;
use pop3_contract::oracle;
use pop3_proto::codec::{MessageNumber, UniqueId};
use pop3_proto::sasl::{Mechanism, PresentedCredentials, ScramHash, ScramKeys};
use pop3_proto::server::{
    Action, BadCommandLimits, BodyWants, Connection, ConnectionInfo, LoginDenial, MessageRefusal, Question, ServerConfig,
    Snapshot, Utf8,
};

use crate::Choices;
use crate::codec::{any_command, any_unique_id};

/// Typical input from clients; the fuzzer finds the rest.
const SAID: [&[u8]; 16] = [
    b"USER a\r\nPASS b\r\n",
    b"STAT\r\n",
    b"LIST\r\n",
    b"UIDL\r\n",
    b"RETR 1\r\n",
    b"RETR 2\r\nDELE 2\r\n",
    b"TOP 1 1\r\n",
    b"DELE 1\r\n",
    b"RSET\r\n",
    b"NOOP\r\n",
    b"QUIT\r\n",
    b"AUTH PLAIN\r\nAGEAYg==\r\n",
    b"AUTH SCRAM-SHA-1 biwsbj1hLHI9eA==\r\n",
    b"*\r\n",
    b"STLS\r\n",
    b"CAPA\r\nLANG\r\n",
];

struct Dialogue<'a> {
    server: Connection,
    choices: Choices<'a>,
    written: Vec<u8>,
    /// All input from the client.
    said: Vec<u8>,
    messages: usize,
    over: bool,
}

/// Checks that, for any input and any answers, the server's output consists of valid lines and unchanged messages, and that
/// nothing is removed without `QUIT`.
pub fn server(data: &[u8]) {
    let mut choices = Choices::new(data);
    let bits = choices.byte();
    let bit = |at: u8| bits >> at & 1 == 1;
    let config = ServerConfig {
        output_high_water: if bit(0) { 64 } else { 64 * 1024 },
        mechanisms: Mechanism::ALL.to_vec(),
        apop: bit(1),
        last: true,
        stls: true,
        utf8: if bit(2) { Utf8::MessagesAndLogins } else { Utf8::Messages },
        max_bad_commands: BadCommandLimits { before_login: 4, after_login: 6 },
        ..ServerConfig::default()
    };
    let channel = ConnectionInfo { encrypted: bit(3), trusted: bit(4), ..ConnectionInfo::default() };
    let server = Connection::new(config.into(), channel);
    let mut dialogue = Dialogue { server, choices, written: Vec::new(), said: Vec::new(), messages: 0, over: false };
    dialogue.answer();
    while !dialogue.choices.is_done() && !dialogue.over {
        match dialogue.choices.below(4) {
            0..=1 => {
                let said = dialogue.choices.of(&SAID);
                dialogue.hear(said);
            }
            2 => {
                let mut line = BytesMut::new();
                if let Some(command) = any_command(&mut dialogue.choices) {
                    command.encode(&mut line);
                    dialogue.hear(&line);
                }
            }
            _ => {
                let said = dialogue.choices.bytes();
                dialogue.hear(said);
            }
        }
    }
}

/// Gives the server as many bytes as it has room for, which is at least one. Returns the rest.
pub(crate) fn feed<'a>(server: &mut Connection, said: &'a [u8]) -> &'a [u8] {
    let space = server.unfilled();
    let count = space.len().min(said.len());
    assert!(count > 0, "H20: there is always room");
    space[..count].copy_from_slice(&said[..count]);
    if count > 0 {
        server.advance_read(count);
    }
    &said[count..]
}

impl Dialogue<'_> {
    fn hear(&mut self, mut said: &[u8]) {
        self.said.extend_from_slice(said);
        while !said.is_empty() && !self.over {
            said = feed(&mut self.server, said);
            self.answer();
        }
    }

    /// Answers the server's questions until it needs input.
    fn answer(&mut self) {
        while !self.over {
            match self.server.next_action() {
                Action::Read => return,
                Action::Write => self.write(),
                Action::Close => {
                    self.over = true;
                    assert!(self.server.output().is_empty(), "all is written before the end");
                }
                Action::UpgradeTls => self.upgrade(),
                Action::Unanswered => panic!("everything is answered at once"),
                Action::Answer(ask) => self.answer_one(ask),
            }
            assert!(self.server.output().len() < 64 * 1024 + 4096, "H37");
        }
    }

    /// Writes some of the output, and checks that the output outside of messages consists of valid lines.
    fn write(&mut self) {
        let output = self.server.output();
        let count = (1 + self.choices.below(output.len())).min(output.len());
        self.written.extend_from_slice(&output[..count]);
        self.server.advance_written(count);
        if !self.server.output().is_empty() {
            return;
        }
        let lines = self.written.strip_suffix(b"\r\n").expect("S02: a line end");
        for line in lines.split(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            assert!(!line.iter().any(|byte| matches!(byte, b'\r' | 0)) && line.len() <= 510, "S02: {}", line.escape_ascii());
        }
        self.written.clear();
    }

    fn flush(&mut self) {
        while !self.server.output().is_empty() {
            self.write();
        }
    }

    fn answer_one(&mut self, ask: Question) {
        // The server accepts only an answer to its question.
        let before = self.server.output().len();
        if !matches!(ask, Question::Authenticate(_)) {
            assert!(self.server.answer().accept(Snapshot::default()).is_err());
        }
        if !matches!(ask, Question::Retrieve { .. }) {
            assert!(
                self.server.answer().begin_message().is_err()
                    && self.server.answer().refuse_message(MessageRefusal::Gone).is_err()
            );
        }
        if !matches!(ask, Question::Commit) {
            assert!(self.server.answer().finish_commit(0).is_err());
        }
        assert!(self.server.answer().body(b"x").is_err() && self.server.answer().end_message().is_err());
        assert_eq!(self.server.output().len(), before);
        match ask {
            Question::Authenticate(login) => {
                assert!(!login.name.as_bytes().iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0)), "H57");
                assert!(login.credentials != PresentedCredentials::Verified, "nobody has proven anything: the keys are decoys");
                match self.choices.below(8) {
                    0 => self.server.answer().deny(LoginDenial::Credentials),
                    1 => self.server.answer().deny(LoginDenial::InUse),
                    2 => self.server.answer().deny(LoginDenial::Permanent),
                    _ => {
                        let snapshot = self.snapshot();
                        self.server.answer().accept(snapshot)
                    }
                }
                .expect("asked");
            }
            Question::FindKeys(hash, name) => {
                let other = if hash == ScramHash::Sha1 { ScramHash::Sha256 } else { ScramHash::Sha1 };
                let hash = if self.choices.below(8) == 1 { other } else { hash };
                self.server.answer().provide_keys(ScramKeys::decoy(hash, b"secret", name.as_bytes())).expect("asked");
            }
            Question::Retrieve { number, .. } => self.retrieve(number),
            Question::Commit => {
                let marked: Vec<MessageNumber> = self.server.marked().collect();
                assert!(marked.is_sorted() && marked.iter().all(|number| number.index() < self.messages), "S13");
                let is_quit = |line: &[u8]| line.trim_ascii().eq_ignore_ascii_case(b"QUIT");
                assert!(self.said.split(|byte| *byte == b'\n').any(is_quit), "S18");
                self.server.answer().finish_commit(self.choices.below(3).min(marked.len())).expect("asked");
            }
            other => panic!("{other:?}"),
        }
    }

    fn upgrade(&mut self) {
        assert!(!self.server.session().is_encrypted(), "H09");
        self.flush();
        match self.server.check_upgrade() {
            Ok(()) => self.server.upgrade(ConnectionInfo { encrypted: true, ..ConnectionInfo::default() }).expect("agreed"),
            // Data followed `STLS`, so a driver closes the connection (H03).
            Err(_) => self.over = true,
        }
    }

    fn snapshot(&mut self) -> Snapshot {
        let mut snapshot = Snapshot::default();
        self.messages = self.choices.below(4);
        for _ in 0..self.messages {
            let (octets, id) = (self.choices.number(), any_unique_id(&mut self.choices));
            let id = UniqueId::new(&id).expect("H28");
            let pushed = if self.choices.below(8) == 1 { snapshot.push_utf8(octets, id) } else { snapshot.push(octets, id) };
            pushed.expect("few");
        }
        snapshot
    }

    /// Sends a message of any bytes in any pieces, refuses it, or aborts the session.
    fn retrieve(&mut self, number: MessageNumber) {
        assert!(number.index() < self.messages, "S13");
        assert!(self.server.marked().all(|marked| marked != number), "S14");
        match self.choices.below(8) {
            0 => return self.server.answer().refuse_message(MessageRefusal::Gone).expect("asked"),
            1 => return self.server.answer().refuse_message(MessageRefusal::Temporary).expect("asked"),
            _ => {}
        }
        self.flush();
        self.server.answer().begin_message().expect("asked");
        self.flush();
        let (mut sent, mut enough) = (Vec::new(), false);
        for _ in 0..self.choices.below(4) {
            let piece = self.choices.bytes();
            let wants = self.server.answer().body(piece).expect("begun");
            sent.extend_from_slice(piece);
            enough = wants == BodyWants::Enough;
            if enough {
                break;
            }
        }
        if self.choices.below(8) == 1 {
            self.server.abort();
            self.over = true;
            return;
        }
        self.server.answer().end_message().expect("begun");
        let wire = self.server.output().to_vec();
        let (arrived, rest) = oracle::unstuff_lenient(&wire).expect("H17: complete");
        assert!(rest.is_empty(), "H17");
        let (whole, _) = oracle::unstuff_lenient(&oracle::stuff(&sent)).expect("complete");
        if enough {
            // `TOP` sends the beginning of the message in complete lines, so only the message's own last line may be cut.
            assert!(whole.starts_with(&arrived), "H52");
        } else {
            assert_eq!(whole.escape_ascii().to_string(), arrived.escape_ascii().to_string(), "H52");
        }
        self.server.advance_written(wire.len());
    }
}
