//! Fuzzes a client and a server in memory, over a network that delays, splits and breaks, with a store that fails.

use std::collections::VecDeque;

use pop3_contract::model::{Answer, Model};
use pop3_proto::client::{self, ClientConfig, ClientEvent, Tag};
use pop3_proto::codec::{Command, MessageNumber, Status, UniqueId, WireSize};
use pop3_proto::server::{self, BodyWants, ConnectionInfo, MessageRefusal, Question, ServerConfig, Snapshot};

use crate::Choices;

const MAIL: [(&[u8], &str); 4] = [
    (b"A: b\n\n.\n..\nlast line", "one"),
    (b"", "two"),
    (b"Subject: \r\n\r\nx\r\n.\r\n.\r\n", "three"),
    (b"no header\rat all\n", "four"),
];

/// Commands that a client may send after login.
const SAID: [&[u8]; 16] = [
    b"STAT", b"LIST", b"UIDL", b"LIST 1", b"UIDL 3", b"RETR 1", b"RETR 2", b"RETR 3", b"RETR 4", b"TOP 1 1", b"TOP 3 0",
    b"DELE 1", b"DELE 3", b"RSET", b"RETR 5", b"NOOP",
];

struct Pair<'a> {
    choices: Choices<'a>,
    client: client::Connection,
    server: server::Connection,
    to_server: VecDeque<u8>,
    to_client: VecDeque<u8>,
    model: Model,
    /// Commands that were sent and not answered completely, with the reply so far.
    awaited: VecDeque<(Tag, Command<'static>, Option<Answer>)>,
    /// The store's answer to each request for a message; `None` if it sent the message.
    retrievals: VecDeque<Option<MessageRefusal>>,
    removed: Option<Vec<usize>>,
    quit: Option<Status>,
    server_over: bool,
    client_over: bool,
}

/// Checks that, however the network and the store behave, the client's events agree with the model, a message arrives completely
/// or not at all, and only messages are removed that the client had marked before it sent `QUIT`.
pub fn both(data: &[u8]) {
    let mut choices = Choices::new(data);
    let server_config = ServerConfig { output_high_water: 1 + choices.below(100), ..ServerConfig::default() };
    let mut pair = Pair {
        client: client::Connection::new_encrypted(ClientConfig { window: 1 + choices.below(8), ..ClientConfig::default() }),
        server: server::Connection::new(server_config.into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() }),
        choices,
        to_server: VecDeque::new(),
        to_client: VecDeque::new(),
        model: Model::new(MAIL),
        awaited: VecDeque::new(),
        retrievals: VecDeque::new(),
        removed: None,
        quit: None,
        server_over: false,
        client_over: false,
    };
    pair.connect_and_login();
    while !pair.choices.is_done() && !pair.client_over {
        match pair.choices.below(8) {
            0..=3 => {
                let said = pair.choices.of(&SAID);
                pair.say(said);
            }
            4 => pair.carry_to_server(),
            5 => pair.carry_to_client(),
            6 if pair.choices.below(4) == 0 => pair.say(b"QUIT"),
            7 if pair.choices.below(16) == 0 => return pair.break_off(),
            _ => {}
        }
    }
    pair.come_to_an_end();
}

