//! The ways in which a server calls its store: blocking and asynchronous.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use pop3_driver::server::{AsyncMode, BlockingMode, StoreMode, StoreSession};
use pop3_maildrop::{AsyncStore, Store};
use tokio::runtime::Handle;
use tokio::task::{block_in_place, spawn_blocking};
use tracing::Span;

use crate::stream::{before, now};
use crate::working::Working;

/// The way to call a kind of store; implemented for [`BlockingMode`] and [`AsyncMode`].
pub trait Mode<S>: StoreMode<S> + 'static {
    /// Works on the store for a session.
    fn work(session: Box<StoreSession<Self::Store>>) -> impl Future<Output = io::Result<Box<StoreSession<Self::Store>>>> + Send;

    /// Closes a maildrop on a thread that may block.
    fn run_blocking(work: Box<dyn FnOnce() + Send>);
}

impl<S: Store> Mode<S> for BlockingMode {
    async fn work(mut session: Box<StoreSession<Self::Store>>) -> io::Result<Box<StoreSession<Self::Store>>> {
        let (now, working) = (now(), Working::begin());
        if session.is_short_work() && working.may_block_in_place() {
            let worked = block_in_place(|| catch_unwind(AssertUnwindSafe(|| session.work_blocking(now))));
            return worked.unwrap_or_else(|_| Err(io::Error::other("the store panicked"))).map(|()| session);
        }
        let span = Span::current();
        spawn_blocking(move || {
            let _working = working;
            span.in_scope(|| session.work_blocking(now).map(|()| session))
        })
        .await?
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn_blocking(work)),
            Err(_) => work(),
        }
    }
}

impl<S: AsyncStore> Mode<S> for AsyncMode {
    async fn work(mut session: Box<StoreSession<Self::Store>>) -> io::Result<Box<StoreSession<Self::Store>>> {
        let now = now();
        match session.work_deadline(now) {
            Some(deadline) => before(deadline, session.work(now)).await?,
            None => session.work(now).await?,
        }
        Ok(session)
    }

    fn run_blocking(work: Box<dyn FnOnce() + Send>) {
        work();
    }
}
