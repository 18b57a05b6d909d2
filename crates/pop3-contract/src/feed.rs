//! A peer that has said everything in advance.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes that are read piece by piece, and those that were written. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    ended: bool,
    written: Vec<u8>,
}

#[derive(Debug)]
struct Drained;

impl std::fmt::Display for Drained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the transcript goes on elsewhere")
    }
}

impl std::error::Error for Drained {}

/// Whether a read gave this error because the pieces were used up, and not because of anything that the session did.
pub fn is_drained(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|source| source.downcast_ref::<Drained>().is_some())
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has these pieces read, one at a time.
    pub fn push<'p>(&self, pieces: impl IntoIterator<Item = &'p [u8]>) {
        self.state().pieces.extend(pieces.into_iter().filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec));
    }

    /// The stream ends behind the last piece.
    pub fn end(&self) {
        self.state().ended = true;
    }

    /// All that was written.
    pub fn written(&self) -> Vec<u8> {
        self.state().written.clone()
    }

    /// The next piece, or as much of it as there is room for.
    ///
    /// # Errors
    /// The pieces are used up: see [`is_drained`].
    pub fn read(&self, space: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let Some(mut piece) = state.pieces.pop_front() else {
            return if state.ended { Ok(0) } else { Err(io::Error::other(Drained)) };
        };
        let count = piece.len().min(space.len());
        space[..count].copy_from_slice(&piece[..count]);
        let rest = piece.split_off(count);
        if !rest.is_empty() {
            state.pieces.push_front(rest);
        }
        Ok(count)
    }

    /// Takes what a session writes.
    pub fn write(&self, bytes: &[u8]) -> usize {
        self.state().written.extend_from_slice(bytes);
        bytes.len()
    }
}
