//! The server's side of a driver, without a socket and on a clock that the test sets.
#![cfg(feature = "server")]

use std::io::{self, Cursor, Read};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use pop3_driver::proto::codec::{MessageNumber, UniqueId};
use pop3_driver::proto::sasl::PresentedCredentials;
use pop3_driver::proto::server::{
    CloseReason, ConnectionInfo, Extension, LoginAttempt, Observer, Question, SessionEnd, Snapshot,
};
use pop3_driver::server::{Arrival, ServerAction, ServerSession, ServerShared, StoreAction, StoreSession};
use pop3_driver::store::{Blocking, LoginError, Maildrop, NotRemoved, Peer, Store, Verification, Verifier, verification};
use pop3_driver::{Endpoint, Io, ServerOptions, SessionObservers};

const MINUTE: Duration = Duration::from_secs(60);

/// One message of this size for everybody whose password is `right`; checks are left to the test if it asks for that.
struct Mail {
    octets: usize,
    checks: Option<Mutex<Vec<(LoginAttempt, Verifier)>>>,
}

impl Store for Mail {
    type Maildrop = OneMessage;

    fn verify(&self, login: &LoginAttempt, _: &Peer) -> Verification {
        let Some(checks) = &self.checks else { return Verification::AtLogin };
        let (verifier, pending) = verification();
        checks.lock().unwrap().push((login.clone(), verifier));
        Verification::Pending(pending)
    }

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<OneMessage, LoginError> {
        match &login.credentials {
            PresentedCredentials::Password(password) if self.checks.is_none() && password.expose() == b"right" => {}
            PresentedCredentials::Verified if login.name.as_bytes() == b"busy" => return Err(LoginError::InUse),
            PresentedCredentials::Verified => {}
            _ => return Err(LoginError::Credentials),
        }
        Ok(OneMessage(self.octets))
    }
}

struct OneMessage(usize);

impl Maildrop for OneMessage {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        snapshot.push(self.0 as u64, UniqueId::new("one").unwrap()).unwrap();
        Ok(snapshot)
    }

    fn open(&mut self, _: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(b"0123456789abcd\r\n".repeat(self.0 / 16))))
    }

    fn remove(&mut self, _: &[MessageNumber]) -> Result<(), NotRemoved> {
        Ok(())
    }
}

/// A session in the clear whose greeting is written, over a store or with a caller that answers.
struct Bench {
    start: Instant,
    shared: Arc<ServerShared>,
}

impl Bench {
    fn new() -> Self {
        Self::with_options(ServerOptions::dangerous_cleartext())
    }

    fn with_options(options: ServerOptions) -> Self {
        Self { start: Instant::now(), shared: ServerShared::new(options) }
    }

    fn session(&self) -> ServerSession {
        let mut session = ServerSession::with_info(Arc::clone(&self.shared), ConnectionInfo::clear([1; 18]), self.start + MINUTE);
        assert!(matches!(session.next_action(self.start).unwrap(), ServerAction::Io(Io::Write(_))));
        written(&mut session, self.start);
        session
    }

    fn store_session(&self, mail: Mail) -> (StoreSession<Blocking<Mail>>, Arc<Mail>) {
        let mail = Arc::new(mail);
        (StoreSession::new(self.session(), Blocking(Arc::clone(&mail)), |work| work()).unwrap(), mail)
    }
}

fn read(session: &mut ServerSession, said: &str) {
    session.unfilled()[..said.len()].copy_from_slice(said.as_bytes());
    session.advance_read(said.len());
}

/// Writes and flushes what is there, and returns it.
fn written(session: &mut ServerSession, now: Instant) -> String {
    let output = String::from_utf8(session.output().to_vec()).unwrap();
    session.advance_written(output.len(), now);
    session.flushed();
    output
}

fn io(action: ServerAction) -> Io {
    match action {
        ServerAction::Io(io) => io,
        other => panic!("{other:?}"),
    }
}

/// Logs in with a caller that answers.
fn logged_in(bench: &Bench) -> ServerSession {
    let mut session = bench.session();
    read(&mut session, "USER joe\r\nPASS x\r\n");
    assert!(matches!(session.next_action(bench.start).unwrap(), ServerAction::Answer(Question::Authenticate(_))));
    session.answer().accept(OneMessage(1600).snapshot().unwrap()).unwrap();
    io(session.next_action(bench.start).unwrap());
    written(&mut session, bench.start);
    session
}

