//! Limits on the number of sessions, in total and per source, and the shutdown of all sessions.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Instant;

use event_listener::{Event, Listener};

/// A counter of a server's sessions, in total and per source. It admits new sessions and notifies all of the shutdown.
#[derive(Debug)]
pub struct SessionLimiter {
    total: AtomicUsize,
    per_source: AtomicUsize,
    refused: AtomicU64,
    state: Mutex<State>,
    /// The event of the shutdown. A session that waits for its client waits for this event, too.
    ending: Event,
    /// The event that no session is left.
    empty: Event,
}

#[derive(Debug, Default)]
struct State {
    sessions: usize,
    sources: HashMap<IpAddr, usize>,
    listening: Vec<SocketAddr>,
    stopping: bool,
    seats: HashMap<u64, Arc<Seat>>,
    /// Functions that end sessions whose thread is blocked while it waits for the client.
    enders: HashMap<u64, Ender>,
    next: u64,
}

/// A function that ends one session.
struct Ender(Box<dyn Fn() + Send>);

impl fmt::Debug for Ender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Ender")
    }
}

/// The state that a session shares with its limiter.
#[derive(Debug)]
pub struct Seat {
    source: Mutex<Option<IpAddr>>,
    logged_in: AtomicBool,
    evicted: AtomicBool,
    eviction: Event,
    timed_out: AtomicBool,
}

