//! TLS, and what was said before it, over loopback.

mod peer;

use std::sync::Arc;
use std::time::Duration;

use peer::{Short, accept, connect, handshake, heard, listen, read, say, spawn, write};
use pop3_blocking::maildrop::Memory;
use pop3_blocking::proto::client::{LoginFailure, LoginPolicy, RemoteError, RequestError, Service};
use pop3_blocking::proto::codec::MessageNumber;
use pop3_blocking::proto::sasl::{Credentials, Mechanism};
use pop3_blocking::proto::server::CleartextLogin;
use pop3_blocking::rustls::{ServerConfig, crypto::ring, version::TLS12};
use pop3_blocking::tls::{ServerTls, TlsFailure};
use pop3_blocking::{Client, ClientOptions, Error, ListenSecurity, Security, Server, ServerOptions, rustls, tls};

/// A server for `joe`, on a port that begins in the clear and one that begins with TLS.
struct Served {
    plain: u16,
    tls: u16,
    trusted: Arc<rustls::ClientConfig>,
}

/// A certificate for localhost and its key, both in PEM.
fn certified() -> (String, String) {
    let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    (certified.cert.pem(), certified.signing_key.serialize_pem())
}

fn serve(change: impl FnOnce(&mut ServerOptions)) -> Served {
    let (certificate, key) = certified();
    let mut options = ServerOptions::with_tls(tls::server(certificate.as_bytes(), key.as_bytes()).unwrap());
    options.config.mechanisms = Mechanism::ALL.to_vec();
    change(&mut options);
    serve_with(options, Memory::new().with_user("joe", "secret", [b"x\n".to_vec()]), &certificate)
}

fn serve_with(options: ServerOptions, store: Memory, certificate: &str) -> Served {
    let server = Arc::new(Server::new(options, store));
    let mut ports = [0; 2];
    for (port, kind) in ports.iter_mut().zip([ListenSecurity::Cleartext, ListenSecurity::ImplicitTls]) {
        let (listener, address) = listen();
        *port = address.port();
        let server = Arc::clone(&server);
        spawn(move || server.serve(&listener, kind));
    }
    Served { plain: ports[0], tls: ports[1], trusted: tls::client_trusting(certificate.as_bytes()).unwrap() }
}

fn joe() -> Credentials {
    Credentials::password("joe", "secret").unwrap()
}

#[test]
fn h05_the_session_before_tls_is_forgotten() {
    let place = serve(|options| options.config.cleartext_login = CleartextLogin::DangerouslyAllow);
    let mut stream = connect(place.plain);
    heard(&mut stream);
    assert_eq!(say(&mut stream, "LANG es"), "+OK es estos textos están ahora en español");
    assert_eq!(say(&mut stream, "USER joe"), "+OK la contraseña, por favor");
    assert_eq!(say(&mut stream, "STLS"), "+OK inicie TLS");
    let mut stream = handshake(&place.trusted, stream);
    assert_eq!(say(&mut stream, "PASS secret"), "-ERR say USER first");
    assert_eq!(say(&mut stream, "STLS"), "-ERR TLS is active already");
    assert_eq!(say(&mut stream, "USER joe"), "+OK the password, please");
    assert_eq!(say(&mut stream, "PASS secret"), "+OK maildrop ready");
}

#[test]
fn s49_tls_comes_first_then_the_greeting_and_in_the_end_a_farewell() {
    let place = serve(|_| ());
    let mut stream = handshake(&place.trusted, connect(place.tls));
    assert_eq!(heard(&mut stream), "+OK POP3 server ready");
    assert_eq!(say(&mut stream, "STAT"), "-ERR log in first");
    assert_eq!(say(&mut stream, "QUIT"), "+OK bye");
    // Without a farewell this would be an error.
    assert_eq!(read(&mut stream, &mut [0; 8]).unwrap(), 0);
}

