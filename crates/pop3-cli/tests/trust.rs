//! Which servers `pop3 fetch` trusts: certificates of every kind, through the program itself.

mod script;

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;

use pop3_blocking::maildrop::Memory;
use pop3_blocking::rustls::pki_types::CertificateDer;
use pop3_blocking::rustls::version;
use pop3_blocking::{ListenSecurity, Server, ServerOptions, tls};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, KeyPair};

use script::identity::{Identity, parameters, self_signed, serve, signed_by};
use script::{home, pop3, text};

/// The exit code of `pop3 fetch` there, and what it says.
fn fetch(port: u16, options: &[&str]) -> (Option<i32>, String) {
    let (_folder, maildir) = home();
    let output = pop3()
        .args(["fetch", "localhost", "--user", "joe", "--port", &port.to_string()])
        .args(options)
        .arg(&maildir)
        .env("POP3_PASSWORD", "secret")
        .output()
        .unwrap();
    let told = text(&output.stderr);
    assert!(!told.contains("Error(") && !told.contains("Other("), "no debug text: {told}");
    assert_eq!(
        output.status.code() == Some(0),
        maildir.join("new").is_dir(),
        "no folder is made for a server that is not trusted"
    );
    (output.status.code(), told)
}

/// A file with certificates in PEM.
fn pem(folder: &tempfile::TempDir, certificates: &[&Certificate]) -> PathBuf {
    let file = folder.path().join("ca.pem");
    fs::write(&file, certificates.iter().map(|certificate| certificate.pem()).collect::<String>()).unwrap();
    file
}

/// What comes of it without options, with `--ca-file` for these certificates, and with any certificate allowed.
fn outcomes(shown: &Identity, given: &[&Certificate]) -> [(Option<i32>, String); 3] {
    let folder = tempfile::tempdir().unwrap();
    let file = pem(&folder, given);
    let port = serve(shown.certificate.der(), &shown.key, &version::TLS13);
    [fetch(port, &[]), fetch(port, &["--ca-file", file.to_str().unwrap()]), fetch(port, &["--dangerously-any-certificate"])]
}

#[test]
fn h11_without_options_only_the_systems_authorities_are_trusted() {
    let own = self_signed(&parameters("localhost"));
    let [plain, with_file, dangerous] = outcomes(&own, &[&own.certificate]);
    assert_eq!(plain.0, Some(4), "{}", plain.1);
    assert!(plain.1.contains("signed its certificate itself") && plain.1.contains("--ca-file"), "{}", plain.1);
    assert_eq!((with_file.0, dangerous.0), (Some(0), Some(0)), "{}{}", with_file.1, dangerous.1);
}

#[test]
fn h11_a_certificate_as_openssl_makes_it_is_its_own_authority() {
    // `openssl req -x509` marks what it makes as an authority.
    let mut authority = parameters("localhost");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let own = self_signed(&authority);
    let [plain, with_file, _] = outcomes(&own, &[&own.certificate]);
    assert_eq!((plain.0, with_file.0), (Some(4), Some(0)), "{}{}", plain.1, with_file.1);
    assert!(plain.1.contains("signed its certificate itself"), "{}", plain.1);
}

#[test]
fn h11_an_authority_that_is_given_vouches_for_others_and_no_other_certificate_does() {
    let mut authority_parameters = parameters("an authority");
    authority_parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = self_signed(&authority_parameters);
    let leaf = signed_by(&parameters("localhost"), &authority, &authority_parameters);
    let [plain, with_file, _] = outcomes(&leaf, &[&authority.certificate]);
    assert_eq!((plain.0, with_file.0), (Some(4), Some(0)), "{}{}", plain.1, with_file.1);
    assert!(plain.1.contains("not signed by a trusted authority"), "{}", plain.1);
    // The certificate of a server, which is no authority.
    let other_parameters = parameters("other.example");
    let other = self_signed(&other_parameters);
    let leaf = signed_by(&parameters("localhost"), &other, &other_parameters);
    let [_, with_file, _] = outcomes(&leaf, &[&other.certificate]);
    assert_eq!(with_file.0, Some(4), "{}", with_file.1);
    // One that says that it is none.
    let mut denying_parameters = parameters("other.example");
    denying_parameters.is_ca = IsCa::ExplicitNoCa;
    let denying = self_signed(&denying_parameters);
    let denied = signed_by(&parameters("localhost"), &denying, &denying_parameters);
    let [_, with_file, _] = outcomes(&denied, &[&denying.certificate]);
    assert_eq!(with_file.0, Some(4), "{}", with_file.1);
    // Another authority that is not given.
    let [_, with_file, _] = outcomes(&leaf, &[&authority.certificate]);
    assert_eq!(with_file.0, Some(4), "{}", with_file.1);
}

#[test]
fn h11_certificates_out_of_their_time_are_refused_and_say_when() {
    for (from, to, said) in [(2001, 2002, "has expired: 2002-01-01"), (2901, 2902, "not valid yet: 2901-01-01")] {
        let mut parameters = parameters("localhost");
        (parameters.not_before, parameters.not_after) = (rcgen::date_time_ymd(from, 1, 1), rcgen::date_time_ymd(to, 1, 1));
        let own = self_signed(&parameters);
        let [_, with_file, dangerous] = outcomes(&own, &[&own.certificate]);
        assert_eq!((with_file.0, dangerous.0), (Some(4), Some(0)), "{}{}", with_file.1, dangerous.1);
        assert!(with_file.1.contains(said), "{}", with_file.1);
        // By an authority, too.
        let mut authority_parameters = CertificateParams::new(["an authority".to_owned()]).unwrap();
        authority_parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = self_signed(&authority_parameters);
        let leaf = signed_by(&parameters, &authority, &authority_parameters);
        let [_, with_file, _] = outcomes(&leaf, &[&authority.certificate]);
        assert_eq!(with_file.0, Some(4), "{}", with_file.1);
        assert!(with_file.1.contains(said), "{}", with_file.1);
    }
}

