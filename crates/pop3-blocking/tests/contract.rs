//! What every driver must do, over this one.

mod peer;

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use peer::{Stream, blocking, spawn};
use pop3_blocking::maildrop::{LoginError, Memory, MemoryMaildrop, Peer, Store};
use pop3_blocking::proto::client::{CleartextLogin, ClientConfig, LoginPolicy, RemoteError, RequestError};
use pop3_blocking::proto::codec::{Command, MessageNumber};
use pop3_blocking::proto::sasl::ChannelBinding;
use pop3_blocking::proto::server::LoginAttempt;
use pop3_blocking::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions, tls};
use pop3_contract::client::{self, Act, Log};
use pop3_contract::server::{self, Maildrops};
use pop3_contract::starttls::{QUITS, cases, credentials};
use pop3_contract::{Cut, Feed, Transcript, is_drained, transcript};

fn options(config: ClientConfig, encrypted: bool) -> ClientOptions {
    let security = match encrypted {
        true => Security::DangerousAssumeEncrypted(ChannelBinding::default()),
        false => Security::DangerousCleartext,
    };
    ClientOptions { config, ..ClientOptions::new(security) }
}

/// Plays a transcript and gives every event as a line.
fn replay(transcript: &Transcript, cut: Cut) -> Vec<String> {
    let (config, encrypted) = client::set_up(transcript);
    let (log, feed) = (Log::default(), Feed::default());
    let mut acts = client::acts(transcript).into_iter();
    // A driver sends nothing before the greeting: the first act is to read it.
    let Some(Act::Read(greeting)) = acts.find(|act| !matches!(act, Act::Send { .. })) else { panic!("{}", transcript.name) };
    feed.push(&greeting, cut);
    let (stream, observer) = (Box::new(Stream(feed.clone())), Box::new(log.clone()));
    let mut session = match Client::with_stream(stream, "localhost", 110, &options(config, encrypted), Some(observer)) {
        Ok(session) => session,
        Err(error) => {
            note(&log, &error);
            return log.lines();
        }
    };
    drain(&mut session, &log);
    for act in acts {
        match act {
            Act::Send { command, wire } => {
                let before = feed.written().len();
                match session.send(command) {
                    Ok(_) => {
                        drain(&mut session, &log);
                        assert_eq!(&feed.written()[before..], wire, "what is sent");
                    }
                    Err(error) => log.note(format_args!("refused: {error}")),
                }
                continue;
            }
            Act::Read(bytes) => feed.push(&bytes, cut),
            Act::End => feed.end(),
        }
        if !drain(&mut session, &log) {
            break;
        }
    }
    log.lines()
}

/// Has events come until the feed is used up; false when the session has failed.
fn drain(session: &mut Client, log: &Log) -> bool {
    match session.next_event(|_| None::<()>) {
        Err(Error::Io(error)) if is_drained(&error) => true,
        Err(_) if log.is_closed() => true,
        Err(error) => {
            note(log, &error);
            assert_eq!(session.next_event(|_| None::<()>).unwrap_err().to_string(), error.to_string(), "an error stays");
            false
        }
        Ok(()) => unreachable!("nothing was waited for"),
    }
}

fn note(log: &Log, error: &Error) {
    // A greeting that refuses is an event, too.
    if !matches!(error, Error::Request(RequestError::Refused(_))) {
        log.note(format_args!("error {error}"));
    }
}

#[test]
fn every_cut_of_every_client_transcript_gives_its_events() {
    for transcript in transcript::load("client") {
        let mut expected = client::expected(&transcript);
        // What the core refuses before the greeting, and behind one that refuses, has no session to be said in.
        expected.retain(|line| !line.starts_with("refused: the greeting"));
        if expected.first().is_some_and(|line| line.starts_with("greeting -ERR")) {
            expected.truncate(1);
        }
        for cut in Cut::all(transcript.lines.iter().map(|line| line.bytes.len()).sum()) {
            client::check(&transcript, cut, &replay(&transcript, cut), &expected);
        }
    }
}

