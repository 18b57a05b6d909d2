//! Logins by every mechanism that other programs have, at a server made of our library.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::thread;

use pop3_blocking::maildrop::Memory;
use pop3_blocking::proto::sasl::Mechanism;
use pop3_blocking::{ListenSecurity, Server, ServerOptions, tls};

const MESSAGE: &str = "Subject: one\n\nbody\n";

/// A port with TLS, and the folder with the certificate, a client's certificate and its key.
struct Place {
    port: u16,
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let certified = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let mut parameters = rcgen::CertificateParams::new(Vec::new()).unwrap();
        parameters.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let authority = rcgen::CertifiedIssuer::self_signed(parameters, rcgen::KeyPair::generate().unwrap()).unwrap();
        let joes_key = rcgen::KeyPair::generate().unwrap();
        let joes = rcgen::CertificateParams::new(["joe".to_owned()]).unwrap().signed_by(&joes_key, &authority).unwrap();
        let (certificate, key) = (certified.cert.pem(), certified.signing_key.serialize_pem());
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("cert.pem", &certificate), ("joe.pem", &joes.pem()), ("joe.key", &joes_key.serialize_pem())] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        let tls = tls::server_with_client_auth(certificate.as_bytes(), key.as_bytes(), authority.pem().as_bytes()).unwrap();
        let store = Memory::new().with_user("joe", "se cret", [MESSAGE.as_bytes().to_vec()]);
        let store = store.with_token("joe", "t0ken").with_certificate("joe", joes.der().to_vec());
        let mut options = ServerOptions::with_tls(tls);
        options.config.mechanisms = Mechanism::ALL.to_vec();
        options.config.apop = true;
        let server = Arc::new(Server::new(options, store));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || server.serve(&listener, ListenSecurity::ImplicitTls));
        Self { port, folder }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// Fetches the message.
    fn curl(&self, login: &[&str]) -> Output {
        let url = format!("pop3s://localhost:{}/1", self.port);
        Command::new("curl").args(["-sS", "-m", "30", "--cacert", &self.path("cert.pem")]).args(login).arg(url).output().unwrap()
    }

    /// Fetches everything into a Maildir.
    fn mpop(&self, mechanism: &str, secret: &str, more: &str) -> (Output, usize) {
        let work = tempfile::tempdir().unwrap();
        let (mail, rc) = (work.path().join("Maildir"), work.path().join("mpoprc"));
        for sub in ["tmp", "new", "cur"] {
            fs::create_dir_all(mail.join(sub)).unwrap();
        }
        let text = format!(
            "account a\nhost localhost\nport {}\nuser joe\npassword \"{secret}\"\nauth {mechanism}\ntls on\ntls_starttls off\n\
             tls_trust_file {}\n{more}\ndelivery maildir {}\nuidls_file {}/uidls\nreceived_header off\nkeep on\naccount default : a\n",
            self.port,
            self.path("cert.pem"),
            mail.display(),
            work.path().display()
        );
        fs::write(&rc, text).unwrap();
        Command::new("chmod").arg("600").arg(&rc).status().unwrap();
        let output = Command::new("timeout").args(["60", "mpop", "-C"]).arg(&rc).arg("-q").output().unwrap();
        (output, fs::read_dir(mail.join("new")).unwrap().count())
    }
}

fn shown(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn curl_logs_in_by_every_mechanism_that_it_has() {
    let place = Place::new();
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5", "+APOP"] {
        let option = format!("AUTH={mechanism}");
        let output = place.curl(&["--user", "joe:se cret", "--login-options", &option]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), MESSAGE.replace('\n', "\r\n"), "{mechanism}: {}", shown(&output));
        let output = place.curl(&["--user", "joe:wrong", "--login-options", &option]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{mechanism}");
    }
    for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
        let option = format!("AUTH={mechanism}");
        let output = place.curl(&["--user", "joe:", "--oauth2-bearer", "t0ken", "--login-options", &option]);
        assert_eq!(String::from_utf8_lossy(&output.stdout), MESSAGE.replace('\n', "\r\n"), "{mechanism}: {}", shown(&output));
        let output = place.curl(&["--user", "joe:", "--oauth2-bearer", "wrong", "--login-options", &option]);
        assert!(!output.status.success() && output.stdout.is_empty(), "{mechanism}");
    }
}

