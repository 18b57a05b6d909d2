// Made from pop3-tokio/src/proxy_handshake.rs by crates/twins.py: change it there.

//! What is said before a session, to a proxy or by one.

use std::io;

use pop3_driver::ProxyHandshake;

use crate::runtime::{self, Instant, Stream};

/// Says and hears all of it. Not a byte of what comes behind is read.
pub(crate) async fn run_proxy_handshake(
    stream: &mut Stream,
    handshake: &mut (dyn ProxyHandshake + Send),
    until: Instant,
) -> io::Result<()> {
    let mut space = [0; 512];
    loop {
        let output = handshake.output();
        let mut rest = output.as_slice();
        while !rest.is_empty() {
            let count = runtime::write(stream, rest, until).await?;
            rest = &rest[count..];
        }
        runtime::flush(stream, until).await?;
        let wants = handshake.bytes_wanted().min(space.len());
        if wants == 0 {
            return Ok(());
        }
        match runtime::read(stream, &mut space[..wants], until).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => handshake.receive(&space[..count])?,
        }
    }
}
