//! A peer whose output is given in advance.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pop3_proto::Transport;
use pop3_proto::client::RequestError;

use crate::Cut;

/// Bytes that are read piece by piece, and the bytes that were written. Clones share them.
#[derive(Clone, Debug, Default)]
pub struct Feed(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    /// The replies to the next lines that are written.
    answers: VecDeque<Vec<u8>>,
    cut: Option<Cut>,
    ended: bool,
    silent: bool,
    written: Vec<u8>,
    taken: usize,
    writes: usize,
}

impl State {
    fn push(&mut self, bytes: &[u8]) {
        let cut = self.cut.unwrap_or(Cut::Whole);
        self.pieces.extend(cut.pieces(bytes).into_iter().filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec));
    }
}

#[derive(Debug)]
struct Drained;

impl std::fmt::Display for Drained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the transcript goes on elsewhere")
    }
}

impl std::error::Error for Drained {}

/// Returns `true` if a read failed with this error because the pieces were used up, and not because of the session.
pub fn is_drained(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|source| source.downcast_ref::<Drained>().is_some())
}

impl Feed {
    /// Creates a server that sends a greeting and then replies to each line with the next item of `says`; after the last one it
    /// sends nothing. All its output is split as `cut` says.
    pub fn scripted<'s>(says: impl IntoIterator<Item = &'s [u8]>, cut: Cut) -> Self {
        crate::limit_test();
        let feed = Self::default();
        let mut state = feed.state();
        state.cut = Some(cut);
        state.answers = says.into_iter().map(<[u8]>::to_vec).collect();
        let greeting = state.answers.pop_front().unwrap_or_default();
        state.push(&greeting);
        drop(state);
        feed
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Queues bytes to be read, split into pieces.
    pub fn push(&self, bytes: &[u8], cut: Cut) {
        let mut state = self.state();
        state.cut = Some(cut);
        state.push(bytes);
    }

    /// Ends the stream after the last piece.
    pub fn end(&self) {
        self.state().ended = true;
    }

    /// Makes each read after the last piece time out.
    pub fn be_silent(&self) {
        self.state().silent = true;
    }

    /// Returns all bytes that were written.
    pub fn written(&self) -> Vec<u8> {
        self.state().written.clone()
    }

    /// Returns the number of writes.
    pub fn writes(&self) -> usize {
        self.state().writes
    }

    /// Returns the number of octets that were read.
    pub fn taken(&self) -> usize {
        self.state().taken
    }

    /// Reads the next piece, or as much of it as there is room for.
    ///
    /// # Errors
    /// Fails if the pieces are used up and the stream has not ended: see [`is_drained`]. The error is [`io::ErrorKind::TimedOut`]
    /// after [`be_silent`](Self::be_silent).
    pub fn read(&self, space: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state();
        let Some(mut piece) = state.pieces.pop_front() else {
            return match (state.ended, state.silent) {
                (true, _) => Ok(0),
                (_, true) => Err(io::ErrorKind::TimedOut.into()),
                _ => Err(io::Error::other(Drained)),
            };
        };
        let count = piece.len().min(space.len());
        space[..count].copy_from_slice(&piece[..count]);
        state.taken += count;
        let rest = piece.split_off(count);
        if !rest.is_empty() {
            state.pieces.push_front(rest);
        }
        Ok(count)
    }

    /// Accepts all bytes that a session writes, and queues the replies to its lines. Returns the number of bytes.
    pub fn write(&self, bytes: &[u8]) -> usize {
        let mut state = self.state();
        state.written.extend_from_slice(bytes);
        state.writes += 1;
        for _ in bytes.iter().filter(|byte| **byte == b'\n') {
            if let Some(answer) = state.answers.pop_front() {
                state.push(&answer);
            }
        }
        bytes.len()
    }
}

/// The transport for requests over the core's own loop.
impl Transport for Feed {
    type Error = RequestError;

    /// # Panics
    /// Panics if the pieces are used up.
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
        Ok(Self::read(self, buffer).expect("the script continues"))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
        Ok(Self::write(self, bytes))
    }
}
