//! Both connections in memory, logging in by every mechanism.

use pop3_proto::Transport;
use pop3_proto::client::requests::{self, Request};
use pop3_proto::client::{self, ClientConfig, LoginContext, LoginOutcome, LoginPolicy, RemoteError, RequestError};
use pop3_proto::codec::ResponseCode;
use pop3_proto::sasl::{ChannelBinding, Credentials, Mechanism, PresentedCredentials, SaslError, ScramKeys};
use pop3_proto::server::{self, ConnectionInfo, LoginDenial, Question, ServerConfig, Snapshot};

struct Pair {
    client: client::Connection,
    far: FarEnd,
}

/// The server as the client's stream.
struct FarEnd {
    server: server::Connection,
    /// What the client has sent.
    wire: Vec<u8>,
    password: &'static [u8],
}

fn binding() -> ChannelBinding {
    ChannelBinding { exporter: Some([9; 32]), server_end_point: None }
}

impl Pair {
    fn new(mechanisms: &[Mechanism]) -> Self {
        let config = ServerConfig { mechanisms: mechanisms.to_vec(), max_failed_logins: 9, ..ServerConfig::default() };
        let info = ConnectionInfo { certificate: Some(b"joe"[..].into()), ..ConnectionInfo::encrypted([3; 18], binding()) };
        let server = server::Connection::new(config.into(), info);
        let mut pair = Self {
            client: client::Connection::new_encrypted(ClientConfig::default()),
            far: FarEnd { server, wire: Vec::new(), password: b"secret" },
        };
        pair.run(requests::greet()).unwrap();
        pair
    }

    fn login(&mut self, credentials: &Credentials, policy: &LoginPolicy) -> Result<(), RequestError> {
        let context = LoginContext { host: "localhost", port: 995, nonce: [5; 18], binding: binding() };
        assert_eq!(self.run(requests::login(credentials, policy, context))?, LoginOutcome::Done);
        Ok(())
    }

    fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, RequestError> {
        self.client.start(&mut request)?;
        self.client.drive(&mut self.far, |client| client.next_action(&mut request))
    }
}

impl Transport for FarEnd {
    type Error = RequestError;

    fn write(&mut self, bytes: &[u8]) -> Result<usize, RequestError> {
        let space = self.server.unfilled();
        let count = space.len().min(bytes.len());
        space[..count].copy_from_slice(&bytes[..count]);
        self.wire.extend_from_slice(&bytes[..count]);
        self.server.advance_read(count);
        if count < bytes.len() {
            // A long line: the server takes it in pieces.
            assert_eq!(self.server.next_action(), server::Action::Read);
        }
        Ok(count)
    }

    fn read(&mut self, buffer: &mut [u8]) -> Result<usize, RequestError> {
        while self.server.output().is_empty() {
            match self.server.next_action() {
                server::Action::Answer(Question::Authenticate(login)) => {
                    let right = match &login.credentials {
                        PresentedCredentials::Password(password) => password.expose() == self.password,
                        PresentedCredentials::CramMd5(proof) => proof.verify(self.password),
                        PresentedCredentials::Token(token) => token.expose() == b"token",
                        PresentedCredentials::Verified | PresentedCredentials::External(_) | PresentedCredentials::Anonymous => {
                            true
                        }
                        other => panic!("{other:?}"),
                    };
                    if right && login.name.as_bytes() == b"joe" {
                        self.server.answer().accept(Snapshot::default()).unwrap();
                    } else {
                        self.server.answer().deny(LoginDenial::Credentials).unwrap();
                    }
                }
                server::Action::Answer(Question::FindKeys(hash, _)) => {
                    self.server.answer().provide_keys(ScramKeys::derive(hash, self.password, b"salt", 4096)).unwrap();
                }
                server::Action::Answer(other) => panic!("{other:?}"),
                _ => {}
            }
        }
        let count = buffer.len().min(self.server.output().len());
        buffer[..count].copy_from_slice(&self.server.output()[..count]);
        self.server.advance_written(count);
        Ok(count)
    }
}

