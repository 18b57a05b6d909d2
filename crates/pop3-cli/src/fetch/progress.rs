//! The progress bars of a run, and what an interrupt says.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use pop3_fetch::Progress;

use crate::language::Message;
use crate::terminal;
use crate::terminal::tell;

/// The exit code of a program that SIGINT has ended, as shells return it.
const INTERRUPTED: i32 = 130;

/// A progress bar, which is visible only on a terminal.
pub struct Bar {
    bar: ProgressBar,
    /// The number of messages of all bars that are safely on disk.
    stored: Arc<AtomicU64>,
}

impl Bar {
    /// Adds a bar to the terminal. `stored` counts the messages of all bars that are safely on disk.
    pub fn new(stored: &Arc<AtomicU64>) -> Self {
        let bar = terminal::add(ProgressBar::no_length());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self { bar, stored: Arc::clone(stored) }
    }

    /// Returns the bar, for output above it.
    pub const fn terminal(&self) -> &ProgressBar {
        &self.bar
    }

    /// Removes the bar from the terminal.
    pub fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

/// Ends the program at an interrupt (Ctrl-C), and says how many messages are stored. What is stored stays so whenever the program ends; this only
/// tells it.
pub fn explain_interrupt(stored: &Arc<AtomicU64>) {
    let stored = Arc::clone(stored);
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_io().build() else { return };
    // From here on an interrupt waits for the thread.
    let Ok(mut interrupts) = runtime.block_on(async { interrupts() }) else { return };
    let explain = move || {
        if runtime.block_on(interrupts.recv()).is_some() {
            let told = Message::new("fetch-interrupted").with("count", stored.load(Ordering::Relaxed));
            terminal::above_bars(|| tell!("pop3: {told}"));
            std::process::exit(INTERRUPTED);
        }
    };
    // The operating system refuses a thread only if it has no room, and then the mail is more important.
    let _ = thread::Builder::new().name("interrupt".to_owned()).spawn(explain);
}

#[cfg(unix)]
fn interrupts() -> io::Result<tokio::signal::unix::Signal> {
    tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
}

#[cfg(windows)]
fn interrupts() -> io::Result<tokio::signal::windows::CtrlC> {
    tokio::signal::windows::ctrl_c()
}

impl Progress for Bar {
    fn session_planned(&self, octets: u64) {
        self.bar.set_length(octets);
    }

    fn message_started(&self, index: usize, total: usize) {
        self.bar.set_message(format!("{index}/{total}"));
    }

    fn octets_received(&self, octets: u64) {
        self.bar.inc(octets);
    }

    fn message_stored(&self, _: u64) {
        self.stored.fetch_add(1, Ordering::Relaxed);
    }
}
