//! A connection in memory to a server session of this project, which advances step by step. The connection delays and breaks at
//! random.

use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use fastrand::Rng;
use pop3_blocking::Transport;

use crate::crowd::Crowd;
use crate::disk::SimDisk;
use crate::served::Served;
use crate::store::{Fault, SimStore};

/// The failure of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    Never,
    /// After this many octets in both directions the connection breaks, and both ends notice.
    Reset(u64),
    /// After this many octets the server continues with the input that has arrived, but its output is lost.
    Deaf(u64),
    /// After this many octets nothing arrives any more, and the client waits until its deadline.
    Silent(u64),
}

/// The client's end of a connection.
pub struct SimStream {
    pub served: Served,
    pub random: Rng,
    pub cut: Cut,
    pub carried: u64,
    /// The number of commands so far.
    pub commands: usize,
    pub store: SimStore,
    pub disk: SimDisk,
    /// The other users of the server.
    pub crowd: Arc<Mutex<Crowd>>,
}

impl SimStream {
    /// Returns `true` if the connection is broken.
    fn is_cut(&self) -> bool {
        match self.cut {
            Cut::Never => false,
            Cut::Reset(at) | Cut::Deaf(at) | Cut::Silent(at) => self.carried >= at,
        }
    }

    fn check_process(&self) -> io::Result<()> {
        if self.disk.is_stopped() { Err(io::Error::other("the process is dead")) } else { Ok(()) }
    }

    /// Lets other users act while the client reads or writes.
    fn meanwhile(&mut self) {
        if self.random.u8(..8) == 0
            && let Ok(mut crowd) = self.crowd.lock()
        {
            crowd.step(&mut self.random);
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
                    _ if self.random.bool() => Err(ErrorKind::ConnectionReset.into()),
                    _ => Ok(0),
                };
            }
            if !self.served.sent.is_empty() && self.random.bool() {
                let count = self.random.usize(1..=self.served.sent.len()).min(space.len());
                self.served.sent.drain(..count).zip(space).for_each(|(byte, space)| *space = byte);
                self.carried += count as u64;
                return Ok(count);
            }
            if !self.served.step(&mut self.random) && self.served.sent.is_empty() {
                // Both ends wait: the server sends nothing more before the client does.
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
            if self.random.u8(..4) == 0 { self.random.usize(1..=bytes.len().max(1)).min(bytes.len()) } else { bytes.len() };
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
    /// Disconnects the client. The server may still process input that has arrived, including a `QUIT`.
    fn drop(&mut self) {
        let hears = match self.cut {
            Cut::Deaf(_) => true,
            Cut::Reset(_) => false,
            _ => self.random.bool(),
        };
        while hears && !self.store.has_died() && self.served.step(&mut self.random) {}
    }
}
