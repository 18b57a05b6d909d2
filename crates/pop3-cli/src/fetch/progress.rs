//! The progress bar of a run.

use indicatif::{ProgressBar, ProgressStyle};
use pop3_fetch::Progress;

/// A progress bar, which is visible only on a terminal.
pub struct Bar(ProgressBar);

impl Bar {
    pub fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {wide_bar} {bytes}/{total_bytes} {eta}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Returns the bar, for output above it.
    pub const fn terminal(&self) -> &ProgressBar {
        &self.0
    }

    /// Removes the bar from the terminal.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

impl Progress for Bar {
    fn session_planned(&self, octets: u64) {
        self.0.set_length(octets);
    }

    fn message_started(&self, index: usize, total: usize) {
        self.0.set_message(format!("message {index} of {total}"));
    }

    fn octets_received(&self, octets: u64) {
        self.0.inc(octets);
    }
}