fn joe() -> Credentials {
    Credentials::password("joe", "secret").unwrap()
}

fn credentials_for(mechanism: Mechanism) -> Credentials {
    let all = [
        joe(),
        Credentials::token("joe", "token").unwrap(),
        Credentials::External { name: b"joe".to_vec() },
        Credentials::Anonymous { trace: b"joe".to_vec() },
    ];
    all.into_iter().find(|credentials| credentials.fit(mechanism)).unwrap()
}

#[test]
fn s32_every_mechanism_logs_in() {
    for mechanism in Mechanism::ALL {
        for two_lines in [false, true] {
            let mut pair = Pair::new(&[mechanism]);
            let policy = LoginPolicy { mechanisms: vec![mechanism], user_pass: false, two_lines, ..LoginPolicy::default() };
            pair.login(&credentials_for(mechanism), &policy).unwrap();
            assert!(String::from_utf8_lossy(&pair.far.wire).contains(&format!("AUTH {mechanism}")), "{mechanism}");
            assert_eq!(pair.run(requests::stat()).unwrap().messages, 0, "{mechanism}");
        }
    }
}

#[test]
fn the_strongest_is_taken_and_user_pass_is_the_last() {
    let cases: [(&[Mechanism], &str); 4] = [
        (&Mechanism::ALL, "CAPA\r\nAUTH SCRAM-SHA-256-PLUS"),
        (&[Mechanism::Login, Mechanism::Plain], "CAPA\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\n"),
        (&[Mechanism::Xoauth2], "CAPA\r\nUSER joe\r\nPASS secret\r\n"),
        (&[], "CAPA\r\nUSER joe\r\nPASS secret\r\n"),
    ];
    for (offered, expected) in cases {
        let mut pair = Pair::new(offered);
        pair.login(&joe(), &LoginPolicy::default()).unwrap();
        let wire = String::from_utf8_lossy(&pair.far.wire).into_owned();
        assert!(wire.starts_with(expected), "{wire}");
        let secret = wire.contains("secret") || wire.contains("AGpvZQBzZWNyZXQ=");
        assert_eq!(secret, !offered.contains(&Mechanism::ScramSha256Plus), "{wire}");
    }
}

#[test]
fn s35_a_client_that_could_have_bound_says_so_where_that_was_not_offered() {
    // `y,,` finds out who has taken the bound form out of the offer; `n,,` where the client does without it.
    let flag = |offered: &[Mechanism], allowed| {
        let mut pair = Pair::new(offered);
        let policy = LoginPolicy { mechanisms: vec![allowed], ..LoginPolicy::default() };
        pair.login(&joe(), &policy).unwrap();
        let wire = String::from_utf8_lossy(&pair.far.wire).into_owned();
        wire.split(&format!("AUTH {allowed} ")).nth(1).unwrap()[..4].to_owned()
    };
    assert_eq!(flag(&[Mechanism::ScramSha256], Mechanism::ScramSha256), "eSws");
    assert_eq!(flag(&[Mechanism::ScramSha256, Mechanism::ScramSha1Plus], Mechanism::ScramSha256), "biws");
}

#[test]
fn wrong_credentials_are_not_tried_in_another_way() {
    for mechanism in
        Mechanism::ALL.into_iter().filter(|mechanism| !matches!(mechanism, Mechanism::External | Mechanism::Anonymous))
    {
        let mut pair = Pair::new(&[mechanism, Mechanism::Login]);
        pair.far.password = b"another";
        let wrong = match credentials_for(mechanism) {
            Credentials::Token { .. } => Credentials::token("joe", "wrong").unwrap(),
            other => other,
        };
        let policy = LoginPolicy { mechanisms: vec![mechanism, Mechanism::Login], ..LoginPolicy::default() };
        let error = pair.login(&wrong, &policy).unwrap_err();
        let RequestError::Refused(refusal) = &error else { panic!("{mechanism}: {error}") };
        assert_eq!(refusal.code(), Some(ResponseCode::Auth), "{mechanism}");
        assert_eq!(String::from_utf8_lossy(&pair.far.wire).matches("AUTH ").count(), 1, "{mechanism}");
        assert!(!String::from_utf8_lossy(&pair.far.wire).contains("USER"), "{mechanism}");
    }
}

