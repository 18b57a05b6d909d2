//! The next action of a driver.

/// The next action of the driver of a [`Connection`](super::Connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<T> {
    /// No more input or output is needed; this is the result.
    Done(T),
    /// Write [`Connection::output`](super::Connection::output), call
    /// [`Connection::advance_written`](super::Connection::advance_written), then ask for the next action again.
    Write,
    /// Read into [`Connection::unfilled`](super::Connection::unfilled), call
    /// [`Connection::advance_read`](super::Connection::advance_read), then ask for the next action again.
    Read,
}

impl<T> Action<T> {
    /// Applies a function to the result.
    pub fn map<U>(self, f: impl FnOnce(T) -> U) -> Action<U> {
        match self {
            Self::Done(value) => Action::Done(f(value)),
            Self::Write => Action::Write,
            Self::Read => Action::Read,
        }
    }
}
