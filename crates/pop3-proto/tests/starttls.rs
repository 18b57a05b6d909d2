//! The core against the catalogue of what is tried before TLS.

use pop3_contract::starttls::{QUITS, cases, credentials};
use pop3_contract::{Cut, Feed};
use pop3_proto::client::{
    CleartextLogin, Client, ClientConfig, ClientEvent, Connection, LoginContext, LoginOutcome, LoginPolicy, RemoteError, Request,
    RequestError, requests,
};
use pop3_proto::codec::Command;
use pop3_proto::sasl::ChannelBinding;

/// Runs a request over a feed.
fn run<R: Request>(connection: &mut Connection, feed: &Feed, request: &mut R) -> Result<R::Output, RequestError> {
    connection.start(request)?;
    connection.drive(&mut feed.clone(), |connection| connection.next_action(request))
}

#[test]
fn h01_h02_h07_h08_h25_s45_s46_the_starttls_catalogue() {
    for case in cases() {
        for cut in [Cut::Whole, Cut::EveryByte, Cut::Random(1), Cut::Random(2)] {
            let feed = Feed::scripted(case.says.iter().map(Vec::as_slice), cut);
            // Even somebody who allows cleartext logins gets none where STLS is demanded.
            let config = ClientConfig { cleartext_login: CleartextLogin::DangerouslyAllow, ..ClientConfig::default() };
            let (mut connection, credentials) = (Connection::new(config), credentials().unwrap());
            let policy = LoginPolicy { apop: true, ..LoginPolicy::default() };
            let context = LoginContext { host: "h", port: 110, nonce: [1; 18], binding: ChannelBinding::default() };
            let mut login = requests::login(&credentials, &policy, context);
            let ended = run(&mut connection, &feed, &mut login).and_then(|step| {
                assert_eq!(step, LoginOutcome::UpgradeTls, "{}", case.name);
                Ok(connection.upgrade()?)
            });
            let shown = ended.as_ref().map_or_else(ToString::to_string, |()| String::new());
            case.check(!matches!(cut, Cut::Whole), ended.as_ref().err(), &shown, &feed.written());
        }
    }
}

#[test]
fn h25_answers_to_quit_in_the_clear() {
    for (reply, refused) in QUITS {
        let feed = Feed::scripted([&b"+OK\r\n"[..], reply.as_bytes()], Cut::EveryByte);
        let mut connection = Connection::new(ClientConfig::default());
        run(&mut connection, &feed, &mut requests::greet()).unwrap();
        let ended = run(&mut connection, &feed, &mut requests::quit());
        assert_eq!(ended.is_err(), refused, "{reply:?}");
        assert!(!ended.err().is_some_and(|error| error.to_string().chars().any(char::is_control)), "{reply:?}");
        assert_eq!(feed.written(), b"QUIT\r\n");
    }
}

#[test]
fn h01_unread_data_after_the_reply_fails_the_upgrade() {
    let mut out = bytes::BytesMut::new();
    let agreed = |out: &mut bytes::BytesMut| {
        let mut client = Client::new(ClientConfig::default());
        client.poll(b"+OK\r\n").unwrap();
        client.send(Command::Stls, out).unwrap();
        assert!(matches!(client.poll(b"+OK\r\n").unwrap().event, ClientEvent::UpgradeTls(..)));
        client
    };
    assert!(agreed(&mut out).upgraded(b"").is_ok());
    assert_eq!(agreed(&mut out).upgraded(b"+").err(), Some(RemoteError::DataAfterStls));
}
