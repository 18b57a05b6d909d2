//! A session over a store: who is let in, and how messages are sent and removed.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pop3_maildrop::{
    Blocking, LoginDelayed, LoginError, LoginRefusal, Maildrop, Memory, MemoryMaildrop, NotRemoved, Peer, Store, StoreResponder,
};
use pop3_proto::codec::{ApopDigest, MessageNumber, UniqueId};
use pop3_proto::sasl::{ChannelBinding, Credentials, ExchangeContext, Mechanism, PresentedCredentials, client_mechanism};
use pop3_proto::server::{
    Action, Connection, ConnectionInfo, Extension, ExtensionReply, ExtensionRequest, LoginAttempt, ServerConfig, Snapshot,
};

struct Session<S: Store> {
    connection: Connection,
    responder: StoreResponder<Blocking<S>>,
    greeting: String,
}

impl<S: Store> Session<S> {
    /// A session over TLS, in which the client has shown this certificate.
    fn new(store: &Arc<S>, certificate: Option<&[u8]>) -> Self {
        let config = ServerConfig { mechanisms: Mechanism::ALL.to_vec(), apop: true, ..ServerConfig::default() };
        Self::with_config(store, certificate, config)
    }

    fn with_config(store: &Arc<S>, certificate: Option<&[u8]>, config: ServerConfig) -> Self {
        let info = ConnectionInfo {
            certificate: certificate.map(Arc::from),
            ..ConnectionInfo::encrypted([1; 18], ChannelBinding::default())
        };
        let connection = Connection::new(config.into(), info);
        let mut session =
            Self { connection, responder: StoreResponder::for_blocking(Arc::clone(store), [2; 18]), greeting: String::new() };
        session.greeting = session.say("").unwrap();
        session
    }

    /// What is answered.
    fn say(&mut self, said: &str) -> io::Result<String> {
        if !said.is_empty() {
            self.connection.unfilled()[..said.len()].copy_from_slice(said.as_bytes());
            self.connection.advance_read(said.len());
        }
        let mut answer = String::new();
        loop {
            match self.responder.advance_blocking(&mut self.connection)? {
                Action::Write => {
                    assert!(!self.connection.output().is_empty());
                    answer += str::from_utf8(self.connection.output()).unwrap();
                    self.connection.advance_written(self.connection.output().len());
                }
                Action::Answer(question) => self.responder.answer_blocking(&mut self.connection, question)?,
                _ => return Ok(answer),
            }
        }
    }

    fn auth(&mut self, mechanism: Mechanism, credentials: &Credentials) -> String {
        let binding = ChannelBinding::default();
        let context = ExchangeContext { host: "host", port: 110, nonce: [7; 18], binding: &binding, plus_is_offered: false };
        let mut client = client_mechanism(mechanism, credentials, &context).unwrap();
        let mut answer = self.say(&format!("AUTH {mechanism}\r\n")).unwrap();
        let mut first = client.initial_response();
        while let Some(challenge) = answer.strip_prefix("+ ") {
            let challenge = STANDARD.decode(challenge.trim_end()).unwrap();
            let response = first.take().unwrap_or_else(|| client.respond(&challenge).unwrap());
            answer = self.say(&format!("{}\r\n", STANDARD.encode(response.expose()))).unwrap();
        }
        answer
    }
}

/// Tries all that `joe` may have, once right and once wrong.
fn every_login<S: Store>(store: &Arc<S>) {
    for mechanism in Mechanism::ALL.into_iter().filter(|mechanism| !mechanism.uses_channel_binding()) {
        let (right, wrong) = match mechanism {
            Mechanism::OauthBearer | Mechanism::Xoauth2 => ("token", "no token"),
            _ => ("secret", "Secret"),
        };
        for (given, expected) in [(right, "+OK"), (wrong, "-ERR [AUTH]"), (right, "+OK")] {
            let credentials = match mechanism {
                Mechanism::OauthBearer | Mechanism::Xoauth2 => Credentials::token("joe", given).unwrap(),
                Mechanism::External | Mechanism::Anonymous => continue,
                _ => Credentials::password("joe", given).unwrap(),
            };
            let answer = Session::new(store, None).auth(mechanism, &credentials);
            assert!(answer.starts_with(expected), "{mechanism} {given}: {answer}");
        }
    }
    for (password, expected) in [("secret", "+OK"), ("Secret", "-ERR [AUTH]")] {
        let mut session = Session::new(store, None);
        let answer = session.say(&format!("USER joe\r\nPASS {password}\r\n")).unwrap();
        assert!(answer.lines().last().unwrap().starts_with(expected), "{answer}");
        drop(session);
        let mut session = Session::new(store, None);
        let timestamp = &session.greeting[session.greeting.find('<').unwrap()..].trim_end();
        let digest = ApopDigest::of(timestamp.as_bytes(), password.as_bytes());
        let digest: String = digest.expose().iter().map(|octet| format!("{octet:02x}")).collect();
        let answer = session.say(&format!("APOP joe {digest}\r\n")).unwrap();
        assert!(answer.starts_with(expected), "{answer}");
    }
    for (certificate, name, expected) in
        [(&b"joe's"[..], "joe", "+OK"), (b"joe's", "", "+OK"), (b"ann's", "joe", "-ERR [AUTH]"), (b"ann's", "", "-ERR [AUTH]")]
    {
        let credentials = Credentials::External { name: name.into() };
        let answer = Session::new(store, Some(certificate)).auth(Mechanism::External, &credentials);
        assert!(answer.starts_with(expected), "{name}: {answer}");
    }
    let anonymous = Credentials::Anonymous { trace: b"joe".to_vec() };
    assert!(Session::new(store, None).auth(Mechanism::Anonymous, &anonymous).starts_with("-ERR [AUTH]"), "a trace is no name");
}

