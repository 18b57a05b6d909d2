//! An address alone, against a stand-in for its provider: a network of its own with the provider's host names, port and a certificate for them.

use std::fs;
use std::path::Path;
use std::process::Command;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

const ADDRESS: &str = "you@126.com";

/// Writes the certificate of the provider's hosts, and of the authority that has signed it.
fn certificates(folder: &Path, hosts: &[&str]) {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.distinguished_name.push(DnType::CommonName, "an authority of this test");
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority_key = KeyPair::generate().unwrap();
    let key = KeyPair::generate().unwrap();
    let issuer = Issuer::from_params(&authority, &authority_key);
    let certificate = CertificateParams::new(hosts.iter().map(ToString::to_string).collect::<Vec<_>>())
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    fs::write(folder.join("ca.pem"), authority.self_signed(&authority_key).unwrap().pem()).unwrap();
    fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
    fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
}

/// Runs `commands` in a network of its own, in which a server of these hosts runs, with one message for `user`. Returns what they print.
/// Processes that the commands start end with them if their ids are in `started`.
pub fn beside_a_server(hosts: &[&str], user: &str, commands: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path(), hosts);
    let drop = folder.path().join("mail").join(user);
    for sub in ["cur", "new", "tmp"] {
        fs::create_dir_all(drop.join(sub)).unwrap();
    }
    fs::write(drop.join("new/1.a"), "Subject: hello\n\nHello.\n").unwrap();
    fs::create_dir(folder.path().join("home")).unwrap();
    let names: String = hosts.iter().map(|host| format!("192.0.2.10 {host}\n")).collect();
    // 2001:db8::10 is in the hosts file, and the network has no IPv6.
    fs::write(folder.path().join("hosts"), format!("127.0.0.1 localhost\n{names}2001:db8::10 {}\n", hosts[0])).unwrap();
    let script = format!(
        "cd {folder}
         ip link set lo up
         ip address add 192.0.2.10/32 dev lo
         mount --bind hosts /etc/hosts
         chmod 600 key.pem
         echo secret | $POP3 passwd users {user}
         exec 3< <(exec $POP3 serve --users users --mail '{folder}/mail/%u' --cert cert.pem --key key.pem --listen-tls 192.0.2.10:995 2>&1)
         started=$!
         trap 'kill $started' EXIT
         line=; until [[ $line == *192.0.2.10:995* ]]; do read -r -u 3 line; done
         export SSL_CERT_FILE={folder}/ca.pem HOME={folder}/home POP3_PASSWORD=secret COLUMNS=200 LC_ALL=C
         {commands}",
        folder = folder.path().display(),
    );
    let mut command = Command::new("unshare");
    command.args(["--net", "--mount", "timeout", "120", "bash", "-euc", &script]).env("POP3", env!("CARGO_BIN_EXE_pop3"));
    let output = command.output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}");
    told
}

fn beside_the_provider(commands: &str) -> String {
    beside_a_server(&["pop.126.com"], ADDRESS, commands)
}

#[test]
fn an_address_alone_brings_its_mail_home() {
    let told = beside_the_provider(&format!(
        "$POP3 fetch {ADDRESS}
         cat home/Mail/{ADDRESS}/new/*
         $POP3 fetch {ADDRESS}"
    ));
    for part in [
        "pop3: pop.126.com, port 995, user you@126.com; mail goes to ",
        "you@126.com@pop.126.com: 1 message",
        "Subject: hello\n",
        "nothing new",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn the_doctor_finds_a_provider_well_and_says_what_is_wrong_with_its_network() {
    let told = beside_the_provider(&format!(
        "$POP3 doctor {ADDRESS} --timeout 5
         $POP3 doctor nowhere.example --timeout 5 || echo code $?
         ip address add 10.0.0.1/32 dev lo
         echo '10.0.0.1 pop.126.com' > hosts
         $POP3 doctor {ADDRESS} --timeout 5 || echo code $?
         unset SSL_CERT_FILE
         echo '192.0.2.10 pop.126.com' > hosts
         $POP3 doctor {ADDRESS} --timeout 5 || echo code $?"
    ));
    for part in [
        "· Network   this machine has no IPv6, so 2001:db8::10 port 995 is left out; IPv4 works",
        "✓ Login     logged in as you@126.com with AUTH PLAIN",
        "Mail can be fetched: pop3 fetch you@126.com\n",
        // There is no name server in this network.
        "✗ Names     the name nowhere.example cannot be looked up now",
        "! Names     pop.126.com has the addresses 10.0.0.1, which are in the own network",
        "✗ Network   10.0.0.1 port 995 refuses connections",
        // Without the test's authority.
        "✗ TLS       the certificate of pop.126.com is signed by",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    let codes: Vec<_> = told.lines().filter(|line| line.starts_with("code ")).collect();
    assert_eq!(codes, ["code 3", "code 3", "code 4"], "{told}");
}