#[test]
fn s36_logins_are_bound_to_tls_13_by_its_exporter_and_to_tls_12_by_the_certificate() {
    for tls12 in [false, true] {
        let (certificate, key) = certified();
        let mut tls = tls::server(certificate.as_bytes(), key.as_bytes()).unwrap();
        if tls12 {
            let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
            let builder = builder.with_protocol_versions(&[&TLS12]).unwrap().with_no_client_auth();
            let config = builder.with_cert_resolver(Arc::clone(&tls.config.cert_resolver));
            tls = ServerTls { config: Arc::new(config), ..tls };
        }
        let mut options = ServerOptions::with_tls(tls);
        options.config.mechanisms = vec![Mechanism::ScramSha256Plus, Mechanism::ScramSha1Plus];
        let place = serve_with(options, Memory::new().with_user("joe", "secret", []), &certificate);
        for mechanism in [Mechanism::ScramSha1Plus, Mechanism::ScramSha256Plus] {
            let policy = LoginPolicy { mechanisms: vec![mechanism], user_pass: false, ..LoginPolicy::default() };
            let ways = [(place.plain, Security::Stls(place.trusted.clone())), (place.tls, Security::Tls(place.trusted.clone()))];
            for (port, security) in ways {
                let options = ClientOptions::new(security);
                let mut client = Client::connect_and_login("localhost", port, &options, &joe(), &policy).unwrap();
                assert_eq!(client.stat().unwrap().messages, 0, "{mechanism}, TLS 1.2: {tls12}");
                client.quit().unwrap();
            }
        }
    }
}

#[test]
fn s53_a_certificate_logs_in_by_external_which_is_offered_to_its_clients_only() {
    let (certificate, key) = certified();
    let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
    parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let authority = rcgen::CertifiedIssuer::self_signed(parameters, rcgen::KeyPair::generate().unwrap()).unwrap();
    let joes_key = rcgen::KeyPair::generate().unwrap();
    let joes = rcgen::CertificateParams::new(["joe".to_owned()]).unwrap().signed_by(&joes_key, &authority).unwrap();
    let tls = tls::server_with_client_auth(certificate.as_bytes(), key.as_bytes(), authority.pem().as_bytes()).unwrap();
    let store = Memory::new().with_user("joe", "secret", []).with_certificate("joe", joes.der().to_vec());
    let place = serve_with(ServerOptions::with_tls(tls), store, &certificate);
    let without = ClientOptions::new(Security::Tls(place.trusted.clone()));
    let shown = tls::with_certificate(&place.trusted, joes.pem().as_bytes(), joes_key.serialize_pem().as_bytes()).unwrap();
    let with = ClientOptions::new(Security::Tls(shown));
    let external = Credentials::External { name: Vec::new() };
    for name in [&b""[..], b"joe"] {
        let external = Credentials::External { name: name.to_vec() };
        let client = Client::connect_and_login("localhost", place.tls, &with, &external, &LoginPolicy::default()).unwrap();
        client.quit().unwrap();
    }
    let another = Credentials::External { name: b"ann".to_vec() };
    let error = Client::connect_and_login("localhost", place.tls, &with, &another, &LoginPolicy::default()).unwrap_err();
    assert_eq!(error.login_failure(), Some(LoginFailure::WrongCredentials));
    let error = Client::connect_and_login("localhost", place.tls, &without, &external, &LoginPolicy::default()).unwrap_err();
    assert_eq!(error.login_failure(), Some(LoginFailure::NoMechanism));
    let mut client = Client::connect("localhost", place.tls, &without).unwrap();
    assert!(!client.capa().unwrap().has_mechanism("EXTERNAL"));
}

#[test]
fn h10_q04_implicit_tls_goes_nowhere_else() {
    let place = serve(|_| ());
    let free = listen().1.port();
    let options = ClientOptions::new(Security::Tls(place.trusted.clone()));
    let error = Client::connect_and_login("localhost", free, &options, &joe(), &LoginPolicy::default()).unwrap_err();
    assert!(matches!(error, Error::Connect { .. }), "{error}");
    // A port that begins in the clear.
    let error = Client::connect_and_login("localhost", place.plain, &options, &joe(), &LoginPolicy::default()).unwrap_err();
    assert!(matches!(error, Error::Tls(TlsFailure::NotTls)), "{error}");
    assert_eq!(error.login_failure(), Some(LoginFailure::WrongService(Service::NoTls)));
}

#[test]
fn h12_a_peer_that_is_silent_in_the_handshake_is_left() {
    let place = serve(|options| options.timeouts.login = Duration::from_millis(200));
    let mut stream = connect(place.tls);
    assert_eq!(read(&mut stream, &mut [0; 8]).unwrap_or(0), 0, "a server leaves a client");
    let mut stream = connect(place.plain);
    heard(&mut stream);
    say(&mut stream, "STLS");
    assert_eq!(read(&mut stream, &mut [0; 8]).unwrap_or(0), 0, "behind STLS, too");
    let (_silent, address) = listen();
    let mut options = ClientOptions::new(Security::Tls(place.trusted.clone()));
    options.timeouts.connect = Duration::from_millis(200);
    let error = Client::connect("localhost", address.port(), &options).unwrap_err();
    assert!(matches!(error, Error::TimedOut { waiting_for: "the TLS handshake was done", .. }), "{error}");
}

