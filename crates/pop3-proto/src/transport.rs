//! The loop between a machine and a byte stream.

/// A byte stream, as [`client::Connection::run`](crate::client::Connection::run) and
/// [`server::Connection::drive`](crate::server::Connection::drive) need it.
///
/// Both methods may wait. Drivers for asynchronous runtimes write the loop themselves: it is the one that these methods run.
pub trait Transport {
    /// What the stream's methods and the loop fail with.
    type Error;

    /// Reads octets into `buffer` and returns their number; 0 at the end of the stream.
    ///
    /// # Errors
    /// The stream broke.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, Self::Error>;

    /// Writes the beginning of `bytes` and returns the number of octets that were written, at least 1.
    ///
    /// # Errors
    /// The stream broke.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Self::Error>;
}