#[test]
fn mpop_logs_in_by_every_mechanism_that_both_have() {
    let place = Place::new();
    for mechanism in ["user", "plain", "login", "cram-md5", "scram-sha-1", "scram-sha-256", "apop"] {
        let (output, came) = place.mpop(mechanism, "se cret", "");
        assert!(output.status.success() && came == 1, "{mechanism}: {}", shown(&output));
        let (output, came) = place.mpop(mechanism, "wrong", "");
        assert!(!output.status.success() && came == 0, "{mechanism}");
    }
    for mechanism in ["oauthbearer", "xoauth2"] {
        let (output, came) = place.mpop(mechanism, "t0ken", "");
        assert!(output.status.success() && came == 1, "{mechanism}: {}", shown(&output));
        let (output, came) = place.mpop(mechanism, "wrong", "");
        assert!(!output.status.success() && came == 0, "{mechanism}");
    }
    let certificate = format!("tls_cert_file {}\ntls_key_file {}", place.path("joe.pem"), place.path("joe.key"));
    Command::new("chmod").args(["600", &place.path("joe.key")]).status().unwrap();
    let (output, came) = place.mpop("external", "", &certificate);
    assert!(output.status.success() && came == 1, "external: {}", shown(&output));
}

/// SCRAM as RFC 5802 has it, over Python's own hashes; with a server that proves that it knows the password, too.
const SCRAM: &str = "
import base64, hashlib, hmac, os, poplib, ssl, sys
port, certificate, password, name, bound = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4], sys.argv[5] == 'plus'
context = ssl.create_default_context(cafile=certificate)
m = poplib.POP3_SSL('localhost', port, context=context, timeout=60)
digest = hashlib.sha1 if name == 'sha1' else hashlib.sha256
mac = lambda key, text: hmac.new(key, text, digest).digest()
b64 = lambda data: base64.b64encode(data).decode()
# The server's certificate is signed with SHA-256 (RFC 5929 4.1).
header, data = b'n,,', b''
if bound: header, data = b'p=tls-server-end-point,,', hashlib.sha256(m.sock.getpeercert(True)).digest()
first = 'n=joe,r=' + b64(os.urandom(18))
mechanism = {'sha1': 'SCRAM-SHA-1', 'sha256': 'SCRAM-SHA-256'}[name] + ('-PLUS' if bound else '')
challenge = m._shortcmd('AUTH %s %s' % (mechanism, b64(header + first.encode())))
server_first = base64.b64decode(challenge[2:]).decode()
fields = dict(part.split('=', 1) for part in server_first.split(','))
salted = hashlib.pbkdf2_hmac(name, password.encode(), base64.b64decode(fields['s']), int(fields['i']))
final = 'c=%s,r=%s' % (b64(header + data), fields['r'])
signed = ','.join([first, server_first, final]).encode()
key = mac(salted, b'Client Key')
proof = bytes(a ^ b for a, b in zip(key, mac(digest(key).digest(), signed)))
try: answer = m._shortcmd(b64(('%s,p=%s' % (final, b64(proof))).encode()))
except poplib.error_proto as refused:
    print('refused', refused)
    sys.exit(3)
expected = b'v=' + base64.b64encode(mac(mac(salted, b'Server Key'), signed))
assert base64.b64decode(answer[2:]) == expected, answer
assert m._shortcmd('').startswith(b'+OK')
assert m.stat()[0] == 1
m.quit()
";

#[test]
fn python_logs_in_by_scram_bound_to_the_certificate_or_not() {
    let place = Place::new();
    let python = |password: &str, name: &str, bound: &str, certificate: &Path| {
        let arguments = [&place.port.to_string(), certificate.to_str().unwrap(), password, name, bound].map(str::to_owned);
        Command::new("timeout").args(["60", "python3", "-c", SCRAM]).args(arguments).output().unwrap()
    };
    let certificate = place.folder.path().join("cert.pem");
    for name in ["sha1", "sha256"] {
        for bound in ["", "plus"] {
            let output = python("se cret", name, bound, &certificate);
            assert!(output.status.success(), "{name} {bound}: {}", shown(&output));
            let output = python("wrong", name, bound, &certificate);
            assert_eq!(output.status.code(), Some(3), "{name} {bound}: {}", shown(&output));
            assert!(String::from_utf8_lossy(&output.stdout).contains("[AUTH]"), "{name} {bound}");
        }
    }
}
