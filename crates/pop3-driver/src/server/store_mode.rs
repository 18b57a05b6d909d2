//! The two kinds of stores that a server can have.

use std::sync::Arc;

use pop3_maildrop::{AsyncStore, Blocking, Store};

/// The kind of a server's store: [`BlockingMode`] for a [`Store`], [`AsyncMode`] for an [`AsyncStore`].
pub trait StoreMode<S> {
    /// The store as sessions use it.
    type Store: AsyncStore;

    /// Returns the store for one session.
    fn for_session(store: &Arc<S>) -> Self::Store;
}

/// The store blocks, so it is asked on threads where that does no harm.
#[derive(Debug)]
pub enum BlockingMode {}

/// The store waits without blocking, so it is asked in the task of its session.
#[derive(Debug)]
pub enum AsyncMode {}

impl<S: Store> StoreMode<S> for BlockingMode {
    type Store = Blocking<S>;

    fn for_session(store: &Arc<S>) -> Blocking<S> {
        Blocking(Arc::clone(store))
    }
}

impl<S: AsyncStore> StoreMode<S> for AsyncMode {
    type Store = Arc<S>;

    fn for_session(store: &Arc<S>) -> Arc<S> {
        Arc::clone(store)
    }
}
