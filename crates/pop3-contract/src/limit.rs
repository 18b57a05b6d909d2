//! A time limit for each test, so that a test that would wait forever fails instead.

use std::cell::RefCell;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit, which is far longer than any test takes, even on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(180);

/// The time after which another call has an effect again.
const RENEWED: Duration = Duration::from_secs(30);

thread_local! {
    /// The watchdog's sender, which is dropped with the thread of the test; this ends the watchdog.
    static WATCHDOG: RefCell<Option<(Instant, Sender<()>)>> = const { RefCell::new(None) };
}

/// Limits the time of the calling test to three minutes from now. After that time the process prints the test's name and aborts.
/// A test that calls this again after half a minute or later has three minutes more.
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