#[test]
fn every_cut_of_every_server_transcript_gives_its_replies() {
    let tls = with_tls().tls;
    for transcript in transcript::load("server") {
        let expected = server::expected(&transcript).replace("\nTLS\r\n", "\n");
        for cut in Cut::all(server::said(&transcript).len()) {
            let (config, info) = server::set_up(&transcript);
            let tls = tls.clone().filter(|_| config.stls);
            // The transcripts have no time.
            let max_login_backoff = Duration::ZERO;
            let server =
                Server::new(ServerOptions { config, tls, max_login_backoff, ..ServerOptions::dangerous_cleartext() }, Maildrops);
            let feed = Feed::default();
            feed.push(&server::said(&transcript), cut);
            let ended = server.serve_stream_with_info(Box::new(Stream(feed.clone())), info);
            let mut written = String::from_utf8_lossy(&feed.written()).into_owned();
            if ended.is_ok() {
                written += "CLOSE\r\n";
            }
            // A handshake that nobody goes on with ends with an alert.
            let written = written.split('\u{15}').next().unwrap_or_default();
            assert!(written == expected, "{} {cut:?}:\nis     {written:#?}\nshould {expected:#?}", transcript.name);
        }
    }
}

#[test]
fn h01_h02_h07_h08_h25_s45_s46_the_starttls_catalogue() {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = tls::client_trusting(certified.cert.pem().as_bytes()).unwrap();
    for case in cases() {
        for cut in [Cut::Whole, Cut::EveryByte, Cut::Random(1), Cut::Random(2)] {
            let feed = Feed::scripted(case.says.iter().map(Vec::as_slice), cut);
            let mut options = ClientOptions::new(Security::Stls(trusted.clone()));
            // Even somebody who allows cleartext logins gets none where STLS is demanded.
            options.config.cleartext_login = CleartextLogin::DangerouslyAllow;
            let policy = LoginPolicy { apop: true, ..LoginPolicy::default() };
            let stream = Box::new(Stream(feed.clone()));
            let ended = Client::with_stream_and_login(stream, "localhost", 110, &options, &credentials().unwrap(), &policy);
            match ended.expect_err("nobody does the handshake") {
                Error::Request(error) => {
                    case.check(!matches!(cut, Cut::Whole), Some(&error), &error.to_string(), &feed.written());
                }
                // The handshake has begun, and came to nothing.
                Error::Tls(_) => {
                    case.check(!matches!(cut, Cut::Whole), None, "", &feed.written());
                    assert!(feed.written().contains(&0x16), "{}: a ClientHello was sent", case.name);
                }
                other => panic!("{}: {other}", case.name),
            }
        }
    }
}

#[test]
fn h25_answers_to_quit_in_the_clear() {
    for (reply, refused) in QUITS {
        let feed = Feed::scripted([&b"+OK\r\n"[..], reply.as_bytes()], Cut::EveryByte);
        let options = ClientOptions::new(Security::DangerousCleartext);
        let session = Client::with_stream(Box::new(Stream(feed.clone())), "localhost", 110, &options, None).unwrap();
        let ended = session.quit();
        assert_eq!(ended.is_err(), refused, "{reply:?}");
        assert!(!ended.err().is_some_and(|error| error.to_string().chars().any(char::is_control)), "{reply:?}");
        assert_eq!(feed.written(), b"QUIT\r\n");
    }
}

