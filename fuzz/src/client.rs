//! Fuzzes a client whose server sends anything, at any time, in any pieces.

use bytes::BytesMut;
use pop3_proto::State;
use pop3_proto::client::{Client, ClientConfig, ClientEvent, Tag};
use pop3_proto::codec::{Command, Status};

use crate::Choices;
use crate::codec::any_command;

/// Typical output of servers; the fuzzer finds the rest.
const SAID: [&[u8]; 16] = [
    b"+OK\r\n",
    b"+OK ready <1@host>\r\n",
    b"-ERR [IN-USE] later\r\n",
    b"-ERR no\n",
    b"+ \r\n",
    b"+ YQ==\r\n",
    b".\r\n",
    b"\r\n",
    b"1 120\r\n",
    b"+OK 1 120\r\n",
    b"..\r\n",
    b"STLS\r\n",
    b"\r\n.\r",
    b"\n",
    b"1 uid\r\n",
    b"+OK",
];

const LIMITS: ClientConfig = ClientConfig {
    max_line: 64,
    max_listing: 20,
    max_listing_octets: 200,
    max_capabilities: 10,
    max_capabilities_octets: 100,
    max_message: Some(300),
    max_skipped: Some(100),
    window: 5,
    cleartext_login: pop3_proto::client::CleartextLogin::Refuse,
};

struct Dialogue {
    client: Client,
    held: Vec<u8>,
    out: BytesMut,
    /// Commands that were sent and not answered completely; `true` once the reply has begun.
    awaited: Vec<(Tag, bool)>,
    lines: u64,
    body: u64,
}

/// Checks that, for any input, the client's events belong to its commands, in their order and within the limits, and that an
/// error is final.
pub fn client(data: &[u8]) {
    let mut choices = Choices::new(data);
    let encrypted = choices.below(4) != 0;
    let client = if encrypted { Client::new_encrypted(LIMITS) } else { Client::new(LIMITS) };
    let mut dialogue = Dialogue { client, held: Vec::new(), out: BytesMut::new(), awaited: Vec::new(), lines: 0, body: 0 };
    while !choices.is_done() {
        match choices.below(8) {
            0..=2 => dialogue.hear(choices.of(&SAID)),
            3 => dialogue.hear(choices.bytes()),
            4..=5 => {
                let Some(command) = any_command(&mut choices) else { continue };
                dialogue.say(command);
            }
            6 => {
                let response = choices.bytes();
                let answered = match choices.below(3) {
                    0 => dialogue.client.sasl_cancel(&mut dialogue.out),
                    _ => dialogue.client.sasl_respond(response, &mut dialogue.out),
                };
                assert!(answered.is_ok() || dialogue.out.is_empty());
            }
            _ => match choices.below(3) {
                0 => dialogue.client.expect_challenge(true),
                1 => dialogue.client.fail_untrusted(),
                _ if dialogue.client.eof().is_err() => {}
                _ => assert!(dialogue.awaited.is_empty(), "H13: an end where something was awaited"),
            },
        }
        dialogue.out.clear();
    }
}

impl Dialogue {
    fn say(&mut self, command: Command<'_>) {
        let (state, encrypted) = (self.client.state(), self.client.is_encrypted());
        match self.client.send(command, &mut self.out) {
            Ok(tag) => {
                let permitted = state.is_some_and(|state| state.permits(command.verb(), encrypted));
                assert!(permitted, "S31: {command} in {state:?}");
                let credentials = matches!(command, Command::User(_) | Command::Pass(_) | Command::Apop(..) | Command::Auth(..));
                assert!(encrypted || !credentials, "H08");
                assert!(self.out.len() <= 255 && self.out.iter().filter(|byte| **byte == b'\n').count() == 1, "H15");
                self.awaited.push((tag, false));
                assert!(self.awaited.len() <= LIMITS.window);
            }
            Err(_) => assert!(self.out.is_empty(), "nothing was sent"),
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        self.held.extend_from_slice(bytes);
        loop {
            let before = self.client.state();
            let (consumed, event) = match self.client.poll(&self.held) {
                Ok(progress) => (progress.consumed, progress.event),
                Err(error) => {
                    assert_eq!(self.client.failure(), Some(&error));
                    assert_eq!(self.client.poll(b"+OK\r\n"), Err(error), "final");
                    return;
                }
            };
            match event {
                ClientEvent::NeedInput => {
                    assert_eq!(consumed, 0, "more input is needed, and nothing else happened");
                    let limit = LIMITS.max_line;
                    assert!(self.held.len() <= limit || self.client.deadline().is_none(), "H30: {} held", self.held.len());
                    return;
                }
                ClientEvent::Continue => assert!(consumed > 0, "the client would loop"),
                ClientEvent::Closed => return,
                ClientEvent::Greeting(_) => assert_eq!(before, None),
                ClientEvent::Reply(tag, reply) => {
                    let (awaited, answered) = self.awaited.first_mut().expect("H02");
                    assert!(*awaited == tag && !*answered, "H02");
                    *answered = true;
                    (self.lines, self.body) = (0, 0);
                    let after = self.client.state();
                    if after != before && after == Some(State::Transaction) {
                        assert_eq!(reply.status, Status::Ok, "H22");
                    }
                    self.end_if_done(tag);
                }
                ClientEvent::Challenge(tag, challenge) => {
                    assert_eq!(self.awaited.first(), Some(&(tag, false)), "H02");
                    let _ = challenge.decode();
                }
                ClientEvent::Line(tag, line) => {
                    assert_eq!(self.awaited.first(), Some(&(tag, true)));
                    self.lines += 1;
                    assert!(line.len() < LIMITS.max_line && self.lines <= LIMITS.max_listing, "H30");
                }
                ClientEvent::Body(tag, chunk) => {
                    assert_eq!(self.awaited.first(), Some(&(tag, true)));
                    assert!(!chunk.is_empty() && self.held[..consumed].ends_with(chunk));
                    self.body += chunk.len() as u64;
                    assert!(self.body <= LIMITS.max_message.unwrap_or(0), "H30");
                }
                ClientEvent::End(tag) => {
                    assert_eq!(self.awaited.first(), Some(&(tag, true)));
                    self.end_if_done(tag);
                }
                ClientEvent::UpgradeTls(tag) => {
                    assert_eq!(self.awaited.first(), Some(&(tag, false)));
                    self.held.drain(..consumed);
                    let client = std::mem::replace(&mut self.client, Client::new(LIMITS));
                    let clean = self.held.is_empty() && client.failure().is_none();
                    match client.upgraded(&self.held) {
                        Ok(client) => {
                            assert!(clean, "H01");
                            assert!(client.is_encrypted() && client.greeting().is_none(), "H06");
                            self.client = client;
                            self.awaited.clear();
                        }
                        Err(_) => assert!(!clean),
                    }
                    return;
                }
                other => panic!("{other:?}"),
            }
            self.held.drain(..consumed);
        }
    }

    fn end_if_done(&mut self, tag: Tag) {
        if !self.client.is_in_flight(tag) {
            self.awaited.remove(0);
        }
    }
}
