//! Which servers `pop3 fetch` trusts: certificates of every kind, through the program itself.

mod script;

use std::fs;
use std::path::PathBuf;

use pop3_blocking::rustls::pki_types::CertificateDer;
use pop3_blocking::rustls::version;
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
