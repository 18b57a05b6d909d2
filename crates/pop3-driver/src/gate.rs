//! Who may come in, how many at once, and when all have to leave.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use event_listener::{Event, Listener};

/// Counts the sessions of a server, all of them and those of each source, and tells them to end.
#[derive(Debug)]
pub struct Gate {
    total: usize,
    per_source: usize,
    state: Mutex<State>,
    /// The server ends. Every session that waits for its client waits for this, too.
    ending: Event,
    /// No session is left.
    empty: Event,
}

#[derive(Debug, Default)]
struct State {
    sessions: usize,
    sources: HashMap<IpAddr, usize>,
    listening: Vec<SocketAddr>,
    stopping: bool,
    /// What has sessions end that wait for their clients without a runtime.
    enders: HashMap<u64, Ender>,
    next: u64,
}

/// Ends one session.
struct Ender(Box<dyn Fn() + Send>);

impl fmt::Debug for Ender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ender")
    }
}

impl Gate {
    /// For so many sessions, and so many from one source.
    pub fn new(total: usize, per_source: usize) -> Arc<Self> {
        Arc::new(Self { total, per_source, state: Mutex::default(), ending: Event::new(), empty: Event::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for one session, given back when it is dropped; `None`: there is none, or the server ends (H39).
    pub fn enter(self: &Arc<Self>) -> Option<Place> {
        let mut state = self.state();
        if state.stopping || state.sessions >= self.total {
            return None;
        }
        state.sessions += 1;
        state.next += 1;
        Some(Place { gate: Arc::clone(self), id: state.next, source: None })
    }

    /// Has all sessions end once what they do is done, and takes no more.
    pub fn stop(&self) {
        let mut state = self.state();
        state.stopping = true;
        for Ender(end) in state.enders.values() {
            end();
        }
        drop(state);
        self.ending.notify(usize::MAX);
    }

    /// The server ends.
    pub fn is_stopping(&self) -> bool {
        self.state().stopping
    }

    /// Waits until the server ends.
    pub async fn stopped(&self) {
        until(&self.ending, || self.is_stopping()).await;
    }

    /// The same without a runtime; false at the deadline.
    pub fn wait_stopped(&self, deadline: Instant) -> bool {
        wait_until(&self.ending, || self.is_stopping(), deadline)
    }

    /// Waits until no session is left.
    pub async fn emptied(&self) {
        until(&self.empty, || self.is_empty()).await;
    }

    /// The same without a runtime; false if some are left at the deadline.
    pub fn wait_emptied(&self, deadline: Instant) -> bool {
        wait_until(&self.empty, || self.is_empty(), deadline)
    }

    fn is_empty(&self) -> bool {
        self.state().sessions == 0
    }

    /// Remembers where the server listens, for runtimes that have to be woken by a connection.
    pub fn listens(&self, address: SocketAddr) {
        self.state().listening.push(address);
    }

    /// Where the server listens.
    pub fn listening(&self) -> Vec<SocketAddr> {
        self.state().listening.clone()
    }
}

/// Waits for what is told by an event.
async fn until(event: &Event, done: impl Fn() -> bool) {
    loop {
        // Before it is looked at: what changes in between is told.
        let change = event.listen();
        if done() {
            return;
        }
        change.await;
    }
}

/// The same without a runtime; false at the deadline.
fn wait_until(event: &Event, done: impl Fn() -> bool, deadline: Instant) -> bool {
    loop {
        let change = event.listen();
        if done() {
            return true;
        }
        if change.wait_deadline(deadline).is_none() {
            return done();
        }
    }
}

/// One of the sessions that may be.
#[derive(Debug)]
pub struct Place {
    gate: Arc<Gate>,
    id: u64,
    source: Option<IpAddr>,
}

impl Place {
    /// Has this called when the server ends: for sessions that no runtime wakes. It must not wait.
    pub fn at_end(&self, end: impl Fn() + Send + 'static) {
        let mut state = self.gate.state();
        if state.stopping {
            end();
        }
        state.enders.insert(self.id, Ender(Box::new(end)));
    }

    /// Says where the client of the session is; false if there are too many from there. An IPv6 network of 64 bits is one source.
    #[must_use]
    pub fn claim(&mut self, address: IpAddr) -> bool {
        let source = source_of(address);
        let mut state = self.gate.state();
        leave(&mut state, self.source.take());
        let count = state.sources.entry(source).or_default();
        if *count >= self.gate.per_source {
            return false;
        }
        *count += 1;
        drop(state);
        self.source = Some(source);
        true
    }

    /// The gate that it is behind.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }
}

/// What counts as one source: an IPv6 network of 64 bits belongs to one.
pub(crate) fn source_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address => address,
    }
}

fn leave(state: &mut State, source: Option<IpAddr>) {
    let Some(source) = source else { return };
    if let Some(count) = state.sources.get_mut(&source) {
        *count = count.saturating_sub(1);
        if *count == 0 {
            state.sources.remove(&source);
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.gate.state();
        leave(&mut state, self.source.take());
        state.enders.remove(&self.id);
        state.sessions = state.sessions.saturating_sub(1);
        let empty = state.sessions == 0;
        drop(state);
        if empty {
            self.gate.empty.notify(usize::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn h39_so_many_in_all_and_so_many_from_one_source() {
        let gate = Gate::new(3, 2);
        let enter = |address: &str| {
            let mut place = gate.enter()?;
            place.claim(address.parse().unwrap()).then_some(place)
        };
        let first = enter("192.0.2.1").unwrap();
        let _second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none(), "the third from there");
        let _third = enter("2001:db8::1").unwrap();
        assert!(enter("192.0.2.2").is_none(), "the fourth in all");
        drop(first);
        let _again = enter("192.0.2.1").unwrap();
        assert_eq!(source_of("2001:db8::1".parse().unwrap()), source_of("2001:db8::2:3".parse().unwrap()));
        assert_ne!(source_of("2001:db8::1".parse().unwrap()), source_of("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn who_is_in_may_end_and_nobody_else_comes_in() {
        let gate = Gate::new(3, 3);
        let place = gate.enter().unwrap();
        assert!(!gate.wait_stopped(Instant::now()));
        gate.stop();
        assert!(gate.enter().is_none() && gate.is_stopping());
        assert!(gate.wait_stopped(Instant::now() + Duration::from_secs(60)));
        assert!(!gate.wait_emptied(Instant::now()));
        drop(place);
        assert!(gate.wait_emptied(Instant::now() + Duration::from_secs(60)));
        assert!(gate.state().sources.is_empty());
    }
}