#[test]
fn h24_a_broken_session_does_not_affect_others() {
    let place = serve(|_| ());
    let mut spoilers = Vec::new();
    for line in ["%%%", "*", "AA=A", ""] {
        let mut stream = handshake(&place.trusted, connect(place.tls));
        heard(&mut stream);
        assert_eq!(say(&mut stream, "AUTH PLAIN"), "+");
        assert!(say(&mut stream, line).starts_with("-ERR"), "{line:?}");
        // And one exchange that never goes on.
        assert!(say(&mut stream, "AUTH LOGIN").starts_with("+ "));
        spoilers.push(stream);
    }
    let options = ClientOptions::new(Security::Tls(place.trusted.clone()));
    let client = Client::connect_and_login("localhost", place.tls, &options, &joe(), &LoginPolicy::default()).unwrap();
    client.quit().unwrap();
    for stream in &mut spoilers {
        assert!(say(stream, "*").starts_with("-ERR"), "the session lives");
    }
}

#[test]
fn q09_a_server_that_leaves_at_capa_is_tried_without() {
    let (listener, address) = listen();
    let server = spawn(move || {
        let mut all = Vec::new();
        for _ in 0..2 {
            let mut stream = accept(&listener);
            write(&mut stream, b"+OK\r\n");
            loop {
                let line = heard(&mut stream);
                all.push(line.clone());
                if line == "CAPA" {
                    break;
                }
                write(&mut stream, b"+OK\r\n");
                if line == "PASS secret" {
                    break;
                }
            }
        }
        all
    });
    let options = ClientOptions::new(Security::DangerousCleartext);
    Client::connect_and_login("127.0.0.1", address.port(), &options, &joe(), &LoginPolicy::default()).unwrap();
    assert_eq!(server.result(), ["CAPA", "USER joe", "PASS secret"]);
}

/// A whole session, of which only so much is read; what became of it.
fn session(place: &Served, stls: bool, left: usize, ends: bool) -> Result<Vec<u8>, Error> {
    let (port, security): (_, fn(_) -> _) = if stls { (place.plain, Security::Stls) } else { (place.tls, Security::Tls) };
    let mut options = ClientOptions::new(security(place.trusted.clone()));
    let backoff = Duration::from_millis(if ends { 60_000 } else { 50 });
    let timeouts = &mut options.timeouts;
    (timeouts.connect, timeouts.greeting, timeouts.command, timeouts.body) = (backoff, backoff, backoff, backoff);
    let stream = Box::new(Short { stream: connect(port), left, ends });
    let mut client = Client::with_stream_and_login(stream, "localhost", port, &options, &joe(), &LoginPolicy::default())?;
    let text = client.retr(MessageNumber::FIRST)?.into_vec()?;
    client.quit()?;
    Ok(text)
}

#[test]
fn h13_a_server_that_vanishes_or_stalls_within_a_record_has_delivered_nothing() {
    let message: Vec<u8> = b"0123456789\r\n".repeat(300);
    let (certificate, key) = certified();
    let options = ServerOptions::with_tls(tls::server(certificate.as_bytes(), key.as_bytes()).unwrap());
    let store = Memory::new().with_user("joe", "secret", [message.clone()]);
    let place = serve_with(options, store, &certificate);
    for (stls, ends, step) in [(true, true, 37), (false, true, 41), (true, false, 401), (false, false, 409)] {
        let mut left = 0;
        loop {
            match session(&place, stls, left, ends) {
                Ok(text) => break assert!(text == message && left > message.len(), "STLS: {stls}, {left} octets"),
                Err(Error::Request(RequestError::Refused(refusal))) => {
                    // The session before may still hold the maildrop.
                    assert!(refusal.to_string().contains("IN-USE"), "{refusal}");
                    continue;
                }
                Err(Error::Tls(_) | Error::Io(_) | Error::Request(RequestError::Remote(RemoteError::Closed(_)))) if ends => {}
                Err(Error::TimedOut { .. }) if !ends => {}
                Err(error) => panic!("STLS: {stls}, ends: {ends}, {left} octets: {error:?}"),
            }
            left += step;
        }
    }
}
