//! The mail on a server.

use std::collections::HashMap;

use pop3_blocking::Client;
use pop3_blocking::proto::codec::{MessageNumber, ScanListing};

use super::mailbox::{LONGEST_HEADER, Mailbox, no_message};
use super::table::Row;
use crate::failure::{Exit, Failure};
use crate::language::Message;

/// The largest message that is shown, in octets. It is in memory as a whole.
pub const LONGEST: u64 = 64 * 1024 * 1024;

/// The mail on a server.
pub struct Server {
    client: Client,
    listing: Vec<ScanListing>,
}

impl Server {
    pub fn new(mut client: Client) -> Result<Self, Failure> {
        let listing = client.list()?;
        Ok(Self { client, listing })
    }

    fn number(&self, number: u32) -> Result<MessageNumber, Failure> {
        let listed = self.listing.iter().find(|listed| listed.number.get() == number);
        listed.map(|listed| listed.number).ok_or_else(|| no_message(number))
    }

    /// Marks messages as deleted, and returns how many there are. [`quit`](Self::quit) makes it final; after a failure nothing is deleted.
    pub fn delete(&mut self, numbers: &[u32]) -> Result<usize, Failure> {
        let numbers = numbers.iter().map(|number| self.number(*number)).collect::<Result<Vec<_>, _>>()?;
        let mut deleted = 0;
        for (number, result) in self.client.deles(numbers)? {
            match result {
                Ok(()) => deleted += 1,
                Err(refusal) => {
                    // Without QUIT, the server deletes nothing (RFC 1939 §6).
                    let found = Message::new("read-refused").with("number", number.get().to_string());
                    return Err(Failure::new(Exit::Other, found).hint(&crate::server_text::readable(&refusal.text)));
                }
            }
        }
        Ok(deleted)
    }

    /// Ends the session. Deletions are final when the server has confirmed this.
    pub fn quit(self) -> Result<(), Failure> {
        Ok(self.client.quit()?)
    }
}

impl Mailbox for Server {
    fn numbers(&mut self) -> Result<Vec<u32>, Failure> {
        Ok(self.listing.iter().map(|listed| listed.number.get()).collect())
    }

    fn rows(&mut self, numbers: &[u32]) -> Result<Vec<Row>, Failure> {
        let numbers = numbers.iter().map(|number| self.number(*number)).collect::<Result<Vec<_>, _>>()?;
        let octets: HashMap<_, _> = self.listing.iter().map(|listed| (listed.number, listed.octets)).collect();
        let mut rows = Vec::new();
        self.client.tops(numbers.iter().copied(), 0, |number, header| {
            // A message whose header the server does not give is in the list without it.
            let header = header.unwrap_or_default();
            let octets = octets.get(&number).copied().flatten();
            rows.push(Row::of(number.get(), header.get(..LONGEST_HEADER).unwrap_or(&header), octets, ""));
        })?;
        Ok(rows)
    }

    fn message(&mut self, number: u32) -> Result<Vec<u8>, Failure> {
        let number = self.number(number)?;
        Ok(self.client.retr(number)?.into_vec()?)
    }
}
