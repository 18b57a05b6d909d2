//! Tests with the examples of the RFCs, and of both sides against each other.

use super::encoding::{escape_name, unescape_name};
use super::*;
use std::boxed::Box;
use std::format;
use std::vec::Vec;

const NONCE: [u8; 18] = [7; 18];

fn client(mechanism: Mechanism, credentials: &Credentials, binding: &ChannelBinding) -> Box<dyn ClientMechanism> {
    let plus_is_offered = mechanism.uses_channel_binding();
    let host = "server.example.com";
    client_mechanism(mechanism, credentials, &ExchangeContext { host, port: 143, nonce: NONCE, binding, plus_is_offered })
        .unwrap()
}

fn context(binding: &ChannelBinding, plus_is_offered: bool) -> ExchangeContext<'_> {
    ExchangeContext { host: "h", port: 1, nonce: NONCE, binding, plus_is_offered }
}

fn joe() -> Credentials {
    Credentials::password("joe", "secret").unwrap()
}

#[test]
#[cfg(feature = "scram")]
fn s35_the_examples_of_rfc_5802_and_rfc_7677() {
    let cases = [
        (
            Mechanism::ScramSha1,
            "fyko+d2lbbFgONRv9qkxdawL",
            "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
            "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
            "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
            "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
        ),
        (
            Mechanism::ScramSha256,
            "rOprNGfwEbeRWgbNEkqO",
            "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
            "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
            "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
            "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
        ),
    ];
    for (mechanism, nonce, first, server_first, last, server_last) in cases {
        let none = ChannelBinding::default();
        let fresh = || {
            let password = crate::Secret::from("pencil");
            scram::ScramClient::with_nonce(mechanism, b"user", &password, nonce.into(), &none, false).unwrap()
        };
        // Signatures of the right length with a single wrong bit.
        let signature = decode_base64(&server_last.as_bytes()[2..]).unwrap();
        let mut waiting = fresh();
        waiting.initial_response();
        waiting.respond(server_first.as_bytes()).unwrap();
        for bit in 0..signature.len() * 8 {
            let mut forged = signature.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let mut client = waiting.clone();
            let answer = client.respond(format!("v={}", encode_base64(&forged)).as_bytes()).map(|_| ());
            assert_eq!((answer, client.expects_challenge()), (Err(SaslError::ServerNotProven), true), "bit {bit}");
        }
        let mut client = fresh();
        assert_eq!(client.initial_response().unwrap().expose(), first.as_bytes());
        assert_eq!(client.respond(server_first.as_bytes()).unwrap().expose(), last.as_bytes());
        assert!(client.expects_challenge(), "a +OK now would come from somebody who does not know the password");
        assert_eq!(client.respond(server_last.as_bytes()).unwrap().expose(), b"");
        assert!(!client.expects_challenge());

        // The server side of this exchange.
        let whole = &server_first[2..server_first.find(',').unwrap()];
        let mut server = ServerExchange::new(mechanism, &whole[nonce.len()..], &none, false).unwrap();
        let ExchangeEvent::FindKeys(hash, name) = server.step(first.as_bytes()).unwrap() else { panic!() };
        assert_eq!(name.as_bytes(), b"user");
        let salt = server_first.split(',').nth(1).unwrap().strip_prefix("s=").unwrap();
        let keys = ScramKeys::derive(hash, b"pencil", &decode_base64(salt.as_bytes()).unwrap(), 4096);
        assert_eq!(server.provide_keys(keys).unwrap(), server_first.as_bytes());
        assert_eq!(server.step(last.as_bytes()).unwrap(), ExchangeEvent::Challenge(server_last.into()));
        let ExchangeEvent::Authenticate(name, credentials) = server.step(b"").unwrap() else { panic!() };
        assert_eq!((name.as_bytes(), credentials), (&b"user"[..], PresentedCredentials::Verified));
    }
}

#[test]
fn names_with_commas_and_equals_signs_arrive() {
    for name in ["a,b", "a=b", "=2C,=3D", ",,==", "joe"] {
        let mut escaped = Vec::new();
        escape_name(name.as_bytes(), &mut escaped);
        assert!(!escaped.contains(&b','));
        assert_eq!(unescape_name(&escaped).unwrap(), name.as_bytes());
    }
    for broken in ["a=", "a=2", "a=2c", "=41", "=3d", "==3D"] {
        assert_eq!(unescape_name(broken.as_bytes()), Err(SaslError::Malformed), "{broken}");
    }
}