#[test]
fn nothing_that_is_not_allowed_is_used() {
    let mut pair = Pair::new(&[Mechanism::Plain, Mechanism::Login]);
    let policy =
        LoginPolicy { mechanisms: vec![Mechanism::ScramSha256], user_pass: false, two_lines: false, ..LoginPolicy::default() };
    assert_eq!(pair.login(&joe(), &policy), Err(RequestError::NoMechanism));
    assert_eq!(pair.far.wire, b"CAPA\r\n", "h07");
}

#[test]
fn s27_a_long_initial_response_waits_for_its_challenge() {
    let token = "t".repeat(3000);
    let mut pair = Pair::new(&[Mechanism::OauthBearer]);
    let error = pair.login(&Credentials::token("joe", &token).unwrap(), &LoginPolicy::default()).unwrap_err();
    assert!(matches!(error, RequestError::Refused(_)), "{error}");
    assert!(
        pair.far.wire.starts_with(b"CAPA\r\nAUTH OAUTHBEARER\r\nbixhPWpvZSw"),
        "{}",
        String::from_utf8_lossy(&pair.far.wire[..60])
    );
    assert!(pair.far.wire.ends_with(b"\r\nAQ==\r\n"), "s34");
    assert!(error.to_string().contains("invalid_token"), "what the server said of it is told: {error}");
}

/// A client that is told what the server says, line by line.
fn against(mechanism: Mechanism, two_lines: bool, says: &[&[u8]]) -> (Result<(), RequestError>, client::Connection, Vec<u8>) {
    let mut client = client::Connection::new_encrypted(ClientConfig::default());
    let credentials = credentials_for(mechanism);
    let policy = LoginPolicy { mechanisms: vec![mechanism], user_pass: true, two_lines, ..LoginPolicy::default() };
    let context = LoginContext { host: "h", port: 1, nonce: [1; 18], binding: ChannelBinding::default() };
    let mut login = requests::login(&credentials, &policy, context);
    let feed = |client: &mut client::Connection, text: &[u8]| {
        client.unfilled()[..text.len()].copy_from_slice(text);
        client.advance_read(text.len()).unwrap();
    };
    feed(&mut client, b"+OK\r\n");
    client.next_action(&mut requests::greet()).unwrap();
    client.start(&mut login).unwrap();
    let capabilities = format!("+OK\r\nSASL {mechanism}\r\n.\r\n");
    let mut says = [capabilities.as_bytes()].into_iter().chain(says.iter().copied());
    let mut wire = Vec::new();
    loop {
        match client.next_action(&mut login) {
            Ok(client::Action::Done(LoginOutcome::UpgradeTls)) => panic!("TLS is active already"),
            Ok(client::Action::Done(LoginOutcome::Done)) => return (Ok(()), client, wire),
            Err(error) => return (Err(error), client, wire),
            Ok(client::Action::Write) => {
                wire.extend_from_slice(client.output());
                client.advance_written(client.output().len());
            }
            Ok(client::Action::Read) => feed(&mut client, says.next().expect("the server has more to say")),
        }
    }
}

#[test]
fn s35_an_ok_that_comes_too_early_is_not_believed_and_ends_the_session() {
    let cases: [(Mechanism, bool, &[&[u8]]); 4] = [
        (Mechanism::ScramSha256, false, &[b"+OK welcome\r\n"]),
        (Mechanism::Plain, true, &[b"+ \r\n", b"+OK though the exchange was cancelled\r\n"]),
        (Mechanism::OauthBearer, false, &[b"+ e30=\r\n", b"+OK all the same\r\n"]),
        (Mechanism::CramMd5, false, &[b"+OK\r\n"]),
    ];
    for (mechanism, two_lines, says) in cases {
        let (ended, mut client, _) = against(mechanism, two_lines, says);
        assert_eq!(ended, Err(RequestError::Remote(RemoteError::UntrustedLogin)), "{mechanism}");
        assert!(client.start(&mut requests::stat()).is_err(), "{mechanism}: the session is over");
    }
}

