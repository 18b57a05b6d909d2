//! Password checks on dedicated threads.
//!
//! A check with argon2id needs about 20 MiB and 50 ms. A fixed number of threads run all checks, each with one buffer that is
//! allocated once, so neither the memory nor the response time of other sessions depends on the number of guesses. The queue is
//! bounded, and sources take turns: a client that guesses a hundred times does not delay other clients.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;

use argon2::Block;

/// Maximum number of queued checks, in total and per source.
const MAX_QUEUED: usize = 2000;
const MAX_QUEUED_OF_ONE: usize = 200;

/// How much lower the priority of threads that hash is: guesses must not slow down other sessions.
const NICE: i32 = 10;

/// Memory for hashing, reused by one thread, and the number of argon2 hashes that were computed in it.
#[derive(Default)]
pub struct Memory(pub(crate) Vec<Block>, pub(crate) u64);

type Job = Box<dyn FnOnce(&mut Memory) + Send>;

/// The threads for password checks and their queue.
pub struct HashPool(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    /// The queued checks of each source; the next check is one of the first source.
    sources: VecDeque<(Option<IpAddr>, VecDeque<Job>)>,
    length: usize,
    closed: bool,
}

impl Queue {
    /// Adds a job. Returns `false` if the queue is full, in total or for this source.
    fn push(&mut self, source: Option<IpAddr>, job: Job) -> bool {
        if self.length >= MAX_QUEUED {
            return false;
        }
        match self.sources.iter_mut().find(|(other, _)| *other == source) {
            Some((_, jobs)) if jobs.len() >= MAX_QUEUED_OF_ONE => return false,
            Some((_, jobs)) => jobs.push_back(job),
            None => self.sources.push_back((source, VecDeque::from([job]))),
        }
        self.length += 1;
        true
    }

    fn pop(&mut self) -> Option<Job> {
        let (source, mut jobs) = self.sources.pop_front()?;
        let job = jobs.pop_front();
        if !jobs.is_empty() {
            self.sources.push_back((source, jobs));
        }
        self.length -= usize::from(job.is_some());
        job
    }
}

impl std::fmt::Debug for HashPool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HashPool")
    }
}

impl HashPool {
    /// Creates a pool with one thread per processor.
    pub fn per_processor() -> Self {
        Self::with_threads(thread::available_parallelism().map_or(1, usize::from))
    }

    /// Creates a pool with this many threads, which have a low priority.
    pub fn with_threads(threads: usize) -> Self {
        Self::new(threads, NICE)
    }

    /// Creates a pool with one thread of normal priority, for checks that are quick, such as [`Users::check_quickly`](crate::Users::check_quickly).
    pub fn of_quick_checks() -> Self {
        Self::new(1, 0)
    }

    fn new(threads: usize, nice: i32) -> Self {
        let shared = Arc::new(Shared { queue: Mutex::default(), changed: Condvar::new() });
        for _ in 0..threads {
            let shared = Arc::clone(&shared);
            let spawned = thread::Builder::new().name("pop3 password".to_owned()).spawn(move || work(&shared, nice));
            if let Err(error) = spawned {
                tracing::warn!(%error, "a thread for password checks could not start");
            }
        }
        Self(shared)
    }

    /// Queues a check for a client at `source`. Returns `false` if the queue is full; the job is then dropped.
    pub fn submit(&self, source: Option<IpAddr>, job: impl FnOnce(&mut Memory) + Send + 'static) -> bool {
        let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let queued = queue.push(source, Box::new(job));
        drop(queue);
        if queued {
            self.0.changed.notify_one();
        }
        queued
    }
}

impl Drop for HashPool {
    fn drop(&mut self) {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.0.changed.notify_all();
    }
}

#[cfg_attr(not(target_os = "linux"), allow(unused_variables))]
fn work(shared: &Shared, nice: i32) {
    // If the system refuses the lower priority, the thread runs without it.
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(nice);
    let mut memory = Memory::default();
    loop {
        let queue = shared.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let waits = |queue: &mut Queue| queue.length == 0 && !queue.closed;
        let mut queue = shared.changed.wait_while(queue, waits).unwrap_or_else(PoisonError::into_inner);
        let Some(job) = queue.pop() else { return };
        drop(queue);
        // A panic in one check fails only this check.
        if std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| job(&mut memory))).is_err() {
            memory = Memory::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    fn source(last: u8) -> Option<IpAddr> {
        Some([192, 0, 2, last].into())
    }

    #[test]
    fn h39_sources_take_turns() {
        let mut queue = Queue::default();
        let (sender, receiver) = mpsc::channel();
        for (of, name) in [(1, "a1"), (1, "a2"), (1, "a3"), (2, "b1"), (3, "c1"), (3, "c2")] {
            let sender = sender.clone();
            assert!(queue.push(source(of), Box::new(move |_| sender.send(name).unwrap())));
        }
        while let Some(job) = queue.pop() {
            job(&mut Memory::default());
        }
        assert_eq!(receiver.try_iter().collect::<Vec<_>>(), ["a1", "b1", "c1", "a2", "c2", "a3"]);
        assert_eq!((queue.length, queue.sources.len()), (0, 0));
    }

    #[test]
    fn h39_the_queue_is_bounded_per_source_and_in_total() {
        let mut queue = Queue::default();
        let job = || -> Job { Box::new(|_| {}) };
        assert_eq!((0..1000).filter(|_| queue.push(source(1), job())).count(), MAX_QUEUED_OF_ONE);
        let others = (0..100_000u32).filter(|at| queue.push(Some(IpAddr::from(at.to_be_bytes())), job())).count();
        assert_eq!(others, MAX_QUEUED - MAX_QUEUED_OF_ONE);
    }

    #[test]
    fn h60_a_panic_in_a_check_does_not_end_the_thread() {
        let pool = HashPool::with_threads(1);
        let (sender, receiver) = mpsc::channel();
        assert!(pool.submit(None, |_| panic!("a fault, for this test")));
        assert!(pool.submit(None, move |_| sender.send(()).unwrap()));
        receiver.recv_timeout(Duration::from_secs(60)).unwrap();
    }

    #[test]
    fn at_most_as_many_checks_run_at_once_as_the_pool_has_threads() {
        let pool = HashPool::with_threads(2);
        let (sender, receiver) = mpsc::channel();
        let running = Arc::new(Mutex::new((0, 0)));
        for _ in 0..20 {
            let (sender, running) = (sender.clone(), Arc::clone(&running));
            assert!(pool.submit(None, move |_| {
                {
                    let mut running = running.lock().unwrap();
                    running.0 += 1;
                    running.1 = running.0.max(running.1);
                }
                thread::yield_now();
                running.lock().unwrap().0 -= 1;
                sender.send(()).unwrap();
            }));
        }
        for _ in 0..20 {
            receiver.recv_timeout(Duration::from_secs(60)).unwrap();
        }
        assert!(running.lock().unwrap().1 <= 2);
    }
}
