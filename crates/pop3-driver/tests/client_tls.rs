//! TLS between a client's session and its stream, without a socket: the server is rustls in memory, and the test sets the clock.
#![cfg(feature = "server")]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

#[cfg(feature = "native-tls")]
use pop3_driver::native_tls;
use pop3_driver::proto::client::{Action, LoginPolicy, Request, Timeouts, requests};
use pop3_driver::proto::codec::{Command, MessageNumber};
use pop3_driver::proto::sasl::{ChannelBinding, Credentials};
use pop3_driver::tls::{self, ServerTls, TlsConnection, TlsConnector, TlsFailure};
use pop3_driver::{ClientAction, ClientOptions, ClientSession, Endpoint, Error, Io, Security, rustls};

struct Certified {
    tls: ServerTls,
    pem: String,
}

fn certified() -> Certified {
    let own = rcgen::generate_simple_self_signed(["a.example".to_owned()]).unwrap();
    let pem = own.cert.pem();
    Certified { tls: tls::server(pem.as_bytes(), own.signing_key.serialize_pem().as_bytes()).unwrap(), pem }
}

/// The connectors of this build that trust the certificate.
fn connectors(certified: &Certified) -> Vec<Arc<dyn TlsConnector>> {
    let rustls = tls::client_trusting(certified.pem.as_bytes()).unwrap();
    #[cfg(feature = "native-tls")]
    {
        let certificate = native_tls::Certificate::from_pem(certified.pem.as_bytes()).unwrap();
        let native = native_tls::TlsConnector::builder().add_root_certificate(certificate).build().unwrap();
        vec![rustls, Arc::new(native)]
    }
    #[cfg(not(feature = "native-tls"))]
    vec![rustls]
}

/// A session and its server, with at most `cut` octets in each read and write.
struct Connected {
    session: ClientSession,
    server: rustls::ServerConnection,
    /// What the server has received as text.
    said: Vec<u8>,
    /// What the server answers to the next lines.
    replies: VecDeque<Vec<u8>>,
    /// Octets on their way to the client.
    wire: Vec<u8>,
    cut: usize,
    /// How often the session was told that the stream has ended.
    ends: usize,
    now: Instant,
}

impl Connected {
    fn new(security: Security, certified: &Certified, cut: usize) -> Self {
        let now = Instant::now();
        let session = ClientSession::new("a.example", 995, &ClientOptions::new(security), None, now).unwrap();
        let server = rustls::ServerConnection::new(Arc::clone(&certified.tls.config)).unwrap();
        Self { session, server, said: Vec::new(), replies: VecDeque::new(), wire: Vec::new(), cut, ends: 0, now }
    }

    fn with_tls(connector: &Arc<dyn TlsConnector>, certified: &Certified, cut: usize) -> Self {
        Self::new(Security::Tls(connector.clone()), certified, cut)
    }

    /// Has the server answer the next line.
    fn server_answers(&mut self, reply: &[u8]) {
        self.replies.push_back(reply.to_vec());
    }

    /// Has the server say something.
    fn server_says(&mut self, mut text: &[u8]) {
        while !text.is_empty() {
            let count = self.server.writer().write(text).unwrap();
            text = &text[count..];
            while self.server.wants_write() {
                self.server.write_tls(&mut self.wire).unwrap();
            }
        }
    }

    /// Gives the server what the client has written.
    fn server_receives(&mut self, mut octets: &[u8]) {
        while !octets.is_empty() {
            self.server.read_tls(&mut octets).unwrap();
            // A server that refuses says so in an alert.
            let _ = self.server.process_new_packets();
            let mut text = [0; 4096];
            while let Ok(count @ 1..) = self.server.reader().read(&mut text) {
                self.said.extend_from_slice(&text[..count]);
                for _ in text[..count].iter().filter(|octet| **octet == b'\n') {
                    let reply = self.replies.pop_front().expect("an answer to each line");
                    self.server_says(&reply);
                }
            }
        }
        while self.server.wants_write() {
            self.server.write_tls(&mut self.wire).unwrap();
        }
    }