#[test]
fn h24_a_server_that_never_ends_an_exchange_is_left() {
    let challenges: Vec<&[u8]> = vec![b"+ AAAA\r\n"; 600];
    for mechanism in [Mechanism::CramMd5, Mechanism::Login, Mechanism::ScramSha256, Mechanism::Plain] {
        let (ended, _, wire) = against(mechanism, false, &challenges);
        assert!(matches!(ended, Err(RequestError::Remote(_))), "{mechanism}");
        assert!(String::from_utf8_lossy(&wire).matches("\r\n").count() < 8, "{mechanism}");
    }
}

#[test]
fn q11_a_mechanism_that_is_not_there_after_all_is_passed_over() {
    for mechanism in [Mechanism::ScramSha256, Mechanism::CramMd5, Mechanism::Login] {
        let (ended, _, wire) = against(mechanism, false, &[b"-ERR unknown mechanism\r\n", b"+OK\r\n", b"+OK\r\n"]);
        assert_eq!(ended, Ok(()), "{mechanism}");
        assert!(wire.ends_with(b"USER joe\r\nPASS secret\r\n"), "{mechanism}");
    }
    // A password that was judged is not sent again in another way.
    for judged in ["-ERR authentication failed\r\n", "-ERR [AUTH] no\r\n", "-ERR bad password\r\n", "-ERR mailbox busy\r\n"] {
        let (ended, _, wire) = against(Mechanism::Plain, false, &[judged.as_bytes()]);
        assert!(matches!(ended, Err(RequestError::Refused(_))), "{judged}");
        assert_eq!(wire.iter().filter(|byte| **byte == b'\n').count(), 2, "CAPA and AUTH: {judged}");
    }
}

#[test]
fn q11_an_initial_response_that_is_refused_is_sent_on_a_line_of_its_own() {
    const PLAIN: &str = "CAPA\r\nAUTH PLAIN AGpvZQBzZWNyZXQ=\r\nAUTH PLAIN\r\n";
    let refusals =
        ["-ERR\r\n", "-ERR no\r\n", "-ERR syntax error\r\n", "-ERR invalid command\r\n", "-ERR too many arguments\r\n"];
    for refusal in &refusals[..4] {
        let (ended, _, wire) = against(Mechanism::Plain, false, &[refusal.as_bytes(), b"+ \r\n", b"+OK\r\n"]);
        assert_eq!((ended, String::from_utf8(wire).unwrap()), (Ok(()), format!("{PLAIN}AGpvZQBzZWNyZXQ=\r\n")), "{refusal}");
        // Then the credentials are judged.
        let (ended, _, wire) = against(Mechanism::Plain, false, &[refusal.as_bytes(), b"+ \r\n", refusal.as_bytes()]);
        assert!(matches!(ended, Err(RequestError::Refused(_))) && !wire.ends_with(b"USER joe\r\n"), "{refusal}");
        // And where the mechanism is not there at all, the next way is tried.
        let says: [&[u8]; 4] = [refusal.as_bytes(), refusal.as_bytes(), b"+OK\r\n", b"+OK\r\n"];
        let (ended, _, wire) = against(Mechanism::Plain, false, &says);
        assert_eq!(
            (ended, String::from_utf8(wire).unwrap()),
            (Ok(()), format!("{PLAIN}USER joe\r\nPASS secret\r\n")),
            "{refusal}"
        );
    }
    let token: [&[u8]; 3] = [refusals[1].as_bytes(), b"+ \r\n", b"+OK\r\n"];
    let (ended, _, _) = against(Mechanism::Xoauth2, false, &token);
    assert_eq!(ended, Ok(()), "as some large providers want it");
}