impl Pair<'_> {
    fn connect_and_login(&mut self) {
        for line in [&b""[..], b"USER a", b"PASS b"] {
            if !line.is_empty() {
                self.client.send(Command::parse(line).expect("a command")).expect("allowed");
            }
            while self.client.machine().is_waiting() || self.client.deadline().is_some() {
                self.serve(usize::MAX);
                self.to_client.extend(self.server.output());
                self.server.advance_written(self.server.output().len());
                let space = self.client.unfilled();
                let count = self.to_client.len();
                self.to_client.drain(..).zip(space).for_each(|(byte, space)| *space = byte);
                if count > 0 {
                    self.client.advance_read(count).expect("bytes");
                }
                let step = self.client.process_events(|event, _| Ok(matches!(event, ClientEvent::Reply(..)).then_some(())));
                if step.expect("no error") == client::Action::Write {
                    self.to_server.extend(self.client.output());
                    self.client.advance_written(self.client.output().len());
                }
            }
        }
    }

    fn say(&mut self, line: &'static [u8]) {
        let command = Command::parse(line).expect("a command");
        if let Ok(tag) = self.client.send(command) {
            self.awaited.push_back((tag, command, None));
        }
    }

    /// Moves some of the client's output to the network, and some bytes from the network to the server.
    fn carry_to_server(&mut self) {
        let count = (1 + self.choices.below(64)).min(self.client.output().len());
        self.to_server.extend(&self.client.output()[..count]);
        self.client.advance_written(count);
        let arrive = 1 + self.choices.below(64);
        self.serve(arrive);
    }

    fn carry_to_client(&mut self) {
        let count = (1 + self.choices.below(64)).min(self.server.output().len());
        self.to_client.extend(&self.server.output()[..count]);
        self.server.advance_written(count);
        self.serve(0);
        let arrive = (1 + self.choices.below(64)).min(self.to_client.len());
        self.read(arrive);
    }

    /// Gives the server at most `count` bytes, and runs it until it must read or write.
    fn serve(&mut self, count: usize) {
        if self.server_over {
            return;
        }
        let count = count.min(self.to_server.len()).min(self.server.unfilled().len());
        self.to_server.drain(..count).zip(self.server.unfilled()).for_each(|(byte, space)| *space = byte);
        if count > 0 {
            self.server.advance_read(count);
        }
        loop {
            match self.server.next_action() {
                server::Action::Read | server::Action::Write => return,
                server::Action::Close => {
                    self.server_over = true;
                    return;
                }
                server::Action::Answer(ask) => self.answer(ask),
                server::Action::UpgradeTls | server::Action::Unanswered => panic!("everything is answered at once"),
            }
            if self.server_over {
                return;
            }
        }
    }

    fn answer(&mut self, ask: Question) {
        match ask {
            Question::Authenticate(_) => {
                let mut snapshot = Snapshot::default();
                for (text, id) in MAIL {
                    let mut size = WireSize::new();
                    size.add(text);
                    snapshot.push(size.octets(), UniqueId::new(id).expect("legal")).expect("few");
                }
                self.server.answer().accept(snapshot).expect("asked");
            }
            Question::Retrieve { number, .. } => self.retrieve(number),
            Question::Commit => {
                let marked: Vec<usize> = self.server.marked().map(MessageNumber::index).collect();
                let failed = self.choices.below(4).saturating_sub(2).min(marked.len());
                self.removed = Some(marked[failed..].to_vec());
                self.server.answer().finish_commit(failed).expect("asked");
            }
            other => panic!("{other:?}"),
        }
    }

    fn retrieve(&mut self, number: MessageNumber) {
        let refusal = match self.choices.below(16) {
            1 => Some(MessageRefusal::Gone),
            2 => Some(MessageRefusal::Temporary),
            _ => None,
        };
        self.retrievals.push_back(refusal);
        if let Some(why) = refusal {
            return self.server.answer().refuse_message(why).expect("asked");
        }
        self.server.answer().begin_message().expect("asked");
        let breaks = self.choices.below(16) == 1;
        for piece in MAIL[number.index()].0.chunks(1 + self.choices.below(8)) {
            if self.server.answer().body(piece).expect("begun") == BodyWants::Enough {
                break;
            }
        }
        if breaks {
            // The disk failed: the output so far is sent, and the connection ends.
            self.server.abort();
            self.to_client.extend(self.server.output());
            self.server.advance_written(self.server.output().len());
            self.server_over = true;
            return;
        }
        self.server.answer().end_message().expect("begun");
    }

    /// Gives the client at most `count` bytes, and compares its events with the model.
    fn read(&mut self, count: usize) {
        let space = self.client.unfilled();
        let count = count.min(space.len());
        self.to_client.drain(..count).zip(space).for_each(|(byte, space)| *space = byte);
        if count > 0 {
            self.client.advance_read(count).expect("bytes");
        }
        let Self { awaited, model, retrievals, quit, .. } = self;
        let step = self.client.process_events(|event, _| {
            match event {
                ClientEvent::Reply(tag, reply) => {
                    let (of, command, answer) = awaited.front_mut().expect("H02");
                    assert_eq!(*of, tag, "replies come in the order of their commands");
                    if *command == Command::Quit {
                        *quit = Some(reply.status);
                        awaited.pop_front();
                        return Ok(None::<()>);
                    }
                    let text = String::from_utf8_lossy(reply.text).into_owned();
                    let words =
                        matches!(command, Command::Stat | Command::List(Some(_)) | Command::Uidl(Some(_))).then_some(text);
                    let ok = reply.status == Status::Ok;
                    let many = matches!(command, Command::List(None) | Command::Uidl(None) | Command::Retr(_) | Command::Top(..));
                    let rest = (ok && many).then(Vec::new);
                    *answer = Some(Answer { ok, words: words.filter(|_| ok), rest });
                }
                ClientEvent::Line(_, line) => {
                    if let Some((_, _, Some(Answer { rest: Some(rest), .. }))) = awaited.front_mut() {
                        rest.extend_from_slice(line);
                        rest.extend_from_slice(b"\r\n");
                    }
                }
                ClientEvent::Body(_, chunk) => {
                    if let Some((_, _, Some(Answer { rest: Some(rest), .. }))) = awaited.front_mut() {
                        rest.extend_from_slice(chunk);
                    }
                }
                ClientEvent::Closed => return Ok(Some(())),
                _ => {}
            }
            let done = match event {
                ClientEvent::End(_) => true,
                ClientEvent::Reply(..) => {
                    awaited.front().is_some_and(|(_, _, answer)| answer.as_ref().is_some_and(|answer| answer.rest.is_none()))
                }
                _ => false,
            };
            if done && let Some((_, command, Some(is))) = awaited.pop_front() {
                let mut should = model.answer(&command);
                // A message that the store refused is refused to the client, too.
                if matches!(command, Command::Retr(_) | Command::Top(..))
                    && should.ok
                    && retrievals.pop_front().flatten().is_some()
                {
                    should = Answer { ok: false, words: None, rest: None };
                }
                assert_eq!(is, should, "{command}");
            }
            Ok(None)
        });
        match step {
            Ok(client::Action::Done(())) => self.client_over = true,
            Ok(_) => {}
            Err(error) => panic!("the server did nothing wrong: {error}"),
        }
    }

    /// Breaks the connection, and checks that an incomplete session is an error and that no unmarked message is removed.
    fn break_off(mut self) {
        self.client.unfilled();
        let ended = self.client.advance_read(0);
        assert_eq!(ended.is_ok(), self.quit.is_some(), "H13");
        self.check();
    }

    /// Transfers all remaining bytes in both directions, and checks the result.
    fn come_to_an_end(mut self) {
        loop {
            let under_way = self.to_server.len() + self.to_client.len() + self.client.output().len() + self.server.output().len();
            self.to_server.extend(self.client.output());
            self.client.advance_written(self.client.output().len());
            self.serve(usize::MAX);
            if self.server_over {
                // The server no longer reads.
                self.to_server.clear();
            } else {
                self.to_client.extend(self.server.output());
                self.server.advance_written(self.server.output().len());
                self.serve(0);
            }
            self.read(self.to_client.len());
            if self.client_over || (under_way == 0 && self.server.output().is_empty() && self.client.output().is_empty()) {
                break;
            }
        }
        if self.server_over && self.quit.is_none() {
            self.client.unfilled();
            assert!(self.client.advance_read(0).is_err(), "H13: the server broke off");
        } else {
            assert!(self.awaited.is_empty(), "all is answered: {:?}", self.awaited);
        }
        self.check();
    }

    fn check(&self) {
        let Some(removed) = &self.removed else {
            assert_ne!(self.quit, Some(Status::Ok), "S18: what the server says it has done");
            return;
        };
        // Some replies may not have arrived, so the model knows all marks only once the reply to `QUIT` has.
        let marked: Vec<usize> = self.server.marked().map(MessageNumber::index).collect();
        assert!(removed.iter().all(|index| marked.contains(index)), "H49");
        if let Some(status) = self.quit {
            assert_eq!(self.model.marked(), marked, "S14, S18");
            assert_eq!(status == Status::Ok, *removed == marked, "S19: told as it is");
        }
    }
}