    fn perform(&mut self, io: Io) {
        match io {
            Io::Write(_) => {
                let count = self.session.output().len().min(self.cut);
                let octets = self.session.output()[..count].to_vec();
                self.session.advance_written(count, self.now);
                self.server_receives(&octets);
            }
            Io::Flush(_) => self.session.flushed(),
            // The stream has ended if the server has nothing more to say. That is told once or twice, and not for ever.
            Io::Read(_) => {
                self.ends += usize::from(self.wire.is_empty());
                assert!(self.ends < 5, "the session reads on behind the end of the stream");
                let space = self.session.unfilled();
                let count = self.wire.len().min(self.cut).min(space.len());
                space[..count].copy_from_slice(&self.wire[..count]);
                self.wire.drain(..count);
                self.session.advance_read(count);
            }
        }
    }

    fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, Error> {
        self.session.start(&mut request)?;
        loop {
            match self.session.next_action(self.now, |connection| connection.next_action(&mut request))? {
                ClientAction::Done(output) => return Ok(output),
                ClientAction::Io(io) => self.perform(io),
            }
        }
    }

    /// Logs in by `USER` and `PASS`, after the greeting.
    fn log_in(&mut self) {
        self.server_says(b"+OK ready\r\n");
        self.run(requests::greet()).unwrap();
        self.server_answers(b"+OK\r\n");
        self.server_answers(b"+OK\r\n");
        let (joe, host) = (Credentials::password("joe", "secret").unwrap(), self.session.host());
        let policy = LoginPolicy { capa: false, mechanisms: Vec::new(), ..LoginPolicy::default() };
        let mut login = requests::login(&joe, &policy, self.session.login_context(&host).unwrap());
        self.session.start(&mut login).unwrap();
        while let ClientAction::Io(io) =
            self.session.next_action(self.now, |connection| connection.next_action(&mut login)).unwrap()
        {
            self.perform(io);
        }
        assert_eq!(std::mem::take(&mut self.said), b"USER joe\r\nPASS secret\r\n");
    }

    /// Does what TLS itself has to do.
    fn settle(&mut self) -> Result<(), Error> {
        while let ClientAction::Io(io) = self.session.next_action(self.now, |_| Ok(Action::Done(())))? {
            self.perform(io);
        }
        Ok(())
    }
}

#[test]
fn sessions_are_the_same_at_every_cut() {
    let certified = certified();
    let message = b"0123456789abcdef\r\n".repeat(10_000);
    for connector in &connectors(&certified) {
        for cut in [1, 7, 100, 5_000, usize::MAX] {
            let mut connected = Connected::with_tls(connector, &certified, cut);
            connected.log_in();
            connected.server_answers(b"+OK 1 180000\r\n");
            assert_eq!(connected.run(requests::stat()).unwrap().octets, Some(180_000));
            connected.server_answers(&[b"+OK\r\n", message.as_slice(), b".\r\n"].concat());
            let tag = connected.session.connection_mut().send(Command::Retr(MessageNumber::FIRST)).unwrap();
            let mut text = Vec::new();
            loop {
                match connected.session.next_action(connected.now, |connection| connection.next_chunk(tag)).unwrap() {
                    ClientAction::Done(false) => break,
                    ClientAction::Done(true) => text.extend_from_slice(connected.session.connection().chunk()),
                    ClientAction::Io(io) => connected.perform(io),
                }
            }
            assert!(text == message, "cut {cut}: {} octets", text.len());
            assert_eq!(connected.said, b"STAT\r\nRETR 1\r\n", "cut {cut}");
        }
    }
}

#[test]
fn a_call_that_is_dropped_within_the_handshake_leaves_the_session_usable() {
    let certified = certified();
    let connector = &connectors(&certified)[0];
    let mut connected = Connected::with_tls(connector, &certified, 50);
    connected.server_says(b"+OK ready\r\n");
    let mut greet = requests::greet();
    connected.session.start(&mut greet).unwrap();
    loop {
        // Every action is asked for twice, as by a driver whose future was dropped in the action.
        let mut next = || connected.session.next_action(connected.now, |connection| connection.next_action(&mut greet)).unwrap();
        let (dropped, again) = (next(), next());
        match (dropped, again) {
            (ClientAction::Io(dropped), ClientAction::Io(again)) => {
                assert_eq!(dropped, again);
                connected.perform(again);
            }
            _ => break,
        }
    }
    connected.server_answers(b"+OK\r\nTOP\r\n.\r\n");
    assert!(connected.run(requests::capa()).unwrap().top);
}

