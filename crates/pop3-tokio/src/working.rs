//! Where a session works on its store.

use std::num::NonZero;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::available_parallelism;

use tokio::runtime::{Handle, RuntimeFlavor};

/// The sessions of this process that work on their stores.
static WORKING: AtomicUsize = AtomicUsize::new(0);

static PROCESSORS: LazyLock<usize> = LazyLock::new(|| available_parallelism().map_or(1, NonZero::get));

tokio::task_local! {
    /// Is set in the tasks that [`Server::serve`](crate::Server::serve) has spawned.
    static OWN_TASK: ();
}

/// Runs a session in a task of its own.
pub(crate) fn in_own_task(session: impl Future<Output = ()>) -> impl Future<Output = ()> {
    OWN_TASK.scope((), session)
}

/// A session that works on its store.
pub(crate) struct Working {
    others: usize,
}

impl Working {
    pub(crate) fn begin() -> Self {
        Self { others: WORKING.fetch_add(1, Ordering::Relaxed) }
    }

    /// Returns `true` if the session may block its thread of the runtime, which then moves its other tasks to another thread. Reading a
    /// message from memory takes less time than to change to a thread of the blocking pool and back (a third more messages a second for a
    /// client that asks for one at a time; benches/servers.py). Only as many sessions as there are processors do so: were there more, as
    /// on a file system that hangs, they could use up the threads that the runtime needs.
    ///
    /// Runtimes of one thread have no other thread, and in a task of the caller other futures may wait.
    pub(crate) fn may_block_in_place(&self) -> bool {
        self.others < *PROCESSORS
            && OWN_TASK.try_with(|()| ()).is_ok()
            && Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        WORKING.fetch_sub(1, Ordering::Relaxed);
    }
}
