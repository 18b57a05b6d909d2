//! `pop3 fetch --every`: accounts are fetched again and again, each on a schedule of its own.

use std::convert::Infallible;
use std::env;
use std::io::{self, IsTerminal};
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::job::Job;
use super::progress::Bar;
use super::schedule::Schedule;
use crate::arguments::{Destination, Fetch};
use crate::failure::{Exit, Failure};
use crate::language::Message;
use crate::terminal;
use crate::terminal::tell;

/// An account that is fetched again and again.
pub struct Account<'a> {
    name: Option<&'a str>,
    arguments: &'a Fetch,
    /// The account with its password; the failure if there is none yet.
    job: Result<Job<'a>, Failure>,
    /// What the last run failed with: it is said once.
    last_failure: Option<String>,
    is_stdout_taken: bool,
}

impl<'a> Account<'a> {
    pub const fn new(name: Option<&'a str>, arguments: &'a Fetch, job: Result<Job<'a>, Failure>) -> Self {
        Self { name, arguments, job, last_failure: None, is_stdout_taken: false }
    }

    /// Fetches, and says what failed unless it has been said. Returns `true` if the account failed as a whole.
    fn run(&mut self, stored: &Arc<AtomicU64>) -> bool {
        let result = match &mut self.job {
            Ok(job) => {
                job.is_repeated = true;
                job.is_stdout_taken = self.is_stdout_taken;
                job.run(&Bar::new(stored), self.name)
            }
            Err(failure) => Err(failure.clone()),
        };
        let name = self.name.map(|name| format!("{name}: ")).unwrap_or_default();
        let Err(failure) = result else {
            if self.last_failure.take().is_some() {
                terminal::above_bars(|| tell!("pop3: {name}{}", Message::new("fetch-works-again")));
            }
            return false;
        };
        let text = failure.to_string();
        if self.last_failure.as_ref() != Some(&text) {
            terminal::above_bars(|| tell!("pop3: {name}{text}"));
        }
        self.last_failure = Some(text);
        // The password may have changed. A person who has typed it is not asked again: they may be asleep.
        let would_ask =
            !self.arguments.account.has_secret() && env::var_os("POP3_PASSWORD").is_none() && io::stdin().is_terminal();
        if (self.job.is_err() || failure.exit == Exit::Login) && !would_ask {
            self.job = Job::of(self.arguments);
        }
        failure.exit != Exit::SomeFailed
    }

    fn pause(&self) -> Duration {
        self.job.as_ref().map_or(Duration::ZERO, Job::pause)
    }
}

/// The accounts that no thread fetches now.
struct Waiting<'a> {
    accounts: Mutex<Vec<(Schedule, Account<'a>)>>,
    changed: Condvar,
}

impl<'a> Waiting<'a> {
    fn lock(&self) -> MutexGuard<'_, Vec<(Schedule, Account<'a>)>> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until an account is due.
    fn next(&self) -> (Schedule, Account<'a>) {
        let mut accounts = self.lock();
        loop {
            let now = Instant::now();
            let first =
                accounts.iter().enumerate().min_by_key(|(_, (schedule, _))| schedule.due).map(|(at, (it, _))| (at, it.due));
            accounts = match first {
                Some((at, due)) if due <= now => return accounts.swap_remove(at),
                Some((_, due)) => self.changed.wait_timeout(accounts, due - now).map_or_else(|bad| bad.into_inner().0, |it| it.0),
                None => self.changed.wait(accounts).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    fn put_back(&self, account: (Schedule, Account<'a>)) {
        self.lock().push(account);
        self.changed.notify_all();
    }

    fn hurry(&self) {
        let now = Instant::now();
        for (schedule, _) in self.lock().iter_mut() {
            schedule.hurry(now);
        }
        self.changed.notify_all();
    }
}

/// Fetches accounts until the program is ended, `threads` of them at once. SIGUSR1 makes all that wait due.
///
/// # Errors
/// There is no account.
pub fn run(accounts: Vec<Account<'_>>, every: Duration, threads: usize, stored: &Arc<AtomicU64>) -> Result<(), Failure> {
    if accounts.is_empty() {
        return Err(Failure::told(Exit::Other));
    }
    // Nothing but messages goes to standard output, whichever account they come from.
    let is_stdout_taken = accounts.iter().any(|account| account.arguments.deliver_to.contains(&Destination::Stdout));
    let now = Instant::now();
    let threads = threads.min(accounts.len());
    let scheduled = |account| (Schedule::new(every, now), Account { is_stdout_taken, ..account });
    let accounts = accounts.into_iter().map(scheduled).collect();
    let waiting = Waiting { accounts: Mutex::new(accounts), changed: Condvar::new() };
    thread::scope(|scope| {
        scope.spawn(|| on_signal(|| waiting.hurry()));
        for _ in 0..threads {
            scope.spawn(|| -> Infallible {
                loop {
                    let (mut schedule, mut account) = waiting.next();
                    let begun = Instant::now();
                    let has_failed = account.run(stored);
                    schedule.plan(begun, has_failed, account.pause(), fastrand::f64());
                    waiting.put_back((schedule, account));
                }
            });
        }
    });
    Ok(())
}

/// Calls `wake` at each SIGUSR1.
fn on_signal(wake: impl Fn()) {
    use tokio::signal::unix::{SignalKind, signal};

    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    runtime.block_on(async {
        let Ok(mut signals) = signal(SignalKind::user_defined1()) else { return };
        while signals.recv().await.is_some() {
            wake();
        }
    });
}
