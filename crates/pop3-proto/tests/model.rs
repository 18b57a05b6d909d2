//! Any commands after login, against a model of a maildrop: what is listed, what is marked, and what is left after `QUIT` or without it.

use pop3_contract::model::{Answer, Model};
use pop3_contract::oracle;
use pop3_proto::codec::{Command, LineEnding, MessageNumber, UniqueId, WireSize};
use pop3_proto::server::{Action, BodyWants, Connection, ConnectionInfo, Question, ServerConfig, Snapshot};
use proptest::prelude::*;

/// A session over messages in memory.
struct Dialogue {
    server: Connection,
    mail: Vec<(Vec<u8>, String)>,
    written: Vec<u8>,
    /// What a store was told to remove.
    removed: Option<Vec<usize>>,
    /// So many octets of a message are given to the session at once.
    piece: usize,
}

impl Dialogue {
    fn new(mail: Vec<(Vec<u8>, String)>, piece: usize, high_water: usize) -> Self {
        let config = ServerConfig { last: true, output_high_water: high_water, ..ServerConfig::default() };
        let server = Connection::new(config.into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() });
        let mut dialogue = Self { server, mail, written: Vec::new(), removed: None, piece };
        dialogue.hear(b"USER joe\r\nPASS x\r\n");
        dialogue.written.clear();
        dialogue
    }

    fn hear(&mut self, said: &[u8]) {
        self.server.unfilled()[..said.len()].copy_from_slice(said);
        self.server.advance_read(said.len());
        loop {
            match self.server.next_action() {
                Action::Read | Action::Close => return,
                Action::Write => {
                    self.written.extend_from_slice(self.server.output());
                    self.server.advance_written(self.server.output().len());
                }
                Action::Answer(Question::Authenticate(_)) => {
                    let mut snapshot = Snapshot::default();
                    for (text, id) in &self.mail {
                        let mut size = WireSize::new();
                        size.add(text);
                        snapshot.push(size.octets(), UniqueId::new(id).unwrap()).unwrap();
                    }
                    self.server.answer().accept(snapshot).unwrap();
                }
                Action::Answer(Question::Retrieve { number, .. }) => {
                    self.server.answer().begin_message().unwrap();
                    for piece in self.mail[number.index()].0.chunks(self.piece) {
                        if self.server.answer().body(piece).unwrap() == BodyWants::Enough {
                            break;
                        }
                    }
                    self.server.answer().end_message().unwrap();
                }
                Action::Answer(Question::Commit) => {
                    self.removed = Some(self.server.marked().map(MessageNumber::index).collect());
                    self.server.answer().finish_commit(0).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }

    /// What is answered to a command, as far as it is not for people.
    fn ask(&mut self, command: &str) -> Answer {
        self.written.clear();
        self.hear(format!("{command}\r\n").as_bytes());
        let end = self.written.iter().position(|byte| *byte == b'\n').expect("a line");
        let (first, rest) = self.written.split_at(end + 1);
        let words = match command.split(' ').collect::<Vec<_>>()[..] {
            ["STAT" | "LAST"] | ["LIST" | "UIDL", _] => first.strip_prefix(b"+OK ").map(<[u8]>::trim_ascii_end),
            _ => None,
        };
        let rest = (!rest.is_empty()).then(|| match oracle::unstuff(rest, LineEnding::CrLf) {
            Some((rest, behind)) if behind.is_empty() => rest,
            _ => panic!("not one reply: {}", rest.escape_ascii()),
        });
        Answer { ok: first.starts_with(b"+OK"), words: words.map(|words| String::from_utf8(words.to_vec()).unwrap()), rest }
    }
}

/// Messages of few kinds of lines: with the marks of the protocol in them, headers that end and that do not.
fn mail() -> impl Strategy<Value = Vec<(Vec<u8>, String)>> {
    let line = prop_oneof!["", "A: b", "[.]{1,3}", "[a-z.]{0,9}"];
    let text = (proptest::collection::vec((line, prop_oneof![Just("\n"), Just("\r\n")]), 0..6), any::<bool>());
    let text = text.prop_map(|(lines, ended)| {
        let text: String = lines.iter().flat_map(|(line, end)| [line.as_str(), end]).collect();
        if ended { text.into_bytes() } else { text.trim_end_matches(['\r', '\n']).as_bytes().to_vec() }
    });
    proptest::collection::vec((text, "[!-~]{1,5}"), 0..5)
}

/// A command as a client types it; numbers around those that exist.
fn command() -> impl Strategy<Value = String> {
    let number = prop_oneof![8 => 1..6u64, 1 => Just(u64::from(u32::MAX))];
    prop_oneof![
        1 => Just("STAT".to_owned()),
        1 => Just("LIST".to_owned()),
        1 => Just("UIDL".to_owned()),
        1 => Just("RSET".to_owned()),
        1 => Just("LAST".to_owned()),
        1 => Just("NOOP".to_owned()),
        1 => Just("USER joe".to_owned()),
        1 => number.clone().prop_map(|n| format!("LIST {n}")),
        1 => number.clone().prop_map(|n| format!("UIDL {n}")),
        3 => number.clone().prop_map(|n| format!("RETR {n}")),
        3 => number.clone().prop_map(|n| format!("DELE {n}")),
        2 => (number, 0..4u64).prop_map(|(n, lines)| format!("TOP {n} {lines}")),
    ]
}

/// What was said, for a person.
fn transcript(said: &str, is: &Answer) -> String {
    let rest = is.rest.as_ref().map(|rest| format!("\n   {}", rest.escape_ascii())).unwrap_or_default();
    format!("C: {said}\nS: {} {}{rest}\n", if is.ok { "+OK" } else { "-ERR" }, is.words.as_deref().unwrap_or_default())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, ..ProptestConfig::default() })]

    #[test]
    fn s12_s14_s18_any_commands_are_answered_as_by_the_model(
        mail in mail(),
        commands in proptest::collection::vec(command(), 0..20),
        piece in 1..9usize,
        high_water in prop_oneof![Just(1), Just(16), Just(65536)],
        quit: bool,
    ) {
        let mut model = Model::new(mail.iter().map(|(text, id)| (text.as_slice(), id.as_str())));
        let mut dialogue = Dialogue::new(mail, piece, high_water);
        let mut so_far = String::new();
        for said in &commands {
            let should = model.answer(&Command::parse(said.as_bytes()).unwrap());
            let is = dialogue.ask(said);
            so_far += &transcript(said, &is);
            prop_assert_eq!(&is, &should, "in this dialogue:\n{}\nshould be:\n{}", so_far, transcript(said, &should));
        }
        if quit {
            dialogue.hear(b"QUIT\r\n");
        }
        prop_assert_eq!(dialogue.removed, quit.then(|| model.marked()), "after this dialogue:\n{}", so_far);
    }
}
