//! Reports of a run's progress.

/// An observer of a run's progress, for a progress bar. `()` ignores all reports.
///
/// ```
/// use std::cell::Cell;
///
/// #[derive(Default)]
/// struct Octets(Cell<u64>);
///
/// impl pop3_fetch::Progress for Octets {
///     fn octets_received(&self, octets: u64) {
///         self.0.set(self.0.get() + octets);
///     }
/// }
/// ```
pub trait Progress {
    /// Reports that a session begins, and the number of octets that it retrieves, as far as the server announces sizes.
    fn session_planned(&self, octets: u64) {
        let _ = octets;
    }

    /// Reports that the retrieval of a message begins. `index` counts from 1 in each session, up to `total`.
    fn message_started(&self, index: usize, total: usize) {
        let _ = (index, total);
    }

    /// Reports that this many more octets of a message have arrived.
    fn octets_received(&self, octets: u64) {
        let _ = octets;
    }

    /// Reports that a message of this many octets is safely on disk.
    fn message_stored(&self, octets: u64) {
        let _ = octets;
    }
}

impl Progress for () {}
