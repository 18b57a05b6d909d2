//! A server session of this project, which advances step by step.

use std::collections::VecDeque;
use std::sync::Arc;

use fastrand::Rng;
use pop3_maildrop::{Blocking, StoreResponder};
use pop3_proto::sasl::Mechanism;
use pop3_proto::server::{Action, CleartextLogin, Connection, ConnectionInfo, ServerConfig};

use crate::store::{Fault, SimStore};

/// The server's end of a connection.
pub struct Served {
    connection: Connection,
    responder: StoreResponder<Blocking<SimStore>>,
    /// Bytes that have arrived and were not read yet.
    pub arrived: VecDeque<u8>,
    /// Bytes that were written and have not arrived at the client yet.
    pub sent: VecDeque<u8>,
    over: bool,
}

impl Served {
    pub fn new(store: &SimStore, random: &mut Rng) -> Self {
        let mechanisms = match store.fault() {
            Fault::RefusesMechanisms => vec![Mechanism::Login, Mechanism::Plain],
            _ => Vec::new(),
        };
        let config = ServerConfig {
            mechanisms,
            cleartext_login: CleartextLogin::DangerouslyAllow,
            output_high_water: random.usize(1..200),
            ..ServerConfig::default()
        };
        let connection = Connection::new(config.into(), ConnectionInfo::clear([0; 18]));
        let responder = StoreResponder::for_blocking(Arc::new(store.clone()), [0; 18]);
        Self { connection, responder, arrived: VecDeque::new(), sent: VecDeque::new(), over: false }
    }

    /// Returns `true` if the session has ended and sends nothing more.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Reads, answers or writes once. Returns `false` if there is nothing to do until more bytes arrive.
    pub fn step(&mut self, random: &mut Rng) -> bool {
        if self.over {
            return false;
        }
        match self.responder.advance_blocking(&mut self.connection) {
            Ok(Action::Read) => {
                if self.arrived.is_empty() {
                    return false;
                }
                let count = random.usize(1..=self.arrived.len()).min(self.connection.unfilled().len());
                self.arrived.drain(..count).zip(self.connection.unfilled()).for_each(|(byte, space)| *space = byte);
                self.connection.advance_read(count);
            }
            Ok(Action::Write) => {
                let output = self.connection.output();
                let count = random.usize(1..=output.len().max(1)).min(output.len());
                self.sent.extend(&output[..count]);
                self.connection.advance_written(count);
            }
            // The message cannot be read to its end: the output before the failure is sent, and then nothing more.
            Err(_) => {
                self.connection.abort();
                self.sent.extend(self.connection.output());
                self.over = true;
            }
            Ok(Action::Answer(question)) => {
                self.over = self.responder.answer_blocking(&mut self.connection, question).is_err();
            }
            Ok(_) => self.over = true,
        }
        true
    }
}
