//! `pop3 fetch --every`: accounts are fetched again and again, each on a schedule of its own.

use std::convert::Infallible;
use std::env;
use std::io::{self, IsTerminal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};

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
    /// The time that the server wants between two logins, as it said at last.
    pause: Duration,
}

impl<'a> Account<'a> {
    pub const fn new(name: Option<&'a str>, arguments: &'a Fetch, job: Result<Job<'a>, Failure>) -> Self {
        Self { name, arguments, job, last_failure: None, is_stdout_taken: false, pause: Duration::ZERO }
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
        if let Ok(job) = &self.job
            && !job.pause().is_zero()
        {
            self.pause = job.pause();
        }
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
        let account = &self.arguments.account;
        let has_secret = account.has_secret() || env::var_os("POP3_PASSWORD").is_some();
        let would_log_in = account.token.oauth.oauth_client_id.is_some() && io::stderr().is_terminal();
        let would_ask = (!has_secret && io::stdin().is_terminal()) || would_log_in;
        if (self.job.is_err() || failure.exit == Exit::Login) && !would_ask {
            self.job = Job::of(self.arguments);
        }
        failure.exit != Exit::SomeFailed
    }
}

/// The accounts that no thread fetches now.
struct Waiting<'a> {
    accounts: Mutex<Vec<(Schedule, Account<'a>)>>,
    changed: Condvar,
    /// The number of signals so far.
    signals: AtomicU64,
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

    /// Returns an account. `signals` is the number of signals at the beginning of its run: one that came since is about it, too.
    fn put_back(&self, mut account: (Schedule, Account<'a>), signals: u64) {
        let mut accounts = self.lock();
        if self.signals.load(Ordering::SeqCst) != signals {
            account.0.hurry(Instant::now());
        }
        accounts.push(account);
        drop(accounts);
        self.changed.notify_all();
    }

    fn hurry(&self) {
        let now = Instant::now();
        let mut accounts = self.lock();
        self.signals.fetch_add(1, Ordering::SeqCst);
        for (schedule, _) in accounts.iter_mut() {
            schedule.hurry(now);
        }
        drop(accounts);
        self.changed.notify_all();
    }
}

/// Fetches accounts until the program is ended, `threads` of them at once. SIGUSR1 makes all that wait due.
///
/// # Errors
/// There is no account.
pub fn run(
    accounts: Vec<Account<'_>>,
    every: Duration,
    threads: usize,
    stored: &Arc<AtomicU64>,
    wake: Option<Wake>,
) -> Result<(), Failure> {
    if accounts.is_empty() {
        return Err(Failure::told(Exit::Other));
    }
    // Nothing but messages goes to standard output, whichever account they come from.
    let is_stdout_taken = accounts.iter().any(|account| account.arguments.deliver_to.contains(&Destination::Stdout));
    let now = Instant::now();
    let threads = threads.min(accounts.len());
    let scheduled = |account| (Schedule::new(every, now), Account { is_stdout_taken, ..account });
    let accounts = accounts.into_iter().map(scheduled).collect();
    let waiting = Waiting { accounts: Mutex::new(accounts), changed: Condvar::new(), signals: AtomicU64::new(0) };
    thread::scope(|scope| {
        let hurry = || waiting.hurry();
        scope.spawn(move || wake.map(|wake| wake.call_at_each(hurry)));
        for _ in 0..threads {
            scope.spawn(|| -> Infallible {
                loop {
                    let (mut schedule, mut account) = waiting.next();
                    let (begun, signals) = (Instant::now(), waiting.signals.load(Ordering::SeqCst));
                    let has_failed = account.run(stored);
                    schedule.plan(begun, has_failed, account.pause, fastrand::f64());
                    waiting.put_back((schedule, account), signals);
                }
            });
        }
    });
    Ok(())
}

/// The signal SIGUSR1, which would end a program that does not listen to it.
#[derive(Debug)]
pub struct Wake {
    runtime: Runtime,
    signals: Signal,
}

impl Wake {
    /// Begins to listen. `None` if the operating system has no room for that.
    pub fn listen() -> Option<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().ok()?;
        let signals = runtime.block_on(async { signal(SignalKind::user_defined1()) }).ok()?;
        Some(Self { runtime, signals })
    }

    /// Calls a function at each signal, for ever.
    fn call_at_each(mut self, wake: impl Fn()) {
        self.runtime.block_on(async {
            while self.signals.recv().await.is_some() {
                wake();
            }
        });
    }
}
