//! The core in a program without std, as on a small board: how many messages does a mailbox hold? The board has a line that reads and
//! writes bytes, and an allocator, and nothing else.
//!
//! ```
//! use pop3_no_std::messages;
//! use pop3_proto::Transport;
//! use pop3_proto::client::RequestError;
//!
//! /// A server whose replies are known in advance.
//! struct Scripted(Vec<&'static [u8]>);
//!
//! impl Transport for Scripted {
//!     type Error = RequestError;
//!
//!     fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
//!         let text = self.0.remove(0);
//!         buffer[..text.len()].copy_from_slice(text);
//!         Ok(text.len())
//!     }
//!     fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
//!         Ok(bytes.len())
//!     }
//! }
//!
//! let mut line = Scripted(vec![b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK 7 9000\r\n"]);
//! assert_eq!(messages(&mut line, "joe", "secret"), Ok(7));
//! ```
#![no_std]

use pop3_proto::Transport;
use pop3_proto::client::{ClientConfig, Connection, RequestError, requests};
use pop3_proto::codec::{InvalidArgument, Password, Username};

/// Returns the number of messages in a mailbox, over a line on which TLS is active.
///
/// # Errors
/// The server refused, or the line broke.
pub fn messages<T: Transport>(line: &mut T, name: &str, password: &str) -> Result<u32, T::Error>
where
    T::Error: From<RequestError>,
{
    let invalid = |error: InvalidArgument| RequestError::Local(error.into());
    let login = requests::user_pass(Username::new(name).map_err(invalid)?, Password::new(password).map_err(invalid)?);
    let mut connection = Connection::new_encrypted(ClientConfig::default());
    connection.run(line, requests::greet())?;
    connection.run(line, login)?;
    Ok(connection.run(line, requests::stat())?.messages)
}