impl Seat {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            source: Mutex::default(),
            logged_in: AtomicBool::new(false),
            evicted: AtomicBool::new(false),
            eviction: Event::new(),
            timed_out: AtomicBool::new(false),
        })
    }

    /// Records that the client has logged in: the session cannot be evicted any more.
    pub fn set_logged_in(&self) {
        self.logged_in.store(true, Ordering::Release);
    }

    /// Records that a deadline of the session has passed.
    pub fn set_timed_out(&self) {
        self.timed_out.store(true, Ordering::Release);
    }

    /// Returns `true` once a deadline of the session has passed.
    pub fn is_timed_out(&self) -> bool {
        self.timed_out.load(Ordering::Acquire)
    }

    /// Runs a session to its end, or until it has to give way to another one. Logs its error.
    pub async fn run(&self, session: impl Future<Output = io::Result<()>>) {
        let evicted = async {
            self.evicted().await;
            io::Error::other(GAVE_WAY)
        };
        log_broken(unless(evicted, session).await);
    }

    /// Waits until the session is evicted to make room for another one.
    pub async fn evicted(&self) {
        until(&self.eviction, || self.is_evicted()).await;
    }

    /// Returns `true` once the session has to give way to another one.
    pub fn is_evicted(&self) -> bool {
        self.evicted.load(Ordering::Acquire)
    }

    fn source(&self) -> Option<IpAddr> {
        *self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SessionLimiter {
    /// Creates a limiter for at most `total` sessions, of which at most `per_source` have the same source.
    pub fn new(total: usize, per_source: usize) -> Arc<Self> {
        Arc::new(Self {
            total: AtomicUsize::new(total),
            per_source: AtomicUsize::new(per_source),
            refused: AtomicU64::new(0),
            state: Mutex::default(),
            ending: Event::new(),
            empty: Event::new(),
        })
    }

    /// Replaces the limits. Sessions beyond a lower limit stay until they end.
    pub fn set_limits(&self, total: usize, per_source: usize) {
        self.total.store(total, Ordering::Relaxed);
        self.per_source.store(per_source, Ordering::Relaxed);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a permit for one session, which is released when it is dropped, or `None` if the limit is reached or the server is
    /// shutting down. At the limit, a session that has not logged in is evicted: the oldest one of the source with the most
    /// sessions. So clients that connect and send nothing cannot lock out other clients.
    // H39
    pub fn try_acquire(self: &Arc<Self>) -> Option<SessionPermit> {
        let mut state = self.state();
        let total = self.total.load(Ordering::Relaxed);
        if state.stopping || (state.sessions >= total && !state.evict_one(total)) {
            self.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(self.add_session(&mut state))
    }

    /// Counts a session that the caller has admitted: no limit applies to it, and it does not give way to others, but the shutdown
    /// waits for it. Returns `None` if the server is shutting down.
    pub fn join(self: &Arc<Self>) -> Option<SessionPermit> {
        let mut state = self.state();
        if state.stopping {
            return None;
        }
        let permit = self.add_session(&mut state);
        permit.seat.set_logged_in();
        Some(permit)
    }

    fn add_session(self: &Arc<Self>, state: &mut State) -> SessionPermit {
        state.sessions += 1;
        state.next += 1;
        let (id, seat) = (state.next, Seat::new());
        state.seats.insert(id, Arc::clone(&seat));
        SessionPermit { limiter: Arc::clone(self), id, source: None, seat }
    }

    /// Returns the number of sessions that have begun.
    pub fn begun(&self) -> u64 {
        self.state().next
    }

    /// Returns the number of connections that a limit has closed.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    /// Returns the number of sessions.
    pub fn sessions(&self) -> usize {
        self.state().sessions
    }

    /// Admits no more sessions; each existing session ends when it next needs input.
    pub fn begin_shutdown(&self) {
        let mut state = self.state();
        state.stopping = true;
        for Ender(end) in state.enders.values() {
            end();
        }
        drop(state);
        self.ending.notify(usize::MAX);
    }

    /// Returns `true` once the shutdown has begun.
    pub fn is_shutting_down(&self) -> bool {
        self.state().stopping
    }

    /// Waits until the shutdown begins.
    pub async fn shutdown_begun(&self) {
        until(&self.ending, || self.is_shutting_down()).await;
    }

    /// Does `work`, unless the server shuts down meanwhile.
    ///
    /// # Errors
    /// `work` fails, or the server shuts down ([`io::ErrorKind::ConnectionAborted`]).
    pub async fn unless_shutdown<T>(&self, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
        let shutdown = async {
            self.shutdown_begun().await;
            io::ErrorKind::ConnectionAborted.into()
        };
        unless(shutdown, work).await
    }

    /// Blocks the thread until the shutdown begins. Returns `false` if it has not begun at the deadline.
    pub fn wait_stopped(&self, deadline: Instant) -> bool {
        wait_until(&self.ending, || self.is_shutting_down(), deadline)
    }

    /// Waits until no session is left.
    pub async fn drained(&self) {
        until(&self.empty, || self.is_empty()).await;
    }

    /// Blocks the thread until no session is left. Returns `false` if sessions are left at the deadline.
    pub fn wait_emptied(&self, deadline: Instant) -> bool {
        wait_until(&self.empty, || self.is_empty(), deadline)
    }

    fn is_empty(&self) -> bool {
        self.sessions() == 0
    }

    /// Records an address that the server listens on. A driver whose `accept` cannot be interrupted connects to it at shutdown.
    pub fn listens(&self, address: SocketAddr) {
        self.state().listening.push(address);
    }

    /// Returns the addresses that the server listens on.
    pub fn listening(&self) -> Vec<SocketAddr> {
        self.state().listening.clone()
    }
}

impl State {
    /// Evicts one session. Returns `true` if another session can then be admitted. An evicted session keeps its permit until it
    /// notices the eviction and ends.
    fn evict_one(&mut self, total: usize) -> bool {
        let leaving = self.seats.values().filter(|seat| seat.is_evicted()).count();
        // Evicted sessions that have not ended yet exist in addition to `total`, so their number is limited to bound memory.
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
        let may_leave = |seat: &Seat| !seat.logged_in.load(Ordering::Acquire) && !seat.is_evicted();
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

/// The reason why an evicted session ends.
pub(crate) const GAVE_WAY: &str = "the session gave way to another one";

/// Logs the error of a session that broke.
pub fn log_broken(session: io::Result<()>) {
    if let Err(error) = session {
        tracing::debug!(%error, "session broke");
    }
}

/// Maximum number of evicted sessions that have not ended yet.
const MAX_LEAVING: usize = 100;

/// Does `work`, unless `interruption` comes first.
async fn unless<T>(interruption: impl Future<Output = io::Error>, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let (mut interruption, mut work) = (pin!(interruption), pin!(work));
    poll_fn(|context| match interruption.as_mut().poll(context) {
        Poll::Ready(error) => Poll::Ready(Err(error)),
        Poll::Pending => work.as_mut().poll(context),
    })
    .await
}

/// Waits until `done` returns `true`; `event` notifies of each change.
async fn until(event: &Event, done: impl Fn() -> bool) {
    loop {
        // Listen before the check, so that a change after the check is noticed.
        let change = event.listen();
        if done() {
            return;
        }
        change.await;
    }
}

/// Blocks the thread until `done` returns `true`. Returns `false` if it does not at the deadline.
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

/// A permit for one session.
#[derive(Debug)]
pub struct SessionPermit {
    limiter: Arc<SessionLimiter>,
    id: u64,
    source: Option<IpAddr>,
    seat: Arc<Seat>,
}

impl SessionPermit {
    /// Registers a function that is called when the server shuts down or the session is evicted, and at once if that has happened
    /// already. Sessions whose thread is blocked while it waits for the client need it. The function must not block.
    pub fn on_shutdown(&self, end: impl Fn() + Send + 'static) {
        let mut state = self.limiter.state();
        if state.stopping || self.seat.is_evicted() {
            end();
        }
        state.enders.insert(self.id, Ender(Box::new(end)));
    }

    /// Sets the address of the session's client. Returns `false` if its source has too many sessions already. An IPv6 network of
    /// 64 bits is one source.
    #[must_use]
    pub fn set_source(&mut self, address: IpAddr) -> bool {
        let source = source_of(address);
        let mut state = self.limiter.state();
        leave(&mut state, self.source.take());
        let count = state.sources.entry(source).or_default();
        if *count >= self.limiter.per_source.load(Ordering::Relaxed) {
            self.limiter.refused.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        *count += 1;
        drop(state);
        self.source = Some(source);
        *self.seat.source.lock().unwrap_or_else(PoisonError::into_inner) = Some(source);
        true
    }

    /// Returns the state that the session shares with its limiter.
    pub const fn seat(&self) -> &Arc<Seat> {
        &self.seat
    }

    /// Returns a number that no other session of the server has, for logs. Numbers begin at 1.
    pub const fn id(&self) -> u64 {
        self.id
    }

    /// Returns the span of a session's log events: its number, its peer, and its user as soon as there is one.
    pub fn span(&self, peer: impl fmt::Display) -> tracing::Span {
        tracing::info_span!("session", id = self.id, %peer, user = tracing::field::Empty)
    }

    /// Returns the limiter that admitted the session.
    pub const fn limiter(&self) -> &Arc<SessionLimiter> {
        &self.limiter
    }
}

/// Returns the source of an address: an IPv4 address, or an IPv6 network of 64 bits.
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
        let is_evicted = |permit: &SessionPermit| permit.seat().is_evicted();
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
    fn h39_sessions_are_limited_in_all_and_per_source() {
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
        assert_eq!((limiter.begun(), limiter.refused()), (4, 2));
        drop(first);
        let _again = enter("192.0.2.1").unwrap();
        assert_eq!(source_of("2001:db8::1".parse().unwrap()), source_of("2001:db8::2:3".parse().unwrap()));
        assert_ne!(source_of("2001:db8::1".parse().unwrap()), source_of("2001:db8:0:1::1".parse().unwrap()));
    }

    #[test]
    fn h39_other_limits_hold_for_the_next_sessions() {
        let limiter = SessionLimiter::new(1, 1);
        let enter = |address: &str| {
            let mut permit = limiter.try_acquire()?;
            permit.seat().set_logged_in();
            permit.set_source(address.parse().unwrap()).then_some(permit)
        };
        let _first = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.2").is_none());
        limiter.set_limits(3, 2);
        let _second = enter("192.0.2.1").unwrap();
        assert!(enter("192.0.2.1").is_none(), "the third from there");
        let third = enter("192.0.2.2").unwrap();
        limiter.set_limits(2, 2);
        drop(third);
        assert!(enter("192.0.2.2").is_none());
    }

    #[test]
    fn sessions_may_end_at_shutdown_and_no_others_begin() {
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