#[test]
fn h13_a_message_cut_at_every_byte_is_no_message() {
    let says = b"+OK\r\nSubject: x\r\n\r\n..dot\r\n.\r\n";
    for cut in 0..=says.len() {
        let feed = Feed::scripted([&b"+OK\r\n"[..], b"-ERR\r\n", b"+OK\r\n", b"+OK\r\n", &says[..cut]], Cut::Whole);
        feed.end();
        let mut session =
            Client::with_stream(Box::new(Stream(feed)), "localhost", 110, &options(ClientConfig::default(), true), None).unwrap();
        session.login("joe", "secret").unwrap();
        let message = match session.retr(MessageNumber::FIRST) {
            Ok(message) => message.into_vec(),
            Err(error) => Err(error),
        };
        match message {
            Ok(text) => assert_eq!((cut, &text[..]), (says.len(), &b"Subject: x\r\n\r\n.dot\r\n"[..])),
            Err(error) => {
                assert!(matches!(error, Error::Request(RequestError::Remote(RemoteError::Closed(_)))), "{error}");
                assert!(cut < says.len());
            }
        }
    }
}

/// A session over what a client has said in advance; how it ended, and what was written.
fn serve(options: ServerOptions, listen: ListenSecurity, feed: &Feed) -> (Result<(), String>, Vec<u8>) {
    let server = Server::new(options, Maildrops);
    let ended = server.serve_stream(Box::new(Stream(feed.clone())), listen);
    (ended.map_err(|error| error.to_string()), feed.written())
}

fn with_tls() -> ServerOptions {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = certified.signing_key.serialize_pem();
    ServerOptions::with_tls(tls::server(certified.cert.pem().as_bytes(), key.as_bytes()).unwrap())
}

#[test]
fn h03_h04_nothing_behind_stls_is_executed_or_kept() {
    let behind = b"USER joe\r\nPASS se cret\r\nSTAT\r\n";
    for length in 1..=behind.len() {
        let said = [b"STLS\r\n", &behind[..length]].concat();
        for cut in [Cut::Whole, Cut::EveryByte, Cut::At(6), Cut::At(3), Cut::At(7)] {
            let feed = Feed::default();
            feed.push(&said, cut);
            feed.end();
            let (ended, written) = serve(with_tls(), ListenSecurity::Cleartext, &feed);
            assert!(ended.is_err(), "{length} {cut:?}");
            // Behind the +OK there is nothing, or an alert of a handshake that is none.
            let (replies, rest) = written.split_at("+OK POP3 server ready\r\n+OK begin TLS\r\n".len());
            assert_eq!(replies, b"+OK POP3 server ready\r\n+OK begin TLS\r\n");
            assert!(rest.is_empty() || rest[0] == 0x15, "{length} {cut:?}: {rest:?}");
        }
    }
}

#[test]
fn s49_q56_q58_failed_handshakes_are_answered_and_logged() {
    // A ClientHello of TLS 1.0 that knows no other version.
    let hello = [&[22, 3, 1, 0, 45, 1, 0, 0, 41, 3, 1][..], &[7; 32], &[0, 0, 2, 0, 47, 1, 0]].concat();
    for (said, told) in [(&b"USER joe\r\n"[..], "does not speak TLS"), (&hello, "too old")] {
        let feed = Feed::default();
        feed.push(said, Cut::Whole);
        feed.end();
        let (ended, written) = serve(with_tls(), ListenSecurity::ImplicitTls, &feed);
        let error = ended.unwrap_err();
        assert!(error.contains(told), "{error}");
        assert_eq!(written.first(), Some(&0x15), "an alert, and no greeting");
    }
}

#[test]
fn q45_s18_a_client_that_disconnects_after_quit_has_quit_and_one_before_has_not() {
    for (said, left) in [(&b"DELE 1\r\nQUIT\r\n"[..], 1), (b"DELE 1\r\nQUIT", 2), (b"DELE 1\r\n", 2)] {
        let store = Memory::new().with_user("joe", "secret", [b"a\n".to_vec(), b"b\n".to_vec()]);
        let server = Server::new(ServerOptions::dangerous_cleartext(), store.clone());
        let feed = Feed::default();
        feed.push(&[b"USER joe\r\nPASS secret\r\n", said].concat(), Cut::Random(3));
        feed.end();
        let _ = server.serve_stream(Box::new(Stream(feed)), ListenSecurity::Cleartext);
        assert_eq!(store.messages("joe").len(), left, "{}", said.escape_ascii());
    }
}

