//! Both connections in memory, logging in by every mechanism.

use pop3_proto::client::requests::{self, Request};
use pop3_proto::client::{self, ClientConfig, LoginContext, LoginPolicy, RequestError};
use pop3_proto::codec::ResponseCode;
use pop3_proto::sasl::{ChannelBinding, Credentials, Mechanism, SaslError, ScramKeys};
use pop3_proto::server::{self, Ask, Channel, Denial, Proof, ServerConfig, Snapshot};

struct Pair {
    client: client::Connection,
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
        let mut pair = Self {
            client: client::Connection::new_encrypted(ClientConfig::default()),
            server: server::Connection::new(config.into(), Channel::encrypted([3; 18], binding())),
            wire: Vec::new(),
            password: b"secret",
        };
        pair.run(requests::greet()).unwrap();
        pair
    }

    fn login(&mut self, credentials: &Credentials, policy: &LoginPolicy) -> Result<(), RequestError> {
        let context = LoginContext { host: "localhost", port: 995, nonce: [5; 18], binding: binding() };
        self.run(requests::login(credentials, policy, &context))
    }

    fn run<R: Request>(&mut self, mut request: R) -> Result<R::Output, RequestError> {
        self.client.start(&mut request)?;
        loop {
            match self.client.run(&mut request)? {
                client::Step::Done(output) => return Ok(output),
                client::Step::Write => {
                    let space = self.server.space();
                    let count = space.len().min(self.client.output().len());
                    space[..count].copy_from_slice(&self.client.output()[..count]);
                    self.wire.extend_from_slice(&self.client.output()[..count]);
                    self.server.filled(count);
                    self.client.written(count);
                    if !self.client.output().is_empty() {
                        // A long line: the server takes it in pieces.
                        assert_eq!(self.server.step(), server::Step::Read);
                    }
                }
                client::Step::Read => self.serve(),
            }
        }
    }

    fn serve(&mut self) {
        while self.server.output().is_empty() {
            match self.server.step() {
                server::Step::Ask(Ask::Authenticate(login)) => {
                    let right = match &login.proof {
                        Proof::Password(password) => password.expose() == self.password,
                        Proof::CramMd5(proof) => proof.verify(self.password),
                        Proof::Token(token) => token.expose() == b"token",
                        Proof::Proven | Proof::External | Proof::Anonymous => true,
                        other => panic!("{other:?}"),
                    };
                    if right && login.name.as_bytes() == b"joe" {
                        self.server.accept(Snapshot::default()).unwrap();
                    } else {
                        self.server.deny(Denial::Credentials).unwrap();
                    }
                }
                server::Step::Ask(Ask::FindKeys(hash, _)) => {
                    self.server.keys(ScramKeys::derive(hash, self.password, b"salt", 4096)).unwrap();
                }
                server::Step::Ask(other) => panic!("{other:?}"),
                _ => {}
            }
        }
        let output = self.server.output().to_vec();
        self.server.written(output.len());
        self.client.space()[..output.len()].copy_from_slice(&output);
        self.client.filled(output.len()).unwrap();
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
fn every_mechanism_logs_in() {
    for mechanism in Mechanism::ALL {
        for two_lines in [false, true] {
            let mut pair = Pair::new(&[mechanism]);
            let policy = LoginPolicy { mechanisms: vec![mechanism], user_pass: false, two_lines };
            pair.login(&credentials_for(mechanism), &policy).unwrap();
            assert!(String::from_utf8_lossy(&pair.wire).contains(&format!("AUTH {mechanism}")), "{mechanism}");
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
        let wire = String::from_utf8_lossy(&pair.wire).into_owned();
        assert!(wire.starts_with(expected), "{wire}");
        let secret = wire.contains("secret") || wire.contains("AGpvZQBzZWNyZXQ=");
        assert_eq!(secret, !offered.contains(&Mechanism::ScramSha256Plus), "{wire}");
    }
}

#[test]
fn wrong_credentials_are_not_tried_in_another_way() {
    for mechanism in
        Mechanism::ALL.into_iter().filter(|mechanism| !matches!(mechanism, Mechanism::External | Mechanism::Anonymous))
    {
        let mut pair = Pair::new(&[mechanism, Mechanism::Login]);
        pair.password = b"another";
        let wrong = match credentials_for(mechanism) {
            Credentials::Token { .. } => Credentials::token("joe", "wrong").unwrap(),
            other => other,
        };
        let policy = LoginPolicy { mechanisms: vec![mechanism, Mechanism::Login], ..LoginPolicy::default() };
        let error = pair.login(&wrong, &policy).unwrap_err();
        let RequestError::Refused(refusal) = &error else { panic!("{mechanism}: {error}") };
        assert_eq!(refusal.code(), Some(ResponseCode::Auth), "{mechanism}");
        assert_eq!(String::from_utf8_lossy(&pair.wire).matches("AUTH ").count(), 1, "{mechanism}");
        assert!(!String::from_utf8_lossy(&pair.wire).contains("USER"), "{mechanism}");
    }
}

#[test]
fn nothing_that_is_not_allowed_is_used() {
    let mut pair = Pair::new(&[Mechanism::Plain, Mechanism::Login]);
    let policy = LoginPolicy { mechanisms: vec![Mechanism::ScramSha256], user_pass: false, two_lines: false };
    assert_eq!(pair.login(&joe(), &policy), Err(RequestError::NoMechanism));
    assert_eq!(pair.wire, b"CAPA\r\n", "h07");
}

#[test]
fn s27_a_long_initial_response_waits_for_its_challenge() {
    let token = "t".repeat(3000);
    let mut pair = Pair::new(&[Mechanism::OauthBearer]);
    let error = pair.login(&Credentials::token("joe", &token).unwrap(), &LoginPolicy::default()).unwrap_err();
    assert!(matches!(error, RequestError::Refused(_)), "{error}");
    assert!(pair.wire.starts_with(b"CAPA\r\nAUTH OAUTHBEARER\r\nbixhPWpvZSw"), "{}", String::from_utf8_lossy(&pair.wire[..60]));
    assert!(pair.wire.ends_with(b"\r\nAQ==\r\n"), "s34");
}

#[test]
fn s35_an_ok_without_a_proof_is_not_believed() {
    let mut client = client::Connection::new_encrypted(ClientConfig::default());
    let credentials = joe();
    let policy = LoginPolicy::default();
    let context = LoginContext { host: "h", port: 1, nonce: [1; 18], binding: ChannelBinding::default() };
    let mut login = requests::login(&credentials, &policy, &context);
    let feed = |client: &mut client::Connection, text: &[u8]| {
        client.space()[..text.len()].copy_from_slice(text);
        client.filled(text.len()).unwrap();
        let count = client.output().len();
        client.written(count);
    };
    feed(&mut client, b"+OK\r\n");
    client.run(&mut requests::greet()).unwrap();
    client.start(&mut login).unwrap();
    feed(&mut client, b"+OK\r\nSASL SCRAM-SHA-256\r\n.\r\n");
    assert!(matches!(client.run(&mut login), Ok(client::Step::Write)));
    feed(&mut client, b"+OK welcome\r\n");
    assert_eq!(client.run(&mut login), Err(RequestError::Sasl(SaslError::ServerNotProven)));
}