#[test]
fn h35_octets_do_not_move_the_deadline_before_login() {
    let bench = Bench::new();
    let mut session = bench.session();
    for second in 0..50 {
        let action = session.next_action(bench.start + Duration::from_secs(second)).unwrap();
        assert_eq!(io(action), Io::Read(bench.start + MINUTE));
        read(&mut session, if second % 10 == 9 { "\r\n" } else { "x" });
        if second % 10 == 9 {
            io(session.next_action(bench.start).unwrap());
            written(&mut session, bench.start);
        }
    }
}

#[test]
fn h36_a_command_renews_the_idle_deadline_and_octets_do_not() {
    let bench = Bench::new();
    let mut session = logged_in(&bench);
    let later = |minutes| bench.start + MINUTE * minutes;
    assert_eq!(io(session.next_action(later(1)).unwrap()), Io::Read(later(11)));
    read(&mut session, "NO");
    assert_eq!(io(session.next_action(later(5)).unwrap()), Io::Read(later(11)));
    read(&mut session, "OP\r\n");
    assert_eq!(io(session.next_action(later(6)).unwrap()), Io::Write(later(16)));
    written(&mut session, later(6));
    assert_eq!(io(session.next_action(later(7)).unwrap()), Io::Read(later(17)));
}

#[test]
fn one_deadline_holds_for_all_of_a_write_and_its_flush() {
    let bench = Bench::new();
    let mut session = logged_in(&bench);
    read(&mut session, "NOOP\r\nNOOP\r\n");
    let minutes = |minutes| bench.start + MINUTE * minutes;
    for minute in 0..5 {
        assert_eq!(io(session.next_action(minutes(minute)).unwrap()), Io::Write(minutes(10)));
        session.advance_written(1, minutes(minute));
    }
    session.advance_written(session.output().len(), minutes(5));
    for _ in 0..2 {
        assert_eq!(io(session.next_action(minutes(5)).unwrap()), Io::Flush(minutes(10)), "a cancelled flush is repeated");
    }
    session.flushed();
    assert_eq!(io(session.next_action(minutes(6)).unwrap()), Io::Read(minutes(16)));
}