fn memory() -> Memory {
    Memory::new()
        .with_user("ann", "other", [])
        .with_user("joe", "secret", [b"1\n".to_vec(), b"2\n".to_vec()])
        .with_token("joe", "token")
        .with_certificate("joe", b"joe's".to_vec())
}

#[test]
fn every_mechanism_opens_the_maildrop_with_right_credentials_only() {
    every_login(&Arc::new(memory()));
    every_login(&Arc::new(LoginDelayed::new(memory(), std::time::Duration::ZERO)));
}

#[test]
fn s41_the_pause_is_by_whose_mail_it_is() {
    let store = Arc::new(LoginDelayed::new(memory(), std::time::Duration::from_secs(3600)));
    let external = |name: &str| Credentials::External { name: name.into() };
    let login = |name| Session::new(&store, Some(b"joe's")).auth(Mechanism::External, &external(name));
    assert!(login("").starts_with("+OK"));
    assert!(login("joe").starts_with("-ERR [LOGIN-DELAY]"), "another name for the same");
    let ann = store.login(&pop3_maildrop::password_login("ann", "other").unwrap(), &Peer::default()).unwrap();
    assert_eq!(ann.owner(), Some(&b"ann"[..]));
}

#[test]
fn unknown_users_look_like_known_ones() {
    let store = Arc::new(memory());
    let salt = |name: &str, store| {
        let first = STANDARD.encode(format!("n,,n={name},r=abc"));
        let answer = Session::new(store, None).say(&format!("AUTH SCRAM-SHA-256 {first}\r\n")).unwrap();
        let challenge = STANDARD.decode(answer.strip_prefix("+ ").unwrap().trim_end()).unwrap();
        String::from_utf8(challenge).unwrap().split(',').nth(1).unwrap().to_owned()
    };
    assert_eq!(salt("nobody", &store).len(), salt("joe", &store).len());
    assert_eq!(salt("nobody", &store), salt("nobody", &store), "the same each time");
    assert_ne!(salt("nobody", &store), salt("no one", &store));
}

/// One message that comes as the reader gives it; removing it fails.
struct Odd(fn() -> io::Result<Box<dyn Read + Send>>);

struct OddDrop(fn() -> io::Result<Box<dyn Read + Send>>);

impl Store for Odd {
    type Maildrop = OddDrop;

    fn login(&self, login: &LoginAttempt, _: &Peer) -> Result<OddDrop, LoginError> {
        match login.credentials {
            PresentedCredentials::Password(_) => Ok(OddDrop(self.0)),
            _ => Err(LoginError::Credentials),
        }
    }
}

impl Maildrop for OddDrop {
    fn snapshot(&mut self) -> io::Result<Snapshot> {
        let mut snapshot = Snapshot::default();
        snapshot.push(8, UniqueId::new(b"one").unwrap()).unwrap();
        Ok(snapshot)
    }

    fn open(&mut self, _: MessageNumber, _: Option<u64>) -> io::Result<Box<dyn Read + Send>> {
        (self.0)()
    }

    fn remove(&mut self, marked: &[MessageNumber]) -> Result<(), NotRemoved> {
        NotRemoved::check(marked.iter().map(|number| (*number, ErrorKind::PermissionDenied.into())).collect())
    }
}

/// A disk on which somebody sends signals, and which breaks where it says so.
struct Interrupted {
    pieces: &'static [&'static str],
    interrupted: bool,
}

impl Read for Interrupted {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(ErrorKind::Interrupted.into());
        }
        let Some((piece, rest)) = self.pieces.split_first() else { return Ok(0) };
        if *piece == "broken" {
            return Err(io::Error::other("broken"));
        }
        self.pieces = rest;
        space[..piece.len()].copy_from_slice(piece.as_bytes());
        Ok(piece.len())
    }
}

fn logged_in(open: fn() -> io::Result<Box<dyn Read + Send>>) -> Session<Odd> {
    let mut session = Session::new(&Arc::new(Odd(open)), None);
    assert!(session.say("USER joe\r\nPASS x\r\n").unwrap().contains("+OK"));
    session
}

#[test]
fn a_read_that_is_interrupted_is_tried_again() {
    assert_eq!(OddDrop(|| Err(ErrorKind::NotFound.into())).owner(), None, "who logs in is whose it is");
    let mut session = logged_in(|| Ok(Box::new(Interrupted { pieces: &["A: b\n", ".\n"], interrupted: false })));
    assert!(session.say("RETR 1\r\n").unwrap().ends_with(" octets\r\nA: b\r\n..\r\n.\r\n"));
    assert!(!session.responder.is_sending());
}

