//! A time limit for each test, so that a fault that makes one wait for ever makes it fail instead.

use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// Far more than any test takes, on a slow and busy machine, too.
const LIMIT: Duration = Duration::from_secs(180);

/// How long after the last call another one has an effect.
const RENEWED: Duration = Duration::from_secs(30);

thread_local! {
    /// Dropped with the thread of the test: that calls the watchdog off.
    static WATCHDOG: RefCell<Option<(Instant, Sender<()>)>> = const { RefCell::new(None) };
}

/// Ends the process, and says which test was running, if the test that calls this is not done three minutes later. A test that calls it
/// again after half a minute has three minutes more.
pub fn limit_test() {
    let is_armed = WATCHDOG.with(|current| current.borrow().as_ref().is_some_and(|(since, _)| since.elapsed() < RENEWED));
    if is_armed {
        return;
    }
    let (sender, receiver) = mpsc::channel();
    let test = thread::current().name().unwrap_or("a test").to_owned();
    let watchdog = thread::Builder::new().name("watchdog".to_owned()).spawn(move || {
        if receiver.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
            eprintln!("{test} is still running after {} seconds", LIMIT.as_secs());
            std::process::abort();
        }
    });
    assert!(watchdog.is_ok(), "the time limit of a test could not begin");
    WATCHDOG.with(|current| *current.borrow_mut() = Some((Instant::now(), sender)));
}
