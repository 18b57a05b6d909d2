//! What a run reports while it works.

/// An observer of a run's progress, for a progress bar. `()` observes nothing.
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
    /// A session begins that retrieves this many octets, as far as the server announces sizes.
    fn session_planned(&self, octets: u64) {
        let _ = octets;
    }

    /// The retrieval of a message begins. `index` counts from 1 in each session, up to `total`.
    fn message_started(&self, index: usize, total: usize) {
        let _ = (index, total);
    }

    /// Octets of a message have arrived.
    fn octets_received(&self, octets: u64) {
        let _ = octets;
    }
}

impl Progress for () {}
