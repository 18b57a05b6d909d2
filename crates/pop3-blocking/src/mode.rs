//! How a server asks its store.

use std::io;
use std::time::Instant;

use pop3_driver::server::{BlockingMode, StoreMode, StoreSession};
use pop3_maildrop::Store;

/// The way to ask a store: on the thread of its session.
pub(crate) trait Mode<S>: StoreMode<S> {
    fn work(session: Box<StoreSession<Self::Store>>) -> io::Result<Box<StoreSession<Self::Store>>>;

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        work();
    }
}

impl<S: Store> Mode<S> for BlockingMode {
    fn work(mut session: Box<StoreSession<Self::Store>>) -> io::Result<Box<StoreSession<Self::Store>>> {
        session.work_blocking(Instant::now()).map(|()| session)
    }
}
