//! Streams with the TLS of rustls.

use std::io::{self, Write};
use std::ops::DerefMut;
use std::time::Instant;

use pop3_driver::rustls::{ConnectionCommon, SideData, StreamOwned};

use crate::stream::{Canceller, Stream, Transport};

impl<C: DerefMut<Target = ConnectionCommon<D>> + Send, D: SideData> Transport for StreamOwned<C, Stream> {
    fn set_deadline(&mut self, deadline: Instant) -> io::Result<()> {
        self.sock.set_deadline(deadline)
    }

    fn close(&mut self) -> io::Result<()> {
        self.conn.send_close_notify();
        self.flush()?;
        self.sock.close()
    }

    fn canceller(&self) -> Option<Canceller> {
        self.sock.canceller()
    }
}