#[test]
fn s50_a_certificate_for_another_host_is_refused_and_says_for_which() {
    let own = self_signed(&parameters("pop.example.org"));
    let [_, with_file, dangerous] = outcomes(&own, &[&own.certificate]);
    assert_eq!((with_file.0, dangerous.0), (Some(4), Some(0)), "{}{}", with_file.1, dangerous.1);
    assert!(with_file.1.contains("for another host: it is for pop.example.org"), "{}", with_file.1);
}

#[test]
fn h11_a_server_must_hold_the_key_of_its_certificate() {
    let own = self_signed(&parameters("localhost"));
    let thief = KeyPair::generate().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = pem(&folder, &[&own.certificate]);
    for tls in [&version::TLS12, &version::TLS13] {
        let port = serve(own.certificate.der(), &thief, tls);
        let (code, told) = fetch(port, &["--ca-file", file.to_str().unwrap()]);
        assert_eq!(code, Some(4), "{:?}: {told}", tls.version);
        let port = serve(own.certificate.der(), &own.key, tls);
        let (code, told) = fetch(port, &["--ca-file", file.to_str().unwrap()]);
        assert_eq!(code, Some(0), "{:?}: {told}", tls.version);
    }
}

#[test]
fn dangerously_any_certificate_means_what_it_says() {
    let own = self_signed(&parameters("localhost"));
    for tls in [&version::TLS12, &version::TLS13] {
        let malformed = CertificateDer::from(b"no certificate at all".to_vec());
        let port = serve(&malformed, &own.key, tls);
        assert_eq!(fetch(port, &["--dangerously-any-certificate"]).0, Some(0), "{:?}", tls.version);
        assert_eq!(fetch(port, &[]).0, Some(4), "{:?}", tls.version);
    }
}

#[test]
fn s51_a_pinned_certificate_is_accepted_and_no_other() {
    use sha2::{Digest, Sha256};
    let fingerprint = |certificate: &Certificate| {
        let digest = Sha256::digest(certificate.der());
        digest.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
    };
    // For another name, ended long ago, and signed by itself.
    let mut old = parameters("other.example.org");
    old.not_before = rcgen::date_time_ymd(2001, 1, 1);
    old.not_after = rcgen::date_time_ymd(2002, 1, 1);
    let (own, another) = (self_signed(&old), self_signed(&parameters("localhost")));
    for tls in [&version::TLS12, &version::TLS13] {
        let port = serve(own.certificate.der(), &own.key, tls);
        let (code, told) = fetch(port, &["--pin", &fingerprint(&own.certificate)]);
        assert_eq!(code, Some(0), "{told}");
        let (code, told) = fetch(port, &["--pin", &fingerprint(&another.certificate)]);
        assert_eq!(code, Some(4), "{told}");
        let shown = format!("it is not the pinned one; its SHA-256 fingerprint is {}", fingerprint(&own.certificate));
        assert!(told.contains(&shown), "{told}");
        // The certificate is public; whoever shows it must have its key.
        let port = serve(own.certificate.der(), &another.key, tls);
        let (code, told) = fetch(port, &["--pin", &fingerprint(&own.certificate)]);
        assert_eq!(code, Some(4), "{told}");
    }
}

#[test]
fn s53_a_certificate_of_the_client_logs_in_without_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let mut authority_parameters = parameters("authority");
    authority_parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = self_signed(&authority_parameters);
    let (server, joe) = (self_signed(&parameters("localhost")), signed_by(&parameters("joe"), &authority, &authority_parameters));
    let write = |name: &str, text: String| {
        fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).to_str().unwrap().to_owned()
    };
    let files = [
        write("server.pem", server.certificate.pem()),
        write("joe.pem", joe.certificate.pem()),
        write("joe.key", joe.key.serialize_pem()),
    ];
    let tls = tls::server_with_client_auth(
        server.certificate.pem().as_bytes(),
        server.key.serialize_pem().as_bytes(),
        authority.certificate.pem().as_bytes(),
    );
    let store = Memory::new().with_user("joe", "x", [b"Subject: x\n\ny\n".to_vec()]);
    let store = store.with_certificate("joe", joe.certificate.der().to_vec());
    let server = Arc::new(Server::new(ServerOptions::with_tls(tls.unwrap()), store));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    thread::spawn(move || server.serve(&listener, ListenSecurity::ImplicitTls));
    let fetch = |options: &[&str]| {
        let (_folder, maildir) = home();
        let mut command = pop3();
        command.args(["fetch", "localhost", "--user", "joe", "--port", &port, "--ca-file", &files[0], "--auth", "external"]);
        let output = command.args(options).arg(&maildir).env_remove("POP3_PASSWORD").output().unwrap();
        (output.status.code(), text(&output.stderr))
    };
    let (code, told) = fetch(&["--client-cert", &files[1], "--client-key", &files[2]]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = fetch(&[]);
    assert_ne!(code, Some(0), "{told}");
    let (code, told) = fetch(&["--client-cert", &files[0], "--client-key", &files[2]]);
    assert_eq!(code, Some(7), "the key is that of another certificate: {told}");
}
