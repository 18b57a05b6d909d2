//! A connection in memory whose other end is a session of ours, carried on by a step now and then; it delays, cuts and breaks by chance.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use fastrand::Rng;
use pop3_blocking::Transport;
use pop3_maildrop::StoreResponder;
use pop3_proto::sasl::Mechanism;
use pop3_proto::server::{Action, CleartextLogin, Connection, ConnectionInfo, ServerConfig};

use crate::crowd::Crowd;
use crate::disk::SimDisk;
use crate::store::{Fault, SimStore};

/// The server's end.
pub struct Served {
    connection: Connection,
    responder: StoreResponder<SimStore>,
    /// What has come and was not read, and what was written and is on its way.
    pub arrived: VecDeque<u8>,
    pub sent: VecDeque<u8>,
    over: bool,
}

impl Served {
    pub fn new(store: &SimStore, chance: &mut Rng) -> Self {
        let mechanisms = match store.fault() {
            Fault::RefusesMechanisms => vec![Mechanism::Login, Mechanism::Plain],
            _ => Vec::new(),
        };
        let config = ServerConfig {
            mechanisms,
            cleartext_login: CleartextLogin::DangerouslyAllow,
            output_high_water: chance.usize(1..200),
            ..ServerConfig::default()
        };
        let connection = Connection::new(config.into(), ConnectionInfo::clear([0; 18]));
        let responder = StoreResponder::new(Arc::new(store.clone()), [0; 18]);
        Self { connection, responder, arrived: VecDeque::new(), sent: VecDeque::new(), over: false }
    }

    /// The session has ended, and nothing more will be sent.
    pub const fn is_over(&self) -> bool {
        self.over
    }

    /// Reads, answers or writes once; false if there is nothing to do until something arrives.
    pub fn step(&mut self, chance: &mut Rng) -> bool {
        if self.over {
            return false;
        }
        match self.responder.advance(&mut self.connection) {
            Ok(Action::Read) => {
                if self.arrived.is_empty() {
                    return false;
                }
                let count = chance.usize(1..=self.arrived.len()).min(self.connection.unfilled().len());
                self.arrived.drain(..count).zip(self.connection.unfilled()).for_each(|(byte, space)| *space = byte);
                self.connection.advance_read(count);
            }
            Ok(Action::Write) => {
                let output = self.connection.output();
                let count = chance.usize(1..=output.len().max(1)).min(output.len());
                self.sent.extend(&output[..count]);
                self.connection.advance_written(count);
            }
            // A message that cannot be read to its end: what stands before it goes out, and then nothing.
            Err(_) => {
                self.connection.abort();
                self.sent.extend(self.connection.output());
                self.over = true;
            }
            Ok(_) => self.over = true,
        }
        true
    }
}

/// What happens to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Never,
    /// After so many octets in both directions nothing is carried any more, and both ends learn of it.
    Reset(u64),
    /// The server goes on with what it has, and nothing of it arrives.
    Deaf(u64),
    /// Nothing arrives, and the client waits until its time is over.
    Silent(u64),
}

/// The client's end.
pub struct SimStream {
    pub served: Served,
    pub chance: Rng,
    pub cut: Cut,
    pub carried: u64,
    /// Commands so far.
    pub commands: usize,
    pub store: SimStore,
    pub disk: SimDisk,
    /// Who else uses the server meanwhile.
    pub crowd: Arc<Mutex<Crowd>>,
}

impl SimStream {
    /// The connection is cut, and how.
    fn is_cut(&self) -> bool {
        match self.cut {
            Cut::Never => false,
            Cut::Reset(at) | Cut::Deaf(at) | Cut::Silent(at) => self.carried >= at,
        }
    }

    fn check_process(&self) -> io::Result<()> {
        if self.disk.is_stopped() { Err(io::Error::other("the process is dead")) } else { Ok(()) }
    }

    /// What happens behind the back of whoever waits.
    fn meanwhile(&mut self) {
        if self.chance.u8(..8) == 0
            && let Ok(mut crowd) = self.crowd.lock()
        {
            crowd.step(&mut self.chance);
        }
    }
}

impl Read for SimStream {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.check_process()?;
        loop {
            self.meanwhile();
            if self.store.has_died() {
                self.cut = Cut::Reset(0);
            }
            if self.is_cut() {
                return match self.cut {
                    Cut::Silent(_) => Err(ErrorKind::TimedOut.into()),
                    _ if self.chance.bool() => Err(ErrorKind::ConnectionReset.into()),
                    _ => Ok(0),
                };
            }
            if !self.served.sent.is_empty() && self.chance.bool() {
                let count = self.chance.usize(1..=self.served.sent.len()).min(space.len());
                self.served.sent.drain(..count).zip(space).for_each(|(byte, space)| *space = byte);
                self.carried += count as u64;
                return Ok(count);
            }
            if !self.served.step(&mut self.chance) && self.served.sent.is_empty() {
                // Both ends wait: the client for what the server will not say before the client says more.
                return if self.served.is_over() { Ok(0) } else { Err(ErrorKind::TimedOut.into()) };
            }
        }
    }
}

impl Write for SimStream {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.check_process()?;
        self.meanwhile();
        if self.is_cut() {
            return Err(ErrorKind::BrokenPipe.into());
        }
        match self.store.fault() {
            Fault::RefusesMechanisms if bytes.starts_with(b"AUTH") => {
                self.served.sent.extend(b"-ERR no\r\n");
                return Ok(bytes.len());
            }
            Fault::EndsAfter(limit) if self.commands >= limit => {
                self.cut = Cut::Reset(0);
                return Err(ErrorKind::BrokenPipe.into());
            }
            _ => {}
        }
        let count =
            if self.chance.u8(..4) == 0 { self.chance.usize(1..=bytes.len().max(1)).min(bytes.len()) } else { bytes.len() };
        self.commands += bytes[..count].iter().filter(|byte| **byte == b'\n').count();
        self.served.arrived.extend(&bytes[..count]);
        self.carried += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Transport for SimStream {
    fn set_deadline(&mut self, _: Instant) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for SimStream {
    /// The client is gone. What had arrived at the server by then it may still work on, a `QUIT` too.
    fn drop(&mut self) {
        let hears = match self.cut {
            Cut::Deaf(_) => true,
            Cut::Reset(_) => false,
            _ => self.chance.bool(),
        };
        while hears && !self.store.has_died() && self.served.step(&mut self.chance) {}
    }
}
