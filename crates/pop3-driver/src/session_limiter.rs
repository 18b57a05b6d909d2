//! Who may come in, how many at once, and when all have to leave.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use event_listener::{Event, Listener};

/// Counts the sessions of a server, all of them and those of each source, and tells them to end.
#[derive(Debug)]
pub struct SessionLimiter {
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
    seats: HashMap<u64, Arc<Seat>>,
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

/// What a session shows of itself while it lasts.
#[derive(Debug)]
pub struct Seat {
    source: Mutex<Option<IpAddr>>,
    logged_in: AtomicBool,
    evicted: AtomicBool,
    eviction: Event,
}

impl Seat {
    fn new() -> Arc<Self> {
        let (logged_in, evicted) = (AtomicBool::new(false), AtomicBool::new(false));
        Arc::new(Self { source: Mutex::default(), logged_in, evicted, eviction: Event::new() })
    }

    /// The client has logged in: the session gives way to no other any more.
    pub fn set_logged_in(&self) {
        self.logged_in.store(true, Ordering::Release);
    }

    /// Waits until the session has to give way to another one.
    pub async fn evicted(&self) {
        until(&self.eviction, || self.evicted.load(Ordering::Acquire)).await;
    }

    fn source(&self) -> Option<IpAddr> {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionLimiter {
    /// For so many sessions, and so many from one source.
    pub fn new(total: usize, per_source: usize) -> Arc<Self> {
        Arc::new(Self { total, per_source, state: Mutex::default(), ending: Event::new(), empty: Event::new() })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A permit for one session, given back when it is dropped; `None`: there is none, or the server ends (H39). If all places are
    /// taken, the oldest session that has not logged in yet gives way, of the source that has most sessions: clients that connect and
    /// say nothing must not lock out all others.
    pub fn try_acquire(self: &Arc<Self>) -> Option<SessionPermit> {
        let mut state = self.state();
        if state.stopping || (state.sessions >= self.total && !state.evict_one(self.total)) {
            return None;
        }
        state.sessions += 1;
        state.next += 1;
        let (id, seat) = (state.next, Seat::new());
        state.seats.insert(id, Arc::clone(&seat));
        Some(SessionPermit { limiter: Arc::clone(self), id, source: None, seat })
    }

    /// Has all sessions end once what they do is done, and takes no more.
    pub fn begin_shutdown(&self) {
        let mut state = self.state();
        state.stopping = true;
        for Ender(end) in state.enders.values() {
            end();
        }
        drop(state);
        self.ending.notify(usize::MAX);
    }

    /// The server ends.
    pub fn is_shutting_down(&self) -> bool {
        self.state().stopping
    }

    /// Waits until the server ends.
    pub async fn shutdown_begun(&self) {
        until(&self.ending, || self.is_shutting_down()).await;
    }

    /// The same without a runtime; false at the deadline.
    pub fn wait_stopped(&self, deadline: Instant) -> bool {
        wait_until(&self.ending, || self.is_shutting_down(), deadline)
    }

    /// Waits until no session is left.
    pub async fn drained(&self) {
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

impl State {
    /// Has one session give way. Returns `true` if there is a permit then. A session that gives way keeps its permit for a moment, until
    /// it notices.
    fn evict_one(&mut self, total: usize) -> bool {
        let leaving = self.seats.values().filter(|seat| seat.evicted.load(Ordering::Acquire)).count();
        // As many may be leaving as there are places, and no more: memory is bounded all the same.
        if leaving >= total.min(MAX_LEAVING) {
            return false;
        }
        if self.sessions - leaving < total {
            return true;
        }
        let mut of_source: HashMap<Option<IpAddr>, usize> = HashMap::new();
        for seat in self.seats.values() {
            *of_source.entry(seat.source()).or_default() += 1;
        }
        let may_leave = |seat: &Seat| !seat.logged_in.load(Ordering::Acquire) && !seat.evicted.load(Ordering::Acquire);
        let victim = self.seats.iter().filter(|(_, seat)| may_leave(seat));
        let Some((id, seat)) = victim.max_by_key(|(id, seat)| (of_source.get(&seat.source()), Reverse(**id))) else {
            return false;
        };
        seat.evicted.store(true, Ordering::Release);
        seat.eviction.notify(usize::MAX);
        if let Some(Ender(end)) = self.enders.get(id) {
            end();
        }
        true
    }
}

/// Sessions that may be giving way at once.
const MAX_LEAVING: usize = 100;

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
pub struct SessionPermit {
    limiter: Arc<SessionLimiter>,
    id: u64,
    source: Option<IpAddr>,
    seat: Arc<Seat>,
}

impl SessionPermit {
    /// Has this called when the server ends: for sessions that no runtime wakes. It must not wait.
    pub fn on_shutdown(&self, end: impl Fn() + Send + 'static) {
        let mut state = self.limiter.state();
        if state.stopping || self.seat.evicted.load(Ordering::Acquire) {
            end();
        }
        state.enders.insert(self.id, Ender(Box::new(end)));
    }

    /// Says where the client of the session is; false if there are too many from there. An IPv6 network of 64 bits is one source.
    #[must_use]
    pub fn set_source(&mut self, address: IpAddr) -> bool {
        let source = source_of(address);
        let mut state = self.limiter.state();
        leave(&mut state, self.source.take());
        let count = state.sources.entry(source).or_default();
        if *count >= self.limiter.per_source {
            return false;
        }
        *count += 1;
        drop(state);
        self.source = Some(source);
        *self.seat.source.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        true
    }

    /// What the session shows of itself.
    pub const fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// The limiter that it is behind.
    pub fn limiter(&self) -> &SessionLimiter {
        &self.limiter
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

impl Drop for SessionPermit {
    fn drop(&mut self) {
        let mut state = self.limiter.state();
        leave(&mut state, self.source.take());
        state.enders.remove(&self.id);
        state.seats.remove(&self.id);
        state.sessions = state.sessions.saturating_sub(1);
        let empty = state.sessions == 0;
        drop(state);
        if empty {
            self.limiter.empty.notify(usize::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn h39_silent_sessions_of_the_busiest_source_give_way_and_no_others() {
        let limiter = SessionLimiter::new(4, 4);
        let enter = |address: &str| {
            let mut permit = limiter.try_acquire()?;
            permit.set_source(address.parse().unwrap()).then_some(permit)
        };
        let busy: Vec<_> = (0..3).map(|_| enter("192.0.2.1").unwrap()).collect();
        let other = enter("192.0.2.2").unwrap();
        busy[0].seat().set_logged_in();
        let is_evicted = |permit: &SessionPermit| permit.seat().evicted.load(Ordering::Acquire);
        let _fifth = enter("192.0.2.3").expect("a silent session gives way");
        assert_eq!(busy.iter().map(is_evicted).collect::<Vec<_>>(), [false, true, false], "the oldest that is not logged in");
        let _sixth = enter("192.0.2.4").unwrap();
        assert_eq!((is_evicted(&busy[2]), is_evicted(&other)), (true, false));
        other.seat().set_logged_in();
        let logged_in = SessionLimiter::new(1, 1);
        let permit = logged_in.try_acquire().unwrap();
        permit.seat().set_logged_in();
        assert!(logged_in.try_acquire().is_none(), "no session that is logged in gives way");
    }

    #[test]
    fn h39_so_many_in_all_and_so_many_from_one_source() {
        let limiter = SessionLimiter::new(3, 2);
        let enter = |address: &str| {
            let mut permit = limiter.try_acquire()?;
            permit.set_source(address.parse().unwrap()).then_some(permit)
        };
        let first = enter("192.0.2.1").unwrap();
        let second = enter("::ffff:192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none(), "the third from there");
        let third = enter("2001:db8::1").unwrap();
        for permit in [&first, &second, &third] {
            permit.seat().set_logged_in();
        }
        assert!(enter("192.0.2.2").is_none(), "the fourth in all");
        drop(first);
        let _again = enter("192.0.2.1").unwrap();
        assert_eq!(source_of("2001:db8::1".parse().unwrap()), source_of("2001:db8::2:3".parse().unwrap()));
        assert_ne!(source_of("2001:db8::1".parse().unwrap()), source_of("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn who_is_in_may_end_and_nobody_else_comes_in() {
        let limiter = SessionLimiter::new(3, 3);
        let permit = limiter.try_acquire().unwrap();
        assert!(!limiter.wait_stopped(Instant::now()));
        limiter.begin_shutdown();
        assert!(limiter.try_acquire().is_none() && limiter.is_shutting_down());
        assert!(limiter.wait_stopped(Instant::now() + Duration::from_secs(60)));
        assert!(!limiter.wait_emptied(Instant::now()));
        drop(permit);
        assert!(limiter.wait_emptied(Instant::now() + Duration::from_secs(60)));
        assert!(limiter.state().sources.is_empty());
    }
}