#[test]
fn s36_s46_stls_binds_logins_to_the_connection() {
    let certified = certified();
    for connector in &connectors(&certified) {
        let mut connected = Connected::new(Security::Stls(connector.clone()), &certified, 33);
        connected.wire.extend_from_slice(b"+OK ready\r\n");
        connected.run(requests::greet()).unwrap();
        // The server's answer in the clear; what the client says before the handshake is not for rustls.
        connected.wire.extend_from_slice(b"+OK begin TLS\r\n");
        let mut stls = requests::stls();
        connected.session.start(&mut stls).unwrap();
        let mut said = Vec::new();
        while let ClientAction::Io(io) =
            connected.session.next_action(connected.now, |connection| connection.next_action(&mut stls)).unwrap()
        {
            match io {
                Io::Write(_) => {
                    said.extend_from_slice(connected.session.output());
                    connected.session.advance_written(connected.session.output().len(), connected.now);
                }
                io => connected.perform(io),
            }
        }
        assert_eq!(said, b"STLS\r\n");
        connected.session.upgrade().unwrap();
        connected.settle().unwrap();
        let binding = connected.session.binding();
        assert_eq!(binding.server_end_point, certified.tls.server_end_point);
        let of_server = tls::connection_info(&connected.server, &certified.tls).unwrap().binding.exporter;
        assert!(binding.exporter.is_none_or(|exporter| Some(exporter) == of_server));
        connected.server_answers(b"+OK\r\n.\r\n");
        connected.run(requests::capa()).unwrap();
        assert_eq!(connected.said, b"CAPA\r\n");
    }
}

#[test]
fn h11_a_server_that_is_not_trusted_learns_it_and_gets_no_octet_of_text() {
    let [certified, another] = [certified(), certified()];
    for connector in &connectors(&another) {
        let mut connected = Connected::with_tls(connector, &certified, 64);
        connected.server_says(b"+OK ready\r\n");
        for _ in 0..2 {
            let error = connected.run(requests::greet()).unwrap_err();
            assert!(matches!(error, Error::Tls(_)), "{error}");
        }
        assert!(!connected.session.is_alive());
        assert_eq!(connected.said, b"");
    }
    let mut connected = Connected::with_tls(&connectors(&another)[0], &certified, 64);
    let error = connected.run(requests::greet()).unwrap_err();
    assert!(matches!(error, Error::Tls(TlsFailure::SelfSigned)), "{error}");
    let refused = connected.server.process_new_packets().unwrap_err();
    assert!(matches!(refused, rustls::Error::AlertReceived(_)), "{refused}");
}

#[test]
fn s50_a_certificate_for_another_host_is_refused() {
    let certified = certified();
    for connector in &connectors(&certified) {
        let options = ClientOptions::new(Security::Tls(connector.clone()));
        let mut connected = Connected::with_tls(connector, &certified, 1_000);
        connected.session = ClientSession::new("b.example", 995, &options, None, connected.now).unwrap();
        let error = connected.run(requests::greet()).unwrap_err();
        assert!(matches!(error, Error::Tls(_)), "{error}");
    }
}

#[test]
fn a_server_that_leaves_within_the_handshake_is_named() {
    let certified = certified();
    for connector in &connectors(&certified) {
        let mut connected = Connected::with_tls(connector, &certified, 200);
        let mut greet = requests::greet();
        connected.session.start(&mut greet).unwrap();
        let error = loop {
            match connected.session.next_action(connected.now, |connection| connection.next_action(&mut greet)) {
                Ok(ClientAction::Io(Io::Read(_))) => connected.session.advance_read(0),
                Ok(ClientAction::Io(io)) => connected.perform(io),
                Ok(ClientAction::Done(_)) => panic!("there was no handshake"),
                Err(error) => break error,
            }
        };
        assert_eq!(error.to_string(), "TLS: the server closed the connection during the TLS handshake");
    }
}