#[test]
fn q11_a_challenge_that_makes_no_sense_leads_to_the_next_way() {
    let nonsense: [(Mechanism, &[u8]); 3] = [
        (Mechanism::CramMd5, b"+ ???\r\n"),
        (Mechanism::ScramSha256, b"+ bm9uc2Vuc2U=\r\n"),
        (Mechanism::ScramSha1, b"+ ???\r\n"),
    ];
    for (mechanism, challenge) in nonsense {
        let (ended, _, wire) = against(mechanism, false, &[challenge, b"-ERR cancelled\r\n", b"+OK\r\n", b"+OK\r\n"]);
        assert_eq!(ended, Ok(()), "{mechanism}");
        assert!(wire.ends_with(b"*\r\nUSER joe\r\nPASS secret\r\n"), "{mechanism}");
    }
    // Another nonce is an attack, and no lack of the mechanism: c=other nonce, 4096 rounds.
    let attack: &[u8] = b"+ cj1vdGhlcixzPWMyRnNkQT09LGk9NDA5Ng==\r\n";
    let (ended, _, wire) = against(Mechanism::ScramSha256, false, &[attack, b"-ERR cancelled\r\n"]);
    assert!(ended.is_err() && !wire.ends_with(b"USER joe\r\n"));
}

#[test]
fn s36_a_binding_is_used_once() {
    let mut pair = Pair::new(&[Mechanism::ScramSha256, Mechanism::ScramSha256Plus]);
    let wrong = Credentials::password("joe", "Secret").unwrap();
    pair.login(&wrong, &LoginPolicy::default()).unwrap_err();
    assert!(pair.run(requests::capa()).unwrap().has_mechanism("SCRAM-SHA-256-PLUS"), "s37: it stays announced");
    let error = pair.login(&joe(), &LoginPolicy::default()).unwrap_err();
    assert_eq!(error, RequestError::Sasl(SaslError::BindingUsed), "and nobody goes on without it");
    let wire = String::from_utf8_lossy(&pair.far.wire).into_owned();
    assert_eq!(wire.matches("AUTH ").count(), 1, "{wire}");
}

/// What a client says to a server that offers SCRAM-SHA-256-PLUS and weaker ways, and says this then.
fn against_a_bound_offer(says: &[&[u8]]) -> (RequestError, String) {
    let mut client = client::Connection::new_encrypted(ClientConfig::default());
    let (credentials, policy) = (joe(), LoginPolicy { user_pass: false, ..LoginPolicy::default() });
    let context = LoginContext { host: "h", port: 1, nonce: [1; 18], binding: binding() };
    let mut login = requests::login(&credentials, &policy, context);
    let offer = [&b"+OK\r\n"[..], b"+OK\r\nSASL SCRAM-SHA-256 SCRAM-SHA-256-PLUS PLAIN\r\n.\r\n"];
    let mut says = offer.iter().chain(says);
    client.start(&mut login).unwrap();
    let mut wire = Vec::new();
    loop {
        match client.next_action(&mut login) {
            Ok(client::Action::Write) => {
                wire.extend_from_slice(client.output());
                client.advance_written(client.output().len());
            }
            Ok(client::Action::Read) => {
                let text = says.next().expect("nothing more is tried");
                client.unfilled()[..text.len()].copy_from_slice(text);
                client.advance_read(text.len()).unwrap();
            }
            Ok(step) => panic!("{step:?}"),
            Err(error) => return (error, String::from_utf8(wire).unwrap()),
        }
    }
}

#[test]
fn s35_a_bound_mechanism_that_is_refused_is_not_replaced_by_an_unbound_one() {
    let (error, wire) = against_a_bound_offer(&[b"-ERR unknown mechanism\r\n"]);
    assert!(matches!(error, RequestError::Refused(_)), "{error}");
    assert_eq!(wire.matches("AUTH ").count(), 1, "{wire}");
    // A first challenge that makes no sense is no reason, either: somebody in between could send it.
    for challenge in [&b"+ ???\r\n"[..], b"+ bm9uc2Vuc2U=\r\n"] {
        let (_, wire) = against_a_bound_offer(&[challenge, b"-ERR cancelled\r\n"]);
        assert_eq!(wire.matches("AUTH ").count(), 1, "{wire}");
    }
}

