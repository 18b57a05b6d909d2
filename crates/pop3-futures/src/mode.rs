//! How a server asks its store.

use std::io;
use std::time::Instant;

use pop3_driver::server::{AsyncMode, BlockingMode, StoreMode, StoreSession};
use pop3_driver::store::{AsyncStore, Store};
use tracing::Span;

use crate::ServerRuntime;
use crate::stream::before;

/// The way to ask a kind of store on a runtime; implemented for [`BlockingMode`] and [`AsyncMode`].
pub trait Mode<R, S>: StoreMode<S> + 'static {
    /// Works on the store for a session.
    fn work(session: Box<StoreSession<Self::Store>>) -> impl Future<Output = io::Result<Box<StoreSession<Self::Store>>>> + Send;

    /// Closes a maildrop where that does no harm.
    fn run_blocking(work: Box<dyn FnOnce() + Send>);
}

impl<R: ServerRuntime, S: Store> Mode<R, S> for BlockingMode {
    async fn work(mut session: Box<StoreSession<Self::Store>>) -> io::Result<Box<StoreSession<Self::Store>>> {
        let (span, now) = (Span::current(), Instant::now());
        R::spawn_blocking(move || span.in_scope(|| session.work_blocking(now).map(|()| session))).await?
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        R::spawn(async { drop(R::spawn_blocking(work).await) });
    }
}

impl<R: ServerRuntime, S: AsyncStore> Mode<R, S> for AsyncMode {
    async fn work(mut session: Box<StoreSession<Self::Store>>) -> io::Result<Box<StoreSession<Self::Store>>> {
        let now = Instant::now();
        match session.work_deadline(now) {
            Some(deadline) => before::<R, _>(deadline, session.work(now)).await?,
            None => session.work(now).await?,
        }
        Ok(session)
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        work();
    }
}