#[test]
fn h12_octets_of_a_handshake_do_not_renew_its_deadline() {
    let certified = certified();
    let mut connected = Connected::with_tls(&connectors(&certified)[0], &certified, 10);
    let until = connected.now + Timeouts::default().connect;
    let mut greet = requests::greet();
    connected.session.start(&mut greet).unwrap();
    for _ in 0..40 {
        let action = connected.session.next_action(connected.now, |connection| connection.next_action(&mut greet)).unwrap();
        let ClientAction::Io(io) = action else { panic!("the handshake is not done") };
        assert_eq!(io.deadline(), until);
        connected.perform(io);
        connected.now += Duration::from_secs(1);
    }
    let timed_out = connected.session.failed(std::io::ErrorKind::TimedOut.into());
    assert!(matches!(timed_out, Error::TimedOut { waiting_for: "the TLS handshake was done", .. }), "{timed_out}");
}

#[test]
fn q43_a_record_that_is_forged_breaks_the_session_for_good() {
    let certified = certified();
    for connector in &connectors(&certified) {
        let mut connected = Connected::with_tls(connector, &certified, usize::MAX);
        connected.log_in();
        connected.server_says(b"+OK 1 100\r\n");
        *connected.wire.last_mut().unwrap() ^= 1;
        connected.server_answers(b"");
        for _ in 0..2 {
            let error = connected.run(requests::stat()).unwrap_err();
            assert!(matches!(error, Error::Io(_)) && error.is_disconnect(), "{error}");
            assert!(!connected.session.is_alive());
        }
    }
}

#[test]
fn new_keys_of_the_server_are_answered() {
    let certified = certified();
    let mut connected = Connected::with_tls(&connectors(&certified)[0], &certified, 1);
    connected.log_in();
    for octets in [100, 200] {
        connected.server.refresh_traffic_keys().unwrap();
        connected.server_answers(format!("+OK 1 {octets}\r\n").as_bytes());
        assert_eq!(connected.run(requests::stat()).unwrap().octets, Some(octets));
    }
    connected.settle().unwrap();
    assert_eq!(connected.said, b"STAT\r\nSTAT\r\n");
}

#[test]
fn closing_says_farewell() {
    let certified = certified();
    for connector in &connectors(&certified) {
        let mut connected = Connected::with_tls(connector, &certified, 20);
        connected.server_says(b"+OK ready\r\n");
        connected.run(requests::greet()).unwrap();
        connected.session.close();
        connected.settle().unwrap();
        assert!(connected.server.process_new_packets().unwrap().peer_has_closed());
    }
}

#[test]
fn q56_a_server_in_the_clear_is_named() {
    let certified = certified();
    let mut connected = Connected::with_tls(&connectors(&certified)[0], &certified, 1_000);
    connected.wire.extend_from_slice(b"+OK POP3 server ready\r\n");
    let error = connected.run(requests::greet()).unwrap_err();
    assert!(matches!(error, Error::Tls(TlsFailure::NotTls)), "{error}");
}

/// Begins a session with `STLS`, and does what is needed until the server has agreed to it.
fn agreed(connector: &Arc<dyn TlsConnector>, certified: &Certified) -> Connected {
    let mut connected = Connected::new(Security::Stls(connector.clone()), certified, 1_000);
    connected.wire.extend_from_slice(b"+OK ready\r\n");
    connected.run(requests::greet()).unwrap();
    connected.wire.extend_from_slice(b"+OK begin TLS\r\n");
    let mut stls = requests::stls();
    connected.session.start(&mut stls).unwrap();
    let mut next =
        |session: &mut ClientSession, now| session.next_action(now, |connection| connection.next_action(&mut stls)).unwrap();
    while let ClientAction::Io(io) = next(&mut connected.session, connected.now) {
        match io {
            // What is said in the clear is not for rustls.
            Io::Write(_) => connected.session.advance_written(connected.session.output().len(), connected.now),
            io => connected.perform(io),
        }
    }
    connected
}

/// TLS that cannot begin.
#[derive(Debug)]
struct Unusable;

impl TlsConnector for Unusable {
    fn begin(self: Arc<Self>, _: &str) -> Result<Box<dyn TlsConnection>, Error> {
        Err(Error::Tls(TlsFailure::Other("it cannot begin".to_owned())))
    }
}