#[test]
#[cfg(feature = "saslprep")]
fn s54_q53_two_ways_to_type_a_password_are_one() {
    for mechanism in [Mechanism::ScramSha1, Mechanism::ScramSha256] {
        let mut pair = Pair::new(&[mechanism]);
        pair.far.password = "pa\u{df}w\u{f6}rt".as_bytes();
        pair.login(&Credentials::password("joe", "pa\u{df}wo\u{308}rt").unwrap(), &LoginPolicy::default()).unwrap();
    }
}

#[test]
fn s29_q07_a_challenge_that_is_not_base64() {
    // The first one is empty then; one in the middle ends the exchange.
    let (_, _, wire) = against(Mechanism::Login, false, &[b"+ who is it?\r\n", b"+ %%%\r\n", b"-ERR cancelled\r\n"]);
    assert!(wire.ends_with(b"AUTH LOGIN\r\nam9l\r\n*\r\n"), "{}", wire.escape_ascii());
}

#[test]
fn s27_a_line_of_255_octets_has_its_initial_response_and_one_of_256_has_not() {
    // `AUTH PLAIN `, base64 of two NULs, name and password, CR LF.
    for (password, with) in [(175, true), (178, false)] {
        let credentials = Credentials::password("joe", &"p".repeat(password)).unwrap();
        let mut pair = Pair::new(&[Mechanism::Plain]);
        let policy = LoginPolicy { user_pass: false, ..LoginPolicy::default() };
        let _ = pair.login(&credentials, &policy);
        let line = pair.far.wire.split(|byte| *byte == b'\n').find(|line| line.starts_with(b"AUTH")).unwrap();
        assert_eq!(line.len() > 20, with, "{}", line.escape_ascii());
        assert!(line.len() < 255);
    }
}

#[test]
fn s48_defaults_take_no_login_in_the_clear() {
    assert_eq!(ServerConfig::default().cleartext_login, server::CleartextLogin::Refuse);
    assert_eq!(ClientConfig::default().cleartext_login, client::CleartextLogin::Refuse);
}

/// A server that hears this, with nobody who reads what it says; the largest output.
fn hears(config: ServerConfig, said: &[u8], snapshot: &Snapshot) -> (server::Connection, usize) {
    let mut server = server::Connection::new(config.into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() });
    let mut most = 0;
    for piece in said.chunks(1000) {
        server.unfilled()[..piece.len()].copy_from_slice(piece);
        server.advance_read(piece.len());
        loop {
            match server.next_action() {
                server::Action::Read | server::Action::Close => break,
                server::Action::Write => {
                    most = most.max(server.output().len());
                    server.advance_written(server.output().len());
                }
                server::Action::Answer(Question::Authenticate(_)) => server.answer().accept(snapshot.clone()).unwrap(),
                server::Action::Answer(Question::Retrieve { .. }) => return (server, most),
                step => panic!("{step:?}"),
            }
        }
    }
    (server, most)
}

#[test]
fn h31_h37_output_is_written_before_more_is_made() {
    let mut snapshot = Snapshot::default();
    for _ in 0..50_000 {
        snapshot.push(1, pop3_proto::codec::UniqueId::new("id").unwrap()).unwrap();
    }
    let (_, most) = hears(ServerConfig::default(), &b"CAPA\r\n".repeat(166), &snapshot);
    assert!(most < 5 * 1024, "{most}");
    let (_, most) = hears(ServerConfig::default(), b"USER a\r\nPASS b\r\nLIST\r\n", &snapshot);
    let high_water = ServerConfig::default().output_high_water;
    assert!(most < high_water + 1024, "{most}");
    let (mut server, _) = hears(ServerConfig::default(), b"USER a\r\nPASS b\r\nRETR 1\r\n", &snapshot);
    server.answer().begin_message().unwrap();
    server.answer().body(&vec![b'x'; high_water]).unwrap();
    assert!(server.is_above_high_water());
}