#[test]
#[cfg(feature = "cram-md5")]
fn the_example_of_rfc_2195() {
    let credentials = Credentials::password("tim", "tanstaaftanstaaf").unwrap();
    let mut client = client(Mechanism::CramMd5, &credentials, &ChannelBinding::default());
    assert!(client.initial_response().is_none(), "s30");
    let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
    let response = client.respond(challenge).unwrap();
    assert_eq!(response.expose(), b"tim b913a602c7eda7a495b4e6e7334d3890");
    let (name, proof) = CramMd5Proof::parse(challenge.to_vec(), response.expose()).unwrap();
    assert_eq!(format!("{proof:?}"), "CramMd5Proof([redacted])");
    assert_eq!(name, b"tim");
    assert!(proof.verify(b"tanstaaftanstaaf") && !proof.verify(b"tanstaaf"));
    let mut server = ServerExchange::new(Mechanism::CramMd5, "x", &ChannelBinding::default(), false).unwrap();
    assert_eq!(server.step(response.expose()), Err(SaslError::Malformed), "s30: an initial response to a server-first mechanism");
}

#[test]
fn s34_the_example_of_rfc_7628() {
    let credentials = Credentials::token("user@example.com", "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==").unwrap();
    let mut client = client(Mechanism::OauthBearer, &credentials, &ChannelBinding::default());
    let response = client.initial_response().unwrap();
    assert_eq!(
        encode_base64(response.expose()),
        "bixhPXVzZXJAZXhhbXBsZS5jb20sAWhvc3Q9c2VydmVyLmV4YW1wbGUuY29tAXBvcnQ9MTQzAWF1dGg9QmVhcmVyIHZGOWRmdDRxbVRjMk52YjNSbGNr\
         QmhiSFJoZG1semRHRXVZMjl0Q2c9PQEB"
    );
    assert_eq!(client.respond(br#"{"status":"invalid_token"}"#).unwrap().expose(), b"\x01");
    assert_eq!(client.failure(), Some(&br#"{"status":"invalid_token"}"#[..]));
    assert!(client.respond(b"again").is_err());
    let mut server = ServerExchange::new(Mechanism::OauthBearer, "x", &ChannelBinding::default(), false).unwrap();
    let ExchangeEvent::Authenticate(name, credentials) = server.step(response.expose()).unwrap() else { panic!() };
    assert_eq!(name.as_bytes(), b"user@example.com");
    assert_eq!(credentials, PresentedCredentials::Token(crate::Secret::from("vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==")));
}

/// Runs both sides against each other. Returns the final event of the server, or the error that ended the exchange.
fn exchange(
    mechanism: Mechanism,
    credentials: &Credentials,
    binding: &ChannelBinding,
    password: &[u8],
) -> Result<ExchangeEvent, SaslError> {
    let mut client = client(mechanism, credentials, binding);
    let mut server =
        ServerExchange::new(mechanism, "abcdefghijklmnopqrstuvwx", binding, mechanism.uses_channel_binding()).unwrap();
    let mut response = match client.initial_response() {
        Some(response) => response,
        None => {
            let challenge = server.first_challenge();
            client.respond(&challenge)?
        }
    };
    loop {
        let _ = password;
        let challenge = match server.step(response.expose())? {
            ExchangeEvent::Challenge(challenge) => challenge,
            #[cfg(feature = "scram")]
            ExchangeEvent::FindKeys(hash, _) => server.provide_keys(ScramKeys::derive(hash, password, b"salt", 4096))?,
            done => {
                assert!(done == ExchangeEvent::Denied || !client.expects_challenge());
                return Ok(done);
            }
        };
        response = client.respond(&challenge)?;
    }
}

#[test]
fn every_mechanism_agrees_with_itself() {
    let binding = ChannelBinding { exporter: Some([9; 32]), server_end_point: None };
    for mechanism in Mechanism::ALL.into_iter().filter(|mechanism| mechanism.is_enabled()) {
        let credentials = [
            joe(),
            Credentials::token("joe", "to,k=en").unwrap(),
            Credentials::External { name: b"joe".to_vec() },
            Credentials::Anonymous { trace: b"joe".to_vec() },
        ];
        let fitting = credentials.iter().find(|credentials| credentials.fit(mechanism)).unwrap();
        let (name, presented) = match exchange(mechanism, fitting, &binding, b"secret") {
            Ok(ExchangeEvent::Authenticate(name, presented)) => (name, presented),
            Ok(ExchangeEvent::External(name)) => (name, PresentedCredentials::External(b"certificate"[..].into())),
            other => panic!("{mechanism}: {other:?}"),
        };
        assert_eq!(name.as_bytes(), b"joe", "{mechanism}");
        match presented {
            PresentedCredentials::Password(password) => assert_eq!(password.expose(), b"secret"),
            PresentedCredentials::Token(token) => assert_eq!(token.expose(), b"to,k=en"),
            #[cfg(feature = "cram-md5")]
            PresentedCredentials::CramMd5(proof) => assert!(proof.verify(b"secret") && !proof.verify(b"Secret")),
            _ => {}
        }
    }
}

#[test]
#[cfg(feature = "scram")]
fn s35_scram_refuses_what_it_must() {
    let none = ChannelBinding::default();
    assert_eq!(exchange(Mechanism::ScramSha256, &joe(), &none, b"another"), Ok(ExchangeEvent::Denied));
    let first = |text: &str| {
        let mut client = client(Mechanism::ScramSha256, &joe(), &none);
        client.initial_response();
        client.respond(text.replace('N', &encode_base64(&NONCE)).as_bytes()).map(|_| ())
    };
    assert_eq!(first("r=Nx,s=AAAA,i=4096"), Ok(()));
    assert_eq!(first("r=N,s=AAAA,i=4096"), Err(SaslError::Nonce), "nothing of the server in it");
    assert_eq!(first("r=other,s=AAAA,i=4096"), Err(SaslError::Nonce));
    assert_eq!(first("r=Nx,s=AAAA,i=4095"), Err(SaslError::Iterations(4095)));
    assert_eq!(first("r=Nx,s=AAAA,i=4294967295"), Err(SaslError::Iterations(u32::MAX)), "it would keep us busy for hours");
    assert_eq!(first("m=x,r=Nx,s=AAAA,i=4096"), Err(SaslError::Extension));
    assert_eq!(first("r=Nx,s=AA=A,i=4096"), Err(SaslError::NotBase64));
    assert_eq!(first("r=Nx,s=AAAA"), Err(SaslError::Malformed));
    assert_eq!(first(""), Err(SaslError::Malformed));

    // Final messages of a server that does not know the password, each sent to a new client.
    for wrong in ["v=AAAA", "v=", "e=other-error", ""] {
        let mut client = client(Mechanism::ScramSha256, &joe(), &none);
        client.initial_response();
        client.respond(format!("r={}x,s=AAAA,i=4096", encode_base64(&NONCE)).as_bytes()).unwrap();
        assert!(client.respond(wrong.as_bytes()).is_err() && client.expects_challenge(), "{wrong}");
    }
}

#[test]
#[cfg(feature = "scram")]
fn s35_a_failed_exchange_verifies_no_client() {
    let fresh =
        || ServerExchange::new(Mechanism::ScramSha256, "abcdefghijklmnopqrstuvwx", &ChannelBinding::default(), false).unwrap();
    // A wrong proof, then an empty response.
    let mut server = fresh();
    let ExchangeEvent::FindKeys(hash, _) = server.step(b"n,,n=victim,r=abc").unwrap() else { panic!() };
    server.provide_keys(ScramKeys::derive(hash, b"secret", b"salt", 4096)).unwrap();
    let wrong = b"c=biws,r=abcabcdefghijklmnopqrstuvwx,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    assert_eq!(server.step(wrong), Ok(ExchangeEvent::Denied));
    assert_eq!(server.step(b""), Err(SaslError::Malformed));
    // An invalid first message, and a response before the keys.
    for first in [&b"n,,n=victim,r="[..], b"n,,n=victim,r=abc"] {
        let mut server = fresh();
        let _ = server.step(first);
        assert!(server.step(b"").is_err());
        assert!(server.step(b"").is_err());
    }
}

#[test]
#[cfg(feature = "scram")]
fn s35_first_messages_of_clients() {
    let exporter = ChannelBinding { exporter: Some([1; 32]), server_end_point: None };
    let first = |mechanism, text: &[u8]| ServerExchange::new(mechanism, "xyz", &exporter, true).unwrap().step(text);
    for taken in [&b"n,,n=joe,r=abc"[..], b"n,a=joe,n=joe,r=abc"] {
        assert!(
            matches!(first(Mechanism::ScramSha1, taken), Ok(ExchangeEvent::FindKeys(ScramHash::Sha1, _))),
            "{}",
            taken.escape_ascii()
        );
    }
    let refused = [
        &b"n,a=ann,n=joe,r=abc"[..],
        b"n,,n=joe,r=",
        b"n,,n=joe,r=a c",
        b"n,,n=joe,r=a\xff",
        b"p=tls-exporter,,n=joe,r=abc",
        b"x,,n=joe,r=abc",
    ];
    for bad in refused {
        assert_eq!(first(Mechanism::ScramSha1, bad), Err(SaslError::Malformed), "{}", bad.escape_ascii());
    }
    assert_eq!(first(Mechanism::ScramSha1, b"n,,m=x,n=joe,r=abc"), Err(SaslError::Extension));
    assert!(matches!(first(Mechanism::ScramSha1Plus, b"p=tls-exporter,,n=joe,r=abc"), Ok(ExchangeEvent::FindKeys(..))));
    // A `-PLUS` form must use a binding that this connection has.
    for unbound in [&b"p=tls-server-end-point,,n=joe,r=abc"[..], b"p=tls-unique,,n=joe,r=abc", b"n,,n=joe,r=abc"] {
        assert_eq!(first(Mechanism::ScramSha1Plus, unbound), Err(SaslError::Malformed), "{}", unbound.escape_ascii());
    }
}

#[test]
#[cfg(feature = "scram")]
fn s35_keys_are_for_the_hash_that_asked_and_once() {
    let keys = |hash| ScramKeys::derive(hash, b"secret", b"salt", 4096);
    let mut server = ServerExchange::new(Mechanism::ScramSha1, "xyz", &ChannelBinding::default(), false).unwrap();
    assert_eq!(server.provide_keys(keys(ScramHash::Sha1)), Err(SaslError::Malformed), "nobody is named yet");
    server.step(b"n,,n=joe,r=abc").unwrap();
    assert_eq!(server.provide_keys(keys(ScramHash::Sha256)), Err(SaslError::Malformed));
    server.provide_keys(keys(ScramHash::Sha1)).unwrap();
    assert_eq!(server.provide_keys(keys(ScramHash::Sha1)), Err(SaslError::Malformed), "already given");
}

#[test]
#[cfg(feature = "scram")]
fn s35_a_verified_client_sends_nothing_more() {
    let none = ChannelBinding::default();
    let mut client = client(Mechanism::ScramSha256, &joe(), &none);
    let mut server = ServerExchange::new(Mechanism::ScramSha256, "xyz", &none, false).unwrap();
    server.step(client.initial_response().unwrap().expose()).unwrap();
    let challenge = server.provide_keys(ScramKeys::derive(ScramHash::Sha256, b"secret", b"salt", 4096)).unwrap();
    assert!(matches!(server.step(client.respond(&challenge).unwrap().expose()), Ok(ExchangeEvent::Challenge(_))));
    assert_eq!(server.step(b"x"), Err(SaslError::Malformed));
}

#[test]
fn h24_a_server_that_never_ends_an_exchange_hears_nothing_twice() {
    let mut client = client(Mechanism::Login, &joe(), &ChannelBinding::default());
    assert_eq!(client.respond(b"").unwrap().expose(), b"joe");
    assert_eq!(client.respond(b"").unwrap().expose(), b"secret");
    for _ in 0..1000 {
        assert!(client.respond(b"").is_err());
    }
}

#[test]
#[cfg(feature = "scram")]
fn s35_s36_channel_binding() {
    let binding = ChannelBinding { exporter: Some([1; 32]), server_end_point: Some(b"hash".to_vec()) };
    let other = ChannelBinding { exporter: Some([2; 32]), server_end_point: Some(b"hash".to_vec()) };
    // An attacker in the middle has a separate TLS connection to each side.
    let run = |client_binding: &ChannelBinding, server_binding: &ChannelBinding, offered: bool, mechanism| {
        let mut client =
            client_mechanism(mechanism, &joe(), &context(client_binding, offered)).expect("there is something to bind to");
        let mut server = ServerExchange::new(mechanism, "abcdefghijklmnopqrstuvwx", server_binding, true).unwrap();
        let ExchangeEvent::FindKeys(hash, _) = server.step(client.initial_response().unwrap().expose())? else { panic!() };
        let challenge = server.provide_keys(ScramKeys::derive(hash, b"secret", b"salt", 4096))?;
        server.step(client.respond(&challenge)?.expose())
    };
    let plus = Mechanism::ScramSha256Plus;
    assert!(matches!(run(&binding, &binding, true, plus), Ok(ExchangeEvent::Challenge(_))));
    assert_eq!(run(&binding, &other, true, plus), Ok(ExchangeEvent::Denied));
    let only_end_point = ChannelBinding { exporter: None, ..binding.clone() };
    assert!(matches!(run(&only_end_point, &binding, true, plus), Ok(ExchangeEvent::Challenge(_))));
    // An attacker on the network path has removed the `-PLUS` form from the offer.
    assert_eq!(run(&binding, &binding, false, Mechanism::ScramSha256), Err(SaslError::Downgrade));
    assert!(matches!(run(&ChannelBinding::default(), &binding, true, Mechanism::ScramSha256), Ok(ExchangeEvent::Challenge(_))));
    assert!(client_mechanism(plus, &joe(), &context(&ChannelBinding::default(), true)).is_none());
}

#[test]
fn s29_base64_is_strict() {
    for bad in ["AA=A", "A", "AA", "AAA", "AA==AA==", " AAAA", "AAAA ", "AA-A", "AB==", "====", "A===", "AAA\n"] {
        assert_eq!(decode_base64(bad.as_bytes()), Err(SaslError::NotBase64), "{bad:?}");
    }
    assert_eq!(decode_base64(b"").unwrap(), b"");
    assert_eq!(decode_base64(b"AA==").unwrap(), [0]);
}

#[test]
fn s33_plain_is_three_parts() {
    let step =
        |response: &[u8]| ServerExchange::new(Mechanism::Plain, "x", &ChannelBinding::default(), false).unwrap().step(response);
    assert!(matches!(step(b"\0joe\0secret"), Ok(ExchangeEvent::Authenticate(..))));
    assert!(matches!(step(b"joe\0joe\0secret"), Ok(ExchangeEvent::Authenticate(..))));
    let long = [&b"\0"[..], &[b'n'; 255], b"\0", &[b'p'; 255]].concat();
    assert!(matches!(step(&long), Ok(ExchangeEvent::Authenticate(..))));
    for bad in [&b""[..], b"\0", b"joe\0secret", b"\0joe\0sec\0ret", b"ann\0joe\0secret", b"\0\0secret", b"\0jo\ne\0secret"] {
        assert_eq!(step(bad), Err(SaslError::Malformed), "{bad:?}");
    }
    assert!(step(&[&b"\0joe\0"[..], &[b'p'; 256]].concat()).is_err());
}

#[test]
fn h56_no_mechanism_shows_a_secret() {
    let binding = ChannelBinding { exporter: Some([9; 32]), server_end_point: None };
    let token = Credentials::token("joe", "canary").unwrap();
    let password = Credentials::password("joe", "canary").unwrap();
    for mechanism in Mechanism::ALL {
        for credentials in [&token, &password] {
            if let Some(mut client) = client_mechanism(mechanism, credentials, &context(&binding, true)) {
                let _ = client.initial_response();
                let _ = client.respond(b"x");
                let shown = format!("{client:?} {credentials:?}");
                assert!(!shown.contains("canary"), "{mechanism}");
                let is_scram = mechanism.as_str().starts_with("SCRAM");
                assert!(!is_scram || shown.starts_with(&format!("ScramClient {{ mechanism: {mechanism:?}")), "{shown}");
            }
        }
    }
}

#[test]
#[cfg(feature = "scram")]
fn h56_keys_are_not_shown() {
    let keys = ScramKeys::derive(ScramHash::Sha1, b"canary", b"salt", 4096);
    assert_eq!(format!("{keys:?}"), "ScramKeys([redacted])");
    let mut server =
        ServerExchange::new(Mechanism::ScramSha1, "abcdefghijklmnopqrstuvwx", &ChannelBinding::default(), false).unwrap();
    server.step(b"n,,n=joe,r=abc").unwrap();
    server.provide_keys(keys).unwrap();
    let shown = format!("{server:?}");
    assert!(shown.contains("ScramServer { mechanism: ScramSha1, .. }"), "{shown}");
}

#[test]
fn the_strongest_is_chosen_and_never_one_that_is_not_allowed() {
    let offer = OfferedMechanisms::new([&b"plain"[..], b"LOGIN", b"CRAM-MD5", b"XOAUTH2", b"OAUTHBEARER", b"EXTERNAL"]);
    assert_eq!(Credentials::token("j", "t").unwrap().choose(&offer, &Mechanism::ALL, false), Some(Mechanism::OauthBearer));
    let allowed: Vec<_> = Mechanism::ALL.into_iter().filter(|mechanism| !mechanism.exposes_secret()).collect();
    let expected = cfg!(feature = "cram-md5").then_some(Mechanism::CramMd5);
    assert_eq!(joe().choose(&offer, &allowed, false), expected);
    assert_eq!(joe().choose(&OfferedMechanisms::default(), &Mechanism::ALL, true), None);
    let scram = OfferedMechanisms::new([&b"SCRAM-SHA-256-PLUS"[..], b"SCRAM-SHA-256"]);
    if cfg!(feature = "scram") {
        assert_eq!(joe().choose(&scram, &Mechanism::ALL, true), Some(Mechanism::ScramSha256Plus));
        assert_eq!(joe().choose(&scram, &Mechanism::ALL, false), Some(Mechanism::ScramSha256));
    }
}

#[test]
#[cfg(feature = "scram")]
fn s35_the_flag_and_the_nonce_of_the_last_message_are_checked() {
    let binding = ChannelBinding { exporter: Some([1; 32]), server_end_point: None };
    // The client reports that it supports channel binding, and an attacker on the network path removes this report.
    let mut client = client_mechanism(Mechanism::ScramSha256, &joe(), &context(&binding, false)).unwrap();
    let first = client.initial_response().unwrap();
    let unsaid = [b"n,,", first.expose().strip_prefix(b"y,,").unwrap()].concat();
    let mut server = ServerExchange::new(Mechanism::ScramSha256, "abcdefghijklmnopqrstuvwx", &binding, true).unwrap();
    let ExchangeEvent::FindKeys(hash, _) = server.step(&unsaid).unwrap() else { panic!() };
    let challenge = server.provide_keys(ScramKeys::derive(hash, b"secret", b"salt", 4096)).unwrap();
    assert_eq!(server.step(client.respond(&challenge).unwrap().expose()), Ok(ExchangeEvent::Denied));
    let mut server = ServerExchange::new(Mechanism::ScramSha256, "abcdefghijklmnopqrstuvwx", &binding, false).unwrap();
    let ExchangeEvent::FindKeys(hash, _) = server.step(b"n,,n=joe,r=abc").unwrap() else { panic!() };
    server.provide_keys(ScramKeys::derive(hash, b"secret", b"salt", 4096)).unwrap();
    assert_eq!(server.step(b"c=biws,r=another,p=AAAA"), Err(SaslError::Nonce));
}

#[test]
fn s34_xoauth2_answers_a_failure_with_an_empty_line() {
    let mut client = client(Mechanism::Xoauth2, &Credentials::token("joe", "t").unwrap(), &ChannelBinding::default());
    client.initial_response();
    assert_eq!(client.failure(), None);
    assert_eq!(client.respond(b"{}").unwrap().expose(), b"");
    assert_eq!(client.failure(), Some(&b"{}"[..]));
}

#[test]
fn h15_nothing_is_sent_that_would_be_read_as_more_than_one_part() {
    let begins = |mechanism, credentials: &Credentials, host: &str| {
        client_mechanism(mechanism, credentials, &ExchangeContext { host, ..context(&ChannelBinding::default(), false) })
            .is_some()
    };
    let secret = |text: &str| crate::Secret::from(text);
    for (odd, fine_in_a_password) in [("a\0b", false), ("a\rb", false), ("a\nb", false), ("a\u{1}b", true), ("ab", true)] {
        let passwords = [
            Credentials::Password { name: odd.into(), password: secret("x") },
            Credentials::Password { name: b"joe".to_vec(), password: secret(odd) },
        ];
        for credentials in passwords {
            assert_eq!(begins(Mechanism::Plain, &credentials, "host"), fine_in_a_password, "{odd:?}");
        }
        let external = Credentials::External { name: odd.into() };
        assert_eq!(begins(Mechanism::External, &external, "host"), fine_in_a_password, "{odd:?}");
        let tokens = [
            Credentials::Token { name: odd.into(), token: secret("x") },
            Credentials::Token { name: b"joe".to_vec(), token: secret(odd) },
        ];
        for credentials in tokens {
            assert_eq!(begins(Mechanism::Xoauth2, &credentials, "host"), odd == "ab", "{odd:?}");
        }
    }
    assert!(!begins(Mechanism::Xoauth2, &joe(), "host"), "a password is no token");
    let token = Credentials::token("joe", "x").unwrap();
    assert!(begins(Mechanism::OauthBearer, &token, "host"));
    assert!(!begins(Mechanism::OauthBearer, &token, "ho\0st") && !begins(Mechanism::OauthBearer, &token, "ho\u{1}st"));
}
