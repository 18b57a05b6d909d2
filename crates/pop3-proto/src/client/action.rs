//! What a driver must do next.

/// What the driver of a [`Connection`](super::Connection) must do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action<T> {
    /// Nothing: here is the result.
    Done(T),
    /// Write [`Connection::output`](super::Connection::output), call
    /// [`Connection::advance_written`](super::Connection::advance_written), ask again.
    Write,
    /// Read into [`Connection::unfilled`](super::Connection::unfilled), call
    /// [`Connection::advance_read`](super::Connection::advance_read), ask again.
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