#[test]
fn s02_255_octets_are_taken_whatever_the_limit() {
    let mut server = server::Connection::new(
        ServerConfig { max_line: 100, ..ServerConfig::default() }.into(),
        ConnectionInfo { encrypted: true, ..ConnectionInfo::default() },
    );
    server.next_action();
    server.advance_written(server.output().len());
    let said = [b"USER ", &[b'x'; 248][..], b"\r\n"].concat();
    server.unfilled()[..said.len()].copy_from_slice(&said);
    server.advance_read(said.len());
    server.next_action();
    assert!(server.output().starts_with(b"+OK"));
}

#[test]
fn s03_a_line_of_capa_has_at_most_512_octets() {
    let config = ServerConfig {
        implementation: pop3_proto::codec::ReplyText::literal(Box::leak("x".repeat(600).into_boxed_str())),
        ..ServerConfig::default()
    };
    let mut server = server::Connection::new(config.into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() });
    server.next_action();
    server.advance_written(server.output().len());
    server.unfilled()[..6].copy_from_slice(b"CAPA\r\n");
    server.advance_read(6);
    server.next_action();
    assert!(String::from_utf8_lossy(server.output()).split_inclusive("\r\n").all(|line| line.len() <= 512));
}

#[test]
fn s25_a_long_greeting_leaves_room_for_the_timestamp() {
    let config = ServerConfig {
        apop: true,
        greeting: pop3_proto::codec::ReplyText::literal(Box::leak("x".repeat(490).into_boxed_str())),
        ..ServerConfig::default()
    };
    let server = server::Connection::new(config.into(), ConnectionInfo { encrypted: true, ..ConnectionInfo::default() });
    assert!(server.output().ends_with(b"@pop3>\r\n"), "{}", server.output().escape_ascii());
}

#[test]
fn h30_a_message_over_the_limit_is_an_error() {
    use pop3_proto::codec::Command;
    let config = ClientConfig { max_message: Some(40), ..ClientConfig::default() };
    let (mut client, mut out) = (client::Client::new_encrypted(config), bytes::BytesMut::new());
    for said in [&b"USER a"[..], b"PASS b", b"RETR 1"] {
        client.poll(b"+OK\r\n").unwrap();
        client.send(Command::parse(said).unwrap(), &mut out).unwrap();
    }
    client.poll(b"+OK\r\n").unwrap();
    assert!(client.poll(&[b'x'; 40]).is_ok());
    assert!(matches!(client.poll(&[b'x'; 4]), Err(RemoteError::ReplyTooLarge { limit: 40, .. })));
}

#[test]
fn q55_default_time_outs_are_minutes_and_not_days() {
    let client = client::Timeouts::default();
    let seconds =
        [client.connect, client.greeting, client.login, client.command, client.body, client.quit].map(|time| time.as_secs());
    assert_eq!(seconds, [30, 60, 300, 120, 60, 300]);
    let server = server::Timeouts::default();
    assert_eq!((server.login.as_secs(), server.idle.as_secs()), (60, 600));
}

#[test]
fn h24_a_listing_that_drips_does_not_begin_its_deadline_anew() {
    let mut client = client::Connection::new_encrypted(ClientConfig::default());
    let hear = |client: &mut client::Connection, text: &[u8]| {
        client.unfilled()[..text.len()].copy_from_slice(text);
        client.advance_read(text.len()).unwrap();
    };
    let mut greet = requests::greet();
    client.start(&mut greet).unwrap();
    hear(&mut client, b"+OK\r\n");
    assert!(matches!(client.next_action(&mut greet), Ok(client::Action::Done(_))));
    let mut capa = requests::capa();
    client.start(&mut capa).unwrap();
    let _ = client.next_action(&mut capa).unwrap();
    let written = client.output().len();
    client.advance_written(written);
    hear(&mut client, b"+OK\r\n");
    let _ = client.next_action(&mut capa).unwrap();
    let before = client.machine().activity();
    for _ in 0..9 {
        hear(&mut client, b"X-DRIP\r\n");
        assert!(matches!(client.next_action(&mut capa), Ok(client::Action::Read)));
    }
    assert_eq!(client.machine().activity(), before, "nine lines are no progress");
}