#[test]
fn s21_h36_a_session_that_times_out_gets_no_reply_and_removes_nothing() {
    let store = Memory::new().with_user("joe", "secret", [b"a\n".to_vec()]);
    let server = Server::new(ServerOptions::dangerous_cleartext(), store.clone());
    let feed = Feed::default();
    feed.push(b"USER joe\r\nPASS secret\r\nDELE 1\r\n", Cut::Whole);
    // Behind what is said the read comes to no end in its time.
    feed.be_silent();
    let ended = server.serve_stream(Box::new(Stream(feed.clone())), ListenSecurity::Cleartext);
    assert_eq!(ended.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    assert!(feed.written().ends_with(b"+OK marked as deleted\r\n"));
    assert_eq!(store.messages("joe").len(), 1);
}

#[test]
fn s25_every_greeting_has_another_timestamp() {
    let mut options = ServerOptions::dangerous_cleartext();
    options.config.apop = true;
    let server = Server::new(options, Maildrops);
    let mut greetings = std::collections::HashSet::new();
    for _ in 0..9 {
        let feed = Feed::default();
        feed.push(b"QUIT\r\n", Cut::Whole);
        server.serve_stream(Box::new(Stream(feed.clone())), ListenSecurity::Cleartext).unwrap();
        assert!(feed.written().contains(&b'@') && greetings.insert(feed.written()));
    }
}

/// Takes its time for every login.
struct Slow {
    asked: mpsc::Sender<()>,
    go_on: Mutex<mpsc::Receiver<()>>,
}

impl Store for Slow {
    type Maildrop = MemoryMaildrop;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<MemoryMaildrop, LoginError> {
        self.asked.send(()).unwrap();
        self.go_on.lock().unwrap().recv().unwrap();
        Memory::new().with_user("joe", "secret", []).login(login, &Peer::default())
    }
}

#[test]
fn h37_a_session_that_waits_for_its_application_reads_nothing() {
    let ((asked, is_asked), (go, go_on)) = (mpsc::channel(), mpsc::channel());
    let server = Server::new(ServerOptions::dangerous_cleartext(), Slow { asked, go_on: Mutex::new(go_on) });
    let feed = Feed::default();
    feed.push(&[&b"USER joe\r\nPASS secret\r\n"[..], &b"NOOP\r\n".repeat(1_000_000), b"QUIT\r\n"].concat(), Cut::Whole);
    let stream = Stream(feed.clone());
    let session = spawn(move || server.serve_stream(Box::new(stream), ListenSecurity::Cleartext));
    let waiting = spawn(move || {
        // The thread that the store blocks is one for that.
        blocking(move || is_asked.recv().unwrap());
        let taken = feed.taken();
        blocking(move || go.send(()).unwrap());
        (taken, feed)
    });
    let (taken, feed) = waiting.result();
    assert!(taken < 8 * 1024, "{taken} octets were read while nothing could be done with them");
    session.result().unwrap();
    assert!(feed.written().ends_with(b"+OK bye\r\n"));
}

#[test]
fn a_batch_of_commands_is_one_write() {
    let feed = Feed::default();
    feed.push(b"+OK\r\n", Cut::Whole);
    let mut session =
        Client::with_stream(Box::new(Stream(feed.clone())), "localhost", 110, &options(ClientConfig::default(), true), None)
            .unwrap();
    for command in [Command::Capa, Command::Lang(None), Command::Capa] {
        session.send(command).unwrap();
    }
    feed.push(b"-ERR\r\n-ERR\r\n-ERR\r\n", Cut::EveryByte);
    assert!(session.next_event(|_| None::<()>).is_err(), "the feed is used up");
    assert_eq!((feed.writes(), feed.written()), (1, b"CAPA\r\nLANG\r\nCAPA\r\n".to_vec()));
}