#[test]
fn h13_a_message_that_breaks_off_has_no_end() {
    let mut session = logged_in(|| Ok(Box::new(Interrupted { pieces: &["A: b\n", "broken"], interrupted: false })));
    session.say("RETR 1\r\n").unwrap_err();
    assert!(!session.connection.output().ends_with(b"\r\n.\r\n"));
}

#[test]
fn s19_s39_messages_that_cannot_be_opened_or_removed_are_reported() {
    let gone = logged_in(|| Err(ErrorKind::NotFound.into()));
    let broken = logged_in(|| Err(ErrorKind::Other.into()));
    for (mut session, is_gone) in [(gone, true), (broken, false)] {
        let answer = session.say("RETR 1\r\n").unwrap();
        assert!(answer.starts_with("-ERR [SYS/TEMP]"), "{answer}");
        assert_eq!(answer.contains("not there any more"), is_gone, "{answer}");
        assert!(session.say("DELE 1\r\nQUIT\r\n").unwrap().contains("\r\n-ERR"), "not all is removed");
    }
}

/// A store that denies every login in its own words.
struct Denying(Option<&'static str>);

impl Store for Denying {
    type Maildrop = MemoryMaildrop;

    fn login(&self, _: &LoginAttempt, peer: &Peer) -> Result<MemoryMaildrop, LoginError> {
        assert!(peer.encrypted);
        let refusal = LoginRefusal::new("get an app password at https://example.org").unwrap();
        Err(LoginError::Denied(match self.0 {
            Some(code) => refusal.with_code(code).unwrap(),
            None => refusal,
        }))
    }
}

#[test]
fn s39_a_store_denies_logins_in_its_own_words_and_its_code_decides_whether_they_count() {
    for (code, reply, counts) in [
        (None, "-ERR get an app password at https://example.org\r\n", true),
        (Some("AUTH"), "-ERR [AUTH] get an app password at https://example.org\r\n", true),
        (Some("X-APP-PASSWORD"), "-ERR [X-APP-PASSWORD] get an app password at https://example.org\r\n", true),
        (Some("SYS/PERM"), "-ERR [SYS/PERM] get an app password at https://example.org\r\n", false),
        (Some("IN-USE"), "-ERR [IN-USE] get an app password at https://example.org\r\n", false),
    ] {
        let mut session = Session::new(&Arc::new(Denying(code)), None);
        let answer = session.say("USER joe\r\nPASS x\r\n").unwrap();
        assert!(answer.ends_with(reply), "{answer}");
        assert_eq!(session.connection.session().failed_logins(), u32::from(counts), "{code:?}");
        let token = Credentials::token("joe", "x").unwrap();
        assert!(session.auth(Mechanism::Xoauth2, &token).ends_with(reply), "without a challenge");
    }
    assert!(LoginRefusal::new("a\r\nb").is_err() && LoginRefusal::new("[AUTH] x").is_err());
    let refusal = || LoginRefusal::new("x").unwrap();
    for code in ["", "A]", "A B", "[A", &"A".repeat(65)] {
        assert!(refusal().with_code(code).is_err(), "{code}");
    }
}

/// A store with a command of its own.
struct Counting(Memory);

impl Store for Counting {
    type Maildrop = MemoryMaildrop;

    fn login(&self, login: &LoginAttempt, peer: &Peer) -> Result<MemoryMaildrop, LoginError> {
        self.0.login(login, peer)
    }

    fn extension(&self, request: &ExtensionRequest, user: Option<&[u8]>) -> ExtensionReply {
        let user = user.map(String::from_utf8_lossy);
        ExtensionReply::ok(&format!("{} of {user:?} with {:?}", request.keyword, String::from_utf8_lossy(&request.arguments)))
            .unwrap()
    }
}

#[test]
fn a_store_answers_commands_of_its_own() {
    let extensions = vec![Extension::new("XCOUNT").unwrap().permitted_before_login()];
    let mechanisms = vec![Mechanism::External];
    let config = ServerConfig { extensions, mechanisms, ..ServerConfig::default() };
    let store = Arc::new(LoginDelayed::new(Counting(memory()), std::time::Duration::ZERO));
    let mut session = Session::with_config(&store, Some(b"joe's"), config.clone());
    assert_eq!(session.say("XCOUNT a b\r\n").unwrap(), "+OK XCOUNT of None with \"a b\"\r\n");
    // The name of the maildrop's owner, whatever the login was.
    let answer = session.say("AUTH EXTERNAL =\r\nxcount\r\n").unwrap();
    assert!(answer.ends_with("+OK XCOUNT of Some(\"joe\") with \"\"\r\n"), "{answer}");
    let mut session = Session::with_config(&Arc::new(memory()), None, config);
    assert_eq!(session.say("XCOUNT\r\n").unwrap(), "-ERR the command is not available\r\n", "a store that does not know it");
}
