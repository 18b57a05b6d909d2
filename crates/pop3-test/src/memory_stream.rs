//! A connection of the server in memory, on the clock of tokio, which a test may stop.

use std::io;
use std::sync::Arc;

use pop3_driver::tls::{self, ServerTls};
use pop3_proto::server::ConnectionInfo;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream};
use tokio_rustls::TlsAcceptor;

use crate::dialogue::{Dialogue, Step};
use crate::shared::Shared;

trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

type Link = BufReader<Box<dyn Stream>>;

async fn accept_tls(stream: Box<dyn Stream>, tls: &ServerTls) -> io::Result<(Link, ConnectionInfo)> {
    let stream = TlsAcceptor::from(Arc::clone(&tls.config)).accept(stream).await?;
    let info = tls::connection_info(stream.get_ref().1, tls)?;
    Ok((BufReader::new(Box::new(stream)), info))
}

/// Reads a line with its line end, or what is left at the end of the stream.
async fn read_line(link: &mut Link) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    link.read_until(b'\n', &mut line).await?;
    Ok(line)
}

async fn write(link: &mut Link, octets: &[u8]) -> io::Result<()> {
    link.write_all(octets).await?;
    link.flush().await
}

/// Serves one connection to its end.
pub(crate) async fn serve(shared: Arc<Shared>, stream: DuplexStream, session: usize) -> io::Result<()> {
    let (mut link, mut info): (Link, _) = (BufReader::new(Box::new(stream)), ConnectionInfo::clear([0; 18]));
    if shared.implicit_tls
        && let Some(certificate) = &shared.certificate
    {
        (link, info) = accept_tls(link.into_inner(), &certificate.tls).await?;
    }
    let mut dialogue = Dialogue::new(shared, session, info)?;
    loop {
        match dialogue.next_step() {
            Step::Write(octets) => write(&mut link, &octets).await?,
            Step::Drip(octets, pause) => {
                for octet in octets {
                    tokio::time::sleep(pause).await;
                    write(&mut link, &[octet]).await?;
                }
            }
            Step::ReadLine => match read_line(&mut link).await? {
                line if line.ends_with(b"\n") => dialogue.feed(&line)?,
                _ => return link.shutdown().await,
            },
            Step::Handshake(tls) => {
                (link, info) = accept_tls(link.into_inner(), &tls).await?;
                dialogue.upgraded(info)?;
            }
            Step::Stall => {
                while !read_line(&mut link).await?.is_empty() {}
                return Ok(());
            }
            Step::Close => return link.shutdown().await,
            Step::Break => return Ok(()),
        }
    }
}