#[test]
fn h10_after_tls_that_cannot_begin_no_password_is_sent() {
    let certified = certified();
    let unusable: Arc<dyn TlsConnector> = Arc::new(Unusable);
    let mut connected = agreed(&unusable, &certified);
    assert!(matches!(connected.session.upgrade(), Err(Error::Tls(_))));
    let joe = Credentials::password("joe", "secret").unwrap();
    let policy = LoginPolicy { capa: false, stls: false, mechanisms: Vec::new(), ..LoginPolicy::default() };
    let mut login = requests::login(&joe, &policy, connected.session.login_context("a.example").unwrap());
    let begun = connected.session.start(&mut login);
    let begun =
        begun.and_then(|()| connected.session.next_action(connected.now, |connection| connection.next_action(&mut login)));
    let error = begun.map(|_| ()).unwrap_err();
    assert!(matches!(error, Error::Request(_)), "{error}");
    assert_eq!(connected.session.output(), b"", "not even the name");
}

#[test]
fn h10_closing_within_a_handshake_sends_nothing_in_the_clear() {
    let certified = certified();
    let mut connected = agreed(&connectors(&certified)[0], &certified);
    connected.session.upgrade().unwrap();
    connected.session.close();
    for _ in 0..2 {
        let error = connected.settle().unwrap_err();
        assert!(error.to_string().contains("given up"), "{error}");
        assert_eq!(connected.session.output(), b"");
    }
}

#[test]
fn h11_the_reason_stays_the_same_whatever_is_asked_again() {
    let (certified, another) = (certified(), certified());
    let mut connected = Connected::with_tls(&connectors(&another)[0], &certified, 1);
    for _ in 0..100 {
        let error = connected.run(requests::greet()).unwrap_err();
        assert!(matches!(error, Error::Tls(TlsFailure::SelfSigned)), "{error}");
    }
}

/// TLS that takes nothing, or that fails when it is read.
#[derive(Clone, Debug, Default)]
struct Stuck {
    fails: bool,
    has_received: bool,
}

impl TlsConnector for Stuck {
    fn begin(self: Arc<Self>, _: &str) -> Result<Box<dyn TlsConnection>, Error> {
        Ok(Box::new(Self::clone(&self)))
    }
}

impl TlsConnection for Stuck {
    fn is_handshaking(&self) -> bool {
        false
    }

    fn receive(&mut self, sealed: &[u8]) -> Result<usize, TlsFailure> {
        assert!(!std::mem::replace(&mut self.has_received, true), "it is not asked again");
        Ok(if self.fails { sealed.len() } else { 0 })
    }

    fn read(&mut self, _: &mut [u8]) -> Result<Option<usize>, TlsFailure> {
        if self.fails && self.has_received { Err(TlsFailure::Other("out of order".to_owned())) } else { Ok(None) }
    }

    fn write(&mut self, _: &[u8]) -> Result<usize, TlsFailure> {
        Ok(0)
    }

    fn take_sealed(&mut self, _: &mut Vec<u8>) {}

    fn close(&mut self) {}

    fn channel_binding(&self) -> ChannelBinding {
        ChannelBinding::default()
    }
}

#[test]
fn a_library_that_takes_no_octets_is_an_error_and_no_endless_loop() {
    let certified = certified();
    let stuck: Arc<dyn TlsConnector> = Arc::new(Stuck::default());
    let mut reading = Connected::with_tls(&stuck, &certified, 1_000);
    reading.wire.extend_from_slice(b"+OK\r\n");
    let error = reading.run(requests::greet()).unwrap_err();
    assert_eq!(error.to_string(), "TLS takes no more octets of the server");
    let mut writing = Connected::with_tls(&stuck, &certified, 1_000);
    writing.session.connection_mut().unfilled()[..5].copy_from_slice(b"+OK\r\n");
    writing.session.connection_mut().advance_read(5).unwrap();
    writing.run(requests::greet()).unwrap();
    let error = writing.run(requests::capa()).unwrap_err();
    assert_eq!(error.to_string(), "TLS takes no more octets for the server");
}

#[test]
fn q43_a_library_that_fails_within_the_session_breaks_it_for_good() {
    let certified = certified();
    let failing: Arc<dyn TlsConnector> = Arc::new(Stuck { fails: true, ..Stuck::default() });
    let mut connected = Connected::with_tls(&failing, &certified, 1_000);
    connected.wire.extend_from_slice(b"+OK\r\n");
    for _ in 0..2 {
        let error = connected.run(requests::greet()).unwrap_err();
        assert!(error.is_disconnect() && error.to_string() == "out of order", "{error}");
    }
}
