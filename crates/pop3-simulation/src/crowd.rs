//! Other users of the server: mail arrives, and other clients read their own mail or look into the same maildrop, and disconnect
//! at any time.

use fastrand::Rng;
use pop3_proto::client::{Action, CleartextLogin, ClientConfig, ClientEvent, Connection};
use pop3_proto::codec::Command;

use crate::served::Served;
use crate::store::{FETCHED, OTHER, SimStore};

/// Sessions of other clients, interleaved in any order with the observed session.
pub struct Crowd {
    store: SimStore,
    sessions: Vec<Session>,
    /// The number of messages that are still to arrive.
    to_come: usize,
    gone: bool,
}

struct Session {
    client: Connection,
    served: Served,
    /// The commands that are still to be sent, in reverse order.
    script: Vec<&'static [u8]>,
}

impl Crowd {
    pub const fn new(store: SimStore, to_come: usize) -> Self {
        Self { store, sessions: Vec::new(), to_come, gone: false }
    }

    /// Disconnects all other clients without `QUIT`. No more clients and no more mail arrive.
    pub fn leave(&mut self) {
        (self.gone, self.to_come) = (true, 0);
        self.sessions.clear();
    }

    /// Performs one random step.
    pub fn step(&mut self, random: &mut Rng) {
        match random.u8(..8) {
            0 if self.to_come > 0 => {
                self.to_come -= 1;
                self.store.deliver(if random.u8(..4) == 0 { OTHER } else { FETCHED });
            }
            1 if !self.gone && self.sessions.len() < 2 => {
                // A client that looks into the fetched maildrop removes nothing.
                let script: Vec<&'static [u8]> = if random.u8(..4) == 0 {
                    vec![b"QUIT", b"RETR 1", b"UIDL", b"PASS x", b"USER joe"]
                } else {
                    vec![b"QUIT", b"DELE 1", b"RETR 1", b"STAT", b"PASS x", b"USER ann"]
                };
                let config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
                let served = Served::new(&self.store, random);
                self.sessions.push(Session { client: Connection::new(config), served, script });
            }
            2 if !self.sessions.is_empty() && random.u8(..8) == 0 => {
                let gone = random.usize(..self.sessions.len());
                self.sessions.swap_remove(gone);
            }
            _ if !self.sessions.is_empty() => {
                let at = random.usize(..self.sessions.len());
                if !self.sessions[at].step(random) {
                    self.sessions.swap_remove(at);
                }
            }
            _ => {}
        }
    }
}

impl Session {
    /// Performs one random step of the session. Returns `false` at its end.
    fn step(&mut self, random: &mut Rng) -> bool {
        self.served.step(random);
        let action = self.client.process_events(|event, _| Ok((event == ClientEvent::Closed).then_some(())));
        match action {
            Ok(Action::Done(())) => return false,
            Ok(Action::Write) => {
                let count = random.usize(1..=self.client.output().len());
                self.served.arrived.extend(&self.client.output()[..count]);
                self.client.advance_written(count);
            }
            Ok(Action::Read) if self.served.sent.is_empty() => {
                if self.served.is_over() {
                    return false;
                }
                let said = self.script.last().copied();
                if let Some(command) = said.and_then(|line| Command::parse(line).ok())
                    && !self.client.machine().is_waiting()
                {
                    // An earlier refusal may make this command impossible; the session then ends.
                    self.script.pop();
                    if self.client.machine().deadline().is_none() && self.client.send(command).is_err() {
                        return false;
                    }
                }
            }
            Ok(Action::Read) => {
                let space = self.client.unfilled();
                let count = random.usize(1..=self.served.sent.len()).min(space.len());
                self.served.sent.drain(..count).zip(space).for_each(|(byte, space)| *space = byte);
                if self.client.advance_read(count).is_err() {
                    return false;
                }
            }
            Err(error) => panic!("the server did something wrong to somebody else: {error}"),
        }
        true
    }
}
