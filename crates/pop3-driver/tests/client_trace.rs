//! What a client logs: names, levels and fields are an interface (docs/drivers.md).
#![cfg(feature = "tracing")]

use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use pop3_driver::proto::State;
use pop3_driver::proto::client::{ClientEvent, LoginPolicy, Observer, requests};
use pop3_driver::proto::sasl::{ChannelBinding, Credentials};
use pop3_driver::{ClientAction, ClientOptions, ClientSession, Endpoint, Io, Security};
use tracing_subscriber::filter::LevelFilter;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts what a caller's own observer is told.
struct Counting(Arc<Mutex<usize>>);

impl Observer for Counting {
    fn sent(&mut self, _: Option<State>, _: &str) {
        *self.0.lock().unwrap() += 1;
    }

    fn received(&mut self, _: Option<State>, _: &ClientEvent<'_>) {
        *self.0.lock().unwrap() += 1;
    }
}

/// Logs in to a server that says this, and loses the connection. Returns the log and what the observer was told.
fn logged(level: LevelFilter) -> (String, usize) {
    let (log, observed) = (Log::default(), Arc::default());
    let writer = log.clone();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(level).with_ansi(false).without_time().with_writer(move || writer.clone());
    tracing::subscriber::with_default(subscriber.finish(), || {
        let mut says = [&b"+OK ready\r\n"[..], b"+OK\r\n", b"+OK secret is fine\r\n"].into_iter();
        let options = ClientOptions::new(Security::DangerousAssumeEncrypted(ChannelBinding::default()));
        let now = Instant::now();
        let observer = Counting(Arc::clone(&observed));
        let mut session = ClientSession::new("pop.example.org", 995, &options, Some(Box::new(observer)), now).unwrap();
        let joe = Credentials::password("joe", "secret").unwrap();
        let policy = LoginPolicy { capa: false, mechanisms: Vec::new(), ..LoginPolicy::default() };
        let host = session.host();
        let mut login = requests::login(&joe, &policy, session.login_context(&host).unwrap());
        session.start(&mut login).unwrap();
        while let ClientAction::Io(io) = session.next_action(now, |connection| connection.next_action(&mut login)).unwrap() {
            match io {
                Io::Read(_) => {
                    let reply = says.next().unwrap();
                    session.unfilled()[..reply.len()].copy_from_slice(reply);
                    session.advance_read(reply.len());
                }
                Io::Write(_) => session.advance_written(session.output().len(), now),
                Io::Flush(_) => session.flushed(),
            }
        }
        session.logged_in(&joe);
        session.failed(io::ErrorKind::ConnectionReset.into());
    });
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let observed = *observed.lock().unwrap();
    (text, observed)
}

#[test]
fn h56_a_span_names_the_server_and_the_user_and_the_dialogue_has_no_secret() {
    let (log, observed) = logged(LevelFilter::TRACE);
    for line in [
        "TRACE",
        "C: USER joe",
        "C: PASS [redacted]",
        "S: +OK ready",
        r#"user="joe"}: pop3_driver::client_trace: logged in"#,
        "pop3_driver::client_trace: session failed error=connection reset",
        "pop3_driver::client_trace: session ended",
    ] {
        assert!(log.contains(line), "{line}:\n{log}");
    }
    let span = r#"host="pop.example.org" port=995"#;
    assert!(log.lines().all(|line| line.contains("client{id=") && line.contains(span)), "{log}");
    assert!(!log.contains("secret"), "{log}");
    assert_eq!(observed, 5, "the caller's observer is told all the same");
}

#[test]
fn below_trace_there_is_no_dialogue() {
    let (log, observed) = logged(LevelFilter::DEBUG);
    assert!(!log.contains("USER") && log.contains("logged in"), "{log}");
    assert_eq!(observed, 5);
}