#[test]
fn h40_replies_to_failed_logins_are_delayed_and_pipelined_guesses_wait_for_the_sum() {
    let bench = Bench::new();
    let (mut session, _) = bench.store_session(Mail { octets: 16, checks: None });
    let mut now = bench.start;
    let mut pauses = Vec::new();
    // The source is not known, so the session counts for itself: none, 1 s, 2 s.
    read(session.session(), "USER joe\r\nPASS a\r\nUSER joe\r\nPASS b\r\nUSER joe\r\nPASS c\r\n");
    let answer = loop {
        match session.next_action(now).unwrap() {
            StoreAction::Work => session.work_blocking(now).unwrap(),
            StoreAction::Io(ServerAction::Pause(until)) => {
                pauses.push(until - now);
                now = until;
                session.session().paused();
            }
            StoreAction::Io(ServerAction::Io(Io::Write(_))) => break written(session.session(), now),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(pauses, [Duration::from_secs(3)]);
    assert_eq!(answer.matches("-ERR [AUTH]").count(), 3, "{answer}");
}

#[test]
fn a_pipelined_login_is_checked_as_any_other() {
    let bench = Bench::new();
    let (mut session, mail) = bench.store_session(Mail { octets: 16, checks: Some(Mutex::default()) });
    read(session.session(), "USER busy\r\nPASS x\r\nUSER joe\r\nPASS y\r\n");
    let mut checked = Vec::new();
    let answer = loop {
        match session.next_action(bench.start).unwrap() {
            StoreAction::Check(pending, _) => {
                let (login, verifier) = mail.checks.as_ref().unwrap().lock().unwrap().pop().expect("a check is requested");
                checked.push(String::from_utf8(login.name.as_bytes().to_vec()).unwrap());
                verifier.finish(Ok(()));
                session.checked(pending.wait(None)).unwrap();
            }
            StoreAction::Work => session.work_blocking(bench.start).unwrap(),
            StoreAction::Io(ServerAction::Io(Io::Write(_))) => break written(session.session(), bench.start),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(checked, ["busy", "joe"]);
    assert!(answer.contains("-ERR [IN-USE]") && answer.ends_with("\r\n") && answer.contains("+OK"), "{answer}");
    assert!(!answer.contains("[AUTH]"), "the second login was right: {answer}");
}

#[test]
fn h33_output_gathers_for_a_fast_client_and_not_for_a_slow_one() {
    let bench = Bench::new();
    let most_output = |client_takes: Duration| {
        let (mut session, _) = bench.store_session(Mail { octets: 4 << 20, checks: None });
        read(session.session(), "USER joe\r\nPASS right\r\nRETR 1\r\n");
        let (mut now, mut most, mut all) = (bench.start, 0, 0);
        while all < 4 << 20 {
            match session.next_action(now).unwrap() {
                StoreAction::Work => session.work_blocking(now).unwrap(),
                StoreAction::Io(ServerAction::Io(Io::Write(_))) => {
                    most = most.max(session.session().output().len());
                    now += client_takes;
                    all += written(session.session(), now).len();
                }
                other => panic!("{other:?}"),
            }
        }
        most
    };
    let slow = most_output(Duration::from_millis(50));
    assert!((64 << 10..128 << 10).contains(&slow), "{slow}");
    let fast = most_output(Duration::from_millis(1));
    assert!((128 << 10..196 << 10).contains(&fast), "{fast}");
}

#[test]
fn h33_a_client_must_read_512_octets_a_second_on_the_whole() {
    let bench = Bench::new();
    let (mut session, _) = bench.store_session(Mail { octets: 1 << 20, checks: None });
    read(session.session(), "USER joe\r\nPASS right\r\nRETR 1\r\n");
    let (mut now, mut last) = (bench.start, bench.start);
    let limit = bench.start + MINUTE * 10 + Duration::from_secs((1 << 20) / 512);
    for _ in 0..3000 {
        match session.next_action(now).unwrap() {
            StoreAction::Work => session.work_blocking(now).unwrap(),
            StoreAction::Io(ServerAction::Io(Io::Write(deadline) | Io::Flush(deadline))) => {
                last = deadline;
                if now >= deadline {
                    break;
                }
                // It reads a whole buffer now and then: each write alone is in time.
                now += MINUTE * 9;
                written(session.session(), now);
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(last, limit, "no buffer that was read renews the time for the message");
}

#[test]
fn h42_a_session_ends_at_shutdown_when_it_would_read() {
    let bench = Bench::new();
    let mut session = logged_in(&bench);
    read(&mut session, "NOOP\r\n");
    session.shut_down();
    io(session.next_action(bench.start).unwrap());
    assert!(written(&mut session, bench.start).starts_with("+OK"), "the command that has come is answered");
    assert!(matches!(session.next_action(bench.start).unwrap(), ServerAction::Close(_)));
}

#[test]
fn s18_a_stream_that_ends_closes_the_session_and_commits_nothing() {
    let bench = Bench::new();
    let mut session = logged_in(&bench);
    read(&mut session, "DELE 1\r\n");
    io(session.next_action(bench.start).unwrap());
    written(&mut session, bench.start);
    session.advance_read(0);
    assert!(matches!(session.next_action(bench.start).unwrap(), ServerAction::Close(_)));
}

#[test]
fn xclient_is_refused_after_a_proxy_header_that_the_caller_has_read() {
    let peer = "127.0.0.1".parse().unwrap();
    let trusted = |proxy_protocol| {
        let mut options = ServerOptions { proxy_protocol, ..ServerOptions::dangerous_cleartext() };
        options.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        let bench = Bench::with_options(options);
        let arrival = Arrival::new(&bench.shared, Some(peer), bench.start);
        let session = ServerSession::new(Arc::clone(&bench.shared), arrival, ConnectionInfo::clear([1; 18]));
        session.connection().session().is_trusted()
    };
    assert!(trusted(false));
    assert!(!trusted(true), "every octet after the header is the client's");
}

/// Begins a session that counts, and pipelines a login and the retrieval of a large message.
fn counted(bench: &Bench) -> StoreSession<Blocking<Mail>> {
    let mut arrival = Arrival::new(&bench.shared, Some("192.0.2.1".parse().unwrap()), bench.start);
    arrival.admit(bench.shared.limiter().try_acquire().unwrap()).unwrap();
    let session = ServerSession::new(Arc::clone(&bench.shared), arrival, ConnectionInfo::clear([1; 18]));
    let mail = Arc::new(Mail { octets: 1 << 20, checks: None });
    let mut session = StoreSession::new(session, Blocking(mail), |work| work()).unwrap();
    session.next_action(bench.start).unwrap();
    written(session.session(), bench.start);
    read(session.session(), "USER joe\r\nPASS right\r\nRETR 1\r\n");
    session
}

#[test]
fn h39_a_session_whose_login_was_pipelined_does_not_give_way() {
    let bench = Bench::with_options(ServerOptions { max_sessions: 1, ..ServerOptions::dangerous_cleartext() });
    let mut session = counted(&bench);
    assert!(matches!(session.next_action(bench.start).unwrap(), StoreAction::Check(..) | StoreAction::Work));
    session.work_blocking(bench.start).unwrap();
    assert!(bench.shared.limiter().try_acquire().is_none(), "it is sending a message");
}

#[test]
fn h39_a_session_that_gave_way_does_nothing_more() {
    let bench = Bench::with_options(ServerOptions { max_sessions: 1, ..ServerOptions::dangerous_cleartext() });
    let mut session = counted(&bench);
    let _other = bench.shared.limiter().try_acquire().expect("the session before is not logged in");
    session.next_action(bench.start).unwrap_err();
}

#[test]
fn the_time_that_a_store_takes_is_not_counted_as_the_clients() {
    let bench = Bench::new();
    let (mut session, _) = bench.store_session(Mail { octets: 1 << 20, checks: None });
    read(session.session(), "USER joe\r\nPASS right\r\nRETR 1\r\n");
    assert!(matches!(session.next_action(bench.start).unwrap(), StoreAction::Work));
    session.work_blocking(bench.start).unwrap();
    let opened = bench.start + MINUTE * 11;
    match session.next_action(opened).unwrap() {
        StoreAction::Io(ServerAction::Io(Io::Write(deadline))) => assert!(deadline >= opened + MINUTE * 10),
        other => panic!("{other:?}"),
    }
}

#[test]
fn h33_a_write_has_the_time_that_it_takes_at_512_octets_a_second() {
    let mut options = ServerOptions::dangerous_cleartext();
    options.timeouts.idle = Duration::from_secs(10);
    let bench = Bench::with_options(options);
    let (mut session, _) = bench.store_session(Mail { octets: 1 << 20, checks: None });
    read(session.session(), "USER joe\r\nPASS right\r\nRETR 1\r\n");
    assert!(matches!(session.next_action(bench.start).unwrap(), StoreAction::Work));
    session.work_blocking(bench.start).unwrap();
    let StoreAction::Io(ServerAction::Io(Io::Write(deadline))) = session.next_action(bench.start).unwrap() else { panic!() };
    let octets = session.session().output().len() as u64;
    assert_eq!(deadline, bench.start + Duration::from_secs(octets / 512));
}

/// A store whose maildrops report the thread that drops them.
struct Reporting(Mutex<Sender<thread::ThreadId>>);

struct ReportingMaildrop(OneMessage, Sender<thread::ThreadId>);

impl Store for Reporting {
    type Maildrop = ReportingMaildrop;

    fn login(&self, _: &LoginAttempt, _: &Peer) -> Result<ReportingMaildrop, LoginError> {
        Ok(ReportingMaildrop(OneMessage(16), self.0.lock().unwrap().clone()))
    }
}

impl Maildrop for ReportingMaildrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        self.0.snapshot()
    }

    fn open(&mut self, number: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        self.0.open(number, None)
    }

    fn remove(&mut self, messages: &[MessageNumber]) -> Result<(), NotRemoved> {
        self.0.remove(messages)
    }
}

impl Drop for ReportingMaildrop {
    fn drop(&mut self) {
        self.1.send(thread::current().id()).unwrap();
    }
}

#[test]
fn a_maildrop_is_closed_where_blocking_does_no_harm_and_counts_until_then() {
    let bench = Bench::with_options(ServerOptions { max_sessions: 1, ..ServerOptions::dangerous_cleartext() });
    let (sender, dropped) = channel();
    let mut arrival = Arrival::new(&bench.shared, None, bench.start);
    arrival.admit(bench.shared.limiter().try_acquire().unwrap()).unwrap();
    let session = ServerSession::new(Arc::clone(&bench.shared), arrival, ConnectionInfo::clear([1; 18]));
    let run_elsewhere = |work: Box<dyn FnOnce() + Send>| thread::spawn(work).join().unwrap();
    let mut session = StoreSession::new(session, Blocking(Arc::new(Reporting(Mutex::new(sender)))), run_elsewhere).unwrap();
    session.next_action(bench.start).unwrap();
    written(session.session(), bench.start);
    read(session.session(), "USER joe\r\nPASS right\r\n");
    session.next_action(bench.start).unwrap();
    session.work_blocking(bench.start).unwrap();
    assert!(bench.shared.limiter().try_acquire().is_none());
    drop(session);
    assert_ne!(dropped.recv().unwrap(), thread::current().id());
    bench.shared.limiter().try_acquire().expect("the session has ended");
}

#[test]
fn h35_an_extension_before_login_is_answered_before_the_login_deadline() {
    let mut options = ServerOptions::dangerous_cleartext();
    options.config.extensions = vec![Extension::new("XPING").unwrap().permitted_before_login()];
    let bench = Bench::with_options(options);
    let (mut session, _) = bench.store_session(Mail { octets: 16, checks: None });
    read(session.session(), "XPING\r\n");
    assert!(matches!(session.next_action(bench.start).unwrap(), StoreAction::Work));
    assert_eq!(session.work_deadline(bench.start), Some(bench.start + MINUTE));
    session.work_blocking(bench.start).unwrap();
    assert!(matches!(session.next_action(bench.start).unwrap(), StoreAction::Io(ServerAction::Io(Io::Write(_)))));
    assert!(written(session.session(), bench.start).starts_with("-ERR"));
}

/// An observer that counts the sessions when it learns of the end.
struct Counting(Arc<ServerShared>, Sender<usize>);

impl Observer for Counting {
    fn ended(&mut self, _: SessionEnd) {
        self.1.send(self.0.limiter().sessions()).unwrap();
    }
}

#[test]
fn a_session_counts_until_its_observer_has_learned_of_the_end() {
    let (sender, ended) = channel();
    let shared: Arc<OnceLock<Arc<ServerShared>>> = Arc::default();
    let mut options = ServerOptions::dangerous_cleartext();
    let sender = Mutex::new(sender);
    let of_server = Arc::clone(&shared);
    options.observers = SessionObservers::new(move |_| {
        let shared = Arc::clone(of_server.get().unwrap());
        Some(Box::new(Counting(shared, sender.lock().unwrap().clone())))
    });
    let bench = Bench::with_options(options);
    shared.set(Arc::clone(&bench.shared)).unwrap();
    let permit = bench.shared.limiter().try_acquire().unwrap();
    let session = bench.session().with_permit(permit);
    let mail = Arc::new(Mail { octets: 16, checks: None });
    drop(StoreSession::new(session, Blocking(mail), |work| work()).unwrap());
    assert_eq!(ended.try_iter().last(), Some(1), "it still counted");
    assert_eq!(bench.shared.limiter().sessions(), 0);
}

/// An observer that reports why the session ended.
struct Reasons(Sender<Option<CloseReason>>);

impl Observer for Reasons {
    fn ended(&mut self, end: SessionEnd) {
        self.0.send(end.reason).unwrap();
    }
}

#[test]
fn an_observer_learns_why_a_driver_has_ended_the_session() {
    let ended = |end: &dyn Fn(&Bench, ServerSession)| {
        let (sender, reasons) = channel();
        let mut options = ServerOptions { max_sessions: 1, ..ServerOptions::dangerous_cleartext() };
        let sender = Mutex::new(sender);
        options.observers = SessionObservers::new(move |_| Some(Box::new(Reasons(sender.lock().unwrap().clone()))));
        let bench = Bench::with_options(options);
        let permit = bench.shared.limiter().try_acquire().unwrap();
        let arrival = Arrival::new(&bench.shared, None, bench.start).with_permit(permit);
        end(&bench, ServerSession::new(Arc::clone(&bench.shared), arrival, ConnectionInfo::clear([1; 18])));
        reasons.try_iter().collect::<Vec<_>>()
    };
    assert_eq!(ended(&|_, session| drop(session)), [None], "the client has gone");
    let timed_out = ended(&|_, session| {
        let error = session.failed(io::ErrorKind::TimedOut.into());
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    });
    assert_eq!(timed_out, [Some(CloseReason::TimedOut)]);
    assert_eq!(ended(&|_, session| drop(session.failed(io::ErrorKind::BrokenPipe.into()))), [None]);
    let gave_way = ended(&|bench, session| {
        let _other = bench.shared.limiter().try_acquire().expect("the session is not logged in");
        drop(session);
    });
    assert_eq!(gave_way, [Some(CloseReason::GaveWay)]);
    let shut_down = ended(&|bench, session| {
        bench.shared.limiter().begin_shutdown();
        drop(session);
    });
    assert_eq!(shut_down, [Some(CloseReason::ShutDown)]);
    let quit = ended(&|bench, mut session| {
        bench.shared.limiter().begin_shutdown();
        written(&mut session, bench.start);
        read(&mut session, "QUIT\r\n");
        while !matches!(session.next_action(bench.start).unwrap(), ServerAction::Close(_)) {
            written(&mut session, bench.start);
        }
    });
    assert_eq!(quit, [Some(CloseReason::Quit)], "what the protocol says comes first");
}
