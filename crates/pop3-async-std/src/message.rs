// Made from pop3-tokio/src/message.rs by crates/twins.py: change it there.

//! A message, read piece by piece.

use pop3_driver::Error;
use pop3_driver::proto::client::Tag;

use crate::Client;
use crate::runtime::{Sink, write_all};

/// A message on its way. One that is dropped before its end is read to its end by the next command.
#[derive(Debug)]
pub struct Message<'c> {
    client: &'c mut Client,
    tag: Tag,
}

impl<'c> Message<'c> {
    pub(crate) const fn new(client: &'c mut Client, tag: Tag) -> Self {
        Self { client, tag }
    }

    /// The next piece, stuffing removed, without a copy; `None` at the end. Only then is the message complete (H13).
    ///
    /// # Errors
    /// The session broke: what came is not a message.
    pub async fn chunk(&mut self) -> Result<Option<&[u8]>, Error> {
        let tag = self.tag;
        let more = self.client.drive(|connection| connection.next_chunk(tag)).await?;
        Ok(more.then(|| self.client.connection.chunk()))
    }

    /// Writes all of it to `sink`; gives its octets.
    ///
    /// # Errors
    /// The session broke, or the sink takes no more.
    pub async fn copy_to(&mut self, sink: &mut (impl Sink + Unpin)) -> Result<u64, Error> {
        let mut octets = 0;
        while let Some(chunk) = self.chunk().await? {
            write_all(sink, chunk).await.map_err(Error::Sink)?;
            octets += chunk.len() as u64;
        }
        Ok(octets)
    }

    /// All of it in memory.
    ///
    /// # Errors
    /// The session broke.
    pub async fn into_vec(mut self) -> Result<Vec<u8>, Error> {
        let mut text = Vec::new();
        self.copy_to(&mut text).await?;
        Ok(text)
    }
}
