//! The core in a program without std, as on a small board: how much mail is there? What the board has is a line that gives and
//! takes bytes; there is an allocator, and nothing else.
//!
//! ```
//! use pop3_no_std::{Line, messages};
//!
//! /// A server that has said everything in advance.
//! struct Said(Vec<&'static [u8]>);
//!
//! impl Line for Said {
//!     fn read(&mut self, space: &mut [u8]) -> usize {
//!         let text = self.0.remove(0);
//!         space[..text.len()].copy_from_slice(text);
//!         text.len()
//!     }
//!     fn write(&mut self, bytes: &[u8]) -> usize {
//!         bytes.len()
//!     }
//! }
//!
//! let mut line = Said(vec![b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK 7 9000\r\n"]);
//! assert_eq!(messages(&mut line, "joe", "secret"), Ok(7));
//! ```
#![no_std]

use pop3_proto::client::requests::{self, Request};
use pop3_proto::client::{ClientConfig, Connection, RequestError, Step};
use pop3_proto::codec::{Password, Username};

/// What the board is connected by, TLS done.
pub trait Line {
    /// Reads what has come; 0: nothing more comes.
    fn read(&mut self, space: &mut [u8]) -> usize;

    /// Writes as much as goes.
    fn write(&mut self, bytes: &[u8]) -> usize;
}

/// How many messages a mailbox holds.
///
/// # Errors
/// The server refuses, or the line broke.
pub fn messages(line: &mut impl Line, name: &str, password: &str) -> Result<u32, RequestError> {
    let mut connection = Connection::new_encrypted(ClientConfig::default());
    run(&mut connection, line, requests::greet())?;
    let (name, password) = (Username::new(name), Password::new(password));
    let login = requests::user_pass(name.map_err(local)?, password.map_err(local)?);
    run(&mut connection, line, login)?;
    Ok(run(&mut connection, line, requests::stat())?.messages)
}

fn local(error: pop3_proto::codec::InvalidArgument) -> RequestError {
    RequestError::Local(error.into())
}

/// Runs any request.
fn run<R: Request>(connection: &mut Connection, line: &mut impl Line, mut request: R) -> Result<R::Output, RequestError> {
    connection.start(&mut request)?;
    loop {
        match connection.run(&mut request)? {
            Step::Done(output) => return Ok(output),
            Step::Write => {
                let count = line.write(connection.output());
                connection.written(count);
            }
            Step::Read => {
                let count = line.read(connection.space());
                connection.filled(count)?;
            }
        }
    }
}
